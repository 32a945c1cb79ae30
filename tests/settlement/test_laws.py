"""Laws of settlement: whatever comes in whatever order, no watt-hour and no fen is made or lost.

Meters of two regions report, are replaced, stopped and moved; tariffs and contracts come and go;
money comes in and is paid; runs are opened, cut up, left and gone on with. Each trade is compared
with one that is worked out apart from the ledger (`tests.support.two_regions`), and after each step
the sums are taken over everything there is.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.support.memory_ledger import Accepted, key_of
from tests.support.meters import packet_of
from tests.support.trading import DAY_S, HOUR_S, REGION, START_S
from tests.support.two_regions import OTHER, Account, Agreed, Bands, Meter, TwoRegions

from wattproof.book.queries import conservation
from wattproof.core.errors import Refused
from wattproof.identity.model import ReinstateDevice, RevokeDevice, SuspendDevice
from wattproof.ledger.transaction import Body
from wattproof.metering.model import STREAMS, PacketAccepted, ReplaceMeter
from wattproof.settlement import batch
from wattproof.settlement.contract import CONTRACT as SETTLEMENT
from wattproof.settlement.events import Settled, Trade
from wattproof.settlement.model import (
    AcceptContract,
    AssignTariff,
    BatchRun,
    CloseRun,
    FileStatement,
    FreezeWallet,
    LimitWallet,
    OfferContract,
    OpenRun,
    PayFromWallet,
    TopUpWallet,
    UnfreezeWallet,
)
from wattproof.settlement.records import (
    REGION_DAYS,
    REGION_HOURS,
    RUNS,
    STATEMENTS,
    USAGE,
    RegionDay,
    RegionHour,
    day_of,
)
from wattproof.settlement.wallets import wallet_account

REGIONS = (REGION, OTHER)
OFFSETS = ((28_800, 28_800), (19_800, -12_600), (0, 20_700), (-43_200, 50_400))
"""Local times of both: China; India and Newfoundland; London and Nepal; the ends of the day."""
NAMES = ("wind-1", "wind-2", "works-1", "works-2", "house-in", "house-out", "grid-loss")
POOL_FEN = 3_000
START_STEP_S = 450
STOPPED = ("identity.device.suspended", "identity.device.revoked")

a_meter = st.sampled_from(NAMES)
a_region = st.sampled_from(REGIONS)
amounts = st.lists(
    st.one_of(st.integers(0, 5_000), st.integers(0, 400_000)), min_size=1, max_size=30
)
a_price = st.one_of(st.integers(0, 3), st.integers(0, 10**6))
hours = st.integers(0, 80)


class Market(RuleBasedStateMachine):
    """Two regions and their meters, beside the account of what must come of it."""

    @initialize(
        offsets_s=st.sampled_from(OFFSETS), shift=st.integers(0, 8), contracts=st.integers(0, 2)
    )
    def begin(self, offsets_s: tuple[int, int], shift: int, contracts: int) -> None:
        self.market = TwoRegions(offsets_s=offsets_s, pool_fen=POOL_FEN)
        self.account = Account(offsets_s=self.market.offsets_s)
        self.account.pools_fen = {REGION: 0, OTHER: 0}
        self.overdrafts = {REGION: POOL_FEN, OTHER: 0}
        for region, prices in ((REGION, (40_000, 50_000)), (OTHER, (30_000, 70_000))):
            for id_, ufen in zip(("feed-in", "retail"), prices, strict=True):
                first_s = self.market.first_s(region)
                self.account.tariffs[region, id_] = {first_s: ((0, ufen),)}
        self.log: dict[int, Settled] = {}
        self.topped_up = 0
        self.ids = 0
        self.meters: dict[str, Meter] = {}
        for at, name in enumerate(NAMES):
            owner, supply = name.split("-")[0], at in (0, 1, 5)
            region = OTHER if at == 6 else REGION
            modulus = 10**6 if name == "works-2" else 0
            number = self.market.meter_of(
                name, owner=owner, supply=supply, region=region, modulus=modulus
            )
            self.meters[name] = Meter(
                number=number,
                name=name,
                kind="supply" if supply else "consumption",
                region=region,
            )
        self.start_s = START_S + shift * START_STEP_S
        for at in range(contracts):
            self.agree("wind-1", "works-1", 900 + at, 45_000 + 1_000 * at, 0, 70 + at, True)

    def attempt(self, body: Body, by: str, *codes: str) -> Accepted | None:
        """What comes of a transaction; None where it is refused, as it may be, without a trace."""
        ledger = self.market.ledger
        try:
            return ledger.submit(body, key_of(by))
        except Refused as refusal:
            assert refusal.code in codes, (refusal.code, body)
            assert ledger.state.take_writes() == []
            return None

    # What meters do

    @rule(
        name=a_meter,
        amounts=amounts,
        interval_s=st.sampled_from((300, 900, 1800, 3600, 3600, 7200, 86_400)),
        gap=st.sampled_from((0, 0, 0, 1, 2, 7, 40)),
        catch_up=st.integers(0, 60_000),
    )
    def report(
        self, name: str, amounts: list[int], interval_s: int, gap: int, catch_up: int
    ) -> None:
        """A packet: of any interval, after a gap or none, the register gone on in it."""
        meter = self.meters[name]
        stream = self.market.ledger.state.get(STREAMS, meter.number)
        start_s, opening, sequence = self.start_s, 0, 1
        gap_s = gap * START_STEP_S * 3
        if stream is not None:
            start_s, opening, sequence = stream.end_s + gap_s, stream.register, stream.next_sequence
            if gap_s and not stream.replaced:
                opening += catch_up
            else:
                catch_up = 0
            if stream.modulus:
                opening %= stream.modulus
        else:
            catch_up = 0
        packet = packet_of(
            amounts, sequence=sequence, start_s=start_s, interval_s=interval_s, kind="register",
            opening=opening,
        )  # fmt: skip
        accepted = self.attempt(packet, name, *STOPPED, "metering.future")
        if accepted is None:
            return
        event = accepted.event(PacketAccepted)
        assert (event.catch_up, event.amount) == (catch_up, catch_up + sum(amounts))
        offset_s = self.market.offsets_s[meter.region]
        if catch_up:
            meter.read(start_s - min(gap_s, interval_s), catch_up, offset_s)
        for at, wh in enumerate(amounts):
            meter.read(start_s + at * interval_s, wh, offset_s)
        again = packet_of(
            amounts, sequence=sequence, start_s=start_s, interval_s=interval_s, kind="register",
            opening=opening,
        )  # fmt: skip
        assert self.attempt(again, name, "metering.duplicate") is None

    @rule(wh=st.integers(0, 9_000), count=st.integers(1, 100), interval_s=st.sampled_from(
        (900, 900, 3600)), skipped=st.sampled_from(NAMES))  # fmt: skip
    def all_report(self, wh: int, count: int, interval_s: int, skipped: str) -> None:
        """All meters but one go on without a gap."""
        for at, name in enumerate(NAMES):
            if name != skipped:
                self.report(name, [wh * at // 3 + here for here in range(count)], interval_s, 0, 0)

    @rule(name=a_meter, gap=st.integers(0, 5), gained=st.integers(0, 9_000),
          modulus=st.sampled_from((0, 10**5)))  # fmt: skip
    def replace(self, name: str, gap: int, gained: int, modulus: int) -> None:
        """Its register is replaced; the old one may have gained something since."""
        meter = self.meters[name]
        stream = self.market.ledger.state.get(STREAMS, meter.number)
        if stream is None:
            return
        gap_s = gap * START_STEP_S
        gained = gained if gap else 0
        closing = stream.register + gained
        if stream.modulus:
            closing %= stream.modulus
        body = ReplaceMeter(
            device=name, at_s=stream.end_s + gap_s, old_closing=closing, new_opening=7,
            new_modulus=modulus,
        )  # fmt: skip
        owner = name.split("-")[0]
        if self.attempt(body, owner, "metering.future") and gained:
            at_s = body.at_s - min(gap_s, stream.interval_s)
            meter.read(at_s, gained, self.market.offsets_s[meter.region])

    @rule(
        name=a_meter,
        change=st.sampled_from((SuspendDevice, *[ReinstateDevice] * 4, RevokeDevice)),
        sure=st.integers(0, 3),
    )
    def stop(self, name: str, change: type[Body], sure: int) -> None:
        """It is suspended, reinstated, or, seldom, revoked for good."""
        if change is not RevokeDevice or not sure:
            body = change(device=name)
            self.attempt(body, name.split("-")[0], *STOPPED, "identity.device.not_suspended")

    @rule(region=a_region, name=a_meter)
    def move(self, region: str, name: str) -> None:
        """It is associated with a region, the same one or the other."""
        meter = self.meters[name]
        try:
            self.market.associate(name, region)
        except Refused as refusal:
            assert refusal.code in ("settlement.region_waits", *STOPPED)
            if refusal.code == "settlement.region_waits":
                assert meter.hours or meter.due_fen
            return
        if region != meter.region:
            assert not meter.hours and not meter.due_fen
            meter.region, meter.tariff, meter.contracts = region, "", []

    # Prices

    @rule(
        region=a_region,
        id_=st.sampled_from(("feed-in", "retail", "night")),
        at=hours,
        day=a_price,
        night=a_price,
        evening=st.integers(1, 23),
    )
    def publish(
        self, region: str, id_: str, at: int, day: int, night: int, evening: int
    ) -> None:  # fmt: skip
        """Prices of day and night; the night goes over midnight."""
        bands: Bands = ((0, night), (HOUR_S, day), (evening * HOUR_S, night))
        bands = bands if evening > 1 else bands[:2]
        from_s = day_of(self.start_s, 0) + self.market.first_s(region) + at * HOUR_S
        known = self.account.tariffs.setdefault((region, id_), {})
        if not known:
            from_s = self.market.first_s(region)
        try:
            self.market.publish(region, id_, from_s, *bands)
        except Refused as refusal:
            assert refusal.code == "settlement.settled_already"
            assert min(known) <= from_s < self.market.region_called(region).settled_s
            return
        known[from_s] = bands

    @rule(name=a_meter, tariff=st.sampled_from(("", "night", "feed-in", "retail")))
    def assign(self, name: str, tariff: str) -> None:
        if self.attempt(AssignTariff(device=name, tariff=tariff), "grid",
                        "settlement.tariff_unknown"):  # fmt: skip
            self.meters[name].tariff = tariff

    @rule(
        supply=st.sampled_from(("wind-1", "wind-2", "house-out")),
        consumption=st.sampled_from(("works-1", "works-2", "house-in", "grid-loss")),
        wh=st.one_of(st.integers(1, 4_000), st.just(2**53)),
        price=st.one_of(a_price, st.integers(30_000, 70_000)),
        first=hours,
        count=st.integers(1, 60),
        accepted=st.sampled_from((True, True, True, False)),
    )
    def agree(
        self, supply: str, consumption: str, wh: int, price: int, first: int, count: int,
        accepted: bool,
    ) -> None:  # fmt: skip
        """A contract between two meters is offered, and often accepted."""
        region = self.meters[supply].region
        from_s = day_of(self.start_s, 0) + self.market.first_s(region) + first * HOUR_S
        self.ids += 1
        id_ = f"ppa-{self.ids}"
        offer = OfferContract(
            id=id_, supply=supply, consumption=consumption, wh_per_hour=wh, price_ufen=price,
            from_s=from_s, to_s=from_s + count * HOUR_S,
        )  # fmt: skip
        owners = supply.split("-")[0], consumption.split("-")[0]
        codes = "settlement.not_this_kind", "settlement.contract_price"
        if self.attempt(offer, owners[0], *codes) and accepted:
            taken = self.attempt(AcceptContract(id=id_), owners[1], "settlement.settled_already")
            if taken:
                self.account.contracts[id_] = Agreed(price, wh, from_s, offer.to_s)
                for name in (supply, consumption):
                    self.meters[name].contracts.append(id_)

    # Money

    @rule(name=a_meter, fen=st.one_of(st.integers(1, 5_000), st.integers(1, 10**6)))
    def top_up(self, name: str, fen: int) -> None:
        body = TopUpWallet(device=name, asset="CNY", amount=fen, source="", memo="")
        assert self.attempt(body, "bank")
        self.topped_up += fen
        self.meters[name].wallet_fen += fen

    @rule(name=a_meter, to=a_meter, fen=st.integers(1, 20_000), by_owner=st.booleans())
    def pay(self, name: str, to: str, fen: int, by_owner: bool) -> None:
        body = PayFromWallet(device=name, target="", to_device=to, asset="CNY", amount=fen, memo="")
        by = name.split("-")[0] if by_owner else name
        paid = self.attempt(
            body, by, "book.overdraft", "settlement.pay_target", "settlement.wallet_frozen",
            "settlement.wallet_limit", *STOPPED,
        )  # fmt: skip
        if paid:
            assert name != to and fen <= self.meters[name].wallet_fen
            self.meters[name].wallet_fen -= fen
            self.meters[to].wallet_fen += fen

    @rule(name=a_meter, what=st.sampled_from(("freeze", "unfreeze", "limit")))
    def restrict(self, name: str, what: str) -> None:
        owner = name.split("-")[0]
        if what == "freeze":
            self.attempt(FreezeWallet(device=name, reason=""), "bank", "settlement.wallet_frozen")
        elif what == "unfreeze":
            self.attempt(UnfreezeWallet(device=name), "bank")
        else:
            self.attempt(LimitWallet(device=name, whose="device", fen_per_day=9_000), owner)

    # Runs

    @rule(region=a_region, until=st.integers(0, 130))
    def open_run(self, region: str, until: int) -> None:
        until_s = day_of(self.start_s, 0) + self.market.first_s(region) + until * HOUR_S
        opened = self.market.region_called(region).open_run
        accepted = self.attempt(OpenRun(region=region, until_s=until_s), "grid",
                                "settlement.run_open")  # fmt: skip
        assert bool(accepted) != bool(opened)

    def is_open(self, region: str) -> bool:
        return bool(self.market.region_called(region).open_run)

    @precondition(lambda self: any(map(self.is_open, REGIONS)))
    @rule(data=st.data(), count=st.integers(1, 7))
    def batch_run(self, data: st.DataObject, count: int) -> None:
        """Some meters of a run, of whatever region they are; the same batch again settles none."""
        region = data.draw(st.sampled_from([one for one in REGIONS if self.is_open(one)]))
        body = self._some(region, count)
        if body is not None:
            assert self.attempt(body, "grid", "settlement.batch_order") is None

    @precondition(lambda self: any(map(self.is_open, REGIONS)))
    @rule(region=a_region)
    def close_run(self, region: str) -> None:
        """A run is closed, wherever it is."""
        number = self.market.region_called(region).open_run
        if number:
            self.market.submit(CloseRun(region=region, run=number), "grid")

    @precondition(lambda self: not any(map(self.is_open, REGIONS)))
    @rule(region=a_region, until=st.integers(20, 130), size=st.integers(1, 4))
    def whole_run(self, region: str, until: int, size: int) -> None:
        """A run from beginning to end."""
        self.open_run(region, until)
        while self._some(region, size) is not None:
            pass
        self.close_run(region)

    @precondition(lambda self: not any(map(self.is_open, REGIONS)))
    @rule(name=a_meter, size=st.integers(1, 7))
    def run_up_to(self, name: str, size: int) -> None:
        """A run up to the end of the hour in which a meter's readings end, whatever others have."""
        meter = self.meters[name]
        if meter.hours:
            first_s = day_of(self.start_s, 0) + self.market.first_s(meter.region)
            self.whole_run(meter.region, (max(meter.hours) - first_s) // HOUR_S + 1, size)

    def _some(self, region: str, count: int) -> BatchRun | None:
        """The next so many meters of a run; None where all are through."""
        reached = self.market.run_called(region).reached
        numbers = sorted(meter.number for meter in self.meters.values())
        behind = [number for number in numbers if number > reached][:count]
        if not behind:
            return None
        body = self.market.batch_of(region, behind)
        accepted = self.market.submit(body, "grid")
        settled = accepted.event(Settled)
        reached = self.market.run_called(region).reached
        self._compare(region, [one for one in behind if one <= reached], settled)
        self.log[accepted.index] = settled
        for trade in (*settled.supply, *settled.consumption):
            self._meter(trade.meter).trades.append((accepted.index, trade))
        return body

    def _compare(self, region: str, numbers: list[int], settled: Settled) -> None:
        """The trades of a batch are those of the account, to the last of their figures."""
        until_s = self.market.run_called(region).until_s
        pool_fen = self.account.pools_fen
        wanted: dict[str, list[Trade]] = {"consumption": [], "supply": []}
        for kind, made in wanted.items():
            for meter in map(self._meter, numbers):
                if (meter.kind, meter.region) == (kind, region):
                    there_fen = (
                        meter.wallet_fen
                        if kind == "consumption"
                        else pool_fen[region] + self.overdrafts[region]
                    )
                    made += self.account.trades_of(meter, until_s, there_fen=there_fen)
        assert list(settled.consumption) == wanted["consumption"]
        assert list(settled.supply) == wanted["supply"]
        assert settled.supply_wh == sum(trade.wh for trade in settled.supply)
        assert settled.consumption_wh == sum(trade.wh for trade in settled.consumption)

    def _meter(self, number: int) -> Meter:
        (found,) = (meter for meter in self.meters.values() if meter.number == number)
        return found

    # Laws

    @invariant()
    def every_watt_hour_is_somewhere(self) -> None:
        """What a meter reported is settled or waits, hour by hour, and nothing else does."""
        for meter in getattr(self, "meters", {}).values():
            usage = self.market.ledger.state.get(USAGE, meter.number)
            if usage is None:
                assert not meter.reported_wh and not meter.trades
                continue
            settled_wh = sum(trade.wh for _, trade in meter.trades)
            assert usage.settled_wh == settled_wh
            assert settled_wh + sum(usage.hours_wh) == meter.reported_wh
            waiting = {
                usage.start_s + at * HOUR_S: wh for at, wh in enumerate(usage.hours_wh) if wh
            }
            assert waiting == {at_s: wh for at_s, wh in meter.hours.items() if wh}
            assert usage.settled_fen == sum(trade.fen for _, trade in meter.trades)
            paid_fen = sum(trade.paid_fen for _, trade in meter.trades)
            assert paid_fen + usage.due_fen == usage.settled_fen
            assert (usage.carry_ufen, usage.due_fen) == (meter.carry_ufen, meter.due_fen)
            assert 0 <= usage.carry_ufen < 10**6 and usage.due_fen >= 0
            assert usage.region == meter.region
            contracts = [id_ for id_ in meter.contracts if id_ in usage.contracts]
            assert usage.contracts == tuple(contracts), "in the order in which they were accepted"

    @invariant()
    def every_fen_is_somewhere(self) -> None:
        """Top-ups are in wallets and pools, and in no other place; no wallet is overdrawn."""
        if not hasattr(self, "meters"):
            return
        for row in conservation(self.market.ledger.state):
            assert row.sum == 0, row
        fen = 0
        for meter in self.meters.values():
            there = self.market.balance(wallet_account(meter.number), "CNY")
            assert there == meter.wallet_fen >= 0
            fen += there
        for region in REGIONS:
            there = self.market.balance(f"pool:{region}", "CNY")
            assert there == self.account.pools_fen[region] >= -self.overdrafts[region]
            fen += there
        assert fen == self.topped_up

    @invariant()
    def hours_days_trades_and_pool_agree(self) -> None:
        """A region's hours and days, its pool's energy and the sums of its trades are the same."""
        for region in REGIONS if hasattr(self, "meters") else ():
            state = self.market.ledger.state
            batches = [one for one in self.log.values() if one.region == region]
            supply = [trade for one in batches for trade in one.supply]
            consumption = [trade for one in batches for trade in one.consumption]
            offset_s = self.market.offsets_s[region]
            rows: list[RegionHour] = list(state.scan(REGION_HOURS, region))
            days: list[RegionDay] = list(state.scan(REGION_DAYS, region))
            sums = sum(trade.wh for trade in supply), sum(trade.wh for trade in consumption)
            assert sums == (
                sum(row.supplied_wh for row in rows), sum(row.consumed_wh for row in rows),
            )  # fmt: skip
            assert {
                row.start_s: (row.supplied_wh, row.consumed_wh) for row in rows
            } == self.account.hours_of(region)
            assert self.market.balance(f"pool:{region}", f"energy:{region}") == sums[0] - sums[1]
            for day in days:
                bought, sold = (
                    [trade for trade in some if day_of(trade.first_s, offset_s) == day.day_s]
                    for some in (supply, consumption)
                )
                assert (day.day_s + offset_s) % DAY_S == 0
                assert (
                    day.supplied_wh, day.trades_supply, day.supply_fen, day.paid_supply_fen,
                ) == _sums(bought)  # fmt: skip
                assert (
                    day.consumed_wh, day.trades_consumption, day.consumption_fen,
                    day.paid_consumption_fen,
                ) == _sums(sold)  # fmt: skip
            assert sum(day.trades_supply + day.trades_consumption for day in days) == len(
                [*supply, *consumption]
            )

    @invariant()
    def chains_are_whole(self) -> None:
        """From a region's last entry back lie all its batches, from a meter's all its trades."""
        for region in REGIONS if hasattr(self, "meters") else ():
            entry = self.market.region_called(region).last_entry
            found = []
            while entry >= 0:
                found.append(entry)
                entry = self.log[entry].previous
            assert found[::-1] == [at for at, one in self.log.items() if one.region == region]
        for meter in getattr(self, "meters", {}).values():
            usage = self.market.ledger.state.get(USAGE, meter.number)
            if usage is not None:
                assert usage.last_entry == meter.last_entry
                assert [trade.trade for trade in self._chain(meter)] == list(
                    range(usage.trades, 0, -1)
                )

    def _chain(self, meter: Meter) -> Iterator[Trade]:
        """A meter's trades, newest first, by `Trade.previous` alone."""
        entry = meter.last_entry
        while entry >= 0:
            settled = self.log[entry]
            own = [
                trade
                for trade in (*settled.supply, *settled.consumption)
                if trade.meter == meter.number
            ]
            yield from reversed(own)
            (entry,) = {trade.previous for trade in own}

    @invariant()
    def trades_are_of_one_day(self) -> None:
        for settled in list(getattr(self, "log", {}).values())[-1:]:
            offset_s = self.market.offsets_s[settled.region]
            for trade in (*settled.supply, *settled.consumption):
                last_s = trade.first_s + max(0, trade.hours - 1) * HOUR_S
                assert day_of(trade.first_s, offset_s) == day_of(last_s, offset_s)
                assert (trade.first_s + offset_s) % HOUR_S == 0
                assert trade.wh or trade.paid_fen, "a trade is of energy or of money"
                assert trade.hours or not trade.wh

    @invariant()
    def runs_add_up(self) -> None:
        for region in REGIONS if hasattr(self, "meters") else ():
            for run in self.market.ledger.state.scan(RUNS, region):
                batches = [
                    one
                    for one in self.log.values()
                    if (one.region, one.run) == (region, run.number)
                ]
                bought = _sums([trade for one in batches for trade in one.supply])
                sold = _sums([trade for one in batches for trade in one.consumption])
                assert (
                    run.supplied_wh, run.trades_supply, run.to_suppliers_fen,
                ) == (bought[0], bought[1], bought[3])  # fmt: skip
                assert (
                    run.consumed_wh, run.trades_consumption, run.from_consumers_fen,
                ) == (sold[0], sold[1], sold[3])  # fmt: skip

    # Statements, and what is kept

    @rule(region=a_region, first=st.integers(-1, 5), days=st.integers(1, 6),
          wrong=st.sampled_from((0, 0, 1, -1)))  # fmt: skip
    def file(self, region: str, first: int, days: int, wrong: int) -> None:
        """A statement of the account's sums is filed, of others it is not."""
        from_s = day_of(self.start_s, self.market.offsets_s[region]) + first * DAY_S
        to_s = from_s + days * DAY_S
        inside = [
            [trade for one in self.log.values() if one.region == region
             for trade in (one.supply if kind == "supply" else one.consumption)
             if from_s <= trade.first_s < to_s]
            for kind in ("supply", "consumption")
        ]  # fmt: skip
        sums = [_sums(some) for some in inside]
        body = FileStatement(
            region=region, from_s=from_s, to_s=to_s, step="day", entries=self.market.ledger.size,
            supplied_wh=max(0, sums[0][0] + wrong), consumed_wh=sums[1][0],
            trades_supply=sums[0][1], trades_consumption=sums[1][1], digest=bytes(32),
        )  # fmt: skip
        filed = self.attempt(body, "grid", "settlement.statement_sums")
        assert bool(filed) == (body.supplied_wh == sums[0][0])
        if filed:
            number = self.market.region_called(region).statements
            kept = self.market.ledger.one(STATEMENTS, region, number)
            assert kept.net_wh == sums[0][0] - sums[1][0]

    @rule()
    def restart(self) -> None:
        """What was decoded is forgotten; the rows are all that there is."""
        self.market.ledger.forget()

    def teardown(self) -> None:
        if not hasattr(self, "meters"):
            return
        state = self.market.ledger.state
        for collection in SETTLEMENT.collections:
            for record in state.scan(collection):
                _no_float(msgspec.to_builtins(record))
        for settled in self.log.values():
            _no_float(msgspec.to_builtins(settled))


def _sums(trades: list[Trade]) -> tuple[int, int, int, int]:
    """Wh, how many they are, what they cost, and what was paid."""
    return (
        sum(trade.wh for trade in trades),
        len(trades),
        sum(trade.fen for trade in trades),
        sum(trade.paid_fen for trade in trades),
    )


def _no_float(value: object) -> None:
    assert not isinstance(value, float)
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list):
        for each in value:
            _no_float(each)


def test_no_sequence_makes_or_loses_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "MAX_TRADES", 5)
    monkeypatch.setattr(batch, "AT_ONCE", 2)
    run_state_machine_as_test(
        Market,
        settings=settings(
            max_examples=100,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
