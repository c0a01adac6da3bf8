"""Writes a page for each failure and for the codes of each component, from the built-in knowledge.

`python docs/knowledge_pages.py [FOLDER]`; the folder is `docs/reference`, which is not kept in version control.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cmgtrail._engine import knowledge_entries

if TYPE_CHECKING:
    from collections.abc import Callable

FOLDER = Path(__file__).resolve().parent / "reference"

Entry = dict[str, Any]

ROLES = {
    "cause": "a cause",
    "symptom": "a symptom: it follows from a cause and is never reported as one",
    "benign": "benign: named so that nobody chases it",
}
PROOFS = {
    "seen": "seen in a public source",
    "computed": "computed from a public source",
    "inferred": "inferred; no public sample is known",
}
COMPONENTS = {
    "winhttp": "WinHTTP",
    "ccm": "Configuration Manager client",
    "win32": "Win32",
    "ntstatus": "NTSTATUS",
    "sspi": "SChannel and SSPI",
    "crypt": "Certificates, keys and trust",
    "hresult": "Other HRESULTs",
    "iis": "IIS status and substatus",
    "aadsts": "Entra token service (AADSTS)",
    "idx": "Microsoft.IdentityModel (IDX)",
    "mise": "MISE",
    "wininet": "WinINet",
    "secure-failure": "Bits of the secure-failure mask",
    "cert-trust": "Bits of a chain's error status",
}
HEXADECIMAL = {"ccm", "ntstatus", "sspi", "crypt", "hresult"}
PREFIXES = {"aadsts": "AADSTS", "idx": "IDX", "mise": "MISE"}


def pages() -> dict[str, str]:
    """Every page, by its path below the folder."""
    known = knowledge_entries()
    messages = {message["id"]: message for message in known["message"]}
    failures = {failure["id"]: failure for failure in known["failure"]}
    written = {f"failures/{failure['id']}.md": _failure(failure, failures, messages) for failure in known["failure"]}
    by_component: defaultdict[str, list[Entry]] = defaultdict(list)
    for code in known["code"]:
        by_component[code["component"]].append(code)
    for component, codes in by_component.items():
        written[f"codes/{component}.md"] = _codes(component, codes)
    written["failures/index.md"] = _failure_list(known["failure"])
    written["codes/index.md"] = _component_list(by_component)
    return written


def write(folder: Path) -> int:
    """Writes the pages and says how many there are."""
    written = pages()
    for path, page in written.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(page, encoding="utf-8")
    return len(written)


def plain(words: str) -> str:
    """Words of a failure without values of a log: `{host|the CMG}` is the CMG; `[[…]]`, which needs one, nothing."""
    return re.sub(r"\{[a-z_]+\|([^}]*)\}", r"\1", re.sub(r"\[\[.*?\]\]", "", " ".join(words.split())))


def _failure(failure: Entry, failures: dict[str, Entry], messages: dict[str, Entry]) -> str:
    parts = [
        f"# {plain(failure['title'])}",
        "\n".join(
            [
                "| | |",
                "|---|---|",
                f"| id | `{failure['id']}` |",
                f"| role | {ROLES[failure['role']]} |",
                f"| stage that fails first | {_code(failure.get('stage')) or 'none'} |",
                f"| hits | {failure['scope']} |",
                f"| severity | {failure['severity']} |",
                f"| proof of its text | {_proof(failure, messages)} |",
            ]
        ),
        _section("What happened", plain(failure["explanation"])),
        _section("How we know", _evidence(failure, messages)),
        _section("What to do", plain(failure["remedy"])),
        _section("How to check that it worked", plain(failure["verify"])),
        _section("Told apart from", _neighbours(failure, failures)),
        _section("What would decide", _missing(failure)),
        _section("What follows from it", ", ".join(_code(name) for name in failure.get("consequences", []))),
        _section("Reference", f"<{failure['reference']}>"),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _section(title: str, text: str) -> str:
    return f"## {title}\n\n{text}" if text else ""


def _code(name: str | None) -> str:
    return f"`{name}`" if name else ""


def _named(failure: Entry) -> list[str]:
    """Ids of the messages that its conditions ask for, each once."""
    conditions = [
        condition for when in failure.get("when", []) for condition in [*when["requires"], *when.get("supports", [])]
    ]
    named = [name for condition in conditions for name in condition.get("event", {}).get("message", [])]
    return list(dict.fromkeys(named))


def _proof(failure: Entry, messages: dict[str, Entry]) -> str:
    if not failure.get("when"):
        return "it is never raised by itself"
    if failure.get("hypothesis"):
        return "unproven: no public sample of its signature is known, so a finding is `possible` at most"
    unproven = [name for name in _named(failure) if messages[name]["proof"] == "inferred"]
    if unproven:
        return f"proven, except {', '.join(map(_code, unproven))}: what rests on that alone is `possible` at most"
    return "proven: every text that it asks for was seen in, or computed from, a public source"


def _evidence(failure: Entry, messages: dict[str, Entry]) -> str:
    rules = [_rule(when) for when in failure.get("when", [])]
    known = [messages[name] for name in _named(failure)]
    lines = [
        f"- `{message['id']}` in {', '.join(message['logs'])}: {PROOFS[message['proof']]}. Source: {message['source']}"
        for message in known
    ]
    if not rules:
        return "It is told with the cause that it follows from."
    return "\n".join(rules) + ("\n\nThe lines that it asks for:\n\n" + "\n".join(lines) if lines else "")


def _rule(when: Entry) -> str:
    parts = [f"- **{when['confidence']}** where " + "; and ".join(map(_condition, when["requires"]))]
    if when.get("supports"):
        parts.append("surer where also " + "; and ".join(map(_condition, when["supports"])))
    if when.get("excludes"):
        parts.append("not where " + "; or ".join(map(_condition, when["excludes"])))
    return "; ".join(parts) + "."


def _condition(condition: Entry) -> str:
    ((kind, what),) = condition.items()
    write = _CONDITIONS.get(kind)
    return write(what) if write else str(what).replace("-", " ")


def _artefact(what: Entry) -> str:
    if what.get("explains"):
        return f"shows `{what['explains']}`"
    checks = " or ".join(map(_code, what.get("check", [])))
    return f"{what.get('status', 'failed')} the check {checks}"


def _shape(shape: Entry) -> str:
    words = {"code": "code", "flag": "flag", "no_flag": "without flag", "status": "HTTP status", "hresult": "HRESULT"}
    said = [f"{words.get(key, key.replace('_', ' '))} {_values(value)}" for key, value in shape.items()]
    return f" ({', '.join(said)})" if said else ""


def _lines(shape: Entry) -> str:
    fields = [f"{field} {_values(value)}" for field, value in shape.get("fields", {}).items()]
    return " or ".join(map(_code, shape["message"])) + (f" ({', '.join(fields)})" if fields else "")


def _values(value: object) -> str:
    return " or ".join(map(str, value)) if isinstance(value, list) else str(value)


def _neighbours(failure: Entry, failures: dict[str, Entry]) -> str:
    names = failure.get("separates_from", [])
    return "\n".join(f"- [{plain(failures[name]['title'])}]({name}.md) (`{name}`)" for name in names)


def _missing(failure: Entry) -> str:
    rows = [
        f"- {plain(missing['what'])} (of the {missing['machine'].replace('-', ' ')}): {plain(missing['how'])}"
        for missing in failure.get("missing", [])
    ]
    return "\n".join(rows)


def _failure_list(failures: list[Entry]) -> str:
    rows = [
        f"| [{plain(failure['title'])}]({failure['id']}.md) | `{failure['id']}` | {failure['role']} | "
        f"{_code(failure.get('stage'))} | {failure['scope']} |"
        for failure in failures
    ]
    head = "# Failures\n\nWhat cmgtrail tells apart.\n\n| failure | id | role | stage | hits |\n|---|---|---|---|---|\n"
    return head + "\n".join(rows) + "\n"


def _component_list(by_component: dict[str, list[Entry]]) -> str:
    rows = [
        f"| [{COMPONENTS[component]}]({component}.md) | `{component}` | {len(codes)} |"
        for component, codes in by_component.items()
    ]
    head = (
        "# Codes\n\n`cmgtrail code CODE` says what a code means, in all its readings: the same number means different "
        "things in different components.\n\n| component | id | codes |\n|---|---|---|\n"
    )
    return head + "\n".join(rows) + "\n"


def _codes(component: str, codes: list[Entry]) -> str:
    parts = [f"# {COMPONENTS[component]}"]
    for code in codes:
        role = ROLES[code["role"]].partition(":")[0]
        links = ", ".join(f"[{name}](../failures/{name}.md)" for name in code.get("failures", []))
        points = f" Points to {links}." if links else ""
        parts.append(
            f"## {_written(component, code['code'])} {_escaped(code['name'])}\n\n"
            f"{code['says']} {code['means']} It is {role}.{points}\n\n"
            f"Source: {code['source']}"
        )
    return "\n\n".join(parts) + "\n"


def _escaped(name: str) -> str:
    return name.replace("_", "\\_")


def _written(component: str, code: int | str) -> str:
    if component in HEXADECIMAL:
        return f"0x{code:08X}"
    if component in {"secure-failure", "cert-trust"}:
        return f"0x{code:X}"
    return f"{PREFIXES.get(component, '')}{code}"


_CONDITIONS: dict[str, Callable[[Any], str]] = {
    "request": lambda what: f"a request to the CMG failed{_shape(what)}",
    "earlier-request": lambda what: f"an earlier request went well{_shape(what)}",
    "others-fail": lambda what: f"requests of other clients failed{_shape(what)}",
    "others-pass": lambda what: f"requests of other clients went well{_shape(what)}",
    "event": lambda what: f"there is a line {_lines(what)}",
    "absent": lambda what: f"there is no line {_lines(what)}, although the log covers the time",
    "stage": lambda what: f"the stage `{what['stage']}` is {_values(what['status'])}",
    "kind": lambda what: f"the flow is of kind {_values(what)}",
    "outcome": lambda what: f"the flow is {_values(what)}",
    "nothing-after": lambda what: f"nothing follows the stage `{what}`",
    "artefact": lambda what: f"the {what['kind']} at hand {_artefact(what)}",
}

if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
