"""The pages of wallets.

GET  /settlement/wallets                     those the visitor may see, by region or owner
POST /settlement/wallets                     an action of a bank or grid company on a meter's wallet
GET  /settlement/wallets/{device}            one wallet: what is in it, what is due, its movements
POST /settlement/wallets/{device}/{action}   shows what will be signed

Who acts for a wallet without seeing it (a bank that tops it up) names its meter on the list's page.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, QueryParameter
from litestar.response import Response

from wattproof.book.amounts import shown_amount, shown_unit
from wattproof.book.model import MAX_MEMO
from wattproof.book.queries import asset as asset_of
from wattproof.book.statement import Line, Statement
from wattproof.console.filled import Filled
from wattproof.console.frame import Frame
from wattproof.console.rehearsal import Rehearsal
from wattproof.console.sign_in import form_checked
from wattproof.console.signing import Signer
from wattproof.console.visitor import Visitor, now_s
from wattproof.core.actor import Actor
from wattproof.core.codes import check_id
from wattproof.core.errors import Refused
from wattproof.gateway.access import may_see
from wattproof.gateway.reading import Asker, Ledger
from wattproof.identity.model import Device
from wattproof.ledger.store import Store
from wattproof.settlement.queries import regions
from wattproof.settlement.records import REGIONS
from wattproof.settlement.sight import seen_meter
from wattproof.settlement.wallet_forms import (
    ABOUT_FIELDS,
    ACTIONS,
    moneys,
    offered,
    told,
    wallet_body,
)
from wattproof.settlement.wallet_queries import wallet_of, wallet_statement
from wattproof.settlement.wallet_view import payable, run_of, shown_held, sources, wallets_seen

__all__ = ["pages"]

MOVEMENTS_PER_PAGE: Final = 30
BY_ID: Final = ("top-up", "limit-owner", "freeze", "unfreeze")
"""What is done with a wallet that need not be seen."""

Text = Annotated[str, QueryParameter(max_length=64)]
Start = Annotated[int | None, QueryParameter(ge=0, le=2**62)]


@get("/settlement/wallets", include_in_schema=False)
async def list_wallets(
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    actor: Asker,
    region: Annotated[str | None, QueryParameter(max_length=64)] = None,
    owner: Text = "",
    only: Text = "",
    after: Text = "",
) -> Response[Any]:
    """The wallets that the visitor may see, with those that are frozen or owe, where asked."""
    if region is None:  # who settles a region sees its wallets first
        own = (one.region for one in regions(ledger) if one.operator == actor.id)
        region = next(own, "")
    asked = {"region": region.strip(), "owner": owner.strip(), "only": only, "after": after}
    return _list(frame, visitor, ledger, actor, asked, Filled())


@post("/settlement/wallets", include_in_schema=False)
async def act_by_id(
    request: Request[Any, Any, Any],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    signer: NamedDependency[Signer],
    rehearsal: NamedDependency[Rehearsal],
    ledger: Ledger,
    actor: Asker,
) -> Response[Any]:
    """Show what will be signed, or the list again with what is wrong."""
    form = await Filled.of(request)
    form_checked(request, visitor, form["csrf"])
    try:
        device = form.take("device", check_id)
        action = form["do"] if form["do"] in BY_ID else ""
        body = wallet_body(action, device or "-", form, ledger)
        rehearsal.check(visitor, body)
    except Refused as refusal:
        form.refused(told(refusal, ledger, form), ABOUT_FIELDS)
        return _list(frame, visitor, ledger, actor, dict.fromkeys(_ASKED, ""), form)
    return signer.draft(visitor, body, back="/settlement/wallets")


@get("/settlement/wallets/{device_id:str}", include_in_schema=False)
async def show_wallet(
    device_id: FromPath[str],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    actor: Asker,
    asset: Text = "",
    start: Start = None,
) -> Response[Any]:
    """One wallet, with its movements of one asset, newest first."""
    with ledger.snapshot():
        device = seen_meter(ledger, actor, device_id)
        return _wallet(frame, visitor, ledger, device, asset=asset, start=start)


@post("/settlement/wallets/{device_id:str}/{action:str}", include_in_schema=False)
async def act_on_wallet(
    request: Request[Any, Any, Any],
    device_id: FromPath[str],
    action: FromPath[str],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    signer: NamedDependency[Signer],
    rehearsal: NamedDependency[Rehearsal],
    ledger: Ledger,
    actor: Asker,
) -> Response[Any]:
    """Show what will be signed, or the wallet again with what is wrong."""
    form = await Filled.of(request)
    form_checked(request, visitor, form["csrf"])
    device = seen_meter(ledger, actor, device_id)
    try:
        body = wallet_body(action, device.id, form, ledger)
        rehearsal.check(visitor, body)
    except Refused as refusal:
        about = {**ABOUT_FIELDS, **(_OF_PAYMENT if action == "pay" else {})}
        form.refused(told(refusal, ledger, form), about)
        return _wallet(frame, visitor, ledger, device, action=action, form=form)
    return signer.draft(visitor, body, back=f"/settlement/wallets/{device.id}")


def pages() -> list[HTTPRouteHandler]:
    """The handlers."""
    return [list_wallets, act_by_id, show_wallet, act_on_wallet]


_ASKED: Final = ("region", "owner", "only", "after")
_OF_PAYMENT: Final = {
    "book.account.unknown": "target",
    "identity.device.unknown": "target",
    "settlement.pay_target": "target",
}


def _list(
    frame: Frame,
    visitor: Visitor,
    ledger: Store,
    actor: Actor,
    asked: dict[str, str],
    form: Filled,
) -> Response[Any]:
    """The list; `form` is that of an action by a meter's id."""
    sees_all = may_see(actor, ())
    operated = [one.region for one in regions(ledger) if sees_all or one.operator == actor.id]
    if asked["region"] not in operated:
        asked["region"] = ""
    if not (sees_all or asked["region"]):
        asked["owner"] = actor.id
    with ledger.snapshot():
        wallets, following = wallets_seen(ledger, actor, asked)
    return frame.page(
        visitor,
        "settlement/wallets.html",
        status=form.status,
        wallets=[(one, shown_held(ledger, one, visitor.lang)) for one in wallets],
        following=following,
        asked=asked,
        sees_all=sees_all,
        operated=operated,
        acts=[name for name in BY_ID if name in _by_id(actor)],
        money_choices=[(one.id, one.id) for one in moneys(ledger)],
        source_choices=sources(frame, visitor, ledger),
        memo_characters=MAX_MEMO,
        form=form,
        empty_form=Filled(),
    )


def _by_id(actor: Actor) -> list[str]:
    both = [offered(actor, owner="", frozen=frozen) for frozen in (False, True)]
    return [*both[0], *both[1]]


def _wallet(
    frame: Frame,
    visitor: Visitor,
    ledger: Store,
    device: Device,
    *,
    asset: str = "",
    start: int | None = None,
    action: str = "",
    form: Filled | None = None,
) -> Response[Any]:
    """A wallet's page; `form` is that of `action` where it was refused."""
    wallet = wallet_of(ledger, device.id, now_s=now_s())
    region = ledger.get(REGIONS, wallet.region) if wallet.region else None
    money = region.money if region is not None else ""
    chosen = asset or money or next((one.asset for one in wallet.balances), "")
    known = asset_of(ledger, chosen) if chosen else None
    lines: list[tuple[Line, str, str]] = []
    found = Statement(lines=(), next=None)
    if known is not None:
        found = wallet_statement(
            ledger, device.id, asset=known.id, start=start, limit=MOVEMENTS_PER_PAGE
        )
        lines = [
            (line, shown_amount(line.amount, known), run_of(line.memo)) for line in found.lines
        ]
    actions = offered(visitor.actor, owner=wallet.owner, frozen=bool(wallet.frozen_by))
    return frame.page(
        visitor,
        "settlement/wallet.html",
        status=form.status if form else 200,
        wallet=wallet,
        device=device,
        region=region,
        held=shown_held(ledger, wallet, visitor.lang),
        balance_fen=wallet.held(money) if money else None,
        chosen=chosen,
        assets=sorted({chosen, *(one.asset for one in wallet.balances)} - {""}),
        unit="" if known is None else shown_unit(known, visitor.lang),
        lines=lines,
        next=found.next,
        start=start,
        owner_seen=may_see(visitor.actor, [wallet.owner]),
        actions=actions,
        orphan=form if form and action not in actions else None,
        forms={name: form if form and name == action else Filled() for name in ACTIONS},
        moneys=payable(ledger, wallet, visitor.lang),
        issue_choices=[(one.id, one.id) for one in moneys(ledger)],
        source_choices=sources(frame, visitor, ledger),
        memo_characters=MAX_MEMO,
    )
