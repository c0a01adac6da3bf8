"""The command line.

`diagnose`, `show`, `timeline`, `watch` and `records` read logs, `token`, `cert` and `dsregcmd` validate, `preflight`
and `site` look ahead, `simulate` writes the logs of made-up sites, `code` explains codes, `knowledge` checks and writes
knowledge files, `completion` prints what a shell needs to complete command lines, and `powershell-module` says where
the PowerShell module is.

Exit status: 0 no finding of severity error, valid, or would work; 1 the contrary; 3 undecided; 2 could
not run or not one record was read; 130 stopped by Ctrl-C. Results go to stdout, progress and messages to stderr. Errors
are sentences, and no output holds a token.
"""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import click

from cmgtrail import CmgTrailError
from cmgtrail._engine import withheld
from cmgtrail.cli.commands import cmgtrail
from cmgtrail.cli.completing import completed
from cmgtrail.cli.outlet import silence

__all__ = ["cmgtrail", "main"]

COULD_NOT_RUN = 2
INTERRUPTED = 130


def main() -> None:
    """Runs the command and ends the process with its exit status."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:  # noqa: PLR0911 - one for each way to end
    """Runs the command and returns its exit status; whatever goes wrong is said in a sentence."""
    _ready_streams()
    try:
        answered = completed(cmgtrail)
        if answered is not None:
            return answered
        with cmgtrail.make_context("cmgtrail", arguments) as context:
            return int(cmgtrail.invoke(context) or 0)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as error:
        shown = io.StringIO()
        error.show(file=shown)
        click.echo(withheld(shown.getvalue()), err=True, nl=False)
        return COULD_NOT_RUN
    except (KeyboardInterrupt, click.Abort):
        _say("stopped.")
        return INTERRUPTED
    except (BrokenPipeError, SystemExit):
        # Whoever read the output has enough of it; rich says so by SystemExit, as nobody else does here.
        silence()
        return 0
    except (CmgTrailError, OSError) as error:
        _say(_sentence(error))
        return COULD_NOT_RUN
    except BaseException as error:  # also a panic, which is no Exception
        if os.environ.get("CMGTRAIL_TRACEBACK"):
            raise
        kind = type(error).__name__
        _say(f"a defect of its own stopped it ({kind}: {error}); with CMGTRAIL_TRACEBACK=1 it says where.")
        return COULD_NOT_RUN


def _ready_streams() -> None:
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            # Whoever started it closed the stream, or has none (pythonw): then nobody is told.
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - for as long as it runs
        # A console of another encoding shows what it can.
        getattr(sys, name).reconfigure(errors="backslashreplace")


def _say(words: str) -> None:
    click.echo(f"cmgtrail: {withheld(words)}", err=True)


def _sentence(error: CmgTrailError | OSError) -> str:
    if isinstance(error, OSError) and error.filename:
        return f"cannot read or write '{error.filename}': {error.strerror}."
    if isinstance(error, OSError) and error.strerror:
        return f"cannot read or write: {error.strerror}."
    return str(error)
