"""The pages of bilateral contracts between a supplying and a consuming meter.

GET  /settlement/contracts                those the visitor may see, and the form for an offer
POST /settlement/contracts                shows what will be signed: an offer
GET  /settlement/contracts/{id}           one contract, and what it does
POST /settlement/contracts/{id}/accept    shows what will be signed: that it is accepted
"""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, QueryParameter
from litestar.response import Response

from wattproof.console.filled import Filled
from wattproof.console.frame import Frame
from wattproof.console.rehearsal import Rehearsal
from wattproof.console.sign_in import form_checked
from wattproof.console.signing import Signer
from wattproof.console.visitor import Visitor, now_s
from wattproof.core.actor import Actor
from wattproof.core.codes import check_id
from wattproof.core.errors import Lang, Refused
from wattproof.gateway.access import may_see, require_sight
from wattproof.gateway.reading import Asker, Ledger
from wattproof.identity.model import DEVICES
from wattproof.identity.queries import device as device_of
from wattproof.identity.queries import device_by_number
from wattproof.ledger.state import Reading
from wattproof.ledger.store import Store
from wattproof.settlement.local_clock import LocalClock
from wattproof.settlement.model import DAY_S, AcceptContract
from wattproof.settlement.price_chart import PRICE_UNITS
from wattproof.settlement.price_text import PLACES, price_text
from wattproof.settlement.queries import contract_of, contracts_of
from wattproof.settlement.records import CONTRACTS, REGIONS, USAGE, Bilateral, day_of
from wattproof.settlement.refusals import NOT_THIS_KIND
from wattproof.settlement.sight import operates, operator_of, parties_of_contract
from wattproof.settlement.tariff_forms import ABOUT_FIELDS, HOURS, offer_body
from wattproof.settlement.wallets import DAY_OFFSET_S

__all__ = ["ContractView", "pages"]

PER_PAGE: Final = 50
LOOKED_AT: Final = 2_000
"""Contracts that are looked at for one page of what a region's operator sees."""
MAX_METERS: Final = 200
"""Meters of one's own that the form for an offer names."""

Text = Annotated[str, QueryParameter(max_length=64)]


class ContractView(msgspec.Struct, frozen=True, kw_only=True):
    """A contract as pages show it: its meters by their ids, its price, where it is in its life."""

    contract: Bilateral
    supply: str
    consumption: str
    price: str
    state: str
    clock: LocalClock


@get("/settlement/contracts", include_in_schema=False)
async def list_contracts(
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    actor: Asker,
    after: Text = "",
) -> Response[Any]:
    """The contracts that the visitor may see: one's own, those of one's region, or all."""
    return _list(frame, visitor, ledger, actor, after, Filled())


@post("/settlement/contracts", include_in_schema=False)
async def offer(
    request: Request[Any, Any, Any],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    signer: NamedDependency[Signer],
    rehearsal: NamedDependency[Rehearsal],
    ledger: Ledger,
    actor: Asker,
) -> Response[Any]:
    """Show what will be signed, or the form again with what is wrong."""
    form = await Filled.of(request)
    form_checked(request, visitor, form["csrf"])
    try:
        offset_s = form.take("supply", lambda text: _offset_s(ledger, check_id(text)))
        body = offer_body(form, offset_s=offset_s or 0)
        rehearsal.check(visitor, body)
    except Refused as refusal:
        form.refused(refusal, {**ABOUT_FIELDS, "settlement.not_yours": "supply"})
        return _list(frame, visitor, ledger, actor, "", form)
    return signer.draft(visitor, body, back="/settlement/contracts")


@get("/settlement/contracts/{contract_id:str}", include_in_schema=False)
async def show_contract(
    contract_id: FromPath[str],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    actor: Asker,
) -> Response[Any]:
    """One contract."""
    return _contract(frame, visitor, ledger, _seen(ledger, actor, contract_id))


@post("/settlement/contracts/{contract_id:str}/accept", include_in_schema=False)
async def accept(
    request: Request[Any, Any, Any],
    contract_id: FromPath[str],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    signer: NamedDependency[Signer],
    rehearsal: NamedDependency[Rehearsal],
    ledger: Ledger,
    actor: Asker,
) -> Response[Any]:
    """Show what will be signed, or the contract again with why it cannot be accepted."""
    form = await Filled.of(request)
    form_checked(request, visitor, form["csrf"])
    contract = _seen(ledger, actor, contract_id)
    body = AcceptContract(id=contract.id)
    try:
        rehearsal.check(visitor, body)
    except Refused as refusal:
        return _contract(frame, visitor, ledger, contract, form.refused(refusal))
    return signer.draft(visitor, body, back=f"/settlement/contracts/{contract.id}")


def pages() -> list[HTTPRouteHandler]:
    """The handlers."""
    return [list_contracts, offer, show_contract, accept]


def _seen(ledger: Reading, actor: Actor, id_: str) -> Bilateral:
    """The contract, if `actor` may see it; else the same answer as if there were none."""
    found = ledger.get(CONTRACTS, id_)
    require_sight(actor, () if found is None else parties_of_contract(ledger, found))
    return contract_of(ledger, id_[:64]) if found is None else found


def _offset_s(ledger: Reading, meter: str) -> int:
    """How far the clock of the meter's region is ahead of UTC."""
    device = device_of(ledger, meter)
    usage = ledger.get(USAGE, device.number)
    region = ledger.get(REGIONS, device.region if usage is None else usage.region)
    if region is None:
        raise NOT_THIS_KIND(device=meter, kind="supply")
    return region.offset_s


def _list(
    frame: Frame, visitor: Visitor, ledger: Store, actor: Actor, after: str, form: Filled
) -> Response[Any]:
    """The list; `form` is that of an offer."""
    with ledger.snapshot():
        found, following = _page(ledger, actor, after)
        views = [_view(ledger, one, visitor.lang) for one in found]
    offers = visitor.signed_in and visitor.has_role("supplier")
    clock = LocalClock(offset_s=DAY_OFFSET_S, lang=visitor.lang)
    tomorrow_s = day_of(now_s(), clock.offset_s) + DAY_S
    return frame.page(
        visitor,
        "settlement/contracts.html",
        status=form.status,
        views=views,
        following=following,
        after=after,
        price_unit=PRICE_UNITS[visitor.lang],
        places=PLACES,
        offers=offers,
        supplying=_supplying(ledger, actor) if offers else [],
        hour_choices=[(hour, hour) for hour in HOURS],
        first_day=clock.date_field(tomorrow_s),
        form=form,
    )


def _page(ledger: Store, actor: Actor, after: str) -> tuple[list[Bilateral], str]:
    """The contracts of a page, and the id behind which the next one begins."""
    wide = may_see(actor, ()) or operates(ledger, actor.id)
    found: list[Bilateral] = []
    behind, looked_at = after or None, 0
    while looked_at < LOOKED_AT:
        party = None if wide else actor.id
        some = contracts_of(ledger, party, after=behind, limit=PER_PAGE + 1)
        looked_at += len(some)
        for one in some:
            behind = one.id
            if may_see(actor, parties_of_contract(ledger, one)):
                found.append(one)
            if len(found) == PER_PAGE:
                return found, "" if one is some[-1] and len(some) <= PER_PAGE else behind
        if len(some) <= PER_PAGE:
            return found, ""
    return found, behind or ""


def _supplying(ledger: Store, actor: Actor) -> list[str]:
    """Meters of the visitor's own that supply."""
    devices = ledger.page(DEVICES, "owner", (actor.id,), after=None, limit=MAX_METERS)
    return [one.id for one in devices if one.quantity == "electricity.export" and one.region]


def _view(ledger: Reading, contract: Bilateral, lang: Lang) -> ContractView:
    region = ledger.get(REGIONS, contract.region)
    assert region is not None, f"contract {contract.id} is of a region that is settled"
    return ContractView(
        contract=contract,
        supply=device_by_number(ledger, contract.supply).id,
        consumption=device_by_number(ledger, contract.consumption).id,
        price=price_text(contract.price_ufen),
        state=_state(contract),
        clock=LocalClock(offset_s=region.offset_s, lang=lang),
    )


def _state(contract: Bilateral) -> str:
    """Offered, accepted (but not in force yet), in force, or over."""
    if contract.accepted_entry < 0:
        return "offered"
    now = now_s()
    if now < contract.from_s:
        return "accepted"
    return "in_force" if now < contract.to_s else "over"


def _contract(
    frame: Frame,
    visitor: Visitor,
    ledger: Store,
    contract: Bilateral,
    form: Filled | None = None,
) -> Response[Any]:
    party = visitor.actor.id if visitor.signed_in else ""
    operator = operator_of(ledger, contract.region)
    return frame.page(
        visitor,
        "settlement/contract.html",
        status=form.status if form else 200,
        form=form or Filled(),
        view=_view(ledger, contract, visitor.lang),
        contract=contract,
        price_unit=PRICE_UNITS[visitor.lang],
        accepts=contract.accepted_entry < 0 and contract.consumer == party,
        meters_seen={
            "supply": may_see(visitor.actor, [contract.supplier, operator]),
            "consumption": may_see(visitor.actor, [contract.consumer, operator]),
        },
        entries_seen={
            "offered": may_see(visitor.actor, [contract.supplier, contract.consumer]),
            "accepted": may_see(visitor.actor, [contract.consumer]),
        },
    )
