"""The PowerShell module, held against Windows PowerShell 5.1's grammar, its own source, the command and the JSON form.

PowerShell runs in none of these tests: what it would do is read from the source. `tests/powershell` has Pester tests
for where there is one.
"""

from __future__ import annotations

import io
import json
import random
import re
import subprocess
import sys
import tarfile
import xml.etree.ElementTree as ET
from datetime import datetime, timezone
from importlib.resources import files
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import cmgtrail
import minted
import powershell_source as source
from cmgtrail.cli import run
from conftest import ROOT
from powershell_source import MODULE, Function, Parameter

Captured = pytest.CaptureFixture[str]

MANIFEST = source.data("CmgTrail.psd1")
COMMANDS: dict[str, dict[str, Any]] = source.data("Commands.psd1")
FUNCTIONS = source.functions()
EXPORTED = sorted(source.exported(), key=lambda function: function.name)
PAGE = (ROOT / "docs" / "powershell.md").read_text("utf-8")

CMDLETS = {
    "Add-Type": {"AssemblyName"},
    "ConvertFrom-Json": {"InputObject"},
    "ConvertTo-Json": {"InputObject"},
    "ForEach-Object": {"Process", "MemberName"},
    "Format-List": set(),
    "Format-Table": {"Wrap", "AutoSize"},
    "Get-ChildItem": {"LiteralPath", "Filter", "File", "Force", "Recurse", "Include", "CodeSigningCert"},
    "Get-CimInstance": {"Namespace", "ClassName"},
    "Get-Clipboard": set(),
    "Get-Command": {"Name", "CommandType", "All"},
    "Get-Content": {"LiteralPath", "Raw"},
    "Get-Date": set(),
    "Get-Item": {"LiteralPath"},
    "Get-ItemProperty": {"LiteralPath", "Name"},
    "Group-Object": set(),
    "Import-Module": set(),
    "Import-PowerShellDataFile": {"LiteralPath"},
    "Invoke-Item": set(),
    "Join-Path": {"Path", "ChildPath"},
    "Measure-Object": {"Sum"},
    "New-Object": {"TypeName", "ArgumentList"},
    "Remove-Item": {"LiteralPath"},
    "Select-Object": {"First", "Unique", "ExpandProperty"},
    "Sort-Object": {"Unique", "Descending"},
    "Where-Object": {"FilterScript", "eq"},
    "Write-Debug": {"Message"},
    "Write-Host": {"Object"},
    "Write-Verbose": {"Message"},
    "Write-Warning": {"Message"},
}
"""What Windows PowerShell 5.1 has, with those of its parameters that the module may use."""

IN_EXAMPLES = {
    "cmgtrail", "Copy-Item", "exit", "Export-Csv", "Get-AzAccessToken", "Import-Module", "Invoke-Pester",
    "New-Item", "New-ScheduledTaskAction", "New-ScheduledTaskTrigger", "Out-Null", "py", "Register-ScheduledTask",
    "Set-AuthenticodeSignature", "Split-Path", "Write-Error",
}  # fmt: skip
"""What examples may use beside."""

AUTOMATIC = {
    "_", "true", "false", "null", "PSScriptRoot", "PSCmdlet", "PSBoundParameters", "PSHOME", "PSVersionTable",
    "WhatIfPreference",
}  # fmt: skip


# -- Form ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", source.sources(), ids=lambda path: path.name)
def test_windows_powershell_can_read_every_file(path: Path) -> None:
    content = path.read_bytes()
    assert source.mistakes(content) == []
    # Without a byte order mark Windows PowerShell reads the code page of the system.
    assert content.isascii()


@pytest.mark.parametrize(
    "later",
    ["$a = $b ? 1 : 2", "$a ?? 1", "$a ??= 1", "$a && $b", "Get-A || Get-B", "${a}?.b", "class A { }", "if ($a) {"],
)
def test_what_only_later_versions_know_is_found(later: str) -> None:
    assert source.mistakes(later.encode())


def test_the_manifest_exports_what_is_public_and_described() -> None:
    public = [function.name for function in EXPORTED]
    assert sorted(MANIFEST["FunctionsToExport"]) == public
    assert {file.stem for file in (MODULE / "Public").iterdir()} == set(public)
    assert set(COMMANDS) | {"Export-CmgTrailEvidence"} == set(public)
    assert sorted(set(re.findall(r"`([A-Z][a-z]+-CmgTrail[A-Za-z]+)`", PAGE))) == public
    assert MANIFEST["ModuleVersion"] == cmgtrail.__version__
    assert MANIFEST["PowerShellVersion"] == "5.1"
    assert (MANIFEST["CmdletsToExport"], MANIFEST["AliasesToExport"]) == ([], [])
    assert all((MODULE / name).is_file() for name in [MANIFEST["RootModule"], *MANIFEST["FormatsToProcess"]])


@pytest.mark.parametrize("function", EXPORTED, ids=lambda function: function.name)
def test_help_describes_every_parameter(function: Function) -> None:
    assert all(len(function.section(name)) == 1 for name in ["SYNOPSIS", "DESCRIPTION", "OUTPUTS"])
    assert function.section("EXAMPLE")
    described = [argument for section, argument, text in function.help if section == "PARAMETER" and text]
    assert described == list(function.parameters)
    assert "CmdletBinding" in source.text(function.node)
    assert set(function.section("LINK")) <= set(FUNCTIONS)
    changes = function.name.split("-")[0] in {"New", "Export"}
    assert ("SupportsShouldProcess" in source.text(function.node)) == changes


def _examples() -> list[tuple[str, str]]:
    """The examples of the help, and the PowerShell of the page."""
    found = [
        (function.name, example.partition("\n\n")[0])
        for function in EXPORTED
        for example in function.section("EXAMPLE")
    ]
    fences = re.findall(r"```powershell\n(.*?)```", PAGE, flags=re.DOTALL)
    assert len(fences) >= 5
    return found + [("docs/powershell.md", fence) for fence in fences]


@pytest.mark.parametrize(("_where", "example"), _examples())
def test_examples_are_commands_that_there_are(_where: str, example: str) -> None:
    # The grammar knows no list of plain words (`source, line`), PowerShell does.
    listed = re.sub(r"(?<= )[\w*.]+(?:, [\w*.]+)+", lambda words: re.sub(r"[\w*.]+", r"'\g<0>'", words[0]), example)
    assert source.mistakes(listed.encode()) == []
    calls = list(source.calls(source.tree(listed.encode())))
    assert calls
    for call in calls:
        if call.name not in IN_EXAMPLES:
            _check_call(call)


# -- Calls and variables ---------------------------------------------------------------------------------------------


def _check_call(call: source.Call) -> None:
    what = f"line {call.line}: {call.name}"
    if call.name not in FUNCTIONS:
        assert call.name in CMDLETS, f"{what} is no command of the module or of Windows PowerShell 5.1"
        assert set(call.parameters) <= CMDLETS[call.name] | source.COMMON, f"{what} {call.parameters}"
        return
    parameters = FUNCTIONS[call.name].parameters
    assert set(call.parameters) <= set(parameters) | source.COMMON, f"{what} has no such parameter: {call.parameters}"


@pytest.mark.parametrize("path", source.files(".ps1", ".psm1"), ids=lambda path: path.name)
def test_every_call_fits_what_it_calls(path: Path) -> None:
    for call in source.calls(source.tree(path.read_bytes())):
        _check_call(call)
        inner = FUNCTIONS.get(call.name)
        if inner and inner.file.parent.name == "Private" and not call.splatted:
            missing = {name for name, one in inner.parameters.items() if one.mandatory} - set(call.parameters)
            assert not missing, f"line {call.line}: {call.name} lacks {missing}"
            assert call.positional <= len(call.parameters), f"line {call.line}: a value of {call.name} has no name"


def _used(node: source.Node) -> set[str]:
    names = (source.text(one).strip("${}@") for one in source.nodes(node, "variable"))
    return {name for name in names if not name.startswith("env:")}


def _assigned(node: source.Node) -> set[str]:
    left = source.nodes(node, "left_assignment_expression")
    found = {source.text(one).strip("${}") for one in left}
    for loop in source.nodes(node, "foreach_statement"):
        found.add(source.text(next(child for child in loop.children if child.type == "variable"))[1:])
    return found | {
        source.text(child).strip("$ ")
        for one in source.nodes(node, "script_parameter")
        for child in one.children
        if child.type == "variable"
    }


@pytest.mark.parametrize("function", list(FUNCTIONS.values()), ids=lambda function: function.name)
def test_every_variable_has_a_value(function: Function) -> None:
    script = {
        name
        for path in source.files(".ps1", ".psm1")
        for name in _assigned(source.tree(path.read_bytes()))
        if name.startswith("script:")
    }
    assert _used(function.node) - _assigned(function.node) <= AUTOMATIC | script


READING = ["Get-CmgTrailFinding", "Get-CmgTrailFlow", "Get-CmgTrailRecord", "New-CmgTrailReport"]
"""The functions that read logs. A parameter that help and completion know is written where its function is."""


def test_what_reads_logs_declares_and_describes_each_parameter_alike() -> None:
    def declared(function: Function, name: str) -> tuple[str, str, str]:
        # A record's path is mandatory, and therefore described without its default.
        path = function.name == "Get-CmgTrailRecord" and name == "Path"
        one = function.parameters[name]
        described = next(text for section, of, text in function.help if (section, of) == ("PARAMETER", name))
        said = {"Since": "", "Until": "", "Path": described.partition(".")[0]}.get(name, described)
        return (
            re.sub(r"\s+", " ", one.attributes.replace("Mandatory, ", "") if path else one.attributes),
            one.type,
            said,
        )

    names = dict.fromkeys(name for function in READING for name in FUNCTIONS[function].parameters)
    for name in names:
        having = [FUNCTIONS[function] for function in READING if name in FUNCTIONS[function].parameters]
        assert len(having) > 1 or name == "Destination"
        assert len({declared(function, name) for function in having}) == 1, name
    bodies = {
        source.text(FUNCTIONS[name].node).rpartition("    begin {")[2].partition("    end {")[0] for name in READING
    }
    assert len(bodies) == 1


# -- Pipelines -------------------------------------------------------------------------------------------------------

CERTIFICATES = "system.security.cryptography.x509certificates."
TEXT = {"string"}
CERTIFICATE = {CERTIFICATES + "x509certificate2", CERTIFICATES + "x509certificate"}
"""Types of what comes: its own, and those that it also is."""

FILE = {"FullName": "string", "PSPath": "string"}
"""Properties, with their types, of what Get-ChildItem and Get-Item give."""

LOCATION = {"PSPath": "string"}
"""What has a place in a drive only: a certificate of Cert:, a line of Get-Content."""


def bound(function: Function, types: set[str], properties: dict[str, str]) -> tuple[str, str]:
    """Which parameter takes an object of the pipeline, and by what: "itself", or the name of a property.

    By the order of the parameter binder, in Windows PowerShell 5.1 and 7: itself where it is of the type, properties
    that are, itself made into the type, properties made into it; each time the default parameter set first.
    """
    default = re.search(r"DefaultParameterSetName = '(\w+)'", source.text(function.node))
    takes = sorted(
        (one for one in function.parameters.values() if "ValueFromPipeline" in one.attributes),
        key=lambda one: not default or f"ParameterSetName = '{default[1]}'" not in one.attributes,
    )
    for made in [False, True]:
        for one in takes:
            wanted = one.type.removesuffix("[]")
            if re.search(r"ValueFromPipeline\b", one.attributes) and (made or wanted in {*types, "object"}):
                return one.name, "itself"
        for one in takes:
            held = next((name for name in [one.name, *one.aliases] if name in properties), None)
            by_name = "ValueFromPipelineByPropertyName" in one.attributes
            if held and by_name and (made or properties[held] == one.type.removesuffix("[]")):
                return one.name, held
    raise AssertionError(f"{function.name} takes no {types}")


TAKES_PATHS = [*READING, "Test-CmgTrailSite", "Test-CmgTrailCertificate"]


@pytest.mark.parametrize("name", TAKES_PATHS)
def test_paths_come_through_the_pipeline(name: str) -> None:
    function = FUNCTIONS[name]
    assert bound(function, TEXT, {}) == ("Path", "itself")
    # A line of Get-Content says where it was read.
    assert bound(function, TEXT, LOCATION) == ("Path", "itself")
    # In Windows PowerShell the text of a file may be its name alone.
    assert bound(function, {"system.io.fileinfo"}, FILE) == ("Path", "FullName")
    assert bound(function, {"system.io.directoryinfo"}, FILE) == ("Path", "FullName")
    assert bound(function, {"selected.item"}, LOCATION) == ("Path", "PSPath")
    assert bound(function, {"pathinfo"}, {"Path": "string", "ProviderPath": "string"}) == ("Path", "Path")
    assert bound(function, {"row"}, {"LiteralPath": "string"}) == ("Path", "LiteralPath")


def test_a_certificate_in_the_pipeline_is_one_and_a_text_is_none() -> None:
    function = FUNCTIONS["Test-CmgTrailCertificate"]
    assert bound(function, CERTIFICATE, LOCATION) == ("Certificate", "itself")
    assert bound(function, CERTIFICATE - {CERTIFICATES + "x509certificate2"}, {}) == ("Certificate", "itself")
    body = source.text(function.node)
    # Between objects the parameters of the one before must not count again.
    assert "$PSCmdlet.ParameterSetName -eq 'Certificate'" in body.partition("    process {")[2]
    # The model knows what was wrong.
    before = source.Parameter("Path", "string[]", "[Parameter(ValueFromPipelineByPropertyName)]", ["FullName"])
    wrong = Function(function.name, function.file, function.node, {**function.parameters, "Path": before})
    assert bound(wrong, TEXT, {}) == ("Certificate", "itself")


def test_a_token_in_the_pipeline_is_looked_at() -> None:
    function = FUNCTIONS["Test-CmgTrailToken"]
    # Whatever comes: what it is decides the function, not the binder.
    for types, properties in [(TEXT, {}), ({"securestring"}, {}), ({"system.io.fileinfo"}, FILE)]:
        assert bound(function, types, properties) == ("Token", "itself")
    work = source.text(function.node).partition("    process {")[2]
    assert work.index("-is [System.IO.FileInfo]") < work.index("Get-TokenText") < work.index("-Id 'NoToken'")
    # No error repeats what came.
    assert "-Target" not in work
    helper = source.text(FUNCTIONS["Get-TokenText"].node)
    assert "-is [System.Security.SecureString]" in helper
    assert "[string] $From" not in helper


def test_a_number_in_a_property_is_a_code() -> None:
    function = FUNCTIONS["Resolve-CmgTrailCode"]
    assert bound(function, TEXT, LOCATION) == ("Code", "itself")
    assert bound(function, {"int"}, {}) == ("Code", "itself")
    assert bound(function, {"row"}, {"Code": "string"}) == ("Code", "Code")
    # The binder would take the text of the whole object: the function looks for itself.
    assert bound(function, {"row"}, {"Code": "int"}) == ("Code", "itself")
    assert "$found = $_.Code" in source.text(function.node)


def test_every_pipeline_is_tested() -> None:
    takes = {one.name for one in EXPORTED if "ValueFromPipeline" in source.text(one.node)}
    assert takes == {*TAKES_PATHS, "Test-CmgTrailToken", "Resolve-CmgTrailCode"}


# -- Failures --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("Resolve-FilePath", "GetUnresolvedProviderPathFromPSPath("),
        ("Invoke-Program", "$process.Start()"),
        ("Export-CmgTrailEvidence", "Open-EvidenceArchive -Path"),
    ],
)
def test_what_fails_by_dotnet_ends_the_work(name: str, call: str) -> None:
    """An exception of a method ends its statement only, and the next one would run, were it not caught."""
    caught = [
        source.text(one)
        for one in source.nodes(FUNCTIONS[name].node, "try_statement")
        if any(child.type == "catch_clauses" for child in one.children)
    ]
    assert any(call in one.partition("catch")[0] for one in caught)


def test_a_program_that_could_not_be_started_is_not_its_output() -> None:
    body = source.text(FUNCTIONS["Invoke-SystemProgram"].node)
    assert body.index("$null -eq $run.Outcome.Status") < body.index("$run.Outcome.Messages -split")
    # The console of a program has the encoding of the system; some cultures have none at all.
    assert "CurrentCulture" not in body
    assert "Get-OemEncoding" in body


def test_the_page_makes_the_folders_that_it_writes_to() -> None:
    folder = "New-Item -ItemType Directory -Force -Path "
    for made, written in [("$there", "Copy-Item (Split-Path"), ("'D:\\reports'", "-Destination 'D:\\reports")]:
        assert 0 < PAGE.index(folder + made) < PAGE.index(written)


# -- Command lines ---------------------------------------------------------------------------------------------------

ELSEWHERE = {"Path", "Token", "Certificate", "Code", "PythonPath"}
"""Parameters that become operands, standard input, or the program itself."""

FILES = {
    "Site": "site.toml", "Knowledge": "own.toml", "Key": "keys.json", "Root": "root.pem", "Intermediate": "root.pem",
    "Crl": "root.crl", "Disallowed": "device.pem", "Destination": "report out.html", "LogPath": "logs",
}  # fmt: skip
VALUES = {
    "Client": "PC042", "Encoding": "windows-1252", "Audience": minted.AUDIENCE, "Issuer": "https://sts.windows.net/x/",
    "Tenant": minted.TENANT, "Leeway": "60", "CrlUnreachable": "http://crl.contoso.com/a.crl",
    "HostName": minted.HOST, "MaxDepth": "2", "InternalSuffix": "corp.contoso.com", "Component": "winhttp",
}  # fmt: skip
OPERANDS = {
    ("diagnose", "paths"): ["logs"], ("diagnose", "none"): [], ("records", "paths"): ["logs"],
    ("token", "path"): ["token.txt"], ("token", "input"): ["-"], ("cert", "paths"): ["cmg.pem", "root.pem"],
    ("cert", "input"): ["-"], ("preflight", "path"): ["site.toml"], ("code", "codes"): ["-2016411087", "0x87D00231"],
}  # fmt: skip
APART = [{"Revocation", "Phases"}]
"""Parameters of which the command takes one only."""


def _time(at: datetime) -> str:
    """A time as ConvertTo-OptionText writes it, by the form in its source."""
    form = re.search(r"ToString\('(.*?)', \$invariant\)", source.text(FUNCTIONS["ConvertTo-OptionText"].node))
    assert form
    words = {"yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S", "fffffff": "%f0"}
    parts = re.sub(r"yyyy|MM|dd|HH|mm|ss|f{7}", lambda part: words[part[0]], form[1])
    return at.strftime(parts.replace("\\", ""))


def _values(parameter: Parameter) -> list[str]:
    if parameter.type == "datetime":
        hour = {"Since": 0, "Until": 23}.get(parameter.name, 9)
        return [_time(datetime(2026, 11, 4, hour, 12, 33, 123456, timezone.utc))]
    return parameter.values or [VALUES[parameter.name]]


def _options(function: Function) -> dict[str, list[str]]:
    """What each parameter may become on the command line."""
    table = COMMANDS[function.name]
    here = Path.cwd()
    return {
        **{name: [option] for name, option in table["Flags"].items()},
        **{name: [f"{option}={here / FILES[name]}"] for name, option in table["Files"].items()},
        **{
            name: [f"{option}={value}" for value in _values(function.parameters[name])]
            for name, option in table["Options"].items()
        },
    }


def _lines(function: Function, operands: list[str]) -> list[list[str]]:
    """The command lines of a function: no option, each in each form, and all together that go together."""
    options = _options(function)
    words: list[str] = COMMANDS[function.name]["Words"]
    chosen = [[]] + [[form] for forms in options.values() for form in forms]
    left_out = [name for pair in APART for name in sorted(pair) if name in options] or [None]
    chosen += [[form[0] for name, form in options.items() if name != without] for without in left_out]
    return [[*words, *some, "--", *operands] for some in chosen]


def test_the_source_builds_lines_in_that_order() -> None:
    body = source.text(FUNCTIONS["Get-CommandLine"].node)
    added = re.findall(r"\$line\.Add\((.*)\)", body)
    assert added == [
        "$word",
        "$command.Flags[$name]",
        "$command.Files[$name] + '=' + (Resolve-FilePath -Caller $Caller -Path $file)",
        "$command.Options[$name] + '=' + (ConvertTo-OptionText -Value $value)",
        "'--'",
        "$one",
    ]
    assert "@('-m', 'cmgtrail') + @(Get-CommandLine" in source.text(FUNCTIONS["Invoke-CmgTrail"].node)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_parameter_has_its_place(name: str) -> None:
    table, parameters = COMMANDS[name], FUNCTIONS[name].parameters
    assert set(table) == {"Words", "Files", "Options", "Flags", "Operands"}
    listed = [*table["Files"], *table["Options"], *table["Flags"]]
    assert len(listed) == len(set(listed))
    assert set(listed) == set(parameters) - ELSEWHERE
    assert all(parameters[flag].type == "switch" for flag in table["Flags"])
    assert not any(parameters[one].type == "switch" for one in [*table["Files"], *table["Options"]])


@pytest.fixture
def _files(documented: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (documented / "own.toml").write_text("", "utf-8")
    monkeypatch.setattr("cmgtrail.cli.reading.own_logs", lambda: ["logs"])


@pytest.mark.usefixtures("_files")
@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_line_is_understood(name: str, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    function = FUNCTIONS[name]
    command = COMMANDS[name]["Words"][0]
    given = {"token": minted.token(), "cert": Path("cmg.pem").read_text("utf-8")}.get(command, "")
    tried = 0
    for kind in COMMANDS[name]["Operands"]:
        for line in _lines(function, OPERANDS[command, kind]):
            monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(given.encode())))
            status = run(line)
            out, err = capsys.readouterr()
            assert status in {0, 1, 3}, f"{line}: {err}"
            assert out.strip(), f"{line} said nothing"
            _reads_as_json(out, lines=line[1] == "--format=jsonl")
            tried += 1
    assert tried > len(_options(function))


def _reads_as_json(out: str, *, lines: bool) -> None:
    for text in out.splitlines() if lines else [out]:
        json.loads(text)


@pytest.mark.usefixtures("_files")
def test_the_module_of_python_is_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cmgtrail", "diagnose", "--format=jsonl", "--", "logs"], capture_output=True, check=False
    )
    assert done.returncode == 1
    assert json.loads(done.stdout.splitlines()[0])["type"] == "trail"
    # A Python without it ends with the same status, and has nothing to show.
    missing = subprocess.run([sys.executable, "-m", "cmgtrail_is_not_here"], capture_output=True, check=False)
    assert (missing.returncode, missing.stdout) == (1, b"")
    assert b"No module named cmgtrail" in missing.stderr


def test_powershell_module_prints_the_manifest(capsys: Captured) -> None:
    assert run(["powershell-module"]) == 0
    assert Path(capsys.readouterr().out.rstrip("\n")) == MODULE / "CmgTrail.psd1"


def test_the_source_distribution_holds_the_module(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "maturin", "sdist", "--out", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        names = {name.partition("/python/")[2] for name in packed.getnames()}
    module = {path.relative_to(MODULE.parents[2]).as_posix() for path in MODULE.rglob("*.*")}
    assert len(module) > 20
    assert module <= names


# -- Quoting ---------------------------------------------------------------------------------------------------------


def taken_apart(line: str) -> list[str]:
    """What CommandLineToArgvW makes of the arguments behind the program, by its documented rules."""
    arguments, current, inside, quoted, at = [], "", False, False, 0
    while at < len(line):
        run_of = len(line) - at - len(line[at:].lstrip("\\"))
        if run_of and line[at + run_of : at + run_of + 1] == '"':
            current += "\\" * (run_of // 2)
            at += run_of
            if run_of % 2:
                current += '"'
                at += 1
        elif run_of:
            current += "\\" * run_of
            at += run_of
        elif line[at] == '"':
            inside, quoted = not inside, True
            at += 1
        elif line[at] in " \t" and not inside:
            if current or quoted:
                arguments.append(current)
            current, quoted = "", False
            at += 1
        else:
            current += line[at]
            at += 1
    return arguments + ([current] if current or quoted else [])


def test_arguments_come_out_as_they_went_in() -> None:
    chance = random.Random(7)  # noqa: S311 - no secret
    made = ["".join(chance.choices('\\" ab\t', k=chance.randrange(9))) for _ in range(4000)]
    arguments = source.HARD + made
    assert taken_apart(" ".join(map(source.quoted, arguments))) == arguments
    # The standard library quotes by the same rules, a little less.
    assert taken_apart(subprocess.list2cmdline(arguments)) == arguments


# -- Objects and views -----------------------------------------------------------------------------------------------

SCHEMA = json.loads(files("cmgtrail").joinpath("schema/diagnose.schema.json").read_text("utf-8"))["$defs"]
VIEWS = ET.parse(MODULE / "CmgTrail.Format.ps1xml").getroot()  # noqa: S314 - our own file


def _properties(kind: str, documented: Path) -> set[str]:
    named = {"Stage": "stage-result", "Client": "client"}.get(kind, kind.lower())
    if kind == "Record":
        return set(json.loads(next(iter(cmgtrail.records(documented / "logs"))).to_json()))
    if kind == "Code":
        return set(cmgtrail.explain_code("12175")[0].to_dict())
    return set(SCHEMA[named]["properties"])


def _script_string(name: str) -> str:
    everything = "\n".join(path.read_text("ascii") for path in source.files(".ps1"))
    found = re.search(rf"\$script:{name} = '(.*)'", everything)
    assert found
    return found[1]


def _inner_types() -> dict[str, str]:
    body = (MODULE / "Private" / "Objects.ps1").read_text("ascii")
    return dict(re.findall(r"^ +(\w+) += '(CmgTrail\.\w+)'", body, flags=re.MULTILINE))


@pytest.mark.parametrize("view", list(VIEWS.iter("View")), ids=lambda view: view.findtext("Name"))
def test_views_show_properties_that_there_are(view: ET.Element, documented: Path) -> None:
    kind = view.findtext("ViewSelectedBy/TypeName", "").removeprefix("CmgTrail.")
    properties = _properties(kind, documented)
    shown = {one.text for one in view.iter("PropertyName")}
    assert shown <= properties
    parts = {f"${part}" for part in _inner_types()}
    for script in view.iter("ScriptBlock"):
        body = script.text or ""
        assert source.mistakes(body.encode()) == []
        for path in re.findall(r"\$_((?:\.\w+)+)", body):
            first, *rest = path[1:].split(".")
            inner = [_properties(t.removeprefix("CmgTrail."), documented) for t in _inner_types().values()]
            assert first in properties | set().union(*inner), path
            assert all(f"${first}" in parts and name in set().union(*inner) for name in rest), path
    times = {name for name in properties if kind == "Record" and name == "utc"} | {
        name for name, rule in SCHEMA.get(kind.lower(), {}).get("properties", {}).items() if "maybe-time" in str(rule)
    }
    for item in [*view.iter("TableColumnItem"), *view.iter("ListItem")]:
        if item.findtext("PropertyName") in times:
            assert item.findtext("FormatString", "").startswith("{0:yyyy-MM-dd HH:mm:ss")


def test_views_are_of_types_that_are_given() -> None:
    given = set(re.findall(r"'(CmgTrail\.\w+)'", "\n".join(path.read_text("ascii") for path in source.files(".ps1"))))
    assert {one.text for one in VIEWS.iter("TypeName")} <= given
    assert all(
        len(list(table.iter("TableColumnHeader"))) == len(list(table.iter("TableColumnItem")))
        for table in VIEWS.iter("TableControl")
    )
    rule_names = {name for rule in SCHEMA.values() for name in rule.get("properties", {})}
    assert set(_inner_types()) - {"readings", "bootstrap", "after_settings"} <= rule_names


def test_lines_begin_with_what_they_are(demo: Path, capsys: Captured) -> None:
    assert "StartsWith('{\"type\": \"' + $Kind + '\"')" in source.text(FUNCTIONS["Read-Trail"].node)
    run(["diagnose", str(demo), "--format=jsonl"])
    lines = capsys.readouterr().out.splitlines()
    for kind in ["trail", "flow", "finding"]:
        starts = [line for line in lines if line.startswith(f'{{"type": "{kind}"')]
        assert starts
        assert len(starts) == sum(json.loads(line)["type"] == kind for line in lines)
    assert {
        call.parameters.index("Kind") >= 0
        for name in ["Get-CmgTrailFlow", "Get-CmgTrailFinding"]
        for call in source.calls(FUNCTIONS[name].node)
        if call.name == "Read-Trail"
    } == {True}


def _strings(value: Any, name: str = "") -> list[tuple[str, str]]:
    match value:
        case dict():
            return [pair for key, inner in value.items() for pair in _strings(inner, key)]
        case list():
            return [pair for inner in value for pair in _strings(inner, name)]
        case str():
            return [(name, value)]
    return []


def test_times_are_told_by_their_form(documented: Path) -> None:
    form = re.compile(_script_string("TimeForm").replace(r"\z", r"\Z"))
    texts = re.search(r"\$script:Texts = (.*)", (MODULE / "Private" / "Objects.ps1").read_text("ascii"))
    assert texts
    trail = cmgtrail.read(documented / "logs").to_dict()
    report = cmgtrail.validate_chain("cmg.pem", roots="root.pem", at="2026-11-04T09:12:33Z").to_dict()
    records = [json.loads(record.to_json()) for record in cmgtrail.records(documented / "logs")]
    times = {
        name for rule in SCHEMA.values() for name, one in rule.get("properties", {}).items() if "maybe-time" in str(one)
    }
    times |= {"utc", "local_time"}
    met = set()
    for name, value in _strings([trail, report, records]):
        if name in times:
            assert form.match(value), (name, value)
            met.add(name)
        elif form.match(value):
            assert name in {"not_before", "not_after", *re.findall(r"'(\w+)'", texts[1])}, (name, value)
    assert met >= {"started", "ended", "at", "first_seen", "last_seen", "utc", "local_time"}
