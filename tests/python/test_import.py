"""Importing cmgtrail costs next to nothing, and exports what the engine has."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

import cmgtrail
from cmgtrail import _engine

HEAVY = {"rich", "click", "pandas", "polars", "pyarrow", "numpy", "jinja2", "altair", "json", "asyncio", "IPython"}

INTERNAL = {
    "CheckIterator", "RecordIterator", "TableIterator", "Zone", "withheld",
    "builtin_knowledge", "check_knowledge", "code_components", "knowledge_entries",
}  # fmt: skip
"""What the engine gives to the package but not to its users."""


def test_import_loads_nothing_heavy() -> None:
    code = "import sys, cmgtrail; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in run.stdout.split()}
    assert "cmgtrail" in loaded
    assert not loaded & HEAVY


def test_every_export_of_the_engine_is_public() -> None:
    assert set(_engine.__all__) - INTERNAL <= set(cmgtrail.__all__)


def test_all_names_exist_and_are_documented() -> None:
    for name in cmgtrail.__all__:
        assert getattr(cmgtrail, name).__doc__, name


def test_every_error_is_a_cmgtrail_error() -> None:
    errors = [getattr(cmgtrail, name) for name in cmgtrail.__all__ if name.endswith("Error")]
    assert len(errors) == 8
    assert all(issubclass(error, cmgtrail.CmgTrailError) for error in errors)


def test_only_public_names_are_listed() -> None:
    assert dir(cmgtrail) == sorted(cmgtrail.__all__)


@pytest.mark.parametrize("paths", [5, None, ["logs", None]])
def test_what_is_no_path_is_refused_in_a_sentence(paths: Any) -> None:
    with pytest.raises(cmgtrail.ArgumentError, match="paths: expected a path"):
        cmgtrail.read(paths)


def test_the_bar_of_a_notebook_is_shown_advanced_and_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    import IPython.display

    from cmgtrail import progress

    shown: list[str] = []
    handle = SimpleNamespace(update=lambda html: shown.append(html.data))
    monkeypatch.setitem(sys.modules, "ipykernel", SimpleNamespace())
    monkeypatch.setattr(IPython.display, "display", lambda *_, **__: handle)
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    with progress.watching(None) as advance:
        assert advance is not None
        advance(1_000_000, 4_000_000)
    assert '<progress value="1000000" max="4000000"' in shown[0]
    assert "1.0 of 4.0 MB" in shown[0]
    assert shown[-1] == ""
