"""The node pays: what a person asks for, and what its standing orders say.

A payment is signed with the node's own key, out of the node's own wallet on the ledger, and queued
in the commit that remembers it. The ledger looks after balance and limits; what it refuses is kept
aside like any other transaction, and holds up nothing.
"""

from __future__ import annotations

import hashlib
import os
from typing import Final

from msgspec.structs import replace

from wattproof.core.codes import check_id
from wattproof.core.errors import Conflict, ErrorCode, Malformed, OverLimit
from wattproof.core.periods import iso
from wattproof.edge.config import Config
from wattproof.edge.money import show_fen
from wattproof.edge.orders import (
    MAX_MISSED,
    Due,
    Order,
    begun,
    check_target,
    due_amounts,
    due_measured,
)
from wattproof.edge.packets import NONCE_BYTES, Pay, pay_payload, sign, transaction_id
from wattproof.edge.payments import PAY, Payment, Reached
from wattproof.edge.queue import Queue
from wattproof.keys.ed25519 import SigningKey

__all__ = ["CLOCK_AHEAD", "MAX_WAITING", "PLACE", "RETRIED_CODES", "pay", "pay_orders"]

PLACE: Final = "pay"
"""Where faults of standing orders are noted."""

MAX_WAITING: Final = 1_000
"""Payments that may wait to be sent."""

MAX_MEMO: Final = 128

BACK_S: Final = 5
"""How far a clock may be put back without being worth a word."""

CLOCK_AHEAD: Final = "edge.clock.ahead"
"""The code of what was taken back because the clock had been ahead."""

RETRIED_CODES: Final = (
    "book.overdraft",
    "settlement.in_arrears",
    "settlement.wallet_frozen",
    "settlement.wallet_limit",
    CLOCK_AHEAD,
)
"""Refusals that may pass with time: an order tries these again with its next payment."""

FULL = ErrorCode(
    OverLimit,
    "edge.pay.full",
    en="{limit} payments wait to be sent; no more are made until the host has taken some.",
    zh="已有 {limit} 笔付款待发送；主机接受之前不再生成新的付款。",
)
CLOCK_BACK = ErrorCode(
    Conflict,
    "edge.pay.clock",
    en="The order {order} has paid up to {through}, but it is {now}: it pays nothing until the"
    " clock has caught up. If it was ahead before, say so with wattproof edge clock.",
    zh="定期付款 {order} 已付至 {through}，而现在是 {now}：追上之前不付款。"
    "若此前时钟超前，请用 wattproof edge clock 说明。",
)
LONG_MEMO = ErrorCode(
    Malformed,
    "edge.pay.memo",
    en="A memo has at most {limit} characters.",
    zh="附言最多 {limit} 个字符。",
)
MISSED = ErrorCode(
    OverLimit,
    "edge.pay.missed",
    en="{count} periods are too long ago: a standing order makes up for {limit} at most. If they"
    " are owed, pay them with wattproof edge pay.",
    zh="有 {count} 个周期过于久远：定期付款最多补付 {limit} 个周期。如确需支付，"
    "请用 wattproof edge pay。",
)


def pay(queue: Queue, config: Config, key: SigningKey, what: Pay, *, now_s: int) -> Payment:
    """Queue a payment that a person asks for; each call is another payment.

    Raises `Malformed` for a target, an asset or a memo that cannot be, and `OverLimit` while too
    many wait.
    """
    check_target(target=what.target, to_device=what.to_device, node=config.node.id)
    check_id(what.asset)
    if len(what.memo) > MAX_MEMO:
        raise LONG_MEMO(limit=MAX_MEMO)
    with queue.changing():
        _demand_room(queue)
        id_ = _queued(
            queue, config, key, what, nonce=os.urandom(NONCE_BYTES), due_s=now_s, now_s=now_s
        )
    made = queue.payments.with_id(id_)
    assert made is not None, "it was queued"
    return made


def pay_orders(
    queue: Queue, config: Config, key: SigningKey, *, now_s: int, complete_s: int
) -> bool:
    """Queue what the standing orders have to pay by now; whether something was queued.

    All readings up to `complete_s` are taken. What an order pays, and how far it has got then, are
    one commit. An order that is no longer in the settings is over. Raises `OverLimit` while too
    many payments wait, and `Conflict` where the clock is behind what was paid already; what could
    be paid before is.
    """
    orders, reached = config.orders, queue.payments.reached()
    for name in reached.keys() - {order.name for order in orders}:
        queue.payments.end(name)
    queued, behind = False, None
    for order in orders:
        got = reached.get(order.name)
        if got is None:
            with queue.changing():
                got = begun(order, now_s=now_s, measured=queue.state().measured)
                queue.payments.reach(order.name, got)
        if got.through_s > now_s + BACK_S:
            behind = (order, got.through_s)
        elif _pay_order(queue, config, key, order, now_s=now_s, complete_s=complete_s):
            queued = True
    if behind is not None:
        order, through_s = behind
        through, now = iso(through_s, order.zone), iso(now_s, order.zone)
        raise CLOCK_BACK(order=order.name, through=through, now=now)
    return queued


def _pay_order(
    queue: Queue, config: Config, key: SigningKey, order: Order, *, now_s: int, complete_s: int
) -> bool:
    """One order: first what was refused before, then what is due now, in one commit."""

    def due() -> tuple[Reached, Reached, list[Due]]:
        got = queue.payments.reached()[order.name]
        if order.fen:
            return got, *due_amounts(order, got, now_s=now_s)
        measured = queue.state().measured
        then, one = due_measured(order, got, complete_s=complete_s, measured=measured)
        return got, then, [] if one is None else [one]

    got, then, dues = due()
    if then == got:
        return False
    with queue.changing():
        got, then, dues = due()  # nobody else changes it from here on
        _demand_room(queue)
        again = queue.payments.refused_places(
            order.name, RETRIED_CODES, until_s=now_s, limit=MAX_MISSED
        )
        for place in again:
            queue.send_again(place)
        new = [each for each in dues if queue.payments.due(order.name, each.due_s) is None]
        for each in new:
            _order_paid(queue, config, key, order, each, now_s=now_s)
        if order.ufen and new != dues:  # made by a clock that was ahead: the rest is for next time
            then = replace(got, through_s=then.through_s)
        queue.payments.reach(order.name, then)
    return bool(new or again)


def _order_paid(
    queue: Queue, config: Config, key: SigningKey, order: Order, due: Due, *, now_s: int
) -> None:
    """Queue an order's payment, or remember that it was missed."""
    if not due.missed:
        what = Pay(
            target=order.target,
            to_device=order.to_device,
            asset=order.asset,
            fen=due.fen,
            memo=due.memo,
        )
        nonce = _nonce_of(order, due.due_s)
        _queued(
            queue, config, key, what,
            nonce=nonce, due_s=due.due_s, now_s=now_s, standing=order.name,
        )  # fmt: skip
        return
    said = MISSED(count=due.fen // order.fen, limit=MAX_MISSED)
    missed = Payment(
        0, "", order.name, due.due_s, order.target, order.to_device, order.asset, due.fen,
        due.memo, now_s, "skipped", now_s, -1, said.code, said.text("en"), said.text("zh"),
    )  # fmt: skip
    queue.payments.keep(missed, id_=None)


def _nonce_of(order: Order, due_s: int) -> bytes:
    """The nonce of an order's payment: for one period always the same."""
    text = f"wattproof edge pay\n{order.name}\n{due_s}"
    return hashlib.sha256(text.encode()).digest()[:NONCE_BYTES]


def _queued(
    queue: Queue,
    config: Config,
    key: SigningKey,
    what: Pay,
    *,
    nonce: bytes,
    due_s: int,
    now_s: int,
    standing: str = "",
) -> bytes:
    """Sign a payment, queue and remember it; its id."""
    payload = pay_payload(what, device=config.node.id, nonce=nonce)
    raw = sign(payload, key, ledger_id=config.ledger_id)
    id_ = transaction_id(raw)
    payment = Payment(
        0, "", standing, due_s, what.target, what.to_device, what.asset, what.fen, what.memo,
        now_s, "waiting", now_s,
    )  # fmt: skip
    queue.payments.keep(payment, id_=id_)
    payee = what.target or what.to_device
    queue.add([(f"{PAY} {show_fen(what.fen, what.asset, 'en')} {payee}", raw)])
    return id_


def _demand_room(queue: Queue) -> None:
    if queue.payments.waiting >= MAX_WAITING:
        raise FULL(limit=MAX_WAITING)
