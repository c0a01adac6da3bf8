"""Writes the worked examples of `docs/json.md` from cases of the corpus: `python docs/json_examples.py`.

A test fails when they are stale. An example stands between `<!-- example: CASE -->` and `<!-- end -->`.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import cmgtrail

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "json.md"
WIDTH = 110

_EXAMPLE = re.compile(r"<!-- example: (?P<case>[\w-]+) -->\n.*?<!-- end -->", re.DOTALL)


def rendered(page: str) -> str:
    """The page with its examples as cmgtrail writes them now."""
    return _EXAMPLE.sub(lambda found: _example(found["case"]), page)


def _example(case: str) -> str:
    document = cmgtrail.read(ROOT / "tests" / "corpus" / case / "logs").to_dict()
    return f"<!-- example: {case} -->\n```json\n{laid_out(document)}\n```\n<!-- end -->"


def laid_out(value: object, indent: str = "") -> str:
    """JSON with whatever fits on one line on one line."""
    line = json.dumps(value, ensure_ascii=False)
    if len(indent) + len(line) <= WIDTH or not isinstance(value, dict | list) or not value:
        return line
    deeper = indent + "  "
    if isinstance(value, dict):
        parts = [f"{deeper}{json.dumps(key)}: {laid_out(part, deeper)}" for key, part in value.items()]
        return "{\n" + ",\n".join(parts) + f"\n{indent}}}"
    return "[\n" + ",\n".join(deeper + laid_out(part, deeper) for part in value) + f"\n{indent}]"


if __name__ == "__main__":
    PAGE.write_text(rendered(PAGE.read_text("utf-8")), encoding="utf-8")
