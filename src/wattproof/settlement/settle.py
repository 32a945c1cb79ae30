"""The rules of a run: usage becomes trades, energy against money, every fen and watt-hour in place.

A run goes through a region's meters in batches, in the order of their numbers. The contract works
out each trade itself, from what the meter reported and the prices in force; who runs it only says
which meters come next. What is settled is taken out of the usage in the same transaction, so that
a batch handed in twice, a run that was killed and gone on with, or two runs one after the other
settle nothing twice; what comes late is settled by the next run.

Energy goes into the region's pool as it is supplied and out of it as it is consumed, so what the
pool holds of it is the region's net value.
"""

from __future__ import annotations

from msgspec.structs import replace

from wattproof.ledger.machine import Context
from wattproof.settlement.batch import Batch
from wattproof.settlement.events import RunClosed, RunOpened, StatementFiled
from wattproof.settlement.model import (
    DAY_S,
    HOUR_S,
    MAX_BATCH,
    MAX_DAYS,
    MAX_NUMBER,
    BatchRun,
    CloseRun,
    FileStatement,
    OpenRun,
)
from wattproof.settlement.records import (
    REGION_DAYS,
    REGIONS,
    RUNS,
    STATEMENTS,
    FiledStatement,
    Region,
    RegionDay,
    Run,
    day_of,
    verdict_of,
)
from wattproof.settlement.refusals import (
    BATCH_ORDER,
    BATCH_SIZE,
    PERIOD,
    RUN_AHEAD,
    RUN_GONE,
    RUN_OPEN,
    STATEMENT_AHEAD,
    STATEMENT_BEHIND,
    STATEMENT_DAYS,
    STATEMENT_SUMS,
)
from wattproof.settlement.regions import operated

__all__ = ["batch_run", "close_run", "file_statement", "open_run"]


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
    batch = Batch(ctx, region, run)
    reached = run.reached
    for number in meters:
        if not reached < number <= MAX_NUMBER:
            raise BATCH_ORDER(meter=number, reached=reached)
        if batch.full:
            break  # the run goes on from here
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
    """Number a statement and keep its digest, if its sums are those of the trades."""
    region = operated(ctx, body.region)
    days = (body.to_s - body.from_s) // DAY_S
    if not 1 <= days <= MAX_DAYS or any(
        at_s != day_of(at_s, region.offset_s) for at_s in (body.from_s, body.to_s)
    ):
        raise STATEMENT_DAYS(limit=MAX_DAYS)
    if body.entries > ctx.index:
        raise STATEMENT_AHEAD(entries=body.entries, size=ctx.index)
    if region.last_entry >= body.entries:
        raise STATEMENT_BEHIND(entries=body.entries, entry=region.last_entry)
    settled = _period(ctx, region, body.from_s, days)
    stated = (
        body.supplied_wh, body.consumed_wh, body.trades_supply, body.trades_consumption,
    )  # fmt: skip
    if stated != settled:
        raise STATEMENT_SUMS(supplied_wh=settled[0], consumed_wh=settled[1])
    net_wh = body.supplied_wh - body.consumed_wh
    verdict = verdict_of(net_wh, tolerance_wh=region.tolerance_wh)
    number = region.statements + 1
    ctx.state.put(REGIONS, replace(region, statements=number))
    ctx.state.put(
        STATEMENTS,
        FiledStatement(
            region=region.region,
            number=number,
            from_s=body.from_s,
            to_s=body.to_s,
            step=body.step,
            entries=body.entries,
            supplied_wh=body.supplied_wh,
            consumed_wh=body.consumed_wh,
            verdict=verdict,
            trades_supply=body.trades_supply,
            trades_consumption=body.trades_consumption,
            digest=body.digest,
            entry=ctx.index,
            time_s=ctx.time_s,
        ),
    )
    ctx.emit(
        StatementFiled(
            region=region.region,
            statement=number,
            supplied_wh=body.supplied_wh,
            consumed_wh=body.consumed_wh,
            net_wh=net_wh,
            verdict=verdict,
        )
    )


def _period(ctx: Context, region: Region, from_s: int, days: int) -> tuple[int, int, int, int]:
    """What was settled of so many days: supplied and consumed Wh, and the trades of both kinds."""
    found = [
        ctx.state.get(REGION_DAYS, region.region, from_s + at * DAY_S)
        or RegionDay(region=region.region, day_s=from_s + at * DAY_S)
        for at in range(days)
    ]
    return (
        sum(day.supplied_wh for day in found),
        sum(day.consumed_wh for day in found),
        sum(day.trades_supply for day in found),
        sum(day.trades_consumption for day in found),
    )


def _open(ctx: Context, region: Region, number: int) -> Run:
    run = ctx.state.get(RUNS, region.region, number)
    if run is None or run.state != "open":
        raise RUN_GONE(run=number, region=region.region)
    return run
