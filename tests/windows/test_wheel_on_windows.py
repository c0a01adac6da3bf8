"""The wheel for Windows, run by CPython for Windows under wine: the same answers, and what is particular to Windows."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import cmgtrail
from cmgtrail import cli
from conftest import CORPUS, DEMO, ROOT

if TYPE_CHECKING:
    from conftest import Windows

CASES = sorted(folder.name for folder in CORPUS.iterdir() if (folder / "logs").exists())
TIME = re.compile(r"\d\d:\d\d:\d\d")
COMMANDS = sorted(cli.cmgtrail.commands)


def here(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    """The same command on this machine."""
    environment = {**os.environ, "PYTHONUTF8": "1", "COLUMNS": "100"}
    return subprocess.run(
        [sys.executable, "-m", "cmgtrail", *arguments], env=environment, capture_output=True, check=False
    )


def test_the_wheel_is_one_for_windows_and_holds_the_powershell_module(wheel: Path) -> None:
    assert wheel.name.endswith("-cp310-abi3-win_amd64.whl")
    module = ROOT / "python" / "cmgtrail" / "powershell"
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        for path in module.rglob("*.*"):
            inside = f"cmgtrail/{path.relative_to(ROOT / 'python' / 'cmgtrail').as_posix()}"
            assert archive.read(inside) == path.read_bytes()
    assert [name for name in names if name.endswith((".pyd", ".dll", ".so"))] == ["cmgtrail/_engine.pyd"]


def test_it_imports(windows: Windows) -> None:
    code = (
        "import sys, cmgtrail; print(sys.platform, cmgtrail.__version__, *sorted({'rich','jinja2'} & set(sys.modules)))"
    )
    done = windows.python("-W", "error", "-c", code)
    assert done.stdout.decode().split() == ["win32", cmgtrail.__version__], done.stderr.decode()


TABLES = """
import json, sys
import pyarrow as pa, cmgtrail
trail = cmgtrail.read(sys.argv[1], progress=False)
names = "flows events stages joins findings evidence sources records".split()
tables = {name: pa.table(getattr(trail, name)) for name in names}
found = {name: [str(table.schema), table.to_pylist()] for name, table in tables.items()}
print(json.dumps(found, default=str))
"""


def test_pyarrow_takes_each_table(windows: Windows) -> None:
    done = windows.python("-c", TABLES, windows.path(DEMO))
    assert done.returncode == 0, done.stderr.decode()
    there = subprocess.run([sys.executable, "-c", TABLES, str(DEMO)], capture_output=True, check=True).stdout
    found = json.loads(done.stdout)
    assert found == json.loads(there)
    assert all(rows for _, rows in found.values())


def test_help_is_the_same(windows: Windows) -> None:
    assert "powershell-module" in COMMANDS
    lines = [["--help"], ["--version"], *([command, "--help"] for command in COMMANDS)]
    for line, (status, out, err) in zip(lines, windows.many(lines), strict=True):
        assert (status, err) == (0, ""), line
        assert out.replace("\r\n", "\n") == here(*line).stdout.decode(), line


def test_every_case_has_the_same_answer(windows: Windows, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [["diagnose", windows.path(CORPUS / case / "logs"), "--format", "json"] for case in CASES]
    assert len(lines) > 50
    for case, (status, out, err) in zip(CASES, windows.many(lines), strict=True):
        expected = cli.run(["diagnose", str(CORPUS / case / "logs"), "--format", "json"])
        assert status == expected, f"{case}: {err}"
        assert json.loads(out) == json.loads(capsys.readouterr().out), case


def test_paths_in_all_their_forms(windows: Windows) -> None:
    home = windows.drive / "Users" / "Jürgen Groß" / "日本 logs; $x & 'y'"
    shutil.copytree(DEMO, home / "case")
    archive = Path(shutil.make_archive(str(home / "bundle"), "zip", home / "case"))
    folder = windows.path(home / "case")
    log = next(home.rglob("ccmsetup.log"))
    forms = [
        folder,
        folder + "\\",
        folder.replace("\\", "/"),
        "\\\\?\\" + folder,
        folder + "\\..\\case",
        windows.path(archive),
    ]
    files = [windows.path(log), windows.path(log.parent) + "\\*.log"]
    expected = json.loads(here("diagnose", str(home / "case"), "--format", "json").stdout)
    answers = windows.many([["diagnose", path, "--format", "json"] for path in [*forms, *files]])
    for path, (status, out, err) in zip([*forms, *files], answers, strict=True):
        assert status == 1, f"{path}: {err}"
        found = json.loads(out)
        assert [one["failure"] for one in found["findings"]] == [one["failure"] for one in expected["findings"]], path
        assert "\\" not in found["sources"][0]["path"]
        if path in forms:
            assert found["flows"] == expected["flows"], path


def test_a_real_command_line_with_such_a_path(windows: Windows) -> None:
    home = windows.drive / "Users" / "Müller" / "logs of today"
    shutil.copytree(DEMO, home)
    report = home.parent / "Bericht Ü.html"
    done = windows.cmgtrail("diagnose", windows.path(home), f"--html={windows.path(report)}", PYTHONUTF8="1")
    assert done.returncode == 1, done.stderr.decode()
    assert "root" in done.stdout.decode()
    assert report.read_text("utf-8").startswith("<!doctype html>")


def test_paths_longer_than_windows_once_allowed(windows: Windows) -> None:
    home = windows.drive
    while len(windows.path(home)) < 300:
        home /= "a-folder-of-forty-characters-in-its-name"
    shutil.copytree(DEMO, home)
    path = windows.path(home)
    for status, out, err in windows.many([["diagnose", form, "--format", "json"] for form in [path, "\\\\?\\" + path]]):
        assert status == 1, err
        assert json.loads(out)["findings"][0]["failure"] == "cmg-root-ca-missing"


def test_a_log_that_is_being_written_is_read(windows: Windows) -> None:
    home = windows.drive / "open"
    shutil.copytree(DEMO, home)
    log = windows.path(next(home.rglob("ccmsetup.log")))
    code = f"log = open({log!r}, 'a'); from cmgtrail.cli import run; print(run(['diagnose', {windows.path(home)!r}]))"
    done = windows.python("-c", code)
    assert done.stdout.decode("cp1252").split()[-1] == "1", done.stderr.decode()


def test_without_a_path_the_logs_of_this_machine_are_read(windows: Windows) -> None:
    nothing = windows.cmgtrail("diagnose")
    assert nothing.returncode == 2
    assert b"C:\\windows\\CCM\\Logs" in nothing.stderr
    logs = windows.drive / "windows" / "ccmsetup" / "Logs"
    logs.mkdir(parents=True)
    shutil.copy(next(DEMO.rglob("ccmsetup.log")), logs)
    bootstrap = windows.cmgtrail("diagnose", "--format", "json")
    assert bootstrap.returncode == 1, bootstrap.stderr.decode()
    assert [one["path"] for one in json.loads(bootstrap.stdout)["sources"]] == ["ccmsetup.log"]
    client = windows.drive / "windows" / "CCM" / "Logs"
    client.mkdir(parents=True)
    shutil.copy(next((CORPUS / "healthy-token-renewals").rglob("CcmMessaging.log")), client)
    both = windows.cmgtrail("diagnose", "--format", "json")
    assert sorted(one["component"] for one in json.loads(both.stdout)["sources"]) == ["CcmMessaging", "ccmsetup"]


def test_a_console_of_another_encoding_shows_what_it_can(windows: Windows) -> None:
    home = windows.drive / "encodings"
    shutil.copytree(DEMO, home)
    for encoding in ["cp1252", "cp437", "ascii", "utf-8"]:
        done = windows.cmgtrail("diagnose", windows.path(home), PYTHONIOENCODING=encoding)
        assert done.returncode == 1, done.stderr.decode()
        assert b"Traceback" not in done.stderr
        assert done.stdout.decode(encoding)


def test_zones_need_no_file_of_the_system(windows: Windows) -> None:
    path = windows.path(DEMO)
    lines = [["diagnose", path, "--tz", zone] for zone in ["Europe/Berlin", "America/Phoenix", "local", "UTC"]]
    for line, (status, out, err) in zip(lines, windows.many(lines), strict=True):
        assert status == 1, err
        if line[-1] != "local":
            # Tables are drawn otherwise on an old console; their times are the same.
            there = here("diagnose", str(DEMO), "--tz", line[-1]).stdout.decode()
            assert set(TIME.findall(out)) == set(TIME.findall(there)) != set()


def test_a_token_is_read_from_standard_input(windows: Windows) -> None:
    import minted

    token = minted.token().encode()
    for given in [token, token + b"\r\n", b"\xef\xbb\xbf" + token]:
        done = windows.cmgtrail("token", "--format=json", f"--at={minted.AT.isoformat()}", "--", "-", given=given)
        assert done.returncode == 3, done.stderr.decode()
        assert json.loads(done.stdout)["kind"] == "token"


# -- PowerShell ------------------------------------------------------------------------------------------------------


def test_the_path_of_the_module_is_printed_as_powershell_reads_it(windows: Windows) -> None:
    plain = windows.cmgtrail("powershell-module")
    assert plain.returncode == 0
    inside = windows.home / "Lib" / "site-packages" / "cmgtrail" / "powershell" / "CmgTrail" / "CmgTrail.psd1"
    assert plain.stdout.decode().strip() == windows.path(inside)
    # In the folder of a user whose name the code page of the console writes in its own way. Here is no console: 0.
    folder = windows.drive / "Users" / "Jürgen" / "site"
    shutil.copytree(inside.parents[3], folder)
    code = (
        "import ctypes; ctypes.windll.kernel32.GetConsoleOutputCP = lambda: {page}\n"
        "from cmgtrail.cli import run; run(['powershell-module'])"
    )
    for page in [850, 437, 65001]:
        done = windows.python("-c", code.format(page=page), PYTHONPATH=windows.path(folder))
        encoding = {65001: "utf-8"}.get(page, f"cp{page}")
        assert done.stdout.decode(encoding).strip().startswith("C:\\Users\\Jürgen\\site"), done.stderr.decode()


TAKE_APART = """
import ctypes, json, sys
shell, kernel = ctypes.windll.shell32, ctypes.windll.kernel32
shell.CommandLineToArgvW.restype = ctypes.POINTER(ctypes.c_wchar_p)
shell.CommandLineToArgvW.argtypes = [ctypes.c_wchar_p, ctypes.POINTER(ctypes.c_int)]
found = []
for line in json.load(open(sys.argv[1], encoding="utf-8")):
    count = ctypes.c_int()
    parts = shell.CommandLineToArgvW("program.exe " + line, ctypes.byref(count))
    found.append([parts[at] for at in range(1, count.value)])
json.dump(found, open(sys.argv[2], "w", encoding="utf-8"))
"""


def test_windows_takes_arguments_apart_as_the_module_puts_them_together(windows: Windows) -> None:
    from powershell_source import HARD, quoted

    lines = [[argument] for argument in HARD] + [HARD]
    (windows.drive / "apart.py").write_text(TAKE_APART, "utf-8")
    (windows.drive / "quoted.json").write_text(json.dumps([" ".join(map(quoted, line)) for line in lines]), "utf-8")
    done = windows.python("C:\\apart.py", "C:\\quoted.json", "C:\\apart.json")
    assert done.returncode == 0, done.stderr.decode()
    assert json.loads((windows.drive / "apart.json").read_text("utf-8")) == lines
