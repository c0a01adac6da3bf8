"""How objects look: `text` for a prompt, `html` for a notebook. Presents, decides nothing."""

from __future__ import annotations

from cmgtrail.display.cards import html
from cmgtrail.display.plain import text

__all__ = ["html", "text"]
