"""No output of any kind holds a whole token or its signature, wherever a token is put."""

from __future__ import annotations

import os
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

import pytest

import cmgtrail
import minted
from cmgtrail.cli import run
from cmgtrail.report import render
from minted import AT, AUDIENCE, authority, leaf, pem, token

SECRET = token()
SIGNATURE = SECRET.rsplit(".", 1)[1]


def assert_withheld(output: str, *, of: str = SECRET) -> None:
    """Neither the token nor any longer stretch of a signature; line breaks hide nothing."""
    joined = "".join(output.split())
    for signature in {SIGNATURE, of.strip().rsplit(".", 1)[-1]}:
        assert signature[:16] not in joined
    assert of not in output


PLANTED = {
    "itself": SECRET,
    "with a scheme": f"Bearer {SECRET}",
    "in a claim": token(aud=SECRET),
    "in a nested claim": token(act={"sub": [SECRET]}),
    "as a claim's name": token(header=None, **{SECRET: 1}),  # pyright: ignore[reportArgumentType]
    "in the header": token(header={"kid": SECRET}),
    "in the middle of a claim": token(upn=f"x {SECRET} y"),
    "twice": f"{SECRET}.{SECRET}",
    "with padding": f"{SECRET}==",
}


def reports(text: str) -> list[Any]:
    """Everything the API says of a token."""
    policy: dict[str, Any] = {"keys": minted.jwks(), "audience": AUDIENCE, "at": AT}
    output = f"DeviceId : {text}\nTenantName : {text}\n{text} : YES\n| {text} |\n"
    host = pem(leaf())
    return [
        cmgtrail.inspect_token(text),
        cmgtrail.inspect_token(text, mask=True),
        cmgtrail.validate_token(text, **policy),
        cmgtrail.validate_token(SECRET, **{**policy, "audience": text, "issuers": [text], "tenants": [text]}),
        cmgtrail.validate_token(SECRET, **{**policy, "keys": {"keys": [{"kty": text, "kid": text}]}}),
        cmgtrail.validate_tokens([text, f" {text}"], **policy),
        cmgtrail.inspect_certificate(text.encode()),
        cmgtrail.validate_chain(host, roots=text.encode(), host=text, internal_suffixes=text, at=AT),
        cmgtrail.validate_chain(
            host, roots=pem(authority("Contoso Root")), crls={text: None, "u": text.encode()}, at=AT
        ),
        cmgtrail.compare_phases(host, roots=text.encode(), host=text, crls={text: None}, at=AT),
        cmgtrail.read_dsregcmd(output),
        cmgtrail.validate_dsregcmd(output, token=text, at=AT),
    ]


@pytest.mark.parametrize("place", PLANTED)
def test_nothing_that_the_api_returns_holds_a_token(place: str) -> None:
    text = PLANTED[place]
    for thing in reports(text):
        assert_withheld(repr(thing), of=text)
        assert_withheld(thing._repr_html_(), of=text)
        if hasattr(thing, "to_dict"):
            assert_withheld(str(thing.to_dict()), of=text)
        if hasattr(thing, "to_pandas"):
            assert_withheld(str(thing.to_pandas().to_dict()), of=text)
        for check in getattr(thing, "checks", ()):
            assert_withheld(repr(check) + check._repr_html_() + str(check.to_dict()), of=text)
        if isinstance(thing, cmgtrail.Report):
            assert_withheld(thing.to_json() + repr(thing.checks) + thing.checks._repr_html_(), of=text)
            assert_withheld(str(thing.checks.to_pandas().to_dict()), of=text)
        if isinstance(thing, cmgtrail.DsregcmdStatus):
            assert_withheld(str([thing.get("DeviceId"), thing.get("TenantName"), thing.device_id]), of=text)


@pytest.mark.parametrize(
    "call",
    [
        lambda: cmgtrail.validate_token(SECRET, at=SECRET),
        lambda: cmgtrail.validate_token(SECRET, keys=SECRET, at=AT),
        lambda: cmgtrail.validate_token(SECRET, keys=[SECRET], at=AT),
        lambda: cmgtrail.validate_token(Path(SECRET[:200] + "/" + SECRET), at=AT),
        lambda: cmgtrail.validate_token(Path(SECRET), at=AT),
        lambda: cmgtrail.validate_tokens([SECRET, 5], at=AT),
        lambda: cmgtrail.validate_tokens(SECRET, at=AT),
        lambda: cmgtrail.inspect_certificate(SECRET),
        lambda: cmgtrail.validate_chain(SECRET, roots=SECRET, at=AT),
        lambda: cmgtrail.validate_chain(pem(leaf()), roots=[], at=AT, profile=SECRET),  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
        lambda: cmgtrail.read_dsregcmd(SECRET),
        lambda: cmgtrail.inspect_token("x").checks[SECRET],
    ],
)
def test_no_error_and_no_traceback_holds_a_token(call: Any) -> None:
    with pytest.raises((cmgtrail.CmgTrailError, LookupError)) as caught:
        call()
    assert_withheld(str(caught.value))
    assert_withheld("".join(traceback.format_exception(caught.value)))


@pytest.mark.parametrize("place", PLANTED)
@pytest.mark.parametrize("form", ["table", "json"])
def test_no_command_prints_a_token(
    place: str, form: str, capsys: pytest.CaptureFixture[str], documented: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "5000")
    text = PLANTED[place]
    (documented / "planted.txt").write_text(text)
    (documented / "status.txt").write_text(f"AzureAdJoined : YES\nDeviceId : {text}\nTenantName : {text}\n")
    for arguments in [
        ["token", "planted.txt", "--keys", "keys.json"],
        ["token", "planted.txt", "--keys", "planted.txt"],
        ["token", "planted.txt", "--inspect", "--mask"],
        ["token", "token.txt", "--keys", "keys.json", "--audience", text, "--issuer", text, "--tenant", text],
        ["cert", "planted.txt", "--host", text],
        ["cert", "cmg.pem", "--roots", "planted.txt", "--crl", "planted.txt", "--crl-unreachable", text],
        ["cert", "planted.txt", "--inspect"],
        ["dsregcmd", "status.txt", "--token", "planted.txt"],
        ["dsregcmd", "planted.txt"],
    ]:
        assert run([*arguments, "--format", form]) in {0, 1, 2, 3}  # 2: a token is no key
        out, err = capsys.readouterr()
        assert_withheld(out + err, of=text)


def misplaced() -> list[list[str]]:
    """Commands with a token where none belongs."""
    return [
        ["token", SECRET],
        ["token", "token.txt", SECRET],
        ["token", "token.txt", "--keys", SECRET],
        ["token", "token.txt", "--at", SECRET],
        ["token", "token.txt", "--leeway", SECRET],
        ["token", "token.txt", "--format", SECRET],
        ["token", "token.txt", f"--{SECRET}"],
        ["cert", SECRET],
        ["cert", "cmg.pem", "--profile", SECRET],
        ["dsregcmd", SECRET],
        ["diagnose", SECRET],
        ["records", SECRET],
        ["diagnose", ".", "--since", SECRET],
        [SECRET],
    ]


@pytest.mark.parametrize("arguments", misplaced(), ids=range(len(misplaced())))
def test_no_error_of_a_command_repeats_a_token(
    arguments: list[str], capsys: pytest.CaptureFixture[str], documented: Path
) -> None:
    assert documented.exists()
    assert run(arguments) == 2
    out, err = capsys.readouterr()
    assert err
    assert_withheld(out + err)


def test_no_traceback_of_a_command_holds_a_token(documented: Path) -> None:
    code = (
        "import sys, cmgtrail\n"
        "def defect(*a, **k): raise RuntimeError('a defect')\n"
        "cmgtrail.validate_token = defect\n"
        "from cmgtrail.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "token", "token.txt"],
        capture_output=True, text=True, check=False, cwd=documented, env={**os.environ, "CMGTRAIL_TRACEBACK": "1"},
    )  # fmt: skip
    assert "RuntimeError: a defect" in done.stderr
    assert_withheld(done.stdout + done.stderr)


def test_no_evidence_and_no_event_holds_a_token_of_a_log_line(tmp_path: Path, demo: Path) -> None:
    for log in demo.rglob("*.log"):
        copy = tmp_path / log.relative_to(demo)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(log.read_text("utf-8").replace("]LOG]!>", f" Bearer {SECRET}]LOG]!>"), "utf-8")
    trail = cmgtrail.read(tmp_path)
    assert any("[withheld]" in line.text for line in trail.evidence)
    texts = [event.text or "" for event in trail.events] + trail.events.to_polars()["text"].to_list()
    assert any("[withheld]" in text for text in texts)
    assert_withheld(trail.to_json() + render(trail) + "".join(texts), of=SIGNATURE)
