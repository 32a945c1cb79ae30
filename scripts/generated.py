"""Documents that are generated: written, or compared with what is committed."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

__all__ = ["DOCS", "table", "write_or_check"]

DOCS = Path(__file__).parents[1] / "docs"


def write_or_check(documents: Mapping[str, str], arguments: Sequence[str]) -> int:
    """Write each document into docs/; with ``--check`` only say which are stale. The exit code."""
    if list(arguments) not in ([], ["--check"]):
        sys.stderr.write("usage: [--check]\n")
        return 2
    stale = 0
    for name, text in documents.items():
        path = DOCS / name
        if arguments:
            if not path.is_file() or path.read_text(encoding="utf-8") != text:
                sys.stderr.write(f"docs/{name} is stale\n")
                stale = 1
        else:
            path.write_text(text, encoding="utf-8")
            sys.stdout.write(f"docs/{name}\n")
    return stale


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]
