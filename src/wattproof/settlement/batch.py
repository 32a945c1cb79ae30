"""A batch of a run: what each meter's hours come to, who can pay, and the postings of both.

A trade is one meter's energy of at most one local day, so that whole days, and with them months,
can be stated from trades alone. Money goes from consumers' wallets into the pool and from the pool
to suppliers' wallets. What is not there is not paid: it stays due, without interest, and is paid
first by the next trade.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import add
from typing import Final, NamedTuple

from msgspec.structs import replace

from wattproof.book.contract import post
from wattproof.book.model import issue_account, retired_account
from wattproof.book.queries import payable
from wattproof.ledger.machine import Context
from wattproof.settlement.events import HourSum, Settled, Trade
from wattproof.settlement.model import (
    HOUR_S,
    UFEN_PER_FEN,
    Kind,
)
from wattproof.settlement.prices import NotPriced, Prices
from wattproof.settlement.records import (
    REGION_DAYS,
    REGION_HOURS,
    REGIONS,
    USAGE,
    Region,
    RegionDay,
    RegionHour,
    Run,
    Usage,
    day_of,
)
from wattproof.settlement.wallets import wallet_account

__all__ = ["MAX_TRADES", "Batch"]

MAX_TRADES: Final = 20_000
"""A batch takes no more meters when it has so many trades."""
AT_ONCE: Final = 240
"""Wallets in one posting; the pool and the energy take some of its entries too."""


class _Part(NamedTuple):
    """Hours of one local day, and what they cost in micro-fen."""

    first_s: int
    hours_wh: tuple[int, ...]
    ufen: int


class _Taken(NamedTuple):
    """A meter's usage, how many of its hours are settled, and the parts that become trades."""

    usage: Usage
    settled_hours: int
    parts: list[_Part]


class Batch:
    """The trades of one batch of `run`, which is replaced by one that has them added up."""

    def __init__(self, ctx: Context, region: Region, run: Run) -> None:
        self._ctx = ctx
        self._region = region
        self._until_s = run.until_s
        self.run = run
        self._prices = Prices(ctx, region)
        self._taken: dict[Kind, list[_Taken]] = {"supply": [], "consumption": []}
        self._sums: dict[tuple[int, int, Kind], list[int]] = {}
        self._there = self._payable(region.pool)
        self._owed_fen = region.owed_fen
        self._left_out: list[int] = []
        self._trades = 0

    @property
    def full(self) -> bool:
        """Whether it should take no more."""
        return self._trades >= MAX_TRADES

    def take(self, number: int) -> None:
        """Work out what a meter's hours up to the run's end come to, if it has any or owes.

        A meter with an hour that has no price is left out, so that it does not stop all others.
        """
        usage = self._ctx.state.get(USAGE, number)
        if usage is None or usage.region != self._region.region:
            return
        count = min(len(usage.hours_wh), max(0, (self._until_s - usage.start_s) // HOUR_S))
        if not count and not usage.due_fen:
            return
        try:
            parts = list(self._parts(usage, count))
        except NotPriced:
            self._left_out.append(number)
            return
        if not parts and usage.due_fen:
            parts = [_Part(self._until_s - HOUR_S, (), 0)]
        self._taken[usage.kind].append(_Taken(usage, count, parts))
        self._trades += len(parts)

    def settle(self) -> None:
        """Make the trades, consumers first so that suppliers can be paid, and keep the sums."""
        ctx, region, run = self._ctx, self._region, self.run
        sold = self._settled("consumption")
        bought = self._settled("supply")
        hours = self._add_hours()
        self._add_days(bought, sold)
        supplied_wh, consumed_wh = (sum(trade.wh for trade in some) for some in (bought, sold))
        self.run = replace(
            run,
            trades_supply=run.trades_supply + len(bought),
            trades_consumption=run.trades_consumption + len(sold),
            supplied_wh=run.supplied_wh + supplied_wh,
            consumed_wh=run.consumed_wh + consumed_wh,
            to_suppliers_fen=run.to_suppliers_fen + sum(trade.paid_fen for trade in bought),
            from_consumers_fen=run.from_consumers_fen + sum(trade.paid_fen for trade in sold),
            left_out=run.left_out + len(self._left_out),
        )
        ctx.emit(
            Settled(
                region=region.region,
                run=run.number,
                supply_wh=supplied_wh,
                consumption_wh=consumed_wh,
                supply=tuple(bought),
                consumption=tuple(sold),
                hours=hours,
                previous=region.last_entry,
                left_out=tuple(self._left_out),
            )
        )
        changed = replace(region, last_entry=ctx.index, owed_fen=self._owed_fen)
        ctx.state.put(REGIONS, changed)

    def _parts(self, usage: Usage, count: int) -> Iterator[_Part]:
        """A meter's first `count` hours, cut at midnights; days without energy are left out."""
        start_s, at = usage.start_s, 0
        while at < count:
            hour_of_day = (start_s + self._region.offset_s) // HOUR_S % 24
            hours = usage.hours_wh[at : min(count, at + 24 - hour_of_day)]
            if any(hours):
                yield _Part(start_s, hours, self._prices.of(usage, start_s, hours))
            at += len(hours)
            start_s += len(hours) * HOUR_S

    def _settled(self, kind: Kind) -> list[Trade]:
        """The trades of one kind, posted energy against money."""
        made: list[Trade] = []
        for some in _chunks(self._taken[kind], AT_ONCE):
            of_meters = [self._meter(taken) for taken in some]
            self._post(kind, of_meters)
            for trades in of_meters:
                made += trades
        return made

    def _meter(self, taken: _Taken) -> list[Trade]:
        """One meter's trades; its usage is written without what is settled."""
        usage, _, parts = taken
        consumes = usage.kind == "consumption"
        payable_fen = max(
            0, self._payable(wallet_account(usage.number)) if consumes else self._there
        )
        carry_ufen, due_fen, made = usage.carry_ufen, usage.due_fen, []
        for trade, part in enumerate(parts, start=usage.trades + 1):
            fen, carry_ufen = divmod(part.ufen + carry_ufen, UFEN_PER_FEN)
            due_fen += fen
            paid_fen = min(due_fen, payable_fen)
            if not part.hours_wh and not paid_fen:
                continue  # arrears that still cannot be paid: nothing happened
            payable_fen -= paid_fen
            due_fen -= paid_fen
            self._there += paid_fen if consumes else -paid_fen
            self._add_up(part, usage.kind)
            made.append(
                Trade(
                    meter=usage.number,
                    trade=trade,
                    first_s=part.first_s,
                    hours=len(part.hours_wh),
                    wh=sum(part.hours_wh),
                    fen=fen,
                    paid_fen=paid_fen,
                    due_fen=due_fen,
                    previous=usage.last_entry,
                )
            )
        if not consumes:
            self._owed_fen += due_fen - usage.due_fen
        self._put_rest(taken, made, carry_ufen=carry_ufen, due_fen=due_fen)
        return made

    def _put_rest(
        self, taken: _Taken, made: Sequence[Trade], *, carry_ufen: int, due_fen: int
    ) -> None:
        """Write a meter's usage without what is settled."""
        usage, count, _ = taken
        left = usage.hours_wh[count:]
        end_s = usage.start_s + count * HOUR_S
        settled_s, last_hour_wh = usage.settled_s, usage.last_hour_wh
        if count:
            last_hour_wh = usage.hours_wh[count - 1] + (last_hour_wh if end_s == settled_s else 0)
            settled_s = max(settled_s, end_s)
        self._ctx.state.put(
            USAGE,
            Usage(
                number=usage.number,
                device=usage.device,
                region=usage.region,
                kind=usage.kind,
                since_entry=usage.since_entry,
                start_s=end_s if left else 0,
                hours_wh=left,
                carry_ufen=carry_ufen,
                due_fen=due_fen,
                trades=usage.trades + len(made),
                settled_wh=usage.settled_wh + sum(trade.wh for trade in made),
                settled_fen=usage.settled_fen + sum(trade.fen for trade in made),
                settled_s=settled_s,
                last_hour_wh=last_hour_wh,
                last_entry=self._ctx.index if made else usage.last_entry,
                tariff=usage.tariff,
                contracts=usage.contracts,
            ),
        )

    def _add_up(self, part: _Part, kind: Kind) -> None:
        """Add hours to the batch's sums; most meters have the same hours."""
        key = (part.first_s, len(part.hours_wh), kind)
        known = self._sums.get(key)
        self._sums[key] = (
            list(part.hours_wh) if known is None else list(map(add, known, part.hours_wh))
        )

    def _add_hours(self) -> tuple[HourSum, ...]:
        """Add the batch to what was settled of each hour; what it adds."""
        sums: dict[int, list[int]] = {}
        for (start_s, _, kind), hours in self._sums.items():
            for at, wh in enumerate(hours):
                if wh:
                    sides = sums.setdefault(start_s + at * HOUR_S, [0, 0])
                    sides[kind == "consumption"] += wh
        added = tuple(
            HourSum(start_s=start_s, supplied_wh=supplied, consumed_wh=consumed)
            for start_s, (supplied, consumed) in sorted(sums.items())
        )
        region, state = self._region.region, self._ctx.state
        for hour in added:
            before = state.get(REGION_HOURS, region, hour.start_s) or RegionHour(
                region=region, start_s=hour.start_s
            )
            after = replace(
                before,
                supplied_wh=before.supplied_wh + hour.supplied_wh,
                consumed_wh=before.consumed_wh + hour.consumed_wh,
            )
            state.put(REGION_HOURS, after)
        return added

    def _add_days(self, bought: Sequence[Trade], sold: Sequence[Trade]) -> None:
        """Add the batch's trades to the days that they are of."""
        region, state = self._region.region, self._ctx.state
        for day_s, trades in self._by_day(bought):
            before = state.get(REGION_DAYS, region, day_s) or RegionDay(region=region, day_s=day_s)
            after = replace(
                before,
                trades_supply=before.trades_supply + len(trades),
                supplied_wh=before.supplied_wh + sum(trade.wh for trade in trades),
                supply_fen=before.supply_fen + sum(trade.fen for trade in trades),
                paid_supply_fen=before.paid_supply_fen + sum(trade.paid_fen for trade in trades),
            )
            state.put(REGION_DAYS, after)
        for day_s, trades in self._by_day(sold):
            before = state.get(REGION_DAYS, region, day_s) or RegionDay(region=region, day_s=day_s)
            paid_fen = before.paid_consumption_fen + sum(trade.paid_fen for trade in trades)
            after = replace(
                before,
                trades_consumption=before.trades_consumption + len(trades),
                consumed_wh=before.consumed_wh + sum(trade.wh for trade in trades),
                consumption_fen=before.consumption_fen + sum(trade.fen for trade in trades),
                paid_consumption_fen=paid_fen,
            )
            state.put(REGION_DAYS, after)

    def _by_day(self, trades: Sequence[Trade]) -> list[tuple[int, list[Trade]]]:
        """Trades by the local day that they are of, in order of days."""
        days: dict[int, list[Trade]] = {}
        for trade in trades:
            days.setdefault(day_of(trade.first_s, self._region.offset_s), []).append(trade)
        return sorted(days.items())

    def _payable(self, account: str) -> int:
        """How much money an account can pay, a credit line included."""
        return payable(self._ctx.state, account=account, asset=self._region.money)

    def _post(self, kind: Kind, of_meters: Sequence[Sequence[Trade]]) -> None:
        """Energy against money in one posting: into the pool or out of it."""
        region = self._region
        money, energy, pool = region.money, region.energy, region.pool
        sign = 1 if kind == "consumption" else -1
        wh, paid_fen, entries = 0, 0, []
        for trades in of_meters:
            paid = sum(trade.paid_fen for trade in trades)
            if paid:
                entries.append((wallet_account(trades[0].meter), money, -sign * paid))
            paid_fen += paid
            wh += sum(trade.wh for trade in trades)
        if paid_fen:
            entries.append((pool, money, sign * paid_fen))
        if wh and kind == "supply":
            entries += [(issue_account(energy), energy, -wh), (pool, energy, wh)]
        elif wh:
            entries += [(pool, energy, -wh), (retired_account(energy), energy, wh)]
        if entries:
            post(self._ctx, entries, memo=f"settlement run {self.run.number}")


def _chunks(items: Sequence[_Taken], size: int) -> Iterator[Sequence[_Taken]]:
    for at in range(0, len(items), size):
        yield items[at : at + size]
