"""The commands and their options."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import click

import cmgtrail as package
from cmgtrail._engine import Zone
from cmgtrail.cli import knowledge as known
from cmgtrail.cli import powershell, preflights, simulation, validators
from cmgtrail.cli.outlet import shown
from cmgtrail.display.words import client_name, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cmgtrail import Trail

P = ParamSpec("P")
R = TypeVar("R")

FINDINGS = 1
"""Exit status where there are findings of severity error."""
NAMES = 10
"""Clients named where the one asked for is not there."""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package.__version__, prog_name="cmgtrail", message="%(prog)s %(version)s")
def cmgtrail() -> None:
    """Follows Configuration Manager clients through a Cloud Management Gateway.

    It reads their logs and says where authentication stopped, why, and what to do; it validates the tokens and
    certificates that take part; and it says in advance whether the clients of a site would work.
    """


cmgtrail.add_command(validators.token)
cmgtrail.add_command(validators.cert)
cmgtrail.add_command(validators.dsregcmd)
cmgtrail.add_command(preflights.preflight)
cmgtrail.add_command(preflights.site)
cmgtrail.add_command(known.code)
cmgtrail.add_command(known.knowledge)
cmgtrail.add_command(simulation.simulate)
cmgtrail.add_command(powershell.powershell_module)


def _reading(command: Callable[P, R]) -> Callable[P, R]:
    """The options that every command that reads logs has."""
    options = [
        click.option("--since", metavar="T", help="Only what happened at or after this time (2026-11-04T09:00)."),
        click.option("--until", metavar="T", help="Only what happened before this time."),
        click.option(
            "--tz",
            "zone",
            metavar="ZONE",
            default="UTC",
            help="Zone of times in tables, and of --since and --until without one: UTC, local, Europe/Berlin.",
        ),
        click.option("--encoding", metavar="NAME", help="Encoding of files without a byte order mark."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@cmgtrail.command()
@click.argument("paths", metavar="[PATH...]", nargs=-1, type=click.Path())
@click.option("--format", "form", type=click.Choice(["table", "json", "jsonl"]), default="table", show_default=True)
@click.option("--html", metavar="FILE", type=click.Path(), help="Also write a report to this file.")
@click.option(
    "--knowledge", metavar="FILE", type=click.Path(), multiple=True, help="Knowledge to lay over the built-in."
)
@click.option("--site", metavar="FILE", type=click.Path(), help="A description of the site (site.toml).")
@click.option("--client", metavar="NAME", help="Only this client: host, device id, user id or client id.")
@_reading
def diagnose(
    *,
    paths: tuple[str, ...],
    form: str,
    html: str | None,
    knowledge: tuple[str, ...],
    site: str | None,
    client: str | None,
    since: str | None,
    until: str | None,
    zone: str,
    encoding: str | None,
) -> int:
    """Say who tried what and how it ended, and the causes, best first.

    PATH is a folder, a zip file, a file or a glob pattern. Without one, on Windows, the logs of this machine's own
    client are read.

    Exit status: 0 no finding of severity error, 1 such findings, 2 could not run or not one record was read.
    """
    clock = Zone(zone)
    trail = package.read(
        paths or own_logs(),
        knowledge=knowledge,
        site=site,
        since=since and clock.parse(since, argument="--since"),
        until=until and clock.parse(until, argument="--until"),
        client=client,
        encoding=encoding,
    )
    if not any(source.records for source in trail.sources):
        raise click.ClickException(f"not one log record was found in {', '.join(trail.paths)}.")
    if html:
        from cmgtrail.report import render

        Path(html).write_text(render(trail), encoding="utf-8")
    if html:
        click.echo(f"The report is in {html}", err=True)
    if (client or since or until) and not len(trail.flows):
        everything = package.read(paths or own_logs(), knowledge=knowledge, site=site, encoding=encoding)
        click.echo(nothing_of(everything, client, clock), err=True)
    show = {"table": _table, "json": _json, "jsonl": _json_lines}[form]
    status = FINDINGS if any(finding.severity == "error" for finding in trail.findings) else 0
    return shown(lambda: show(trail, clock), status)


@cmgtrail.command()
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path())
@click.option("--format", "form", type=click.Choice(["table", "jsonl", "csv"]), default="table", show_default=True)
@click.option("--limit", metavar="N", type=click.IntRange(min=1), help="Only the first N records.")
@_reading
def records(
    *,
    paths: tuple[str, ...],
    form: str,
    limit: int | None,
    since: str | None,
    until: str | None,
    zone: str,
    encoding: str | None,
) -> None:
    """Show the records of logs, of all formats in one form, with file, line and UTC."""
    from cmgtrail.cli import listing

    clock = Zone(zone)
    stream = package.records(
        paths,
        since=since and clock.parse(since, argument="--since"),
        until=until and clock.parse(until, argument="--until"),
        encoding=encoding,
    )
    write = {"table": listing.table, "jsonl": listing.json_lines, "csv": listing.csv}[form]
    if not write(stream, limit, clock):
        spell = " in the time asked for" if since or until else ""
        raise click.ClickException(f"not one log record was found{spell} in {', '.join(paths)}.")


def nothing_of(everything: Trail, client: str | None, clock: Zone) -> str:
    """Why there is no flow of what was asked for: what the logs hold instead.

    Args:
        everything: The same logs, of all clients and times.
        client: The client that was asked for.
        clock: Zone to tell times in.
    """
    whose = f" of a client '{visible(client)}'" if client else ""
    flows = everything.flows
    if not len(flows):
        return f"No flow{whose}: these logs hold no flow at all."
    clients = list(dict.fromkeys(client_name(flow) for flow in flows))
    names = ", ".join(clients[:NAMES]) + (f" and {len(clients) - NAMES:,} more" if len(clients) > NAMES else "")
    times = [at for flow in flows for at in (flow.started, flow.ended) if at]
    spell = f", from {clock.show(min(times))} to {clock.show(max(times))} ({clock.name})" if times else ""
    return f"No flow{whose} in what was asked for; clients here: {names}{spell}."


def own_logs() -> list[str]:
    """The logs of this machine's own client, where it is a Windows machine that has one."""
    if sys.platform != "win32":
        raise click.UsageError("say which logs to read: a folder, a zip file, a file or a pattern.")
    windows = Path(os.environ.get("WINDIR", r"C:\Windows"))
    folders = [windows / "CCM" / "Logs", windows / "ccmsetup" / "Logs"]
    found = [str(folder) for folder in folders if folder.is_dir()]
    if not found:
        looked = " or ".join(str(folder) for folder in folders)
        raise click.UsageError(f"this machine has no client logs in {looked}; say which logs to read.")
    return found


def _table(trail: Trail, clock: Zone) -> None:
    from cmgtrail.cli.terminal import show

    show(trail, clock)


def _json(trail: Trail, _clock: Zone) -> None:
    click.echo(trail.to_json())


def _json_lines(trail: Trail, _clock: Zone) -> None:
    for line in lines_of(trail):
        click.echo(json.dumps(line, ensure_ascii=False))


def lines_of(trail: Trail) -> Iterator[dict[str, object]]:
    """The JSON form cut into lines: each object of it with its `type`."""
    yield {"type": "trail", "schema": 1, "version": package.__version__, "traffic": trail.traffic}
    for kind, parts in [
        ("source", trail.sources),
        ("clock", trail.clocks),
        ("flow", trail.flows),
        ("finding", trail.findings),
    ]:
        for part in parts:
            yield {"type": kind, **part.to_dict()}
    for artefact in trail.artefacts:
        yield {"type": "artefact", **artefact}
