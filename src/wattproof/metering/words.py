"""What the fields of metering's transactions are called, and which of them are amounts of what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from wattproof.console.words import RoomWords
from wattproof.core.errors import Lang
from wattproof.core.units import base_unit, format_amount
from wattproof.identity.model import DEVICES
from wattproof.identity.queries import holder_of
from wattproof.ledger.state import Reading
from wattproof.metering.model import QUALITIES, Packet, ReplaceMeter

__all__ = ["WORDS"]


def _units(reading: Reading, signer: bytes, body: msgspec.Struct) -> Mapping[str, str]:
    """Amounts are in the base unit of what the meter measures: the signer, or who is named."""
    if isinstance(body, Packet):
        held = holder_of(reading, signer)
        meter = held.holder if held is not None and held.kind == "device" else ""
        fields: tuple[str, ...] = ("opening", "increments")
    elif isinstance(body, ReplaceMeter):
        meter, fields = body.device, ("old_closing", "new_opening", "new_modulus")
    else:
        return {}
    device = reading.get(DEVICES, meter)
    return {} if device is None else dict.fromkeys(fields, base_unit(device.quantity))


def _texts(reading: Reading, event: Mapping[str, Any], lang: Lang) -> Mapping[str, str]:
    """Sentences that name a meter by its number name it by its id, and say of what they tell."""
    number = event.get("number")
    found = reading.find(DEVICES, "number", number) if isinstance(number, int) else []
    if not found or "device" in event:
        return {}
    unit = base_unit(found[0].quantity)
    return {
        "number": found[0].id,
        **{name: format_amount(event[name], unit, lang) for name in _AMOUNTS if name in event},
    }


_AMOUNTS: Final = ("amount", "catch_up")

WORDS: Final = RoomWords(
    fields={
        "sequence": ("Number of the packet", "数据包序号"),
        "start_s": ("Begins", "起始时间"),
        "interval_s": ("Interval", "间隔"),
        "opening": ("Register at the beginning", "起始表底数"),
        "increments": ("Readings", "读数"),
        "quality": ("Quality", "数据质量"),
        "at_s": ("Replaced at", "换表时间"),
        "old_closing": ("Old register at the end", "旧表止数"),
        "new_opening": ("New register at the start", "新表起数"),
        "new_modulus": ("New register starts again at", "新表翻转值"),
    },
    values={
        "kind": {
            "increment": ("measured interval by interval", "逐时段计量"),
            "register": ("differences of a register", "由表底数相减"),
        },
        "quality": {
            "": ("all measured", "全部实测"),
            **{str(row.code): (row.en, row.zh) for row in QUALITIES},
        },
        "new_modulus": {"0": ("never", "从不翻转")},
    },
    units=_units,
    texts=_texts,
)
