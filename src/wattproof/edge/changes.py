"""What a person may change at a node: its factor, and which meter it reads.

Each change is one durable commit together with what it makes, whoever asks for it: the keypad, the
local page or a command in another process.
"""

from __future__ import annotations

import os

from msgspec.structs import replace

from wattproof.core.errors import Conflict, ErrorCode
from wattproof.edge.config import Config
from wattproof.edge.factors import UNITY_FACTOR, Choice, looked_up, put_in_force, typed, unit_of
from wattproof.edge.packets import NONCE_BYTES, Report, factor_payload, report_payload, sign
from wattproof.edge.queue import Queue
from wattproof.edge.register import level
from wattproof.edge.source import Sample
from wattproof.edge.state import EnteredFactor, NodeState, factor_at
from wattproof.edge.stream import exchange, go_on
from wattproof.keys.ed25519 import SigningKey

__all__ = [
    "CLOCK_LOST",
    "FACTOR",
    "PACKET",
    "enter_factor",
    "same_meter",
    "sign_reports",
    "start_factor",
    "swap_meter",
    "withdraw",
]

PACKET = "packet"
FACTOR = "factor"
"""What a transaction in the queue is; a packet's sequence number follows after a space."""

CLOCK_LOST = ErrorCode(
    Conflict,
    "edge.clock.lost",
    en="The clock says {now_s} s after 1970: it has lost its time. Nothing is read until it is"
    " set.",
    zh="时钟显示为 1970 年后 {now_s} 秒：时间已丢失。校时之前不读表。",
)


def enter_factor(
    queue: Queue, config: Config, key: SigningKey, choice: Choice, *, by: str, now_s: int
) -> EnteredFactor:
    """Put a factor in force from the next reading on, and queue the signed entry.

    Raises `Conflict` while the clock is lost, `Malformed` for a `by` that is no identifier.
    """
    if now_s < config.node.earliest_s:
        raise CLOCK_LOST(now_s=now_s)
    with queue.changing():
        state, entered = put_in_force(
            queue.state(), choice, by=by, now_s=now_s, interval_s=config.node.interval_s
        )
        payload = factor_payload(entered, nonce=os.urandom(NONCE_BYTES))
        raw = sign(payload, key, ledger_id=config.ledger_id)
        queue.advance(state, [(f"{FACTOR} {entered.from_s}", raw)])
    return entered


def start_factor(queue: Queue, config: Config, key: SigningKey, *, now_s: int) -> None:
    """Give a new node the factor of its settings; one that measures CO2 has the factor 1."""
    node, given = config.node, config.factor
    if not node.emit or queue.state().factors:
        return
    if config.is_co2:
        with queue.changing():
            queue.advance(replace(queue.state(), factors=(UNITY_FACTOR,)))
    elif given is not None:
        if given.value is None:
            choice = looked_up(given.id, quantity=node.quantity)
        else:
            unit = given.unit or unit_of(node.quantity)
            choice = typed(format(given.value, "f"), unit=unit, quantity=node.quantity)
        enter_factor(queue, config, key, choice, by=given.by, now_s=now_s)


def swap_meter(
    queue: Queue,
    config: Config,
    key: SigningKey,
    *,
    closing: Sample | None,
    opening: Sample,
) -> NodeState:
    """The meter was exchanged: the old one stood at `closing`, the new one began at `opening`.

    The next reading opens a new packet. Raises `Malformed` for values that no register shows, and
    `Conflict` for a closing below the last reading.
    """
    node = config.node
    modulus = node.register_modulus
    began = level(opening, quantity=node.quantity, modulus=modulus)
    ended = None if closing is None else level(closing, quantity=node.quantity, modulus=modulus)
    with queue.changing():
        taken = exchange(queue.state(), node, closing=ended, opening=began)
        queue.advance(taken.state, sign_reports(taken.reports, config, key))
        queue.clear_fault("register")
    return taken.state


def same_meter(queue: Queue) -> NodeState:
    """It is the same meter, whose register showed something wrong. Raises `Conflict`."""
    with queue.changing():
        state = go_on(queue.state())
        queue.advance(state)
        queue.clear_fault("register")
    return state


def sign_reports(
    reports: tuple[Report, ...], config: Config, key: SigningKey
) -> list[tuple[str, bytes]]:
    """What is queued for these packets."""
    return [
        (
            f"{PACKET} {report.sequence}",
            sign(report_payload(report), key, ledger_id=config.ledger_id),
        )
        for report in reports
    ]


def withdraw(queue: Queue, *, from_s: int) -> None:
    """The host refused a factor entry for good: the node goes on with the factor before it.

    Where there is none, readings that wait for a packet are given up: the next packet's register
    makes up for them.
    """
    with queue.changing():
        state = queue.state()
        factors = tuple(old for old in state.factors if old.from_s != from_s)
        state = replace(state, factors=factors)
        if factor_at(factors, state.start_s) is None:
            state = replace(state, started=state.reported is not None, broken=True)
            state = replace(state, pending=(), quality=())
        queue.advance(state)
