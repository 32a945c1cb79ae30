"""The pages of accounts: the list, one account with its postings, and what its owner does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final

import msgspec
from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, QueryParameter
from litestar.response import Response

from wattproof.book import queries
from wattproof.book.amounts import in_shown_unit, shown_amount, shown_unit
from wattproof.book.api import parties_of, seen_account
from wattproof.book.forms import ABOUT_FIELDS, open_body, retire_body, transfer_body
from wattproof.book.model import ACCOUNTS, ASSETS, BALANCES, MAX_MEMO, Account, Balance
from wattproof.book.refusals import NO_ACTION
from wattproof.book.statement import Statement, statement
from wattproof.console.filled import Filled
from wattproof.console.frame import Frame
from wattproof.console.rehearsal import Rehearsal
from wattproof.console.sign_in import form_checked
from wattproof.console.signing import Signer
from wattproof.console.visitor import Visitor
from wattproof.core.actor import Actor
from wattproof.core.errors import Lang, Refused
from wattproof.gateway.access import may_see
from wattproof.gateway.reading import Asker, Cursor, Ledger, page_with
from wattproof.ledger.store import Store
from wattproof.ledger.transaction import Body

__all__ = ["Holding", "handlers", "shown_holding"]

PER_PAGE: Final = 50
POSTINGS_PER_PAGE: Final = 30
HOLDINGS_IN_LIST: Final = 3
MAX_HOLDINGS: Final = 200
"""Assets of one account that its page lists."""


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """What an account holds of an asset, as pages show it; `unit` is that of the numbers."""

    account: str
    asset: str
    amount: str
    overdraft: str
    unit: str


@get("/accounts", include_in_schema=False)
async def list_accounts(
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    actor: Asker,
    cursor: Cursor = None,
    owner: Annotated[str, QueryParameter(max_length=64)] = "",
) -> Response[Any]:
    """The accounts that the visitor may see: one's own, or all, by owner where asked."""
    return _list(frame, visitor, ledger, actor, Filled(), cursor=cursor, owner=owner.strip())


@post("/accounts", include_in_schema=False)
async def open_account(
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
        body = open_body(form)
        rehearsal.check(visitor, body)
    except Refused as refusal:
        return _list(frame, visitor, ledger, actor, form.refused(refusal, ABOUT_FIELDS))
    return signer.draft(visitor, body, back="/accounts")


@get("/accounts/{account_id:str}", include_in_schema=False)
async def show_account(
    account_id: FromPath[str],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    actor: Asker,
    asset: Annotated[str, QueryParameter(max_length=64)] = "",
    start: Annotated[int | None, QueryParameter(ge=0, le=2**62)] = None,
) -> Response[Any]:
    """What an account holds, and its postings of one asset, newest first."""
    with ledger.snapshot():
        account = seen_account(ledger, actor, account_id)
        return _account(frame, visitor, ledger, account, asset=asset, start=start)


@post("/accounts/{account_id:str}/{action:str}", include_in_schema=False)
async def act_on_account(
    request: Request[Any, Any, Any],
    account_id: FromPath[str],
    action: FromPath[str],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    signer: NamedDependency[Signer],
    rehearsal: NamedDependency[Rehearsal],
    ledger: Ledger,
    actor: Asker,
) -> Response[Any]:
    """Show what will be signed, or the account again with what is wrong."""
    form = await Filled.of(request)
    form_checked(request, visitor, form["csrf"])
    account = seen_account(ledger, actor, account_id)
    make = _ACTIONS.get(action)
    if make is None:
        raise NO_ACTION(action=action[:40])
    try:
        body = make(form, account.id, ledger)
        rehearsal.check(visitor, body)
    except Refused as refusal:
        asset = ledger.get(ASSETS, form["asset"])
        told = refusal if asset is None else in_shown_unit(refusal, asset)
        form.refused(told, ABOUT_FIELDS)
        return _account(frame, visitor, ledger, account, action=action, form=form)
    return signer.draft(visitor, body, back=f"/accounts/{account.id}")


def handlers() -> list[HTTPRouteHandler]:
    """The handlers."""
    return [list_accounts, open_account, show_account, act_on_account]


def shown_holding(reading: Store, balance: Balance, lang: Lang) -> Holding:
    """A balance as pages show it."""
    asset = queries.asset(reading, balance.asset)
    return Holding(
        account=balance.account,
        asset=asset.id,
        amount=shown_amount(balance.amount, asset),
        overdraft=shown_amount(balance.overdraft, asset) if balance.overdraft else "",
        unit=shown_unit(asset, lang),
    )


_ACTIONS: Final[dict[str, Callable[[Filled, str, Store], Body]]] = {
    "transfer": lambda form, source, ledger: transfer_body(form, source=source, reading=ledger),
    "retire": lambda form, source, ledger: retire_body(form, source=source, reading=ledger),
}


def _list(
    frame: Frame,
    visitor: Visitor,
    ledger: Store,
    actor: Actor,
    form: Filled,
    *,
    cursor: str | None = None,
    owner: str = "",
) -> Response[Any]:
    """The list of accounts; `form` is that by which one is opened."""
    sees_all = may_see(actor, ())
    if not sees_all:
        owner = actor.id
    page = page_with(
        ledger,
        ACCOUNTS,
        "owner" if owner else None,
        ("party", owner) if owner else (),
        cursor=cursor,
        limit=PER_PAGE,
        keep=lambda account: may_see(actor, parties_of(account)),
        show=lambda account: (account, *_some(ledger, account, visitor.lang)),
    )
    return frame.page(
        visitor,
        "book/accounts.html",
        status=form.status,
        page=page,
        owner=owner if sees_all else "",
        sees_all=sees_all,
        form=form,
    )


def _some(ledger: Store, account: Account, lang: Lang) -> tuple[list[Holding], bool]:
    """The first assets that an account holds, and whether it has more."""
    rows = ledger.page(BALANCES, values=(account.id,), after=None, limit=HOLDINGS_IN_LIST * 4)
    held = [row for row in rows if row.amount or row.overdraft]
    shown = [shown_holding(ledger, row, lang) for row in held[:HOLDINGS_IN_LIST]]
    return shown, len(held) > len(shown)


def _account(
    frame: Frame,
    visitor: Visitor,
    ledger: Store,
    account: Account,
    *,
    asset: str = "",
    start: int | None = None,
    action: str = "",
    form: Filled | None = None,
) -> Response[Any]:
    """An account's page; `form` is that of `action` where it was refused."""
    rows = ledger.page(BALANCES, values=(account.id,), after=None, limit=MAX_HOLDINGS)
    chosen = asset or _latest(rows)
    known = queries.asset(ledger, chosen) if chosen else None
    found = Statement(lines=(), next=None)
    if known is not None:
        found = statement(
            ledger, account=account.id, asset=known.id, start=start, limit=POSTINGS_PER_PAGE
        )
    own = (account.owner_kind, account.owner) == (visitor.actor.kind, visitor.actor.id)
    return frame.page(
        visitor,
        "book/account.html",
        status=form.status if form else 200,
        account=account,
        own=own,
        owner_seen=may_see(visitor.actor, parties_of(account)),
        holdings=[
            shown_holding(ledger, row, visitor.lang) for row in rows if row.amount or row.overdraft
        ],
        assets=[row.asset for row in rows if row.last_entry >= 0],
        chosen=chosen,
        unit="" if known is None else shown_unit(known, visitor.lang),
        lines=[
            (line, "" if known is None else shown_amount(line.amount, known))
            for line in found.lines
        ],
        next=found.next,
        start=start,
        memo_characters=MAX_MEMO,
        forms={name: form if form and name == action else Filled() for name in _ACTIONS},
        movable=[
            (row.asset, _choice(ledger, row, visitor.lang))
            for row in rows
            if row.amount + row.overdraft > 0
        ],
    )


def _latest(rows: list[Balance]) -> str:
    """The asset that was posted last."""
    newest = max(rows, key=lambda row: row.last_entry, default=None)
    return newest.asset if newest is not None and newest.last_entry >= 0 else ""


def _choice(ledger: Store, balance: Balance, lang: Lang) -> str:
    """An asset in the list of those that can be moved, with how much of it there is."""
    held = shown_holding(ledger, balance, lang)
    amount = f"{held.amount} {held.unit}"
    return amount if held.asset == held.unit else f"{held.asset} · {amount}"
