"""How a node is, for people and for machines: read from its queue, whoever asks."""

from __future__ import annotations

from typing import Final

import msgspec

from wattproof.core.errors import Lang
from wattproof.core.periods import iso
from wattproof.core.units import base_unit, format_amount, quantity_label
from wattproof.edge.config import Config
from wattproof.edge.money import show_fen
from wattproof.edge.orders import next_s, owed_fen
from wattproof.edge.payments import Payment
from wattproof.edge.queue import Fault, LastReading, Queue, Sent
from wattproof.edge.state import EnteredFactor, Held, factor_at

__all__ = [
    "SHOWN",
    "OrderStatus",
    "Status",
    "lines_of",
    "payment_lines",
    "payment_state",
    "status_of",
]

SHOWN: Final = 10
"""The newest payments that a status has."""

_STATES: Final = {
    "waiting": ("waiting to be sent", "待发送"),
    "paid": ("paid", "已付"),
    "refused": ("refused", "被拒绝"),
    "forgotten": ("given up", "已放弃"),
    "skipped": ("not made", "未付"),
}


class OrderStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A standing order: what it pays, when it falls due next (or did), what has come up until now.

    `fen` is its amount, 0 where it has a `price` for each `unit` instead; then `owed_fen` is for
    what was measured since the last payment.
    """

    name: str
    target: str
    to_device: str
    asset: str
    every: str
    fen: int
    price: str
    unit: str
    next_s: int | None
    owed_fen: int


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """A node at this moment. `waiting`, `room` and `refused` count transactions in its queue.

    `factor` is in force for the reading that goes on now, `next_factor` from its own `from_s` on.
    """

    node: str
    quantity: str
    unit: str
    at_s: int
    reading: LastReading | None
    readings_open: int
    next_sequence: int
    waiting: int
    room: int
    sent: Sent | None
    refused: int
    factor: EnteredFactor | None
    next_factor: EnteredFactor | None
    held: Held | None
    faults: list[Fault]
    payments: list[Payment] = []
    orders: list[OrderStatus] = []


def status_of(config: Config, queue: Queue, *, now_s: int) -> Status:
    """How the node is at `now_s`. Raises `Unavailable` where its queue cannot be read."""
    state = queue.state()
    factor = factor_at(state.factors, now_s)
    coming = [each for each in state.factors if each.from_s > now_s]
    return Status(
        node=config.node.id,
        quantity=config.node.quantity,
        unit=base_unit(config.node.quantity),
        at_s=now_s,
        reading=queue.reading(),
        readings_open=len(state.pending),
        next_sequence=state.next_sequence,
        waiting=queue.length,
        room=queue.room,
        sent=queue.sent(),
        refused=len(queue.refused()),
        factor=factor,
        next_factor=coming[-1] if coming else None,
        held=state.held,
        faults=queue.faults(),
        payments=queue.payments.last(SHOWN),
        orders=_orders(config, queue, measured=state.measured, now_s=now_s),
    )


def lines_of(status: Status, *, zone: str, lang: Lang) -> list[tuple[str, str]]:
    """The status as people read it: what, and how it is."""
    zh = lang == "zh"
    none = "无" if zh else "none"

    def when(time_s: int) -> str:
        return iso(time_s, zone)

    def factor_text(factor: EnteredFactor | None) -> str:
        if factor is None:
            return none
        name = factor.factor or factor.entered_by
        return f"{factor.value} {factor.unit} ({name}, {when(factor.from_s)})"

    rows = [
        ("节点" if zh else "Node", f"{status.node}, {quantity_label(status.quantity, lang)}"),
    ]
    reading = status.reading
    if reading is None:
        rows.append(("最近读数" if zh else "Last reading", none))
    else:
        rows += [
            ("最近读数" if zh else "Last reading", when(reading.at_s)),
            ("表底数" if zh else "Register", format_amount(reading.register, status.unit, lang)),
            ("本次" if zh else "Counted", format_amount(reading.amount, status.unit, lang)),
            ("累计排放" if zh else "Emission", format_amount(reading.total_g, "g", lang)),
        ]
    sent = status.sent
    rows += [
        ("排放因子" if zh else "Factor", factor_text(status.factor)),
        ("待发送" if zh else "Waiting", str(status.waiting)),
        (
            "最近发送" if zh else "Last sent",
            none if sent is None else f"{when(sent.at_s)} ({sent.count})",
        ),
        ("被拒绝" if zh else "Refused", str(status.refused)),
    ]
    if status.next_factor is not None:
        rows.insert(-3, ("待生效因子" if zh else "Next factor", factor_text(status.next_factor)))
    rows += [
        (
            "故障" if zh else "Fault",
            f"{fault.zh if zh else fault.en} [{fault.code}] {when(fault.since_s)}",
        )
        for fault in status.faults
    ]
    return rows


def payment_lines(status: Status, *, zone: str, lang: Lang) -> list[tuple[str, str]]:
    """The standing orders and the last payments as people read them, newest first."""
    zh = lang == "zh"
    rows = [
        ("定期付款" if zh else "Standing order", _order_text(order, zone=zone, lang=lang))
        for order in status.orders
    ]
    for payment in status.payments:
        at = iso(payment.at_s, zone)
        payee = payment.target or payment.to_device
        text = f"{show_fen(payment.fen, payment.asset, lang)} {'→' if zh else 'to'} {payee}"
        if payment.memo:
            text += f" ({payment.memo})"
        text += f": {payment_state(payment, lang)}, {at}"
        if payment.code:
            text += f": {payment.zh if zh else payment.en} [{payment.code}]"
        rows.append(("付款" if zh else "Payment", text))
    return rows


def payment_state(payment: Payment, lang: Lang) -> str:
    """What became of a payment, in a word or two."""
    en, zh = _STATES[payment.state]
    return zh if lang == "zh" else en


def _orders(config: Config, queue: Queue, *, measured: int, now_s: int) -> list[OrderStatus]:
    reached = queue.payments.reached()
    found = []
    for order in config.orders:
        got = reached.get(order.name)
        found.append(
            OrderStatus(
                name=order.name,
                target=order.target,
                to_device=order.to_device,
                asset=order.asset,
                every=order.every,
                fen=order.fen,
                price=order.price,
                unit=order.unit,
                next_s=next_s(order, now_s if got is None else got.through_s),
                owed_fen=0 if got is None else owed_fen(order, got, measured=measured),
            )
        )
    return found


def _order_text(order: OrderStatus, *, zone: str, lang: Lang) -> str:
    zh = lang == "zh"
    every_zh = {"hour": "每小时", "day": "每天", "month": "每月"}[order.every]
    payee = order.target or order.to_device
    what = show_fen(order.fen, order.asset, lang) if order.fen else f"{order.price}/{order.unit}"
    parts = [f"{every_zh} {what} → {payee}" if zh else f"{what} to {payee}, every {order.every}"]
    if order.next_s is None:
        parts.append("已结束" if zh else "over")
    else:
        parts.append(f"{'下次' if zh else 'next'} {iso(order.next_s, zone)}")
    if order.price:
        owed = show_fen(order.owed_fen, order.asset, lang)
        parts.append(f"{'已计' if zh else 'so far'} {owed}")
    return ("，" if zh else ", ").join(parts)
