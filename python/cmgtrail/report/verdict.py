"""What the report says first, for those who read one sentence: whose it is, how many it stops, how sure that is."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from cmgtrail.display import words
from cmgtrail.display.words import counted

if TYPE_CHECKING:
    from cmgtrail import Finding, Trail

NAMED = 3
"""Further causes that the summary names."""


def lines(trail: Trail) -> tuple[str, str, str]:
    """Tone (`good`, `bad`, `open`), first line and second line of the summary."""
    errors = [finding for finding in trail.findings if finding.severity == "error"]
    broken = words.unexplained(trail)
    if not trail.traffic and not errors:
        return "open", "Nothing can be said about the gateway from these logs.", words.no_traffic(trail)
    if errors:
        return "bad", _cause(errors[0]), _reach(trail, errors)
    if broken:
        stages = ", ".join(dict.fromkeys(flow.broke_at or "an unknown stage" for flow in broken))
        fault = "these logs do not say whether client, gateway or site is at fault"
        return "open", f"Authentication broke off at {stages}, and {fault}.", "What is missing to say it stands below."
    return _without_a_cause(trail)


def _without_a_cause(trail: Trail) -> tuple[str, str, str]:
    """Only an attempt that went through to its end says that it works."""
    outcomes = Counter(flow.outcome for flow in trail.flows)
    completed = outcomes["completed"]
    if not completed:
        flows = len(trail.flows)
        none = "These logs, or the chosen client and time, show no attempt of a client."
        why = f"{counted(flows, 'flow')}, of which these logs show no end." if flows else none
        return "open", "Nothing can be said: no attempt is seen to succeed or to fail.", why
    whole = f"{counted(completed, 'flow')} completed, and nothing to repair on client, gateway or site."
    left = len(trail.flows) - completed
    rest = f" Of {left:,} more these logs do not show the end." if left else ""
    return "good", "It works: no cause was found that stops authentication.", whole + rest


def _cause(finding: Finding) -> str:
    sure = {"certain": "The cause lies with", "likely": "The cause most likely lies with"}
    opening = sure.get(finding.confidence, "The cause possibly lies with")
    return f"{opening} {words.party(finding)}: {finding.title}."


def _reach(trail: Trail, errors: list[Finding]) -> str:
    clients = len({words.client_name(flow) for flow in trail.flows})
    first = errors[0]
    rivals, others = _rivals(first, errors[1:])
    all_of_them = _stopped(trail, clients, errors, len({error.failure for error in [first, *others] if error.clients}))
    who = "This one" if all_of_them else "It"
    does = "would explain what stops" if first.confidence == "possible" else "stops"
    hit = (
        f"{who} {does} {first.clients:,} of {counted(clients, 'client')}" if clients else "No client's own log is here"
    )
    return f"{all_of_them}{hit}. What to do: {first.remedy}{_named('Or it is', rivals)}{_named('Besides it', others)}"


def _rivals(first: Finding, errors: list[Finding]) -> tuple[list[Finding], list[Finding]]:
    """Of the causes after the first, those that may stop its flows in its place, and those that stop others as well."""
    rivals: list[Finding] = []
    others: list[Finding] = []
    flows = {flow.id for flow in first.flows}
    for error in errors:
        instead = first.confidence == error.confidence == "possible" and not flows.isdisjoint(f.id for f in error.flows)
        (rivals if instead else others).append(error)
    return rivals, others


def _stopped(trail: Trail, clients: int, errors: list[Finding], causes: int) -> str:
    """How many clients are stopped at all, where it is not by one cause alone."""
    stopped = {words.client_name(flow) for error in errors for flow in error.flows}
    stopped |= {words.client_name(flow) for flow in words.unexplained(trail)}
    if len(stopped) <= errors[0].clients:
        return ""
    return f"{len(stopped):,} of {counted(clients, 'client')} are stopped, by {counted(causes, 'cause')}. "


def _named(label: str, errors: list[Finding]) -> str:
    """Causes after the first, so that whoever reads no further knows that one remedy may not do."""
    # A cause that is surer of some clients than of others is named once.
    clients: dict[str, int] = {}
    for error in errors:
        cause = f"{error.title} ({words.party(error).partition(' (')[0]}"
        clients[cause] = clients.get(cause, 0) + error.clients
    if not clients:
        return ""
    named = [f"{cause}, {counted(count, 'client')})" for cause, count in list(clients.items())[:NAMED]]
    left = [counted(len(clients) - NAMED, "more cause")] if len(clients) > NAMED else []
    return f" {label}: {'; '.join(named + left)}."
