"""What emissions adds to a meter's page: the factor in force, what it emitted, its life."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from wattproof.console.kept import Kept
from wattproof.core.units import family
from wattproof.emissions.life import life_of
from wattproof.emissions.live import live_lake
from wattproof.emissions.model import Assignment
from wattproof.emissions.queries import assignments_of, emission_stream
from wattproof.gateway.words import events_of
from wattproof.identity.queries import keys_of
from wattproof.ledger.leaf import leaf_parts
from wattproof.metering.panels import Asked, Panel, PanelOf

__all__ = ["meter_panels"]

EVENTS_SHOWN: Final = 100
"""Entries of a meter's life that its page shows, the newest ones."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of a meter's life in words."""

    entry: int
    time_s: int
    sentences: tuple[str, ...]


def meter_panels() -> tuple[PanelOf, ...]:
    """The panels, with what they keep between pages."""
    kept: Kept[list[int]] = Kept()

    async def life(asked: Asked) -> Panel:
        return await _life(asked, kept)

    return (_emission, life)


async def _emission(asked: Asked) -> Panel:
    """The factor in force at the meter's last reading, those before, and what came of it."""
    number = asked.device.number
    assignments = list(assignments_of(asked.ledger, number))
    at_s = asked.stream.end_s if asked.stream is not None else 0
    emitted = emission_stream(asked.ledger, number)
    values: dict[str, Any] = {
        "is_co2": family(asked.device.quantity) == "co2",
        "assignments": assignments,
        "in_force": next((one for one in assignments if _holds(one, at_s)), None),
        "total_g": None if emitted is None else emitted.total_g,
    }
    return Panel(template="emissions/meter_factor.html", values=values, place="side")


async def _life(asked: Asked, kept: Kept[list[int]]) -> Panel:
    """Every entry about the meter, packets that simply go on left out."""
    number, ledger, live = asked.device.number, asked.ledger, live_lake(asked.folder)

    def make() -> list[int]:
        return life_of(live.up_to_date(ledger), number, limit=EVENTS_SHOWN + 1)

    found = await kept.get(number, size=ledger.size, make=make, long_reads=asked.long_reads)
    keys = keys_of(ledger, kind="device", holder=asked.device.id)
    entries = {*(found or ()), asked.device.enrolled_entry, *(key.since_entry for key in keys)}
    newest = sorted(entries, reverse=True)
    values: dict[str, Any] = {
        "events": [_event(asked, index) for index in newest[:EVENTS_SHOWN]],
        "more": len(newest) > EVENTS_SHOWN,
        "complete": found is not None,
    }
    return Panel(template="emissions/meter_life.html", values=values, place="below")


def _holds(assignment: Assignment, at_s: int) -> bool:
    return assignment.from_s <= at_s and (not assignment.to_s or at_s <= assignment.to_s)


def _event(asked: Asked, index: int) -> Event:
    """What happened to the meter in an entry."""
    entry, number = asked.ledger.entry(index), asked.device.number
    told = [event for event in events_of(entry) if event.get("number", number) == number]
    return Event(
        entry=index,
        time_s=leaf_parts(entry.leaf)[1] // 1000,
        sentences=tuple(
            asked.words.sentence(event, lang=asked.lang, reading=asked.ledger) for event in told
        ),
    )
