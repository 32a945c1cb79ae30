"""The page of one's products and classes of vehicles, and the forms that define them."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.response import Response

from wattproof.console.filled import Filled
from wattproof.console.frame import Frame
from wattproof.console.rehearsal import Rehearsal
from wattproof.console.sign_in import form_checked
from wattproof.console.signing import Signer
from wattproof.console.visitor import Visitor
from wattproof.core.actor import Actor
from wattproof.core.errors import Lang, Refused
from wattproof.emissions.library import natural_value
from wattproof.emissions.logistics.forms import (
    ABOUT_FIELDS,
    QUANTITIES,
    UNCONFIRMED,
    product_body,
    vehicle_body,
)
from wattproof.emissions.logistics.model import (
    MODES,
    PRODUCTS,
    SCOPES,
    VEHICLES,
    Product,
    Vehicle,
)
from wattproof.emissions.logistics.words import MODE_WORDS, SCOPE_WORDS
from wattproof.emissions.model import FACTORS
from wattproof.gateway.access import may_see
from wattproof.gateway.reading import Asker, Ledger
from wattproof.ledger.state import Collection
from wattproof.ledger.store import Store

__all__ = ["model_pages", "shown_factor"]

MOST: Final = 500
"""Definitions of each kind that the page lists."""
OFFERED: Final = 400
"""Factors that the form proposes."""
PATH: Final = "/shipments/models"


@get(PATH, include_in_schema=False)
async def list_models(
    visitor: NamedDependency[Visitor], frame: NamedDependency[Frame], ledger: Ledger, actor: Asker
) -> Response[Any]:
    """The newest versions of the products and classes that the visitor may see."""
    return _page(frame, visitor, ledger, actor)


@post(f"{PATH}/product", include_in_schema=False)
async def define_product(
    request: Request[Any, Any, Any],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    signer: NamedDependency[Signer],
    rehearsal: NamedDependency[Rehearsal],
    ledger: Ledger,
    actor: Asker,
) -> Response[Any]:
    """Show what will be signed, or the page again with what is wrong."""
    form = await Filled.of(request)
    form_checked(request, visitor, form["csrf"])
    try:
        body = product_body(form)
        rehearsal.check(visitor, body)
    except Refused as refusal:
        form.refused(refusal, ABOUT_FIELDS)
        return _page(frame, visitor, ledger, actor, product=form)
    return signer.draft(visitor, body, back=PATH)


@post(f"{PATH}/vehicle", include_in_schema=False)
async def define_vehicle(
    request: Request[Any, Any, Any],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    signer: NamedDependency[Signer],
    rehearsal: NamedDependency[Rehearsal],
    ledger: Ledger,
    actor: Asker,
) -> Response[Any]:
    """Show what will be signed, or the page again with what is wrong."""
    form = await Filled.of(request)
    form_checked(request, visitor, form["csrf"])
    try:
        body = vehicle_body(form, reading=ledger)
        rehearsal.check(visitor, body)
    except Refused as refusal:
        form.refused(refusal, ABOUT_FIELDS)
        return _page(frame, visitor, ledger, actor, vehicle=form)
    return signer.draft(visitor, body, back=PATH)


def model_pages() -> list[HTTPRouteHandler]:
    """The handlers."""
    return [list_models, define_product, define_vehicle]


def shown_factor(value_ug: int, quantity: str) -> str:
    """A factor as people read it: ``0.07703 kgCO2e/t-km``."""
    text, unit = natural_value(value_ug, quantity)
    return f"{text} kgCO2e/{unit}"


def _page(
    frame: Frame,
    visitor: Visitor,
    ledger: Store,
    actor: Actor,
    *,
    product: Filled | None = None,
    vehicle: Filled | None = None,
) -> Response[Any]:
    products: dict[tuple[str, str], Product] = {
        (one.party, one.id): one for one in _seen(ledger, PRODUCTS, actor)
    }
    vehicles: dict[tuple[str, str], Vehicle] = {
        (one.party, one.id): one for one in _seen(ledger, VEHICLES, actor)
    }
    refused = next((form for form in (product, vehicle) if form is not None), None)
    lang = visitor.lang
    return frame.page(
        visitor,
        "logistics/models.html",
        status=refused.status if refused else 200,
        products=list(products.values()),
        vehicles=[(one, _confidence(ledger, one)) for one in vehicles.values()],
        several=may_see(actor, ()),
        value=shown_factor,
        product_form=product or Filled(),
        vehicle_form=vehicle or Filled(),
        scopes=[(scope, SCOPE_WORDS[scope][lang == "zh"]) for scope in SCOPES],
        modes=[(mode, MODE_WORDS[mode][lang == "zh"]) for mode in MODES],
        quantities=list(QUANTITIES.items()),
        factors=_offered(ledger, lang),
        unconfirmed=UNCONFIRMED,
    )


def _seen(ledger: Store, collection: Collection[Any], actor: Actor) -> list[Any]:
    values = () if may_see(actor, ()) else (actor.id,)
    return ledger.page(collection, values=values, after=None, limit=MOST)


def _confidence(ledger: Store, vehicle: Vehicle) -> str:
    factor = ledger.get(FACTORS, vehicle.factor, vehicle.factor_version) if vehicle.factor else None
    return "" if factor is None else factor.stated.confidence


def _offered(ledger: Store, lang: Lang) -> list[tuple[str, str]]:
    """Factors of the ledger that fit a class of vehicles, with their names."""
    found = [factor for factor in ledger.scan(FACTORS) if factor.stated.quantity in QUANTITIES]
    return [
        (f"{one.id}@{one.version}", one.stated.name_zh if lang == "zh" else one.stated.name_en)
        for one in found[:OFFERED]
    ]
