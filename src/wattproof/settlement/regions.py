"""The rules of regions: who settles them, tariffs, and contracts between two meters."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from wattproof.book.contract import define_asset, open_account
from wattproof.book.model import MAX_AMOUNT, Account, Asset, Balance
from wattproof.book.posting import put_balance
from wattproof.core.codes import check_id, check_region
from wattproof.emissions.queries import factor, split_name
from wattproof.identity.contract import find_device
from wattproof.identity.model import Device
from wattproof.ledger.machine import Context
from wattproof.settlement.events import (
    ContractAccepted,
    ContractOffered,
    RegionDefined,
    TariffAssigned,
    TariffPublished,
)
from wattproof.settlement.model import (
    HOUR_S,
    QUANTITIES,
    AcceptContract,
    AssignTariff,
    DefineRegion,
    Kind,
    OfferContract,
    PublishTariff,
)
from wattproof.settlement.records import (
    CONTRACTS,
    REGIONS,
    TARIFFS,
    USAGE,
    Bilateral,
    Region,
    Tariff,
    Usage,
)
from wattproof.settlement.refusals import (
    BANDS,
    CONTRACT_PRICE,
    CONTRACT_TAKEN,
    CONTRACT_UNKNOWN,
    FACTOR_UNKNOWN,
    NOT_OPERATOR,
    NOT_THIS_KIND,
    NOT_YOURS,
    PERIOD,
    REGION_TAKEN,
    REGION_UNKNOWN,
    SETTLED_ALREADY,
    TARIFF_UNKNOWN,
    TOO_MANY_CONTRACTS,
)
from wattproof.settlement.usage import usage_of
from wattproof.settlement.wallets import ROOM, demand_money

__all__ = [
    "MAX_CONTRACTS",
    "NOBODY",
    "accept_contract",
    "assign_tariff",
    "define_region",
    "find_region",
    "offer_contract",
    "operated",
    "publish_tariff",
]

MAX_CONTRACTS: Final = 16
"""Contracts of one meter at most, those that are over left out."""

NOBODY: Final = "(settlement)"
"""The issuer of a region's energy: no party can have this id, so nobody issues it by hand."""


def define_region(ctx: Context, body: DefineRegion) -> None:
    """Begin to settle a region: its pool, its energy, its factors."""
    region = check_region(body.region)
    found = ctx.state.get(REGIONS, region)
    if found is not None:
        raise REGION_TAKEN(region=region, operator=found.operator)
    demand_money(ctx, body.money)
    location_ug, residual_ug = (
        _factor_ug(ctx, name) for name in (body.location_factor, body.residual_factor)
    )
    record = Region(
        region=region,
        operator=ctx.actor.id,
        money=body.money,
        offset_s=body.offset_s,
        tolerance_wh=body.tolerance_wh,
        location_factor=body.location_factor,
        location_ug=location_ug,
        residual_factor=body.residual_factor,
        residual_ug=residual_ug,
        supply_tariff=check_id(body.supply_tariff),
        consumption_tariff=check_id(body.consumption_tariff),
        entry=ctx.index,
    )
    open_account(ctx, Account(id=record.pool, owner_kind="room", owner=ROOM))
    define_asset(ctx, Asset(id=record.energy, kind="energy", unit="Wh", issuer=NOBODY, decimals=3))
    # What a region takes from outside it is energy that its pool owes.
    put_balance(ctx, Balance(account=record.pool, asset=record.energy, overdraft=MAX_AMOUNT))
    ctx.state.put(REGIONS, record)
    ctx.emit(RegionDefined(region=region, operator=ctx.actor.id))


def publish_tariff(ctx: Context, body: PublishTariff) -> None:
    """Set the prices of a tariff from a time that is not settled yet."""
    region = operated(ctx, body.region)
    if (body.from_s + region.offset_s) % HOUR_S:
        raise PERIOD()
    versions = list(ctx.state.scan(TARIFFS, region.region, body.id))
    # Hours before the first version have no price, so nothing of them is settled by this tariff.
    if versions and versions[0].from_s <= body.from_s < region.settled_s:
        raise SETTLED_ALREADY(region=region.region, settled_s=region.settled_s)
    starts = [band.from_s for band in body.bands]
    if (
        starts[0]
        or any(start % HOUR_S for start in starts)
        or starts != sorted(dict.fromkeys(starts))
    ):
        raise BANDS()
    prices = []
    for hour in range(24):
        in_force = [band.price_ufen for band in body.bands if band.from_s <= hour * HOUR_S]
        prices.append(in_force[-1])
    ctx.state.put(
        TARIFFS,
        Tariff(
            region=region.region,
            id=check_id(body.id),
            from_s=body.from_s,
            prices_ufen=tuple(prices),
            entry=ctx.index,
        ),
    )
    ctx.emit(TariffPublished(region=region.region, tariff=body.id, from_s=body.from_s))


def assign_tariff(ctx: Context, body: AssignTariff) -> None:
    """Give a meter a tariff of its own, or none."""
    device = find_device(ctx, body.device)
    usage = _trading(ctx, device)
    region = operated(ctx, usage.region)
    if body.tariff and not any(ctx.state.scan(TARIFFS, region.region, body.tariff)):
        raise TARIFF_UNKNOWN(region=region.region, tariff=body.tariff)
    ctx.state.put(USAGE, replace(usage, tariff=body.tariff))
    ctx.emit(TariffAssigned(device=device.id, tariff=body.tariff or region.region))


def offer_contract(ctx: Context, body: OfferContract) -> None:
    """Offer energy from one's own meter to somebody else's."""
    if ctx.state.get(CONTRACTS, check_id(body.id)) is not None:
        raise CONTRACT_TAKEN(contract=body.id)
    supply = find_device(ctx, body.supply)
    consumption = find_device(ctx, body.consumption)
    if supply.owner != ctx.actor.id:
        raise NOT_YOURS(device=supply.id, party=ctx.actor.id)
    region = _trading(ctx, supply, "supply").region
    if _trading(ctx, consumption, "consumption").region != region:
        raise NOT_THIS_KIND(device=consumption.id, kind="consumption")
    offset_s = find_region(ctx, region).offset_s
    if body.to_s <= body.from_s or any(
        (time_s + offset_s) % HOUR_S for time_s in (body.from_s, body.to_s)
    ):
        raise PERIOD()
    _check_price(ctx, region, body)
    ctx.state.put(
        CONTRACTS,
        Bilateral(
            id=body.id,
            region=region,
            supplier=ctx.actor.id,
            consumer=consumption.owner,
            supply=supply.number,
            consumption=consumption.number,
            wh_per_hour=body.wh_per_hour,
            price_ufen=body.price_ufen,
            from_s=body.from_s,
            to_s=body.to_s,
            offered_entry=ctx.index,
        ),
    )
    ctx.emit(ContractOffered(contract=body.id, supplier=ctx.actor.id, consumer=consumption.owner))


def accept_contract(ctx: Context, body: AcceptContract) -> None:
    """Accept what was offered to a meter of one's own."""
    found = ctx.state.get(CONTRACTS, body.id)
    if found is None or found.accepted_entry >= 0 or found.consumer != ctx.actor.id:
        raise CONTRACT_UNKNOWN(contract=body.id)
    _check_price(ctx, found.region, found)
    for number in (found.supply, found.consumption):
        usage = ctx.state.get(USAGE, number)
        assert usage is not None, f"contract {body.id} is of meters that trade"
        if usage.region != found.region:
            raise NOT_THIS_KIND(device=usage.device, kind=usage.kind)
        if usage.settled_s > found.from_s:
            raise SETTLED_ALREADY(region=found.region, settled_s=usage.settled_s)
        contracts = _not_over(ctx, usage)
        if len(contracts) >= MAX_CONTRACTS:
            raise TOO_MANY_CONTRACTS(device=usage.device, limit=MAX_CONTRACTS)
        ctx.state.put(USAGE, replace(usage, contracts=(*contracts, found.id)))
    ctx.state.put(CONTRACTS, replace(found, accepted_entry=ctx.index))
    ctx.emit(ContractAccepted(contract=found.id, supplier=found.supplier, consumer=found.consumer))


def _check_price(ctx: Context, region_id: str, contract: OfferContract | Bilateral) -> None:
    """A contract's price lies between what the region buys for at its cheapest and what it sells
    for at its dearest in that time.

    Either meter is settled by itself: what one has of the contract and the other has not comes out
    of the pool, or goes into it. With any price a supplier could sell dear to a meter that uses
    nothing, and a consumer buy for nothing from one that supplies nothing, at the cost of all.
    """
    region = find_region(ctx, region_id)
    bought, sold = (
        _prices_within(ctx, region, tariff, contract.from_s, contract.to_s)
        for tariff in (region.supply_tariff, region.consumption_tariff)
    )
    low, high = sorted((min(bought), max(sold)))
    if not low <= contract.price_ufen <= high:
        raise CONTRACT_PRICE(contract=contract.id, low=low, high=high, price=contract.price_ufen)


def _prices_within(ctx: Context, region: Region, tariff: str, from_s: int, to_s: int) -> list[int]:
    """All prices that a tariff has in a period, as far as they are published."""
    versions = [one for one in ctx.state.scan(TARIFFS, region.region, tariff) if one.from_s < to_s]
    if not versions:
        raise TARIFF_UNKNOWN(region=region.region, tariff=tariff)
    before = [one for one in versions if one.from_s <= from_s][:-1]
    return [price for one in versions[len(before) :] for price in one.prices_ufen]


def _not_over(ctx: Context, usage: Usage) -> tuple[str, ...]:
    """The meter's contracts that may still hold for something that it reports."""
    first_s = usage.start_s if usage.hours_wh else usage.settled_s - HOUR_S
    found = [(id_, ctx.state.get(CONTRACTS, id_)) for id_ in usage.contracts]
    return tuple(id_ for id_, contract in found if contract and contract.to_s > first_s)


def find_region(ctx: Context, id_: str) -> Region:
    """The region, or ``settlement.region_unknown``."""
    found = ctx.state.get(REGIONS, id_)
    if found is None:
        raise REGION_UNKNOWN(region=id_)
    return found


def operated(ctx: Context, id_: str) -> Region:
    """The region, if the signer settles it."""
    region = find_region(ctx, id_)
    if region.operator != ctx.actor.id:
        raise NOT_OPERATOR(region=id_, operator=region.operator, party=ctx.actor.id)
    return region


def _trading(ctx: Context, device: Device, kind: Kind | None = None) -> Usage:
    """What a meter trades; it must measure what is traded, in a region that is settled."""
    wanted = kind or QUANTITIES.get(device.quantity)
    if wanted is None or QUANTITIES.get(device.quantity) != wanted:
        raise NOT_THIS_KIND(device=device.id, kind=kind or "electricity.import")
    usage = usage_of(ctx, device)
    if usage is None:
        raise NOT_THIS_KIND(device=device.id, kind=wanted)
    ctx.state.put(USAGE, usage)
    return usage


def _factor_ug(ctx: Context, name: str) -> int:
    found = factor(ctx.state, *split_name(name))
    if found is None or found.stated.quantity != "electricity":
        raise FACTOR_UNKNOWN(factor=name)
    return found.stated.value_ug
