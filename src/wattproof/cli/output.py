"""How commands answer: tables and sentences for people, one JSON document for machines."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, Final, NoReturn, Protocol, runtime_checkable

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from wattproof.core.errors import Lang, Refused, WattProofError
from wattproof.core.language import language

__all__ = ["EXIT_BAD_CALL", "EXIT_NO", "JsonFlag", "fail", "language", "progress", "say",
           "show_json", "show_table"]  # fmt: skip

EXIT_NO: Final = 1
"""The answer is no: a proof fails, an audit finds a break, a transaction is refused."""

EXIT_BAD_CALL: Final = 2
"""The call could not be carried out as it was made."""

WIDE: Final = 240
"""Columns for a table that goes into a file or a pipe."""

LISTED: Final = 50
"""Problems of one error that are listed for people."""

JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON document. / 输出 JSON。")]


def say(en: str, zh: str) -> None:
    """One line for people, in their language."""
    text = zh if language() == "zh" else en
    Console(soft_wrap=True, highlight=False, emoji=False).print(_harmless(text), markup=False)


def show_json(value: Any) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")


def show_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table for people; numbers to the right."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for position, column in enumerate(columns):
        numbers = bool(rows) and all(isinstance(row[position], int) for row in rows)
        table.add_column(column, justify="right" if numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*("" if cell is None else _harmless(str(cell)) for cell in row))
    width = None if sys.stdout.isatty() else WIDE
    Console(width=width, highlight=False, emoji=False, markup=False).print(table)


def _harmless(text: str) -> str:
    """The text without characters by which it could command the terminal: people write memos."""
    return text.translate(_CONTROLS)


_CONTROLS: Final = dict.fromkeys(
    [*range(9), *range(11, 32), *range(127, 160)], "\N{REPLACEMENT CHARACTER}"
)


@contextmanager
def progress(en: str, zh: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error while work goes on; silent where that is not a terminal.

    The function that it gives is told what is done and what there is in all.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _done, _total: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(zh if language() == "zh" else en, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def fail(error: WattProofError, *, as_json: bool = False) -> NoReturn:
    """End with one sentence and the error's code: exit 1 when refused, else 2.

    Where the error carries a list of problems, they follow, a line each.
    """
    if as_json:
        show_json(
            {
                "error": {
                    "code": error.code,
                    "en": error.text("en"),
                    "zh": error.text("zh"),
                    "params": msgspec.to_builtins(error.params, enc_hook=str),
                }
            }
        )
    for line in _lines(error, language()):
        sys.stderr.write(f"{line}\n")
    raise SystemExit(EXIT_NO if isinstance(error, Refused) else EXIT_BAD_CALL)


class _Problem(Protocol):
    """One thing that is wrong, with its place."""

    def text(self, lang: Lang) -> str: ...


@runtime_checkable
class _Listing(Protocol):
    """An error that carries `problems`, at least the first ones of `count`."""

    @property
    def problems(self) -> Sequence[_Problem]: ...

    @property
    def count(self) -> int: ...

    def headline(self, lang: Lang) -> str: ...


def _lines(error: WattProofError, lang: Lang) -> Iterator[str]:
    """The error as people read it."""
    if not isinstance(error, _Listing):
        yield f"{error.text(lang)} [{error.code}]"
        return
    yield f"{error.headline(lang)} [{error.code}]"
    shown = error.problems[:LISTED]
    for problem in shown:
        yield f"  {problem.text(lang)}"
    rest = error.count - len(shown)
    if rest:
        yield f"  另有 {rest} 处问题" if lang == "zh" else f"  and {rest} more problems"
