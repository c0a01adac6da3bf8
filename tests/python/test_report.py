"""The report, its data and its words, without a browser."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import cmgtrail
from cmgtrail.cli.listing import inert
from cmgtrail.display import sequence
from cmgtrail.display import words as display_words
from cmgtrail.display.sequence import Machine
from cmgtrail.report import context, flows, render, verdict
from conftest import HEALTHY, NO_TRAFFIC, case_names, logs_of

AT = datetime(2026, 11, 4, 8, 0, tzinfo=timezone.utc)


def event(source: str, stage: str, mark: str, seconds: float, attempt: int = 1) -> Any:
    at = AT + timedelta(seconds=seconds)
    join = SimpleNamespace(confidence="certain", rivals=0)
    return SimpleNamespace(source=source, line=1, stage=stage, mark=mark, at=at, attempt=attempt, join=join)


def drawn(
    events: list[Any],
    writers: dict[str, Machine],
    outcome: str = "failed",
    broke: str | None = None,
    stages: tuple[Any, ...] = (),
) -> Any:
    client = SimpleNamespace(host="PC042")
    flow: Any = SimpleNamespace(events=events, outcome=outcome, broke_at=broke, client=client, stages=stages)
    return sequence.sequence(flow, writers)


def stage(name: str, status: str, *evidence: tuple[str, int]) -> Any:
    return SimpleNamespace(stage=name, status=status, evidence=list(evidence))


def test_a_client_asks_the_gateway_and_elsewhere_the_management_point() -> None:
    events = [event("a.log", "mp-validate", "fail", 0)]
    writers = {"a.log": Machine("client", "PC042", 0.0)}
    through = drawn(events, writers, broke="cmg-forward", stages=(stage("cmg-connection", "passed"),))
    assert [lane.role for lane in through.lanes] == ["client", "cmg"]
    direct = drawn(events, writers, broke="mp-validate", stages=(stage("cmg-connection", "skipped"),))
    assert [lane.role for lane in direct.lanes] == ["client", "management-point"]


def test_a_stage_that_no_step_shows_broke_where_its_line_stands() -> None:
    events = [event("a.log", "mp-validate", "fail", 0), event("b.log", "cmg-receive", "start", 1)]
    writers = {"a.log": Machine("client", "PC042", 0.0), "b.log": Machine("cmg", "VM0", 0.0)}
    by_line = drawn(events, writers, broke="cmg-forward", stages=(stage("cmg-forward", "failed", ("b.log", 1)),))
    assert [step.broke for step in by_line.steps] == [False, True]
    assert by_line.stopped(by_line.steps[1]) == "stopped at cmg-forward, as this shows"
    by_failure = drawn(events, writers, broke="cmg-forward", stages=(stage("cmg-forward", "failed"),))
    assert [step.broke for step in by_failure.steps] == [True, False]


def test_a_diagram_takes_clock_offsets_off_its_times_and_delays() -> None:
    writers = {"c": Machine("client", "PC042", 0.0), "m": Machine("management-point", "MP01", 300.0)}
    lines = [event("c", "ccm-token-request", "start", 0), event("m", "mp-validate", "ok", 302)]
    steps = drawn(lines, writers, "completed").steps
    assert [step.delay for step in steps] == [0.0, 2.0]
    assert [step.at - AT for step in steps] == [timedelta(0), timedelta(seconds=2)]


def test_clocks_that_nobody_compared_give_no_delay() -> None:
    writers = {"c": Machine("client", "PC042", None), "m": Machine("management-point", "MP01", None)}
    lines = [event("c", "ccm-token-request", "start", 0), event("m", "mp-validate", "ok", 302)]
    assert drawn(lines, writers, "completed").steps[1].delay is None


def test_the_break_is_marked_in_the_last_attempt() -> None:
    lines = [
        event("c", "cmg-connection", "fail", 0),
        event("c", "ccm-token-request", "fail", 1),
        event("c", "cmg-connection", "fail", 2, 2),
        event("c", "ccm-token-request", "fail", 3, 2),
    ]
    steps = drawn(lines, {"c": Machine("client", "PC042", None)}, broke="cmg-connection").steps
    assert [step.broke for step in steps] == [False, False, True, False]


def test_a_step_tells_the_doubt_about_its_least_sure_line() -> None:
    events = [event("c.log", "aad-token", "start", 0), event("c.log", "aad-token", "ok", 1)]
    writers = {"c.log": Machine("client", "PC042", None)}
    assert drawn(events, writers).steps[0].doubt == ""
    events[1].join.confidence = "likely"
    assert drawn(events, writers).steps[0].doubt == "likely"
    events[0].join = SimpleNamespace(confidence="possible", rivals=2)
    assert drawn(events, writers).steps[0].doubt == "possible, 2 other flows fit as well"


def test_a_completed_flow_has_no_break() -> None:
    lines = [event("c", "cmg-connection", "fail", 0), event("c", "cmg-connection", "ok", 1, 2)]
    steps = drawn(lines, {"c": Machine("client", "PC042", None)}, "completed").steps
    assert not any(step.broke for step in steps)


def test_lines_of_one_machine_and_stage_are_one_step_between_its_lanes() -> None:
    lines = [event("c", "aad-token", "start", 0), event("c", "aad-token", "ok", 1), event("m", "mp-validate", "ok", 2)]
    writers = {"c": Machine("client", "PC042", None), "m": Machine("management-point", "MP01", None)}
    shown = drawn(lines, writers, "completed")
    assert [lane.role for lane in shown.lanes] == ["client", "entra", "connection-point", "management-point"]
    assert [(step.origin, step.target, step.lines, step.mark) for step in shown.steps] == [
        (0, 1, 2, "ok"),
        (2, 3, 1, "ok"),
    ]


def test_a_management_point_asks_nobody() -> None:
    lines = [event("i", "cmg-connection", "ok", 0), event("g", "mp-validate", "ok", 1)]
    writers = {"i": Machine("management-point", "MP01", None), "g": Machine("cmg", "GW", None)}
    shown = drawn(lines, writers, "completed")
    roles = [lane.role for lane in shown.lanes]
    assert [(roles[step.origin], roles[step.target]) for step in shown.steps] == [
        ("management-point", "management-point"),
        ("cmg", "management-point"),
    ]


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.44, "0.4 s"), (12.3, "12 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")]
)
def test_durations_in_words(seconds: float, words: str) -> None:
    assert sequence.duration(seconds) == words


@pytest.mark.parametrize(
    ("scope", "stage", "words"),
    [
        ("client", "aad-token", "the client"),
        ("site", "cmg-connection", "the gateway"),
        ("site", "mp-validate", "the site"),
        ("client or site", "cmg-connection", "the client or the gateway"),
        ("site, all clients at once", "cmg-forward", "the gateway (all clients at once)"),
        ("tenant", "aad-info", "the Entra tenant"),
    ],
)
def test_whose_it_is(scope: str, stage: str, words: str) -> None:
    finding: Any = SimpleNamespace(scope=scope, stage=stage)
    assert display_words.party(finding) == words


def test_the_first_line_never_sounds_surer_than_the_finding() -> None:
    for case in case_names():
        trail = cmgtrail.read(logs_of(case), progress=False)
        errors = [finding for finding in trail.findings if finding.severity == "error"]
        tone, first, _ = verdict.lines(trail)
        assert (tone == "bad") == bool(errors), case
        if errors and errors[0].confidence != "certain":
            assert "likely" in first or "possibly" in first, case


def test_a_healthy_trail_and_one_without_traffic_raise_no_alarm() -> None:
    assert verdict.lines(cmgtrail.read(logs_of(HEALTHY), progress=False))[0] == "good"
    assert verdict.lines(cmgtrail.read(logs_of(NO_TRAFFIC), progress=False))[0] == "open"


def test_what_is_merely_noted_is_no_cause_and_no_finding() -> None:
    page = render(cmgtrail.read(logs_of("healthy-negotiation-and-scanners")))
    causes, noted = page.split("<h2>Noted, and nothing to repair</h2>")
    assert causes.rstrip().endswith("<p>None.</p>")
    assert "windows-auth-negotiation" in noted
    assert re.search(r"; 0 findings and \d notes?\.", causes)
    assert "lies with" not in noted


def test_several_causes_are_told_with_all_whom_they_stop() -> None:
    trail = cmgtrail.read(logs_of("date-invalid-on-one-client"))
    assert " stopped, by " not in verdict.lines(trail)[2]
    errors: Any = [
        SimpleNamespace(
            failure=name, severity="error", confidence="likely", scope="client", stage="aad-token", clients=len(hosts),
            title=name, remedy="Mend it.",
            flows=[SimpleNamespace(client=SimpleNamespace(host=host, device_id=None), id=host) for host in hosts],
        )
        for name, hosts in (("one", ["A", "B"]), ("two", ["C"]))
    ]  # fmt: skip
    made_up: Any = SimpleNamespace(findings=errors, flows=[*errors[0].flows, *errors[1].flows], traffic=True)
    for flow in made_up.flows:
        flow.outcome, flow.findings = "failed", errors
    second = verdict.lines(made_up)[2]
    assert second.startswith(
        "3 of 3 clients are stopped, by 2 causes. This one stops 2 of 3 clients. What to do: Mend it."
    )
    assert "Besides it: two" in second
    for error in errors:
        error.confidence = "possible"
    errors[1].flows = errors[0].flows
    assert "Or it is: two" in verdict.lines(made_up)[2]
    assert "Besides" not in verdict.lines(made_up)[2]


def test_it_works_only_where_an_attempt_went_through(tmp_path: Path) -> None:
    nobody = cmgtrail.read(logs_of(HEALTHY), client="NOBODY-HERE", progress=False)
    assert verdict.lines(nobody)[0] == "open"
    # An install that was cut off while it ran: its start and its first request, and no end.
    (source,) = logs_of("root-missing-mask-8").rglob("ccmsetup.log")
    log = tmp_path / "client-PC042" / "ccmsetup.log"
    log.parent.mkdir()
    log.write_text("".join(source.read_text("utf-8").splitlines(keepends=True)[:22]), "utf-8")
    begun = cmgtrail.read(tmp_path, progress=False)
    assert [flow.outcome for flow in begun.flows] == ["unfinished"]
    assert "It works" not in " ".join(verdict.lines(begun))


def test_evidence_has_the_lines_around_it(demo: Any) -> None:
    trail = cmgtrail.read(demo, progress=False)
    file = trail.evidence[0].source
    numbers = [line.line for line in context.around(trail, [(file, 20)])[file, 20]]
    assert numbers == [18, 19, 20, 21, 22]


def test_close_lines_share_their_neighbours(demo: Any) -> None:
    trail = cmgtrail.read(demo, progress=False)
    file = trail.evidence[0].source
    found = context.around(trail, [(file, 20), (file, 22)])
    assert found[file, 20] is found[file, 22]
    assert [line.line for line in found[file, 20]] == [18, 19, 20, 21, 22, 23, 24]


@pytest.mark.parametrize(
    ("wanted", "blocks"),
    [
        ([20, 25], [range(18, 28)]),  # 21 and 22 stand behind 20, 23 and 24 before 25
        ([20, 26], [range(18, 23), range(24, 29)]),
        ([1, 4, 51], [range(1, 7), range(49, 52)]),
    ],
)
def test_no_line_is_shown_twice(wanted: list[int], blocks: list[range], demo: Any) -> None:
    trail = cmgtrail.read(demo, progress=False)
    file = trail.evidence[0].source
    found = context.around(trail, [(file, line) for line in wanted])
    shown = {id(block): [line.line for line in block] for block in found.values()}
    assert sorted(shown.values()) == [list(block) for block in blocks]


def test_the_data_ends_no_script_element() -> None:
    text = flows.as_json({"a": "</script><!--<script>&\u2028"})
    assert not set(text) & set("<>&\u2028")
    assert json.loads(text) == {"a": "</script><!--<script>&\u2028"}


@pytest.mark.parametrize("case", case_names())
def test_every_case_has_a_page_with_all_flows_and_lines(case: str) -> None:
    trail = cmgtrail.read(logs_of(case), progress=False)
    page = render(trail)
    assert page == render(trail)
    index, details = (
        json.loads(re.findall(rf'id="{name}">(.*?)</script>', page, re.DOTALL)[0]) for name in ("index", "details")
    )
    assert [flow["outcome"] for flow in index] == [flow.outcome for flow in trail.flows]
    assert [len(flow["lines"]) for flow in details["flows"]] == [len(flow.events) for flow in trail.flows]
    assert page.count("<script") == 3


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\uff1d1"])
def test_no_cell_becomes_a_formula(cell: str) -> None:
    assert inert(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["words", "a=b", 5, -60, None, ""])
def test_other_cells_stay_as_they_are(cell: object) -> None:
    assert inert(cell) == cell


def test_a_record_of_a_million_characters_does_not_drown_the_page(tmp_path: Path) -> None:
    log = tmp_path / "client-PC042" / "ccmsetup.log"
    log.parent.mkdir()
    text = next(logs_of("root-missing-mask-8").rglob("ccmsetup.log")).read_text("utf-8")
    flag = "WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CA is set"
    assert flag in text
    log.write_text(text.replace(flag, flag + " " + "x" * 1_000_000), "utf-8")
    trail = cmgtrail.read(tmp_path, progress=False)
    assert any(len(line.text) > 1_000_000 for line in trail.findings[0].evidence)
    plain = len(render(cmgtrail.read(logs_of("root-missing-mask-8"), progress=False)))
    page = render(trail)
    assert len(page) < plain + 500_000
    assert "characters more in the log" in page


def test_every_verdict_on_an_artefact_is_shown(tmp_path: Path) -> None:
    cmgtrail.simulate(tmp_path / "site", clients=6, hours=2, faults=["client-clock-wrong=1"], seed=21)
    trail = cmgtrail.read(tmp_path / "site", progress=False)
    verdicts = [line for finding in trail.findings for line in finding.evidence if line.text.startswith("Verdict on")]
    assert len(verdicts) > len({line.source for line in verdicts}), "two on one certificate"
    assert render(trail).count("Verdict on") == len(verdicts)


def test_a_report_that_cannot_be_written_says_where_and_why(demo: Path, tmp_path: Path) -> None:
    trail = cmgtrail.read(demo, progress=False)
    with pytest.raises(cmgtrail.CmgTrailError, match=r"page.html': No such file or directory. Name a file"):
        trail.report(tmp_path / "no-such-folder" / "page.html")
