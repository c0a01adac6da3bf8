"""HTML that cannot be broken out of: text is escaped unless it was made here."""

from __future__ import annotations

from html import escape

from cmgtrail.display.words import visible


class Markup(str):
    """HTML made by `tag`. Plain text becomes part of it only escaped."""

    __slots__ = ()


def tag(name: str, *children: str | None, **attributes: str) -> Markup:
    """An element. Children that are plain text are escaped and made visible; `None` is left out.

    Args:
        name: Of the element.
        children: Elements and text.
        attributes: Their names end in `_` where Python reserves the word (`class_`).
    """
    head = "".join(f' {key.rstrip("_").replace("_", "-")}="{text(value)}"' for key, value in attributes.items())
    return Markup(f"<{name}{head}>{join(*children)}</{name}>")


def join(*children: str | None) -> Markup:
    """Elements and text, one after the other."""
    return Markup(
        "".join(child if isinstance(child, Markup) else text(child) for child in children if child is not None)
    )


def text(words: str) -> Markup:
    """Text, escaped for elements and attributes alike."""
    return Markup(escape(visible(words, lines=True), quote=True))


def style(css: str) -> Markup:
    """A style sheet; only for the constants of this package."""
    return Markup(f"<style>{css}</style>")
