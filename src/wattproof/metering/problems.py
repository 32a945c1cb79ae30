"""What is wrong with a file that is to be imported: every place, not only the first."""

from __future__ import annotations

from typing import Final

import msgspec

from wattproof.core.errors import ErrorCode, Lang, Malformed, WattProofError, filled_in

__all__ = ["BAD_FILE", "PROBLEM_LIMIT", "SHOWN", "BadFile", "CausedBy", "Problem", "Problems"]

PROBLEM_LIMIT: Final = 1000
"""Problems of one file that are kept with their words; all of them are counted."""

SHOWN: Final = 5
"""Problems that an error's own sentence names."""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong: its line (the header is line 1), its column where there is one, and
    the code and sentences of the error."""

    line: int
    column: str
    code: str
    en: str
    zh: str

    def text(self, lang: Lang) -> str:
        """The sentence for a person, with its place."""
        if lang == "zh":
            place = f"第 {self.line} 行" + (f"“{self.column}”列" if self.column else "")
            return f"{place}：{self.zh}"
        place = f"line {self.line}" + (f", column {self.column}" if self.column else "")
        return f"{place}: {self.en}"


class BadFile(Malformed):
    """A file with bad rows: `problems` are the first ones in the file's order."""

    @property
    def problems(self) -> tuple[Problem, ...]:
        """At most `PROBLEM_LIMIT` problems; ``params["count"]`` says how many there are."""
        found = self.params["problems"]
        assert isinstance(found, tuple)
        return found

    @property
    def count(self) -> int:
        """How many problems there are, also where not all of them are kept."""
        found = self.params["count"]
        assert isinstance(found, int)
        return found

    def headline(self, lang: Lang) -> str:
        """The sentence alone, for where the problems are listed below it."""
        return self._with("", lang).strip()

    def text(self, lang: Lang = "en") -> str:
        """The sentence for a person, naming the first few problems."""
        return self._with(" ".join(problem.text(lang) for problem in self.problems[:SHOWN]), lang)

    def _with(self, shown: str, lang: Lang) -> str:
        template = self.error.zh if lang == "zh" else self.error.en
        return filled_in(template, {**self.params, "shown": shown})


class CausedBy(Malformed):
    """An error that says where another one, its ``cause``, was met."""

    def text(self, lang: Lang = "en") -> str:
        """The sentence for a person, the cause in the same language."""
        cause = self.params["cause"]
        assert isinstance(cause, WattProofError)
        template = self.error.zh if lang == "zh" else self.error.en
        return filled_in(template, {**self.params, "cause": cause.text(lang)})


BAD_FILE: Final = ErrorCode(
    BadFile,
    "import.file",
    en="Nothing of {file} was imported: {count} problems, {good_rows} good rows. {shown}",
    zh="{file} 未导入任何内容：{count} 处问题，{good_rows} 行正常。{shown}",
)


class Problems:
    """Gathers the problems of one file."""

    def __init__(self) -> None:
        self.count = 0
        self._kept: list[Problem] = []

    def add(self, error: WattProofError, *, line: int, column: str = "") -> None:
        """Note an error at its place."""
        self.count += 1
        if self.count <= PROBLEM_LIMIT:
            problem = Problem(
                line=line,
                column=column,
                code=error.code,
                en=error.text("en"),
                zh=error.text("zh"),
            )
            self._kept.append(problem)

    def check(self, *, file: str, good_rows: int) -> None:
        """Raise them all as one `BadFile`, if there are any."""
        if self.count:
            raise BAD_FILE(
                file=file, count=self.count, good_rows=good_rows, problems=tuple(self._kept)
            )
