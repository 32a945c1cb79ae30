"""The pages of emission factors: the library, one factor, publishing and assigning.

    GET  /factors                what has been published, filtered and searched
    GET  /factors/new            the form for a factor, or for the next version of one
    POST /factors/new            shows what will be signed
    GET  /factors/{id}           one factor: its versions, its source, the meters that use it
    GET  /factors/{id}/assign    the form that puts it in force for a meter
    POST /factors/{id}/assign    shows what will be signed

Factors are public knowledge; the meters that use one are shown to those who may see them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Any, Final
from weakref import WeakKeyDictionary

import msgspec
from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, QueryParameter
from litestar.response import Response

from wattproof.console.filled import Filled
from wattproof.console.frame import Frame, NavItem
from wattproof.console.i18n import marked, region_label
from wattproof.console.rehearsal import Rehearsal
from wattproof.console.sign_in import form_checked
from wattproof.console.signing import Signer
from wattproof.console.visitor import Visitor
from wattproof.core.actor import Actor
from wattproof.core.errors import ErrorCode, Lang, Refused, Unauthorised, WattProofError
from wattproof.core.units import FAMILIES, family
from wattproof.emissions.factor_forms import (
    CONFIDENCES,
    GASES,
    GRID_REGIONS,
    KINDS,
    LEVELS,
    UNCONFIRMED,
    assignment_of,
    may_assign,
    publication_of,
    reported_until,
    stated_fields,
)
from wattproof.emissions.library import natural_value
from wattproof.emissions.model import ASSIGNMENTS, FACTORS, UNITY_ID, Assignment, Factor
from wattproof.emissions.queries import assignments_of, latest_factor
from wattproof.gateway.access import may_see
from wattproof.gateway.reading import Asker, Cursor, Ledger, Page, page_with
from wattproof.identity.model import DEVICES, Device
from wattproof.identity.queries import device_by_number
from wattproof.ledger.store import Store

__all__ = ["FACTOR_NAV", "factor_pages", "region_name", "shown_value"]

PER_PAGE: Final = 50
METERS_OFFERED: Final = 200
"""Meters that the form for assigning offers; any other can be typed in."""
PUBLISHER: Final = "factor_authority"

FACTOR_NAV: Final = (NavItem(path="/factors", text=marked("Factors"), icon="leaf", order=60),)

NOT_PUBLISHER = ErrorCode(
    Unauthorised,
    "emissions.not_publisher",
    en="Only a factor authority publishes emission factors.",
    zh="只有排放因子发布机构可以发布排放因子。",
)

Filter = Annotated[str, QueryParameter(max_length=64)]
Search = Annotated[str, QueryParameter(max_length=100)]


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """What the library is filtered by; empty means everything."""

    q: str = ""
    set: str = ""
    quantity: str = ""
    region: str = ""
    year: str = ""

    @property
    def any(self) -> bool:
        """Whether anything is left out."""
        return self != Chosen()


class Facets(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to filter by."""

    sets: tuple[str, ...]
    quantities: tuple[str, ...]
    regions: tuple[str, ...]
    years: tuple[int, ...]


@get("/factors", include_in_schema=False)
async def list_factors(
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    cursor: Cursor = None,
    q: Search = "",
    set: Filter = "",  # noqa: A002
    quantity: Filter = "",
    region: Filter = "",
    year: Filter = "",
) -> Response[Any]:
    """The newest version of each factor to which all the filters apply."""
    chosen = Chosen(q=q.strip(), set=set, quantity=quantity, region=region, year=year)
    page = page_with(
        ledger,
        FACTORS,
        cursor=cursor,
        limit=PER_PAGE,
        show=lambda factor: factor,
        keep=_keeper(ledger, frame, chosen),
    )
    return frame.page(
        visitor,
        "emissions/factors.html",
        page=page,
        chosen=chosen,
        facets=_facets(ledger),
        first=cursor is None,
        value=shown_value,
        place=_place(visitor.lang),
        unconfirmed=UNCONFIRMED,
    )


@get("/factors/new", include_in_schema=False)
async def new_factor(
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    of: Filter = "",
) -> Response[Any]:
    """The form; filled in with the present version of the factor `of`, where one is named."""
    _require_publisher(visitor)
    form = Filled(stated_fields(latest_factor(ledger, of)) if of else {})
    return _factor_form(frame, visitor, ledger, form)


@post("/factors/new", include_in_schema=False)
async def publish_factor(
    request: Request[Any, Any, Any],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    signer: NamedDependency[Signer],
    rehearsal: NamedDependency[Rehearsal],
) -> Response[Any]:
    """Show what will be signed, or the form again with what is wrong with it."""
    form = await Filled.of(request)
    form_checked(request, visitor, form["csrf"])
    _require_publisher(visitor)
    try:
        body = publication_of(form)
        rehearsal.check(visitor, body)
    except Refused as refusal:
        return _factor_form(frame, visitor, ledger, form.refused(refusal))
    return signer.draft(visitor, body, back="/factors")


@get("/factors/{factor_id:str}", include_in_schema=False)
async def show_factor(
    factor_id: FromPath[str],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    actor: Asker,
    cursor: Cursor = None,
) -> Response[Any]:
    """One factor."""
    factor = latest_factor(ledger, factor_id[:64])
    versions = list(ledger.scan(FACTORS, factor.id))
    return frame.page(
        visitor,
        "emissions/factor.html",
        factor=factor,
        stated=factor.stated,
        versions=list(reversed(versions)),
        uses=_uses(ledger, actor, factor.id, cursor),
        first=cursor is None,
        value=shown_value,
        place=_place(visitor.lang),
        publishes=visitor.has_role(PUBLISHER),
        assigns=visitor.signed_in and _can_be_assigned(factor),
        unconfirmed=UNCONFIRMED,
    )


@get("/factors/{factor_id:str}/assign", include_in_schema=False)
async def show_assignment(
    factor_id: FromPath[str],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    actor: Asker,
    meter: Filter = "",
) -> Response[Any]:
    """The form that puts a factor in force for a meter."""
    factor = latest_factor(ledger, factor_id[:64])
    form = Filled({"device": meter} if meter else {})
    return _assign_form(frame, visitor, ledger, actor, factor, form)


@post("/factors/{factor_id:str}/assign", include_in_schema=False)
async def assign_factor(
    factor_id: FromPath[str],
    request: Request[Any, Any, Any],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    actor: Asker,
    signer: NamedDependency[Signer],
    rehearsal: NamedDependency[Rehearsal],
) -> Response[Any]:
    """Show what will be signed, or the form again with what is wrong with it."""
    form = await Filled.of(request)
    form_checked(request, visitor, form["csrf"])
    factor = latest_factor(ledger, factor_id[:64])
    try:
        body = assignment_of(ledger, factor, form, actor=actor)
        rehearsal.check(visitor, body)
    except Refused as refusal:
        return _assign_form(frame, visitor, ledger, actor, factor, form.refused(refusal))
    return signer.draft(visitor, body, back=f"/factors/{factor.id}")


def factor_pages() -> list[HTTPRouteHandler]:
    """The handlers."""
    return [
        list_factors,
        new_factor,
        publish_factor,
        show_factor,
        show_assignment,
        assign_factor,
    ]


def shown_value(factor: Factor) -> str:
    """A factor's value as people compare it: ``0.5306 kgCO2/kWh``."""
    stated = factor.stated
    text, unit = natural_value(stated.value_ug, stated.quantity)
    return f"{text} kg{stated.gas}/{unit}"


def region_name(code: str, lang: Lang) -> str:
    """What people call the place of a factor; its code where it has no name."""
    if code in GRID_REGIONS:
        return GRID_REGIONS[code][lang == "zh"]
    try:
        return region_label(code, lang)
    except WattProofError:
        return code


def _place(lang: Lang) -> Callable[[str], str]:
    return lambda code: region_name(code, lang) if code else "–"


def _require_publisher(visitor: Visitor) -> None:
    if not visitor.has_role(PUBLISHER):
        raise NOT_PUBLISHER()


def _can_be_assigned(factor: Factor) -> bool:
    """What is CO2 already is counted as it is: such a factor fits no meter."""
    return factor.id != UNITY_ID and family(factor.stated.quantity) != "co2"


def _factor_form(frame: Frame, visitor: Visitor, ledger: Store, form: Filled) -> Response[Any]:
    lang = visitor.lang
    return frame.page(
        visitor,
        "emissions/factor_form.html",
        status=form.status,
        form=form,
        families=[(name, kind.zh if lang == "zh" else kind.en) for name, kind in FAMILIES.items()],
        set_options=_options(frame, "set", _facets(ledger).sets, lang),
        kind_options=_options(frame, "kind", KINDS, lang),
        level_options=_options(frame, "level", LEVELS, lang),
        confidence_options=[
            ("", "–"),
            *_options(frame, "confidence", CONFIDENCES, lang),
        ],
        gases=[(gas, gas) for gas in GASES],
        grids=[(code, names[lang == "zh"]) for code, names in GRID_REGIONS.items()],
    )


def _options(frame: Frame, field: str, values: Sequence[str], lang: Lang) -> list[tuple[str, str]]:
    return [(value, frame.words.value(field, value, lang)) for value in values]


def _assign_form(
    frame: Frame,
    visitor: Visitor,
    ledger: Store,
    actor: Actor,
    factor: Factor,
    form: Filled,
) -> Response[Any]:
    offered = _offered(ledger, actor, factor)
    return frame.page(
        visitor,
        "emissions/factor_assign.html",
        status=form.status,
        factor=factor,
        value=shown_value(factor),
        form=form,
        offered=[(found, reported_until(ledger, found)) for found in offered],
        typed=len(offered) == METERS_OFFERED,
        unconfirmed=factor.stated.confidence == UNCONFIRMED,
    )


def _keeper(ledger: Store, frame: Frame, chosen: Chosen) -> Callable[[Factor], bool]:
    wanted = chosen.q.casefold().split()

    def keep(factor: Factor) -> bool:
        stated = factor.stated
        if (
            (chosen.set and stated.set != chosen.set)
            or (chosen.quantity and family(stated.quantity) != chosen.quantity)
            or (chosen.region and stated.region != chosen.region)
            or (chosen.year and str(stated.data_year) != chosen.year)
        ):
            return False
        if wanted:
            text = _searched(frame, factor)
            if not all(word in text for word in wanted):
                return False
        return ledger.get(FACTORS, factor.id, factor.version + 1) is None

    return keep


def _searched(frame: Frame, factor: Factor) -> str:
    """All the text of a factor, in both languages."""
    stated = factor.stated
    both: tuple[Lang, Lang] = ("en", "zh")
    words = [
        word
        for lang in both
        for word in (
            frame.words.value("set", stated.set, lang),
            region_name(stated.region, lang) if stated.region else "",
        )
    ]
    parts = (stated.id, stated.name_en, stated.name_zh, stated.source, str(stated.data_year))
    return " ".join((*parts, *words)).casefold()


_FACETS: Final[WeakKeyDictionary[Store, tuple[int, Facets]]] = WeakKeyDictionary()


def _facets(ledger: Store) -> Facets:
    """What there is to filter by, gathered again when there are more factors: none ever goes."""
    count = sum(1 for _ in ledger.columns(FACTORS))
    known = _FACETS.get(ledger)
    if known is None or known[0] != count:
        known = _FACETS[ledger] = (count, _gathered(ledger))
    return known[1]


def _gathered(ledger: Store) -> Facets:
    stated = [factor.stated for factor in ledger.scan(FACTORS)]
    families = {family(one.quantity) for one in stated}
    return Facets(
        sets=tuple(sorted({one.set for one in stated})),
        quantities=tuple(name for name in FAMILIES if name in families),
        regions=tuple(sorted({one.region for one in stated if one.region})),
        years=tuple(sorted({one.data_year for one in stated if one.data_year}, reverse=True)),
    )


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """A meter that has the factor, and from when to when."""

    device: Device
    assignment: Assignment


def _uses(ledger: Store, actor: Actor, factor: str, cursor: str | None) -> Page[Use]:
    """The assignments of a factor to meters that `actor` may see, a page of them."""
    if may_see(actor, ()):
        return page_with(
            ledger,
            ASSIGNMENTS,
            "factor",
            (factor,),
            cursor=cursor,
            limit=PER_PAGE,
            show=lambda found: Use(device=device_by_number(ledger, found.number), assignment=found),
        )
    page = page_with(
        ledger,
        DEVICES,
        "owner",
        (actor.id,),
        cursor=cursor,
        limit=PER_PAGE,
        show=_as_it_is,
        keep=lambda device: any(_of(ledger, device, factor)),
    )
    uses = (
        Use(device=device, assignment=found)
        for device in page.items
        for found in _of(ledger, device, factor)
    )
    return Page(items=tuple(uses), next=page.next)


def _as_it_is(device: Device) -> Device:
    return device


def _of(ledger: Store, device: Device, factor: str) -> Iterator[Assignment]:
    return (found for found in assignments_of(ledger, device.number) if found.factor == factor)


def _offered(ledger: Store, actor: Actor, factor: Factor) -> tuple[Device, ...]:
    """Meters that the factor fits and to which `actor` may assign it, at most `METERS_OFFERED`."""
    applies, sees_all = factor.stated.quantity, may_see(actor, ())
    page = page_with(
        ledger,
        DEVICES,
        None if sees_all else "owner",
        () if sees_all else (actor.id,),
        cursor=None,
        limit=METERS_OFFERED,
        show=_as_it_is,
        keep=lambda device: (
            applies in (family(device.quantity), device.quantity)
            and device.status not in ("suspended", "revoked")
            and may_assign(actor, device)
        ),
    )
    return page.items
