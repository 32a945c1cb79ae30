"""Somebody's own electricity: the meters that trade, their money, and sums over a period."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec

from wattproof.console.chart import Line, TimeChart
from wattproof.core.periods import Step
from wattproof.identity.model import DEVICES, Device
from wattproof.ledger.store import Store
from wattproof.settlement.local_clock import LocalClock
from wattproof.settlement.local_days import bucket_of
from wattproof.settlement.model import DAY_S, KINDS, QUANTITIES, Kind
from wattproof.settlement.own_trades import OwnSum, OwnTrades
from wattproof.settlement.records import REGIONS, USAGE, WALLETS, Region, Usage
from wattproof.settlement.wallet_queries import WalletView, wallet_of

__all__ = ["MAX_METERS", "Own", "OwnMeter", "OwnRow", "Period", "chart_of", "own_meters",
           "period_around", "rows_of"]  # fmt: skip

MAX_METERS: Final = 200
"""Meters of one party that are added up."""


class OwnMeter(msgspec.Struct, frozen=True, kw_only=True):
    """A meter of one's own, its wallet if it has one, and how much money is in it."""

    device: Device
    kind: Kind
    wallet: WalletView | None
    usage: Usage | None
    region: Region | None
    balance_fen: int | None


class Own(msgspec.Struct, frozen=True, kw_only=True):
    """A party's meters of electricity, and whether there are more than are looked at."""

    party: str
    meters: tuple[OwnMeter, ...]
    more: bool

    def due_fen(self, kind: Kind) -> int:
        """What is due: by consumers, or to suppliers."""
        return sum(
            one.usage.due_fen for one in self.meters if one.usage is not None and one.kind == kind
        )

    @property
    def balance_fen(self) -> int:
        """What is in all of the wallets, each in its region's money."""
        return sum(one.balance_fen or 0 for one in self.meters)

    @property
    def kinds(self) -> list[Kind]:
        """Whether these meters supply, or consume, or both."""
        return [kind for kind in KINDS if any(one.kind == kind for one in self.meters)]

    @property
    def offset_s(self) -> int | None:
        """How far the clock of the first region is ahead of UTC; None where none trades."""
        return next((one.region.offset_s for one in self.meters if one.region is not None), None)


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """A month of days or a year of months, in local time, and those beside it."""

    step: Step
    start_s: int
    end_s: int
    before_s: int
    after_s: int

    def label(self, clock: LocalClock) -> str:
        """What people call it."""
        return clock.label(self.start_s, "year" if self.step == "month" else "month")


class OwnRow(msgspec.Struct, frozen=True, kw_only=True):
    """A day or month: what was supplied and earned, consumed and paid for."""

    label: str
    sums: tuple[OwnSum | None, ...]


def own_meters(ledger: Store, party: str, *, now_s: int) -> Own:
    """The meters of a party that measure what is traded, by id."""
    found: list[OwnMeter] = []
    after: tuple[str] | None = None
    while len(found) <= MAX_METERS:
        devices = ledger.page(DEVICES, "owner", (party,), after=after, limit=MAX_METERS)
        found += [
            _own(ledger, one, now_s)
            for one in devices
            if one.quantity in QUANTITIES and one.status != "enrolled"
        ]
        if len(devices) < MAX_METERS:
            break
        after = (devices[-1].id,)
    return Own(party=party, meters=tuple(found[:MAX_METERS]), more=len(found) > MAX_METERS)


def period_around(at_s: int, step: Step, offset_s: int) -> Period:
    """The month of days, or year of months, that an instant lies in."""
    start_s, end_s = bucket_of(at_s, "month", offset_s)
    if step == "month":
        year = datetime.fromtimestamp(at_s + offset_s, UTC).year
        start_s, end_s = (
            int(datetime(one, 1, 1, tzinfo=UTC).timestamp()) - offset_s for one in (year, year + 1)
        )
    return Period(
        step=step,
        start_s=start_s,
        end_s=end_s,
        before_s=max(0, start_s - DAY_S),
        after_s=end_s,
    )


def rows_of(found: OwnTrades, kinds: Sequence[Kind], clock: LocalClock, step: Step) -> list[OwnRow]:
    """The days or months on which anything was traded, in order."""
    by_start: dict[int, dict[Kind, OwnSum]] = {}
    for one in found.sums:
        by_start.setdefault(one.start_s, {})[one.kind] = one
    return [
        OwnRow(label=clock.label(start_s, step), sums=tuple(sums.get(kind) for kind in kinds))
        for start_s, sums in sorted(by_start.items())
    ]


def chart_of(
    found: OwnTrades, period: Period, clock: LocalClock, *, title: str, names: dict[Kind, str]
) -> TimeChart | None:
    """The energy of each day or month of the period, those without any left empty."""
    if not found.sums:
        return None
    starts = []
    at_s = period.start_s
    while at_s < period.end_s:
        starts.append(at_s)
        at_s = bucket_of(at_s, "month" if period.step == "month" else "day", clock.offset_s)[1]
    lines = []
    for kind, name in names.items():
        wh = {one.start_s: one.wh for one in found.of(kind)}
        lines.append(Line(name=name, values=[wh.get(start_s) for start_s in starts]))
    return TimeChart(
        title=title,
        unit="Wh",
        steps=[clock.short(start_s, period.step) for start_s in starts],
        lines=lines,
    )


def _own(ledger: Store, device: Device, now_s: int) -> OwnMeter:
    usage = ledger.get(USAGE, device.number)
    region_id = device.region if usage is None else usage.region
    region = ledger.get(REGIONS, region_id) if region_id else None
    wallet = None
    if ledger.get(WALLETS, device.number) is not None:
        wallet = wallet_of(ledger, device.id, now_s=now_s)
    return OwnMeter(
        device=device,
        kind=QUANTITIES[device.quantity],
        wallet=wallet,
        usage=usage,
        region=region,
        balance_fen=wallet.held(region.money) if wallet and region else None,
    )
