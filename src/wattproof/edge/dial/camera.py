"""A camera on a dial: one picture a reading, believed only if it can be true.

The last value that was believed stands in ``last.json`` in the folder of doubtful pictures, so
that a restart does not forget what a reading is compared with.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import ROUND_CEILING, Decimal
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from wattproof.core.errors import ErrorCode, Malformed, Unavailable, WattProofError
from wattproof.core.units import find_unit
from wattproof.edge.dial.doubtful import keep, take_answers, write_whole
from wattproof.edge.dial.picture import Box, Shot, cut_out, take
from wattproof.edge.dial.plausible import REASONS, Judgement, Known, judge
from wattproof.edge.dial.reader import Face, look
from wattproof.edge.dial.recogniser import Recogniser, packaged_recogniser
from wattproof.edge.source import Sample

__all__ = ["TYPED", "Camera", "Dial", "Last"]

TYPED: Final = "manual"
"""The doubt of a value that a person read off and typed."""

FORGOTTEN_S: Final = 366 * 86_400
START_AGE_S: Final = 86_400
"""How long ago the value of the settings may have been read off."""

DOUBTFUL = ErrorCode(
    Malformed,
    "edge.dial.doubtful",
    en="Picture {id} of the dial is kept for a person: {why}. It shows perhaps {read!r}.",
    zh="表盘图片 {id} 已留待人工查看：{why_zh}。所示读数可能为“{read}”。",
)
FROZEN = ErrorCode(
    Unavailable,
    "edge.dial.frozen",
    en="The camera gave the same picture again, to the byte: it has taken no new one.",
    zh="摄像头再次给出逐字节相同的图片：没有拍摄新的图片。",
)
BAD_START = ErrorCode(
    Malformed,
    "edge.dial.start",
    en="{value} cannot stand on a dial with {digits} digits, {decimals} of them decimals.",
    zh="{value} 不可能是 {digits} 位（其中小数 {decimals} 位）表盘的读数。",
)

BAD_RATE = ErrorCode(
    Malformed,
    "edge.dial.rate",
    en="{value} is no highest amount of an hour: it must be above 0.",
    zh="{value} 不是有效的每小时最大值：必须大于 0。",
)


class Dial(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is known of a dial and its camera.

    `picture` is a file, a folder of pictures, or an http(s) address. It is turned by `turn_deg`
    against the clock; then `box` (left, top, width, height, in pixels) cuts out the digits from
    edge to edge. The dial has `digits` digits, the last `decimals` of them behind the point, in
    `unit`, and moves no more than `max_per_hour` of it in an hour. `face` is ``wheels`` or
    ``display``. `start` is what it shows when the camera is set up, within a day. `folder` keeps
    up to `keep` doubtful pictures, and the last value. No picture may be older than `max_age_s`.
    """

    picture: Annotated[str, Meta(min_length=1, max_length=2048)]
    folder: Annotated[str, Meta(min_length=1, max_length=2048)]
    box: Box
    digits: Annotated[int, Meta(ge=2, le=12)]
    max_per_hour: Decimal
    unit: str = "kWh"
    decimals: Annotated[int, Meta(ge=0, le=6)] = 0
    face: Face = "wheels"
    start: Decimal | None = None
    turn_deg: Annotated[float, Meta(ge=-180, le=180)] = 0.0
    max_age_s: Annotated[int, Meta(ge=1, le=86_400)] = 900
    timeout_s: Annotated[float, Meta(gt=0, le=60)] = 10.0
    keep: Annotated[int, Meta(ge=1, le=10_000)] = 200

    def __post_init__(self) -> None:
        find_unit(self.unit)
        if not (self.max_per_hour.is_finite() and self.max_per_hour > 0):
            raise BAD_RATE(value=self.max_per_hour)
        if self.start is not None:
            self.units(self.start)

    def units(self, value: Decimal) -> int:
        """A value as units of the last digit; `edge.dial.start` if it cannot stand there."""
        units = value.scaleb(self.decimals) if value.is_finite() else Decimal(-1)
        if units % 1 or not 0 <= units < 10**self.digits:
            raise BAD_START(value=value, digits=self.digits, decimals=self.decimals)
        return int(units)

    def value(self, units: int) -> Decimal:
        """Units of the last digit as a value."""
        return Decimal(units).scaleb(-self.decimals)


class Last(msgspec.Struct, frozen=True, kw_only=True):
    """The last value that was believed, in units of the last digit, and of when it was.

    `digest` is of the last picture, for the camera that shows the same one for ever.
    """

    units: int
    time_s: int
    digest: str = ""


class Camera:
    """Reads a dial; one thread, one dial."""

    def __init__(
        self, dial: Dial, *, clock: Callable[[], float] = time.time,
        recogniser: Recogniser | None = None,
    ) -> None:  # fmt: skip
        self._dial = dial
        self._folder = Path(dial.folder)
        self._clock = clock
        self._recogniser = recogniser or packaged_recogniser()
        self._folder.mkdir(parents=True, exist_ok=True)
        self._last = self._remembered()

    @property
    def last(self) -> Last | None:
        """The last value that was believed, if there is one."""
        return self._last

    def read(self) -> Sample:
        """Take a picture and read it.

        A value that a person confirmed is given where the picture has none. Raises
        ``edge.dial.doubtful`` where a picture was kept and gives no value, and what
        `picture.take` raises.
        """
        typed = self._answers()
        try:
            return self._seen()
        except WattProofError:
            if typed is None:
                raise
            return typed

    def _seen(self) -> Sample:
        dial = self._dial
        shot = take(dial.picture, max_age_s=dial.max_age_s, timeout_s=dial.timeout_s)
        digest = sha256(shot.data).hexdigest()
        if self._last and self._last.digest == digest:
            raise FROZEN()
        crop = cut_out(shot.data, turn_deg=dial.turn_deg, box=dial.box)
        seen = look(self._recogniser, crop, digits=dial.digits, face=dial.face)
        known = self._known(shot.time_s)
        found = judge(seen.readings, known, digits=dial.digits, between=seen.between)
        if found.value is None:
            raise self._kept(shot, found, digest)
        if found.reason:
            keep(self._folder, shot, found, digits=dial.digits, decimals=dial.decimals,
                 limit=dial.keep)  # fmt: skip
        self._remember(Last(units=found.value, time_s=shot.time_s, digest=digest))
        doubt = REASONS[found.reason][0] if found.reason else ""
        return self._sample(found.value, shot.time_s, doubt)

    def _kept(self, shot: Shot, found: Judgement, digest: str) -> WattProofError:
        dial = self._dial
        kept = keep(self._folder, shot, found, digits=dial.digits, decimals=dial.decimals,
                    limit=dial.keep)  # fmt: skip
        if self._last:
            self._remember(msgspec.structs.replace(self._last, digest=digest))
        return DOUBTFUL(id=kept.id, why=kept.why, why_zh=kept.why_zh, read=kept.read)

    def _known(self, time_s: int) -> Known | None:
        """What a reading of this time is compared with: the last value and the possible rate.

        One unit more is always possible: the last wheel may have been about to turn.
        """
        if self._last is None:
            return None
        seconds = min(FORGOTTEN_S, max(0, time_s - self._last.time_s))
        most = self._dial.max_per_hour.scaleb(self._dial.decimals) * seconds / 3600
        whole = int(most.to_integral_value(ROUND_CEILING)) + 1
        return Known(value=self._last.units, most=min(whole, 10**self._dial.digits - 2))

    def _answers(self) -> Sample | None:
        """Believe what people said of doubtful pictures, if it is not older than the last value."""
        newest = None
        for one in take_answers(self._folder):
            assert one.value is not None
            if self._last is None or one.time_s >= self._last.time_s:
                digest = self._last.digest if self._last else ""
                newest = Last(units=self._dial.units(one.value), time_s=one.time_s, digest=digest)
                self._remember(newest)
        return None if newest is None else self._sample(newest.units, newest.time_s, TYPED)

    def _sample(self, units: int, time_s: int, doubt: str) -> Sample:
        unit = find_unit(self._dial.unit).name
        return Sample(time_s=time_s, value=self._dial.value(units), unit=unit, doubt=doubt)

    def _remembered(self) -> Last | None:
        try:
            return msgspec.json.decode((self._folder / "last.json").read_bytes(), type=Last)
        except (OSError, msgspec.DecodeError):
            pass
        if self._dial.start is None:
            return None
        units = self._dial.units(self._dial.start)
        return Last(units=units, time_s=int(self._clock()) - START_AGE_S)

    def _remember(self, last: Last) -> None:
        self._last = last
        write_whole(self._folder / "last.json", msgspec.json.encode(last))
