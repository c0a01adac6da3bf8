"""The examples that end the help of each command; tests run them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

AT = "--at 2026-11-04T09:12:33Z"
EXAMPLES = {
    "": [
        "cmgtrail diagnose logs",
        "cmgtrail diagnose logs --html report.html",
        "cmgtrail code 0x87d00231",
    ],
    "diagnose": [
        "cmgtrail diagnose logs",
        "cmgtrail diagnose logs --html report.html",
        "cmgtrail diagnose logs --client PC042 --since 2026-11-01 --tz Europe/Berlin",
        "cmgtrail diagnose logs --format json --out trail.json",
        "cmgtrail diagnose logs --format csv --table findings",
    ],
    "show": [
        "cmgtrail show PC042 logs",
        "cmgtrail show install-PC042 logs --tz local",
        "cmgtrail show PC042 logs --format json",
    ],
    "timeline": [
        "cmgtrail timeline logs --client PC042",
        "cmgtrail timeline logs --since 2026-11-04T09:00 --until 2026-11-04T10:00",
    ],
    "watch": [
        "cmgtrail watch logs",
        "cmgtrail watch logs --client PC042 --tz local",
    ],
    "records": [
        "cmgtrail records logs --limit 20",
        "cmgtrail records logs --format csv",
    ],
    "token": [
        f"cmgtrail token token.txt --keys keys.json {AT}",
        f"cmgtrail token token.txt --inspect --mask {AT}",
    ],
    "cert": [
        "cmgtrail cert cmg.pem --roots root.pem --host cmg.contoso.com",
        f"cmgtrail cert cmg.pem --roots root.pem {AT}",
        "cmgtrail cert cmg.pem --inspect",
    ],
    "dsregcmd": [
        f"cmgtrail dsregcmd dsregcmd.txt --token token.txt {AT}",
    ],
    "preflight": [
        "cmgtrail preflight site.toml",
        "cmgtrail preflight site.toml --at 2026-11-04T09:00Z --logs logs",
    ],
    "site": ["cmgtrail site from-logs logs"],
    "site from-logs": ["cmgtrail site from-logs logs --out site-of-logs.toml"],
    "code": [
        "cmgtrail code 0x87d00231 12175",
        "cmgtrail code 0x80000009 --component mask",
    ],
    "knowledge": [
        "cmgtrail knowledge dump --out known",
        "cmgtrail knowledge check known",
    ],
    "knowledge check": ["cmgtrail knowledge check my.toml"],
    "knowledge dump": ["cmgtrail knowledge dump --out known"],
    "simulate": [
        "cmgtrail simulate --out simulated --clients 20 --fault crl-unreachable=3",
        "cmgtrail simulate --out simulated --seed 7 --retries",
        "cmgtrail simulate --out simulated --faults",
    ],
    "powershell-module": ["cmgtrail powershell-module"],
    "completion": [
        'eval "$(cmgtrail completion bash)"',
        "cmgtrail completion fish > ~/.config/fish/completions/cmgtrail.fish",
    ],
}
"""Command lines by command; the program's own stand under the empty name."""


class Commands(click.Group):
    """The program: each of its commands ends its help with examples."""

    def __init__(self, *args: object, **settings: object) -> None:
        super().__init__(*args, **settings)  # pyright: ignore[reportArgumentType] - click's own
        self.epilog = _epilog(EXAMPLES[""])

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Adds a command, with its examples."""
        super().add_command(cmd, name)
        _illustrate(cmd, name or cmd.name or "")


def _illustrate(command: click.Command, name: str) -> None:
    if name in EXAMPLES:
        command.epilog = _epilog(EXAMPLES[name])
    if isinstance(command, click.Group):
        for part, below in command.commands.items():
            _illustrate(below, f"{name} {part}")


def _epilog(lines: Sequence[str]) -> str:
    # \b keeps click from filling the lines.
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])
