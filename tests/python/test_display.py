"""Cards, prompts and the terminal: what strangers wrote into a log is shown and never obeyed."""

from __future__ import annotations

import io
from datetime import datetime, timezone
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

import cmgtrail
import minted
from cmgtrail import display
from cmgtrail._engine import Zone
from cmgtrail.cli.terminal import Screen
from cmgtrail.cli.verdicts import Screen as ReportScreen
from cmgtrail.display import words
from cmgtrail.display.markup import Markup, join, tag
from cmgtrail.report import render
from conftest import wrapped

HOSTILE = "<script>alert('x')</script>\"&\x1b[31m\x1b]0;owned\x07\x9b2J\u202etxt.exe\r\n\x00</pre>[bold]"


class Finding(SimpleNamespace):
    """Stands for a finding: the display asks only for the name of the class and for the parts."""


class Flow(SimpleNamespace):
    """Stands for a flow."""


class Trail(SimpleNamespace):
    """Stands for a trail."""


class Table(list[Any]):
    """Stands for a table."""

    name = "flows"


def trail(text: str) -> Any:
    """A trail in which a stranger wrote every text that a log can bring in."""
    code = SimpleNamespace(code=text, name=text, says=text)
    line = SimpleNamespace(source=text, line=17, text=text, codes=[code])
    missing = SimpleNamespace(what=text, machine=text, since=None, until=None, separates=[text], how=text)
    join = SimpleNamespace(by=[text], confidence="certain", distance_seconds=0.25, rivals=2)
    stage = SimpleNamespace(stage="aad-token", status="failed", inferred=False, reason=text, evidence=[(text, 17)])
    client = SimpleNamespace(host=text, device_id=None, client_id=None, user_id=None, to_dict=lambda: {"host": text})
    event = SimpleNamespace(
        at=None, attempt=1, stage="aad-token", mark="fail", source=text, line=17, text=text, join=join
    )
    flow = Flow(
        id=text, kind="install", client=client, attempts=1, started=None, outcome="failed", broke_at="aad-token",
        stages=Table([stage]), events=Table([event]), findings=Table([]),
    )  # fmt: skip
    finding = Finding(
        failure="cmg-root-ca-missing", severity="error", confidence="likely", stage="aad-token", title=text,
        explanation=text, remedy=text, verify=text, reference=text, evidence=Table([line]), missing=(missing,),
        clients=1, flows=Table([flow]), scope=text, hypothesis=True, rule=text, consequences=[text],
        to_dict=lambda: {"flows": [text]},
    )  # fmt: skip
    source = SimpleNamespace(
        path=text, records=1, bytes=1, gaps=0, gap_bytes=0, format=None, component=text, host=text, role=None,
        first=None, last=None, notes=[text], files=[text], time="known",
    )  # fmt: skip
    clock = SimpleNamespace(host=text, reference=text, offset_seconds=1.0, uncertainty_seconds=0.1, pairs=3)
    check = {"status": "failed", "id": text, "explanation": text}
    artefact = {"path": text, "kind": text, "host": text, "report": {"valid": False, "checks": [check]}}
    return Trail(
        paths=[text], traffic=True, flows=Table([flow]), findings=Table([finding]), sources=Table([source]),
        clocks=(clock,), records=[], artefacts=[artefact],
    )  # fmt: skip


class Elements(HTMLParser):
    """Collects the elements of a page and their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.open: list[str] = []
        self.attributes: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in {"meta", "wbr", "input"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def controls(text: str) -> set[str]:
    """Characters that a terminal or a reader could obey."""
    return {char for char in text if (ord(char) < 32 and char != "\n") or 0x7F <= ord(char) < 0xA0 or char == "\u202e"}


def drawings() -> list[Any]:
    shown = trail(HOSTILE)
    return [shown, shown.flows, shown.flows[0], shown.findings[0]]


@pytest.mark.parametrize("value", drawings(), ids=lambda value: type(value).__name__)
def test_cards_hold_hostile_text_as_text(value: Any) -> None:
    card = display.html(value)
    elements = Elements(card)
    assert "script" not in elements.names
    assert elements.attributes <= {"class", "title"}
    assert not elements.open
    assert "&lt;script&gt;" in card
    assert not controls(card)


def test_the_report_holds_hostile_text_as_text_and_needs_nothing_else() -> None:
    page = render(trail(HOSTILE))
    elements = Elements(page)
    assert page.count("<script") == 3
    assert not elements.names & {"link", "img", "iframe", "base", "object"}
    assert not elements.open
    assert not controls(page)
    assert "src=" not in page
    assert "url(" not in page


def screen(value: Any, width: int = 80, encoding: str = "utf-8") -> str:
    buffer = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    Screen(Console(file=buffer, width=width, markup=False, highlight=False, emoji=False), Zone()).show(value)
    buffer.seek(0)
    return buffer.read()


def test_the_terminal_holds_hostile_text_as_text_within_80_columns() -> None:
    out = screen(trail(HOSTILE))
    assert not controls(out)
    assert "[bold]" in out
    assert max(map(len, wrapped(out))) <= 80


def test_the_terminal_says_what_was_found_first() -> None:
    out = screen(trail("words"))
    parts = ["Findings", "cmg-root-ca-missing", "Do: ", "Check: ", "Missing: ", "Flows", "Notes on the logs"]
    places = [out.index(part) for part in parts]
    assert places == sorted(places)


def test_marks_fit_the_encoding_of_the_terminal() -> None:
    assert "✗" in screen(trail("words"))
    assert "X failed" in screen(trail("words"), encoding="cp1252")


def test_no_traffic_is_said_in_words() -> None:
    shown = trail("words")
    shown.traffic, shown.flows, shown.findings = False, Table([]), Table([])
    assert "No traffic to a cloud management gateway" in screen(shown)
    assert "No traffic to a cloud management gateway" in display.html(shown)
    assert "no traffic to a CMG" in display.text(shown)


def test_a_fleet_is_shown_in_part_and_says_so() -> None:
    shown = trail("words")
    shown.flows = Table(shown.flows * 5_000)
    assert "and 4,950 flows more" in screen(shown)
    assert "and 4,980 flows more" in display.html(shown)


def test_the_year_is_said_once_or_for_each_flow() -> None:
    shown = trail("words")
    first = vars(shown.flows[0])
    one, other = (
        SimpleNamespace(**{**first, "started": datetime(year, 3, 4, tzinfo=timezone.utc)}) for year in (2024, 2026)
    )
    shown.flows = Table([one])
    assert "Flows of 2024" in screen(shown)
    shown.flows = Table([one, other])
    assert {"2024-03-04", "2026-03-04"} <= set(screen(shown).split())


def test_a_note_names_its_file_once() -> None:
    shown = trail("tiny.log")
    shown.sources[0].notes = ["tiny.log: cut off", "damaged"]
    lines = screen(shown).splitlines()
    assert {"tiny.log: cut off", "tiny.log: damaged"} <= set(lines)


def test_evidence_unfolds_and_has_its_time() -> None:
    shown = trail("a/b.log")
    shown.flows[0].events[0].at = datetime(2026, 3, 4, 5, 6, 7, tzinfo=timezone.utc)
    assert "2026-03-04 05:06:07 UTC" in display.html(shown.findings[0])
    shown.findings[0].evidence = Table(shown.findings[0].evidence * 30)
    assert "<details><summary>22 lines more</summary>" in display.html(shown.findings[0])
    assert "a/<wbr>b.log:17" in display.html(shown.findings[0])


def test_only_markup_passes_unescaped() -> None:
    assert join("<b>", tag("i", "<", title='"')) == '&lt;b&gt;<i title="&quot;">&lt;</i>'
    assert isinstance(tag("p"), Markup)


def test_visible_shows_what_it_neutralises() -> None:
    assert words.visible("a\x1b[31m\tb\r\nc") == "a␛[31m b⏎c"
    assert words.visible("a\nb", lines=True) == "a\nb"
    assert words.visible("Größe 你好 ✓") == "Größe 你好 ✓"


def validated() -> list[Any]:
    """Reports on things in which a stranger wrote every text."""
    root = minted.pem(minted.authority("Contoso Root"))
    leaf = minted.pem(minted.leaf("x.contoso.com", common="<script>alert('x')</script>"))
    text = minted.token(upn=HOSTILE, tid=HOSTILE, iss=HOSTILE, header={"kid": HOSTILE})
    chain = cmgtrail.validate_chain(leaf, roots=root, host=HOSTILE.replace("\x00", ""), at=minted.AT)
    phases = cmgtrail.compare_phases(leaf, roots=root, host=HOSTILE, at=minted.AT)
    token = cmgtrail.validate_token(text, issuers=HOSTILE, tenants=HOSTILE, audience=HOSTILE, at=minted.AT)
    device = cmgtrail.validate_dsregcmd(minted.dsregcmd(tenant=HOSTILE.partition("\r")[0]), at=minted.AT)
    assert HOSTILE[:8] in str(token.facts)
    assert HOSTILE[:8] in str(device.facts)
    return [token, chain, phases, device, token.checks, token.checks["issuer"], chain.checks["name-mismatch"]]


@pytest.mark.parametrize("value", validated(), ids=lambda value: type(value).__name__)
def test_reports_hold_hostile_text_as_text(value: Any) -> None:
    card = value._repr_html_()
    elements = Elements(card)
    assert "script" not in elements.names
    assert elements.attributes <= {"class"}
    assert not elements.open
    assert not controls(card) | controls(repr(value))


def test_reports_on_the_terminal_hold_hostile_text_as_text() -> None:
    token, chain, phases, device = validated()[:4]
    buffer = io.StringIO()
    screen = ReportScreen(Console(file=buffer, width=80, markup=False, highlight=False, emoji=False))
    for report in (token, chain, device):
        screen.report(report)
    screen.phases(phases)
    out = buffer.getvalue()
    assert not controls(out)
    assert "[bold]" in out
    assert max(len(line) for line in out.splitlines()) <= 80
