"""Objects as HTML cards. Colours and font are the page's own, so that they fit light and dark themes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cmgtrail.display import forecasts, plain, verdicts, words
from cmgtrail.display.markup import Markup, join, style, tag
from cmgtrail.display.words import MARKS, code_named, counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from cmgtrail import (
        Check,
        Checks,
        Evidence,
        Finding,
        Flow,
        Forecast,
        Phases,
        Preflight,
        Report,
        Stage,
        Table,
        Trail,
        Verdicts,
    )

FLOWS = 20
LINES = 8
"""Rows that a card shows before it says how many more there are."""
EXPANDED = 500
"""Lines of evidence that can be unfolded."""

# JupyterLab aligns cells to the right by a selector of two classes; the class thrice outweighs it.
STYLE = """
.cmgtrail{border:1px solid rgba(128,128,128,.4);border-radius:6px;padding:.7em 1em;margin:.3em 0;max-width:70em;
 color:inherit;background:transparent;line-height:1.45}
.cmgtrail h3{margin:.1em 0 .4em;font-size:1.05em;font-weight:600}
.cmgtrail table{border-collapse:collapse;margin:.4em 0;font-size:.92em;color:inherit;background:transparent}
.cmgtrail.cmgtrail.cmgtrail :is(th,td){text-align:left;padding:.15em .8em .15em 0;vertical-align:top;
 background:transparent;border:0;border-bottom:1px solid rgba(128,128,128,.25)}
.cmgtrail code{font-family:ui-monospace,Consolas,monospace;font-size:.92em;white-space:pre-wrap;
 overflow-wrap:anywhere;color:inherit;background:transparent}
.cmgtrail .place{overflow-wrap:normal;white-space:normal}
.cmgtrail p{margin:.5em 0}
.cmgtrail .wide{overflow-x:auto}
.cmgtrail .badge,.cmgtrail .when{white-space:nowrap}
.cmgtrail .badge{display:inline-block;border-radius:3px;padding:0 .45em;margin-right:.4em;font-size:.85em;color:#fff}
.cmgtrail .error,.cmgtrail .failed,.cmgtrail .refused{background:#b42318}
.cmgtrail .warning,.cmgtrail .stalled{background:#8a5300}
.cmgtrail .info,.cmgtrail .unfinished,.cmgtrail .unseen,.cmgtrail .skipped,.cmgtrail .undecided{background:#5b6470}
.cmgtrail .completed,.cmgtrail .passed,.cmgtrail .valid{background:#1a6b3c}
.cmgtrail .quiet{opacity:.75}
.cmgtrail .marks span{display:inline-block;min-width:1.1em;text-align:center}
"""


def html(value: object) -> str:
    """The notebook card of a cmgtrail object."""
    draw: Callable[[Any], Markup] | None = _CARDS.get(type(value).__name__)
    return card(draw(value) if draw else tag("code", plain.text(value)))


def card(*children: str) -> Markup:
    """A framed box with its own style."""
    return join(style(STYLE), tag("div", *children, class_="cmgtrail"))


def trail(shown: Trail) -> Markup:
    """Summary, findings by title, and the first flows."""
    findings = [tag("li", badge(finding.severity), heading(finding)) for finding in shown.findings[:FLOWS]]
    return join(
        tag("h3", "cmgtrail: ", words.summary(shown)),
        None if shown.traffic else tag("p", words.no_traffic(shown)),
        tag("ol", *findings) if findings else None,
        # What broke is what the reader came for.
        flows(sorted(shown.flows, key=lambda flow: flow.outcome == "completed")),
    )


def flows(table: Table[Flow] | list[Flow]) -> Markup:
    """Flows as rows, with their stages as marks."""
    if not len(table):
        return join()
    head = ["client", "kind", "started", "outcome", "broke at", "stages"]
    rows = [
        [
            words.client_name(flow),
            flow.kind,
            words.moment(flow.started),
            badge(flow.outcome),
            flow.broke_at or "",
            marks(flow.stages),
        ]
        for flow in table[:FLOWS]
    ]
    return join(grid(head, rows), more(len(table) - FLOWS, "flow"))


def flow(shown: Flow) -> Markup:
    """A flow: its stages, each with its status and place."""
    rows = [
        [
            whole(stage.stage),
            badge(stage.status),
            "inferred" if stage.inferred else "",
            stage.reason or "",
            lines_of(stage),
        ]
        for stage in shown.stages
    ]
    title = f"{shown.kind} of {words.client_name(shown)}, {words.moment(shown.started)}, "
    found = [tag("p", badge(finding.severity), heading(finding)) for finding in shown.findings]
    return join(
        tag("h3", title, badge(shown.outcome), f"at {shown.broke_at}" if shown.broke_at else ""),
        *found,
        grid(["stage", "status", "", "reason", "line"], rows),
    )


def finding(shown: Finding) -> Markup:
    """A finding: explanation, what to do, how to check it, evidence, what is missing."""
    missing = [tag("li", what(missing)) for missing in shown.missing]
    return join(
        tag("h3", badge(shown.severity), heading(shown)),
        tag("p", words.HYPOTHESIS, class_="quiet") if shown.hypothesis else None,
        *(tag("p", paragraph) for paragraph in shown.explanation.split("\n")),
        labelled("What to do", shown.remedy),
        labelled("How to check it", shown.verify),
        tag("p", tag("b", "Evidence")),
        evidence(shown),
        join(tag("p", tag("b", "Missing to be certain")), tag("ul", *missing)) if missing else None,
        tag("p", words.follows(shown), class_="quiet") if shown.consequences else None,
        tag(
            "p",
            f"It lies with {words.party(shown)}. " if shown.severity != "info" else "",
            f"{counted(shown.clients, 'client')}, {counted(len(shown.flows), 'flow')}. ",
            shown.reference,
            class_="quiet",
        ),
    )


def evidence(found: Finding) -> Markup:
    """The lines that prove a finding, with their places and, where known, times; what is beyond the first few folds."""
    lines = found.evidence[:EXPANDED]
    times = {(event.source, event.line): event.at for flow in found.flows[:FLOWS] for event in flow.events}
    rows = [[place(line.source, line.line), _time(times.get((line.source, line.line))), said(line)] for line in lines]
    rest = rows[LINES:]
    return join(
        tag("div", grid([], rows[:LINES]), class_="wide"),
        tag(
            "details",
            tag("summary", f"{counted(len(rest), 'line')} more"),
            tag("div", grid([], rest), class_="wide"),
        )
        if rest
        else None,
        more(len(found.evidence) - EXPANDED, "line"),
    )


def said(line: Evidence) -> Markup:
    """What a line says, with the names of its codes."""
    named = [tag("div", tag("small", code_named(code))) for code in line.codes]
    return join(tag("code", line.text), *named)


def place(source: str, line: int) -> Markup:
    """A file and a line in it; it wraps between folders, not within names."""
    steps = f"{source}:{line}".split("/")
    parts = [join(f"{step}/", Markup("<wbr>")) for step in steps[:-1]]
    return tag("code", *parts, steps[-1], class_="place")


def _time(at: datetime | None) -> Markup:
    return whole(words.moment(at) if at else "")


def heading(shown: Finding) -> Markup:
    """Title, id, confidence and stage of a finding."""
    stage = f", {shown.stage}" if shown.stage else ""
    return join(tag("b", shown.title), tag("span", f" {shown.failure}, {shown.confidence}{stage}", class_="quiet"))


def what(missing: Any) -> str:  # noqa: ANN401 - a Missing, or anything that has its parts
    """What is missing, of which machine, for which time, and how to get it."""
    of = [missing.machine] if missing.machine else []
    if missing.since and missing.until:
        of.append(f"{words.moment(missing.since)} to {words.moment(missing.until)}")
    if missing.separates:
        of.append(f"would exclude {', '.join(missing.separates)}")
    where = f" ({'; '.join(of)})" if of else ""
    return f"{missing.what}{where}. {missing.how}"


def marks(stages: Table[Stage]) -> Markup:
    """The stages as marks, each with its name and status for the pointer and for screen readers."""
    spans = [tag("span", MARKS.get(stage.status, "?"), title=f"{stage.stage}: {stage.status}") for stage in stages]
    return tag("span", *spans, class_="marks")


def report(shown: Report) -> Markup:
    """A validator's report: verdict, facts, and the checks that matter; the rest by name."""
    worse = [*shown.failed, *shown.open, *verdicts.remarks(shown)]
    well, not_made = verdicts.ids(verdicts.passed(shown)), verdicts.ids(verdicts.not_made(shown))
    return join(
        tag("h3", badge(verdicts.verdict(shown), _VERDICT_COLOURS[shown.valid]), verdicts.SUBJECTS[shown.kind]),
        grid([], [[label, tag("code", value)] for label, value in verdicts.facts(shown)]),
        checks(worse) if worse else None,
        labelled("Passed", well),
        labelled("Not checked, and not needed for the verdict", not_made),
    )


def checks(table: Checks | list[Check], limit: int = FLOWS) -> Markup:
    """Checks as rows."""
    rows = [
        [badge(check.status, _STATUS_COLOURS[check.status]), check.id, tag("code", check.subject), check.explanation]
        for check in table[:limit]
    ]
    return join(grid(["", "check", "subject", "why"], rows), more(len(table) - limit, "check"))


def phases(shown: Phases) -> Markup:
    """Both reports, one under the other, with what they mean together."""
    return join(
        tag("p", shown.explanation),
        tag("h3", "While ccmsetup runs"),
        report(shown.bootstrap),
        tag("h3", "After the site's settings have arrived"),
        report(shown.after_settings),
    )


def preflight(shown: Preflight) -> Markup:
    """The verdict, what stops clients, and the first of them stage by stage."""
    clients: list[dict[str, Any]] = shown.to_dict()["clients"]
    clients.sort(key=lambda client: forecasts.ORDER[client["works"]])
    return join(
        tag("h3", badge(forecasts.WORKS[shown.works], _VERDICT_COLOURS[shown.works]), forecasts.headline(shown)),
        *[forecast(finding) for finding in shown.findings[:FLOWS]],
        *[_predicted(client, phase) for client in clients[:1] for phase in client["phases"]],
        more(len(clients) - 1, "client"),
    )


def forecast(shown: Forecast) -> Markup:
    """A predicted failure: the facts that lead to it, and what to do."""
    return join(
        tag("p", badge(shown.severity), tag("b", shown.title), tag("span", f" {shown.failure}", class_="quiet")),
        tag("p", shown.why),
        tag("p", forecasts.reach(shown), class_="quiet"),
        tag("details", tag("summary", "What to do"), labelled("Do", shown.remedy), labelled("Check", shown.verify)),
        tag("details", tag("summary", forecasts.AFTERWARDS), tag("p", shown.explanation)),
    )


def _predicted(client: dict[str, Any], phase: dict[str, Any]) -> Markup:
    stages = list(forecasts.rows(client, phase))
    seen = any(row.observed for row in stages)
    rows = [
        [
            whole(row.stage),
            badge(row.status, _PREDICTED_COLOURS[row.status]),
            *([row.observed] if seen else []),
            row.why,
        ]
        for row in stages
    ]
    head = ["stage", "predicted", *(["observed"] if seen else []), "why"]
    return join(
        tag("h3", f"{client['client']}, {forecasts.PHASES[phase['phase']]}"),
        tag("div", grid(head, rows), class_="wide"),
    )


def whole(words: str) -> Markup:
    """Words that stay on one line."""
    return tag("span", words, class_="when")


def badge(word: str, colour: str | None = None) -> Markup:
    """A word on its colour."""
    return tag("span", word, class_=f"badge {colour or word}")


def grid(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Markup:
    """A table."""
    titles = tag("tr", *[tag("th", title) for title in head]) if head else None
    return tag("table", titles, *[tag("tr", *[tag("td", cell) for cell in row]) for row in rows])


def labelled(label: str, words: str) -> Markup | None:
    """A paragraph with a bold word in front, or nothing."""
    return tag("p", tag("b", f"{label}: "), words) if words else None


def more(count: int, noun: str) -> Markup | None:
    """How many rows are not shown."""
    return tag("p", f"and {counted(count, noun)} more", class_="quiet") if count > 0 else None


def lines_of(stage: Stage) -> Markup:
    """The places that decided a stage."""
    return join(*[tag("code", f"{source}:{line} ") for source, line in stage.evidence[:2]])


def _table(table: Table[Any]) -> Markup:
    if table.name == "flows":
        return join(tag("h3", counted(len(table), "flow")), flows(table))
    rows = [[tag("code", plain.text(row))] for row in table[:FLOWS]]
    return join(
        tag("h3", f"{table.name}: {counted(len(table), 'row')}"), grid([], rows), more(len(table) - FLOWS, "row")
    )


def _check(check: Check) -> Markup:
    rows = [["subject", check.subject], ["expected", check.expected or ""], ["found", check.found or ""]]
    rows += [["Windows", verdicts.by_windows(check)], ["reference", check.reference or ""]]
    return join(
        tag("h3", badge(check.status, _STATUS_COLOURS[check.status]), check.id),
        tag("p", check.explanation),
        grid([], [row for row in rows if row[1]]),
    )


def _verdicts(table: Verdicts) -> Markup:
    return tag("p", verdicts.counts(table))


_VERDICT_COLOURS = {True: "valid", False: "refused", None: "undecided"}
_PREDICTED_COLOURS = {
    "passed": "passed",
    "blocked": "failed",
    "not-known": "undecided",
    "not-reached": "unseen",
    "skipped": "skipped",
}
_STATUS_COLOURS = {"passed": "passed", "failed": "failed", "not checked": "unseen"}

_CARDS: dict[str, Callable[[Any], Markup]] = {
    "Check": _check,
    "Checks": checks,
    "Finding": finding,
    "Flow": flow,
    "Forecast": forecast,
    "Phases": phases,
    "Preflight": preflight,
    "Report": report,
    "Table": _table,
    "Trail": trail,
    "Verdicts": _verdicts,
}
