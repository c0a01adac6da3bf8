"""The flows as data for the page: short, each text once, rendered by its script when they are looked at."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from cmgtrail.display import sequence, words

if TYPE_CHECKING:
    from datetime import datetime

    from cmgtrail import Flow, Trail

LONGEST = 20_000
"""Characters of a text that a page shows."""
_ESCAPES = {char: f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}


def as_json(value: Any) -> str:  # noqa: ANN401 - whatever JSON can hold
    """JSON that can stand in a script element: nothing in it ends the element or opens a comment."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for char, escape in _ESCAPES.items():
        text = text.replace(char, escape)
    return text


def harmless(text: str) -> str:
    """Text of strangers that does nothing on a page and does not drown it."""
    return words.visible(words.bounded(text, LONGEST), lines=True)


class Texts:
    """Texts by number, each harmless and each once."""

    def __init__(self) -> None:
        self.shown: list[str] = []
        self._numbers: dict[str, int] = {}

    def number(self, text: str | None) -> int:
        """The number of a text."""
        text = text or ""
        if text not in self._numbers:
            self._numbers[text] = len(self.shown)
            self.shown.append(harmless(text))
        return self._numbers[text]


def index(trail: Trail) -> list[dict[str, Any]]:
    """What the list of flows shows, and what its filters ask for."""
    failures = _failures(trail)
    return [
        {
            "client": words.client_name(flow),
            "ids": [words.visible(value) for value in flow.client.to_dict().values() if value],
            "id": words.visible(flow.id),
            "kind": flow.kind,
            "started": words.moment(flow.started),
            "outcome": flow.outcome,
            "broke": flow.broke_at or "",
            "attempts": flow.attempts,
            "causes": failures.get(flow.id, []),
        }
        for flow in trail.flows
    ]


def details(trail: Trail) -> dict[str, Any]:
    """Stages, diagrams and lines of all flows, in the order of `index`."""
    texts = Texts()
    writers = sequence.machines(trail)
    flows = [_detail(flow, texts, sequence.sequence(flow, writers)) for flow in trail.flows]
    return {"texts": texts.shown, "flows": flows}


def _failures(trail: Trail) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for finding in trail.findings:
        for flow in finding.to_dict()["flows"]:
            found.setdefault(flow, []).append(finding.failure)
    return found


def _detail(flow: Flow, texts: Texts, drawn: sequence.Sequence) -> dict[str, Any]:
    number = texts.number
    return {
        "stages": [[number(s.stage), number(s.status), int(s.inferred), number(s.reason)] for s in flow.stages],
        "lanes": [[lane.label, words.visible(", ".join(lane.hosts)), lane.ahead] for lane in drawn.lanes],
        "steps": [
            [
                step.attempt, number(step.stage), step.mark, step.writer, step.origin, step.target, step.lines,
                _clock(step.at), step.delay is not None and _delay(step.delay), drawn.stopped(step), step.doubt,
            ]
            for step in drawn.steps
        ],
        "between": sorted(drawn.between),
        "words": drawn.words,
        "lines": [
            [
                event.attempt, number(event.stage), number(event.mark), _clock(event.at), number(event.source),
                event.line, number(event.text), number(words.joined(event.join)),
            ]
            for event in flow.events
        ],
    }  # fmt: skip


def _clock(at: datetime | None) -> str:
    return at.isoformat(timespec="milliseconds")[11:23] if at else ""


def _delay(seconds: float) -> str:
    return f"+{sequence.duration(seconds)}" if seconds >= 1 else ""
