"""The page of a region's pool: what is in it, how it came there, and drawing money out of it.

GET  /settlement/regions/{region}/pool   for who settles the region, and those who see all
POST /settlement/regions/{region}/pool   shows what will be signed
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from litestar import Request, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.response import Response

from wattproof.book.amounts import parse_amount, shown_amount, shown_unit
from wattproof.book.model import BALANCES, MAX_MEMO, Account
from wattproof.book.queries import asset as asset_of
from wattproof.book.statement import statement
from wattproof.console.filled import Filled
from wattproof.console.frame import Frame
from wattproof.console.rehearsal import Rehearsal
from wattproof.console.sign_in import form_checked
from wattproof.console.signing import Signer
from wattproof.console.visitor import Visitor
from wattproof.core.codes import check_id
from wattproof.core.errors import Refused
from wattproof.gateway.access import require_sight
from wattproof.gateway.reading import Asker, Ledger
from wattproof.ledger.store import Store
from wattproof.settlement.model import DrawPool
from wattproof.settlement.queries import sums_of
from wattproof.settlement.region_view import RegionView, region_view
from wattproof.settlement.wallet_forms import own_accounts
from wattproof.settlement.wallet_view import run_of

__all__ = ["pool_pages"]

PER_PAGE: Final = 20

ABOUT_FIELDS: Final[Mapping[str, str]] = {
    "book.account.unknown": "target",
    "book.account.not_owner": "target",
    "settlement.pool_amount": "amount",
}
"""Which field a refusal of the ledger's is about."""

Start = Annotated[int | None, QueryParameter(ge=0, le=2**62)]


@get("/settlement/regions/{region_id:str}/pool", include_in_schema=False)
async def show_pool(
    region_id: FromPath[str],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    actor: Asker,
    start: Start = None,
) -> Response[Any]:
    """What is in a region's pool, and its movements, newest first."""
    view = region_view(ledger, visitor, actor, region_id)
    require_sight(actor, [view.region.operator])
    with ledger.snapshot():
        return _show(frame, visitor, ledger, view, Filled(), start=start)


@post("/settlement/regions/{region_id:str}/pool", include_in_schema=False)
async def draw_from_pool(
    region_id: FromPath[str],
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
    view = region_view(ledger, visitor, actor, region_id)
    require_sight(actor, [view.region.operator])
    money = asset_of(ledger, view.region.money)
    try:
        target = form.take("target", check_id)
        amount = form.take("amount", lambda text: parse_amount(text, money))
        form.finish()
        body = form.bounded(
            DrawPool(region=view.id, target=target, amount=amount, memo=form["memo"])
        )
        rehearsal.check(visitor, body)
    except Refused as refusal:
        form.refused(refusal, ABOUT_FIELDS)
        return _show(frame, visitor, ledger, view, form)
    return signer.draft(visitor, body, back=view.path("/pool"))


def pool_pages() -> Sequence[Router]:
    """The handlers."""
    return [Router("/", route_handlers=[show_pool, draw_from_pool])]


def _show(
    frame: Frame,
    visitor: Visitor,
    ledger: Store,
    view: RegionView,
    form: Filled,
    *,
    start: int | None = None,
) -> Response[Any]:
    region = view.region
    money = asset_of(ledger, region.money)
    held = ledger.get(BALANCES, region.pool, region.money)
    found = statement(ledger, account=region.pool, asset=region.money, start=start, limit=PER_PAGE)
    return frame.page(
        visitor,
        "settlement/pool.html",
        status=form.status,
        view=view,
        form=form,
        money=money,
        unit=shown_unit(money, visitor.lang),
        held=shown_amount(0 if held is None else held.amount, money),
        may_owe=shown_amount(held.overdraft, money) if held is not None and held.overdraft else "",
        whole=sums_of(ledger, region.region),
        lines=[(line, shown_amount(line.amount, money), run_of(line.memo)) for line in found.lines],
        next=found.next,
        start=start,
        accounts=[(one.id, one.id) for one in _accounts(ledger, view)],
        memo_characters=MAX_MEMO,
    )


def _accounts(ledger: Store, view: RegionView) -> list[Account]:
    """The accounts into which the visitor may draw."""
    return own_accounts(ledger, view.region.operator) if view.operates else []
