"""Every error that WattProof can give, as one tree.

    WattProofError
    ├── Refused          their fault: what was handed in cannot be taken
    │   ├── Malformed        the bytes or fields are not in the form they must have
    │   ├── Unauthorised     whoever signed or signed in may not do this
    │   ├── NotFound         what is named does not exist
    │   ├── Conflict         the ledger's state does not allow it (now)
    │   └── OverLimit        more than a stated limit
    ├── Unavailable      the surroundings do not allow it: a locked ledger, a missing file
    └── Broken           our fault: an invariant does not hold, or stored bytes were changed

Each error is raised from an `ErrorCode`, declared once beside the code that raises it. A code is
stable, carries an English and a Chinese sentence, and never shows a traceback to a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from string import Formatter
from typing import Any, Final, Literal

__all__ = [
    "Broken",
    "Conflict",
    "ErrorCode",
    "Lang",
    "Malformed",
    "NotFound",
    "OverLimit",
    "Refused",
    "Unauthorised",
    "Unavailable",
    "WattProofError",
    "codes",
    "filled_in",
]

Lang = Literal["en", "zh"]


class _Sentences(Formatter):
    """Fills in a sentence; the format ``time`` is for an instant, in Unix seconds."""

    def format_field(self, value: Any, format_spec: str) -> Any:
        if format_spec != "time":
            return super().format_field(value, format_spec)
        if not isinstance(value, int) or not 0 < value < _YEAR_10000_S:
            return str(value)
        return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


_SENTENCES: Final = _Sentences()
_YEAR_10000_S: Final = 253_402_300_800


def filled_in(template: str, params: Mapping[str, object]) -> str:
    """A sentence with its parameters, by the rules of `str.format`.

    ``{end_s:time}`` shows Unix seconds as ``2026-01-31T16:00:00Z``; 0, which stands for no time,
    and texts stay as they are.
    """
    return _SENTENCES.vformat(template, (), params)


class WattProofError(Exception):
    """An error with a stable code and a sentence in both languages."""

    http_status: int = 500

    def __init__(self, code: ErrorCode, params: dict[str, object]) -> None:
        super().__init__(code.code, params)
        self.error = code
        self.params = params

    @property
    def code(self) -> str:
        """The stable code, for instance ``metering.overlap``."""
        return self.error.code

    def text(self, lang: Lang = "en") -> str:
        """The sentence for a person, with the parameters filled in."""
        template = self.error.zh if lang == "zh" else self.error.en
        return filled_in(template, self.params)

    def __str__(self) -> str:
        return f"{self.code}: {self.text()}"

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return _restore, (type(self), self.error, self.params)


class Refused(WattProofError):
    """What was handed in cannot be taken; nothing was changed."""

    http_status = 400


class Malformed(Refused):
    """The bytes or fields are not in the form they must have."""


class Unauthorised(Refused):
    """Whoever signed or signed in may not do this."""

    http_status = 403


class NotFound(Refused):
    """What is named does not exist."""

    http_status = 404


class Conflict(Refused):
    """The state does not allow it."""

    http_status = 409


class OverLimit(Refused):
    """More than a stated limit."""

    http_status = 413


class Unavailable(WattProofError):
    """The surroundings do not allow it at the moment."""

    http_status = 503


class Broken(WattProofError):
    """An invariant does not hold, or stored bytes were changed."""


def _restore(
    kind: type[WattProofError], code: ErrorCode, params: dict[str, object]
) -> WattProofError:
    return kind(code, params)


_CODES: Final[dict[str, ErrorCode]] = {}


class ErrorCode:
    """A stable code with its two sentences; calling it makes the error.

    >>> raise OVERLAP(meter="m1", start_s=0)

    The sentences are templates of `filled_in` over the keyword arguments of the call.
    """

    __slots__ = ("code", "en", "kind", "zh")

    def __init__(self, kind: type[WattProofError], code: str, *, en: str, zh: str) -> None:
        if code in _CODES:
            raise AssertionError(f"error code {code} is declared twice")
        self.kind = kind
        self.code = code
        self.en = en
        self.zh = zh
        _CODES[code] = self

    def __call__(self, **params: object) -> WattProofError:
        """Make the error to be raised, with what its sentences name."""
        return self.kind(self, params)

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return _code, (self.code,)


def _code(code: str) -> ErrorCode:
    return _CODES[code]


def codes() -> tuple[ErrorCode, ...]:
    """All codes declared by the modules imported so far, sorted."""
    return tuple(_CODES[code] for code in sorted(_CODES))
