"""The commands about single flows: `show` tells one line by line, `timeline` what a client did when."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from cmgtrail._engine import Zone
from cmgtrail.cli.outlet import shown
from cmgtrail.cli.reading import CLIENT, ENCODING, KNOWLEDGE, SINCE, SITE, UNTIL, ZONE, followed, options
from cmgtrail.display.words import BROKEN, client_name, counted, visible

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from cmgtrail import Flow, Trail
    from cmgtrail.cli.reading import Asked

NAMES = 10
"""Flows named where the one asked for is not there, or not the only one."""

NOTHING = 1
"""Exit status where what was asked for holds no flow."""


@click.command()
@click.argument("flow", metavar="FLOW")
@click.argument("paths", metavar="[PATH...]", nargs=-1, type=click.Path())
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
@options(KNOWLEDGE, SITE, SINCE, UNTIL, ZONE, ENCODING)
def show(*, flow: str, form: str, zone: str, **asked: Unpack[Asked]) -> int:
    """Tell one flow line by line: stages, clocks, and why each line belongs to it.

    FLOW is the id of a flow or its beginning (install-PC042), or the name or an id of a client. Of several flows of
    one client the only one that failed or stalled is told; else they are listed.

    Exit status: 0 shown, 2 could not run, or no flow fits, or several do.
    """
    clock = Zone(zone)
    trail = followed(asked, clock)
    chosen = find(trail, flow)
    if form == "json":
        return shown(lambda: click.echo(json.dumps(chosen.to_dict(), indent=2, ensure_ascii=False)), 0)
    from cmgtrail.cli import lines

    return shown(lambda: lines.Lines(clock).flow(chosen, trail), 0)


@click.command()
@click.argument("paths", metavar="[PATH...]", nargs=-1, type=click.Path())
@options(CLIENT, KNOWLEDGE, SITE, SINCE, UNTIL, ZONE, ENCODING)
def timeline(*, zone: str, **asked: Unpack[Asked]) -> int:
    """Tell what a client did, step by step in order of time, over all its flows and machines.

    Without --client all clients are told. Consecutive lines of one machine about one stage are one step. What is known
    of how far a machine's clock is ahead or behind is taken off its times.

    Exit status: 0 shown, 1 no flow in what was asked for, 2 could not run.
    """
    clock = Zone(zone)
    trail = followed(asked, clock)
    if not len(trail.flows):
        if not (asked.get("client") or asked["since"] or asked["until"]):
            click.echo("These logs hold no flow.", err=True)
        return NOTHING
    from cmgtrail.cli import lines

    return shown(lambda: lines.Lines(clock).timeline(trail), 0)


def find(trail: Trail, name: str) -> Flow:
    """The one flow that a name fits: its id, the beginning of its id, or its client's only one that broke.

    Raises:
        click.ClickException: None fits, or several do; the message lists them.
    """
    if not name.strip():
        raise click.UsageError(
            "FLOW: expected the id of a flow, its beginning, or the name of a client, found nothing."
        )
    fitting = [flow for flow in trail.flows if _fits(flow, name.casefold())]
    for chosen in ([flow for flow in fitting if flow.id.casefold() == name.casefold()], fitting):
        if len(chosen) == 1:
            return chosen[0]
    broken = [flow for flow in fitting if flow.outcome in BROKEN]
    if len(broken) == 1 and len({client_name(flow) for flow in fitting}) == 1:
        others = f"{counted(len(fitting) - 1, 'other flow')} of {client_name(broken[0])}"
        click.echo(f"This is the one that {broken[0].outcome}; `cmgtrail timeline` tells the {others} too.", err=True)
        return broken[0]
    if fitting:
        raise click.ClickException(
            f"'{visible(name)}' fits {counted(len(fitting), 'flow')}; say which:{_listed(fitting)}"
        )
    if not len(trail.flows):
        raise click.ClickException(f"no flow '{visible(name)}': these logs hold no flow at all.")
    raise click.ClickException(f"no flow '{visible(name)}'; flows here:{_listed(list(trail.flows))}")


def _fits(flow: Flow, name: str) -> bool:
    identity = [value for value in flow.client.to_dict().values() if value]
    return flow.id.casefold().startswith(name) or name in map(str.casefold, [*identity, client_name(flow)])


def _listed(flows: list[Flow]) -> str:
    flows = sorted(flows, key=lambda flow: flow.outcome not in BROKEN)
    lines = [f"  {visible(flow.id)} ({flow.outcome})" for flow in flows[:NAMES]]
    more = [f"  and {len(flows) - NAMES:,} more"] if len(flows) > NAMES else []
    return "\n".join(["", *lines, *more])
