"""A real browser, and reports to open in it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

import cmgtrail
from cmgtrail.report import write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / "tests" / "corpus"

Opener = Any


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    assert chromium, "Chromium is needed: make test-browser says how"
    with sync_playwright() as playwright:
        # A container's root has no sandbox to offer; elsewhere it stays on.
        sandbox = hasattr(os, "geteuid") and os.geteuid() != 0
        browser = playwright.chromium.launch(executable_path=chromium, chromium_sandbox=sandbox)
        yield browser
        browser.close()


@pytest.fixture
def opened(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a file, and fails in the end if the page complained, asked for anything else, or opened a dialog."""
    complaints: list[str] = []
    pages: list[Page] = []

    def open_page(path: Path, **options: Any) -> Page:
        page = browser.new_page(**{"viewport": {"width": 1280, "height": 900}, **options})
        pages.append(page)
        page.on("console", lambda message: complaints.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (complaints.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        own = path.as_uri()
        page.on(
            "request",
            lambda request: None if request.url.partition("#")[0] == own else complaints.append(request.url),
        )
        page.goto(own)
        page.wait_for_selector("html[data-ready]", state="attached")
        return page

    yield open_page
    for page in pages:
        page.close()
    assert complaints == []


@pytest.fixture(scope="session")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Path]:
    """Writes the report of a folder of logs, once."""
    made: dict[Path, Path] = {}

    def report(logs: Path) -> Path:
        if logs not in made:
            made[logs] = tmp_path_factory.mktemp("report") / "report.html"
            write(cmgtrail.read(logs, progress=False), made[logs])
        return made[logs]

    return report


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Logs of 5,000 clients, a third of which cannot reach the revocation list."""
    folder = tmp_path_factory.mktemp("fleet")
    logs = CORPUS / "two-clients-one-fails" / "logs"
    works, fails = ((logs / f"client-{name}" / "ccmsetup.log").read_text("utf-8") for name in ("FAS-A1", "FAS-B2"))
    for number in range(5_000):
        client = folder / f"client-PC{number:04}"
        client.mkdir()
        log = works if number % 3 else fails
        log = log.replace("18da38ae", f"{number:08x}").replace("5c150824", f"{number:08x}")
        (client / "ccmsetup.log").write_text(log, "utf-8")
    return folder
