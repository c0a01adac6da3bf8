"""The commands and their options."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

import cmgtrail as package
from cmgtrail._engine import Zone
from cmgtrail.cli import flows, powershell, preflights, simulation, validators, watching
from cmgtrail.cli import knowledge as known
from cmgtrail.cli.completing import completion
from cmgtrail.cli.examples import Commands
from cmgtrail.cli.outlet import shown
from cmgtrail.cli.reading import CLIENT, ENCODING, KNOWLEDGE, SINCE, SITE, UNTIL, ZONE, followed, named, options, spare
from cmgtrail.cli.saving import FORMS, TABLES, TABULAR, save

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from cmgtrail import Trail
    from cmgtrail.cli.reading import Asked

FINDINGS = 1
"""Exit status where there are findings of severity error."""


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package.__version__, prog_name="cmgtrail", message="%(prog)s %(version)s")
def cmgtrail() -> None:
    """Follows Configuration Manager clients through a Cloud Management Gateway.

    It reads their logs and says where authentication stopped, why, and what to do; it validates the tokens and
    certificates that take part; and it says in advance whether the clients of a site would work.
    """


cmgtrail.add_command(flows.show)
cmgtrail.add_command(flows.timeline)
cmgtrail.add_command(watching.watch)
cmgtrail.add_command(validators.token)
cmgtrail.add_command(validators.cert)
cmgtrail.add_command(validators.dsregcmd)
cmgtrail.add_command(preflights.preflight)
cmgtrail.add_command(preflights.site)
cmgtrail.add_command(known.code)
cmgtrail.add_command(known.knowledge)
cmgtrail.add_command(simulation.simulate)
cmgtrail.add_command(completion)
cmgtrail.add_command(powershell.powershell_module)


@cmgtrail.command()
@click.argument("paths", metavar="[PATH...]", nargs=-1, type=click.Path())
@click.option("--format", "form", type=click.Choice(["table", *FORMS]), default="table", show_default=True)
@click.option("--table", type=click.Choice(TABLES), help="The table that csv and parquet hold.  [default: flows]")
@click.option("--out", metavar="FILE", type=click.Path(dir_okay=False), help="Write there, not to stdout.")
@click.option("--html", metavar="FILE", type=click.Path(dir_okay=False), help="Also write a report to this file.")
@options(KNOWLEDGE, SITE, CLIENT, SINCE, UNTIL, ZONE, ENCODING)
def diagnose(
    *,
    form: str,
    table: str | None,
    out: str | None,
    html: str | None,
    zone: str,
    **asked: Unpack[Asked],
) -> int:
    """Say who tried what and how it ended, and the causes, best first.

    PATH is a folder, a zip file, a file or a glob pattern. Without one, on Windows, the logs of this machine's own
    client are read.

    A client or a time that the logs do not hold is said on stderr, and is no finding.

    Exit status: 0 no finding of severity error, 1 such findings, 2 could not run or not one record was read.
    """
    out, html = named("--out", out), named("--html", html)
    if table and form not in TABULAR:
        raise click.UsageError("--table goes with --format csv and --format parquet; the others hold everything.")
    if out and form == "table":
        raise click.UsageError("--out goes with --format json, jsonl, csv and parquet; --html FILE writes a page.")
    if out and html and Path(out).resolve() == Path(html).resolve():
        raise click.UsageError(f"--out and --html both name {out}; give each a file of its own.")
    clock = Zone(zone)
    trail = followed(asked, clock)
    spare(trail, "--out", out)
    spare(trail, "--html", html)
    if html:
        trail.report(html)
        click.echo(f"The report is in {html}", err=True)
    status = FINDINGS if any(finding.severity == "error" for finding in trail.findings) else 0
    if form == "table":
        return shown(lambda: _table(trail, clock), status)
    return shown(lambda: save(trail, form, table or "flows", out), status)


@cmgtrail.command()
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path())
@click.option("--format", "form", type=click.Choice(["table", "jsonl", "csv"]), default="table", show_default=True)
@click.option("--limit", metavar="N", type=click.IntRange(1, sys.maxsize), help="Only the first N records.")
@options(SINCE, UNTIL, ZONE, ENCODING)
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


def _table(trail: Trail, clock: Zone) -> None:
    from cmgtrail.cli.terminal import show

    show(trail, clock)
