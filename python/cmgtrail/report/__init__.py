"""The HTML report: one file that needs nothing else, to be sent and kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cmgtrail import __version__
from cmgtrail.display import cards, words
from cmgtrail.display.markup import Markup, join, style, tag

if TYPE_CHECKING:
    from cmgtrail import Finding, Flow, Source, Trail

_PAGE = """
:root{color-scheme:light dark}
body{font-family:system-ui,"Segoe UI",sans-serif;margin:2em auto;max-width:72em;padding:0 1em;
 color:CanvasText;background:Canvas}
"""


def render(trail: Trail) -> str:
    """The report of a trail as a complete HTML page."""
    title = f"cmgtrail: {', '.join(trail.paths)}"
    head = tag("head", Markup('<meta charset="utf-8">'), tag("title", title), style(_PAGE + cards.STYLE))
    body = tag(
        "body",
        tag("h1", "cmgtrail"),
        tag("p", words.summary(trail)),
        None if trail.traffic else tag("p", words.NO_TRAFFIC),
        _findings(trail),
        _flows(trail),
        _sources(trail),
        tag("p", f"cmgtrail {__version__}. All times are UTC by the clock of the machine that wrote the line."),
    )
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def _findings(trail: Trail) -> Markup:
    boxes = [_finding(finding) for finding in trail.findings]
    open_ends = [tag("p", words.unexplained_flow(flow)) for flow in words.unexplained(trail)[: cards.FLOWS]]
    return join(tag("h2", "Findings"), *(boxes or [tag("p", "None.")]), *open_ends)


def _finding(finding: Finding) -> Markup:
    return tag("section", cards.finding(finding), class_="cmgtrail")


def _flows(trail: Trail) -> Markup:
    boxes = [_flow(flow) for flow in trail.flows]
    return join(tag("h2", "Flows"), *(boxes or [tag("p", "None.")]))


def _flow(flow: Flow) -> Markup:
    rows = [
        [words.moment(event.at), event.stage, event.mark, cards.place(event.source, event.line), event.text or ""]
        for event in flow.events
    ]
    table = tag("div", cards.grid([], rows), class_="wide")
    lines = tag("details", tag("summary", words.counted(len(rows), "line")), table)
    return tag("section", cards.flow(flow), lines, class_="cmgtrail")


def _sources(trail: Trail) -> Markup:
    head = ["log", "format", "component", "host", "role", "records", "bytes", "gaps", "from", "to", "notes"]
    rows = [_source(source) for source in trail.sources]
    return join(tag("h2", "Logs"), tag("section", tag("div", cards.grid(head, rows), class_="wide"), class_="cmgtrail"))


def _source(source: Source) -> list[str]:
    spell = [words.moment(source.first), words.moment(source.last)]
    counts = [f"{source.records:,}", f"{source.bytes:,}", f"{source.gaps:,} ({source.gap_bytes:,} B)"]
    about = [source.format or "", source.component or "", source.host or "", source.role or ""]
    return [source.path, *about, *counts, *spell, " ".join(source.notes)]
