"""The lines around the evidence, read again from the logs."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from cmgtrail import CmgTrailError
from cmgtrail._engine import withheld

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cmgtrail import Trail

AROUND = 2
"""Records shown before and after a line of evidence."""
LIMIT = 500_000_000
"""Bytes of logs up to which they are read again for it."""


class Line(NamedTuple):
    """A line of a log as the report shows it."""

    line: int
    text: str


def around(trail: Trail, wanted: Iterable[tuple[str, int]]) -> dict[tuple[str, int], list[Line]]:
    """The lines around lines, by file and line: where two of them stand close, both have the same list.

    Args:
        trail: The trail that the lines are from.
        wanted: Files and line numbers. Where the logs are too large to be read again, or are gone, nothing is found.
    """
    proofs = set(wanted)
    if not proofs or sum(source.bytes for source in trail.sources) > LIMIT:
        return {}
    files = {file for file, _ in proofs}
    found: dict[tuple[str, int], list[Line]] = {}
    try:
        _walk(trail, files, proofs, found)
    except (CmgTrailError, OSError):
        return {}  # the logs have moved since: the evidence stands alone
    return found


def _walk(
    trail: Trail, files: set[str], proofs: set[tuple[str, int]], found: dict[tuple[str, int], list[Line]]
) -> None:
    file: str | None = None
    block: list[Line] = []
    between: deque[Line] = deque(maxlen=AROUND)
    after = since = 0
    for record in trail.records:
        if record.file not in files:
            continue
        if record.file != file:
            file, block, after, since = record.file, [], 0, 0
            between.clear()
        line = Line(record.line, withheld(record.text))
        if (record.file, record.line) in proofs:
            if since > AROUND:
                block = []  # too far from the block before to go on with it
            found[record.file, record.line] = block
            block += [*between, line]
            after, since = AROUND, 0
            between.clear()
        elif after:
            block.append(line)
            after -= 1
        else:
            between.append(line)
            since += 1
