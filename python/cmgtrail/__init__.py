"""Follows Configuration Manager clients through a Cloud Management Gateway (CMG).

It reads the logs of clients, gateway, connection point and management point, follows every authentication from
machine to machine, and says where it stopped, why, and what to do, with the lines that prove it.

    >>> import cmgtrail
    >>> trail = cmgtrail.read("logs/")
    >>> trail.findings[0].failure, trail.findings[0].flows[0].broke_at
    ('cmg-root-ca-missing', 'cmg-connection')

Tokens, certificates and what `dsregcmd /status` says are validated offline: `validate_token`, `validate_tokens`,
`validate_chain`, `compare_phases`, `validate_dsregcmd`. `preflight` says in advance whether the clients of a site would
work.
"""

from __future__ import annotations

import os
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from cmgtrail import _engine
from cmgtrail._engine import (
    ArgumentError,
    Check,
    Checks,
    Client,
    Clock,
    CmgTrailError,
    Code,
    DsregcmdStatus,
    Event,
    Evidence,
    Finding,
    Flow,
    Forecast,
    InternalError,
    Join,
    KeySet,
    KnowledgeError,
    Missing,
    NoRecordsError,
    PathNotFoundError,
    Phases,
    PredictedStages,
    Preflight,
    Record,
    Records,
    Report,
    SiteError,
    Source,
    Stage,
    Table,
    Trail,
    UnreadableError,
    Verdicts,
    __version__,
    compare_phases,
    explain_code,
    inspect_certificate,
    inspect_token,
    read_dsregcmd,
    simulated_faults,
    sketch_site,
    validate_chain,
    validate_dsregcmd,
    validate_token,
)
from cmgtrail.progress import watching

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    PathLike = str | os.PathLike[str]
    Keys = bytes | PathLike

__all__ = [
    "ArgumentError",
    "Check",
    "Checks",
    "Client",
    "Clock",
    "CmgTrailError",
    "Code",
    "DsregcmdStatus",
    "Event",
    "Evidence",
    "Finding",
    "Flow",
    "Forecast",
    "InternalError",
    "Join",
    "KeySet",
    "KnowledgeError",
    "Missing",
    "NoRecordsError",
    "PathNotFoundError",
    "Phases",
    "PredictedStages",
    "Preflight",
    "Record",
    "Records",
    "Report",
    "SiteError",
    "Source",
    "Stage",
    "Table",
    "Trail",
    "UnreadableError",
    "Verdicts",
    "__version__",
    "compare_phases",
    "explain_code",
    "inspect_certificate",
    "inspect_token",
    "preflight",
    "read",
    "read_dsregcmd",
    "records",
    "simulate",
    "simulated_faults",
    "sketch_site",
    "validate_chain",
    "validate_dsregcmd",
    "validate_token",
    "validate_tokens",
]


def read(
    paths: PathLike | Iterable[PathLike],
    *,
    knowledge: PathLike | Iterable[PathLike] = (),
    site: PathLike | None = None,
    since: datetime | str | None = None,
    until: datetime | str | None = None,
    client: str | None = None,
    encoding: str | None = None,
    progress: Callable[[int, int], object] | bool | None = None,
) -> Trail:
    """Reads logs, follows every authentication in them, and diagnoses what broke.

    Args:
        paths: A folder, a zip file, a single file, a glob pattern, or several of them.
        knowledge: Knowledge files (TOML) laid over the built-in knowledge, in order.
        site: A site description (TOML) that confirms what the logs suggest.
        since: Only what went on at or after this time, flows that began before it included: an aware `datetime`, or
            text such as ``2026-11-04T09:00+01:00``; text without a zone is UTC.
        until: As if the logs ended at this time: a flow is judged by what it had done till then.
        client: Only flows of this client: host name, Entra device id, user id, or ConfigMgr client id.
        encoding: Encoding of files without a byte order mark, such as ``windows-1251`` or ``shift_jis``. By default
            they are UTF-8 where they are valid UTF-8, else Windows-1252.
        progress: Called with bytes read and bytes in all, some ten times a second, on the calling thread. By default
            a progress bar appears in a terminal or a notebook where the work lasts; ``False`` keeps it away.

    Returns:
        The trail: flows, findings with their evidence, sources, and the records themselves.

    Raises:
        PathNotFoundError: A path is not there, or a pattern matches no file.
        NoRecordsError: Files were read, and none of them holds a log record.
        KnowledgeError: A knowledge file has mistakes.
        ArgumentError: An argument cannot be used: a time without a zone, an unknown encoding, no path at all.
        KeyboardInterrupt: Ctrl-C; the work stops.

    Example:
        >>> import cmgtrail
        >>> trail = cmgtrail.read("logs/", since="2026-11-04")
        >>> [finding.failure for finding in trail.findings]
        ['cmg-root-ca-missing']
    """
    listed = _listed(paths)
    if not listed:
        raise ArgumentError("paths: expected a folder, file, zip or pattern, or several of them, found an empty list")
    with watching(progress) as callback:
        return _engine.read(
            listed,
            knowledge=_listed(knowledge, "knowledge"),
            site=None if site is None else os.fspath(site),
            since=since,
            until=until,
            client=client,
            encoding=encoding,
            progress=callback,
        )


def records(
    paths: PathLike | Iterable[PathLike],
    *,
    since: datetime | str | None = None,
    until: datetime | str | None = None,
    encoding: str | None = None,
    progress: Callable[[int, int], object] | bool | None = None,
) -> Records:
    """The records of logs as a stream, without following or diagnosing anything.

    The logs are read once to settle their clocks, and again whenever the records are asked for.

    Args:
        paths: As for `read`.
        since: As for `read`.
        until: As for `read`.
        encoding: As for `read`.
        progress: As for `read`.

    Returns:
        A stream that can be iterated again and again, and that any DataFrame library takes.

    Raises:
        PathNotFoundError: A path is not there, or a pattern matches no file.
        ArgumentError: An argument cannot be used.

    Example:
        >>> import cmgtrail
        >>> frame = cmgtrail.records("logs/").to_polars()
        >>> frame["component"][0]
        'ccmsetup'
    """
    with watching(progress) as callback:
        return _engine.records(_listed(paths), since=since, until=until, encoding=encoding, progress=callback)


def validate_tokens(
    tokens: Any,  # noqa: ANN401 - whatever offers Arrow data, or texts
    *,
    keys: KeySet | Keys | Mapping[str, Any] | Iterable[Keys] | None = None,
    audience: str | Iterable[str] | None = None,
    issuers: str | Iterable[str] | None = None,
    tenants: str | Iterable[str] | None = None,
    at: datetime | str,
    leeway: int = 300,
    mask: bool = False,
    progress: Callable[[int, int], object] | bool | None = None,
) -> Verdicts:
    """Checks a column of tokens on all cores, each as `validate_token` does.

    Args:
        tokens: A column of text of any library that offers Arrow data (polars, pandas, pyarrow, DuckDB), or an
            iterable of texts; where there is no token, a row is null.
        keys: As for `validate_token`.
        audience: As for `validate_token`.
        issuers: As for `validate_token`.
        tenants: As for `validate_token`.
        at: As for `validate_token`: one instant for all of them.
        leeway: As for `validate_token`.
        mask: As for `validate_token`.
        progress: Called with tokens done and tokens in all, some ten times a second, on the calling thread. By default
            a progress bar appears in a terminal or a notebook where the work lasts; ``False`` keeps it away.

    Returns:
        A table with a row for each token, in their order.

    Raises:
        ArgumentError: An argument cannot be used: a column that holds no text, a time without a zone.
        KeyboardInterrupt: Ctrl-C; the work stops.

    Example:
        >>> import cmgtrail
        >>> verdicts = cmgtrail.validate_tokens(["not.a.token", None], at="2026-11-04T09:12:33Z")
        >>> verdicts.to_polars()["valid"].to_list()
        [False, None]
    """
    with watching(progress, work="Validating", unit="tokens") as callback:
        return _engine.validate_tokens(
            tokens,
            keys=keys,
            audience=audience,
            issuers=issuers,
            tenants=tenants,
            at=at,
            leeway=leeway,
            mask=mask,
            progress=callback,
        )


def simulate(
    out: PathLike,
    *,
    site: PathLike | None = None,
    clients: int | None = None,
    hours: float = 4.0,
    rate: float | None = None,
    faults: str | Iterable[str] = (),
    skew: int = 120,
    noise: float | str | None = None,
    retries: bool = False,
    start: datetime | str | None = None,
    seed: int = 1,
    artefacts: bool = True,
    force: bool = False,
) -> dict[str, Any]:
    """Writes the logs of a simulated site, with the truth about them: for tests, benchmarks and trying things out.

    The same arguments give the same files (with a `site`, the same `start` among them). Lines have publicly documented
    shapes; they prove how lines are joined and judged, not how Configuration Manager words them.

    Args:
        out: Folder to write: a folder of logs for each machine, artefacts, `site.toml` and `truth.json`.
        site: A site description whose names, ids, options and clocks are taken over, and what in it does not work. By
            default a random site.
        clients: Number of clients. By default those of the description, else ten.
        hours: Simulated time.
        rate: Messages of all registered clients together, a second. By default each sends one in ten minutes.
        faults: Faults to inject: ``"crl-unreachable"``, ``"crl-unreachable=5%"``, ``"crl-unreachable=3"``.
        skew: Most seconds that a machine's clock is off.
        noise: Lines that mean nothing: a share of all bytes (``0.98``) or a size (``"200MB"``).
        retries: Whether ccmsetup tries again after ten minutes.
        start: When it begins: an aware `datetime`, or text; text without a zone is UTC. By default the seed decides,
            and with `site` it is this hour, for the certificates of a description are good until some day.
        seed: What chance draws from.
        artefacts: Whether certificates, revocation lists, tokens and join status are written.
        force: Whether the files of another simulation in that folder are removed before; else it is refused.

    Returns:
        What was written: numbers of machines, files, bytes, flows, broken flows and requests; and in ``left_out`` the
        clients of the description that cannot be simulated as they are told, each with the reason.

    Raises:
        ArgumentError: An argument cannot be used, such as a fault that cannot be injected.
        SiteError: The site description has mistakes.
        CmgTrailError: A file cannot be written.

    Example:
        >>> import cmgtrail
        >>> summary = cmgtrail.simulate("simulated/", clients=3, faults="cmg-root-ca-missing", seed=7)
        >>> summary["broken"]
        1
    """
    if site is not None and start is None:
        start = datetime.now(timezone.utc).replace(minute=0, second=0, microsecond=0)
    return _engine.simulate(
        os.fspath(out),
        site=None if site is None else os.fspath(site),
        clients=clients,
        hours=hours,
        rate=rate,
        faults=[faults] if isinstance(faults, str) else list(faults),
        skew=skew,
        noise=None if noise is None else str(noise),
        retries=retries,
        start=start,
        seed=seed,
        artefacts=artefacts,
        force=force,
    )


def preflight(
    site: PathLike,
    *,
    client: str | None = None,
    at: datetime | str | None = None,
    logs: Trail | PathLike | Iterable[PathLike] | None = None,
    knowledge: PathLike | Iterable[PathLike] = (),
) -> Preflight:
    """Says whether the clients of a site would work, stage by stage, before anyone tries.

    What the description does not tell is not known, and the prediction says so: `works` is then None, not True.

    Args:
        site: A site description (`site.toml`, see docs/site.md).
        client: Only this client, by name.
        at: The instant to predict for: an aware `datetime`, or text with its zone. By default it is now.
        logs: A trail, or logs to read, which the prediction is held against; where the two disagree, that is told.
        knowledge: Knowledge files (TOML) laid over the built-in knowledge, in order.

    Returns:
        Whether it works, stage by stage for every client and both phases, and what stops it, with remedies.

    Raises:
        SiteError: The description has mistakes; all of them are told, each with its line.
        UnreadableError: The description cannot be read.
        ArgumentError: The site has no such client, or `at` has no zone.

    Example:
        >>> import cmgtrail
        >>> prediction = cmgtrail.preflight("site.toml", at="2026-11-04T09:00Z")
        >>> prediction.works, prediction.findings[0].failure
        (False, 'crl-check-restored-after-bootstrap')
    """
    trail = logs if logs is None or isinstance(logs, Trail) else read(logs, knowledge=knowledge)
    return _engine.preflight(
        os.fspath(site),
        client=client,
        at=datetime.now(timezone.utc) if at is None else at,
        logs=trail,
        knowledge=_listed(knowledge, "knowledge"),
    )


def __dir__() -> list[str]:
    return sorted(__all__)


def _listed(paths: PathLike | Iterable[PathLike], argument: str = "paths") -> list[str]:
    try:
        return [os.fspath(path) for path in ([paths] if isinstance(paths, (str, os.PathLike)) else paths)]
    except TypeError:
        wanted = f"{argument}: expected a path (text or path-like object) or several of them"
        raise ArgumentError(f"{wanted}, found {paths!r}") from None
