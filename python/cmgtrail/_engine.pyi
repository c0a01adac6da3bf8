"""The engine. Everything here that a user needs is exported by `cmgtrail` itself.

Times are aware `datetime` objects in UTC, by the clock of the machine that wrote the line (not corrected; `Trail.clocks`
says how far clocks are apart). Ids, such as stages and failures, are the words of the JSON form. What is not known is
`None`. No object can be changed.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar, final, overload

import pandas as pd
import polars as pl

__version__: str
"""Version of cmgtrail."""

__all__ = [
    "ArgumentError",
    "Client",
    "Clock",
    "CmgTrailError",
    "Event",
    "Evidence",
    "Finding",
    "Flow",
    "InternalError",
    "Join",
    "KnowledgeError",
    "Missing",
    "NoRecordsError",
    "PathNotFoundError",
    "Record",
    "RecordIterator",
    "Records",
    "Source",
    "Stage",
    "Table",
    "TableIterator",
    "Trail",
    "UnreadableError",
    "Zone",
    "__version__",
    "read",
    "records",
]

_StageName = Literal[
    "aad-info",
    "wpj-certificate",
    "aad-token",
    "cmg-connection",
    "ccm-token-request",
    "cmg-receive",
    "cmg-forward",
    "connector-forward",
    "mp-validate",
    "ccm-token-issue",
    "location-request",
    "content-download",
    "client-install",
    "registration",
    "settings-refresh",
]
_Confidence = Literal["possible", "likely", "certain"]
_Severity = Literal["info", "warning", "error"]
_Role = Literal["client", "cmg", "connection-point", "management-point", "site-server"]
_UtcQuality = Literal["known", "assumed", "unknown"]

_RowT_co = TypeVar("_RowT_co", covariant=True)

class CmgTrailError(Exception):
    """The work could not be done. The message is a sentence: what was expected, what was found, what to do."""

class PathNotFoundError(CmgTrailError):
    """A path is not there, or a pattern matches no file."""

class NoRecordsError(CmgTrailError):
    """Files were read, and none of them holds a log record."""

class UnreadableError(CmgTrailError):
    """A file or folder could not be read although reading it was the whole work."""

class KnowledgeError(CmgTrailError):
    """A knowledge file has mistakes; all of them are told, each with its line."""

class ArgumentError(CmgTrailError):
    """An argument has a value that cannot be used."""

class InternalError(CmgTrailError):
    """A defect in cmgtrail itself. Please report it with its message."""

@final
class Table(Generic[_RowT_co]):
    """A sequence of flows, events, stages, joins, findings, lines of evidence or sources; also a table of columns.

    As a sequence it has a length, `table[0]`, slices (which are tables again) and iteration. Flows can be asked for by
    id, stages by name, findings by failure, sources by path. As a table it is taken by every library that knows the
    Arrow PyCapsule protocol: `polars.DataFrame(table)`, `pyarrow.table(table)`, `duckdb.from_arrow(table)`. Columns are
    laid out when they are asked for.

    | table | a row is | columns |
    |---|---|---|
    | `flows` | a flow | flow_id, kind, host, device_id, user_id, client_id, tenant_id, attempts, started, ended, outcome, broke_at, events (count), failures (list of failure ids) |
    | `events` | a line of a flow | flow_id, attempt, stage, mark, at, host, source, line, message, text |
    | `stages` | a stage of a flow | flow_id, stage, status, inferred, reason, at, source, line (the first line that decided) |
    | `joins` | a line of a flow | flow_id, source, line, by (list), confidence, distance_seconds, rivals |
    | `findings` | a finding | finding (rank from 0), failure, severity, confidence, hypothesis, stage, scope, title, explanation, remedy, verify, reference, rule, consequences (list), flow_ids (list), clients, first_seen, last_seen |
    | `evidence` | a line that proves a finding | finding, failure, flow_id, source, line, text |
    | `sources` | a log | path, format, component, host, role, bytes, records, gaps, gap_bytes, from, to, time, files (list), notes (list), flow_ids (list) |

    Times are `timestamp[us, UTC]`.

    Example:
        >>> import cmgtrail
        >>> trail = cmgtrail.read("logs/")
        >>> trail.flows[0].outcome
        'failed'
        >>> trail.flows.to_polars()["outcome"][0]
        'failed'
    """

    @property
    def name(self) -> Literal["flows", "events", "stages", "joins", "findings", "evidence", "sources"]:
        """Which table it is."""
    @property
    def columns(self) -> list[str]:
        """Names of the columns, in order."""
    def __len__(self) -> int: ...
    @overload
    def __getitem__(self, key: int | str, /) -> _RowT_co: ...
    @overload
    def __getitem__(self, key: slice, /) -> Table[_RowT_co]: ...
    def __contains__(self, key: object, /) -> bool: ...
    def __iter__(self) -> TableIterator[_RowT_co]: ...
    def __eq__(self, other: object, /) -> bool: ...
    def to_polars(self) -> pl.DataFrame:
        """A polars `DataFrame`.

        Raises:
            ImportError: polars is not installed (`pip install "cmgtrail[polars]"`).
        """
    def to_pandas(self) -> pd.DataFrame:
        """A pandas `DataFrame`.

        Raises:
            ImportError: pandas or pyarrow is not installed (`pip install "cmgtrail[pandas]"`).
        """
    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...
    def _repr_html_(self) -> str: ...
    @classmethod
    def __class_getitem__(cls, item: Any) -> Any: ...

@final
class TableIterator(Generic[_RowT_co]):
    """One pass over a table."""

    def __iter__(self) -> TableIterator[_RowT_co]: ...
    def __next__(self) -> _RowT_co: ...

@final
class Trail:
    """Everything read, followed and diagnosed. Made by `cmgtrail.read`."""

    @property
    def paths(self) -> list[str]:
        """The paths as given."""
    @property
    def traffic(self) -> bool:
        """True where some log holds a request to a CMG; else there is nothing to diagnose."""
    @property
    def flows(self) -> Table[Flow]:
        """The flows, in order of start."""
    @property
    def events(self) -> Table[Event]:
        """The lines of all flows."""
    @property
    def stages(self) -> Table[Stage]:
        """The stages of all flows."""
    @property
    def joins(self) -> Table[Join]:
        """Why each line belongs to its flow."""
    @property
    def findings(self) -> Table[Finding]:
        """The causes, best first."""
    @property
    def evidence(self) -> Table[Evidence]:
        """The lines that prove the findings."""
    @property
    def sources(self) -> Table[Source]:
        """The logs: a file and its rollovers are one."""
    @property
    def records(self) -> Records:
        """All records, read anew each time they are asked for."""
    @property
    def clocks(self) -> tuple[Clock, ...]:
        """How far the clocks of machines are apart."""
    @property
    def artefacts(self) -> list[dict[str, Any]]:
        """Tokens, certificates and the like that were found among the logs, each with its report."""
    def to_dict(self) -> dict[str, Any]:
        """The JSON form, as `cmgtrail diagnose --format json` prints it, as dicts and lists."""
    def to_json(self, *, indent: bool = True) -> str:
        """The JSON form as text.

        Args:
            indent: Spread over lines, as the command prints it; else on one line.
        """
    def _repr_html_(self) -> str: ...

@final
class Flow:
    """One purpose (an installation, a registration, service afterwards) pursued by one client, with its attempts."""

    @property
    def id(self) -> str:
        """The same in every run over the same logs."""
    @property
    def kind(self) -> Literal["install", "registration", "service"]:
        """What the client was after."""
    @property
    def client(self) -> Client:
        """Who it was."""
    @property
    def attempts(self) -> int:
        """Number of attempts, from 1."""
    @property
    def started(self) -> datetime | None:
        """UTC of its first line."""
    @property
    def ended(self) -> datetime | None:
        """UTC of its last line."""
    @property
    def outcome(self) -> Literal["completed", "failed", "stalled", "unfinished"]:
        """How it ended: `stalled` went silent while its log goes on, `unfinished` is where its log ends."""
    @property
    def broke_at(self) -> _StageName | None:
        """The stage at which its last attempt broke."""
    @property
    def stages(self) -> Table[Stage]:
        """Its stages, in display order."""
    @property
    def events(self) -> Table[Event]:
        """Its lines on all machines, in order."""
    @property
    def joins(self) -> Table[Join]:
        """Why each of its lines belongs to it."""
    @property
    def findings(self) -> Table[Finding]:
        """The findings that name it, best first."""
    def to_dict(self) -> dict[str, Any]:
        """The same as in the JSON form."""
    def __eq__(self, other: object, /) -> bool: ...
    def _repr_html_(self) -> str: ...

@final
class Client:
    """Who pursued a flow, as far as the logs say. Ids are lower-case."""

    @property
    def host(self) -> str | None:
        """Host name."""
    @property
    def device_id(self) -> str | None:
        """Entra device id."""
    @property
    def user_id(self) -> str | None:
        """Entra user object id."""
    @property
    def client_id(self) -> str | None:
        """ConfigMgr client id, without `GUID:`."""
    @property
    def tenant_id(self) -> str | None:
        """Entra tenant id."""
    def to_dict(self) -> dict[str, Any]:
        """The same as in the JSON form."""
    def __eq__(self, other: object, /) -> bool: ...
    def _repr_html_(self) -> str: ...

@final
class Stage:
    """A stage of a flow, as judged over its last attempt."""

    @property
    def flow(self) -> Flow:
        """The flow that it is a stage of."""
    @property
    def stage(self) -> _StageName:
        """Its name."""
    @property
    def status(self) -> Literal["passed", "failed", "skipped", "unseen"]:
        """`skipped` was not needed in this flow; `unseen` has no evidence."""
    @property
    def inferred(self) -> bool:
        """True where a later stage presupposes it and no line of its own says so."""
    @property
    def reason(self) -> str | None:
        """Why it was skipped or is unseen, and which log would show it."""
    @property
    def at(self) -> datetime | None:
        """UTC of the line that decided."""
    @property
    def evidence(self) -> list[tuple[str, int]]:
        """The lines that decided: file and 1-based line number."""
    def to_dict(self) -> dict[str, Any]:
        """The same as in the JSON form."""
    def __eq__(self, other: object, /) -> bool: ...
    def _repr_html_(self) -> str: ...

@final
class Event:
    """A line as part of a flow."""

    @property
    def flow(self) -> Flow:
        """The flow that it belongs to."""
    @property
    def attempt(self) -> int:
        """Attempt of the flow, from 1."""
    @property
    def stage(self) -> _StageName:
        """The stage that it belongs to."""
    @property
    def mark(self) -> Literal["start", "step", "ok", "fail"]:
        """What it says of the stage."""
    @property
    def at(self) -> datetime | None:
        """UTC, by the clock of the machine that wrote it."""
    @property
    def source(self) -> str:
        """The file, relative to the path that was given, with `/`."""
    @property
    def line(self) -> int:
        """First physical line of the record, 1-based."""
    @property
    def message(self) -> str:
        """Id of the message of the knowledge that matched."""
    @property
    def text(self) -> str | None:
        """The record's message."""
    @property
    def join(self) -> Join:
        """Why it belongs to its flow."""
    def to_dict(self) -> dict[str, Any]:
        """The same as in the JSON form."""
    def __eq__(self, other: object, /) -> bool: ...
    def _repr_html_(self) -> str: ...

@final
class Join:
    """Why a line belongs to a flow."""

    @property
    def event(self) -> Event:
        """The line."""
    @property
    def by(self) -> list[str]:
        """The keys that agree, such as `device-id`, `thread`, `log`."""
    @property
    def confidence(self) -> _Confidence:
        """How sure it is."""
    @property
    def distance_seconds(self) -> float | None:
        """Seconds between the joined lines, clock offsets taken off, where time had a part in it."""
    @property
    def rivals(self) -> int:
        """Other flows that fit as well."""
    def to_dict(self) -> dict[str, Any]:
        """The same as in the JSON form."""
    def __eq__(self, other: object, /) -> bool: ...
    def _repr_html_(self) -> str: ...

@final
class Finding:
    """One cause: what it is, how sure it is, the lines that prove it, and what to do."""

    @property
    def failure(self) -> str:
        """Failure id, such as `cmg-root-ca-missing`."""
    @property
    def severity(self) -> _Severity:
        """`error` stops authentication now, `warning` will or degrades it, `info` is benign and named as such."""
    @property
    def confidence(self) -> _Confidence:
        """`certain` where the evidence excludes the alternatives."""
    @property
    def hypothesis(self) -> bool:
        """True where no public sample of this failure's text is known."""
    @property
    def stage(self) -> _StageName | None:
        """The stage that fails first, if it has one."""
    @property
    def scope(self) -> str:
        """Whom it hits, such as `client`, `site`, `tenant`."""
    @property
    def title(self) -> str:
        """One line."""
    @property
    def explanation(self) -> str:
        """What happened and why, with the values found."""
    @property
    def remedy(self) -> str:
        """What to do now."""
    @property
    def verify(self) -> str:
        """How to check that it worked."""
    @property
    def reference(self) -> str:
        """Public reference."""
    @property
    def rule(self) -> str:
        """`builtin`, or the knowledge file that the rule came from."""
    @property
    def evidence(self) -> Table[Evidence]:
        """The lines that prove it."""
    @property
    def missing(self) -> tuple[Missing, ...]:
        """What is missing to be certain, most telling first."""
    @property
    def consequences(self) -> list[str]:
        """Failure ids and codes that follow from it."""
    @property
    def flows(self) -> Table[Flow]:
        """The flows that it stopped."""
    @property
    def clients(self) -> int:
        """Number of clients that it stopped."""
    @property
    def first_seen(self) -> datetime | None:
        """UTC of its first evidence."""
    @property
    def last_seen(self) -> datetime | None:
        """UTC of its last evidence."""
    def to_dict(self) -> dict[str, Any]:
        """The same as in the JSON form."""
    def __eq__(self, other: object, /) -> bool: ...
    def _repr_html_(self) -> str: ...

@final
class Evidence:
    """A line that proves a finding."""

    @property
    def finding(self) -> Finding:
        """The finding that it proves."""
    @property
    def source(self) -> str:
        """The file, relative to the path that was given, with `/`."""
    @property
    def line(self) -> int:
        """First physical line of the record, 1-based."""
    @property
    def text(self) -> str:
        """The record's message, as written by whoever wrote the log."""
    def to_dict(self) -> dict[str, Any]:
        """The same as in the JSON form."""
    def __eq__(self, other: object, /) -> bool: ...
    def _repr_html_(self) -> str: ...

@final
class Missing:
    """Evidence that is not at hand and would decide."""

    @property
    def what(self) -> str:
        """Which log or artefact."""
    @property
    def machine(self) -> str | None:
        """Of which machine: a host name, or a role in words."""
    @property
    def since(self) -> datetime | None:
        """From when, UTC (`from` in the JSON form)."""
    @property
    def until(self) -> datetime | None:
        """Until when, UTC (`to` in the JSON form)."""
    @property
    def separates(self) -> list[str]:
        """The failures that it would tell apart."""
    @property
    def how(self) -> str:
        """How to collect it."""
    def to_dict(self) -> dict[str, Any]:
        """The same as in the JSON form."""
    def __eq__(self, other: object, /) -> bool: ...
    def _repr_html_(self) -> str: ...

@final
class Source:
    """One log of one machine: a file and its rollovers, read as one."""

    @property
    def path(self) -> str:
        """The current file, relative to the path that was given, with `/`."""
    @property
    def format(self) -> Literal["ccm", "sms", "w3c", "clipboard", "managed"] | None:
        """How most of its records are framed; `None` where none was found."""
    @property
    def component(self) -> str | None:
        """The component that wrote most records, or the log's name."""
    @property
    def host(self) -> str | None:
        """The machine that wrote it."""
    @property
    def role(self) -> _Role | None:
        """What kind of machine that is."""
    @property
    def bytes(self) -> int:
        """Bytes in all its files."""
    @property
    def records(self) -> int:
        """Number of records."""
    @property
    def gaps(self) -> int:
        """Runs of bytes that belong to no record."""
    @property
    def gap_bytes(self) -> int:
        """Bytes in those runs."""
    @property
    def first(self) -> datetime | None:
        """UTC of the first record (`from` in the JSON form)."""
    @property
    def last(self) -> datetime | None:
        """UTC of the last record (`to` in the JSON form)."""
    @property
    def time(self) -> _UtcQuality:
        """How UTC is known: written with a believable bias, taken from the machine's other records, or not at all."""
    @property
    def files(self) -> list[str]:
        """All its files, oldest first."""
    @property
    def notes(self) -> list[str]:
        """What a reader should know: an unreadable file, a rollover hole, a record cut in half."""
    def to_dict(self) -> dict[str, Any]:
        """The same as in the JSON form."""
    def __eq__(self, other: object, /) -> bool: ...
    def _repr_html_(self) -> str: ...

@final
class Clock:
    """How far a machine's clock is ahead of a reference, from pairs of lines of one event on both."""

    @property
    def host(self) -> str:
        """The machine."""
    @property
    def reference(self) -> str:
        """The machine that it is compared with."""
    @property
    def offset_seconds(self) -> float:
        """Seconds that it is ahead."""
    @property
    def uncertainty_seconds(self) -> float:
        """How uncertain that is, in seconds."""
    @property
    def pairs(self) -> int:
        """Pairs of lines that it rests on."""
    def to_dict(self) -> dict[str, Any]:
        """The same as in the JSON form."""
    def __eq__(self, other: object, /) -> bool: ...
    def _repr_html_(self) -> str: ...

@final
class Records:
    """Log records as a stream. It can be read again and again, each time from the files; it is never all in memory.

    As columns: source, file, line, byte_start, byte_end, local_time (`timestamp[us]`), bias_minutes, utc
    (`timestamp[us, UTC]`), utc_quality, host, component, thread, context, severity, code_file, damaged, text. Words
    that repeat are dictionaries (categoricals).

    Example:
        >>> import cmgtrail
        >>> errors = [record for record in cmgtrail.records("logs/") if record.severity == "error"]
        >>> errors[-1].source
        'client-PC042/ccmsetup.log'
    """

    @property
    def columns(self) -> list[str]:
        """Names of the columns, in order."""
    def __iter__(self) -> RecordIterator: ...
    def to_polars(self) -> pl.DataFrame:
        """A polars `DataFrame` of all records."""
    def to_pandas(self) -> pd.DataFrame:
        """A pandas `DataFrame` of all records."""
    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...

@final
class RecordIterator:
    """One pass over the records."""

    def __iter__(self) -> RecordIterator: ...
    def __next__(self) -> Record: ...

@final
class Record:
    """One log record."""

    @property
    def source(self) -> str:
        """The log: the path of its current file, relative to the path that was given, with `/`."""
    @property
    def file(self) -> str:
        """The file that it stands in: the log's current one or a rollover."""
    @property
    def line(self) -> int:
        """First physical line, 1-based."""
    @property
    def byte_start(self) -> int:
        """First byte in the file."""
    @property
    def byte_end(self) -> int:
        """One past its last byte, framing and line end included."""
    @property
    def local_time(self) -> datetime | None:
        """Local time as the log shows it, without a zone."""
    @property
    def bias_minutes(self) -> int | None:
        """Minutes that were written to add to local time to get UTC."""
    @property
    def utc(self) -> datetime | None:
        """UTC, by the clock of the machine that wrote it."""
    @property
    def utc_quality(self) -> _UtcQuality:
        """How UTC is known."""
    @property
    def host(self) -> str | None:
        """The machine that wrote it."""
    @property
    def component(self) -> str | None:
        """The component that wrote it."""
    @property
    def thread(self) -> int | None:
        """Thread id."""
    @property
    def context(self) -> str | None:
        """CCM `context`."""
    @property
    def severity(self) -> _Severity:
        """As the log has it, or as CMTrace reads it from the words."""
    @property
    def code_file(self) -> str | None:
        """Place in the writer's own code, such as `ccmsetup.cpp:1234`."""
    @property
    def text(self) -> str:
        """The message."""
    @property
    def damaged(self) -> bool:
        """True where the record's framing is damaged or cut."""
    def to_dict(self) -> dict[str, Any]:
        """All columns by name; times as text (RFC 3339; local time without a zone)."""
    def to_json(self) -> str:
        """The same as JSON on one line."""

@final
class Zone:
    """A time zone for people.

    Example:
        >>> from cmgtrail._engine import Zone
        >>> berlin = Zone("Europe/Berlin")
        >>> berlin.parse("2026-11-04T10:00").isoformat()
        '2026-11-04T09:00:00+00:00'
        >>> berlin.show(berlin.parse("2026-11-04T09:00Z"))
        '2026-11-04 10:00:00'
    """

    def __new__(cls, name: str = "UTC", /) -> Zone: ...
    @property
    def name(self) -> str:
        """`UTC`, `local`, or an IANA name."""
    def parse(self, text: str, /, *, argument: str = "time") -> datetime:
        """Reads RFC 3339, or a date with or without a time of day; where it has no zone of its own, in this one.

        Args:
            text: Such as `2026-11-04T09:00:00Z`, `2026-11-04T10:00+01:00`, `2026-11-04 10:00`, `2026-11-04`.
            argument: What the error calls it.

        Raises:
            ArgumentError: It is no time.
        """
    def show(self, moment: datetime, /, *, digits: int = 0) -> str:
        """An aware time in this zone, `2026-11-04 10:12:33`.

        Args:
            moment: The time.
            digits: 0, or 3 for milliseconds.
        """

def records(
    paths: Sequence[str],
    *,
    since: datetime | str | None = None,
    until: datetime | str | None = None,
    encoding: str | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> Records:
    """Opens logs as records; see `cmgtrail.records`, which is the same with kinder arguments."""

def read(
    paths: Sequence[str],
    *,
    knowledge: Sequence[str] = ...,
    site: str | None = None,
    since: datetime | str | None = None,
    until: datetime | str | None = None,
    client: str | None = None,
    encoding: str | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> Trail:
    """Reads and diagnoses; see `cmgtrail.read`, which is the same with kinder arguments."""
