"""Results on their way to stdout, whose reader may have enough of them at any time."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def shown(show: Callable[[], object], status: int) -> int:
    """Shows results and returns `status`, also where the reader of stdout has left (`| head`).

    Args:
        show: Writes to stdout.
        status: What the results amount to, known before they are shown.
    """
    try:
        show()
        sys.stdout.flush()
    except (BrokenPipeError, SystemExit):
        # rich says by SystemExit that the reader has left.
        silence()
    return status


def silence() -> None:
    """Lets nothing more reach stdout: Python would complain once more when it closes it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
