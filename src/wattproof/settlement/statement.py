"""A region's settlement statement: supplied, consumed, the net value and its verdict.

Everything in it is a whole number and follows from the log's first `entries` entries, so that
whoever has the log makes the same statement again, byte for byte, whenever and wherever. Energy and
money come from the trade records alone; the packets are only compared with them. Grams are the
energy times micrograms a Wh, rounded once, half to even: a statement's grams are its own Wh times
the factor, not a sum of rounded ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Final

import msgspec
import numpy as np

from wattproof.analytics.lake import Lake
from wattproof.analytics.snapshot import Snapshot
from wattproof.analytics.sums import OVERFLOW
from wattproof.analytics.table import Array
from wattproof.core.errors import Broken, ErrorCode
from wattproof.ledger.store import Store
from wattproof.settlement.events import Settled, Trade
from wattproof.settlement.local_days import bucket_of
from wattproof.settlement.model import DAY_S, MAX_DAYS, Kind, StatementStep, Verdict
from wattproof.settlement.queries import region_of
from wattproof.settlement.reconcile import Difference, Traded, reconcile
from wattproof.settlement.records import Region, day_of, verdict_of
from wattproof.settlement.refusals import STATEMENT_AHEAD, STATEMENT_DAYS
from wattproof.settlement.trade_records import batches_of

__all__ = [
    "FORMAT",
    "Statement",
    "StatementRow",
    "check_days",
    "grams",
    "statement",
    "statement_bytes",
    "statement_digest",
]

FORMAT: Final = "wattproof-settlement-statement-1"
"""What a statement's bytes call themselves; another layout would have another number."""
UG_PER_G: Final = 1_000_000
MAX_WH: Final = 2**62
"""The most that a statement adds up, as the ledger takes no more of one."""

TRADES_MISFIT = ErrorCode(
    Broken,
    "settlement.trades_misfit",
    en="The trades of {region} and their sums by the hour do not agree; audit the ledger.",
    zh="{region} 的交易与其按小时的合计不符；请审计账本。",
)


class StatementRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One local hour, day or month, or as much of it as lies in the period."""

    start_s: int
    end_s: int
    supplied_wh: int
    consumed_wh: int
    net_wh: int
    verdict: Verdict


class Statement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was settled of a region's local days from `from_s` up to `to_s`.

    `net_wh` is supplied less consumed; the verdict is neutral while it is within `tolerance_wh`,
    of the period as of each row. Beside it stand, each by its own factor (micrograms a Wh): the
    net value's emission and the location-based one of consumption (`location_ug`), and the
    market-based one (`residual_ug`; no certificate covers any of it). `trades_first` counts the
    first records, purchases from suppliers, `trades_second` what consumers spend. `supply_fen` and
    `consumption_fen` are what the energy costs, the paid ones what changed hands with these trades.

    `rows` are all hours, days or months with energy. `meters_differing` counts the meters whose
    readings and trades differ, `unsettled_supply_wh` and `unsettled_consumption_wh` say by how
    much in all (metered less settled), `differences` lists them. `entries` is how much of the log
    of `ledger` all this is made from.
    """

    ledger: str
    region: str
    operator: str
    money: str
    step: StatementStep
    offset_s: int
    from_s: int
    to_s: int
    entries: int
    supplied_wh: int
    consumed_wh: int
    net_wh: int
    tolerance_wh: int
    verdict: Verdict
    location_factor: str
    location_ug: int
    residual_factor: str
    residual_ug: int
    net_emission_g: int
    location_based_g: int
    market_based_g: int
    trades_first: int
    trades_second: int
    supply_fen: int
    consumption_fen: int
    paid_supply_fen: int
    paid_consumption_fen: int
    rows: tuple[StatementRow, ...]
    meters_differing: int
    unsettled_supply_wh: int
    unsettled_consumption_wh: int
    differences: tuple[Difference, ...]


def statement(
    store: Store,
    lake: Lake,
    *,
    region: str,
    from_s: int,
    to_s: int,
    step: StatementStep = "day",
    entries: int | None = None,
) -> Statement:
    """The statement of a region as the log's first `entries` entries have it (None: all that is in
    the lake).

    Raises ``settlement.region_unknown``, ``settlement.statement_days`` for a period that is not of
    whole local days, ``settlement.statement_entries`` where the lake has less of the log, or
    ``analytics.overflow``.
    """
    found = region_of(store, region)
    check_days(from_s, to_s, offset_s=found.offset_s)

    def work(snapshot: Snapshot) -> Statement:
        held = snapshot.manifest.cursor
        size = held if entries is None else entries
        if size > held:
            raise STATEMENT_AHEAD(entries=size, size=held)
        return _statement(store, snapshot, found, from_s=from_s, to_s=to_s, step=step, entries=size)

    return lake.read(work)


def check_days(from_s: int, to_s: int, *, offset_s: int) -> None:
    """Raise ``settlement.statement_days`` unless the period is of whole local days, and not more
    than `MAX_DAYS`."""
    whole = all(0 <= at_s < 2**53 and at_s == day_of(at_s, offset_s) for at_s in (from_s, to_s))
    if not whole or not 1 <= (to_s - from_s) // DAY_S <= MAX_DAYS:
        raise STATEMENT_DAYS(limit=MAX_DAYS)


def grams(wh: int, factor_ug: int) -> int:
    """The emission of so much energy at so many micrograms a Wh, rounded half to even."""
    whole, rest = divmod(abs(wh) * factor_ug, UG_PER_G)
    if 2 * rest > UG_PER_G or (2 * rest == UG_PER_G and whole % 2):
        whole += 1
    return whole if wh >= 0 else -whole


def statement_bytes(made: Statement) -> bytes:
    """The statement as its digest is taken of: JSON with sorted keys, no blanks, whole numbers
    only, and the name of the format under ``format``."""
    return msgspec.json.encode({"format": FORMAT, **msgspec.structs.asdict(made)}, order="sorted")


def statement_digest(made: Statement) -> bytes:
    """SHA-256 of the statement's bytes."""
    return sha256(statement_bytes(made)).digest()


class _Trades:
    """The trades of one period, added up batch by batch."""

    def __init__(self, from_s: int, to_s: int) -> None:
        self._from_s, self._to_s = from_s, to_s
        self.count: dict[Kind, int] = {"supply": 0, "consumption": 0}
        self.wh = dict(self.count)
        self.fen = dict(self.count)
        self.paid_fen = dict(self.count)
        self.hours: dict[int, list[int]] = {}
        self._of_meters: Array = np.zeros(0, np.int64)

    def add(self, settled: Settled) -> None:
        """Add a batch's trades and hours, as far as they lie in the period."""
        self._add_trades("supply", settled.supply)
        self._add_trades("consumption", settled.consumption)
        for hour in settled.hours:
            if self._from_s <= hour.start_s < self._to_s:
                sides = self.hours.setdefault(hour.start_s, [0, 0])
                sides[0] += hour.supplied_wh
                sides[1] += hour.consumed_wh

    @property
    def traded(self) -> Traded:
        """What was settled of each meter in the period."""
        meters = np.flatnonzero(self._of_meters)
        return Traded(meter=meters, wh=self._of_meters[meters])

    @property
    def agree(self) -> bool:
        """Whether trades and hours come to the same."""
        sides = [sum(side) for side in zip(*self.hours.values(), strict=True)] or [0, 0]
        return sides == [self.wh["supply"], self.wh["consumption"]]

    def _add_trades(self, kind: Kind, trades: Iterable[Trade]) -> None:
        some = [trade for trade in trades if self._from_s <= trade.first_s < self._to_s]
        if not some:
            return
        amounts = [trade.wh for trade in some]
        self.count[kind] += len(some)
        self.wh[kind] += sum(amounts)
        self.fen[kind] += sum(trade.fen for trade in some)
        self.paid_fen[kind] += sum(trade.paid_fen for trade in some)
        if self.wh[kind] > MAX_WH:  # below it no meter's own sum can be beyond 64 bits
            raise OVERFLOW()
        meters = np.array([trade.meter for trade in some], np.int64)
        size = int(meters.max()) + 1
        if size > len(self._of_meters):
            longer = np.zeros(max(size, 2 * len(self._of_meters)), np.int64)
            longer[: len(self._of_meters)] = self._of_meters
            self._of_meters = longer
        np.add.at(self._of_meters, meters, np.array(amounts, np.int64))


def _statement(
    store: Store,
    snapshot: Snapshot,
    region: Region,
    *,
    from_s: int,
    to_s: int,
    step: StatementStep,
    entries: int,
) -> Statement:
    trades = _Trades(from_s, to_s)
    for batch in batches_of(store, region.region, entries=entries, from_s=from_s, to_s=to_s):
        trades.add(batch.settled)
    if not trades.agree:
        raise TRADES_MISFIT(region=region.region)
    compared = reconcile(
        store, snapshot, trades.traded,
        region=region.region, from_s=from_s, to_s=to_s, entries=entries,
    )  # fmt: skip
    supplied_wh, consumed_wh = trades.wh["supply"], trades.wh["consumption"]
    net_wh = supplied_wh - consumed_wh
    return Statement(
        ledger=snapshot.manifest.ledger,
        region=region.region,
        operator=region.operator,
        money=region.money,
        step=step,
        offset_s=region.offset_s,
        from_s=from_s,
        to_s=to_s,
        entries=entries,
        supplied_wh=supplied_wh,
        consumed_wh=consumed_wh,
        net_wh=net_wh,
        tolerance_wh=region.tolerance_wh,
        verdict=verdict_of(net_wh, tolerance_wh=region.tolerance_wh),
        location_factor=region.location_factor,
        location_ug=region.location_ug,
        residual_factor=region.residual_factor,
        residual_ug=region.residual_ug,
        net_emission_g=grams(net_wh, region.location_ug),
        location_based_g=grams(consumed_wh, region.location_ug),
        market_based_g=grams(consumed_wh, region.residual_ug),
        trades_first=trades.count["supply"],
        trades_second=trades.count["consumption"],
        supply_fen=trades.fen["supply"],
        consumption_fen=trades.fen["consumption"],
        paid_supply_fen=trades.paid_fen["supply"],
        paid_consumption_fen=trades.paid_fen["consumption"],
        rows=_rows(trades.hours, region, step=step, from_s=from_s, to_s=to_s),
        meters_differing=compared.meters,
        unsettled_supply_wh=compared.supply_wh,
        unsettled_consumption_wh=compared.consumption_wh,
        differences=compared.differences,
    )


def _rows(
    hours: Mapping[int, Sequence[int]],
    region: Region,
    *,
    step: StatementStep,
    from_s: int,
    to_s: int,
) -> tuple[StatementRow, ...]:
    """The hours added up by the step, in order."""
    sums: dict[tuple[int, int], list[int]] = {}
    for start_s, (supplied_wh, consumed_wh) in sorted(hours.items()):
        sides = sums.setdefault(bucket_of(start_s, step, region.offset_s), [0, 0])
        sides[0] += supplied_wh
        sides[1] += consumed_wh
    return tuple(
        StatementRow(
            start_s=max(start_s, from_s),
            end_s=min(end_s, to_s),
            supplied_wh=supplied_wh,
            consumed_wh=consumed_wh,
            net_wh=supplied_wh - consumed_wh,
            verdict=verdict_of(supplied_wh - consumed_wh, tolerance_wh=region.tolerance_wh),
        )
        for (start_s, end_s), (supplied_wh, consumed_wh) in sums.items()
    )
