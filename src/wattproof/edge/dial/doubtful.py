"""Doubtful pictures of a dial, kept in a folder until a person has looked at them.

Each is two files: the picture, and beside it a JSON text that says what was read and why it is
doubted. A person lists them, looks, and confirms or corrects each (`confirm`) or throws it away
(`discard`); the agent takes the answers at its next reading (`take_answers`). The folder is
bounded: the oldest unanswered pictures go first.
"""

from __future__ import annotations

import os
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from wattproof.core.errors import Conflict, ErrorCode, Malformed, NotFound
from wattproof.edge.dial.plausible import REASONS, Judgement

if TYPE_CHECKING:  # people answer where no picture is read too
    from wattproof.edge.dial.picture import Shot

__all__ = ["Doubtful", "confirm", "discard", "keep", "list_doubtful", "take_answers", "write_whole"]

DEFAULT_LIMIT: Final = 200

UNKNOWN = ErrorCode(
    NotFound,
    "edge.dial.unknown_picture",
    en="There is no doubtful picture {id}.",
    zh="没有编号为 {id} 的存疑图片。",
)
NOT_READING = ErrorCode(
    Malformed,
    "edge.dial.not_reading",
    en="{value} is not a reading of a dial with {digits} digits, {decimals} of them decimals.",
    zh="{value} 不是该表盘的读数：共 {digits} 位，其中小数 {decimals} 位。",
)
NOTHING_READ = ErrorCode(
    Conflict,
    "edge.dial.nothing_read",
    en="Nothing was read from picture {id}: say what it shows.",
    zh="图片 {id} 未读出任何内容：请给出它所显示的读数。",
)


class Doubtful(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One doubtful picture: what was read in it, and what a person said.

    `read` is the likeliest reading in the dial's unit, empty if there was none; `confidence` is
    its share in percent. `why` and `why_zh` say why it is doubted. `answer` is what a person says
    that it shows, empty until then.
    """

    id: str
    time_s: int
    picture: str
    read: str
    confidence: int
    why: str
    why_zh: str
    digits: int
    decimals: int
    answer: str = ""

    @property
    def value(self) -> Decimal | None:
        """What the person said, if somebody did."""
        return Decimal(self.answer) if self.answer else None


def keep(
    folder: Path, shot: Shot, found: Judgement, *, digits: int, decimals: int,
    limit: int = DEFAULT_LIMIT,
) -> Doubtful:  # fmt: skip
    """Keep a doubtful picture for a person; the oldest go where there are more than `limit`."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{shot.time_s}-{sha256(shot.data).hexdigest()[:8]}"
    picture = name + (".png" if shot.data.startswith(b"\x89PNG") else ".jpg")
    why, why_zh = REASONS[found.reason]
    doubtful = Doubtful(
        id=name,
        time_s=shot.time_s,
        picture=picture,
        read=str(Decimal(found.read).scaleb(-decimals)) if found.read else "",
        confidence=round(100 * found.share),
        why=why,
        why_zh=why_zh,
        digits=digits,
        decimals=decimals,
    )
    write_whole(folder / picture, shot.data)
    _write(folder, doubtful)
    waiting = [one for one in list_doubtful(folder) if not one.answer]
    for old in waiting[: max(0, len(waiting) - limit)]:
        _remove(folder, old)
    return doubtful


def list_doubtful(folder: Path) -> tuple[Doubtful, ...]:
    """All that is kept, oldest first; files that are no record of this form are passed over."""
    found = []
    for path in folder.glob("*.json") if folder.is_dir() else ():
        try:
            found.append(msgspec.json.decode(path.read_bytes(), type=Doubtful))
        except (msgspec.DecodeError, OSError):
            continue
    return tuple(sorted(found, key=lambda one: (one.time_s, one.id)))


def confirm(folder: Path, name: str, value: Decimal | None = None) -> Doubtful:
    """Say what a picture shows: the value as a person reads it, or None for "as it was read".

    Raises ``edge.dial.unknown_picture``, ``edge.dial.not_reading`` or ``edge.dial.nothing_read``.
    """
    one = _named(folder, name)
    if value is None:
        if not one.read:
            raise NOTHING_READ(id=name)
        value = Decimal(one.read)
    units = value.scaleb(one.decimals) if value.is_finite() else Decimal(-1)
    if units % 1 or not 0 <= units < 10**one.digits:
        raise NOT_READING(value=value, digits=one.digits, decimals=one.decimals)
    answered = msgspec.structs.replace(one, answer=f"{value:f}")
    _write(folder, answered)
    return answered


def discard(folder: Path, name: str) -> None:
    """Throw a doubtful picture away, with what was read; raises ``edge.dial.unknown_picture``."""
    _remove(folder, _named(folder, name))


def take_answers(folder: Path) -> tuple[Doubtful, ...]:
    """What people said since the last call, oldest picture first; these leave the folder."""
    answered = tuple(one for one in list_doubtful(folder) if one.answer)
    for one in answered:
        _remove(folder, one)
    return answered


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that is there as a whole or not at all, also after a power cut."""
    half = path.with_name(path.name + ".part")
    with half.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    half.replace(path)


def _named(folder: Path, name: str) -> Doubtful:
    for one in list_doubtful(folder):
        if one.id == name:
            return one
    raise UNKNOWN(id=name[:80])


def _write(folder: Path, one: Doubtful) -> None:
    text = msgspec.json.format(msgspec.json.encode(one), indent=2)
    write_whole(folder / f"{one.id}.json", text + b"\n")


def _remove(folder: Path, one: Doubtful) -> None:
    (folder / f"{one.id}.json").unlink(missing_ok=True)
    (folder / Path(one.picture).name).unlink(missing_ok=True)
