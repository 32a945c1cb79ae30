"""Standing orders: what a node pays by itself, and when.

An order has a rhythm: hours, days or months of the node's own zone. At each beginning of a period,

- an order of an `amount` pays it, for the period that begins;
- an order with a price pays for what the node measured since its last payment, in the period that
  ends. What is less than a fen is carried to the next payment.

How far an order has got is kept with the queue (`payments.Reached`) and never goes back by itself,
so a period is paid once, whatever becomes of the machine or its clock. These functions only work
out what is due; `pay` signs it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from wattproof.core.codes import check_id
from wattproof.core.errors import ErrorCode, Malformed
from wattproof.core.periods import bucket_bounds, bucket_start, iso, local_time, parse_time
from wattproof.core.units import format_amount, unit_for
from wattproof.edge.money import UFEN_PER_FEN, fen_of, price_ufen
from wattproof.edge.payments import Reached

__all__ = [
    "MAX_MISSED",
    "Due",
    "Every",
    "Order",
    "PaySettings",
    "begun",
    "check_target",
    "due_amounts",
    "due_measured",
    "next_s",
    "order_of",
    "owed_fen",
]

MAX_MISSED: Final = 31
"""Periods of an amount that are made up for at most, the newest ones: a month of days."""

Every = Literal["hour", "day", "month"]
Id = Annotated[str, Meta(max_length=64)]

TARGET = ErrorCode(
    Malformed,
    "edge.pay.target",
    en="A payment goes to one account (to) or to one other device (to_device).",
    zh="付款须指向一个账户（to）或另一台设备（to_device）。",
)
ONE_SUM = ErrorCode(
    Malformed,
    "edge.pay.order.sum",
    en="A standing order has either an amount or one price (per_kwh, per_m3).",
    zh="定期付款须有固定金额（amount）或一个单价（per_kwh、per_m3），二者取一。",
)
NO_RHYTHM = ErrorCode(
    Malformed,
    "edge.pay.order.every",
    en='An amount needs a rhythm: every = "hour", "day" or "month".',
    zh='固定金额须给出周期：every = "hour"、"day" 或 "month"。',
)
NOT_A_BEGINNING = ErrorCode(
    Malformed,
    "edge.pay.order.from",
    en="{text!r} must be the beginning of a period ({every}) in {zone}.",
    zh="“{text}”须为 {zone} 时区某个周期（{every}）的起点。",
)


class PaySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A standing order as it is written.

    To the account `to` or the wallet of the device `to_device`, in each period `every`: `amount`,
    or `per_kwh` or `per_m3` for what the node measured (once a day, if not said otherwise). Not
    before `from` and not after `until`, local times at which a period begins. `name` tells orders
    apart that are alike otherwise; `memo` is what the payee reads, before the period.
    """

    to: Id = ""
    to_device: Id = ""
    amount: Decimal | None = None
    per_kwh: Decimal | None = None
    per_m3: Decimal | None = None
    every: Every | None = None
    asset: Id = "CNY"
    memo: Annotated[str, Meta(max_length=32)] = ""
    name: Id = ""
    from_: Id = msgspec.field(default="", name="from")
    until: Id = ""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """A standing order, checked: `fen` in each period, or `ufen` (micro-fen) per base unit.

    The one that it does not have is 0; `unit` is what the price is for, and `base` the base unit.
    Periods of `zone` from `from_s` up to `until_s` are paid, where those are given.
    """

    name: str
    target: str
    to_device: str
    asset: str
    memo: str
    every: Every
    zone: str
    fen: int = 0
    ufen: int = 0
    unit: str = ""
    base: str = ""
    price: str = ""
    from_s: int | None = None
    until_s: int | None = None


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """A payment that fell due at `due_s`; a `missed` one is too old to be made."""

    due_s: int
    fen: int
    memo: str
    missed: bool = False


def check_target(*, target: str, to_device: str, node: str) -> None:
    """Raise `Malformed` unless this names one account, or one device other than the node."""
    if bool(target) == bool(to_device) or to_device == node:
        raise TARGET()
    check_id(target or to_device)


def order_of(given: PaySettings, *, node: str, quantity: str, zone: str) -> Order:
    """The order that these settings of a node mean. Raises `Malformed`."""
    check_target(target=given.to, to_device=given.to_device, node=node)
    check_id(given.asset)
    sums = {"amount": given.amount, "kWh": given.per_kwh, "m3": given.per_m3}
    named = [(what, value) for what, value in sums.items() if value is not None]
    if len(named) != 1:
        raise ONE_SUM()
    ((what, value),) = named
    fixed = what == "amount"
    if fixed and given.every is None:
        raise NO_RHYTHM()
    every: Every = given.every or "day"
    payee = given.to or given.to_device
    kind = "amount" if fixed else f"per_{what.lower()}"
    order = Order(
        name=f"{given.name}{':' if given.name else ''}{payee}/{given.asset}/{every}/{kind}",
        target=given.to,
        to_device=given.to_device,
        asset=given.asset,
        memo=given.memo,
        every=every,
        zone=zone,
        from_s=_beginning(given.from_, every, zone),
        until_s=_beginning(given.until, every, zone),
    )
    if fixed:
        return msgspec.structs.replace(order, fen=fen_of(value))
    unit_for(unit=what, quantity=quantity)
    return msgspec.structs.replace(
        order,
        ufen=price_ufen(value),
        unit=what,
        base="Wh" if what == "kWh" else "dm3",
        price=format(value, "f"),
    )


def begun(order: Order, *, now_s: int, measured: int) -> Reached:
    """Where an order begins that the node sees for the first time.

    At the next beginning of a period; an amount with a ``from`` in the past begins there.
    """
    if order.fen and order.from_s is not None and order.from_s <= now_s:
        return Reached(through_s=order.from_s - 1, measured=measured)
    return Reached(through_s=now_s, measured=measured)


def due_amounts(order: Order, reached: Reached, *, now_s: int) -> tuple[Reached, list[Due]]:
    """What an order of an amount has to pay at `now_s`, oldest first, and how far it has got then.

    Of more than `MAX_MISSED` periods the older ones are missed: one `Due` says so.
    """
    bounds = _bounds(order, reached.through_s, now_s)
    if not bounds:
        return reached, []
    paid = [
        at_s
        for at_s in bounds
        if (order.from_s is None or order.from_s <= at_s)
        and (order.until_s is None or at_s < order.until_s)
    ]
    missed, paid = paid[:-MAX_MISSED], paid[-MAX_MISSED:]
    dues = []
    if missed:
        memo = _memo(order, missed[0], missed[-1])
        dues.append(Due(due_s=missed[0], fen=order.fen * len(missed), memo=memo, missed=True))
    dues += [Due(due_s=at_s, fen=order.fen, memo=_memo(order, at_s, at_s)) for at_s in paid]
    return msgspec.structs.replace(reached, through_s=bounds[-1]), dues


def due_measured(
    order: Order, reached: Reached, *, complete_s: int, measured: int
) -> tuple[Reached, Due | None]:
    """What an order with a price has to pay, and how far it has got then.

    All readings up to `complete_s` are taken, which makes `measured`; there is nothing to pay where
    a period is not over, or where there is less than a fen. A node that was off does not know when
    what its meter counted meanwhile was counted: that belongs to the period in which it came back.
    """
    bounds = _bounds(order, reached.through_s, complete_s)
    if not bounds:
        return reached, None
    amount = measured - reached.measured
    before = order.from_s is not None and bounds[0] <= order.from_s
    after = order.until_s is not None and reached.through_s >= order.until_s
    if before or after:
        return Reached(through_s=bounds[-1], measured=measured), None
    fen, carry_ufen = divmod(reached.carry_ufen + order.ufen * amount, UFEN_PER_FEN)
    due = None
    if fen:
        first_s = bucket_start(bounds[0] - 1, order.every, order.zone)
        last_s = bucket_start(bounds[-1] - 1, order.every, order.zone)
        counted = format_amount(amount, order.base, "en").replace(",", "")
        memo = f"{_memo(order, first_s, last_s)} {counted} * {order.price}/{order.unit}"
        due = Due(due_s=bounds[0], fen=fen, memo=memo)
    return Reached(through_s=bounds[-1], measured=measured, carry_ufen=carry_ufen), due


def owed_fen(order: Order, reached: Reached, *, measured: int) -> int:
    """What has come up since the last payment of an order with a price, in whole fen."""
    return (reached.carry_ufen + order.ufen * (measured - reached.measured)) // UFEN_PER_FEN


def next_s(order: Order, after_s: int) -> int | None:
    """When an order falls due next, after a moment; None where it is over."""
    from_s = -1 if order.from_s is None else order.from_s - (1 if order.fen else 0)
    bounds = bucket_bounds(max(after_s, from_s), max(after_s, from_s), order.every, order.zone)
    last_s = None if order.until_s is None else order.until_s - (1 if order.fen else 0)
    return bounds[-1] if last_s is None or bounds[-1] <= last_s else None


def _bounds(order: Order, through_s: int, until_s: int) -> list[int]:
    """The beginnings of periods after `through_s` up to `until_s`."""
    if until_s <= through_s:
        return []
    found = bucket_bounds(through_s, until_s, order.every, order.zone)
    return [at_s for at_s in found if through_s < at_s <= until_s]


def _memo(order: Order, first_s: int, last_s: int) -> str:
    """What the payee reads: the memo of the order, and the period or periods that begin there."""
    first, last = (_named(at_s, order.every, order.zone) for at_s in (first_s, last_s))
    period = first if first == last else f"{first}/{last}"
    return f"{order.memo} {period}".strip()


def _named(start_s: int, every: Every, zone: str) -> str:
    """A period by its beginning: 2026-11, 2026-11-20, or 2026-11-20T13:00+08:00."""
    if every == "hour":
        return local_time(start_s, zone).isoformat(timespec="minutes")
    return iso(start_s, zone)[: len("2026-11-20" if every == "day" else "2026-11")]


def _beginning(text: str, every: Every, zone: str) -> int | None:
    """The beginning of a period that a text names; None for an empty one."""
    if not text:
        return None
    at_s = parse_time(text, zone)
    if bucket_start(at_s, every, zone) != at_s:
        raise NOT_A_BEGINNING(text=text, every=every, zone=zone)
    return at_s
