"""Pictures for notebooks, on Altair: `Flow.plot()` and `Trail.plot`. Colours hold on light and on dark pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cmgtrail.display import sequence as layout
from cmgtrail.display import words
from cmgtrail.display.words import visible

if TYPE_CHECKING:
    from datetime import datetime

    import altair as alt

    from cmgtrail import Flow, Trail

_GREY = "#7d828c"
_MARKS = {"ok": "#2f9e5f", "fail": "#e0483e", "start": _GREY}
_OUTCOMES = {"completed": "#2f9e5f", "failed": "#e0483e", "stalled": "#c9822b", "unfinished": _GREY}
_SEVERITIES = {"error": "#e0483e", "warning": "#c9822b", "info": _GREY}
_ROW = 34
_STEP = 40
_PART, _LINE = " · ", 14
_BROKE, _WORKED = "did not complete", "completed"
CAUSES = 20
"""Causes that a picture shows, the most frequent first."""
CLIENTS = 60
"""Clients that a picture shows, those of broken flows first."""


class Plots:
    """The pictures of a trail: `trail.plot.outcomes()` and others. Each is an Altair chart, to be shown or saved."""

    def __init__(self, trail: Trail) -> None:
        self._trail = trail

    def outcomes(self) -> alt.Chart:
        """How the flows of each kind ended."""
        alt = _altair()
        counts: dict[tuple[str, str], int] = {}
        for flow in self._trail.flows:
            counts[flow.kind, flow.outcome] = counts.get((flow.kind, flow.outcome), 0) + 1
        rows = [{"kind": kind, "outcome": outcome, "flows": count} for (kind, outcome), count in counts.items()]
        chart = alt.Chart(_data(rows), title=_title("How flows ended", rows)).mark_bar()
        return _styled(
            chart.encode(
                x=alt.X("flows:Q", title="flows", axis=alt.Axis(tickMinStep=1, format=",d")),
                y=alt.Y("kind:N", title=None, sort=["install", "registration", "service"]),
                color=_colour("outcome", _OUTCOMES),
                tooltip=["kind:N", "outcome:N", "flows:Q"],
            ),
            height={"step": _ROW},
        )

    def timeline(self) -> alt.Chart:
        """When each client was at work, and how that ended: a bar for each flow, with a dot where it began.

        Of more than `CLIENTS` clients those of broken flows are shown first, and the title says how many there are.
        """
        alt = _altair()
        by_client: dict[str, list[Flow]] = {}
        for flow in sorted(self._trail.flows, key=lambda flow: flow.outcome == "completed"):
            by_client.setdefault(words.client_name(flow), []).append(flow)
        shown = list(by_client)[:CLIENTS]
        dated, apart = _together([flow for name in shown for flow in by_client[name] if flow.started])
        rows = [
            {
                "client": words.client_name(flow), "kind": flow.kind, "outcome": flow.outcome,
                "broke at": flow.broke_at or "", "started": _instant(flow.started),
                "ended": _instant(flow.ended or flow.started),
            }
            for flow in dated
        ]  # fmt: skip
        of_all = f" ({len(shown)} of {len(by_client):,})" if len(by_client) > len(shown) else ""
        title = _title(f"Flows of each client{of_all}", rows, apart)
        base = alt.Chart(_data(rows)).encode(
            x=_time("started", _spell(dated)),
            y=alt.Y("client:N", title=None),
            color=_colour("outcome", _OUTCOMES),
            tooltip=["client:N", "kind:N", "outcome:N", "broke at:N", "started:T", "ended:T"],
        )
        bars = base.mark_bar(height=8, cornerRadius=2).encode(x2="ended:T")
        return _styled(bars + base.mark_circle(size=70, opacity=1), height={"step": 20}, title=title)

    def causes(self) -> alt.Chart:
        """How many clients each cause stops; what was overcome, and what is harmless, only where nothing stops any."""
        alt = _altair()
        causes = [finding for finding in self._trail.findings if finding.severity == "error"]
        found = sorted(causes or self._trail.findings, key=lambda finding: -finding.clients)[:CAUSES]
        rows = [
            {
                "cause": visible(finding.failure), "clients": finding.clients, "severity": finding.severity,
                "confidence": finding.confidence, "title": visible(finding.title),
            }
            for finding in found
        ]  # fmt: skip
        chart = alt.Chart(_data(rows), title=_title("Clients by cause", rows, nothing="no cause was found")).mark_bar()
        return _styled(
            chart.encode(
                x=alt.X("clients:Q", axis=alt.Axis(tickMinStep=1, format=",d")),
                y=alt.Y("cause:N", title=None, sort="-x", axis=alt.Axis(labelLimit=260)),
                color=_colour("severity", _SEVERITIES),
                tooltip=["cause:N", "title:N", "clients:Q", "severity:N", "confidence:N"],
            ),
            height={"step": _ROW},
        )

    def onset(self) -> alt.Chart:
        """When flows began that completed, and those that did not: it shows since when something is wrong."""
        alt = _altair()
        dated, apart = _together([flow for flow in self._trail.flows if flow.started])
        rows = [
            {
                "started": _instant(flow.started), "outcome": flow.outcome,
                "end": _WORKED if flow.outcome == "completed" else _BROKE,
            }
            for flow in dated
        ]  # fmt: skip
        spell = _spell(dated)
        unit, name = _bin(spell)
        axis = alt.Axis(format=_clock_format(spell), tickCount=8, labelAngle=0)
        # In panels with scales of their own Vega ticks between whole numbers all the same.
        flows = alt.Axis(tickMinStep=1, tickCount=4, labelExpr="datum.value % 1 ? '' : format(datum.value, ',d')")
        chart = alt.Chart(_data(rows)).mark_bar()
        chart = chart.encode(
            x=alt.X(f"{unit}(started):T", title="UTC", axis=axis),
            y=alt.Y("count():Q", title="flows", axis=flows),
            color=_colour("outcome", _OUTCOMES),
            row=alt.Row("end:N", title=None, header=alt.Header(labelColor=_GREY, labelFontSize=12)),
            tooltip=[alt.Tooltip(f"{unit}(started):T", title=name), "outcome:N", "count():Q"],
        )
        chart = chart.resolve_scale(y="independent")
        title = _title(f"Flows by the {name} in which they began", rows, apart)
        return _styled(chart, height=110, title=title)

    def __repr__(self) -> str:
        return "<Plots: outcomes(), timeline(), causes(), onset()>"


def flow(shown: Flow, trail: Trail, *, every: bool = False) -> alt.Chart:
    """A flow as a sequence diagram: machines, stages, delays, clock offsets, and where it stopped.

    Args:
        shown: The flow.
        trail: The trail that it is from, which knows machines and clocks.
        every: Every attempt; else of more than five the first two and the last two.
    """
    alt = _altair()
    drawn = layout.sequence(shown, layout.machines(trail))
    lanes = [_lane_words(lane) for lane in drawn.lanes]
    rows = _step_rows(drawn, frozenset() if every else drawn.between, lanes)
    # Names stand in lines, one under the other, and the last of them above the picture.
    below = max((lane.count(_PART) for lane in lanes), default=0) * _LINE
    axis = alt.Axis(
        orient="top", title=None, labelAngle=0, labelLimit=180, labelExpr=f"split(datum.label, '{_PART}')",
        labelPadding=4 + below, domain=False, grid=True, gridDash=[3, 5],
    )  # fmt: skip
    x = alt.X("from:N", sort=lanes, scale=alt.Scale(domain=lanes), axis=axis)
    y = alt.Y("row:O", axis=None, scale=alt.Scale(domain=list(range(len(rows)))))
    end = f"stopped at {shown.broke_at}" if shown.broke_at else shown.outcome
    base = alt.Chart(_data(rows)).encode(
        x=x, y=y, color=_colour("mark", _MARKS),
        tooltip=["stage:N", "mark:N", "attempt:Q", "time:N", "delay:N", "lines:Q", "belongs here:N"],
    )  # fmt: skip
    ways = base.mark_rule(strokeWidth=2).encode(x2="to:N")
    tips = [
        base.transform_filter(f"datum.way === '{way}'").mark_point(shape=shape, filled=True, size=110, opacity=1)
        .encode(x=alt.X("to:N", sort=lanes, scale=alt.Scale(domain=lanes), axis=axis))
        for way, shape in {"right": "triangle-right", "left": "triangle-left", "self": "circle"}.items()
    ]  # fmt: skip
    said = base.mark_text(align="left", dx=8, dy=-9, fontSize=12).encode(
        x=alt.X("label at:N", sort=lanes, scale=alt.Scale(domain=lanes), axis=axis), text="label:N"
    )
    times = base.mark_text(align="right", fontSize=11, color=_GREY).encode(
        x=alt.value(-12), text="when:N", color=alt.value(_GREY)
    )
    stop = (
        base.transform_filter("datum.broke")
        .mark_rule(strokeDash=[7, 4], strokeWidth=2, yOffset=15)
        .encode(x=alt.value(-150), x2=alt.value("width"), color=alt.value(_MARKS["fail"]))
    )
    word = (
        base.transform_filter("datum.broke")
        .mark_text(align="right", fontWeight="bold", dy=26)
        .encode(x=alt.value("width"), text="stopped:N", color=alt.value(_MARKS["fail"]))
    )
    title = f"{shown.kind} of {words.client_name(shown)}, {words.moment(shown.started)}: {end}"
    chart = alt.layer(ways, *tips, said, times, stop, word, title=title)
    return _styled(chart, height={"step": _STEP}, width=max(320, 190 * len(lanes)))


def _lane_words(lane: layout.Lane) -> str:
    parts = [lane.label, *map(visible, lane.hosts[:1])]
    if lane.ahead:
        side = "ahead" if lane.ahead > 0 else "behind"
        parts.append(f"clock {abs(lane.ahead):.1f} s {side}")
    return _PART.join(parts)


def _step_rows(drawn: layout.Sequence, left: frozenset[int], lanes: list[str]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    told = not left
    for step in drawn.steps:
        if step.attempt not in left:
            rows.append(_step_row(step, len(rows), lanes) | {"stopped": drawn.stopped(step)})
        elif not told:
            told = True
            words = f"{len(left)} attempts in between are not drawn"
            rows.append(_step_row(step, len(rows), lanes) | _NO_STEP | {"to": lanes[step.origin], "label": words})
    return rows


_NO_STEP = {
    "way": "none",
    "mark": "start",
    "stage": "",
    "delay": "",
    "when": "",
    "lines": 0,
    "broke": False,
    "stopped": "",
}


def _step_row(step: layout.Step, place: int, lanes: list[str]) -> dict[str, Any]:
    delay = f"+{layout.duration(step.delay)}" if step.delay and step.delay >= 1 else ""
    time = step.at.strftime("%H:%M:%S") if step.at else ""
    sign = {"fail": "✗ ", "ok": "✓ "}.get(step.mark, "")
    way = "self" if step.origin == step.target else "right" if step.origin < step.target else "left"
    count = f" ({step.lines} lines)" if step.lines > 1 else ""
    doubt = f" · {step.doubt.partition(',')[0]}" if step.doubt else ""
    return {
        "row": place, "from": lanes[step.origin], "to": lanes[step.target], "way": way, "mark": step.mark,
        "label at": lanes[min(step.origin, step.target)], "label": f"{sign}{step.stage}{count}{doubt}",
        "stage": step.stage, "attempt": step.attempt, "time": time, "delay": delay, "when": f"{delay}   {time}".strip(),
        "lines": step.lines, "broke": step.broke, "belongs here": step.doubt or "certain",
    }  # fmt: skip


_HOUR, _DAY = 3600, 86400


def _bin(seconds: float) -> tuple[str, str]:
    if seconds <= 2 * _HOUR:
        return "utcyearmonthdatehoursminutes", "minute"
    if seconds <= 3 * _DAY:
        return "utcyearmonthdatehours", "hour"
    if seconds <= 120 * _DAY:
        return "utcyearmonthdate", "day"
    return "utcyearmonth", "month"


def _altair() -> Any:  # noqa: ANN401 - a module that may not be there
    try:
        import altair as alt
    except ImportError:
        raise ImportError('plots need Altair, which is not installed: pip install "cmgtrail[notebook]"') from None
    return alt


def _data(rows: list[dict[str, Any]]) -> Any:  # noqa: ANN401 - Altair's own
    """Rows as Altair's data, without a DataFrame in between."""
    return _altair().Data(values=rows)


def _title(text: str, rows: list[dict[str, Any]], subtitle: str = "", nothing: str = "these logs show no flow") -> Any:  # noqa: ANN401 - Altair's own
    """A title that says of an empty picture why it is empty."""
    return _altair().Title(text, subtitle=subtitle if rows else f"Nothing to draw: {nothing}.")


def _instant(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


_MOST, _FAR = 0.8, 20
"""The share of the flows that is worth a picture of its own, and how many times its spell is too far to be in it."""


def _together(flows: list[Flow]) -> tuple[list[Flow], str]:
    """The flows that one axis can show, and in words what is left out.

    A client whose clock is years off would make one column of all others.
    """
    dated = sorted((flow.started.timestamp(), place) for place, flow in enumerate(flows) if flow.started)
    spells: list[list[tuple[float, int]]] = []
    for each in dated:
        if not spells or each[0] - spells[-1][-1][0] > _DAY:
            spells.append([])
        spells[-1].append(each)
    most = max(spells, key=len) if spells else []
    if len(most) < _MOST * len(dated):
        return flows, ""
    (first, _), (last, _) = (most[0], most[-1]) if most else ((0.0, 0), (0.0, 0))
    room = _FAR * max(last - first, _HOUR)
    near = {place for at, place in dated if first - room <= at <= last + room}
    far = [flow for place, flow in enumerate(flows) if place not in near]
    if not far:
        return flows, ""
    clients = sorted({words.client_name(flow) for flow in far})
    named = f"of {clients[0]}" if len(clients) == 1 else f"of {len(clients):,} clients"
    left = f"not drawn: {words.counted(len(far), 'flow')} {named}, {words.moment(far[0].started)}, far from all others"
    return [flow for place, flow in enumerate(flows) if place in near], left


def _spell(flows: list[Flow]) -> float:
    """Seconds from the first start to the last."""
    starts = [flow.started for flow in flows if flow.started]
    return (max(starts) - min(starts)).total_seconds() if starts else 0.0


def _clock_format(seconds: float) -> str:
    return "%H:%M" if seconds <= _DAY else "%d %b %H:%M" if seconds <= 3 * _DAY else "%d %b %Y"


def _time(name: str, seconds: float) -> Any:  # noqa: ANN401 - Altair's own
    alt = _altair()
    axis = alt.Axis(format=_clock_format(seconds), tickCount=8, labelAngle=0)
    return alt.X(f"{name}:T", title="UTC", scale=alt.Scale(type="utc"), axis=axis)


def _colour(name: str, colours: dict[str, str]) -> Any:  # noqa: ANN401 - Altair's own
    alt = _altair()
    scale = alt.Scale(domain=list(colours), range=list(colours.values()))
    return alt.Color(f"{name}:N", scale=scale, legend=alt.Legend(title=None, orient="bottom"))


def _styled(chart: Any, **size: Any) -> Any:  # noqa: ANN401 - Altair's own
    chart = chart.properties(**{"width": 560, **size})
    chart = chart.configure(background="transparent", font="system-ui, Segoe UI, DejaVu Sans, sans-serif")
    chart = chart.configure_view(stroke=None)
    grid = "rgba(128,128,128,0.35)"
    chart = chart.configure_axis(
        labelColor=_GREY, titleColor=_GREY, gridColor=grid, domainColor=grid, tickColor=grid,
        labelFontSize=12, titleFontSize=12,
    )  # fmt: skip
    return chart.configure_legend(labelColor=_GREY, titleColor=_GREY, labelFontSize=12).configure_title(
        color=_GREY, subtitleColor=_GREY, anchor="start", fontSize=14
    )
