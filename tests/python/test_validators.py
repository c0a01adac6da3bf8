"""The validators' Python face: what goes in, what comes out, and that all ways in say the same."""

from __future__ import annotations

import _thread
import json
import signal
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import cmgtrail
import minted
from minted import AT, AUDIENCE, DEVICE, HOST, TENANT, authority, crl, der, leaf, pem, token

STATUSES = {"passed", "failed", "not checked"}


def checked(text: Any, **changes: Any) -> cmgtrail.Report:
    """A token against everything it should satisfy."""
    arguments: dict[str, Any] = {"keys": minted.jwks(), "audience": AUDIENCE, "tenants": TENANT, "at": AT}
    return cmgtrail.validate_token(text, **{**arguments, **changes})


def chain(presented: Any = None, **changes: Any) -> cmgtrail.Report:
    """The CMG's certificate against the client's store."""
    arguments: dict[str, Any] = {"roots": pem(authority("Contoso Root")), "host": HOST, "at": AT}
    return cmgtrail.validate_chain(pem(leaf()) if presented is None else presented, **{**arguments, **changes})


def test_a_good_token_is_valid() -> None:
    report = checked(token())
    assert report.valid is True
    assert report.kind == "token"
    assert report.facts["device_id"] == DEVICE
    assert not len(report.failed)
    assert not len(report.open)


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"exp": int(AT.timestamp()) - 301}, "expiry"),
        ({"nbf": int(AT.timestamp()) + 301}, "not-before"),
        ({"aud": f"{AUDIENCE}/"}, "audience"),
        ({"aud": None}, "audience"),
        ({"tid": "9188040d-6c67-4c5b-b112-36a304b66dad"}, "issuer-tenant"),
    ],
)
def test_a_token_is_refused_for_its_cause(changes: dict[str, Any], cause: str) -> None:
    report = checked(token(**changes))
    assert report.valid is False
    assert cause in report.failed
    assert report.checks[cause].explanation.endswith(".")


def test_what_was_not_given_leaves_the_verdict_open() -> None:
    assert checked(token(), keys=None).valid is None
    assert "signature" in checked(token(), keys=None).open
    assert checked(token(), audience=None).valid is None
    assert checked(token(signer="stranger")).valid is False


def test_every_way_to_give_keys_says_the_same(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text(json.dumps(minted.jwks()))
    # PowerShell's redirection writes UTF-16.
    (tmp_path / "powershell.json").write_text(json.dumps(minted.jwks()), encoding="utf-16")
    ways: list[Any] = [
        minted.jwks(),
        minted.jwks()["keys"][0],
        json.dumps(minted.jwks()),
        json.dumps(minted.jwks()).encode(),
        tmp_path / "keys.json",
        str(tmp_path / "keys.json"),
        tmp_path / "powershell.json",
        [pem(authority("Contoso Root")), tmp_path / "keys.json"],
    ]
    assert [checked(token(), keys=way).valid for way in ways] == [True] * len(ways)


def test_every_way_to_give_a_token_says_the_same(tmp_path: Path) -> None:
    text = token()
    (tmp_path / "token.txt").write_text(text)
    (tmp_path / "powershell.txt").write_text(text, encoding="utf-16")
    ways: list[Any] = [text, text.encode(), bytearray(text.encode()), memoryview(text.encode()), f"Bearer {text}\n"]
    ways += [tmp_path / "token.txt", tmp_path / "powershell.txt"]
    assert [checked(way).valid for way in ways] == [True] * len(ways)


def test_every_way_to_give_certificates_says_the_same(tmp_path: Path) -> None:
    (tmp_path / "cmg.cer").write_bytes(der(leaf()))
    ways: list[Any] = [
        pem(leaf()),
        pem(leaf()).encode(),
        der(leaf()),
        tmp_path / "cmg.cer",
        str(tmp_path / "cmg.cer"),
        [der(leaf()), der(authority("Contoso Root"))],
    ]
    assert [chain(way).valid for way in ways] == [True] * len(ways)


@pytest.mark.parametrize(
    "at", [AT, AT.astimezone(timezone(timedelta(hours=-8))), "2026-11-04T09:12:33Z", "2026-11-04T10:12:33+01:00"]
)
def test_an_instant_names_its_zone(at: Any) -> None:
    assert checked(token(), at=at).valid is True
    assert chain(at=at).valid is True


@pytest.mark.parametrize("at", [datetime(2026, 11, 4, 9), "2026-11-04T09:12:33", "2026-11-04", "now", 5, None])  # noqa: DTZ001
def test_an_instant_without_a_zone_is_refused(at: Any) -> None:
    with pytest.raises(cmgtrail.ArgumentError, match="at: expected a time of the calendar with its zone"):
        checked(token(), at=at)
    with pytest.raises(cmgtrail.ArgumentError, match="at: expected a time of the calendar with its zone"):
        chain(at=at)


def test_there_is_no_default_instant() -> None:
    with pytest.raises(TypeError, match="at"):
        cmgtrail.validate_token(token())  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]


def test_a_report_is_no_truth_value() -> None:
    with pytest.raises(TypeError, match="valid"):
        bool(checked(token()))


def test_checks_are_a_sequence_and_a_table() -> None:
    checks = checked("a.b.c").checks
    rows = list(checks)
    assert len(rows) == len(checks) > 20
    assert {check.status for check in rows} == STATUSES
    assert checks[0] == rows[0]
    assert checks[-1] == rows[-1]
    assert list(checks[2:5]) == rows[2:5]
    assert rows[3] in checks
    assert checks["signature"].id == "signature"
    assert "signature" in checks
    assert "no-such-check" not in checks
    with pytest.raises(KeyError, match="no-such-check"):
        checks["no-such-check"]
    with pytest.raises(IndexError):
        checks[len(rows)]
    table = pa.table(checks)
    assert table.column_names == checks.columns
    assert table["explanation"].to_pylist() == [check.explanation for check in rows]
    assert checks.to_polars()["status"].to_list() == [check.status for check in rows]
    assert list(checks.to_pandas().columns) == checks.columns


def test_reports_are_frozen_equal_and_json() -> None:
    report = chain()
    assert report == chain()
    assert report != chain(host="other.contoso.com")
    assert report.to_dict() == json.loads(report.to_json()) == json.loads(report.to_json(indent=False))
    assert report.to_dict()["checks"][0] == report.checks[0].to_dict()
    assert set(report.to_dict()) == {"kind", "valid", "facts", "checks"}
    with pytest.raises(AttributeError):
        report.valid = True  # type: ignore[misc] # pyright: ignore[reportAttributeAccessIssue]


def test_windows_names_are_those_of_the_check() -> None:
    names = chain(at=AT + timedelta(days=400)).failed["expired"].windows
    assert names is not None
    assert (names["hresults"], names["codes"]) == (["CERT_E_EXPIRED"], [0x800B_0101])


@pytest.mark.parametrize(
    ("changes", "verdict", "cause"),
    [
        ({"host": "other.contoso.com"}, False, "name-mismatch"),
        ({"roots": pem(authority("Fabrikam Root"))}, False, "intermediate-missing"),
        ({"at": AT + timedelta(days=400)}, False, "expired"),
        ({"at": AT - timedelta(days=400)}, False, "not-yet-valid"),
        ({"purpose": "client"}, False, "wrong-eku"),
        ({"crls": pem(crl(4_711))}, False, "revoked"),
        ({"crls": pem(crl(4_711)), "revocation": "off"}, True, None),
        ({"crls": pem(crl(1_000))}, True, None),
        ({"disallowed": der(leaf())}, False, "explicitly-distrusted"),
        ({"presented": [pem(leaf()), pem(authority("Contoso Root"))], "roots": pem(authority("Fabrikam Root"))}, False,
         "root-not-in-client-store"),
    ],
)  # fmt: skip
def test_a_chain_is_refused_for_its_cause(changes: dict[str, Any], verdict: bool, cause: str | None) -> None:
    report = chain(changes.pop("presented", None), **changes)
    assert report.valid is verdict, report.failed
    if cause:
        assert cause in report.failed


def test_a_list_that_could_not_be_fetched_is_told() -> None:
    fetched = chain(crls={minted.CRL_URL: pem(crl())})
    assert fetched.valid is True
    not_fetched = chain(crls={minted.CRL_URL: None}, revocation="chain")
    assert not_fetched.valid is not True
    assert "crl-unreachable" in not_fetched.checks


@pytest.mark.parametrize(
    ("argument", "word"), [("purpose", "mail"), ("profile", "mac"), ("vantage", "moon"), ("revocation", "on")]
)
def test_words_are_checked(argument: str, word: str) -> None:
    with pytest.raises(cmgtrail.ArgumentError, match=f"{argument}: expected '.*found '{word}'"):
        chain(**{argument: word})


def test_phases_stand_side_by_side() -> None:
    arguments: dict[str, Any] = {"roots": pem(authority("Contoso Root")), "host": HOST, "at": AT}
    revoked = cmgtrail.compare_phases(pem(leaf()), crls=pem(crl(4_711)), **arguments)
    assert (revoked.bootstrap.valid, revoked.after_settings.valid) == (True, False)
    assert "/NoCRLCheck holds for the bootstrap alone" in revoked.explanation
    assert set(revoked.to_dict()) == {"bootstrap", "after_settings", "explanation"}
    assert revoked.bootstrap == chain(crls=pem(crl(4_711)), revocation="off")
    assert revoked.after_settings == chain(crls=pem(crl(4_711)), revocation="chain")
    off = cmgtrail.compare_phases(pem(leaf()), crls=pem(crl(4_711)), site_checks_crl=False, **arguments)
    assert off.after_settings.valid is True
    on = cmgtrail.compare_phases(pem(leaf()), crls=pem(crl(4_711)), no_crl_check=False, **arguments)
    assert on.bootstrap.valid is False


@pytest.mark.parametrize("tokens", [123, {"a": 1}, "one text"])
def test_what_is_no_column_of_tokens_is_told(tokens: Any) -> None:
    with pytest.raises(cmgtrail.ArgumentError, match="a column of text"):
        cmgtrail.validate_tokens(tokens, at=AT)


def test_certificates_are_inspected() -> None:
    report = cmgtrail.inspect_certificate([pem(leaf()), der(crl(5, 6))])
    assert report.valid is None, "nothing is judged"
    assert report.facts["certificates"][0]["names"] == [HOST]
    assert report.facts["revocation_lists"][0]["entries"] == 2
    assert cmgtrail.inspect_certificate(der(leaf())[:200]).valid is False


def test_dsregcmd_is_read() -> None:
    status = cmgtrail.read_dsregcmd(minted.dsregcmd())
    assert (status.join, status.device_id, status.tenant_id) == ("entra", DEVICE, TENANT)
    assert status.not_before == datetime(2024, 1, 11, 21, 2, 50, tzinfo=timezone.utc)
    assert status.get("keyprovider") == "Microsoft Platform Crypto Provider"
    assert len(status) == len(status.to_dict()["fields"]) == 12
    assert cmgtrail.read_dsregcmd(minted.dsregcmd().encode("utf-16")).device_id == DEVICE


def test_dsregcmd_is_held_against_certificate_and_token() -> None:
    beside: dict[str, Any] = {"certificates": der(minted.device_certificate()), "token": token(), "at": AT}
    good = cmgtrail.validate_dsregcmd(minted.dsregcmd(), **beside)
    crossed = [check for check in good.checks if "-matches-" in check.id]
    statuses = {check.id: check.status for check in crossed}
    assert statuses.pop("tenant-id-matches-certificate") == "not checked"  # ours names no tenant
    assert set(statuses.values()) == {"passed"}
    assert len(statuses) == 4
    assert good.valid is True
    other = cmgtrail.validate_dsregcmd(minted.dsregcmd(device="00000000-f062-4c1e-b062-db0a1b2cac04"), **beside)
    assert {"device-id-matches-certificate", "device-id-matches-token"} <= {check.id for check in other.failed}
    stranger = cmgtrail.validate_dsregcmd(minted.dsregcmd(thumbprint="AB" * 20), **beside)
    assert [check.id for check in stranger.failed] == ["thumbprint-matches-certificate"]
    tenant = cmgtrail.validate_dsregcmd(minted.dsregcmd(tenant="00000000-51a3-4df9-9c1e-cdd0a1b2ce0a"), **beside)
    assert [check.id for check in tenant.failed] == ["tenant-id-matches-token"]


COLUMNS = {
    "list": list,
    "generator": lambda texts: (text for text in texts),
    "pyarrow array": pa.array,
    "pyarrow large array": lambda texts: pa.array(texts, pa.large_string()),
    "pyarrow view array": lambda texts: pa.array(texts, pa.string_view()),
    "pyarrow chunks": lambda texts: pa.chunked_array([texts[:2], texts[2:]]),
    "pyarrow dictionary": lambda texts: pa.array(texts).dictionary_encode(),
    "polars": pl.Series,
    "polars categorical": lambda texts: pl.Series(texts, dtype=pl.Categorical),
    "pandas": pd.Series,
    "pandas of objects": lambda texts: pd.Series(texts, dtype=object),
}


@pytest.mark.parametrize("library", COLUMNS)
def test_a_column_says_what_each_report_says(library: str) -> None:
    texts = [token(), None, token(aud="urn:other"), "not a token", token(signer="stranger"), token(), token(tid=None)]
    verdicts = cmgtrail.validate_tokens(
        COLUMNS[library](texts), keys=minted.jwks(), audience=AUDIENCE, tenants=TENANT, at=AT
    )
    assert len(verdicts) == len(texts)
    for text, row in zip(texts, pa.table(verdicts).to_pylist(), strict=True):
        if text is None:
            assert set(row.values()) == {None}
            continue
        report = checked(text)
        assert row["valid"] is report.valid
        assert row["failed"] == [check.id for check in report.failed]
        assert row["not_checked"] == [check.id for check in report.open]
        if report.failed:
            assert row["explanation"] in {check.explanation for check in report.failed}
    assert verdicts.counts == (2, 4, 1)
    assert verdicts.to_polars().columns == list(verdicts.to_pandas().columns) == verdicts.columns


@pytest.mark.parametrize("nothing", [[], pa.array([], pa.string()), pa.chunked_array([], pa.string())])
def test_a_column_of_nothing_is_a_table_of_nothing(nothing: Any) -> None:
    verdicts = cmgtrail.validate_tokens(nothing, at=AT)
    assert (len(verdicts), verdicts.to_polars().height) == (0, 0)


@pytest.mark.parametrize("column", [[1], "one", b"one", pa.array([1]), pl.DataFrame({"t": ["x"]}), pa.array([[1]])])
def test_a_column_of_something_else_is_refused(column: Any) -> None:
    with pytest.raises(cmgtrail.ArgumentError, match="tokens: expected a column of text"):
        cmgtrail.validate_tokens(column, at=AT)


def test_progress_is_told_in_tokens() -> None:
    told: list[tuple[int, int]] = []
    cmgtrail.validate_tokens(["x"] * 300_000, at=AT, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (300_000, 300_000)


def interrupted(after: float, work: Callable[[], object]) -> float:
    """Presses Ctrl-C after some seconds of work, and says how long the work lasted in all."""
    told: list[int] = []

    def interrupt() -> None:
        told.append(1)  # only where the engine has let go of Python's lock
        _thread.interrupt_main()

    # A shell that starts the tests in the background has them ignore Ctrl-C.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(after, interrupt)
    timer.start()
    begun = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            work()
    finally:
        signal.signal(signal.SIGINT, before)
    assert told
    return time.monotonic() - begun


def test_ctrl_c_stops_a_column_while_other_threads_run() -> None:
    column = pa.array([token(uti=str(number)) for number in range(300)] * 3_000)
    work = lambda: cmgtrail.validate_tokens(column, keys=minted.jwks(), audience=AUDIENCE, at=AT)  # noqa: E731
    assert interrupted(0.3, work) < 2


@pytest.mark.parametrize("validate", [cmgtrail.validate_chain, cmgtrail.compare_phases])
def test_ctrl_c_stops_the_work_on_a_chain_and_not_only_the_wait_for_it(validate: Callable[..., object]) -> None:
    many = [pem(authority("Contoso Root")) * 300] * 400
    work = lambda: validate(pem(leaf()), roots=pem(authority("Contoso Root")), intermediates=many, at=AT)  # noqa: E731
    interrupted(0.5, work)
    used = time.process_time()
    time.sleep(3)
    # Whole, it takes three seconds more; what was begun may end.
    assert time.process_time() - used < 1, "the work goes on"


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda folder: cmgtrail.inspect_token(folder / "none.txt"), "none.txt"),
        (lambda folder: cmgtrail.inspect_certificate(folder / "none.pem"), "none.pem"),
        (lambda folder: checked(token(), keys=str(folder / "none.json")), "none.json"),
        (lambda folder: chain(roots=[folder / "none.pem"]), "none.pem"),
        (lambda folder: cmgtrail.read_dsregcmd(folder / "none.txt"), "none.txt"),
    ],
)
def test_a_file_that_is_not_there_is_named(call: Any, says: str, tmp_path: Path) -> None:
    with pytest.raises(cmgtrail.PathNotFoundError, match=says):
        call(tmp_path)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(cmgtrail.UnreadableError, match="cannot read"):
        cmgtrail.inspect_certificate(tmp_path)


@pytest.mark.parametrize("thing", [5, None, [5], {"a": 1}.items(), "two\nlines", "x" * 5_000, ""])
def test_things_of_no_use_are_refused_in_a_sentence(thing: Any) -> None:
    with pytest.raises(cmgtrail.ArgumentError, match="presented: expected bytes, PEM text"):
        chain(presented=thing if thing is not None else object())
    with pytest.raises(cmgtrail.ArgumentError, match="keys: expected bytes, a JWKS"):
        checked(token(), keys=thing if thing is not None else object())


def test_a_key_set_is_read_once_for_many_tokens() -> None:
    keys = cmgtrail.KeySet(minted.jwks())
    assert (len(keys), keys.problems) == (1, [])
    assert checked(token(), keys=keys) == checked(token())
    assert checked(token(signer="stranger"), keys=keys).valid is False


def test_numbers_that_cannot_be_are_refused_by_name() -> None:
    with pytest.raises(cmgtrail.ArgumentError, match="leeway: expected a number that is not negative"):
        cmgtrail.validate_token("a.b.c", at=minted.AT, leeway=-1)
    with pytest.raises(cmgtrail.ArgumentError, match="max_depth: expected a number that is not negative"):
        cmgtrail.validate_chain(b"x", roots=[], at=minted.AT, max_depth=-1)
