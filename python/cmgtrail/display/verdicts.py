"""What the terminal, the prompt and the notebook say of a validator's report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cmgtrail.display.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cmgtrail import Check, Report, Verdicts

VERDICTS = {True: "valid", False: "not valid", None: "undecided"}

SUBJECTS = {
    "token": "Token",
    "certificate": "Certificates",
    "certificate-chain": "Certificate chain",
    "dsregcmd": "Device",
}

_LISTED = 8
"""Certificates shown before it is said how many more there are."""

_TOKEN = [
    ("kind", "kind"),
    ("version", "version"),
    ("issuer", "issuer"),
    ("audience", "audience"),
    ("tenant_id", "tenant"),
    ("device_id", "device"),
    ("user_id", "user id"),
    ("user_name", "user"),
    ("hierarchy_id", "hierarchy"),
    ("algorithm", "algorithm"),
    ("key_id", "key id"),
    ("key_thumbprint", "key thumbprint"),
    ("verified_with", "verified with"),
    ("issued_at", "issued"),
    ("not_before", "valid from"),
    ("expires", "valid until"),
    ("checked_at", "checked for"),
]
_CHAIN = [
    ("at", "checked for"),
    ("host", "host"),
    ("purpose", "purpose"),
    ("profile", "profile"),
    ("vantage", "seen from"),
    ("revocation", "revocation"),
]
_DEVICE = [
    ("join", "join"),
    ("device_id", "device"),
    ("tenant_id", "tenant"),
    ("tenant_name", "tenant name"),
    ("thumbprint", "thumbprint"),
    ("certificate_not_before", "valid from"),
    ("certificate_not_after", "valid until"),
    ("key_provider", "key provider"),
    ("device_auth_status", "authentication"),
]


def verdict(report: Report) -> str:
    """`valid`, `not valid` or `undecided`."""
    return VERDICTS[report.valid]


def headline(report: Report) -> str:
    """The verdict in a few words."""
    return f"{SUBJECTS.get(report.kind, report.kind)}: {verdict(report)}"


def facts(report: Report) -> list[tuple[str, str]]:
    """What was read, as labels and values."""
    read = report.facts
    if report.kind == "token":
        return _named(read, _TOKEN)
    if report.kind == "dsregcmd":
        return _named(read, _DEVICE)
    rows = _named(read, _CHAIN)
    certificates: list[dict[str, Any]] = read.get("path", read.get("certificates", []))
    lists: list[dict[str, Any]] = read.get("revocation_lists", [])
    labels = ("leaf", "issuer") if "path" in read else ("certificate", "certificate")
    rows += [(labels[min(place, 1)], _certificate(each)) for place, each in enumerate(certificates[:_LISTED])]
    rows += [("revocation list", _list(crl)) for crl in lists[:_LISTED]]
    hidden = sum(max(0, len(listed) - _LISTED) for listed in (certificates, lists))
    if hidden > 0:
        rows.append(("", f"and {hidden:,} more"))
    return rows


def ids(checks: Iterable[Check]) -> str:
    """The ids of checks, each once, in their order."""
    return ", ".join(dict.fromkeys(check.id for check in checks))


def remarks(report: Report) -> list[Check]:
    """What is wrong without affecting the verdict."""
    return [check for check in report.checks if check.status == "failed" and not check.decides]


def passed(report: Report) -> list[Check]:
    """What was checked and is well."""
    return [check for check in report.checks if check.status == "passed"]


def not_made(report: Report) -> list[Check]:
    """What was not checked and affects no verdict."""
    return [check for check in report.checks if check.status == "not checked" and not check.decides]


def by_windows(check: Check) -> str:
    """How Windows reports it: `CERT_E_EXPIRED (0x800B0101)`."""
    windows = check.windows
    if not windows:
        return ""
    names: list[str] = windows["hresults"]
    codes: list[int] = windows["codes"]
    return ", ".join(f"{name} (0x{code:08X})" for name, code in zip(names, codes, strict=True))


def counts(verdicts: Verdicts) -> str:
    """`1,000 tokens: 990 valid, 8 not valid, 2 undecided`."""
    valid, refused, undecided = verdicts.counts
    return f"{counted(len(verdicts), 'token')}: {valid:,} valid, {refused:,} not valid, {undecided:,} undecided"


def _named(read: dict[str, Any], names: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(label, _text(read[name])) for name, label in names if read.get(name) is not None]


def _text(value: Any) -> str:  # noqa: ANN401 - what JSON can hold
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]


def _certificate(certificate: dict[str, Any]) -> str:
    issuer = "self-issued" if certificate["self_issued"] else f"issued by {certificate['issuer']}"
    spell = f"{certificate['not_before'][:10]} to {certificate['not_after'][:10]}"
    device: dict[str, Any] = certificate.get("device") or {}
    ids = [
        f"{label} {device[name]}"
        for name, label in (("device_id", "device"), ("tenant_id", "tenant"))
        if device.get(name)
    ]
    return ", ".join([certificate["subject"], issuer, spell, certificate["role"], *ids])


def _list(crl: dict[str, Any]) -> str:
    until = f" to {crl['next_update'][:10]}" if crl["next_update"] else ""
    return f"of {crl['issuer']}, {crl['this_update'][:10]}{until}, {crl['entries']:,} revoked"
