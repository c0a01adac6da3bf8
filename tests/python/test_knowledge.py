"""Codes, knowledge files of one's own, and the pages that are made of the knowledge."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import pytest

import cmgtrail
from cmgtrail.cli import run
from conftest import ROOT, logs_of


def pages_of_knowledge() -> ModuleType:
    spec = importlib.util.spec_from_file_location("knowledge_pages", ROOT / "docs" / "knowledge_pages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_code_is_explained_by_component() -> None:
    winhttp, wininet = cmgtrail.explain_code(12175)
    assert (winhttp.code, winhttp.component, winhttp.name) == ("12175", "winhttp", "ERROR_WINHTTP_SECURE_FAILURE")
    assert (wininet.component, wininet.name) == ("wininet", "ERROR_INTERNET_DECODING_FAILED")
    assert winhttp.role == "symptom"
    assert "cmg-root-ca-missing" in winhttp.failures
    assert cmgtrail.explain_code("0x80072f8f", "winhttp")[0].how == "0x80072F8F is the HRESULT of error 12175"
    assert winhttp == cmgtrail.explain_code("12175", component="winhttp")[0]
    assert winhttp != wininet
    assert "ERROR_WINHTTP_SECURE_FAILURE" in repr(winhttp)
    with pytest.raises(AttributeError):
        winhttp.name = "other"  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize("code", ["0x87d00231", "87D00231", "-2016411087", -2016411087, 0x87D00231])
def test_a_code_may_be_written_in_many_ways(code: str | int) -> None:
    assert [reading.code for reading in cmgtrail.explain_code(code)] == ["0x87D00231"]


def test_what_is_not_known_is_an_empty_list_and_what_is_no_code_an_error() -> None:
    assert cmgtrail.explain_code("0x87D09999") == []
    with pytest.raises(cmgtrail.ArgumentError, match="expected a code such as"):
        cmgtrail.explain_code("12 monkeys")
    with pytest.raises(cmgtrail.ArgumentError, match="component: expected winhttp, ccm"):
        cmgtrail.explain_code("5", "netware")
    with pytest.raises(TypeError, match="expected text or a number"):
        cmgtrail.explain_code(True)  # noqa: FBT003


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["0x87D00231"], 0),
        (["-2016411087"], 0),
        (["12175", "500.19.126", "AADSTS50020", "IDX10223", "MISE12034"], 0),
        (["0x80000009", "--component", "mask"], 0),
        (["12175", "--component", "wininet"], 0),
        (["0x87D09999"], 1),
        (["12175", "0x87D09999"], 1),
        (["12175", "twelve monkeys"], 2),
        (["12175", "--component", "netware"], 2),
        ([], 2),
    ],
)
def test_the_command_says_by_its_status_what_is_known(
    arguments: list[str], status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["code", *arguments]) == status
    out, err = capsys.readouterr()
    assert bool(err) == (status == 2)
    assert bool(out) == (status != 2)


def test_the_command_shows_all_readings(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["code", "12175"]) == 0
    out = capsys.readouterr().out
    assert out.index("ERROR_WINHTTP_SECURE_FAILURE") < out.index("ERROR_INTERNET_DECODING_FAILED")
    assert run(["code", "0x9", "nothing_known", "--component", "mask", "--format", "json"]) == 1
    first, second = json.loads(capsys.readouterr().out)
    assert [reading["code"] for reading in first["readings"]] == ["0x1", "0x8"]
    assert second == {"given": "nothing_known", "readings": []}


def test_codes_stand_beside_their_names_in_a_diagnosis(capsys: pytest.CaptureFixture[str]) -> None:
    logs = str(logs_of("root-missing-mask-8"))
    run(["diagnose", logs])
    out = capsys.readouterr().out
    assert "12175 ERROR_WINHTTP_SECURE_FAILURE" in out
    assert "0x8 (INVALID_CA)" in " ".join(out.split())
    trail = cmgtrail.read(logs)
    named = [code.name for line in trail.findings[0].evidence for code in line.codes]
    assert "ERROR_WINHTTP_SECURE_FAILURE" in named
    assert "ERROR_WINHTTP_SECURE_FAILURE" in trail.findings[0]._repr_html_()


def test_the_built_in_files_are_written_and_are_without_mistake(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "known"
    assert run(["knowledge", "dump", "--out", str(folder)]) == 0
    assert run(["knowledge", "check", str(folder)]) == 0
    out = capsys.readouterr().out
    assert out.count("no mistake") == len(list(folder.rglob("*.toml")))
    assert "examples" in out
    assert run(["knowledge", "dump", "--out", str(folder)]) == 2
    assert "is there already" in capsys.readouterr().err
    assert run(["knowledge", "dump"]) == 0
    assert 'id = "cmg-root-ca-missing"' in capsys.readouterr().out


def test_mistakes_are_told_with_file_line_and_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = tmp_path / "own.toml"
    own.write_text("[[message]]\nid = 'own'\nmark = 'good'\n[[massage]]\n", encoding="utf-8")
    assert run(["knowledge", "check", str(own)]) == 1
    out = capsys.readouterr().out
    assert f"{own}: line 3: 'own': mark: unknown variant `good`" in out
    assert f"{own}: line 4: unknown table 'massage'" in out
    assert run(["knowledge", "check", str(tmp_path / "absent.toml")]) == 2
    assert run(["knowledge", "check", str(tmp_path / "absent.toml"), str(own)]) == 2


@pytest.mark.usefixtures("documented")
def test_the_worked_example_of_the_page_works(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = (ROOT / "docs" / "knowledge.md").read_text("utf-8")
    (tmp_path / "my.toml").write_text("\n".join(re.findall(r"```toml\n(.*?)```", page, re.DOTALL)), encoding="utf-8")
    log = re.search(r"```text\n(.*?)```", page, re.DOTALL)
    assert log is not None
    logs = tmp_path / "own-logs" / "client-PC042"
    logs.mkdir(parents=True)
    for name in ["ccmsetup.log"]:
        (logs / name).write_bytes((logs_of("root-missing-mask-8") / "client-PC042" / name).read_bytes())
    (logs / "ContosoVpn.log").write_text(log[1], encoding="utf-8")
    assert run(["knowledge", "check", "my.toml"]) == 0
    assert "2 messages" not in capsys.readouterr().out
    assert run(["diagnose", "own-logs", "--knowledge", "my.toml"]) == 1
    assert "contoso-vpn-blocks-the-gateway" in capsys.readouterr().out
    trail = cmgtrail.read("own-logs", knowledge="my.toml")
    (own,) = [finding for finding in trail.findings if finding.rule == "my.toml"]
    assert (own.failure, own.confidence) == ("contoso-vpn-blocks-the-gateway", "likely")
    assert own.explanation == "The VPN client of PC042 refused its tunnel to vpn.contoso.com with reason 12."
    without = [finding.to_dict() for finding in cmgtrail.read("own-logs").findings]
    assert [finding.to_dict() for finding in trail.findings if finding.rule == "builtin"] == without


def test_there_is_a_page_for_each_failure_and_component() -> None:
    pages = pages_of_knowledge().pages()
    failures = {path: page for path, page in pages.items() if path.startswith("failures/") and "index" not in path}
    assert len(failures) == 74
    for path, page in failures.items():
        for heading in ["# ", "## What happened", "## How we know", "## What to do", "## How to check", "## Reference"]:
            assert heading in page, f"{path} has no {heading}"
        assert "| proof of its text | " in page
        assert not re.search(r"\{[a-z_]+[|}]", page), path
    root = failures["failures/cmg-root-ca-missing.md"]
    for neighbour in ["tls-interception", "cmg-name-mismatch", "mp-issuing-root-missing"]:
        assert f"({neighbour}.md)" in root
    links = {link for path, page in failures.items() for link in re.findall(r"\(([\w-]+\.md)\)", page)}
    assert {f"failures/{link}" for link in links} <= set(failures)
    assert len([path for path in pages if path.startswith("codes/")]) == 15
    assert "ERROR\\_WINHTTP\\_SECURE\\_FAILURE" in pages["codes/winhttp.md"]
