"""The command `powershell-module`: where the PowerShell module is that comes with the package."""

from __future__ import annotations

import sys
from pathlib import Path

import click

MANIFEST = Path(__file__).parents[1] / "powershell" / "CmgTrail" / "CmgTrail.psd1"


@click.command("powershell-module")
def powershell_module() -> None:
    """Print the path of the PowerShell module, for Import-Module (cmgtrail powershell-module).

    The module's folder can be copied to a machine without Python: Export-CmgTrailEvidence works there.

    Exit status: 0 printed, 2 the module is missing.
    """
    if not MANIFEST.is_file():
        raise click.ClickException(f"the PowerShell module is missing from this installation: no {MANIFEST}.")
    encoding = console_encoding()
    if encoding is None:
        click.echo(MANIFEST)
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(f"{MANIFEST}\n".encode(encoding, errors="replace"))


def console_encoding() -> str | None:
    """The encoding in which PowerShell reads what a program prints, where that is another than Python writes.

    On Windows Python writes to a pipe in the encoding of the system or in UTF-8, PowerShell reads in that of the
    console; the path of a user called Jürgen would not survive.
    """
    if sys.platform != "win32" or sys.stdout.isatty():
        return None
    import ctypes

    page = ctypes.windll.kernel32.GetConsoleOutputCP()
    return f"cp{page}" if page else None
