"""What may happen in two regions that are settled, as rules of a state machine.

Meters report, are replaced, stopped and moved; tariffs and contracts come and go; money comes in
and is paid; runs are opened, cut up, left and gone on with. Each trade is compared at once with one
that is worked out apart from the ledger (`tests.support.two_regions`).
"""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
)
from tests.support.memory_ledger import Accepted, key_of
from tests.support.meters import packet_of
from tests.support.trading import DAY_S, HOUR_S, REGION, START_S
from tests.support.two_regions import OTHER, Account, Agreed, Bands, Meter, TwoRegions

from wattproof.core.errors import Refused
from wattproof.identity.model import ReinstateDevice, RevokeDevice, SuspendDevice
from wattproof.ledger.transaction import Body
from wattproof.metering.model import STREAMS, PacketAccepted, ReplaceMeter
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
    STATEMENTS,
    day_of,
)

__all__ = ["REGIONS", "MarketStory", "sums_of"]

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


class MarketStory(RuleBasedStateMachine):
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
            "settlement.wallet_limit", "settlement.in_arrears", *STOPPED,
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
        sums = [sums_of(some) for some in inside]
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


def sums_of(trades: list[Trade]) -> tuple[int, int, int, int]:
    """Wh, how many they are, what they cost, and what was paid."""
    return (
        sum(trade.wh for trade in trades),
        len(trades),
        sum(trade.fen for trade in trades),
        sum(trade.paid_fen for trade in trades),
    )
