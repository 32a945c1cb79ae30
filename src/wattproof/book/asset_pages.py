"""The pages of assets: what there is, whether it adds up, and what its issuer does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final, TypeVar

import msgspec
from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.response import Response

from wattproof.book import queries
from wattproof.book.account_pages import shown_holding
from wattproof.book.amounts import in_shown_unit, shown_amount, shown_unit
from wattproof.book.forms import (
    ABOUT_FIELDS,
    DECIMALS,
    define_body,
    issue_body,
    overdraft_body,
)
from wattproof.book.model import (
    ASSETS,
    BALANCES,
    KINDS,
    MAX_MEMO,
    Asset,
    Balance,
    DefineAsset,
    issue_account,
    retired_account,
)
from wattproof.book.refusals import NO_ACTION
from wattproof.book.statement import Statement, statement
from wattproof.console.filled import Filled
from wattproof.console.frame import Frame
from wattproof.console.rehearsal import Rehearsal
from wattproof.console.sign_in import form_checked
from wattproof.console.signing import Signer
from wattproof.console.visitor import Visitor
from wattproof.core.errors import Lang, Refused
from wattproof.gateway.access import may_see
from wattproof.gateway.reading import Cursor, Ledger, Long, page_with
from wattproof.ledger.store import Store
from wattproof.ledger.transaction import Body

__all__ = ["handlers"]

PER_PAGE: Final = 50
ISSUES_PER_PAGE: Final = 20
R = TypeVar("R")

ADDED_AT_ONCE: Final = 5_000
"""Balances that are added up whenever the page is shown; more of them only when asked for."""


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Where all of an asset is, as pages show it. `sum` is empty where it was not added up.

    `circulating` is then what it must be: what was issued and is not retired.
    """

    asset: Asset
    unit: str
    issued: str
    retired: str
    circulating: str
    sum: str
    whole: bool


@get("/assets", include_in_schema=False)
async def list_assets(
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    long_reads: Long,
    cursor: Cursor = None,
    add: FromQuery[bool] = False,
) -> Response[Any]:
    """Every asset, and whether what there is of it adds up."""
    sums: dict[str, int] | None = None
    if add or _few(ledger):
        sums = await long_reads.run(lambda: _sums(ledger))
    return _list(frame, visitor, ledger, Filled(), cursor=cursor, sums=sums)


@post("/assets", include_in_schema=False)
async def define_asset(
    request: Request[Any, Any, Any],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    signer: NamedDependency[Signer],
    rehearsal: NamedDependency[Rehearsal],
    ledger: Ledger,
) -> Response[Any]:
    """Show what will be signed, or the list again with what is wrong."""
    form = await Filled.of(request)
    form_checked(request, visitor, form["csrf"])
    try:
        body = define_body(form)
        rehearsal.check(visitor, body)
    except Refused as refusal:
        return _list(frame, visitor, ledger, form.refused(refusal, ABOUT_FIELDS))
    return signer.draft(visitor, body, back="/assets")


@get("/assets/{asset_id:str}", include_in_schema=False)
async def show_asset(
    asset_id: FromPath[str],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    cursor: Cursor = None,
    start: Annotated[int | None, QueryParameter(ge=0, le=2**62)] = None,
) -> Response[Any]:
    """One asset: who issues it, how much there is, and who holds it, for those who may see."""
    with ledger.snapshot():
        asset = queries.asset(ledger, asset_id)
        return _asset(frame, visitor, ledger, asset, cursor=cursor, start=start)


@post("/assets/{asset_id:str}/{action:str}", include_in_schema=False)
async def act_on_asset(
    request: Request[Any, Any, Any],
    asset_id: FromPath[str],
    action: FromPath[str],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    signer: NamedDependency[Signer],
    rehearsal: NamedDependency[Rehearsal],
    ledger: Ledger,
) -> Response[Any]:
    """Show what will be signed, or the asset again with what is wrong."""
    form = await Filled.of(request)
    form_checked(request, visitor, form["csrf"])
    asset = queries.asset(ledger, asset_id)
    make = _ACTIONS.get(action)
    if make is None:
        raise NO_ACTION(action=action[:40])
    try:
        body = make(form, asset)
        rehearsal.check(visitor, body)
    except Refused as refusal:
        form.refused(in_shown_unit(refusal, asset), ABOUT_FIELDS)
        return _asset(frame, visitor, ledger, asset, action=action, form=form)
    return signer.draft(visitor, body, back=f"/assets/{asset.id}")


def handlers() -> list[HTTPRouteHandler]:
    """The handlers."""
    return [list_assets, define_asset, show_asset, act_on_asset]


_ACTIONS: Final[dict[str, Callable[[Filled, Asset], Body]]] = {
    "issue": lambda form, asset: issue_body(form, asset=asset),
    "overdraft": lambda form, asset: overdraft_body(form, asset=asset),
}


def _list(
    frame: Frame,
    visitor: Visitor,
    ledger: Store,
    form: Filled,
    *,
    cursor: str | None = None,
    sums: dict[str, int] | None = None,
) -> Response[Any]:
    """The list of assets; `form` is that by which one is defined."""
    page = page_with(ledger, ASSETS, cursor=cursor, limit=PER_PAGE, show=_as_it_is)
    figures = [
        _figures(ledger, asset, visitor.lang, None if sums is None else sums.get(asset.id, 0))
        for asset in page.items
    ]
    return frame.page(
        visitor,
        "book/assets.html",
        status=form.status,
        page=page,
        figures=figures,
        added=sums is not None,
        whole=all(row.whole for row in figures),
        kinds=_kinds(visitor.lang),
        form=form,
        defines=visitor.has_role(*DefineAsset.spec.by),
        counted=_counted(visitor.lang),
    )


def _asset(
    frame: Frame,
    visitor: Visitor,
    ledger: Store,
    asset: Asset,
    *,
    cursor: str | None = None,
    start: int | None = None,
    action: str = "",
    form: Filled | None = None,
) -> Response[Any]:
    """An asset's page; `form` is that of `action` where it was refused."""
    own = visitor.actor.id == asset.issuer and visitor.actor.kind == "party"
    sees_all = may_see(visitor.actor, ())
    issued = Statement(lines=(), next=None)
    if own or sees_all:
        issued = statement(
            ledger,
            account=issue_account(asset.id),
            asset=asset.id,
            start=start,
            limit=ISSUES_PER_PAGE,
        )
    holders = None
    if sees_all:
        holders = page_with(
            ledger,
            BALANCES,
            "asset",
            (asset.id,),
            cursor=cursor,
            limit=PER_PAGE,
            show=_as_it_is,
            keep=lambda row: bool(row.amount or row.overdraft) and not _is_asset_own(asset, row),
        )
    return frame.page(
        visitor,
        "book/asset.html",
        status=form.status if form else 200,
        figures=_figures(ledger, asset, visitor.lang, None),
        subject=asset,
        kind=_kinds(visitor.lang)[asset.kind],
        issuer_seen=may_see(visitor.actor, [asset.issuer]),
        issued=[(line, shown_amount(-line.amount, asset)) for line in issued.lines],
        next=issued.next,
        start=start,
        shows_issues=own or sees_all,
        holders=holders,
        holdings=[
            shown_holding(ledger, row, visitor.lang) for row in (holders.items if holders else ())
        ],
        issues=own and visitor.has_role(*DefineAsset.spec.by),
        memo_characters=MAX_MEMO,
        forms={name: form if form and name == action else Filled() for name in _ACTIONS},
    )


def _as_it_is(record: R) -> R:
    return record


def _is_asset_own(asset: Asset, row: Balance) -> bool:
    return row.account in (issue_account(asset.id), retired_account(asset.id))


def _figures(ledger: Store, asset: Asset, lang: Lang, total: int | None) -> Figures:
    issued = -queries.balance(ledger, account=issue_account(asset.id), asset=asset.id)
    retired = queries.balance(ledger, account=retired_account(asset.id), asset=asset.id)
    return Figures(
        asset=asset,
        unit=shown_unit(asset, lang),
        issued=shown_amount(issued, asset),
        retired=shown_amount(retired, asset),
        circulating=shown_amount(issued - retired + (total or 0), asset),
        sum="" if total is None else shown_amount(total, asset),
        whole=not total,
    )


def _few(ledger: Store) -> bool:
    """Whether there are so few balances that adding them up takes milliseconds."""
    return len(ledger.page(BALANCES, after=None, limit=ADDED_AT_ONCE + 1)) <= ADDED_AT_ONCE


def _sums(ledger: Store) -> dict[str, int]:
    """The sum of all balances of each asset, which is 0, issue and retired accounts included."""
    with ledger.snapshot():
        return {row.asset: row.sum for row in queries.conservation(ledger)}


def _kinds(lang: Lang) -> dict[str, str]:
    return {name: words[2] if lang == "zh" else words[1] for name, words in KINDS.items()}


def _counted(lang: Lang) -> list[tuple[str, str]]:
    """What the form offers: units and decimals, by the unit in which amounts will be shown."""
    found = []
    for unit, choices in DECIMALS.items():
        for decimals in choices:
            asset = Asset(id="", kind="", unit=unit, issuer="", decimals=decimals)
            found.append((f"{unit}:{decimals}", shown_unit(asset, lang)))
    return found
