"""What every way to the host has in common: transactions go out in order, answers come by id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, Protocol

import msgspec

__all__ = ["DUPLICATE", "LATER_CODES", "LATER_STATUS", "Answer", "Link", "answer_of", "verdict"]

DUPLICATE: Final = "metering.duplicate"
"""The host has these readings already."""

LATER_CODES: Final = (
    "identity.device.not_authenticated",
    "identity.device.not_confirmed",
    "identity.device.suspended",
    "identity.key.unknown",
    "metering.future",
    "metering.negative_step",
)
"""Refusals that pass when somebody acts at the host, or with time: the same bytes go again.

Not enrolled, not yet confirmed or suspended; a clock that is ahead; a meter whose exchange the
owner has not declared yet.
"""

LATER_STATUS: Final = (408, 425, 429, 500, 502, 503, 504)
"""HTTP states that say nothing of the transaction itself."""

Verdict = Literal["taken", "later", "never"]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What the host said of one transaction: its log entry, or why it was refused.

    `code` is empty where it was taken; `entry` is -1 where it is not known; `status` is the HTTP
    state that goes with a refusal, 0 where none was told.
    """

    entry: int = -1
    code: str = ""
    en: str = ""
    zh: str = ""
    status: int = 0


class Link(Protocol):
    """A way to the host."""

    def send(self, raws: Sequence[bytes]) -> list[Answer]:
        """Send transactions in order; an answer each, or to the first ones of them.

        Raises `Unavailable` where not even the first is answered.
        """
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...


def verdict(answer: Answer) -> Verdict:
    """What becomes of a transaction: the host has it, it is sent again, or it is set aside."""
    if not answer.code or answer.code == DUPLICATE:
        return "taken"
    if answer.code in LATER_CODES or answer.status in LATER_STATUS:
        return "later"
    return "never"


def answer_of(fields: Mapping[str, Any]) -> Answer:
    """An answer from JSON: a receipt has ``index``, a refusal ``code``, ``en``, ``zh``."""
    if "index" in fields:
        return Answer(entry=int(fields["index"]))
    return Answer(
        code=str(fields["code"]),
        en=str(fields.get("en", "")),
        zh=str(fields.get("zh", "")),
        status=int(fields.get("status", 0)),
    )
