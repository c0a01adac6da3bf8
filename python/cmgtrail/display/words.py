"""Words and marks that the terminal, the prompt, the notebook and the report share."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from cmgtrail import Clock, Code, Event, Finding, Flow, Join, Stage, Trail

MARKS = {"passed": "✓", "failed": "✗", "skipped": "-", "unseen": "·"}
ASCII_MARKS = {"passed": "+", "failed": "X", "skipped": "-", "unseen": "."}

BROKEN = frozenset({"failed", "stalled"})
"""Outcomes of a flow that did not get through."""

NAMED = 3
"""Flows of several that broke alike that are named."""

OUTSIDE = "the logs of a client that was on the internet at the time (CCM\\Logs and ccmsetup\\Logs)"
"""What would show traffic to a gateway where there is none."""

_GATEWAY = {"cmg-connection", "cmg-receive", "cmg-forward"}
_PARTIES = {
    "client": "the client",
    "machine": "the clock of one machine",
    "user": "the user's account",
    "media": "the boot media",
    "deployment": "the way the client is installed",
    "network": "the network in between",
    "tenant": "the Entra tenant",
    "site": "the site",
}

HYPOTHESIS = "No public sample of this failure's text is known: take it as a hypothesis."

QUOTED = 300
"""Characters of a line that a sentence quotes."""

NO_FINDINGS = "No findings."

NO_CLOCKS = (
    "No two machines wrote of the same event, so their clocks could not be compared; delays between machines are not "
    "shown."
)

_NEUTRAL = {
    **{code: 0x2400 + code for code in range(0x20)},
    0x7F: 0x2421,
    **dict.fromkeys([0x2028, 0x2029], 0x23CE),
    **dict.fromkeys([*range(0x80, 0xA0), *range(0xD800, 0xE000), 0x61C, 0x200E, 0x200F], 0xFFFD),
    **dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF], 0xFFFD),
}
_ONE_LINE = {**_NEUTRAL, 0x09: 0x20, 0x0A: 0x23CE, 0x0D: None}
_LINES = {**_NEUTRAL, 0x09: 0x20, 0x0A: 0x0A, 0x0D: None}


def visible(words: str, *, lines: bool = False) -> str:
    """Log text that can do no harm: escapes, control and direction characters are shown, not obeyed.

    Args:
        words: Text written by strangers.
        lines: Keep line ends; otherwise they show as ⏎.
    """
    return words.translate(_LINES if lines else _ONE_LINE)


def bounded(text: str, most: int) -> str:
    """Text of so many characters at most, and how many more there are in the log.

    A record in which a line's end was lost can have millions.
    """
    more = len(text) - most
    return f"{text[:most]} … ({more:,} characters more in the log)" if more > 0 else text


def code_named(code: Code) -> str:
    """A code beside its name: `12175 ERROR_WINHTTP_SECURE_FAILURE: …`."""
    return visible(f"{code.code} {code.name}: {code.says}")


def counted(count: int, noun: str) -> str:
    """`1 flow`, `2,000 flows`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def megabytes(size: int) -> str:
    """`10.6 kB`, `0.1 MB`, `3,412.0 MB`; a megabyte is a million bytes."""
    small = size < 100_000  # noqa: PLR2004 - what would be 0.0 MB
    return f"{size / 1_000:,.1f} kB" if small else f"{size / 1_000_000:,.1f} MB"


def moment(at: datetime | None) -> str:
    """A time in UTC to the second, for prompts and cards."""
    return at.strftime("%Y-%m-%d %H:%M:%S UTC") if at else "time unknown"


def client_name(flow: Flow) -> str:
    """The best name that is known for a flow's client."""
    client = flow.client
    return visible(client.host or client.device_id or client.client_id or client.user_id or "unknown client")


def summary(trail: Trail) -> str:
    """One sentence on all of it."""
    sources, flows, findings = trail.sources, trail.flows, trail.findings
    parts = [f"{counted(sum(source.records for source in sources), 'record')} in {counted(len(sources), 'log')}"]
    if not trail.traffic:
        parts.append("no traffic to a CMG")
    if trail.traffic or len(flows):
        ends = ", ".join(f"{count:,} {outcome}" for outcome, count in outcomes(trail).items())
        clients = len({client_name(flow) for flow in flows})
        parts.append(f"{counted(len(flows), 'flow')} of {counted(clients, 'client')}" + (f" ({ends})" if ends else ""))
    if trail.traffic or len(findings):
        notes = sum(finding.severity == "info" for finding in findings)
        noted = f" and {counted(notes, 'note')}" if notes else ""
        parts.append(f"{counted(len(findings) - notes, 'finding')}{noted}")
    return f"{'; '.join(parts)}."


def no_traffic(trail: Trail) -> str:
    """What it means that no log holds a request to a CMG: nothing can be said, or only what needs none."""
    seen = "none of these logs holds a request to a CMG"
    if len(trail.findings):
        return (
            f"No traffic to a cloud management gateway: {seen}. What was found needs none; {OUTSIDE} would show more."
        )
    return f"No traffic to a cloud management gateway: {seen}, so there is nothing to diagnose. Give {OUTSIDE}."


def outcomes(trail: Trail) -> dict[str, int]:
    """How many flows ended how."""
    counts: dict[str, int] = {}
    for flow in trail.flows:
        counts[flow.outcome] = counts.get(flow.outcome, 0) + 1
    return counts


def joined(join: Join) -> str:
    """Why a line belongs to its flow: `device-id (likely, 0.4 s apart, 2 other flows fit as well)`."""
    apart = "" if join.distance_seconds is None else f", {abs(join.distance_seconds):.1f} s apart"
    others = f", {rivals(join.rivals)}" if join.rivals else ""
    return visible(f"{', '.join(join.by)} ({join.confidence}{apart}{others})")


def rivals(count: int) -> str:
    """`2 other flows fit as well`, or nothing."""
    return f"{counted(count, 'other flow')} {'fits' if count == 1 else 'fit'} as well" if count else ""


def by_offset(clocks: Iterable[Clock]) -> list[Clock]:
    """Clocks, the worst first."""
    return sorted(clocks, key=lambda clock: -abs(clock.offset_seconds))


def clock(shown: Clock) -> str:
    """How far a clock is off: `MP01 is 312.5 s behind PC042 (± 1.5 s, from 4 pairs of lines)`."""
    side = "behind" if shown.offset_seconds < 0 else "ahead of"
    off = f"{shown.host} is {abs(shown.offset_seconds):,.1f} s {side} {shown.reference}"
    return visible(f"{off} (± {shown.uncertainty_seconds:.1f} s, from {counted(shown.pairs, 'pair')} of lines)")


def unexplained(trail: Trail) -> list[Flow]:
    """The flows that broke without a finding that says why."""
    return [flow for flow in trail.flows if flow.outcome in BROKEN and not len(flow.findings)]


def open_ends(trail: Trail) -> list[str]:
    """Where flows broke that no finding explains, and which logs would help: those that broke alike in one sentence."""
    alike: dict[tuple[str, str, str], list[Flow]] = {}
    for flow in unexplained(trail):
        at = f" at {flow.broke_at}" if flow.broke_at else ""
        alike.setdefault((flow.outcome, at, _helpful(flow)), []).append(flow)
    return [_open_end(flows, *how) for how, flows in alike.items()]


def _open_end(flows: list[Flow], outcome: str, at: str, helpful: str) -> str:
    named = [f"{flow.kind} of {client_name(flow)}" + _when(flow) for flow in flows[:NAMED]]
    if len(flows) > NAMED:
        named.append(f"{len(flows) - NAMED:,} more")
    who = f"{', '.join(named[:-1])} and {named[-1]}" if len(named) > 1 else named[0]
    first = flows[0]
    own = next((stage for stage in first.stages if stage.stage == first.broke_at), None)
    begun = own.reason if own and own.status == "unseen" and len(flows) == 1 else None
    why = f": {visible(begun)}" if begun else ""
    lines = _deciding(first, own)
    shown = f" {'It' if len(flows) == 1 else 'The first'} shows in {lines}." if lines else ""
    return f"No finding explains why {who} {outcome}{at}{why}.{shown}{helpful}"


def _deciding(flow: Flow, broken: Stage | None) -> str:
    """The line that decided that a stage failed, and another machine's of it: whoever asks for help will quote them."""
    if not broken or broken.status != "failed":
        return ""
    decided = set(broken.evidence)
    lines = [event for event in flow.events if (event.source, event.line) in decided]
    known = {event.source for event in lines}
    failed = [event for event in flow.events if event.attempt == flow.attempts and event.mark == "fail"]
    others = [event for event in failed if event.stage == broken.stage and event.source not in known]
    # What is merely possible may be of another client.
    others.sort(key=lambda event: event.join.confidence == "possible")
    quoted = [_quoted(line) for line in lines]
    quoted += ["perhaps in " * (line.join.confidence == "possible") + _quoted(line) for line in others[:1]]
    return " and ".join(quoted)


def _quoted(line: Event) -> str:
    return f"{visible(line.source)}:{line.line}: “{visible(bounded(line.text or line.message, QUOTED))}”"


def _when(flow: Flow) -> str:
    return f" ({moment(flow.started)})" if flow.started else ""


def _helpful(flow: Flow) -> str:
    """Which logs would show the stages that no line shows."""
    helpful: dict[str, list[str]] = {}
    for stage in flow.stages:
        reason = stage.reason or ""
        asks = reason.endswith((" would", " would say more"))
        if asks and (stage.stage != flow.broke_at or stage.status == "failed"):
            helpful.setdefault(reason, []).append(stage.stage)
    return "".join(f" {' and '.join(stages)}: {visible(reason)}." for reason, stages in helpful.items())


def party(finding: Finding) -> str:
    """Who has to act: client, gateway, site or another."""
    head, _, rest = finding.scope.partition(",")
    found = [_PARTIES.get(word.strip(), word.strip()) for word in head.split(" or ")]
    if finding.stage in _GATEWAY:
        found = ["the gateway" if word == "the site" else word for word in found]
    return " or ".join(found) + (f" ({rest.strip()})" if rest else "")


def follows(finding: Finding) -> str:
    """What is no cause of its own where this finding is; nothing where nothing is known to follow."""
    return (
        f"Follows from it, and is no cause of its own: {', '.join(finding.consequences)}."
        if finding.consequences
        else ""
    )


def stage_marks(stages: Iterable[Stage], marks: dict[str, str]) -> str:
    """The stages of a flow as one mark each, in display order."""
    return "".join(marks[stage.status] for stage in stages)
