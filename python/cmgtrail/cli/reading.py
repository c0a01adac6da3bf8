"""What the commands that read logs share: their options, and the logs that they read."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypedDict, TypeVar

import click

import cmgtrail as package
from cmgtrail.display.words import client_name, visible

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import NotRequired

    from cmgtrail import Trail
    from cmgtrail._engine import Zone

P = ParamSpec("P")
R = TypeVar("R")

NAMES = 10
"""Clients named where the one asked for is not there."""

ZONE = click.option(
    "--tz",
    "zone",
    metavar="ZONE",
    default="UTC",
    help="Zone of times in tables, and of --since and --until without one: UTC, local, Europe/Berlin.",
)
ENCODING = click.option("--encoding", metavar="NAME", help="Encoding of files without a byte order mark.")
KNOWLEDGE = click.option(
    "--knowledge", metavar="FILE", type=click.Path(), multiple=True, help="Knowledge to lay over the built-in."
)
SITE = click.option("--site", metavar="FILE", type=click.Path(), help="A description of the site (site.toml).")
CLIENT = click.option("--client", metavar="NAME", help="Only this client: host, device id, user id or client id.")
SINCE = click.option("--since", metavar="T", help="Only what went on at or after this time (2026-11-04T09:00).")
UNTIL = click.option("--until", metavar="T", help="As if the logs ended at this time.")


class Asked(TypedDict):
    """What a command was asked to read, as click hands it over: the paths and the options above, but the zone."""

    paths: tuple[str, ...]
    knowledge: tuple[str, ...]
    site: str | None
    since: str | None
    until: str | None
    encoding: str | None
    client: NotRequired[str | None]


def options(*chosen: Callable[[Callable[..., R]], Callable[..., R]]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Gives a command several options, which its help lists in this order."""

    def add(command: Callable[P, R]) -> Callable[P, R]:
        for option in reversed(chosen):
            command = option(command)
        return command

    return add


def followed(asked: Asked, clock: Zone) -> Trail:
    """The trail of logs. Where what was asked for holds no flow, stderr is told what the logs hold instead.

    Args:
        asked: As for `cmgtrail.read`, times as text of the command line; no paths are this machine's own logs.
        clock: Zone of times that have none.
    """
    client, since, until = asked.get("client"), asked["since"], asked["until"]
    if client is not None and not client.strip():
        raise click.UsageError("--client: expected the name or an id of a client, found nothing.")
    logs = asked["paths"] or tuple(own_logs())
    knowledge, site, encoding = asked["knowledge"], asked["site"], asked["encoding"]
    trail = package.read(
        logs,
        knowledge=knowledge,
        site=site,
        since=since and clock.parse(since, argument="--since"),
        until=until and clock.parse(until, argument="--until"),
        client=client,
        encoding=encoding,
    )
    if not any(source.records for source in trail.sources):
        raise click.ClickException(f"not one log record was found in {', '.join(trail.paths)}.")
    if (client or since or until) and not len(trail.flows):
        whole = partial(package.read, logs, knowledge=knowledge, site=site, encoding=encoding)
        everything = whole()
        why = nothing_of(everything, client, clock)
        # A name that nobody has is a mistake: "no finding" would be taken for health.
        hosts = {host.casefold() for host in everything.sources.column("host") if host}
        if client and client.casefold() not in hosts and not len(whole(client=client).flows):
            raise click.ClickException(why)
        click.echo(why, err=True)
    return trail


def named(option: str, file: str | None) -> str | None:
    """The file that an option names; a name that names none is refused."""
    if file is not None and (not file.strip() or file == "-"):
        raise click.UsageError(f"{option}: expected the name of a file, found '{file}'.")
    return file


def spare(trail: Trail, option: str, file: str | None) -> None:
    """Refuses to write over what was just read.

    Args:
        trail: What was read.
        option: The option that names the file.
        file: The file that is about to be written.
    """
    if file is None or not Path(file).exists():
        return
    target = Path(file).resolve()
    roots = [Path(path).resolve() for path in trail.paths]
    inside = any(root in target.parents for root in roots)
    # Patterns name no folder: what has the name of a log that they found is left alone as well.
    by_pattern = any(not root.exists() for root in roots)
    logs = {
        name.replace("\\", "/").rsplit("/", 1)[-1]
        for source in trail.sources
        if source.records
        for name in source.files
    }
    if target in roots or ((inside or by_pattern) and target.name in logs):
        raise click.UsageError(f"{option}: '{file}' is one of the logs that are read; give another file.")


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
