"""The notebooks: they run from top to bottom, show what they promise, and are kept without outputs."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbclient
import nbformat
import pytest

from conftest import ROOT

if TYPE_CHECKING:
    from nbformat import NotebookNode

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
CHART = "vegaEmbed"


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
    assert len([output for output in shown if CHART in output.get("data", {}).get("text/html", "")]) == charts


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
