"""Objects as text: one line that says what matters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cmgtrail.display import forecasts, verdicts, words
from cmgtrail.display.words import counted, visible

if TYPE_CHECKING:
    from collections.abc import Callable

    from cmgtrail import (
        Check,
        Checks,
        Client,
        Clock,
        Code,
        DsregcmdStatus,
        Event,
        Evidence,
        Finding,
        Flow,
        Forecast,
        Join,
        Missing,
        Phases,
        PredictedStages,
        Preflight,
        Record,
        Records,
        Report,
        Source,
        Stage,
        Table,
        Trail,
        Verdicts,
    )

ROWS = 10
"""Rows of a table that its text shows."""


def text(value: object) -> str:
    """The `repr` of a cmgtrail object."""
    write: Callable[[Any], str] | None = _WRITERS.get(type(value).__name__)
    return write(value) if write else object.__repr__(value)


def _trail(trail: Trail) -> str:
    return f"<Trail: {words.summary(trail)}>"


def _flow(flow: Flow) -> str:
    at = f" at {flow.broke_at}" if flow.broke_at else ""
    attempts = f" after {flow.attempts} attempts" if flow.attempts > 1 else ""
    who = words.client_name(flow)
    return (
        f"<Flow {visible(flow.id)}: {flow.kind} of {who}, {words.moment(flow.started)}, {flow.outcome}{at}{attempts}>"
    )


def _client(client: Client) -> str:
    known = {name: value for name, value in client.to_dict().items() if value is not None}
    return f"<Client: {', '.join(f'{name} {visible(value)}' for name, value in known.items()) or 'unknown'}>"


def _stage(stage: Stage) -> str:
    inferred = " (inferred)" if stage.inferred else ""
    reason = f": {visible(stage.reason)}" if stage.reason else ""
    return f"<Stage {stage.stage}: {stage.status}{inferred}{reason}>"


def _event(event: Event) -> str:
    said = visible(event.text or event.message)
    return f"<Event {words.moment(event.at)} {event.stage} {event.mark}, {_place(event)}: {said}>"


def _join(join: Join) -> str:
    return f"<Join by {words.joined(join)}>"


def _finding(finding: Finding) -> str:
    return f"<Finding {visible(finding.failure)}: {finding.severity}, {finding.confidence}: {visible(finding.title)}>"


def _evidence(evidence: Evidence) -> str:
    return f"<Evidence {_place(evidence)}: {visible(evidence.text)}>"


def _code(code: Code) -> str:
    return f"<Code {visible(code.code)} ({code.component}): {visible(code.name)}: {visible(code.says)}>"


def _missing(missing: Missing) -> str:
    machine = f" ({visible(missing.machine)})" if missing.machine else ""
    return f"<Missing: {visible(missing.what)}{machine}>"


def _source(source: Source) -> str:
    kind = source.format or "no known format"
    size = f"{words.megabytes(source.bytes)}, {counted(source.records, 'record')}"
    return f"<Source {visible(source.path)}: {kind}, {size}>"


def _clock(clock: Clock) -> str:
    return f"<Clock: {words.clock(clock)}>"


def _record(record: Record) -> str:
    return f"<Record {visible(record.file)}:{record.line}: {visible(record.text)}>"


def _records(records: Records) -> str:
    return f"<Records: a stream with the columns {', '.join(records.columns)}>"


def _report(report: Report) -> str:
    parts = [verdicts.headline(report)]
    if len(report.failed):
        parts.append(f"failed: {verdicts.ids(report.failed)}")
    if len(report.open):
        parts.append(f"not checked: {verdicts.ids(report.open)}")
    return f"<Report: {visible('; '.join(parts))}>"


def _check(check: Check) -> str:
    remark = "" if check.decides else ", a remark"
    return (
        f"<Check {visible(check.id)}: {check.status}{remark}, {visible(check.subject)}: {visible(check.explanation)}>"
    )


def _phases(phases: Phases) -> str:
    before, after = verdicts.verdict(phases.bootstrap), verdicts.verdict(phases.after_settings)
    return f"<Phases: bootstrap {before}, after the settings {after}. {visible(phases.explanation)}>"


def _verdicts(table: Verdicts) -> str:
    return f"<Verdicts: {verdicts.counts(table)}>"


def _dsregcmd(status: DsregcmdStatus) -> str:
    join = status.join or "unknown"
    return f"<DsregcmdStatus: join {join}, device {status.device_id or 'unknown'}, {counted(len(status), 'field')}>"


def _preflight(prediction: Preflight) -> str:
    found = [f"{visible(finding.failure)} ({finding.severity})" for finding in prediction.findings[:ROWS]]
    return f"<Preflight at {prediction.at}: {forecasts.headline(prediction)} {', '.join(found) or words.NO_FINDINGS}>"


def _forecast(finding: Forecast) -> str:
    hit = counted(len(finding.clients), "client")
    how = f"{finding.severity}, {finding.confidence}, {hit}"
    return f"<Forecast {visible(finding.failure)}: {how}: {visible(finding.why)}>"


def _predicted_stages(table: PredictedStages) -> str:
    return f"<stages: {counted(len(table), 'row')} with the columns {', '.join(table.columns)}>"


def _table(table: Table[Any] | Checks) -> str:
    lines = [f"<{table.name}: {counted(len(table), 'row')}>"]
    lines += [f"  [{place}] {row!r}" for place, row in enumerate(table[:ROWS])]
    if len(table) > ROWS:
        lines.append(f"  and {len(table) - ROWS:,} more")
    return "\n".join(lines)


def _place(line: Event | Evidence) -> str:
    return f"{visible(line.source)}:{line.line}"


_WRITERS: dict[str, Callable[[Any], str]] = {
    "Check": _check,
    "Checks": _table,
    "Client": _client,
    "Clock": _clock,
    "Code": _code,
    "DsregcmdStatus": _dsregcmd,
    "Event": _event,
    "Evidence": _evidence,
    "Finding": _finding,
    "Flow": _flow,
    "Forecast": _forecast,
    "Join": _join,
    "Missing": _missing,
    "Phases": _phases,
    "PredictedStages": _predicted_stages,
    "Preflight": _preflight,
    "Record": _record,
    "Records": _records,
    "Report": _report,
    "Source": _source,
    "Stage": _stage,
    "Table": _table,
    "Trail": _trail,
    "Verdicts": _verdicts,
}
