"""The commands about what is known: `code`, and `knowledge check` and `knowledge dump`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

import cmgtrail as package
from cmgtrail import _engine
from cmgtrail.cli.outlet import shown
from cmgtrail.display.words import counted, visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cmgtrail import Code

UNKNOWN = 1
"""Exit status where a code is not known, or a knowledge file has mistakes."""

ALIASES = {"mask": "secure-failure", "schannel": "sspi", "certificate": "crypt"}
"""Other words for components."""

ROLES = {
    "cause": "it names a cause",
    "symptom": "a symptom: look for what stands before it",
    "benign": "harmless by itself",
}


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("codes", metavar="CODE...", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option(
    "--component",
    metavar="NAME",
    type=click.Choice([*_engine.code_components(), *ALIASES], case_sensitive=False),
    help=f"Only what this component means by it: {', '.join(_engine.code_components())}. Also: "
    + "; ".join(f"{alias} for {meant}" for alias, meant in ALIASES.items())
    + ".",
)
@click.option("--knowledge", metavar="FILE", type=click.Path(), multiple=True, help="Knowledge with codes of your own.")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
def code(*, codes: tuple[str, ...], component: str | None, knowledge: tuple[str, ...], form: str) -> int:
    """Say what codes mean, in all their readings.

    CODE is written as logs write it: 0x87D00231, 87D00231, -2016411087, 12175, 500.19.126, AADSTS50020, IDX10223,
    MISE12034, or a symbol such as CERT_E_CHAINING.

    Exit status: 0 all are known, 1 one is not, 2 one is no code at all.
    """
    wanted = ALIASES.get(component, component) if component else None
    explained = [(given, package.explain_code(given, wanted, knowledge=knowledge)) for given in codes]
    show = _json if form == "json" else _table
    return shown(lambda: show(explained), 0 if all(readings for _, readings in explained) else UNKNOWN)


def _json(explained: list[tuple[str, list[Code]]]) -> None:
    form = [{"given": given, "readings": [reading.to_dict() for reading in readings]} for given, readings in explained]
    click.echo(json.dumps(form, indent=2, ensure_ascii=False))


def _table(explained: list[tuple[str, list[Code]]]) -> None:
    from rich.padding import Padding
    from rich.text import Text

    from cmgtrail.cli.verdicts import console

    screen = console()

    def line(text: str, style: str = "", indent: int = 0) -> None:
        screen.print(Padding(Text(visible(text), style), (0, 0, 0, indent), expand=False))

    for place, (given, readings) in enumerate(explained):
        if place:
            screen.print()
        if not readings:
            line(f"{given}: not known", "yellow")
        for reading in readings:
            line(f"{reading.code} {reading.name} ({reading.component})", "bold")
            if reading.how:
                line(reading.how, "dim", indent=3)
            line(reading.says, indent=3)
            line(reading.means, indent=3)
            line(f"Role: {ROLES[reading.role]}", indent=3)
            if reading.failures:
                line(f"Points to: {', '.join(reading.failures)}", indent=3)
            line(f"Source: {reading.source}", "dim", indent=3)


@click.group()
def knowledge() -> None:
    """Check knowledge files of your own, and write out the built-in ones to learn from."""


@knowledge.command()
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path())
def check(*, paths: tuple[str, ...]) -> int:
    """Tell every mistake in knowledge files, with line and reason, and try their examples.

    PATH is a TOML file, or a folder of them. They are laid over the built-in knowledge in order, as --knowledge does.

    Exit status: 0 no mistake, 1 mistakes, 2 a file could not be read.
    """
    files = [file for path in paths for file in _files(Path(path))]
    checked = _engine.check_knowledge([str(file) for file in files])
    wrong = sum(len(file["mistakes"]) for file in checked)

    def show() -> None:
        for file in checked:
            for mistake in file["mistakes"]:
                click.echo(visible(f"{file['file']}: {mistake}"))
            if not file["mistakes"]:
                click.echo(visible(f"{file['file']}: {_entries(file['entries'].items())}, no mistake"))

    return shown(show, UNKNOWN if wrong else 0)


def _entries(entries: Iterable[tuple[str, int]]) -> str:
    plain = {"endpoint": "endpoint", "gateway": "gateway path"}
    return ", ".join(counted(count, plain.get(kind, kind)) for kind, count in entries) or "no entries"


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    files = sorted(path.rglob("*.toml"))
    if not files:
        raise click.ClickException(f"no knowledge file (.toml) in the folder '{path}'.")
    return files


@knowledge.command()
@click.option("--out", metavar="DIR", type=click.Path(file_okay=False), help="Write the files into this folder.")
def dump(*, out: str | None) -> int:
    """Write the built-in knowledge files, to read and to copy from.

    Without --out all of them go to stdout, each behind its name. A file that is there already is not overwritten.

    Exit status: 0 written, 2 could not.
    """
    files = _engine.builtin_knowledge()
    if out is None:
        return shown(lambda: [click.echo(f"# {name}\n{text}") for name, text in files], 0)
    there = [str(Path(out) / name) for name, _ in files if (Path(out) / name).exists()]
    if there:
        raise click.ClickException(f"{there[0]} is there already; choose another folder, or remove it.")
    for name, text in files:
        target = Path(out) / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8", newline="\n")
    click.echo(f"{counted(len(files), 'file')} written to {out}", err=True)
    return 0
