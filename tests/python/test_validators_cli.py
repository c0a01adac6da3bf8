"""The commands `token`, `cert` and `dsregcmd`: exit status, forms, and errors as sentences."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import cmgtrail
import minted
from cmgtrail.cli import run
from minted import AUDIENCE, HOST, token

AT = ["--at", "2026-11-04T09:12:33Z"]
KEYS = ["--keys", "keys.json", "--audience", AUDIENCE]

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _files(documented: Path) -> None:
    """All tests stand in a folder with the files of the documentation."""
    assert (documented / "token.txt").exists()


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["token", "token.txt", *KEYS, *AT], 0),
        (["token", "token.txt", *KEYS, "--tenant", minted.TENANT, *AT, "--mask"], 0),
        (["token", "token.txt", *KEYS, "--at", "2026-11-05T09:12:33Z"], 1),
        (["token", "token.txt", *KEYS, "--at", "2026-11-04T10:05:00Z"], 0),
        (["token", "token.txt", *KEYS, "--at", "2026-11-04T10:05:00Z", "--leeway", "0"], 1),
        (["token", "token.txt", *KEYS, *AT, "--issuer", "https://sts.windows.net/other/"], 1),
        (["token", "token.txt", *AT], 3),
        (["token", "token.txt", "--inspect"], 3),
        (["cert", "cmg.pem", "--roots", "root.pem", "--host", HOST, *AT], 0),
        (["cert", "cmg.pem", "root.pem", "--roots", "root.pem", "--host", HOST, *AT], 0),
        (["cert", "cmg.pem", "--roots", "root.pem", "--host", "other", *AT], 1),
        (["cert", "cmg.pem", "--roots", "root.pem", "--crl", "revoked.crl", *AT], 1),
        (["cert", "cmg.pem", "--roots", "root.pem", "--crl", "revoked.crl", "--revocation", "off", *AT], 0),
        (["cert", "cmg.pem", "--roots", "root.pem", "--crl", "root.crl", "--crl-unreachable", "http://x/", *AT], 0),
        (["cert", "cmg.pem", "--roots", "root.pem", "--disallowed", "cmg.pem", *AT], 1),
        (["cert", "cmg.pem", "--roots", "root.pem", "--purpose", "client", *AT], 1),
        (["cert", "cmg.pem", "--roots", "root.pem", "--crl", "revoked.crl", "--phases", *AT], 1),
        (["cert", "cmg.pem", "--roots", "root.pem", "--crl", "root.crl", "--phases", *AT], 0),
        (["cert", "cmg.pem", "--roots", "root.pem", "--crl", "revoked.crl", "--phases", "--no-site-crl", *AT], 0),
        (["cert", "cmg.pem", "--inspect"], 3),
        (["dsregcmd", "dsregcmd.txt", *AT], 0),
        (["dsregcmd", "dsregcmd.txt", "--certificate", "device.pem", "--token", "token.txt", *AT], 0),
        (["dsregcmd", "dsregcmd.txt", "--at", "2035-01-01T00:00:00Z"], 1),
        (["dsregcmd", "keys.json", *AT], 3),
    ],
)
def test_the_status_is_the_verdict(arguments: list[str], status: int, capsys: Captured) -> None:
    assert run(arguments) == status
    out, err = capsys.readouterr()
    assert err == ""
    assert max(map(len, out.splitlines())) <= 80
    assert run([*arguments, "--format", "json"]) == status
    printed = json.loads(capsys.readouterr().out)
    if "--phases" not in arguments:
        assert {0: True, 1: False, 3: None}[status] is printed["valid"]


def test_json_is_that_of_the_api(capsys: Captured) -> None:
    run(["cert", "cmg.pem", "--roots", "root.pem", "--host", HOST, *AT, "--format", "json"])
    report = cmgtrail.validate_chain(["cmg.pem"], roots=["root.pem"], host=HOST, at=AT[1])
    assert json.loads(capsys.readouterr().out) == report.to_dict()
    run(["cert", "cmg.pem", "--roots", "root.pem", "--phases", *AT, "--format", "json"])
    phases = cmgtrail.compare_phases(["cmg.pem"], roots=["root.pem"], at=AT[1])
    assert json.loads(capsys.readouterr().out) == phases.to_dict()


def test_the_table_says_the_verdict_the_facts_and_what_is_wrong(capsys: Captured) -> None:
    run(["cert", "cmg.pem", "--roots", "root.pem", "--host", "other", *AT])
    out = capsys.readouterr().out
    parts = [
        "Certificate chain: not valid",
        "CN=cmg.contoso.com",
        "Failed",
        "name-mismatch",
        "CERT_E_CN_NO_MATCH",
        "Passed",
    ]
    places = [out.index(part) for part in parts]
    assert places == sorted(places)


def test_the_default_instant_is_now(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    from cmgtrail.cli import validators

    monkeypatch.setattr(validators, "_now", lambda: minted.AT)
    assert run(["token", "token.txt", *KEYS]) == 0
    assert run(["token", "token.txt", *KEYS, "--format", "json"]) == 0
    assert '"checked_at": "2026-11-04T09:12:33.000Z"' in capsys.readouterr().out
    for command in ("token", "cert", "dsregcmd"):
        assert run([command, "--help"]) == 0
        assert "Default: now" in " ".join(capsys.readouterr().out.split())


def test_a_token_comes_from_standard_input_in_any_encoding(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        piped = SimpleNamespace(buffer=io.BytesIO(f"{token()}\r\n".encode(encoding)))
        monkeypatch.setattr(sys, "stdin", piped)
        assert run(["token", "-", *KEYS, *AT]) == 0
    assert "Token: valid" in capsys.readouterr().out


def test_keys_are_read_as_powershell_writes_them() -> None:
    Path("wide.json").write_text(Path("keys.json").read_text(), encoding="utf-16")
    assert run(["token", "token.txt", "--keys", "wide.json", "--audience", AUDIENCE, *AT]) == 0


def test_a_broken_token_is_a_report(capsys: Captured) -> None:
    Path("broken.txt").write_text("eyJhbGciOiJub25lIn0.e30")
    assert run(["token", "broken.txt", *AT]) == 1
    assert "Token: not valid" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["token", "none.txt"], "none.txt"),
        (["token", "empty"], "is empty"),
        (["token", "blank"], "is empty"),
        (["token", "binary"], "binary data"),
        (["token", "."], "'.'"),
        (["token", "token.txt", "--keys", "none.json"], "none.json"),
        (["token", "token.txt", "--keys", "empty"], "is empty"),
        (["token", "token.txt", "--keys", "binary"], "expected a key in 'binary', found none that can be used"),
        (["token", "token.txt", "--keys", "empty-list"], "the key set holds no key"),
        (["token", "token.txt", "--keys", "cut"], "found none that can be used: the key set"),
        (["token", "token.txt", "--keys", "half-a-key"], "lacks a member that its key type needs"),
        (["token", "token.txt", "--keys", "keys.json", "--keys", "empty-list"], "'empty-list'"),
        (["token", "token.txt", "--at", "2026-11-04T09:12:33"], "at: expected"),
        (["token", "token.txt", "--leeway", "-1"], "--leeway"),
        (["token"], "FILE"),
        (["cert", "none.pem"], "none.pem"),
        (["cert", "empty"], "is empty"),
        (["cert", "cmg.pem", "--roots", "none.pem"], "none.pem"),
        (["cert", "cmg.pem", "--crl", "empty"], "is empty"),
        (["cert", "cmg.pem", "--purpose", "mail"], "mail"),
        (["cert", "cmg.pem", "--phases", "--revocation", "leaf"], "--revocation"),
        (["cert"], "FILE"),
        (["dsregcmd", "none.txt"], "none.txt"),
        (["dsregcmd", "empty"], "is empty"),
        (["dsregcmd", "binary"], "binary data"),
        (["dsregcmd", "dsregcmd.txt", "--token", "binary"], "binary data"),
    ],
)
def test_what_cannot_run_is_a_sentence_and_2(arguments: list[str], says: str, capsys: Captured) -> None:
    Path("empty").touch()
    Path("blank").write_text(" \n")
    Path("binary").write_bytes(bytes(range(256)) * 4)
    Path("empty-list").write_text("[]")
    Path("cut").write_text('{"keys": [{"kty":')
    Path("half-a-key").write_text('{"kty": "RSA", "kid": "1"}')
    assert run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert says in err
    assert "Traceback" not in err


def test_a_token_on_the_command_line_is_refused_and_not_repeated(capsys: Captured) -> None:
    assert run(["token", token()]) == 2
    err = capsys.readouterr().err
    assert "history of the shell" in err
    assert token().rsplit(".", 1)[1] not in err
