"""Plants of the demonstration: their nodes, ports and bindings, and what their registers showed.

The rolling mill is made: a month of readings every 15 minutes, from integers alone. Its parts add
up to the total exactly, except in one hour, in which one part's meter shows a third less; its plan
is what the same hour a week before took.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from wattproof.demo.region import DAYS, INTERVAL_S, PER_DAY, REGION, START_S, ZONE
from wattproof.emissions.tracking.model import BindingKind

__all__ = ["FAULT_S", "MILL", "Bound", "Plant", "PlantNode", "Recorded", "Run", "made_mill"]

FAULT_DAY: Final = 11
FAULT_SLOT: Final = 14 * 4
FAULT_S: Final = START_S + (FAULT_DAY * PER_DAY + FAULT_SLOT) * INTERVAL_S
"""When the hour with the fault begins."""

WEEK: Final = 7 * PER_DAY


class PlantNode(msgspec.Struct, frozen=True, kw_only=True):
    """A node of a plant: its port, what it measures, and where it counts in roll-ups."""

    port: int
    id: str
    quantity: str
    process: str = ""
    plant: str = ""


class Bound(msgspec.Struct, frozen=True, kw_only=True):
    """A binding as it is typed, and the line that watches it: Wh over an hour, 0 for none."""

    text: str
    kind: BindingKind
    line_wh: int = 0


class Plant(msgspec.Struct, frozen=True, kw_only=True):
    """A plant: whose it is, the nodes that it has, how they are bound."""

    owner: str
    name: str
    zone: str
    region: str
    nodes: tuple[PlantNode, ...]
    bindings: tuple[Bound, ...]


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """Readings without a gap: from `start_s`, when the register was at `opening`."""

    start_s: int
    opening: int
    amounts: Sequence[int]


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """What each node of a plant recorded, by its id, every `interval_s` seconds."""

    interval_s: int
    runs: Mapping[str, Sequence[Run]]


MILL: Final = Plant(
    owner="rolling-mill",
    name="Demo rolling mill",
    zone=ZONE,
    region=REGION,
    nodes=(
        PlantNode(port=10, id="mill-total", quantity="electricity.import", plant="mill"),
        PlantNode(
            port=11, id="mill-furnace", quantity="electricity.consumption", process="furnace"
        ),
        PlantNode(port=12, id="mill-stand", quantity="electricity.consumption", process="rolling"),
        PlantNode(
            port=13, id="mill-cooling", quantity="electricity.consumption", process="cooling"
        ),
        PlantNode(port=14, id="mill-plan", quantity="electricity.predicted"),
    ),
    bindings=(
        Bound(text="1-14-10", kind="predicted"),
        Bound(text="2-10-11/12/13", kind="total", line_wh=10_000),
    ),
)

_PARTS: Final = {"mill-furnace": 52_000, "mill-stand": 38_000, "mill-cooling": 9_000}


def made_mill() -> Recorded:
    """The month of the rolling mill, with the fault in it."""
    amounts = {name: _part(name, base) for name, base in _PARTS.items()}
    total = [sum(parts) for parts in zip(*amounts.values(), strict=True)]
    first = FAULT_DAY * PER_DAY + FAULT_SLOT
    stand = amounts["mill-stand"]
    stand[first : first + 4] = [amount * 2 // 3 for amount in stand[first : first + 4]]
    amounts["mill-total"] = total
    amounts["mill-plan"] = [
        total[at - WEEK if at >= WEEK else at % PER_DAY] for at in range(len(total))
    ]
    runs = {
        name: (Run(start_s=START_S, opening=0, amounts=values),) for name, values in amounts.items()
    }
    return Recorded(interval_s=INTERVAL_S, runs=runs)


def _part(name: str, base: int) -> list[int]:
    month = []
    for day in range(DAYS):
        noise = hashlib.shake_128(f"{name}/{day}".encode()).digest(PER_DAY)
        for slot in range(PER_DAY):
            shift = 100 if 24 <= slot < 88 else 35
            month.append(base * shift * (900 + noise[slot]) // 100_000)
    return month
