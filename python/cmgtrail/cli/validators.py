"""The commands that validate: `token`, `cert`, `dsregcmd`."""

from __future__ import annotations

import json
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import cmgtrail as package
from cmgtrail._engine import withheld
from cmgtrail.cli.outlet import shown

if TYPE_CHECKING:
    from cmgtrail import Phases, Report

STATUS = {True: 0, False: 1, None: 3}
"""Exit status of a verdict; 2 is for what could not run."""

LONGEST = 64 << 20
"""Bytes that are read of one file; revocation lists have some ten million at most."""

_FORMAT = click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
_AT = click.option(
    "--at",
    metavar="T",
    help="The instant to validate for, with its zone (2026-11-04T09:12:33Z): that of the log line. Default: now.",
)
_FILE = click.Path()


@click.command()
@click.argument("file", metavar="FILE|-", type=_FILE)
@click.option(
    "--keys", metavar="FILE", type=_FILE, multiple=True, help="Keys: a JWKS, PEM or certificates. Repeatable."
)
@click.option("--audience", metavar="TEXT", multiple=True, help="The audience it must name. Repeatable.")
@click.option("--issuer", metavar="TEXT", multiple=True, help="An issuer that is accepted. Repeatable.")
@click.option("--tenant", metavar="ID", multiple=True, help="A tenant that is accepted. Repeatable.")
@_AT
@click.option("--leeway", metavar="SECONDS", type=click.IntRange(0, 86_400), default=300, show_default=True)
@click.option("--mask", is_flag=True, help="Mask identifiers: GUIDs, names, addresses, SIDs.")
@click.option("--inspect", is_flag=True, help="Only say what it holds and whether it is broken.")
@_FORMAT
def token(
    *,
    file: str,
    keys: tuple[str, ...],
    audience: tuple[str, ...],
    issuer: tuple[str, ...],
    tenant: tuple[str, ...],
    at: str | None,
    leeway: int,
    mask: bool,
    inspect: bool,
    form: str,
) -> int:
    """Say whether a token is valid, and why not.

    FILE holds the token; - reads it from standard input. Nothing is fetched: without --keys its signature is not
    checked, and the verdict stays open. No output holds the token.

    Exit status: 0 valid, 1 not valid, 3 undecided, 2 could not run.
    """
    text = _text(file)
    if inspect:
        return _show(package.inspect_token(text, mask=mask), form)
    report = package.validate_token(
        text,
        keys=[_keys(path) for path in keys] or None,
        audience=audience,
        issuers=issuer,
        tenants=tenant,
        at=at or _now(),
        leeway=leeway,
        mask=mask,
    )
    return _show(report, form)


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=_FILE)
@click.option("--roots", metavar="FILE", type=_FILE, multiple=True, help="The client's root store. Repeatable.")
@click.option("--intermediates", metavar="FILE", type=_FILE, multiple=True, help="Its intermediate store. Repeatable.")
@click.option("--crl", metavar="FILE", type=_FILE, multiple=True, help="A revocation list. Repeatable.")
@click.option("--crl-unreachable", metavar="URL", multiple=True, help="A list that the client could not fetch.")
@click.option("--disallowed", metavar="FILE", type=_FILE, multiple=True, help="Its disallowed store. Repeatable.")
@click.option("--host", metavar="NAME", help="Host that the client connects to. Without it names are not checked.")
@click.option("--purpose", type=click.Choice(["server", "client"]), default="server", show_default=True)
@_AT
@click.option(
    "--profile",
    type=click.Choice(["windows", "webpki", "rfc5280"]),
    default="windows",
    show_default=True,
    help="Whose rules decide.",
)
@click.option("--vantage", type=click.Choice(["internet", "intranet"]), default="internet", show_default=True)
@click.option(
    "--revocation",
    type=click.Choice(["off", "leaf", "chain"]),
    help="What is checked for revocation. Default: the chain where --crl is given, else nothing.",
)
@click.option("--max-depth", metavar="N", type=click.IntRange(min=0), help="How many intermediates there may be.")
@click.option("--no-root-update", is_flag=True, help="Windows may not fetch a public root that its store lacks.")
@click.option("--internal-suffix", metavar="DOMAIN", multiple=True, help="A domain that only the own network knows.")
@click.option("--phases", is_flag=True, help="Compare ccmsetup with /NoCRLCheck to the time after the site's settings.")
@click.option(
    "--no-crl-check/--crl-check",
    default=True,
    help="With --phases: whether ccmsetup runs with /NoCRLCheck. [default: it does]",
)
@click.option(
    "--site-crl/--no-site-crl",
    default=True,
    help="With --phases: whether the site's CRL option is on. [default: it is]",
)
@click.option("--inspect", is_flag=True, help="Only say what the files hold; nothing is judged.")
@_FORMAT
def cert(
    *,
    files: tuple[str, ...],
    roots: tuple[str, ...],
    intermediates: tuple[str, ...],
    crl: tuple[str, ...],
    crl_unreachable: tuple[str, ...],
    disallowed: tuple[str, ...],
    host: str | None,
    purpose: Any,  # noqa: ANN401 - one of the words above, as are those below
    at: str | None,
    profile: Any,  # noqa: ANN401
    vantage: Any,  # noqa: ANN401
    revocation: Any,  # noqa: ANN401
    max_depth: int | None,
    no_root_update: bool,
    internal_suffix: tuple[str, ...],
    phases: bool,
    no_crl_check: bool,
    site_crl: bool,
    inspect: bool,
    form: str,
) -> int:
    """Say whether a client accepts a certificate, and why not.

    FILE... are the certificates as the server sends them, its own first: PEM, DER or PKCS#7. Nothing is fetched:
    without --roots only a known public root is taken as good, which Windows fetches by itself.

    Exit status: 0 valid, 1 not valid, 3 undecided, 2 could not run.
    """
    presented = [_file(path) for path in files]
    if inspect:
        return _show(package.inspect_certificate(presented), form)
    if phases and revocation:
        raise click.UsageError("--phases answers for revocation off and on: leave --revocation away.")
    # An address without a list is one that could not be fetched.
    lists: dict[str, Path | bytes | None] = {**{path: _file(path) for path in crl}, **dict.fromkeys(crl_unreachable)}
    arguments: dict[str, Any] = {
        "roots": [_file(path) for path in roots],
        "intermediates": [_file(path) for path in intermediates],
        "crls": lists,
        "disallowed": [_file(path) for path in disallowed],
        "host": host,
        "purpose": purpose,
        "at": at or _now(),
        "profile": profile,
        "vantage": vantage,
        "max_depth": max_depth,
        "root_update": not no_root_update,
        "internal_suffixes": internal_suffix,
    }
    if phases:
        both = package.compare_phases(presented, **arguments, no_crl_check=no_crl_check, site_checks_crl=site_crl)
        return _show_phases(both, form)
    return _show(package.validate_chain(presented, **arguments, revocation=revocation), form)


@click.command()
@click.argument("file", metavar="FILE|-", type=_FILE)
@click.option("--certificate", metavar="FILE", type=_FILE, multiple=True, help="Of the device's stores. Repeatable.")
@click.option("--token", "token_file", metavar="FILE", type=_FILE, help="A token of the device.")
@_AT
@_FORMAT
def dsregcmd(*, file: str, certificate: tuple[str, ...], token_file: str | None, at: str | None, form: str) -> int:
    """Say whether a device can get a token, from the output of `dsregcmd /status`.

    FILE holds the output; - reads it from standard input. With --certificate and --token it is said whether these
    are of the same device and tenant.

    Exit status: 0 valid, 1 not valid, 3 undecided, 2 could not run.
    """
    output = _content(file)
    if "\0" in _decoded(output):
        raise click.ClickException(f"expected the output of dsregcmd /status in {_named(file)}, found binary data.")
    report = package.validate_dsregcmd(
        output,
        certificates=[_file(path) for path in certificate] or None,
        token=_text(token_file) if token_file else None,
        at=at or _now(),
    )
    return _show(report, form)


def _now() -> datetime:
    """The engine reads no clock; the command does, where nothing else is said."""
    return datetime.now(timezone.utc)


def _file(path: str) -> Path | bytes:
    """A file that is there and holds something; of what can be read only once (standard input, a pipe) its content."""
    content = _content(path)
    return Path(path) if path != "-" and Path(path).is_file() else content


def _content(path: str) -> bytes:
    """What a file or standard input holds."""
    if withheld(path) != path:
        raise click.UsageError(
            "expected a file or -, found a token. A token on a command line lands in the history of the shell: put it "
            "into a file, or give it on standard input."
        )
    if path == "-":
        content = sys.stdin.buffer.read(LONGEST + 1)
    else:
        try:
            with Path(path).open("rb") as file:
                content = file.read(LONGEST + 1)
        except OSError as error:
            raise click.ClickException(f"cannot read {_named(path)}: {error.strerror}. Check the path.") from None
    if not content:
        raise click.ClickException(f"{_named(path)} is empty.")
    if len(content) > LONGEST:
        raise click.ClickException(f"{_named(path)} has more than {LONGEST >> 20} MiB; nothing that is checked has.")
    return content


def _keys(path: str) -> bytes:
    """Key material that holds a usable key, as an editor or PowerShell wrote it."""
    content = _content(path)
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        content = _decoded(content).encode()
    keys = package.KeySet(content)
    if not len(keys):
        why = keys.problems[0] if keys.problems else "it holds none"
        raise click.ClickException(f"expected a key in {_named(path)}, found none that can be used: {why}.")
    return content


def _text(path: str) -> str:
    """The token that a file holds, as an editor or PowerShell wrote it."""
    content = _content(path)
    text = _decoded(content)
    if "\0" in text or "\ufffd" in text:
        raise click.ClickException(f"expected a token, which is text, in {_named(path)}; found binary data.")
    if not text.strip():
        raise click.ClickException(f"{_named(path)} is empty.")
    return text


def _decoded(content: bytes) -> str:
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    return content.decode(encoding, errors="replace")


def _named(path: str) -> str:
    return "standard input" if path == "-" else f"'{path}'"


def _show(report: Report, form: str) -> int:
    def show() -> None:
        if form == "json":
            click.echo(report.to_json())
        else:
            from cmgtrail.cli.verdicts import Screen, console

            Screen(console()).report(report)

    return shown(show, STATUS[report.valid])


def _show_phases(phases: Phases, form: str) -> int:
    def show() -> None:
        if form == "json":
            click.echo(json.dumps(phases.to_dict(), indent=2, ensure_ascii=False))
        else:
            from cmgtrail.cli.verdicts import Screen, console

            Screen(console()).phases(phases)

    verdicts = {phases.bootstrap.valid, phases.after_settings.valid}
    return shown(show, STATUS[False if False in verdicts else None if None in verdicts else True])
