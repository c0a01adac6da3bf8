"""The HTML report: one file that needs nothing else, to be sent, printed and kept."""

from __future__ import annotations

import base64
import hashlib
import os
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cmgtrail import CmgTrailError, __version__
from cmgtrail.display import cards, verdicts, words
from cmgtrail.report import context, flows, verdict

if TYPE_CHECKING:
    from cmgtrail import Evidence, Finding, Source, Trail

SHOWN = 8
"""Flows of a finding that are linked one by one; three times as many clocks and open ends are listed."""
OPEN = 3
"""Excerpts of a finding that stand open; the others fold."""
NEIGHBOUR = 4
"""Lines shown of a record that is no evidence itself: some hold a whole event."""
FOLDED = 200
"""Lines of evidence of a finding at most."""
SOURCES = 300
OPEN_LOGS = 40
"""Logs listed one by one, and how many of them stand open; those with gaps or notes come first."""
STATIC = 50
"""Flows listed where scripts are off."""
ARTEFACTS = 300
"""Tokens and certificates listed of each kind, those that are not valid and those that are."""


def write(trail: Trail, path: str | os.PathLike[str]) -> None:
    """Writes the report of a trail to a file.

    Raises:
        CmgTrailError: The file cannot be written, and why.
    """
    page = render(trail)
    try:
        Path(path).write_text(page, encoding="utf-8")
    except OSError as error:
        place = os.fspath(path)
        advice = "Name a file in a folder that is there and that you may write to."
        raise CmgTrailError(f"the report cannot be written to '{place}': {error.strerror}. {advice}") from None


def render(trail: Trail) -> str:
    """The report of a trail as a complete HTML page. The same trail gives the same page."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_asset),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_harmless,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    css, script = _asset("page.css"), _asset("page.js")
    tone, first, second = verdict.lines(trail)
    return environment.get_template("page.html").render(
        version=__version__, trail=trail, css=css, script=script, css_hash=_hash(css), script_hash=_hash(script),
        shown=SHOWN, excerpts=OPEN, tone=tone, first=first, second=second, summary=words.summary(trail),
        findings=_findings(trail), open_ends=words.open_ends(trail),
        flows=sorted(trail.flows, key=lambda flow: flow.outcome == "completed")[:STATIC],
        outcomes=words.outcomes(trail), sources=_sources(trail), open_logs=OPEN_LOGS, totals=_totals(trail),
        artefacts=_artefacts(trail), listed=ARTEFACTS, clocks=words.by_offset(trail.clocks),
        index=flows.as_json(flows.index(trail)), details=flows.as_json(flows.details(trail)),
        no_traffic="" if trail.traffic else f"What would show some: {words.OUTSIDE}.",
        moment=words.moment, client_name=words.client_name, what=cards.what,
        clock_words=words.clock, no_clocks=words.NO_CLOCKS, party=words.party, counted=words.counted,
        hypothesis=words.HYPOTHESIS, follows=words.follows,
    )  # fmt: skip


def _asset(name: str) -> str:
    return resources.files(__name__).joinpath(name).read_text("utf-8")


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _harmless(value: Any) -> Any:  # noqa: ANN401 - whatever a template shows
    """Text of strangers, with what a reader would obey made visible; escaping comes on top."""
    return flows.harmless(value) if type(value) is str else value


def _findings(trail: Trail) -> list[dict[str, Any]]:
    """Each finding with its evidence in blocks of lines, and its flows by their place in the list."""
    places = {flow.id: place for place, flow in enumerate(trail.flows)}
    listed = [(finding, finding.evidence[:FOLDED]) for finding in trail.findings]
    around = context.around(trail, [(line.source, line.line) for _, lines in listed for line in lines])
    return [
        {"is": finding, "blocks": _blocks(list(lines), around), "more": len(finding.evidence) - len(lines)}
        | _stopped(finding, places)
        for finding, lines in listed
    ]


def _stopped(finding: Finding, places: dict[str, int]) -> dict[str, Any]:
    flows = finding.flows
    links = [(places[flow.id], words.client_name(flow), words.moment(flow.started)) for flow in flows[:SHOWN]]
    return {"flows": links, "count": len(flows), "example": links[0][0] if links else None}


def _blocks(
    lines: list[Evidence], around: dict[tuple[str, int], list[context.Line]]
) -> list[tuple[str, list[tuple[int, str, bool]]]]:
    """Evidence by file, in runs of lines that stand together, each line with whether it is evidence or a neighbour."""
    proofs = {(line.source, line.line) for line in lines}
    blocks: list[tuple[str, list[tuple[int, str, bool]]]] = []
    seen: set[tuple[str, int]] = set()
    for line in lines:
        # Of an artefact there may be several verdicts, all on its first line.
        if (line.source, line.line) in seen and (line.source, line.line) in around:
            continue
        block = around.get((line.source, line.line), [context.Line(line.line, line.text)])
        seen |= {(line.source, each.line) for each in block}
        blocks.append((line.source, [_shown(each, (line.source, each.line) in proofs) for each in block]))
    return blocks


def _shown(line: context.Line, proof: bool) -> tuple[int, str, bool]:
    lines = line.text.splitlines()
    if proof or len(lines) <= NEIGHBOUR:
        return line.line, line.text, proof
    return line.line, "\n".join([*lines[:NEIGHBOUR], "…"]), proof


def _sources(trail: Trail) -> list[Source]:
    return sorted(trail.sources, key=lambda source: not (source.notes or source.gaps))[:SOURCES]


def _totals(trail: Trail) -> str:
    sources = trail.sources
    size = words.megabytes(sum(source.bytes for source in sources))
    gaps = sum(source.gap_bytes for source in sources)
    account = "every byte belongs to a record" if not gaps else f"{gaps:,} bytes belong to no record"
    return f"{words.counted(len(sources), 'log')}, {size}: {account}."


def _artefacts(trail: Trail) -> list[list[dict[str, Any]]]:
    """The artefacts that a check refuses or leaves open, and those that are well."""
    shown = [_artefact(artefact) for artefact in trail.artefacts]
    well = [artefact for artefact in shown if artefact["report"].get("valid")]
    return [[artefact for artefact in shown if not artefact["report"].get("valid")], well]


def _artefact(artefact: dict[str, Any]) -> dict[str, Any]:
    report = artefact["report"]
    failed = [check for check in report.get("checks", []) if check.get("status") == "failed"]
    return {**artefact, "verdict": verdicts.VERDICTS.get(report.get("valid"), "undecided"), "failed": failed}
