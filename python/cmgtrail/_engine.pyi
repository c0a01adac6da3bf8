"""The engine. Everything here that a user needs is exported by `cmgtrail` itself.

Times are aware `datetime` objects in UTC, by the clock of the machine that wrote the line (not corrected; `Trail.clocks`
says how far clocks are apart). Ids, such as stages and failures, are the words of the JSON form. What is not known is
`None`. No object can be changed.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, Literal, NoReturn, TypeVar, final, overload

import altair as alt
import pandas as pd
import polars as pl

from cmgtrail.plots import Plots

__version__: str
"""Version of cmgtrail."""

__all__ = [
    "ArgumentError",
    "Check",
    "CheckIterator",
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
    "RecordIterator",
    "Records",
    "Report",
    "SiteError",
    "Source",
    "Stage",
    "Table",
    "TableIterator",
    "Trail",
    "UnreadableError",
    "Verdicts",
    "Zone",
    "__version__",
    "builtin_knowledge",
    "check_knowledge",
    "code_components",
    "compare_phases",
    "explain_code",
    "inspect_certificate",
    "inspect_token",
    "knowledge_entries",
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
    "withheld",
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
_FailureRole = Literal["cause", "symptom", "benign"]
_Status = Literal["passed", "failed", "not checked"]
_Purpose = Literal["server", "client"]
_Profile = Literal["windows", "webpki", "rfc5280"]
_Vantage = Literal["internet", "intranet"]
_Revocation = Literal["off", "leaf", "chain"]

_Bytes = bytes | bytearray | memoryview
_Material = _Bytes | str | os.PathLike[str]

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

class SiteError(CmgTrailError):
    """A site description has mistakes; all of them are told, each with its line."""

class ArgumentError(CmgTrailError):
    """An argument has a value that cannot be used."""

class InternalError(CmgTrailError):
    """A defect in cmgtrail itself. Please report it with its message."""

@final
class Table(Generic[_RowT_co]):
    """A sequence of flows, events, stages, joins, findings, lines of evidence or sources; also a table of columns.

    As a sequence it has a length, `table[0]`, slices (which are tables again) and iteration. Flows can be asked for by
    id, stages by name, findings by failure (the first, where one is found for some clients more surely than for others),
    sources by path. As a table it is taken by every library that knows the
    Arrow PyCapsule protocol: `polars.DataFrame(table)`, `pyarrow.table(table)`, `duckdb.from_arrow(table)`. Columns are
    laid out when they are asked for.

    | table | a row is | columns |
    |---|---|---|
    | `flows` | a flow | flow_id, kind, host, device_id, user_id, client_id, tenant_id, attempts, started, ended, outcome, broke_at, events (count), failures (list of failure ids) |
    | `events` | a line of a flow | flow_id, attempt, stage, mark, at, host, source, line, message, text |
    | `stages` | a stage of a flow | flow_id, stage, status, inferred, reason, at, source, line (the first line that decided) |
    | `joins` | a line of a flow | flow_id, source, line, by (list), confidence, distance_seconds, rivals, to_source, to_line |
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
    def column(self, name: str) -> list[Any]:
        """The values of one column: text, numbers, aware `datetime`s in UTC, lists of text; `None` where not known.

        Raises:
            ArgumentError: There is no such column.

        Example:
            >>> import cmgtrail
            >>> cmgtrail.read("logs/").flows.column("host")
            ['PC042']
        """
    def where(self, **conditions: Any) -> Table[_RowT_co]:
        """The rows whose columns have the values asked for; a table again, in the same order.

        Each condition names a column, and all must hold. A list, tuple or set is a choice of values, `None` means "not
        known". A column that is a list holds what is among its values. Text is compared regardless of letter case.

        Raises:
            ArgumentError: There is no such column, or a value is one that the column can never have, such as an
                outcome that does not exist, or a function.

        Example:
            >>> import cmgtrail
            >>> trail = cmgtrail.read("logs/")
            >>> len(trail.flows.where(host="pc042", outcome=["failed", "stalled"]))
            1
            >>> len(trail.flows.where(failures="cmg-root-ca-missing"))
            1
            >>> trail.flows[0].stages.where(status="failed")[0].stage
            'cmg-connection'
        """
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
    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NoReturn:
        """Refused with a `TypeError`: `pandas.DataFrame(table)` would make one column of objects."""
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
        """True where some log holds a request to a CMG; without one only what needs none can be found."""
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
        """Tokens, certificates and the like that were found among the logs, in order of path.

        Each has `path`, `kind`, `part`, `host`, `at` and the `report` of the validator, as in the JSON form;
        `docs/bundle.md` says what they mean.
        """
    def to_dict(self) -> dict[str, Any]:
        """The JSON form, as `cmgtrail diagnose --format json` prints it, as dicts and lists."""
    def to_json(self, *, indent: bool = True) -> str:
        """The JSON form as text.

        Args:
            indent: Spread over lines, as the command prints it; else on one line.
        """
    def report(self, path: str | os.PathLike[str]) -> None:
        """Writes the report: one HTML page that needs nothing else, to be sent, printed and kept.

        Args:
            path: The file to write; one that is there is replaced.

        Example:
            >>> import cmgtrail
            >>> cmgtrail.read("logs/").report("report.html")
        """
    @property
    def plot(self) -> Plots:
        """Pictures of the trail: `outcomes()`, `timeline()`, `causes()`, `onset()`.

        Each is an Altair chart, and needs it (`pip install "cmgtrail[notebook]"`).
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
    def candidate_ranges(self) -> list[dict[str, Any]]:
        """Parts of servers' logs that hold lines of the flow among more alike than can be listed.

        Each has `attempt`, `source`, `line`, `last_line`, how many `candidates` stand in it, and `to`, the client's line
        that one of them is the other end of.
        """
    @property
    def findings(self) -> Table[Finding]:
        """The findings that name it, best first."""
    def plot(self, *, every: bool = False) -> alt.Chart:
        """The flow as a sequence diagram: machines, stages, delays, clock offsets, and where it stopped.

        Args:
            every: Every attempt; else of more than five the first two and the last two.

        Raises:
            ImportError: Altair is not installed (`pip install "cmgtrail[notebook]"`).
        """
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
        """True where no line of its own says so.

        A later stage presupposes that it passed, or what did not come, or the cause of that, tells that it failed.
        """
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
        """Other candidates that fit as well: flows for this line, or lines of the same machine for its request."""
    @property
    def to(self) -> tuple[str, int] | None:
        """File and number of the client's line that it was joined to; None for the client's own lines."""
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
        """What happened and why, with the values found; artefacts and neighbours in paragraphs of their own."""
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
    @property
    def codes(self) -> list[Code]:
        """The codes in the line, each with its likeliest meaning; known by their digits in whatever language."""
    def to_dict(self) -> dict[str, Any]:
        """The same as in the JSON form."""
    def __eq__(self, other: object, /) -> bool: ...
    def _repr_html_(self) -> str: ...

@final
class Code:
    """One thing that a code can mean, by the component that says it."""

    @property
    def code(self) -> str:
        """The code as its component writes it: `12175`, `0x87D00231`, `403.7`, `AADSTS50020`, `0x8`."""
    @property
    def component(self) -> str:
        """Whose code it is: `winhttp`, `ccm`, `win32` and others."""
    @property
    def name(self) -> str:
        """Its symbol, or, where no symbol is public, its words."""
    @property
    def says(self) -> str:
        """What it says, in a plain sentence."""
    @property
    def means(self) -> str:
        """What that means for a client that goes through a gateway."""
    @property
    def role(self) -> _FailureRole:
        """A `cause` names what is wrong, a `symptom` only says that something is, a `benign` code that nothing is."""
    @property
    def failures(self) -> list[str]:
        """Ids of the failures that it points to."""
    @property
    def how(self) -> str | None:
        """How what was written becomes this code, where it is not written like this itself."""
    @property
    def source(self) -> str:
        """Header, document or table that it is known from."""
    @property
    def rule(self) -> str:
        """`builtin`, or the knowledge file that it comes from."""
    def to_dict(self) -> dict[str, Any]:
        """The same as in the JSON form."""
    def __eq__(self, other: object, /) -> bool: ...

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
    @property
    def since(self) -> datetime | None:
        """From when on, by its own clock, where it was set in the middle of its logs; None from the start."""
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
    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NoReturn:
        """Refused with a `TypeError`: `pandas.DataFrame(table)` would make one column of objects."""
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

@final
class Report:
    """What a validator answers: the verdict, what was read, and every check, none of which hides another.

    It holds no token and no signature, also where one stood in the wrong place. It is neither true nor false: ask for
    `valid`.

    Example:
        >>> import cmgtrail
        >>> report = cmgtrail.validate_token("not.a.token", at="2026-11-04T09:12:33Z")
        >>> report.valid
        False
        >>> report.checks["signature"].status
        'not checked'
    """

    @property
    def kind(self) -> Literal["token", "certificate", "certificate-chain", "dsregcmd"]:
        """What was validated."""
    @property
    def valid(self) -> bool | None:
        """True, False, or None: nothing failed, but something that decides was not checked."""
    @property
    def facts(self) -> dict[str, Any]:
        """What was read, before any judgement. Times are RFC 3339 UTC."""
    @property
    def checks(self) -> Checks:
        """Every check."""
    @property
    def failed(self) -> Checks:
        """The checks that keep it from being valid."""
    @property
    def open(self) -> Checks:
        """The checks that decide and were not made; the explanation of each says what it wants."""
    def to_dict(self) -> dict[str, Any]:
        """The JSON form, as the command prints it with `--format json`, as dicts and lists."""
    def to_json(self, *, indent: bool = True) -> str:
        """The JSON form as text.

        Args:
            indent: Spread over lines, as the command prints it; else on one line.
        """
    def __bool__(self) -> NoReturn: ...
    def __eq__(self, other: object, /) -> bool: ...
    def _repr_html_(self) -> str: ...

@final
class Check:
    """One check and what it found."""

    @property
    def id(self) -> str:
        """What was checked, or what is wrong: `expiry`, `name-mismatch`."""
    @property
    def status(self) -> _Status:
        """How it ended. What was not checked is never the same as passed."""
    @property
    def decides(self) -> bool:
        """Whether it affects the verdict; one that does not is a remark."""
    @property
    def subject(self) -> str:
        """What it looked at: a claim, a certificate, a revocation list."""
    @property
    def expected(self) -> str | None:
        """What would have been right."""
    @property
    def found(self) -> str | None:
        """What was there."""
    @property
    def explanation(self) -> str:
        """The reason in a sentence."""
    @property
    def reference(self) -> str | None:
        """Where the rule stands: an RFC and its section, a public document."""
    @property
    def windows(self) -> dict[str, Any] | None:
        """How Windows reports it, where it does.

        `hresults` are names and `codes` the same as numbers; `trust_status` (`CERT_TRUST_*`) and `winhttp_flags`
        (`WINHTTP_CALLBACK_STATUS_FLAG_*`) are masks.
        """
    def to_dict(self) -> dict[str, Any]:
        """The same as in the JSON form."""
    def __eq__(self, other: object, /) -> bool: ...
    def _repr_html_(self) -> str: ...

@final
class Checks:
    """Checks of a report: a sequence, and a table for every library that takes Arrow columns.

    Columns: id, status, decides, subject, expected, found, explanation, reference, hresults (list), trust_status,
    winhttp_flags. A check can be asked for by its id; where several have it, as in a chain, the first is given.

    Example:
        >>> import cmgtrail
        >>> checks = cmgtrail.inspect_token("not.a.token").checks
        >>> checks.to_polars()["status"][0] == checks[0].status
        True
    """

    @property
    def name(self) -> Literal["checks"]:
        """Which table it is."""
    @property
    def columns(self) -> list[str]:
        """Names of the columns, in order."""
    def __len__(self) -> int: ...
    @overload
    def __getitem__(self, key: int | str, /) -> Check: ...
    @overload
    def __getitem__(self, key: slice, /) -> Checks: ...
    def __contains__(self, key: object, /) -> bool: ...
    def __iter__(self) -> CheckIterator: ...
    def __eq__(self, other: object, /) -> bool: ...
    def to_polars(self) -> pl.DataFrame:
        """A polars `DataFrame`."""
    def to_pandas(self) -> pd.DataFrame:
        """A pandas `DataFrame`."""
    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NoReturn:
        """Refused with a `TypeError`: `pandas.DataFrame(table)` would make one column of objects."""
    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...
    def _repr_html_(self) -> str: ...

@final
class CheckIterator:
    """One pass over checks."""

    def __iter__(self) -> CheckIterator: ...
    def __next__(self) -> Check: ...

@final
class KeySet:
    """Keys that may have signed tokens, read once for many of them.

    Example:
        >>> import cmgtrail
        >>> keys = cmgtrail.KeySet({"keys": []})
        >>> len(keys), keys.problems
        (0, ['the key set holds no key'])
    """

    def __new__(cls, keys: KeySet | _Material | Mapping[str, Any] | Iterable[_Material], /) -> KeySet: ...
    @property
    def problems(self) -> list[str]:
        """What could not be used, and what is doubtful, a sentence each."""

    def __len__(self) -> int:
        """Number of keys that can be used."""

@final
class Verdicts:
    """Verdicts on a column of tokens, a row for each, in its order; a table for every library that takes Arrow columns.

    Columns: valid, kind, version, tenant_id, device_id, object_id, issuer, audience, key_id, algorithm, explanation (of
    the first refusal), issued_at, not_before, expires (`timestamp[us, UTC]`), failed and not_checked (lists of ids of
    checks that decide). Where the column had no token, a row is null throughout.
    """

    @property
    def name(self) -> Literal["verdicts"]:
        """Which table it is."""
    @property
    def columns(self) -> list[str]:
        """Names of the columns, in order."""
    @property
    def counts(self) -> tuple[int, int, int]:
        """How many are valid, not valid, and undecided; a row without a token counts as undecided."""
    def __len__(self) -> int: ...
    def to_polars(self) -> pl.DataFrame:
        """A polars `DataFrame`."""
    def to_pandas(self) -> pd.DataFrame:
        """A pandas `DataFrame`."""
    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NoReturn:
        """Refused with a `TypeError`: `pandas.DataFrame(table)` would make one column of objects."""
    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...
    def _repr_html_(self) -> str: ...

@final
class Phases:
    """The same chain before and after a client has taken the site's settings. Made by `cmgtrail.compare_phases`."""

    @property
    def bootstrap(self) -> Report:
        """While `ccmsetup` runs."""
    @property
    def after_settings(self) -> Report:
        """After the client has taken the site's settings."""
    @property
    def explanation(self) -> str:
        """What the comparison says, in a sentence or two."""
    def to_dict(self) -> dict[str, Any]:
        """The JSON form: both reports and the explanation under these names."""
    def _repr_html_(self) -> str: ...

@final
class DsregcmdStatus:
    """What `dsregcmd /status` says. Made by `cmgtrail.read_dsregcmd`; its length is the number of fields."""

    @property
    def join(self) -> Literal["entra", "hybrid", "domain", "on-premises", "none"] | None:
        """How the device is joined."""
    @property
    def device_id(self) -> str | None:
        """Entra device id, lower-case."""
    @property
    def tenant_id(self) -> str | None:
        """Entra tenant id, lower-case."""
    @property
    def thumbprint(self) -> str | None:
        """SHA-1 of the device's certificate, upper-case hexadecimal digits."""
    @property
    def not_before(self) -> datetime | None:
        """Start of the validity of the device's certificate, UTC."""
    @property
    def not_after(self) -> datetime | None:
        """End of the validity of the device's certificate, UTC."""
    def __len__(self) -> int: ...
    def get(self, name: str, /) -> str | None:
        """The first value of the field of this name.

        Args:
            name: As the command writes it, in any case: `AzureAdPrt`.
        """
    def to_dict(self) -> dict[str, Any]:
        """The same, and `fields`: every field with its section and line."""
    def _repr_html_(self) -> str: ...

def inspect_token(token: str | _Bytes | os.PathLike[str], *, mask: bool = False) -> Report:
    """Reads a token and checks what can be checked without keys, time and expectations.

    Args:
        token: The token as text or bytes, or the path of its file as a `pathlib.Path`. A text is never a path.
        mask: Mask identifiers (GUIDs, names, addresses, SIDs).

    Returns:
        Its facts, header and claims among them, never its signature. `valid` is False where the token itself is
        broken, else None.

    Raises:
        PathNotFoundError: There is no such file.
        UnreadableError: The file cannot be read.
        ArgumentError: What was given is no text.

    Example:
        >>> import cmgtrail
        >>> from pathlib import Path
        >>> cmgtrail.inspect_token(Path("token.txt")).facts["kind"]
        'entra-device'
    """

def validate_token(
    token: str | _Bytes | os.PathLike[str],
    *,
    keys: KeySet | _Material | Mapping[str, Any] | Iterable[_Material] | None = None,
    audience: str | Iterable[str] | None = None,
    issuers: str | Iterable[str] | None = None,
    tenants: str | Iterable[str] | None = None,
    at: datetime | str,
    leeway: int = 300,
    mask: bool = False,
) -> Report:
    """Checks a token: form, signature, time, issuer, tenant, audience. Nothing is fetched.

    Args:
        token: The token as text or bytes, or the path of its file as a `pathlib.Path`. A text is never a path.
        keys: Keys that may have signed: a JWKS (JSON text or dict), PEM, certificates; bytes, text, the path of a
            file, or several of them; or a `KeySet`, which is read once for many tokens. Without them the signature is
            not checked, and the verdict stays open.
        audience: The audience, or several of which the token must name one. Without it the verdict stays open.
        issuers: Issuers that are accepted; `{tenantid}` stands for the token's tenant. By default any that is written
            as Entra or a Configuration Manager site writes it.
        tenants: Tenant ids that are accepted. By default any.
        at: The instant at which it must be valid, such as that of the log line: an aware `datetime`, or text with its
            zone (`2026-11-04T09:12:33Z`).
        leeway: Seconds by which clocks may differ.
        mask: Mask identifiers (GUIDs, names, addresses, SIDs).

    Returns:
        The report; every check is in it, whatever the token is.

    Raises:
        PathNotFoundError: There is no such file.
        UnreadableError: A file cannot be read.
        ArgumentError: An argument cannot be used: a time without a zone, keys of no known form.

    Example:
        >>> import cmgtrail
        >>> from pathlib import Path
        >>> report = cmgtrail.validate_token(
        ...     Path("token.txt"), keys="keys.json", audience="https://ConfigMgrService", at="2026-11-04T09:12:33Z"
        ... )
        >>> report.valid
        True
        >>> late = cmgtrail.validate_token(Path("token.txt"), keys="keys.json", at="2026-11-05T09:12:33Z")
        >>> [check.id for check in late.failed]
        ['expiry']
    """

def validate_tokens(
    tokens: Any,
    *,
    keys: KeySet | _Material | Mapping[str, Any] | Iterable[_Material] | None = None,
    audience: str | Iterable[str] | None = None,
    issuers: str | Iterable[str] | None = None,
    tenants: str | Iterable[str] | None = None,
    at: datetime | str,
    leeway: int = 300,
    mask: bool = False,
    progress: Callable[[int, int], object] | None = None,
) -> Verdicts:
    """Checks a column of tokens; see `cmgtrail.validate_tokens`, which is the same with a progress bar."""

@final
class Preflight:
    """Whether the clients of a site would work; see `cmgtrail.preflight`.

    Example:
        >>> import cmgtrail
        >>> prediction = cmgtrail.preflight("site.toml", client="PC042", at="2026-11-04T09:00Z")
        >>> prediction.clients
        {'PC042': False}
    """

    @property
    def works(self) -> bool | None:
        """Whether all clients work in both phases; None: nothing stops them, and something that decides is open."""
    @property
    def at(self) -> str:
        """The instant of the prediction, RFC 3339."""
    @property
    def clients(self) -> dict[str, bool | None]:
        """The clients by name, each with whether it works."""
    @property
    def notes(self) -> list[str]:
        """What to know of the logs that it was held against: of which clients they say nothing."""
    @property
    def stages(self) -> PredictedStages:
        """All stages of all clients in both phases."""
    @property
    def findings(self) -> list[Forecast]:
        """What stops clients or will: errors first, then what hits most of them."""
    def to_dict(self) -> dict[str, Any]:
        """The JSON form as dicts and lists. For one client it holds the reports of the validators that decided."""
    def to_json(self, *, indent: bool = True) -> str:
        """The JSON form: what the command prints with `--format json`."""
    def _repr_html_(self) -> str: ...

@final
class Forecast:
    """One failure that is predicted, in the words that a diagnosis has for it.

    Example:
        >>> import cmgtrail
        >>> finding = cmgtrail.preflight("site.toml", at="2026-11-04T09:00Z").findings[0]
        >>> finding.stage, finding.phases
        ('cmg-connection', ['after-refresh'])
    """

    @property
    def failure(self) -> str:
        """Failure id."""
    @property
    def severity(self) -> _Severity:
        """`error` where it stops a client, `warning` where it will, or degrades, `info` where it is benign."""
    @property
    def confidence(self) -> _Confidence:
        """How sure it is, given that the description is right."""
    @property
    def stage(self) -> _StageName:
        """Stage at which it is met."""
    @property
    def scope(self) -> str:
        """Whom it hits, such as `client`, `site` or `tenant`."""
    @property
    def title(self) -> str:
        """One line."""
    @property
    def why(self) -> str:
        """The facts that lead to it."""
    @property
    def explanation(self) -> str:
        """What happens and why, in the words of a diagnosis, which tells it as something that has happened."""
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
    def phases(self) -> list[Literal["bootstrap", "after-refresh"]]:
        """Phases in which it is met."""
    @property
    def clients(self) -> list[str]:
        """Clients that it hits."""
    @property
    def met_by(self) -> dict[Literal["bootstrap", "after-refresh"], list[str]]:
        """Clients that meet it in each phase."""
    def to_dict(self) -> dict[str, Any]:
        """The same as in the JSON form."""
    def __eq__(self, other: object, /) -> bool: ...
    def _repr_html_(self) -> str: ...

@final
class PredictedStages:
    """Stages of clients, a row for each client, phase and stage; a table for every library that takes Arrow columns.

    Columns: client, phase, stage, status (`passed`, `skipped`, `not-known`, `not-reached`, `blocked`), why, failures,
    warnings, unknown (lists), and, where logs were given, observed, agreement (`agree`, `disagree`, `open`) and
    difference.
    """

    @property
    def name(self) -> Literal["stages"]:
        """Which table it is."""
    @property
    def columns(self) -> list[str]:
        """Names of the columns, in order."""
    def __len__(self) -> int: ...
    def to_polars(self) -> pl.DataFrame:
        """A polars `DataFrame`."""
    def to_pandas(self) -> pd.DataFrame:
        """A pandas `DataFrame`."""
    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NoReturn:
        """Refused with a `TypeError`: `pandas.DataFrame(table)` would make one column of objects."""
    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...
    def _repr_html_(self) -> str: ...

def preflight(
    site: str | os.PathLike[str],
    *,
    client: str | None = None,
    at: datetime | str,
    logs: Trail | None = None,
    knowledge: Sequence[str | os.PathLike[str]] = ...,
) -> Preflight:
    """Runs the workflow for the clients of a site; see `cmgtrail.preflight`, which takes paths of logs as well."""

def sketch_site(trail: Trail, *, paths: Mapping[str, str] | None = None) -> str:
    """A first `site.toml` from what logs reveal.

    Args:
        trail: The logs.
        paths: Where artefacts lie as seen from the folder of the file, by their path in the trail; one that is not
            among them is told in a comment. Without it, they lie as the trail names them.
    """

def withheld(text: str) -> str:
    """A text without any token that stands in it."""

def inspect_certificate(certificates: _Material | Iterable[_Material]) -> Report:
    """Reads certificates and revocation lists and says what they hold, without judging it.

    Args:
        certificates: PEM, DER or PKCS#7: bytes, PEM text, the path of a file, or several of them.

    Returns:
        `facts["certificates"]` and `facts["revocation_lists"]`. `valid` is False where something could not be read,
        else None: nothing is judged.

    Raises:
        PathNotFoundError: There is no such file.
        UnreadableError: A file cannot be read.
        ArgumentError: What was given is neither.

    Example:
        >>> import cmgtrail
        >>> cmgtrail.inspect_certificate("cmg.pem").facts["certificates"][0]["names"]
        ['cmg.contoso.com']
    """

def validate_chain(
    presented: _Material | Iterable[_Material],
    *,
    roots: _Material | Iterable[_Material],
    intermediates: _Material | Iterable[_Material] | None = None,
    crls: _Material | Iterable[_Material] | Mapping[str, _Material | None] | None = None,
    host: str | None = None,
    purpose: _Purpose = "server",
    at: datetime | str,
    profile: _Profile = "windows",
    vantage: _Vantage = "internet",
    revocation: _Revocation | None = None,
    max_depth: int | None = None,
    disallowed: _Material | Iterable[_Material] | None = None,
    root_update: bool = True,
    internal_suffixes: str | Iterable[str] | None = None,
) -> Report:
    """Checks a chain as a client would, and says everything that is wrong with it. Nothing is fetched.

    Certificates and lists are PEM, DER or PKCS#7: bytes, PEM text, the path of a file, or several of them.

    Args:
        presented: The certificates as sent, the leaf first.
        roots: The client's root store. An empty list means that it is not known.
        intermediates: Certificates that may help: the client's intermediate store.
        crls: Revocation lists; or a mapping from the URL where each is published to the list, or to None where the
            client could not fetch it.
        host: Host that the client connects to. Without it names are not checked.
        purpose: What the certificate is for.
        at: The instant of validation, such as that of the log line: an aware `datetime`, or text with its zone.
        profile: Whose rules decide: what public documents say of Windows, the public web, or RFC 5280 alone.
        vantage: Where the client stands.
        revocation: What is checked for revocation; by default the chain where lists are given, else nothing.
        max_depth: How many intermediates there may be.
        disallowed: The client's store of disallowed certificates.
        root_update: Whether Windows may fetch a known public root that its store lacks.
        internal_suffixes: Domains that only the organisation's network knows (`contoso.local`).

    Returns:
        The report on the best path; every check is in it.

    Raises:
        PathNotFoundError: There is no such file.
        UnreadableError: A file cannot be read.
        ArgumentError: An argument cannot be used.

    Example:
        >>> import cmgtrail
        >>> report = cmgtrail.validate_chain(
        ...     "cmg.pem", roots="root.pem", host="cmg.contoso.com", at="2026-11-04T09:12:33Z"
        ... )
        >>> report.valid
        True
        >>> other = cmgtrail.validate_chain("cmg.pem", roots="other-root.pem", at="2026-11-04T09:12:33Z")
        >>> "intermediate-missing" in other.failed
        True
    """

def simulate(
    out: str | os.PathLike[str],
    *,
    site: str | os.PathLike[str] | None,
    clients: int | None,
    hours: float,
    rate: float | None,
    faults: Sequence[str],
    skew: int,
    noise: str | None,
    retries: bool,
    start: datetime | str | None,
    seed: int,
    artefacts: bool,
    force: bool,
) -> dict[str, Any]:
    """Simulates a site; `cmgtrail.simulate` is its face, and documents it."""

def simulated_faults() -> list[dict[str, str]]:
    """The faults that `simulate` can inject, in the order of the failure catalogue.

    Returns:
        Of each: `id`, the failure id; `scope`, `client` or `site`; `stage`, whose work it makes impossible; and
        `proof`, how sure its traces are: `S` seen in a public source, `P` documented without one, `I` inferred.

    Example:
        >>> import cmgtrail
        >>> cmgtrail.simulated_faults()[0]["id"]
        'cmg-root-ca-missing'
    """

def compare_phases(
    presented: _Material | Iterable[_Material],
    *,
    roots: _Material | Iterable[_Material],
    intermediates: _Material | Iterable[_Material] | None = None,
    crls: _Material | Iterable[_Material] | Mapping[str, _Material | None] | None = None,
    host: str | None = None,
    purpose: _Purpose = "server",
    at: datetime | str,
    profile: _Profile = "windows",
    vantage: _Vantage = "internet",
    max_depth: int | None = None,
    disallowed: _Material | Iterable[_Material] | None = None,
    root_update: bool = True,
    internal_suffixes: str | Iterable[str] | None = None,
    no_crl_check: bool = True,
    site_checks_crl: bool = True,
) -> Phases:
    """Checks a chain for both phases of a client: `ccmsetup`, and the time after the site's settings have arrived.

    `/NoCRLCheck` holds for the bootstrap alone: what it let through may be refused as soon as location services bring
    the site's settings.

    Args:
        presented: As for `validate_chain`, and so are the arguments that are not named here.
        roots: As there.
        intermediates: As there.
        crls: As there.
        host: As there.
        purpose: As there.
        at: As there.
        profile: As there.
        vantage: As there.
        max_depth: As there.
        disallowed: As there.
        root_update: As there.
        internal_suffixes: As there.
        no_crl_check: Whether `ccmsetup` runs with `/NoCRLCheck`.
        site_checks_crl: The site's option "Clients check the certificate revocation list (CRL) for site systems".

    Returns:
        Both reports, and what they mean together.

    Example:
        >>> import cmgtrail
        >>> phases = cmgtrail.compare_phases(
        ...     "cmg.pem", roots="root.pem", crls="revoked.crl", host="cmg.contoso.com", at="2026-11-04T09:12:33Z"
        ... )
        >>> phases.bootstrap.valid, phases.after_settings.valid
        (True, False)
    """

def read_dsregcmd(output: _Material) -> DsregcmdStatus:
    """Reads the output of `dsregcmd /status`.

    Args:
        output: The output as bytes or as text of several lines, or the path of a file.

    Raises:
        PathNotFoundError: There is no such file.
        UnreadableError: The file cannot be read.
        ArgumentError: What was given is neither.

    Example:
        >>> import cmgtrail
        >>> cmgtrail.read_dsregcmd("dsregcmd.txt").join
        'entra'
    """

def validate_dsregcmd(
    output: _Material,
    *,
    certificates: _Material | Iterable[_Material] | None = None,
    token: str | _Bytes | os.PathLike[str] | None = None,
    at: datetime | str | None = None,
) -> Report:
    """Checks what a device says of its join, and holds it against its certificate and a token.

    Args:
        output: The output of `dsregcmd /status`, as for `read_dsregcmd`.
        certificates: Certificates of the machine's and the user's stores; the device's own is found among them.
        token: A token of the device, as for `inspect_token`; its signature is not checked here.
        at: The instant of the output. Without it dates are not checked.

    Raises:
        PathNotFoundError: There is no such file.
        UnreadableError: A file cannot be read.
        ArgumentError: An argument cannot be used.

    Example:
        >>> import cmgtrail
        >>> from pathlib import Path
        >>> report = cmgtrail.validate_dsregcmd("dsregcmd.txt", token=Path("token.txt"), at="2026-11-04T09:12:33Z")
        >>> report.checks["device-id-matches-token"].status
        'passed'
    """

def explain_code(
    code: str | int, component: str | None = None, *, knowledge: Sequence[str | os.PathLike[str]] = ...
) -> list[Code]:
    """Says all that a code can mean, the likeliest first. An empty list where it is not known.

    Args:
        code: As a log or a program writes it: `0x87D00231`, `87D00231`, `-2016411087`, `12175`, `500.19.126` of an IIS
            row, `AADSTS50020`, `IDX10223`, `MISE12034`, a symbol such as `CERT_E_CHAINING`, or a number.
        component: Only what this component means by it: `winhttp`, `ccm`, `win32`, `ntstatus`, `sspi`, `crypt`,
            `hresult`, `iis`, `aadsts`, `idx`, `mise`, `wininet`; `secure-failure` and `cert-trust` take the code apart
            as a mask.
        knowledge: Knowledge files (TOML) laid over the built-in knowledge, in order.

    Raises:
        ArgumentError: What was given is no code, or there is no such component.
        KnowledgeError: A knowledge file has mistakes.

    Example:
        >>> import cmgtrail
        >>> [reading.name for reading in cmgtrail.explain_code(12175)]
        ['ERROR_WINHTTP_SECURE_FAILURE', 'ERROR_INTERNET_DECODING_FAILED']
        >>> [bit.code for bit in cmgtrail.explain_code("0x9", "secure-failure")]
        ['0x1', '0x8']
    """

def code_components() -> list[str]:
    """Ids of the components whose codes are known, the likeliest in a client's log first."""

def check_knowledge(files: Sequence[str | os.PathLike[str]]) -> list[dict[str, Any]]:
    """What is wrong with knowledge files, laid over the built-in knowledge in order; their examples are tried.

    Returns:
        For each file a dict with its `file`, its `mistakes` as sentences with their line, and its `entries`: how many it
        has of each kind, and how many examples were tried.

    Raises:
        UnreadableError: A file cannot be read as UTF-8 text.
    """

def builtin_knowledge() -> list[tuple[str, str]]:
    """Name and text of each built-in knowledge file."""

def knowledge_entries() -> dict[str, list[dict[str, Any]]]:
    """The entries of the built-in knowledge files as they stand there, by kind."""
