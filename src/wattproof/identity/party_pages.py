"""The pages of parties: the list, the form for a new one, one party and what is done with it."""

from __future__ import annotations

from typing import Annotated, Any, Final

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
from wattproof.console.visitor import Visitor
from wattproof.core.actor import Actor
from wattproof.core.errors import Refused
from wattproof.gateway.access import may_see, require_sight
from wattproof.gateway.reading import Asker, Cursor, Ledger, page_of
from wattproof.identity import labels, queries
from wattproof.identity.actions import PARTY_ACTIONS, party_actions
from wattproof.identity.forms import ABOUT_FIELDS, party_body, register_body
from wattproof.identity.model import DEVICES, PARTIES, Party
from wattproof.identity.refusals import ROLE_MISSING
from wattproof.identity.roles import ROLES
from wattproof.ledger.store import Store

__all__ = ["handlers"]

PER_PAGE: Final = 50
DEVICES_SHOWN: Final = 20


@get("/parties", include_in_schema=False)
async def list_parties(
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    actor: Asker,
    cursor: Cursor = None,
    role: Annotated[str, QueryParameter(max_length=32)] = "",
) -> Response[Any]:
    """The parties that the visitor may see."""
    page = page_of(
        ledger,
        PARTIES,
        cursor=cursor,
        limit=PER_PAGE,
        keep=lambda party: (not role or role in party.roles) and may_see(actor, [party.id]),
    )
    return frame.page(
        visitor,
        "identity/parties.html",
        page=page,
        role=role if role in ROLES else "",
        sees_all=may_see(actor, ()),
        roles=labels.roles(visitor.lang),
        statuses=labels.statuses(visitor.lang),
    )


@get("/parties/new", include_in_schema=False)
async def new_party(
    visitor: NamedDependency[Visitor], frame: NamedDependency[Frame]
) -> Response[Any]:
    """The form by which the registrar registers a party."""
    _demand_registrar(visitor)
    return _form(frame, visitor, Filled())


@post("/parties/new", include_in_schema=False)
async def register_party(
    request: Request[Any, Any, Any],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    signer: NamedDependency[Signer],
    rehearsal: NamedDependency[Rehearsal],
) -> Response[Any]:
    """Show what the registrar will sign, or the form again with what is wrong."""
    form = await Filled.of(request)
    form_checked(request, visitor, form["csrf"])
    _demand_registrar(visitor)
    try:
        body = register_body(form)
        rehearsal.check(visitor, body)
    except Refused as refusal:
        return _form(frame, visitor, form.refused(refusal, ABOUT_FIELDS))
    return signer.draft(visitor, body, back="/parties/new")


@get("/parties/{party_id:str}", include_in_schema=False)
async def show_party(
    party_id: FromPath[str],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    actor: Asker,
) -> Response[Any]:
    """One party: who it is, its keys, its devices, what may be done with it."""
    return _party(frame, visitor, ledger, _seen(ledger, actor, party_id))


@post("/parties/{party_id:str}/{action:str}", include_in_schema=False)
async def act_on_party(
    request: Request[Any, Any, Any],
    party_id: FromPath[str],
    action: FromPath[str],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    signer: NamedDependency[Signer],
    rehearsal: NamedDependency[Rehearsal],
    ledger: Ledger,
    actor: Asker,
) -> Response[Any]:
    """Show what will be signed, or the party again with what is wrong."""
    form = await Filled.of(request)
    form_checked(request, visitor, form["csrf"])
    _demand_registrar(visitor)
    party = _seen(ledger, actor, party_id)
    try:
        body = party_body(action, party.id, form)
        rehearsal.check(visitor, body)
    except Refused as refusal:
        about = {code: field for code, field in ABOUT_FIELDS.items() if field in form.texts}
        return _party(frame, visitor, ledger, party, action, form.refused(refusal, about))
    return signer.draft(visitor, body, back=f"/parties/{party.id}")


def handlers() -> list[HTTPRouteHandler]:
    """The handlers."""
    return [list_parties, new_party, register_party, show_party, act_on_party]


def _demand_registrar(visitor: Visitor) -> None:
    party = visitor.signed_in_as.user.party
    if not visitor.has_role("registrar"):
        raise ROLE_MISSING(party=party, roles="registrar")


def _seen(ledger: Store, actor: Actor, party_id: str) -> Party:
    """The party, if `actor` may see it; else the same answer whether there is one or not."""
    require_sight(actor, [party_id])
    return queries.party(ledger, party_id)


def _form(frame: Frame, visitor: Visitor, form: Filled) -> Response[Any]:
    return frame.page(
        visitor, "identity/new_party.html", status=form.status, form=form, roles=ROLES.values()
    )


def _party(
    frame: Frame,
    visitor: Visitor,
    ledger: Store,
    party: Party,
    action: str = "",
    form: Filled | None = None,
) -> Response[Any]:
    """The party's page; `form` is that of `action` where it was refused."""
    offered = party_actions(party, visitor.actor)
    devices = ledger.page(DEVICES, "owner", (party.id,), after=None, limit=DEVICES_SHOWN + 1)
    names = labels.roles(visitor.lang)
    return frame.page(
        visitor,
        "identity/party.html",
        status=form.status if form else 200,
        party=party,
        keys=labels.keys(queries.keys_of(ledger, kind="party", holder=party.id)),
        devices=devices[:DEVICES_SHOWN],
        more_devices=len(devices) > DEVICES_SHOWN,
        actions=offered,
        # Shown on top where the action is not offered any more.
        orphan=form if form and action not in {one.name for one in offered} else None,
        forms={name: form if form and name == action else Filled() for name in PARTY_ACTIONS},
        own=visitor.actor.id == party.id,
        roles=names,
        held=[(name, names[name]) for name in party.roles],
        free=[(name, text) for name, text in names.items() if name not in party.roles],
        statuses=labels.statuses(visitor.lang),
    )
