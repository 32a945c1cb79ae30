"""How a node is, for people and for machines: read from its queue, whoever asks."""

from __future__ import annotations

import msgspec

from wattproof.core.errors import Lang
from wattproof.core.periods import iso
from wattproof.core.units import base_unit, format_amount, quantity_label
from wattproof.edge.config import Config
from wattproof.edge.queue import Fault, LastReading, Queue, Sent
from wattproof.edge.state import EnteredFactor, Held, factor_at

__all__ = ["Status", "lines_of", "status_of"]


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
