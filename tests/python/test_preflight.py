"""Preflight: the classes, the commands, and the description that logs give."""

from __future__ import annotations

import json
import re
from pathlib import Path

import polars as pl
import pytest

import cmgtrail
from cmgtrail.cli import run

AT = "2026-11-04T09:00Z"
Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def site(documented: Path) -> Path:
    """The site of docs/site.md, with its files beside it."""
    return documented / "site.toml"


def changed(site: Path, *changes: tuple[str, str]) -> Path:
    text = site.read_text("utf-8")
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    other = site.with_name("changed.toml")
    other.write_text(text, "utf-8")
    return other


HEALTHY = ("crl_check = true", "crl_check = false")


def test_a_prediction_is_a_value_that_cannot_be_changed(site: Path) -> None:
    prediction = cmgtrail.preflight(site, at=AT)
    assert prediction.works is False
    assert prediction.clients == {"PC042": False, "PC043": False}
    assert prediction.to_dict() == json.loads(prediction.to_json())
    with pytest.raises(AttributeError):
        prediction.works = True  # pyright: ignore[reportAttributeAccessIssue]
    finding = prediction.findings[0]
    assert (finding.failure, finding.severity, finding.confidence) == (
        "crl-check-restored-after-bootstrap",
        "error",
        "certain",
    )
    assert finding.to_dict() == prediction.to_dict()["findings"][0]
    assert "crl.contoso.com" in finding.why
    assert finding.remedy
    assert finding.reference.startswith("https://")
    assert cmgtrail.preflight(site, client="pc043", at=AT).clients == {"PC043": False}


def test_all_is_well_where_the_site_checks_no_lists(site: Path) -> None:
    prediction = cmgtrail.preflight(changed(site, HEALTHY), client="PC042", at=AT)
    assert prediction.works is True
    assert prediction.findings == []


def test_stages_are_a_table(site: Path) -> None:
    stages = cmgtrail.preflight(site, at=AT).stages
    frame = pl.DataFrame(stages)
    assert frame.columns == stages.columns
    assert len(frame) == len(stages) == 2 * 2 * 15
    blocked = frame.filter(pl.col("status") == "blocked")
    assert blocked.filter(pl.col("client") == "PC042")["failures"].to_list() == [["crl-check-restored-after-bootstrap"]]
    assert len(stages.to_pandas()) == len(stages)
    assert frame["observed"].null_count() == len(frame)


def test_it_shows_itself(site: Path) -> None:
    prediction = cmgtrail.preflight(changed(site, ("PC042", "<b>PC042")), at=AT)
    for value in (prediction, prediction.stages, prediction.findings[0]):
        assert "crl-check" in repr(value) or "failures" in repr(value)
        html = value._repr_html_()
        assert html.startswith("<style>")
        assert "<b>PC042" not in html


def test_logs_stand_beside_it(site: Path) -> None:
    trail = cmgtrail.read("logs")
    host = trail.flows[0].client.host
    assert host
    well = changed(site, HEALTHY, ("PC042", host))
    assert cmgtrail.preflight(well, client=host, at=AT).works is True
    prediction = cmgtrail.preflight(well, client=host, at=AT, logs=trail)
    assert prediction.works is None
    frame = prediction.stages.to_polars()
    differs = frame.filter(pl.col("agreement") == "disagree")
    assert "cmg-connection" in differs["stage"].to_list()
    assert all(differs["difference"])
    assert prediction.to_dict() == cmgtrail.preflight(well, client=host, at=AT, logs="logs").to_dict()


def test_users_in_a_parquet_file_are_known(site: Path) -> None:
    user = "0d9e8c7b-6a5f-4e3d-8c2b-1a0f9e8d7c6b"
    pl.DataFrame({"ID": [user], "Name": ["meg"], "Other": [1]}).write_parquet(site.with_name("users.parquet"))
    told = ('user = "entra"', f'user = "entra"\nuser_id = "{user}"')
    by_user = [HEALTHY, told, ("device_tokens = true", "device_tokens = false")]
    known = changed(site, *by_user, ("[client_defaults]", '[known]\nusers = "users.parquet"\n[client_defaults]'))
    prediction = cmgtrail.preflight(known, at=AT, client="PC042")
    assert prediction.works is True
    assert [(finding.failure, finding.severity) for finding in prediction.findings] == [
        ("device-token-not-enabled", "warning")
    ]
    stranger = changed(known, (f'user_id = "{user}"', f'user_id = "{user[:-1]}0"'))
    assert cmgtrail.preflight(stranger, at=AT, client="PC042").findings[0].failure == "user-not-discovered"


def test_mistakes_are_told_all_at_once(site: Path) -> None:
    wrong = changed(
        site,
        ('mode = "enhanced-http"', 'mode = "tls"'),
        ('certificate = "cmg.pem"', 'certificate = "gone.pem"'),
    )
    with pytest.raises(cmgtrail.SiteError) as error:
        cmgtrail.preflight(wrong, at=AT)
    lines = wrong.read_text("utf-8").splitlines()
    told = re.findall(r"line (\d+): ", str(error.value))
    assert [lines[int(line) - 1].split(" =")[0] for line in told] == ["certificate", "mode"]
    with pytest.raises(cmgtrail.ArgumentError, match="PC042"):
        cmgtrail.preflight(site, client="PC999", at=AT)
    with pytest.raises(cmgtrail.ArgumentError, match="at"):
        cmgtrail.preflight(site, at="2026-11-04T09:00")


def test_the_status_is_the_prediction(site: Path, capsys: Captured) -> None:
    at = ["--at", AT]
    assert run(["preflight", "site.toml", *at]) == 1
    shown = capsys.readouterr().out
    assert "2 clients: 2 would not work." in shown
    assert "/NoCRLCheck" in shown
    assert run(["preflight", str(changed(site, HEALTHY)), "--client", "PC042", *at]) == 0
    assert run(["preflight", str(changed(site, HEALTHY, ('state = "running"\n', ""))), "--client", "PC042", *at]) == 3
    capsys.readouterr()
    assert run(["preflight", "site.toml", "--client", "PC999", *at]) == 2
    assert run(["preflight", "absent.toml", *at]) == 2
    assert run(["preflight", "site.toml", "--at", "soon"]) == 2
    assert "PC042" in capsys.readouterr().err


def test_json_is_that_of_the_class(site: Path, capsys: Captured) -> None:
    assert run(["preflight", "site.toml", "--client", "PC042", "--at", AT, "--format", "json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found == cmgtrail.preflight(site, client="PC042", at=AT).to_dict()
    stages = found["clients"][0]["phases"][1]["stages"]
    connection = next(stage for stage in stages if stage["stage"] == "cmg-connection")
    assert connection["reports"][0]["kind"] == "certificate-chain"


def test_logs_give_a_first_description(documented: Path, capsys: Captured) -> None:
    assert run(["site", "from-logs", "logs", "--out", "first.toml"]) == 0
    assert "first.toml" in capsys.readouterr().err
    prediction = cmgtrail.preflight("first.toml", at=AT)
    assert prediction.works is None
    trail = cmgtrail.read("logs")
    assert set(prediction.clients) == {flow.client.host for flow in trail.flows}
    assert run(["site", "from-logs", "logs", "--out", "first.toml"]) == 2
    assert "is there already" in capsys.readouterr().err
    assert run(["site", "from-logs", "logs"]) == 0
    assert capsys.readouterr().out == (documented / "first.toml").read_text("utf-8")


def test_no_token_leaves(site: Path, capsys: Captured) -> None:
    token = Path("token.txt").read_text("utf-8").strip()
    told = changed(site, HEALTHY, ("SMSSITECODE=PS1", f"/regtoken:{token} SMSSITECODE=PS1"))
    run(["preflight", str(told), "--at", AT, "--client", "PC042", "--format", "json"])
    run(["preflight", str(told), "--at", AT])
    shown = capsys.readouterr()
    assert token not in shown.out + shown.err
    assert token.split(".")[2] not in shown.out + shown.err
