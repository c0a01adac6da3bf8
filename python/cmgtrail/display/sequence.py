"""A flow as a sequence diagram: lanes for machines, steps between them, delays, clocks and the break.

What the notebook and the report draw is laid out here, once. It groups and measures, and decides nothing.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from cmgtrail.display.words import BROKEN, rivals

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from cmgtrail import Event, Flow, Trail

ROLES = {
    "client": "Client",
    "entra": "Entra ID",
    "cmg": "CMG",
    "connection-point": "Connection point",
    "management-point": "Management point",
    "site-server": "Site server",
}
"""The lanes, from left to right."""

_WAYS = {
    "aad-info": ("client", "cmg"),
    "wpj-certificate": ("client", "client"),
    "aad-token": ("client", "entra"),
    "cmg-connection": ("client", "cmg"),
    "ccm-token-request": ("client", "cmg"),
    "cmg-receive": ("client", "cmg"),
    "cmg-forward": ("cmg", "connection-point"),
    "connector-forward": ("connection-point", "management-point"),
    "mp-validate": ("connection-point", "management-point"),
    "ccm-token-issue": ("management-point", "client"),
    "location-request": ("client", "cmg"),
    "content-download": ("client", "cmg"),
    "client-install": ("client", "client"),
    "registration": ("client", "cmg"),
    "settings-refresh": ("cmg", "client"),
}
"""Who asks whom, or who answers whom, at each stage."""


_ENDS = 2
"""Of a flow of many attempts, the first so many and the last so many tell the story."""


class Machine(NamedTuple):
    """Who wrote a log."""

    role: str
    host: str | None
    ahead: float | None
    """Seconds by which its clock is ahead of the reference; `None` where that is not known."""


class Lane(NamedTuple):
    """A machine of a diagram."""

    role: str
    label: str
    hosts: tuple[str, ...]
    """Names of the machines in it, as far as lines of the flow come from them."""
    ahead: float | None


class Step(NamedTuple):
    """Consecutive lines of one machine about one stage."""

    attempt: int
    stage: str
    mark: str
    """`fail`, `ok`, or `start` where the lines say neither."""
    writer: int
    """Lane of the machine that wrote the lines."""
    origin: int
    target: int
    first: int
    """Place of its first line among the flow's events."""
    lines: int
    at: datetime | None
    """When, by the clock that the machines' offsets are from; by its own clock where its offset is not known."""
    seconds: float | None
    """Since the flow's first line, clock offsets taken off; `None` where clocks cannot be compared."""
    delay: float | None
    """Seconds since the step before; `None` where clocks cannot be compared."""
    broke: bool
    """Here it stopped."""
    doubt: str
    """Where a line of it is not certain to belong here: how sure the least sure one is; else nothing."""


class Sequence(NamedTuple):
    """A diagram."""

    lanes: tuple[Lane, ...]
    steps: tuple[Step, ...]
    broke_at: str | None
    """The stage where the flow stopped; the step that shows it may be of another, as an answer that another sent."""

    def stopped(self, step: Step) -> str:
        """What stands at a step: nothing, `stopped here: mp-validate`, or where it stopped, as this step shows."""
        if not step.broke:
            return ""
        if self.broke_at in {None, step.stage}:
            return f"stopped here: {step.stage}"
        return f"stopped at {self.broke_at}, as this shows"

    @property
    def between(self) -> frozenset[int]:
        """The attempts between the first and the last ones of many, which a diagram leaves out."""
        attempts = list(dict.fromkeys(step.attempt for step in self.steps))
        return frozenset(attempts[_ENDS:-_ENDS] if len(attempts) > 2 * _ENDS + 1 else ())

    @property
    def words(self) -> str:
        """The diagram for those who cannot see it."""
        lanes = ", ".join(lane.label for lane in self.lanes)
        broke = next((step for step in self.steps if step.broke), None)
        end = f"; it stopped at {self.broke_at or broke.stage}" if broke else ""
        return f"{len(self.steps)} steps between {lanes}{end}."


def machines(trail: Trail) -> dict[str, Machine]:
    """Who wrote each file of a trail."""
    ahead = {clock.host: clock.offset_seconds for clock in trail.clocks}
    ahead.update(dict.fromkeys((clock.reference for clock in trail.clocks if clock.reference not in ahead), 0.0))
    return {
        file: Machine(source.role or "client", source.host, ahead.get(source.host) if source.host else None)
        for source in trail.sources
        for file in source.files
    }


def compared(event: Event, writers: Mapping[str, Machine]) -> datetime | None:
    """When a line was written by the clock that the others are compared with, as far as the offset is known."""
    machine = writers.get(event.source)
    ahead = machine.ahead if machine and machine.ahead else 0.0
    return event.at - timedelta(seconds=ahead) if event.at else None


def hosts(flows: Iterable[Flow], trail: Trail) -> set[str | None]:
    """The machines that wrote the lines of flows."""
    writers = machines(trail)
    files = {event.source for flow in flows for event in flow.events}
    return {writers[file].host for file in files if file in writers}


def sequence(flow: Flow, writers: Mapping[str, Machine]) -> Sequence:
    """Lays out a flow.

    Args:
        flow: The flow.
        writers: `machines` of its trail.
    """
    asked = "management-point" if _is_elsewhere(flow) else "cmg"
    groups = _groups(list(flow.events), writers, asked)
    roles = {"client", *(role for group in groups for role in group.way)}
    order = [role for role in ROLES if role in roles]
    lanes = tuple(_lane(role, groups, flow) for role in order)
    broke = _broke(groups, flow)
    steps: list[Step] = []
    origin = before = None
    for place, group in enumerate(groups):
        start, target = (order.index(role) for role in group.way)
        at = group.events[0].at
        last = group.events[-1].at
        here = (group.machine, at)
        steps.append(
            Step(
                attempt=group.events[0].attempt, stage=group.events[0].stage, mark=group.mark,
                writer=order.index(group.machine.role), origin=start, target=target,
                first=group.first, lines=len(group.events), at=compared(group.events[0], writers),
                seconds=_between(origin, here), delay=_between(before, here), broke=place == broke,
                doubt=_doubt(group.events),
            )
        )  # fmt: skip
        origin = origin or here
        before = (group.machine, last)
    return Sequence(lanes, tuple(steps), flow.broke_at)


def _is_elsewhere(flow: Flow) -> bool:
    """Whether no line of the flow has to do with a gateway."""
    return any(stage.stage == "cmg-connection" and stage.status == "skipped" for stage in flow.stages)


class _Group(NamedTuple):
    machine: Machine
    first: int
    events: list[Event]
    asked: str
    """Whom the client asks, whoever answers in the end."""

    @property
    def mark(self) -> str:
        marks = {event.mark for event in self.events}
        return "fail" if "fail" in marks else "ok" if "ok" in marks else "start"

    @property
    def way(self) -> tuple[str, str]:
        """From whom to whom; a machine that has no part in the stage itself looks on from its own lane."""
        role = self.machine.role
        ends = _WAYS.get(self.events[0].stage, (role, role))
        origin, target = (self.asked if end == "cmg" else end for end in ends)
        if role in {origin, target}:
            return origin, target
        if role == "client":
            return role, self.asked
        # A management point is asked, and asks none of the others.
        return (role, role if role == "management-point" else target)


def _groups(events: list[Event], writers: Mapping[str, Machine], asked: str) -> list[_Group]:
    groups: list[_Group] = []
    known: tuple[object, ...] | None = None
    for place, event in enumerate(events):
        machine = writers.get(event.source, Machine("client", None, None))
        machine = machine if machine.role in ROLES else machine._replace(role="client")
        key = (machine, event.attempt, event.stage)
        if key != known:
            groups.append(_Group(machine, place, [], asked))
            known = key
        groups[-1].events.append(event)
    return groups


def _lane(role: str, groups: list[_Group], flow: Flow) -> Lane:
    seen = [group.machine for group in groups if group.machine.role == role]
    hosts = tuple(dict.fromkeys(machine.host for machine in seen if machine.host))
    if role == "client" and not hosts and flow.client.host:
        hosts = (flow.client.host,)
    ahead = {machine.ahead for machine in seen}
    return Lane(role, ROLES[role], hosts, ahead.pop() if len(ahead) == 1 else None)


def _broke(groups: list[_Group], flow: Flow) -> int | None:
    """The step where the last attempt broke.

    The first that fails at that stage, else the last of it; of a stage that no step shows the one with the line that
    decided it, else the first that fails, else the end.
    """
    if not groups or flow.outcome not in BROKEN:
        return None
    steps = list(enumerate(groups))
    at = [place for place, group in steps if group.events[0].stage == flow.broke_at]
    last = groups[-1].events[0].attempt
    fails = [place for place, group in steps if group.mark == "fail" and group.events[0].attempt == last]
    if at:
        return next((place for place in at if place in fails), at[-1])
    decided = {line for stage in flow.stages if stage.stage == flow.broke_at for line in stage.evidence}
    shown = [place for place, group in steps if decided & {(event.source, event.line) for event in group.events}]
    return (shown or fails or [len(groups) - 1])[0]


_SURENESS = ("possible", "likely", "certain")


def _doubt(events: list[Event]) -> str:
    """`likely`, `possible, 2 other flows fit as well`: the join of the least sure line, where it is not certain."""
    joins = [event.join for event in events]
    least = min(joins, key=lambda join: (_SURENESS.index(join.confidence), -join.rivals))
    if least.confidence == "certain" and not least.rivals:
        return ""
    return ", ".join(part for part in (least.confidence, rivals(least.rivals)) if part)


def _between(before: tuple[Machine, datetime | None] | None, here: tuple[Machine, datetime | None]) -> float | None:
    """Seconds from one line to another; only a known offset makes two clocks comparable."""
    if before is None:
        return 0.0
    (one, earlier), (other, later) = before, here
    if earlier is None or later is None:
        return None
    if one == other:
        return (later - earlier).total_seconds()
    if one.ahead is None or other.ahead is None:
        return None
    return (later - earlier).total_seconds() - (other.ahead - one.ahead)


def duration(seconds: float) -> str:
    """`0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`."""
    whole = round(abs(seconds))
    sign = "-" if seconds < 0 else ""
    if whole < 10:  # noqa: PLR2004 - below ten seconds the tenths tell
        return f"{sign}{abs(seconds):.1f} s"
    if whole < 60:  # noqa: PLR2004
        return f"{sign}{whole} s"
    if whole < 3600:  # noqa: PLR2004
        return f"{sign}{whole // 60} min {whole % 60} s"
    return f"{sign}{whole // 3600} h {whole % 3600 // 60} min"
