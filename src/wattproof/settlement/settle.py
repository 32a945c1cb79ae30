"""The rules of a run: usage becomes trades, energy against money, every fen and watt-hour in place.

A run goes through a region's meters in batches, in the order of their numbers. The contract works
out each trade itself, from what the meter reported and the prices in force; who runs it only says
which meters come next. What is settled is taken out of the usage in the same transaction, so that
a batch handed in twice, a run that was killed and gone on with, or two runs one after the other
settle nothing twice; what comes late is settled by the next run.

Money goes from consumers' wallets into the pool and from the pool to suppliers' wallets. What is
not there is not paid: it stays due, without interest, and is paid first by the next run. Energy
goes into the pool as it is supplied and out of it as it is consumed, so what the pool holds of it
is the region's net value.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import add, mul
from typing import Final

from msgspec.structs import replace

from wattproof.book.contract import post
from wattproof.book.model import BALANCES, issue_account, retired_account
from wattproof.ledger.machine import Context
from wattproof.settlement.events import (
    HourSum,
    RunClosed,
    RunOpened,
    Settled,
    StatementFiled,
    Trade,
)
from wattproof.settlement.model import (
    CONTRACTS,
    HOUR_S,
    MAX_BATCH,
    REGION_HOURS,
    REGIONS,
    RUNS,
    STATEMENTS,
    TARIFFS,
    UFEN_PER_FEN,
    USAGE,
    BatchRun,
    CloseRun,
    FiledStatement,
    FileStatement,
    Kind,
    OpenRun,
    Region,
    RegionHour,
    Run,
    Tariff,
    Usage,
)
from wattproof.settlement.refusals import (
    BATCH_ORDER,
    BATCH_SIZE,
    NO_PRICE,
    PERIOD,
    RUN_AHEAD,
    RUN_GONE,
    RUN_OPEN,
    STATEMENT_AHEAD,
)
from wattproof.settlement.regions import operated
from wattproof.settlement.wallets import wallet_account

__all__ = ["batch_run", "close_run", "file_statement", "open_run"]

AT_ONCE: Final = 240
"""Wallets in one posting; the pool and the energy take some of its entries too."""


def open_run(ctx: Context, body: OpenRun) -> None:
    """Begin a run over hours that are over."""
    region = operated(ctx, body.region)
    if region.open_run:
        raise RUN_OPEN(run=region.open_run, region=region.region)
    if (body.until_s + region.offset_s) % HOUR_S:
        raise PERIOD()
    if body.until_s > ctx.time_s:
        raise RUN_AHEAD(until_s=body.until_s, now_s=ctx.time_s)
    number = region.runs + 1
    settled_s = max(region.settled_s, body.until_s)
    ctx.state.put(REGIONS, replace(region, runs=number, open_run=number, settled_s=settled_s))
    ctx.state.put(
        RUNS,
        Run(region=region.region, number=number, until_s=body.until_s, opened_entry=ctx.index),
    )
    ctx.emit(RunOpened(region=region.region, run=number, until_s=body.until_s))


def batch_run(ctx: Context, body: BatchRun) -> None:
    """Settle the next meters of a run."""
    region = operated(ctx, body.region)
    run = _open(ctx, region, body.run)
    meters = body.meters.ints()
    if not 1 <= len(meters) <= MAX_BATCH:
        raise BATCH_SIZE(limit=MAX_BATCH)
    if body.after != run.reached:
        raise BATCH_ORDER(meter=body.after, reached=run.reached)
    batch = _Batch(ctx, region, run)
    reached = run.reached
    for number in meters:
        if number <= reached:
            raise BATCH_ORDER(meter=number, reached=reached)
        reached = number
        batch.take(number)
    batch.settle()
    ctx.state.put(RUNS, replace(batch.run, reached=reached, batches=run.batches + 1))


def close_run(ctx: Context, body: CloseRun) -> None:
    """End a run."""
    region = operated(ctx, body.region)
    run = _open(ctx, region, body.run)
    ctx.state.put(REGIONS, replace(region, open_run=0))
    ctx.state.put(RUNS, replace(run, state="closed", closed_entry=ctx.index))
    trades = run.trades_supply + run.trades_consumption
    ctx.emit(RunClosed(region=region.region, run=run.number, trades=trades))


def file_statement(ctx: Context, body: FileStatement) -> None:
    """Number a statement and keep its digest."""
    region = operated(ctx, body.region)
    if body.to_s <= body.from_s:
        raise PERIOD()
    if body.entries > ctx.index:
        raise STATEMENT_AHEAD(entries=body.entries, size=ctx.index)
    number = region.statements + 1
    ctx.state.put(REGIONS, replace(region, statements=number))
    ctx.state.put(
        STATEMENTS,
        FiledStatement(
            region=region.region,
            number=number,
            from_s=body.from_s,
            to_s=body.to_s,
            entries=body.entries,
            supplied_wh=body.supplied_wh,
            consumed_wh=body.consumed_wh,
            digest=body.digest,
            entry=ctx.index,
            time_s=ctx.time_s,
        ),
    )
    ctx.emit(StatementFiled(region=region.region, statement=number))


def _open(ctx: Context, region: Region, number: int) -> Run:
    run = ctx.state.get(RUNS, region.region, number)
    if run is None or run.state != "open":
        raise RUN_GONE(run=number, region=region.region)
    return run


class _Batch:
    """The trades of one batch: what each meter's hours come to, then who can pay."""

    def __init__(self, ctx: Context, region: Region, run: Run) -> None:
        self._ctx = ctx
        self._region = region
        self._until_s = run.until_s
        self.run = run
        self._prices = _Prices(ctx, region)
        self._taken: dict[Kind, list[_Taken]] = {"supply": [], "consumption": []}
        self._sums: dict[tuple[int, int, Kind], list[int]] = {}
        self._there = self._payable(region.pool)

    def take(self, number: int) -> None:
        """Work out what a meter's hours up to the run's end come to, if it has any or owes."""
        usage = self._ctx.state.get(USAGE, number)
        if usage is None or usage.region != self._region.region:
            return
        count = max(0, (self._until_s - usage.start_s) // HOUR_S)
        hours = usage.hours_wh[:count]
        if not hours and not usage.due_fen:
            return
        self._taken[usage.kind].append((usage, hours, self._prices.of(usage, hours)))

    def settle(self) -> None:
        """Make the trades, consumers first so that suppliers can be paid, and keep the sums."""
        ctx, region, run = self._ctx, self._region, self.run
        sold = self._trades("consumption")
        bought = self._trades("supply")
        hours = sorted(self._by_hour().items())
        for start_s, (supplied, consumed) in hours:
            before = ctx.state.get(REGION_HOURS, region.region, start_s) or RegionHour(
                region=region.region, start_s=start_s
            )
            after = replace(
                before,
                supplied_wh=before.supplied_wh + supplied,
                consumed_wh=before.consumed_wh + consumed,
            )
            ctx.state.put(REGION_HOURS, after)
        supplied_wh, consumed_wh = (sum(trade.wh for trade in some) for some in (bought, sold))
        self.run = replace(
            run,
            trades_supply=run.trades_supply + len(bought),
            trades_consumption=run.trades_consumption + len(sold),
            supplied_wh=run.supplied_wh + supplied_wh,
            consumed_wh=run.consumed_wh + consumed_wh,
            to_suppliers_fen=run.to_suppliers_fen + sum(trade.paid_fen for trade in bought),
            from_consumers_fen=run.from_consumers_fen + sum(trade.paid_fen for trade in sold),
        )
        ctx.emit(
            Settled(
                region=region.region,
                run=run.number,
                supply_wh=supplied_wh,
                consumption_wh=consumed_wh,
                supply=tuple(bought),
                consumption=tuple(sold),
                hours=tuple(
                    HourSum(start_s=start_s, supplied_wh=supplied, consumed_wh=consumed)
                    for start_s, (supplied, consumed) in hours
                ),
                previous=region.last_entry,
            )
        )
        ctx.state.put(REGIONS, replace(region, last_entry=ctx.index))

    def _trades(self, kind: Kind) -> list[Trade]:
        """The trades of one kind, posted energy against money."""
        made: list[Trade] = []
        for some in _chunks(self._taken[kind], AT_ONCE):
            trades = [self._trade(*taken) for taken in some]
            self._post(kind, trades)
            made += trades
        return made

    def _trade(self, usage: Usage, hours: tuple[int, ...], ufen: int) -> Trade:
        """One meter's trade; its usage is written without what is settled."""
        ctx, wh, consumes = self._ctx, sum(hours), usage.kind == "consumption"
        fen, carry_ufen = divmod(ufen + usage.carry_ufen, UFEN_PER_FEN)
        due_fen = fen + usage.due_fen
        paid_fen = min(
            due_fen,
            max(0, self._payable(wallet_account(usage.number)) if consumes else self._there),
        )
        self._there += paid_fen if consumes else -paid_fen
        key = (usage.start_s, len(hours), usage.kind)
        known = self._sums.get(key)
        self._sums[key] = list(hours) if known is None else list(map(add, known, hours))
        left = usage.hours_wh[len(hours) :]
        ctx.state.put(
            USAGE,
            Usage(
                number=usage.number,
                device=usage.device,
                region=usage.region,
                kind=usage.kind,
                start_s=usage.start_s + len(hours) * HOUR_S if left else 0,
                hours_wh=left,
                carry_ufen=carry_ufen,
                due_fen=due_fen - paid_fen,
                trades=usage.trades + 1,
                settled_wh=usage.settled_wh + wh,
                settled_fen=usage.settled_fen + fen,
                settled_s=max(usage.settled_s, usage.start_s + len(hours) * HOUR_S),
                last_entry=ctx.index,
                tariff=usage.tariff,
                contracts=usage.contracts,
            ),
        )
        return Trade(
            meter=usage.number,
            trade=usage.trades + 1,
            first_s=usage.start_s if hours else self._until_s,
            hours=len(hours),
            wh=wh,
            fen=fen,
            paid_fen=paid_fen,
            due_fen=due_fen - paid_fen,
            previous=usage.last_entry,
        )

    def _by_hour(self) -> dict[int, tuple[int, int]]:
        """Supplied and consumed Wh of each hour, from the sums of meters with the same hours."""
        hours: dict[int, tuple[int, int]] = {}
        for (start_s, _, kind), sums in self._sums.items():
            for at, wh in enumerate(sums):
                if wh:
                    supplied, consumed = hours.get(start_s + at * HOUR_S, (0, 0))
                    pair = (
                        (supplied + wh, consumed) if kind == "supply" else (supplied, consumed + wh)
                    )
                    hours[start_s + at * HOUR_S] = pair
        return hours

    def _payable(self, account: str) -> int:
        """How much money an account can pay, a credit line included."""
        found = self._ctx.state.get(BALANCES, account, self._region.money)
        return 0 if found is None else found.amount + found.overdraft

    def _post(self, kind: Kind, trades: Sequence[Trade]) -> None:
        """Energy against money in one posting: into the pool or out of it."""
        region = self._region
        wh, paid_fen = sum(trade.wh for trade in trades), sum(trade.paid_fen for trade in trades)
        money, energy, pool = region.money, region.energy, region.pool
        sign = 1 if kind == "consumption" else -1
        entries = [
            (wallet_account(trade.meter), money, -sign * trade.paid_fen)
            for trade in trades
            if trade.paid_fen
        ]
        if paid_fen:
            entries.append((pool, money, sign * paid_fen))
        if wh and kind == "supply":
            entries += [(issue_account(energy), energy, -wh), (pool, energy, wh)]
        elif wh:
            entries += [(pool, energy, -wh), (retired_account(energy), energy, wh)]
        if entries:
            post(self._ctx, entries, memo=f"settlement run {self.run.number}")


class _Prices:
    """What hours cost, in micro-fen: contracts first, then the meter's tariff or the region's."""

    def __init__(self, ctx: Context, region: Region) -> None:
        self._ctx = ctx
        self._region = region
        self._tariffs: dict[str, list[Tariff]] = {}
        self._days: dict[tuple[str, int, int], tuple[int, ...]] = {}

    def of(self, usage: Usage, hours: tuple[int, ...]) -> int:
        """The price of a meter's hours."""
        if not hours:
            return 0
        region = self._region
        tariff = usage.tariff or (
            region.supply_tariff if usage.kind == "supply" else region.consumption_tariff
        )
        prices = self._of_hours(tariff, usage.start_s, len(hours))
        ufen: int = sum(map(mul, hours, prices))
        if usage.contracts:
            ufen += self._difference(usage, hours, prices)
        return ufen

    def _of_hours(self, tariff: str, start_s: int, count: int) -> tuple[int, ...]:
        """The price of each hour from `start_s` on; the same for most meters of a run."""
        key = (tariff, start_s, count)
        found = self._days.get(key)
        if found is None:
            found = self._days[key] = tuple(
                self._at(tariff, start_s + at * HOUR_S) for at in range(count)
            )
        return found

    def _at(self, tariff: str, start_s: int) -> int:
        region = self._region
        versions = self._tariffs.get(tariff)
        if versions is None:
            versions = list(self._ctx.state.scan(TARIFFS, region.region, tariff))
            self._tariffs[tariff] = versions
        in_force = [version for version in versions if version.from_s <= start_s]
        if not in_force:
            raise NO_PRICE(tariff=tariff, start_s=start_s)
        return in_force[-1].prices_ufen[(start_s + region.offset_s) // HOUR_S % 24]

    def _difference(self, usage: Usage, hours: tuple[int, ...], prices: tuple[int, ...]) -> int:
        """What contracts add to, or take from, the price by tariff; the earlier accepted first."""
        found = [self._ctx.state.get(CONTRACTS, id_) for id_ in usage.contracts]
        contracts = [contract for contract in found if contract is not None]
        ufen = 0
        for at, (amount, price) in enumerate(zip(hours, prices, strict=True)):
            start_s, left = usage.start_s + at * HOUR_S, amount
            for contract in contracts:
                if contract.from_s <= start_s < contract.to_s:
                    part = min(left, contract.wh_per_hour)
                    ufen += part * (contract.price_ufen - price)
                    left -= part
        return ufen


_Taken = tuple[Usage, tuple[int, ...], int]
"""A meter's usage, the hours of it that are settled, and what they cost in micro-fen."""


def _chunks(items: Sequence[_Taken], size: int) -> Iterator[Sequence[_Taken]]:
    for at in range(0, len(items), size):
        yield items[at : at + size]
