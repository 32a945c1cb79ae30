"""Who may do what: everybody tries everything, and only those named here get through.

Signers are one party for each role, those that a transaction is meant for, others of the same role,
stopped and revoked ones, devices of every state, a key that was replaced, and a stranger. Ids of
parties and of devices are apart: a device may be called like a party, and is not it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

import pytest
from tests.support.memory_ledger import key_of
from tests.support.people import organisation
from tests.support.refusals import refused
from tests.support.traced import codes_of, keys_of
from tests.support.trading import DAY_S, HOUR_S, REGION, START_S, Trading, price

from wattproof.book.model import (
    Issue,
    Movement,
    OpenAccount,
    Retire,
    SetOverdraft,
    Transfer,
)
from wattproof.core.errors import Refused
from wattproof.identity.model import (
    AuthenticateDevice,
    ConfirmDevice,
    EnrolDevice,
    GrantRole,
    RegisterParty,
    ReinstateParty,
    RevokeDevice,
    RevokeParty,
    RevokeRole,
    RotateKey,
    SuspendDevice,
    SuspendParty,
    rotation_message,
)
from wattproof.identity.roles import ROLES
from wattproof.keys.uint_array import UintArray
from wattproof.ledger.transaction import Body
from wattproof.settlement.contract import CONTRACT as SETTLEMENT
from wattproof.settlement.model import (
    AcceptContract,
    AssignTariff,
    Band,
    BatchRun,
    CloseRun,
    DefineRegion,
    DrawPool,
    FileStatement,
    FreezeWallet,
    LimitWallet,
    OfferContract,
    OpenRun,
    PayFromWallet,
    PublishTariff,
    TopUpWallet,
    UnfreezeWallet,
)
from wattproof.settlement.traces.contract import CONTRACT as TRACES
from wattproof.settlement.traces.sealing import granting, new_epoch_key, opening, publishing

ONE_ROLE: Final = tuple(f"only-{role}" for role in ROLES)
STOPPED: Final = ("gone", "asleep")
"""Parties with every role, revoked and suspended."""
SIGNERS: Final = (
    "registrar", "importer", "publisher", "bank", "bank-b", "grid", "grid-b", "wind", "works",
    "house", "nobody", *STOPPED, *ONE_ROLE, "unknown",
    "wind-1", "works-1", "house-1", "dead-1", "asleep-1", "old-1", "old-1 new", "away-1",
    "device works", "device grid", "device bank", "party works-1",
)  # fmt: skip
BANKS: Final = {"bank", "bank-b", "only-bank"}
GRIDS: Final = {"grid", "grid-b", "only-grid_company"}
REGISTRARS: Final = {"registrar", "only-registrar"}
OPEN: Final = "CN-HB"
"""A region of the grid's in which a run is open."""


@pytest.fixture(scope="module")
def world() -> Trading:
    """Everybody who might try something, and something to try for each."""
    trading = Trading(more=[TRACES])
    ledger = trading.ledger
    for role in ROLES:
        organisation(ledger, f"only-{role}", role)
    for party in STOPPED:
        organisation(ledger, party, *ROLES)
    organisation(ledger, "grid-b", "grid_company", "supplier", "consumer", "bank")
    organisation(ledger, "bank-b", "bank")
    organisation(ledger, "nobody")
    for name, owner, supply in (
        ("wind-1", "wind", True), ("works-1", "works", False), ("house-1", "house", False),
        ("dead-1", "works", False), ("asleep-1", "works", False), ("old-1", "works", False),
    ):  # fmt: skip
        trading.meter(name, owner=owner, supply=supply, money=10**6)
    for called in ("works", "grid", "bank"):
        device_called(trading, called, key=f"device {called}", owner="house")
    # A party called like a meter of the works.
    trading.submit(party_called("works-1", key="party works-1"), "registrar")
    message = rotation_message(
        old_key=key_of("old-1").public, new_key=key_of("old-1 new").public, holder="old-1"
    )
    proof = key_of("old-1 new").sign(message)
    trading.submit(RotateKey(new_key=key_of("old-1 new").public, proof=proof), "old-1")
    for name in ("wind-1", "works-1"):
        trading.report(name, [1000], start_s=START_S)
    trading.submit(offer("ppa"), "wind")
    for region in (OPEN, "CN-BJ"):
        trading.submit(region_of(region), "grid" if region == OPEN else "grid-b")
    trading.submit(OpenRun(region=OPEN, until_s=START_S), "grid")
    trading.meter("away-1", owner="works")
    trading.associate("away-1", "CN-BJ")
    theirs = (Band(from_s=0, price_ufen=price(450)),)
    trading.submit(PublishTariff(region="CN-BJ", id="theirs", from_s=0, bands=theirs), "grid-b")
    for name in ("vault", "till"):
        trading.submit(OpenAccount(id=name), "bank" if name == "vault" else "works")
        fund = TopUpWallet(device="works-1", asset="CNY", amount=900, source="", memo="")
        trading.submit(fund, "bank")
        trading.submit(pay("works-1", target=name), "works")
    trading.submit(OpenAccount(id="margin"), "grid")
    trading.submit(pay("works-1", target=f"pool:{REGION}", amount=50), "works")
    trading.submit(FreezeWallet(device="house-1", reason=""), "bank")
    trading.submit(opening(EPOCH, region=REGION, holders=keys_of("grid")), "grid")
    trading.submit(RevokeDevice(device="dead-1"), "works")
    trading.submit(SuspendDevice(device="asleep-1"), "works")
    trading.submit(RevokeParty(party="gone", reason=""), "registrar")
    trading.submit(SuspendParty(party="asleep", reason=""), "registrar")
    return trading


EPOCH: Final = new_epoch_key(bytes(32))


def offer(id_: str, *, supply: str = "wind-1", consumption: str = "works-1") -> OfferContract:
    return OfferContract(
        id=id_, supply=supply, consumption=consumption, wh_per_hour=5, price_ufen=price(450),
        from_s=START_S, to_s=START_S + DAY_S,
    )  # fmt: skip


def region_of(region: str) -> DefineRegion:
    return DefineRegion(
        region=region, money="CNY", offset_s=8 * HOUR_S, tolerance_wh=0, location_factor="grid@1",
        residual_factor="rest@1", supply_tariff="feed-in", consumption_tariff="retail",
    )  # fmt: skip


def pay(device: str, *, target: str = "", to_device: str = "", amount: int = 1) -> PayFromWallet:
    return PayFromWallet(
        device=device, target=target, to_device=to_device, asset="CNY", amount=amount, memo=""
    )


def top_up(source: str = "") -> TopUpWallet:
    return TopUpWallet(device="works-1", asset="CNY", amount=1, source=source, memo="")


def tariff(region: str) -> PublishTariff:
    bands = (Band(from_s=0, price_ufen=1),)
    return PublishTariff(region=region, id="new", from_s=0, bands=bands)


def statement(region: str) -> FileStatement:
    return FileStatement(
        region=region, from_s=START_S, to_s=START_S + DAY_S, step="day", entries=1, supplied_wh=0,
        consumed_wh=0, trades_supply=0, trades_consumption=0, digest=bytes(32),
    )  # fmt: skip


# fmt: off
MAY: Final[Mapping[str, tuple[Body, set[str]]]] = {
    "define a region": (region_of("CN-GD"), GRIDS),
    "define a region again": (region_of(REGION), set()),
    "publish a tariff": (tariff(REGION), {"grid"}),
    "publish a tariff elsewhere": (tariff("CN-BJ"), {"grid-b"}),
    "assign a tariff": (AssignTariff(device="works-1", tariff="feed-in"), {"grid"}),
    "offer a contract": (offer("new"), {"wind"}),
    "offer from a consuming meter": (offer("new", supply="works-1"), set()),
    "offer to a supplying meter": (offer("new", consumption="wind-1"), set()),
    "accept a contract": (AcceptContract(id="ppa"), {"works"}),
    "top up with new money": (top_up(), {"bank"}),
    "top up from a bank's account": (top_up("vault"), {"bank"}),
    "top up from somebody's account": (top_up("till"), set()),
    "top up from a wallet": (top_up("wallet:1"), set()),
    "top up from the pool": (top_up(f"pool:{REGION}"), set()),
    "top up out of nothing": (top_up("issue:CNY"), set()),
    "top up from what ended": (top_up("retired:CNY"), set()),
    "pay to where money comes from": (pay("works-1", target="issue:CNY"), set()),
    "pay to where money ends": (pay("works-1", target="retired:CNY"), set()),
    "pay a device": (pay("works-1", to_device="house-1"), {"works-1", "works"}),
    "pay an account": (pay("works-1", target="vault"), {"works-1", "works"}),
    "pay by its account": (pay("works-1", target="wallet:1"), {"works-1", "works"}),
    "pay the pool": (pay("works-1", target=f"pool:{REGION}"), {"works-1", "works"}),
    "pay nobody": (pay("works-1", target="no-account"), set()),
    "pay into the energy": (pay("works-1", target=f"energy:{REGION}"), set()),
    "pay from a revoked meter": (pay("dead-1", target="vault"), {"works"}),
    "pay from a suspended meter": (pay("asleep-1", target="vault"), {"works"}),
    "pay with a key that was replaced": (pay("old-1", target="vault"), {"works", "old-1 new"}),
    "pay from a frozen wallet": (pay("house-1", target="vault"), set()),
    "pay from a device called like a party": (
        pay("works", target="vault"), {"device works", "house"},
    ),
    "pay energy": (
        PayFromWallet(device="works-1", target=f"pool:{REGION}", to_device="", amount=1,
                      asset=f"energy:{REGION}", memo=""),
        set(),
    ),
    "limit a meter": (LimitWallet(device="works-1", whose="device", fen_per_day=1), {"works"}),
    "limit an owner": (
        LimitWallet(device="works-1", whose="owner", fen_per_day=1), BANKS | GRIDS,
    ),
    "freeze": (FreezeWallet(device="works-1", reason=""), BANKS | GRIDS | REGISTRARS),
    "unfreeze": (UnfreezeWallet(device="house-1"), BANKS | GRIDS | REGISTRARS),
    "draw from the pool": (
        DrawPool(region=REGION, target="margin", amount=50, memo=""), {"grid"},
    ),
    "draw for another": (DrawPool(region=REGION, target="till", amount=1, memo=""), set()),
    "draw what is not there": (
        DrawPool(region=REGION, target="margin", amount=51, memo=""), set(),
    ),
    "open a run": (OpenRun(region=REGION, until_s=START_S), {"grid"}),
    "open a run elsewhere": (OpenRun(region="CN-BJ", until_s=START_S), {"grid-b"}),
    "settle a batch": (
        BatchRun(region=OPEN, run=1, after=0, meters=UintArray.from_ints([1])), {"grid"},
    ),
    "close a run": (CloseRun(region=OPEN, run=1), {"grid"}),
    "file a statement": (statement(REGION), {"grid"}),
    "file a statement elsewhere": (statement("CN-BJ"), {"grid-b"}),
    "assign a tariff of another region": (
        AssignTariff(device="works-1", tariff="theirs"), set(),
    ),
    "offer to a meter elsewhere": (offer("new", consumption="away-1"), set()),
    "assign a tariff elsewhere": (AssignTariff(device="away-1", tariff="theirs"), {"grid-b"}),
    "open an epoch": (
        opening(new_epoch_key(bytes(32)), region=REGION, holders=keys_of("grid")), GRIDS,
    ),
    "grant an epoch": (granting(EPOCH, keys_of("works")), {"grid"}),
    "publish codes": (next(publishing(EPOCH, codes_of(3), first=0)), {"grid"}),
}
# fmt: on


@pytest.mark.parametrize("what", MAY)
def test_only_those_who_may(world: Trading, what: str) -> None:
    body, allowed = MAY[what]
    assert allowed <= set(SIGNERS)
    done = {who for who in SIGNERS if tried(world, body, who)}
    assert done == allowed


def test_every_transaction_of_settlement_is_tried() -> None:
    tried_types = {type(body) for body, _ in MAY.values()}
    assert tried_types == {*SETTLEMENT.rules, *TRACES.rules}


def tried(world: Trading, body: Body, who: str) -> bool:
    """Whether it would be accepted; if not, for a reason that can be told."""
    refusal = world.ledger.refusal_of(body, key_of(who))
    assert refusal is None or isinstance(refusal, Refused), refusal
    return refusal is None


def device_called(trading: Trading, id_: str, *, key: str, owner: str) -> None:
    """An active device with this id, and a key that is not the one of the party of that name."""
    enrol = EnrolDevice(id=id_, owner=owner, quantity="electricity.import", zone="UTC")
    trading.submit(enrol, key)
    trading.submit(AuthenticateDevice(device=id_, evidence=bytes(32)), "importer")
    trading.submit(ConfirmDevice(device=id_), owner)
    trading.top_up(id_, 1000)


def party_called(id_: str, *, key: str) -> RegisterParty:
    return RegisterParty(
        id=id_, kind="organisation", key=key_of(key).public, name="Homonym", roles=("consumer",)
    )


def test_the_book_gives_nobody_what_is_in_wallets_and_pools(world: Trading) -> None:
    for source in ("wallet:1", "wallet:2", f"pool:{REGION}", "till", "issue:CNY", "retired:CNY"):
        movement = Movement(source=source, target="vault", asset="CNY", amount=1)
        body = Transfer(movements=(movement,))
        done = {who for who in SIGNERS if tried(world, body, who)}
        assert done == ({"works"} if source == "till" else set())
        retire = Retire(account=source, asset="CNY", amount=1, memo="")
        done = {who for who in SIGNERS if tried(world, retire, who)}
        assert done == ({"works"} if source == "till" else set())


def test_nobody_issues_energy_of_a_region_or_takes_it(world: Trading) -> None:
    energy = f"energy:{REGION}"
    for body in (
        Issue(asset=energy, account="till", amount=1, memo=""),
        SetOverdraft(account="till", asset=energy, limit=5),
        SetOverdraft(account=f"pool:{REGION}", asset=energy, limit=5),
        Transfer(movements=(Movement(source=f"pool:{REGION}", target="till", asset=energy,
                                     amount=1),)),
        Retire(account=f"pool:{REGION}", asset=energy, amount=1, memo=""),
    ):  # fmt: skip
        assert not {who for who in SIGNERS if tried(world, body, who)}


def test_who_lost_the_role_settles_no_more() -> None:
    """The region stays where it is: nobody else can settle it either."""
    trading = Trading()
    works = trading.meter("works-1", owner="works", money=10**6)
    trading.report("works-1", [1000], start_s=START_S)
    trading.open(START_S + HOUR_S)
    trading.submit(RevokeRole(party="grid", role="grid_company"), "registrar")
    refused("identity.role.missing", lambda: trading.batch([works]))
    refused("identity.role.missing", trading.close)
    trading.submit(GrantRole(party="grid", role="grid_company"), "registrar")
    assert trading.batch([works]).consumption[0].fen == 50


def test_a_party_that_was_stopped_does_not_pay_by_its_meters() -> None:
    trading = Trading()
    trading.meter("m1", owner="works", money=1000)
    trading.meter("m2", owner="house")
    body = pay("m1", to_device="m2")
    trading.submit(body, "m1")
    trading.submit(SuspendParty(party="works", reason=""), "registrar")
    for who in ("m1", "works"):
        refused("identity.party.suspended", partial(trading.submit, body, who))
    trading.report("m1", [100_000], start_s=START_S)  # it measures, and owes what it uses
    trading.run(START_S + HOUR_S)
    assert trading.usage(1).due_fen == 5000 - 999
    trading.submit(ReinstateParty(party="works"), "registrar")
    trading.top_up("m1", 4_011)
    refused("settlement.in_arrears", lambda: trading.submit(body, "m1"))
    trading.run(START_S + HOUR_S)
    trading.submit(body, "m1")


def test_limits_are_of_the_day_whoever_pays_with_whichever_key() -> None:
    """Neither a new key nor the same limit set again makes it larger."""
    trading = Trading()
    trading.meter("m1", owner="works", money=10**6)
    trading.meter("m2", owner="house")
    trading.submit(LimitWallet(device="m1", whose="device", fen_per_day=100), "works")
    trading.submit(LimitWallet(device="m1", whose="owner", fen_per_day=70), "bank")
    to_m2 = pay("m1", to_device="m2", amount=60)
    trading.submit(to_m2, "m1")
    trading.submit(to_m2, "works")  # the owner's limit is another
    message = rotation_message(
        old_key=key_of("m1").public, new_key=key_of("m1 new").public, holder="m1"
    )
    rotate = RotateKey(new_key=key_of("m1 new").public, proof=key_of("m1 new").sign(message))
    trading.submit(rotate, "m1")
    for who in ("m1 new", "works"):
        refused("settlement.wallet_limit", partial(trading.submit, to_m2, who))
    trading.submit(LimitWallet(device="m1", whose="device", fen_per_day=100), "works")
    refused("settlement.wallet_limit", lambda: trading.submit(to_m2, "m1 new"))
    day_ms = 86_400_000
    midnight_ms = trading.ledger.time_ms // day_ms * day_ms + 16 * 3_600_000
    trading.ledger.time_ms = midnight_ms + 2 * day_ms - 1  # a millisecond before a Chinese midnight
    trading.submit(to_m2, "m1 new")
    refused("settlement.wallet_limit", lambda: trading.submit(to_m2, "m1 new"))
    trading.ledger.time_ms += 1
    trading.submit(to_m2, "m1 new")
    refused("settlement.wallet_limit", lambda: trading.submit(to_m2, "m1 new"))
    assert trading.fen(2) == 4 * 60
    trading.check()


def test_a_limit_cannot_be_lowered_below_what_was_paid_and_then_paid_again() -> None:
    trading = Trading()
    trading.meter("m1", owner="works", money=1000)
    trading.meter("m2", owner="house")
    trading.submit(pay("m1", to_device="m2", amount=500), "m1")
    trading.submit(LimitWallet(device="m1", whose="device", fen_per_day=0), "works")
    refused(
        "settlement.wallet_limit",
        lambda: trading.submit(pay("m1", to_device="m2", amount=1), "m1"),
    )
    trading.submit(LimitWallet(device="m1", whose="device", fen_per_day=501), "works")
    trading.submit(pay("m1", to_device="m2", amount=1), "m1")
    refused(
        "settlement.wallet_limit",
        lambda: trading.submit(pay("m1", to_device="m2", amount=1), "m1"),
    )
