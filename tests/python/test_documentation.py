"""The documentation: its examples run, and its worked examples are what cmgtrail says now."""

from __future__ import annotations

import ast
import doctest
import importlib.util
import re
import shlex

import pytest

from cmgtrail.cli import run
from conftest import ROOT, logs_of

DOCSTRINGS = sorted([*(ROOT / "python").rglob("*.py"), *(ROOT / "python").rglob("*.pyi")])
PAGES = [
    "README.md", "ARCHITECTURE.md", "CHANGELOG.md", "docs/json.md", "docs/tokens-and-certificates.md",
    "docs/knowledge.md", "docs/powershell.md", "docs/simulate.md", "docs/site.md", "docs/first-finding.md",
    "docs/report.md", "docs/spark.md",
]  # fmt: skip
WITH_EXAMPLES = ["README.md", "docs/site.md", "docs/tokens-and-certificates.md", "docs/first-finding.md"]


def examples(source: str, name: str) -> list[doctest.DocTest]:
    """The examples of all docstrings of a file, also of a stub, which cannot be imported."""
    nodes = [
        node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
    ]
    texts = [(getattr(node, "name", name), ast.get_docstring(node) or "") for node in nodes]
    parser = doctest.DocTestParser()
    return [parser.get_doctest(text, {}, f"{name}:{place}", name, 0) for place, text in texts if ">>>" in text]


def run_doctest(test: doctest.DocTest) -> None:
    told: list[str] = []
    doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=told.append)
    assert not told, "".join(told)


@pytest.mark.usefixtures("documented")
def test_examples_of_docstrings_run() -> None:
    tests = [test for file in DOCSTRINGS for test in examples(file.read_text("utf-8"), file.name)]
    assert len(tests) >= 5
    for test in tests:
        run_doctest(test)


@pytest.mark.usefixtures("documented")
@pytest.mark.parametrize("page", WITH_EXAMPLES)
def test_python_examples_of_pages_run(page: str) -> None:
    blocks = re.findall(r"```pycon\n(.*?)```", (ROOT / page).read_text("utf-8"), re.DOTALL)
    assert len(blocks) >= 2
    run_doctest(doctest.DocTestParser().get_doctest("".join(blocks), {}, page, page, 0))


def commands() -> list[str]:
    lines = [line for page in WITH_EXAMPLES for line in (ROOT / page).read_text("utf-8").splitlines()]
    return [line[2:].partition("  #")[0].strip() for line in lines if line.startswith("$ cmgtrail ")]


@pytest.mark.usefixtures("documented")
@pytest.mark.parametrize("command", commands())
def test_commands_of_pages_run(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    status = run(shlex.split(command)[1:])
    out, err = capsys.readouterr()
    finds = " diagnose " in command or " preflight " in command
    assert status == (1 if finds else 0), err
    assert out or " --out " in command


@pytest.mark.usefixtures("documented")
def test_the_first_finding_looks_as_its_page_says(capsys: pytest.CaptureFixture[str]) -> None:
    block = (ROOT / "docs/first-finding.md").read_text("utf-8").partition("```text\n")[2].partition("```")[0]
    run(["diagnose", "logs"])
    shown = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert block.splitlines()
    assert [line for line in block.splitlines() if line not in shown] == []


def test_worked_examples_are_fresh() -> None:
    logs_of("root-missing-mask-8")
    spec = importlib.util.spec_from_file_location("json_examples", ROOT / "docs" / "json_examples.py")
    assert spec is not None
    assert spec.loader is not None
    examples_of_json = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(examples_of_json)
    page = examples_of_json.PAGE.read_text("utf-8")
    assert page.count("<!-- example: ") == 3
    assert examples_of_json.rendered(page) == page, "stale: run `make docs`"


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", (ROOT / page).read_text("utf-8")):
        assert ((ROOT / page).parent / target).exists(), target
