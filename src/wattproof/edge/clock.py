"""A clock that was ahead: what it dated in the future is taken back, what was counted is kept."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from wattproof.core.errors import Conflict, ErrorCode
from wattproof.edge.changes import FACTOR, withdraw
from wattproof.edge.queue import Queue, Waiting
from wattproof.edge.stream import moment
from wattproof.keys import cbor, cose
from wattproof.keys.uint_array import UintArray

__all__ = ["AHEAD_S", "take_back"]

AHEAD_S: Final = 300
"""How far ahead of its own clock the ledger takes readings."""

NOT_AHEAD = ErrorCode(
    Conflict,
    "edge.clock.not_ahead",
    en="No reading is dated in the future; there is nothing to take back.",
    zh="没有日期在未来的读数，无需撤回。",
)
AHEAD = ErrorCode(
    Conflict,
    "edge.clock.ahead",
    en="It was dated in the future, because the clock was ahead.",
    zh="由于时钟超前，其日期在未来。",
)


def take_back(queue: Queue, *, now_s: int, interval_s: int) -> int:
    """A person says that the clock was ahead and is right now; how many were set aside.

    Packets and factor entries that the host could only take in the future are set aside. The next
    reading opens a packet, whose register makes up for them. Raises `Conflict` where there is none.
    """
    with queue.changing():
        state = queue.state()
        if not state.started or state.end_s <= now_s:
            raise NOT_AHEAD()
        early = [item for item in queue.first(queue.length) if _end_s(item) > now_s + AHEAD_S]
        for item in early:
            said = AHEAD()
            queue.set_aside(
                item, code=said.code, en=said.text("en"), zh=said.text("zh"), at_s=now_s
            )
            if item.what.startswith(FACTOR):
                withdraw(queue, from_s=_end_s(item))
        begun_s = moment(now_s, interval_s)
        state = replace(
            queue.state(),
            start_s=begun_s,
            end_s=begun_s,
            opening=state.closing,
            pending=(),
            quality=(),
            broken=True,
        )
        queue.advance(state)
        queue.clear_fault("clock")
    return len(early)


def _end_s(item: Waiting) -> int:
    """When the readings of a packet end, or from when on a factor is in force."""
    fields = cbor.decode(cose.parse(item.raw).payload)
    assert isinstance(fields, list), "a payload of our own"
    if item.what.startswith(FACTOR):
        return int(str(fields[-1]))
    start_s, interval_s, readings = fields[4], fields[5], fields[8]
    assert isinstance(start_s, int), "a packet of our own"
    assert isinstance(interval_s, int), "a packet of our own"
    assert isinstance(readings, UintArray), "a packet of our own"
    return start_s + interval_s * len(readings)
