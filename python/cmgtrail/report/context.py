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
    before: deque[Line] = deque(maxlen=AROUND)
    block: list[Line] = []
    after = 0
    for record in trail.records:
        if record.file not in files:
            continue
        if record.file != file:
            file, after = record.file, 0
            before.clear()
        proof = (file, record.line) in proofs
        line = Line(record.line, withheld(record.text))
        if proof:
            block = block if after else [*before]
            found[record.file, record.line] = block
        if proof or after:
            block.append(line)
            after = AROUND if proof else after - 1
            before.clear()
        if not proof and not after:
            before.append(line)
