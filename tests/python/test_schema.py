"""The JSON Schema: it accepts what the contract says, refuses what it does not, and the command keeps to it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

import cmgtrail
from cmgtrail.cli import run
from conftest import case_names, logs_of
from contract import document

SCHEMA = json.loads(files(cmgtrail).joinpath("schema/diagnose.schema.json").read_text("utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The way to every field of a document."""
    if isinstance(value, dict):
        for key, child in value.items():
            yield (*path, key)
            yield from places(child, (*path, key))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from places(child, (*path, index))


def parent(whole: Any, path: tuple[str | int, ...]) -> Any:
    for step in path[:-1]:
        whole = whole[step]
    return whole


def name(path: tuple[str | int, ...]) -> str:
    return ".".join(map(str, path))


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_the_contract_passes() -> None:
    VALIDATOR.validate(document())


@pytest.mark.parametrize("path", list(places(document())), ids=name)
def test_every_field_is_required(path: tuple[str | int, ...]) -> None:
    broken = document()
    del parent(broken, path)[path[-1]]
    with pytest.raises(ValidationError):
        VALIDATOR.validate(broken)


@pytest.mark.parametrize("path", list(places(document())), ids=name)
def test_every_field_has_a_type(path: tuple[str | int, ...]) -> None:
    broken = document()
    parent(broken, path)[path[-1]] = {"no": "such"} if path[-1] != "facts" else "no object"
    with pytest.raises(ValidationError):
        VALIDATOR.validate(broken)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("flows", 0, "broke_at"), "cmg"),
        (("flows", 0, "outcome"), "broken"),
        (("flows", 0, "started"), "2026-11-04 09:12:33"),
        (("flows", 0, "started"), "2026-11-04T09:12:33.120+01:00"),
        (("findings", 0, "confidence"), "sure"),
        (("findings", 0, "evidence", 0, "line"), 0),
        (("sources", 0, "records"), -1),
        (("schema",), 2),
    ],
)
def test_wrong_values_are_refused(path: tuple[str | int, ...], value: object) -> None:
    broken = document()
    parent(broken, path)[path[-1]] = value
    with pytest.raises(ValidationError):
        VALIDATOR.validate(broken)


def test_fields_may_be_added() -> None:
    more = document()
    more["flows"][0]["colour"] = "blue"
    VALIDATOR.validate(more)


@pytest.mark.parametrize("case", case_names() or ["(no corpus)"])
def test_the_command_keeps_to_the_schema(case: str, capsys: pytest.CaptureFixture[str]) -> None:
    status = run(["diagnose", str(logs_of(case)), "--format", "json"])
    printed = json.loads(capsys.readouterr().out)
    VALIDATOR.validate(printed)
    errors = any(finding["severity"] == "error" for finding in printed["findings"])
    assert status == (1 if errors else 0)
