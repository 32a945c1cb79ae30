"""The pages of tariffs: every reader sees them, who settles the region publishes and assigns them.

GET  /settlement/tariffs                        the tariffs of a region
GET  /settlement/tariffs/{region}/prices/{id}   one tariff: its versions, and the day of one of them
GET  /settlement/tariffs/{region}/publish       the form for a tariff, filled in where asked
POST /settlement/tariffs/{region}/publish       shows what will be signed
POST /settlement/tariffs/{region}/assign        shows what will be signed
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, QueryParameter
from litestar.response import Response

from wattproof.console.filled import Filled
from wattproof.console.frame import Frame
from wattproof.console.i18n import marked
from wattproof.console.rehearsal import Rehearsal
from wattproof.console.sign_in import form_checked
from wattproof.console.signing import Signer
from wattproof.console.visitor import Visitor, now_s
from wattproof.core.errors import Refused
from wattproof.gateway.reading import Ledger
from wattproof.ledger.store import Store
from wattproof.settlement.local_clock import LocalClock
from wattproof.settlement.model import DAY_S, HOUR_S, KINDS, Kind
from wattproof.settlement.price_chart import PRICE_UNITS, PriceChart
from wattproof.settlement.price_text import PLACES, bands_of, price_text
from wattproof.settlement.queries import region_of, regions, tariffs_of
from wattproof.settlement.records import Region, Tariff, day_of
from wattproof.settlement.refusals import TARIFF_UNKNOWN
from wattproof.settlement.tariff_forms import (
    ABOUT_FIELDS,
    HOURS,
    ROWS,
    assign_body,
    publish_body,
    rows_of,
)

__all__ = ["TariffRow", "pages"]

Text = Annotated[str, QueryParameter(max_length=64)]
At = Annotated[int | None, QueryParameter(name="from", ge=0, le=2**53)]


class TariffRow(msgspec.Struct, frozen=True, kw_only=True):
    """A tariff in the list: what holds of it now, or will, and for which trades it is the rule."""

    tariff: Tariff
    lowest: str
    highest: str
    fixed: bool
    holds: bool
    versions: int
    kinds: tuple[Kind, ...]


@get("/settlement/tariffs", include_in_schema=False)
async def list_tariffs(
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    region: Text = "",
) -> Response[Any]:
    """The tariffs of a region, by id."""
    known = regions(ledger)
    if not known:
        return frame.page(visitor, "settlement/no_tariffs.html")
    own = [one.region for one in known if one.operator == visitor.actor.id]
    chosen = region or (own or [known[0].region])[0]
    return _list(frame, visitor, ledger, region_of(ledger, chosen), Filled())


@get("/settlement/tariffs/{region_id:str}/publish", include_in_schema=False)
async def new_tariff(
    region_id: FromPath[str],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    like: Text = "",
) -> Response[Any]:
    """The form for a tariff."""
    region = region_of(ledger, region_id[:64])
    return _form(frame, visitor, ledger, region, Filled(), like)


@post("/settlement/tariffs/{region_id:str}/publish", include_in_schema=False)
async def publish(
    request: Request[Any, Any, Any],
    region_id: FromPath[str],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    signer: NamedDependency[Signer],
    rehearsal: NamedDependency[Rehearsal],
    ledger: Ledger,
) -> Response[Any]:
    """Show what will be signed, or the form again with what is wrong."""
    form = await Filled.of(request)
    form_checked(request, visitor, form["csrf"])
    region = region_of(ledger, region_id[:64])
    try:
        body = publish_body(form, region=region.region, offset_s=region.offset_s)
        rehearsal.check(visitor, body)
    except Refused as refusal:
        return _form(frame, visitor, ledger, region, form.refused(refusal, ABOUT_FIELDS), "")
    return signer.draft(visitor, body, back=f"/settlement/tariffs?region={region.region}")


@post("/settlement/tariffs/{region_id:str}/assign", include_in_schema=False)
async def assign(
    request: Request[Any, Any, Any],
    region_id: FromPath[str],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    signer: NamedDependency[Signer],
    rehearsal: NamedDependency[Rehearsal],
    ledger: Ledger,
) -> Response[Any]:
    """Show what will be signed, or the tariffs again with what is wrong."""
    form = await Filled.of(request)
    form_checked(request, visitor, form["csrf"])
    region = region_of(ledger, region_id[:64])
    try:
        body = assign_body(form)
        rehearsal.check(visitor, body)
    except Refused as refusal:
        return _list(frame, visitor, ledger, region, form.refused(refusal, ABOUT_FIELDS))
    return signer.draft(visitor, body, back=f"/settlement/tariffs?region={region.region}")


@get("/settlement/tariffs/{region_id:str}/prices/{tariff_id:str}", include_in_schema=False)
async def show_tariff(
    region_id: FromPath[str],
    tariff_id: FromPath[str],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    at: At = None,
) -> Response[Any]:
    """One tariff; of its versions the one from `from` on, or the one in force now."""
    region = region_of(ledger, region_id[:64])
    versions = tariffs_of(ledger, region.region, tariff_id)
    if not versions:
        raise TARIFF_UNKNOWN(region=region.region, tariff=tariff_id[:64])
    holding = _holding(versions)
    chosen = next((one for one in versions if one.from_s == at), holding or versions[0])
    text = frame.text(visitor.lang)
    return frame.page(
        visitor,
        "settlement/tariff.html",
        region=region,
        clock=LocalClock(offset_s=region.offset_s, lang=visitor.lang),
        versions=versions[::-1],
        holding=holding,
        chosen=chosen,
        bands=[(first, end, price_text(ufen)) for first, end, ufen in bands_of(chosen.prices_ufen)],
        hours=[(hour, price_text(ufen)) for hour, ufen in enumerate(chosen.prices_ufen)],
        chart=PriceChart(
            title=text(marked("The prices of a day")),
            name=text(marked("Price")),
            prices_ufen=chosen.prices_ufen,
        ),
        price_unit=PRICE_UNITS[visitor.lang],
        operates=_operates(visitor, region),
        supply=region.supply_tariff == chosen.id,
        consumption=region.consumption_tariff == chosen.id,
    )


def pages() -> list[HTTPRouteHandler]:
    """The handlers."""
    return [list_tariffs, new_tariff, publish, assign, show_tariff]


def _list(
    frame: Frame, visitor: Visitor, ledger: Store, region: Region, form: Filled
) -> Response[Any]:
    """The tariffs of a region; `form` is that by which one is assigned."""
    by_id: dict[str, list[Tariff]] = {}
    for one in tariffs_of(ledger, region.region):
        by_id.setdefault(one.id, []).append(one)
    return frame.page(
        visitor,
        "settlement/tariffs.html",
        status=form.status,
        region=region,
        regions=[one.region for one in regions(ledger)],
        clock=LocalClock(offset_s=region.offset_s, lang=visitor.lang),
        rows=[_row(region, versions) for versions in by_id.values()],
        missing=[
            id_
            for id_ in dict.fromkeys((region.supply_tariff, region.consumption_tariff))
            if id_ not in by_id
        ],
        price_unit=PRICE_UNITS[visitor.lang],
        operates=_operates(visitor, region),
        form=form,
    )


def _form(
    frame: Frame, visitor: Visitor, ledger: Store, region: Region, form: Filled, like: str
) -> Response[Any]:
    """The form for a tariff; `like` is the id of one with which it begins."""
    clock = LocalClock(offset_s=region.offset_s, lang=visitor.lang)
    versions = tariffs_of(ledger, region.region, like) if like else []
    first = _first_rows(versions[-1]) if versions else {}
    begins_s = max(region.settled_s, day_of(now_s(), region.offset_s) + DAY_S)
    begins_s += -(begins_s + region.offset_s) % HOUR_S
    filled = [row for row in range(2, ROWS + 1) if form[f"from_{row}"] or form[f"price_{row}"]]
    open_rows = rows_of(versions[-1].prices_ufen if versions else None)
    return frame.page(
        visitor,
        "settlement/tariff_form.html",
        status=form.status,
        region=region,
        form=form,
        like=like if versions else "",
        first=first,
        open_rows=max([open_rows, *filled]),
        rows=ROWS,
        hour_choices=[(hour, hour) for hour in HOURS],
        clock=clock,
        begins_day=clock.date_field(begins_s),
        begins_hour=clock.hour_field(begins_s),
        price_unit=PRICE_UNITS[visitor.lang],
        places=PLACES,
        operates=_operates(visitor, region),
    )


def _first_rows(tariff: Tariff) -> dict[str, str]:
    """The fields of the form for a tariff that is there."""
    found = {}
    for row, (first, _, ufen) in enumerate(bands_of(tariff.prices_ufen), start=1):
        found[f"from_{row}"] = HOURS[first]
        found[f"price_{row}"] = price_text(ufen)
    return found


def _row(region: Region, versions: list[Tariff]) -> TariffRow:
    holding = _holding(versions)
    shown = holding or versions[0]
    return TariffRow(
        tariff=shown,
        lowest=price_text(min(shown.prices_ufen)),
        highest=price_text(max(shown.prices_ufen)),
        fixed=len(set(shown.prices_ufen)) == 1,
        holds=holding is not None,
        versions=len(versions),
        kinds=tuple(kind for kind in KINDS if shown.id == _default(region, kind)),
    )


def _default(region: Region, kind: Kind) -> str:
    return region.supply_tariff if kind == "supply" else region.consumption_tariff


def _holding(versions: list[Tariff]) -> Tariff | None:
    """The version that is in force now."""
    return next((one for one in reversed(versions) if one.from_s <= now_s()), None)


def _operates(visitor: Visitor, region: Region) -> bool:
    return visitor.signed_in and visitor.actor.id == region.operator
