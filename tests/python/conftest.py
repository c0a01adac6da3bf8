"""What the tests share: the corpus, and folders laid out as the documentation has them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import minted

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / "tests" / "corpus"

DEMO = "root-missing-mask-8"
"""An installation that fails, with a finding: the example of README and docstrings."""
HEALTHY = "healthy-install-and-registration"
NO_TRAFFIC = "intranet-noise-no-cmg-traffic"


def case_names() -> list[str]:
    """The cases of the corpus, each a folder with logs."""
    return sorted(folder.name for folder in CORPUS.glob("*") if (folder / "logs").exists())


def logs_of(case: str) -> Path:
    """The logs of a case; the test is skipped, aloud, where there is no corpus at all."""
    if not CORPUS.exists():
        pytest.skip("no corpus here: tests/corpus is missing")
    logs = CORPUS / case / "logs"
    assert logs.exists(), f"the corpus has no case {case}"
    return logs


def example_site() -> str:
    """The description of docs/site.md, whose files `minted` makes."""
    page = (ROOT / "docs" / "site.md").read_text("utf-8")
    return page.partition("```toml\n")[2].partition("```")[0]


@pytest.fixture
def demo() -> Path:
    """Logs of an installation that failed."""
    return logs_of(DEMO)


@pytest.fixture
def documented(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, demo: Path) -> Path:
    """The current folder, with `logs/` and the files to validate that the examples of the documentation expect."""
    minted.write_all(tmp_path)
    (tmp_path / "site.toml").write_text(example_site(), "utf-8")
    shutil.copytree(demo, tmp_path / "logs")  # a test may write there
    monkeypatch.chdir(tmp_path)
    return tmp_path


def wrapped(out: str) -> list[str]:
    """Lines of a terminal but for those that stay whole, to be copied: addresses and commands."""
    whole = ("See: ", "Line by line: ")
    return [line for line in out.splitlines() if not line.lstrip().startswith(whole)]
