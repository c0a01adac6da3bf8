"""Words of a prediction, for terminal and notebook alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from cmgtrail.display.words import counted

if TYPE_CHECKING:
    from cmgtrail import Forecast, Preflight

WORKS = {True: "would work", False: "would not work", None: "not known"}
PHASES = {"bootstrap": "while ccmsetup runs", "after-refresh": "after the site's settings have arrived"}
ORDER = {False: 0, None: 1, True: 2}
AFTERWARDS = "A diagnosis would then say:"
"""Leads from what is predicted to the words of the knowledge, which tell it as something that has happened."""
NAMES = 5
"""Clients that a finding names."""


class Row(NamedTuple):
    """A stage of a client, predicted and observed."""

    stage: str
    status: str
    observed: str
    differs: bool
    why: str


def headline(prediction: Preflight) -> str:
    """A sentence on all of it, and one on what the logs say otherwise."""
    verdicts = list(prediction.clients.values())
    parts = [f"{verdicts.count(verdict):,} {WORKS[verdict]}" for verdict in ORDER if verdict in verdicts]
    sentences = [f"{counted(len(verdicts), 'client')}: {', '.join(parts)}.{_otherwise(prediction)}", *prediction.notes]
    return " ".join(sentences)


def _otherwise(prediction: Preflight) -> str:
    """Of whom the logs say otherwise, and at which stages."""
    clients: list[dict[str, Any]] = prediction.to_dict()["clients"]
    stages: dict[str, None] = {}
    count = 0
    for client in clients:
        differs = [row["stage"] for row in client["compared"] if row["agreement"] == "disagree"]
        stages.update(dict.fromkeys(differs))
        count += bool(differs)
    return f" The logs say otherwise of {counted(count, 'client')}, at {', '.join(stages)}." if count else ""


def reach(finding: Forecast) -> str:
    """Whom it hits, when, at which stage, and how sure it is."""
    met = finding.met_by
    if all(clients == finding.clients for clients in met.values()):
        whom = f"{' and '.join(PHASES[phase] for phase in finding.phases)}: {_names(finding.clients)}"
    else:
        whom = "; ".join(f"{PHASES[phase]}: {_names(met[phase])}" for phase in finding.phases)
    return f"{finding.severity}, {finding.confidence}, at {finding.stage}, {whom}"


def _names(clients: list[str]) -> str:
    more = f" and {len(clients) - NAMES:,} more" if len(clients) > NAMES else ""
    return ", ".join(clients[:NAMES]) + more


def rows(client: dict[str, Any], phase: dict[str, Any]) -> list[Row]:
    """The stages of a client in a phase, with what the logs say of each."""
    seen = {row["stage"]: row for row in client["compared"] if row["phase"] == phase["phase"]}
    return [_row(stage, seen.get(stage["stage"], {})) for stage in phase["stages"]]


def _row(stage: dict[str, Any], seen: dict[str, Any]) -> Row:
    warnings = [f"Warning: {cause['why']}" for cause in stage["warnings"]]
    why = " ".join(text for text in [stage["why"], *warnings, seen.get("explanation")] if text)
    differs = seen.get("agreement") == "disagree"
    return Row(stage["stage"], stage["status"], seen.get("observed") or "", differs, why)
