"""Reads over trades: those of a meter, newest first, and those of a period by who owns the meters.

Trades stand in the log alone, in the events of batches. A meter's usage names the entry of its last
one and each trade the entry of the one before, so that the newest are read first, at the cost of
those that are shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import msgspec

from wattproof.core.errors import ErrorCode, Malformed, OverLimit
from wattproof.identity.model import DEVICES
from wattproof.identity.queries import device as device_of
from wattproof.ledger.state import Reading
from wattproof.ledger.store import Store
from wattproof.settlement.events import Trade
from wattproof.settlement.model import HOUR_S, Kind
from wattproof.settlement.queries import runs_of
from wattproof.settlement.records import USAGE
from wattproof.settlement.trade_records import batches_of, find_batch

__all__ = [
    "MAX_FLOW_TRADES",
    "NAMED",
    "Flow",
    "TradeView",
    "flows_of",
    "left_out_of",
    "trade_of",
    "trades_of",
]

NAMED: Final = 12
"""Owners of each kind whom flows name unless told otherwise; the rest are added up."""
MAX_FLOW_TRADES: Final = 3_000_000
"""Trades that are read for flows at most."""

TRADE_TEXT = ErrorCode(
    Malformed,
    "settlement.trade_text",
    en="“{text}” is no trade of {device}: it has the form ENTRY-TRADE, as in 812-3.",
    zh="“{text}”不是 {device} 的交易，其形式应为 条目-序号，例如 812-3。",
)
TOO_MANY_TRADES = ErrorCode(
    OverLimit,
    "settlement.flow_trades",
    en="The runs that may have settled this period made {trades} trades, more than the {limit}"
    " that are read for flows; ask for a shorter or later period.",
    zh="可能涉及该时段的结算共有 {trades} 笔交易，超过流向统计的上限 {limit}；"
    "请缩短时段或选择较近的时段。",
)


class TradeView(msgspec.Struct, frozen=True, kw_only=True):
    """A trade of a meter, as `events.Trade` has it, with where it stands.

    `id` is its log entry and its number, ``812-3``; `end_s` where its hours end. `entry` is the log
    entry of its batch, `run` the run, `time_s` when it was settled. `previous` is the entry of the
    last batch before this one in which the meter has a trade, -1 for none.
    """

    id: str
    device: str
    number: int
    region: str
    kind: Kind
    trade: int
    first_s: int
    end_s: int
    hours: int
    wh: int
    fen: int
    paid_fen: int
    due_fen: int
    run: int
    entry: int
    time_s: int
    previous: int


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """What all meters of a party sold to a region's pool (supply), or bought (consumption).

    Without a `party` it is all that has no name here: of `parties` owners together.
    """

    party: str
    kind: Kind
    wh: int
    fen: int
    meters: int
    parties: int


def trades_of(
    store: Store, device: str, *, before: str | None = None, limit: int = 100
) -> list[TradeView]:
    """The trades of a meter, newest first; those before the trade with the id `before`.

    Raises `NotFound` for a device that there is not, and ``settlement.trade_text`` where `before`
    is none of its trades.
    """
    number = device_of(store, device).number
    usage = store.get(USAGE, number)
    found: list[TradeView] = []
    if before is None:
        entry = -1 if usage is None else usage.last_entry
    else:
        entry, least = _parsed(before, device)
        there = _of_meter(store, device, number, entry)
        if least not in [one.trade for one in there]:
            raise TRADE_TEXT(text=before[:40], device=device)
        found = [one for one in there if one.trade < least]
        entry = there[-1].previous
    while entry >= 0 and len(found) < limit:
        there = _of_meter(store, device, number, entry)
        assert there, f"entry {entry} has a trade of {device}"
        found += there
        entry = there[-1].previous
    return found[:limit]


def trade_of(store: Store, device: str, id_: str) -> TradeView:
    """One trade of a meter by its id; raises ``settlement.trade_text``."""
    number = device_of(store, device).number
    entry, trade = _parsed(id_, device)
    for one in _of_meter(store, device, number, entry):
        if one.trade == trade:
            return one
    raise TRADE_TEXT(text=id_[:40], device=device)


def left_out_of(store: Store, region: str, run: int, *, limit: int) -> list[str]:
    """The ids of meters that a run left out, for their tariff has no price for an hour; the first
    so many, in the order of their numbers."""
    numbers: list[int] = []
    for batch in batches_of(store, region):
        if batch.settled.run < run:
            break
        if batch.settled.run == run:
            numbers += batch.settled.left_out
    return [store.find(DEVICES, "number", number)[0].id for number in sorted(numbers)[:limit]]


def flows_of(
    store: Store,
    region: str,
    from_s: int | None = None,
    to_s: int | None = None,
    *,
    named: int = NAMED,
    may_name: Callable[[str], bool] = lambda _party: True,
) -> list[Flow]:
    """A period's energy and what it costs, by kind and owner: the largest, then all others as one.

    Of the trades whose hours begin in the period. An owner whom `may_name` refuses counts with the
    others. The owner is who owns the meter now. Takes as long as the trades of all runs that may
    have settled hours of the period: raises ``settlement.flow_trades`` where these are too many.
    """
    trades = sum(
        run.trades_supply + run.trades_consumption
        for run in runs_of(store, region)
        if from_s is None or run.until_s > from_s  # the others settled nothing so late
    )
    if trades > MAX_FLOW_TRADES:
        raise TOO_MANY_TRADES(trades=trades, limit=MAX_FLOW_TRADES)
    meters: dict[tuple[Kind, int], tuple[int, int]] = {}
    for batch in batches_of(store, region, from_s=from_s, to_s=to_s):
        _add(meters, "supply", batch.settled.supply, from_s, to_s)
        _add(meters, "consumption", batch.settled.consumption, from_s, to_s)
    parties: dict[tuple[Kind, str], tuple[int, int, int]] = {}
    for (kind, number), (wh, fen) in meters.items():
        key = kind, _owner(store, number)
        known = parties.get(key, (0, 0, 0))
        parties[key] = known[0] + wh, known[1] + fen, known[2] + 1
    return _named(parties, named, may_name)


def _parsed(text: str, device: str) -> tuple[int, int]:
    """The entry and number in a trade's id."""
    found = _ID.fullmatch(text)
    if found is None:
        raise TRADE_TEXT(text=text[:40], device=device)
    return int(found[1]), int(found[2])


def _of_meter(store: Store, device: str, number: int, entry: int) -> list[TradeView]:
    """The trades of a meter in the batch of a log entry, the last first."""
    batch = find_batch(store, entry)
    if batch is None:
        return []
    settled = batch.settled
    kinds: tuple[tuple[Kind, tuple[Trade, ...]], ...] = (
        ("supply", settled.supply),
        ("consumption", settled.consumption),
    )
    return [
        TradeView(
            id=f"{entry}-{one.trade}",
            device=device,
            number=number,
            region=settled.region,
            kind=kind,
            trade=one.trade,
            first_s=one.first_s,
            end_s=one.first_s + one.hours * HOUR_S,
            hours=one.hours,
            wh=one.wh,
            fen=one.fen,
            paid_fen=one.paid_fen,
            due_fen=one.due_fen,
            run=settled.run,
            entry=entry,
            time_s=batch.time_s,
            previous=one.previous,
        )
        for kind, trades in kinds
        for one in sorted(trades, key=lambda one: -one.trade)
        if one.meter == number
    ]


def _add(
    meters: dict[tuple[Kind, int], tuple[int, int]],
    kind: Kind,
    trades: tuple[Trade, ...],
    from_s: int | None,
    to_s: int | None,
) -> None:
    """Add trades to what their meters have."""
    for one in trades:
        if not one.hours:
            continue
        if (from_s is None or from_s <= one.first_s) and (to_s is None or one.first_s < to_s):
            wh, fen = meters.get((kind, one.meter), (0, 0))
            meters[kind, one.meter] = wh + one.wh, fen + one.fen


def _owner(reading: Reading, number: int) -> str:
    (device,) = reading.find(DEVICES, "number", number)
    return device.owner


def _named(
    parties: dict[tuple[Kind, str], tuple[int, int, int]],
    named: int,
    may_name: Callable[[str], bool],
) -> list[Flow]:
    """The largest of each kind by name, then the others of it together."""
    flows: list[Flow] = []
    kinds: tuple[Kind, Kind] = ("supply", "consumption")
    for kind in kinds:
        rest = [0, 0, 0, 0]
        shown = 0
        of_kind = [(party, sums) for (one, party), sums in parties.items() if one == kind]
        for party, (wh, fen, meters) in sorted(of_kind, key=lambda one: (-one[1][0], one[0])):
            if shown < named and may_name(party):
                flow = Flow(party=party, kind=kind, wh=wh, fen=fen, meters=meters, parties=1)
                flows.append(flow)
                shown += 1
            else:
                rest = [rest[0] + wh, rest[1] + fen, rest[2] + meters, rest[3] + 1]
        if rest[3]:
            wh, fen, meters, others = rest
            flows.append(Flow(party="", kind=kind, wh=wh, fen=fen, meters=meters, parties=others))
    return flows


_ID: Final = re.compile(r"(\d{1,18})-(\d{1,18})", re.ASCII)
