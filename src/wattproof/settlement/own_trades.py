"""All trades of somebody's meters in a period, each batch of the log read once.

A meter's trades go on in time, so its batches are read from the newest back until one is of hours
before the period.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from typing import Final

import msgspec

from wattproof.core.periods import Step
from wattproof.ledger.store import Store
from wattproof.settlement.events import Trade
from wattproof.settlement.local_days import bucket_of
from wattproof.settlement.model import HOUR_S, Kind
from wattproof.settlement.records import USAGE, Usage
from wattproof.settlement.trade_records import find_batch

__all__ = ["MAX_BATCHES", "OwnSum", "OwnTrades", "newest_traded_s", "own_trades"]

MAX_BATCHES: Final = 5_000
"""Batches that are read for one answer at most."""


class OwnSum(msgspec.Struct, frozen=True, kw_only=True):
    """What meters of one kind traded in one local day or month.

    `fen` is what the energy costs, or earned.
    """

    start_s: int
    end_s: int
    kind: Kind
    wh: int
    fen: int
    trades: int


class OwnTrades(msgspec.Struct, frozen=True, kw_only=True):
    """The sums of a period, by time and then kind; `complete` unless too many batches were met."""

    sums: tuple[OwnSum, ...]
    complete: bool

    def of(self, kind: Kind) -> list[OwnSum]:
        """Those of one kind."""
        return [one for one in self.sums if one.kind == kind]

    def wh(self, kind: Kind) -> int:
        """All energy of one kind."""
        return sum(one.wh for one in self.of(kind))

    def fen(self, kind: Kind) -> int:
        """What all energy of one kind costs, or earned."""
        return sum(one.fen for one in self.of(kind))


def own_trades(
    store: Store,
    numbers: Iterable[int],
    *,
    step: Step,
    offset_s: int,
    from_s: int,
    to_s: int,
) -> OwnTrades:
    """What these meters traded of the hours from `from_s` up to `to_s`, by local day or month."""
    usages = {number: usage for number in numbers if (usage := store.get(USAGE, number))}
    todo: dict[int, list[int]] = {}
    for usage in usages.values():
        _put(todo, usage.last_entry, usage.number)
    entries = [-entry for entry in todo]
    heapq.heapify(entries)
    sums: dict[tuple[int, int, Kind], list[int]] = {}
    looked_at = 0
    while entries and looked_at < MAX_BATCHES:
        entry = -heapq.heappop(entries)
        looked_at += 1
        for number, trades in _of(store, entry, set(todo.pop(entry))).items():
            for one in trades:
                if one.hours and from_s <= one.first_s < to_s:
                    _add(sums, one, usages[number].kind, step, offset_s)
            first = trades[0]
            if first.first_s >= from_s and first.previous >= 0:
                if first.previous not in todo:
                    heapq.heappush(entries, -first.previous)
                _put(todo, first.previous, number)
    return OwnTrades(
        sums=tuple(
            OwnSum(start_s=start_s, end_s=end_s, kind=kind, wh=wh, fen=fen, trades=trades)
            for (start_s, end_s, kind), (wh, fen, trades) in sorted(sums.items())
        ),
        complete=not entries,
    )


def newest_traded_s(usages: Iterable[Usage]) -> int:
    """When the last hour began that was settled of any of these meters; 0 where none was."""
    return max((one.settled_s - HOUR_S for one in usages if one.trades), default=0)


def _of(store: Store, entry: int, numbers: set[int]) -> dict[int, list[Trade]]:
    """The trades of these meters in a batch, by meter, each in order."""
    batch = find_batch(store, entry)
    assert batch is not None, f"entry {entry} is a batch"
    found: dict[int, list[Trade]] = {}
    for trades in (batch.settled.supply, batch.settled.consumption):
        for one in trades:
            if one.meter in numbers:
                found.setdefault(one.meter, []).append(one)
    return found


def _put(todo: dict[int, list[int]], entry: int, number: int) -> None:
    if entry >= 0:
        todo.setdefault(entry, []).append(number)


def _add(
    sums: dict[tuple[int, int, Kind], list[int]],
    one: Trade,
    kind: Kind,
    step: Step,
    offset_s: int,
) -> None:
    start_s, end_s = bucket_of(one.first_s, "month" if step == "month" else "day", offset_s)
    known = sums.setdefault((start_s, end_s, kind), [0, 0, 0])
    known[0] += one.wh
    known[1] += one.fen
    known[2] += 1
