"""Plots: what they hold, that they can be drawn, and what is said where Altair is missing."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import vl_convert

import cmgtrail
from cmgtrail import plots
from conftest import HEALTHY, NO_TRAFFIC, logs_of

PICTURES = ["outcomes", "timeline", "causes", "onset"]


def drawn(chart: Any) -> bytes:
    return vl_convert.vegalite_to_png(chart.to_dict())


@pytest.mark.parametrize("case", [HEALTHY, NO_TRAFFIC, "two-clients-one-fails"])
@pytest.mark.parametrize("picture", PICTURES)
def test_each_picture_can_be_drawn(case: str, picture: str) -> None:
    chart = getattr(plots.Plots(cmgtrail.read(logs_of(case), progress=False)), picture)()
    assert drawn(chart).startswith(b"\x89PNG")


@pytest.mark.parametrize("picture", PICTURES)
def test_an_empty_picture_says_why_it_is_empty(picture: str) -> None:
    trail = cmgtrail.read(logs_of(HEALTHY), client="NOBODY", progress=False)
    title = getattr(plots.Plots(trail), picture)().to_dict()["title"]
    assert title["subtitle"].startswith("Nothing to draw: ")


def test_a_flow_shows_machines_steps_and_the_break(demo: Any) -> None:
    trail = cmgtrail.read(demo, progress=False)
    chart = plots.flow(trail.flows[0], trail)
    rows = (
        chart.to_dict()["data"]["values"]
        if "data" in chart.to_dict()
        else chart.to_dict()["layer"][0]["data"]["values"]
    )
    assert [row["stage"] for row in rows if row["broke"]] == ["cmg-connection"]
    assert {row["from"] for row in rows} == {"Client · PC042"}
    assert sum(row["lines"] for row in rows) == len(trail.flows[0].events)
    assert any(row["delay"] == "+10 min 0 s" for row in rows)
    assert drawn(chart).startswith(b"\x89PNG")


def test_of_many_attempts_the_first_and_last_are_drawn_unless_every_one_is_asked_for() -> None:
    trail = cmgtrail.read(logs_of("one-client-date-invalid"), progress=False)
    flow = max(trail.flows, key=lambda flow: flow.attempts)
    assert flow.attempts == 7
    some, every = (plots.flow(flow, trail, every=every).to_dict()["data"]["values"] for every in (False, True))
    assert {row["attempt"] for row in some if row["lines"]} == {1, 2, 6, 7}
    assert [row["label"] for row in some if not row["lines"]] == ["3 attempts in between are not drawn"]
    assert {row["attempt"] for row in every} == set(range(1, 8))
    assert drawn(flow.plot()).startswith(b"\x89PNG")


def test_outcomes_count_all_flows() -> None:
    trail = cmgtrail.read(logs_of("two-clients-one-fails"), progress=False)
    rows = plots.Plots(trail).outcomes().to_dict()["data"]["values"]
    assert {(row["kind"], row["outcome"]): row["flows"] for row in rows} == {
        ("install", "completed"): 1,
        ("install", "failed"): 1,
    }


def test_without_altair_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, demo: Any) -> None:
    monkeypatch.setitem(sys.modules, "altair", None)
    with pytest.raises(ImportError, match=r'pip install "cmgtrail\[notebook\]"'):
        plots.Plots(cmgtrail.read(demo, progress=False)).causes()


def test_a_client_whose_clock_is_years_off_does_not_squeeze_the_others(tmp_path: Path) -> None:
    cmgtrail.simulate(tmp_path / "site", clients=6, hours=2, faults=["client-clock-wrong=1"], seed=21)
    trail = cmgtrail.read(tmp_path / "site", progress=False)
    starts = sorted(flow.started for flow in trail.flows if flow.started)
    assert (starts[1] - starts[0]).days > 365
    for picture in ("timeline", "onset"):
        chart = getattr(trail.plot, picture)().to_dict()
        shown = [datetime.fromisoformat(row["started"]) for row in chart["data"]["values"]]
        assert len(shown) == len(starts) - 1
        assert max(shown) - min(shown) <= timedelta(hours=2)
        assert "1 flow of" in chart["title"]["subtitle"]
