"""The command `completion`: what a shell needs to complete command lines."""

from __future__ import annotations

import os

import click
from click.shell_completion import get_completion_class, shell_complete

VARIABLE = "_CMGTRAIL_COMPLETE"
"""By it a shell asks for completions, and so it is part of the scripts."""


@click.command()
@click.argument("shell", metavar="SHELL", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, *, shell: str) -> int:
    """Print the script that makes a shell complete commands, options and paths.

    SHELL is bash, zsh or fish. Put the line of the example for bash into ~/.bashrc; zsh takes the same in ~/.zshrc.

    Exit status: 0 printed, 2 could not.
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise click.ClickException(f"the installed click knows no completion for {shell}.")
    script = kind(context.find_root().command, {}, "cmgtrail", VARIABLE)
    click.echo(script.source_template % script.source_vars())
    return 0


def completed(command: click.Command) -> int | None:
    """Answers a shell that asks for completions by `VARIABLE`; `None` where no shell asks."""
    asked = os.environ.get(VARIABLE)
    if not asked:
        return None
    return shell_complete(command, {}, "cmgtrail", VARIABLE, asked)
