"""A flow line by line, and the steps of clients in order of time, on a terminal.

Everything that comes out of a log passes `visible`: a terminal obeys no escape that a stranger wrote.
"""

from __future__ import annotations

import heapq
import textwrap
from datetime import datetime, timedelta, timezone
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from rich.padding import Padding
from rich.text import Text

from cmgtrail.cli.terminal import COLOURS, OUTCOMES, console, grid
from cmgtrail.display import sequence, words
from cmgtrail.display.words import ASCII_MARKS, MARKS, counted, visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cmgtrail import Event, Flow, Stage, Trail
    from cmgtrail._engine import Zone

_STATUS = {"passed": "green", "failed": "bold red", "skipped": "dim", "unseen": "dim"}
_INFERRED = {"passed": "inferred from a later stage; ", "failed": "inferred from what did not come, or its cause; "}
_MARKS = {"ok": ("passed", "green"), "fail": ("failed", "bold red")}
_INDENT = 4
_UNDATED = datetime.min.replace(tzinfo=timezone.utc)
_TOLD = timedelta(seconds=1)
"""From here on a step's own clock is told beside the time of the timeline."""


class Moment(NamedTuple):
    """A step of a flow, or its beginning or end, in the order of a timeline."""

    order: datetime
    """When, clock offsets taken off, and no earlier than what comes before it in its flow; the first of times where no
    line of the flow so far says when."""
    place: int
    at: datetime | None
    """When by the clock of the machine that wrote the line."""
    flow: Flow
    step: sequence.Step | None
    lanes: tuple[sequence.Lane, ...]
    stopped: str
    """Where the step shows that the flow stopped, and at which stage; else nothing."""
    final: bool


class Lines:
    """The console, and the zone that its times are shown in."""

    def __init__(self, zone: Zone) -> None:
        self._console = console()
        self._zone = zone
        utf = self._console.encoding.lower().startswith("utf")
        self._marks = MARKS if utf else ASCII_MARKS
        self._arrow = " → " if utf else " -> "

    def flow(self, flow: Flow, trail: Trail) -> None:
        """Who, stages, findings, clocks, and every line with the reason why it belongs to the flow."""
        self._head(flow)
        self._stages(flow.stages)
        self._findings(flow)
        self._clocks([flow], trail)
        self._events(flow, sequence.machines(trail))
        self._ranges(flow)

    def timeline(self, trail: Trail) -> None:
        """The steps of all flows of a trail in order of time, clock offsets taken off where they are known."""
        writers = sequence.machines(trail)
        moments = heapq.merge(*(_moments(flow, writers) for flow in trail.flows), key=lambda each: each[:2])
        several = len({words.client_name(flow) for flow in trail.flows}) > 1
        self._line(f"Steps in order of time ({self._zone.name}, known clock offsets taken off)", "bold")
        day = None
        for moment in moments:
            shown = self._zone.show(moment.order, digits=0) if moment.order > _UNDATED else ""
            if shown and shown[:10] != day:
                day = shown[:10]
                self._line()
                self._line(day, "bold")
            self._step(moment, shown[11:] or "?", f"{words.client_name(moment.flow)}: " if several else "")
        self._clocks(trail.flows, trail)

    def _line(self, text: str = "", style: str = "", indent: int = 0) -> None:
        # Text with nothing in it would print nothing at all, not an empty line.
        self._console.print(Padding(Text(visible(text), style), (0, 0, 0, indent), expand=False) if text else "")

    def _head(self, flow: Flow) -> None:
        end = f" at {flow.broke_at}" if flow.broke_at else ""
        self._line(f"{flow.kind} of {words.client_name(flow)}: {flow.outcome}{end}", OUTCOMES[flow.outcome])
        spell = " to ".join(self._zone.show(at) if at else "?" for at in (flow.started, flow.ended))
        self._line(f"{spell} ({self._zone.name}), {counted(flow.attempts, 'attempt')}", "dim")
        names = {"device_id": "device", "user_id": "user", "client_id": "client", "tenant_id": "tenant"}
        known = flow.client.to_dict()
        ids = [f"flow {flow.id}", *(f"{label} {known[name]}" for name, label in names.items() if known[name])]
        for each in ids:
            self._line(each, "dim")

    def _stages(self, stages: Iterable[Stage]) -> None:
        self._line()
        self._line("Stages", "bold")
        table = grid()
        table.show_header = False
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for stage in stages:
            proof = ", ".join(f"{source}:{line}" for source, line in stage.evidence[:1])
            inferred = _INFERRED.get(stage.status, "") if stage.inferred else ""
            mark = Text(self._marks[stage.status], _STATUS[stage.status])
            about = inferred + "; ".join(part for part in (proof, stage.reason) if part)
            status = Text(stage.status, _STATUS[stage.status])
            table.add_row(mark, stage.stage, status, Text(visible(about), "" if proof else "dim"))
        self._console.print(table)

    def _findings(self, flow: Flow) -> None:
        if not len(flow.findings):
            return
        self._line()
        self._line("Findings", "bold")
        for finding in flow.findings:
            text = f"{finding.title} ({finding.failure}, {finding.confidence})"
            self._line(text, COLOURS[finding.severity])

    def _clocks(self, flows: Iterable[Flow], trail: Trail) -> None:
        hosts = sequence.hosts(flows, trail)
        told = [clock for clock in trail.clocks if clock.host in hosts]
        if len(hosts) < 2 and not told:  # noqa: PLR2004 - one machine has nothing to be compared with
            return
        self._line()
        self._line("Clocks", "bold")
        for clock in told:
            self._line(words.clock(clock))
        if not told:
            self._line(words.NO_CLOCKS, "dim")

    def _ranges(self, flow: Flow) -> None:
        """Where a server's log holds lines of the flow among too many alike to be told apart, or listed."""
        ranges = flow.candidate_ranges
        if not ranges:
            return
        self._line()
        self._line("Parts of servers' logs that hold lines of it among others alike", "bold")
        for each in ranges:
            part = f"{each['source']}:{each['line']}-{each['last_line']}"
            of = f"{each['to']['source']}:{each['to']['line']}"
            self._line(f"{part}: {counted(each['candidates'], 'request')} in it may be that of {of}")

    def _events(self, flow: Flow, writers: dict[str, sequence.Machine]) -> None:
        self._line()
        self._line(f"Lines (times in {self._zone.name}, by the clock of the machine that wrote them)", "bold")
        attempt, before = 0, None
        for source, events in groupby(flow.events, key=lambda event: event.source):
            machine = writers.get(source)
            who = f" ({machine.host or machine.role})" if machine else ""
            self._line()
            self._line(f"{source}{who}", "cyan")
            for event in events:
                if event.attempt != attempt and flow.attempts > 1:
                    attempt = event.attempt
                    self._line(f"Attempt {attempt}", "bold")
                before = self._event(event, before)

    def _event(self, event: Event, before: str | None) -> str:
        status, colour = _MARKS.get(event.mark, ("", ""))
        at = self._zone.show(event.at, digits=3)[11:] if event.at else "time unknown"
        mark = self._marks[status] if status else " "
        head = f"{at:<12} {mark} {event.stage:<18} line {event.line}"
        self._line(head, colour or "bold")
        self._line(event.text or event.message, indent=_INDENT)
        joined = words.joined(event.join)
        if joined != before:
            self._line(f"belongs here by {joined}", "dim", _INDENT)
        return joined

    def _step(self, moment: Moment, at: str, client: str) -> None:
        flow, step = moment.flow, moment.step
        if step is None:
            turn = f"{at:<8} {client}{_turn(flow, final=moment.final)}"
            self._hanging(turn, OUTCOMES[flow.outcome] if moment.final else "bold")
            return
        status, colour = _MARKS.get(step.mark, ("", ""))
        mark = self._marks[status] if status else " "
        ends = [moment.lanes[lane] for lane in dict.fromkeys([step.origin, step.target])]
        way = self._arrow.join(lane.label for lane in ends)
        many = f", {counted(step.lines, 'line')}" if step.lines > 1 else ""
        attempt = f", attempt {step.attempt}" if flow.attempts > 1 else ""
        off = abs(moment.order - moment.at) if moment.at else timedelta()
        clock = f", {self._zone.show(moment.at, digits=0)[11:]} by its own clock" if moment.at and off >= _TOLD else ""
        stopped = f"; it {moment.stopped}" if moment.stopped else ""
        self._hanging(f"{at:<8} {mark} {client}{step.stage}: {way}{many}{attempt}{clock}{stopped}", colour)

    def _hanging(self, text: str, style: str) -> None:
        """A line of a timeline; where it is too long, what is left stands behind the times."""
        width, behind = self._console.width, " " * len("09:12:33 ✓ ")
        for line in textwrap.wrap(visible(text), width, subsequent_indent=behind, break_on_hyphens=False):
            self._console.print(Text(line, style))


def _moments(flow: Flow, writers: dict[str, sequence.Machine]) -> Iterator[Moment]:
    """Beginning, steps and end of a flow; each no earlier than the one before, whatever its clock says."""
    drawn = sequence.sequence(flow, writers)
    events = list(flow.events)
    times = [sequence.compared(event, writers) for event in events]
    order = next((time for time in times if time), _UNDATED)
    yield Moment(order, 0, flow.started, flow, None, drawn.lanes, "", final=False)
    for place, step in enumerate(drawn.steps, start=1):
        order = max(order, times[step.first] or order)
        yield Moment(order, place, events[step.first].at, flow, step, drawn.lanes, drawn.stopped(step), final=False)
    end = max([order, *(time for time in times if time)])
    yield Moment(end, len(drawn.steps) + 1, flow.ended, flow, None, drawn.lanes, "", final=True)


def _turn(flow: Flow, *, final: bool) -> str:
    if not final:
        return f"{flow.kind} begins ({visible(flow.id)})"
    at = f" at {flow.broke_at}" if flow.broke_at else ""
    causes = ", ".join(f"{visible(finding.failure)} ({finding.confidence})" for finding in flow.findings)
    return f"{flow.kind} {flow.outcome}{at}" + (f": {causes}" if causes else "")
