"""The commands that look ahead: `preflight`, and `site from-logs`, which writes a first description."""

from __future__ import annotations

import os
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

import click

import cmgtrail as package
from cmgtrail.cli.outlet import shown

if TYPE_CHECKING:
    from cmgtrail import Preflight

STATUS = {True: 0, False: 1, None: 3}
"""Exit status of a prediction; 2 is for what could not run."""


@click.command()
@click.argument("site", metavar="SITE.TOML", type=click.Path())
@click.option("--client", metavar="NAME", help="Only this client.")
@click.option(
    "--at", metavar="T", help="The instant to predict for, with its zone (2026-11-04T09:12:33Z). Default: now."
)
@click.option(
    "--logs", metavar="PATH", type=click.Path(), multiple=True, help="Logs to hold the prediction against. Repeatable."
)
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
def preflight(*, site: str, client: str | None, at: str | None, logs: tuple[str, ...], form: str) -> int:
    """Say whether clients would work, stage by stage, before anyone tries.

    SITE.TOML describes the site and its clients; docs/site.md explains it. What it does not tell is not known, and the
    prediction says so.

    Exit status: 0 all would work, 1 some would not, 3 undecided, or the logs say otherwise; 2 could not run.
    """
    prediction = package.preflight(site, client=client, at=at, logs=logs or None)

    def show() -> None:
        if form == "json":
            click.echo(prediction.to_json())
        else:
            _table(prediction)

    return shown(show, STATUS[prediction.works])


def _table(prediction: Preflight) -> None:
    from cmgtrail.cli.forecast import show

    show(prediction)


def _lies(path: str, given: tuple[str, ...], start: Path) -> str | None:
    """Where an artefact lies as seen from a folder; None where it lies in an archive.

    A trail names files from the path that was given, with the last folders of that before it where two paths hold files
    of the same name.
    """
    for root in map(Path, given):
        folder = Path(root.absolute()) if root.is_dir() else Path(_before_wildcards(root).absolute())
        for base in [folder, *folder.parents]:
            file = base / path
            if file.is_file() and (file == folder / path or file.is_relative_to(folder)):
                try:
                    return Path(os.path.relpath(file, start.absolute())).as_posix()
                except ValueError:  # another drive of Windows
                    return file.as_posix()
    return None


def _before_wildcards(path: Path) -> Path:
    """The folder that the files of a path given are named from."""
    whole = list(takewhile(lambda part: not set(part) & set("*?[{"), path.parts))
    return Path(*whole) if len(whole) < len(path.parts) else path.parent


@click.group()
def site() -> None:
    """Describe a site."""


@site.command("from-logs")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path())
@click.option("--out", metavar="FILE", type=click.Path(), help="Write to this file, which must not be there yet.")
def from_logs(*, paths: tuple[str, ...], out: str | None) -> None:
    """Write a first site.toml from what logs reveal.

    It holds gateways, role ids, tenant, resource, apps, management points, clients and the certificates found among
    the logs, and comments on what the logs do not say. `cmgtrail preflight` reads it.
    """
    trail = package.read(paths)
    start = Path(out).parent if out else Path()
    found = {artefact["path"]: _lies(artefact["path"], paths, start) for artefact in trail.artefacts}
    text = package.sketch_site(trail, paths={path: place for path, place in found.items() if place is not None})
    if "\n[[client]]\n" not in text:
        click.echo("The logs show no client; 'cmgtrail preflight' needs one: add [[client]] with its name.", err=True)
    if out is None:
        click.echo(text, nl=False)
        return
    if not start.is_dir():
        raise click.ClickException(f"the folder '{start}' is not there; make it first, or give another file.")
    try:
        with Path(out).open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise click.ClickException(f"'{out}' is there already; give another name, or remove it.") from None
    click.echo(f"The description is in {out}", err=True)
