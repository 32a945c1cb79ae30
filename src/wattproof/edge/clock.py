"""A clock that was ahead: what it dated in the future is taken back, what was counted is kept.

A standing order's payments for periods that are yet to come are set aside too, and go when their
time has come; those that the host has are not made again.
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from wattproof.core.errors import Conflict, ErrorCode
from wattproof.edge.changes import FACTOR, withdraw
from wattproof.edge.pay import CLOCK_AHEAD, PLACE
from wattproof.edge.payments import is_payment
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
    en="No reading and no payment is dated in the future; there is nothing to take back.",
    zh="没有日期在未来的读数或付款，无需撤回。",
)
AHEAD = ErrorCode(
    Conflict,
    CLOCK_AHEAD,
    en="It was dated in the future, because the clock was ahead.",
    zh="由于时钟超前，其日期在未来。",
)


def take_back(queue: Queue, *, now_s: int, interval_s: int) -> int:
    """A person says that the clock was ahead and is right now; how many were set aside.

    Packets and factor entries that the host could only take in the future are set aside, and so
    are payments of standing orders. The next reading opens a packet, whose register makes up for
    them. Raises `Conflict` where there is none.
    """
    with queue.changing():
        state = queue.state()
        is_read = state.started and state.end_s > now_s
        if not _orders_put_back(queue, now_s) and not is_read:
            raise NOT_AHEAD()
        waiting = queue.first(queue.length)
        early = [item for item in waiting if _end_s(queue, item) > now_s + AHEAD_S]
        for item in early:
            said = AHEAD()
            queue.set_aside(
                item, code=said.code, en=said.text("en"), zh=said.text("zh"), at_s=now_s
            )
            if item.what.startswith(FACTOR):
                withdraw(queue, from_s=_end_s(queue, item))
        queue.clear_fault(PLACE)
        if not is_read:
            return len(early)
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


def _orders_put_back(queue: Queue, now_s: int) -> bool:
    """Let standing orders that are ahead go on from now; whether there was one."""
    ahead = {
        name: reached
        for name, reached in queue.payments.reached().items()
        if reached.through_s > now_s
    }
    for name, reached in ahead.items():
        queue.payments.reach(name, replace(reached, through_s=now_s))
    return bool(ahead)


def _end_s(queue: Queue, item: Waiting) -> int:
    """When a packet's readings end, a factor comes into force, or an order's payment is due."""
    if is_payment(item.what):
        payment = queue.payments.with_id(item.id)
        return payment.due_s if payment is not None and payment.standing else 0
    fields = cbor.decode(cose.parse(item.raw).payload)
    assert isinstance(fields, list), "a payload of our own"
    if item.what.startswith(FACTOR):
        return int(str(fields[-1]))
    start_s, interval_s, readings = fields[4], fields[5], fields[8]
    assert isinstance(start_s, int), "a packet of our own"
    assert isinstance(interval_s, int), "a packet of our own"
    assert isinstance(readings, UintArray), "a packet of our own"
    return start_s + interval_s * len(readings)
