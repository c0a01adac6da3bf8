"""The notebooks: they run from top to bottom, show what they promise, and are kept without outputs."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbclient
import nbformat
import pytest
from jupyter_client.manager import start_new_kernel

from conftest import ROOT

if TYPE_CHECKING:
    from nbformat import NotebookNode

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
CHART = "image/svg+xml"
"""Charts are pictures, which need no network."""


def test_there_are_five() -> None:
    assert [path.name[:2] for path in NOTEBOOKS] == ["01", "02", "03", "04", "05"]


def run(path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> NotebookNode:
    """The notebook with its outputs; a cell that fails fails the test."""
    # `!cmgtrail` is the command of this environment, and the kernel its Python.
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("TMPDIR", str(folder))
    book = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(
        book, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    ).execute()
    return book


def outputs(book: NotebookNode) -> list[Any]:
    return [output for cell in book.cells if cell.cell_type == "code" for output in cell.outputs]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
@pytest.mark.filterwarnings("default")  # of Jupyter's own libraries
def test_a_notebook_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book = run(path, tmp_path, monkeypatch)
    shown = outputs(book)
    assert not [output for output in shown if output.output_type == "error"]
    assert not [output for output in shown if output.get("name") == "stderr"], shown
    last = [cell for cell in book.cells if cell.cell_type == "code"][-1]
    assert last.outputs
    cards = [output for output in shown if 'class="cmgtrail"' in output.get("data", {}).get("text/html", "")]
    assert cards
    charts = {"01": 1, "02": 4}.get(path.name[:2], 0)
    assert len([output for output in shown if CHART in output.get("data", {})]) == charts


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_outputs(path: Path) -> None:
    text = path.read_text("utf-8")
    book = json.loads(text)
    nbformat.validate(book)
    code = [cell for cell in book["cells"] if cell["cell_type"] == "code"]
    assert code
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    assert all(cell["metadata"] == {} for cell in book["cells"])
    assert set(book["metadata"]) <= {"kernelspec", "language_info"}
    assert text == json.dumps(book, indent=1, ensure_ascii=False) + "\n"


@pytest.mark.skipif(sys.platform == "win32", reason="hard links and signals are other things there")
@pytest.mark.filterwarnings("default")  # of Jupyter's own libraries
def test_interrupting_the_kernel_stops_the_engine(tmp_path: Path) -> None:
    line = (
        '<![LOG[Nothing of note happened here]LOG]!><time="10:12:33.120+000" date="11-04-2026" '
        'component="x" context="" type="1" thread="1" file="x.cpp:1">\n'
    )
    first = tmp_path / "machine-0" / "big.log"
    first.parent.mkdir()
    first.write_text(line * 80_000, "utf-8")
    for number in range(1, 60):
        (tmp_path / f"machine-{number}").mkdir()
        os.link(first, tmp_path / f"machine-{number}" / "big.log")
    manager, client = start_new_kernel(kernel_name="python3")
    try:
        client.execute_interactive("import cmgtrail", timeout=60)
        client.execute(f"cmgtrail.read({str(tmp_path)!r}, progress=False)")
        time.sleep(0.3)
        manager.interrupt_kernel()
        begun = time.monotonic()
        content = client.get_shell_msg(timeout=60)["content"]
        # Either it was stopped, or it was faster than we are; and the kernel lives on.
        if content["status"] == "error":
            assert content["ename"] == "KeyboardInterrupt"
            assert time.monotonic() - begun < 5
        reply = client.execute_interactive("cmgtrail.__version__", timeout=60)
        assert reply["content"]["status"] == "ok"
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
