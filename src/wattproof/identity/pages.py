"""The pages of identity: parties, devices, and the queue of devices that wait for somebody."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Final

import msgspec
from litestar import Request, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.handlers import HTTPRouteHandler
from litestar.params import Body as FormBody
from litestar.params import FromPath, QueryParameter
from litestar.response import Response

from wattproof.console.frame import Frame, NavItem, Room
from wattproof.console.sign_in import form_checked
from wattproof.console.signing import Signer
from wattproof.console.visitor import Visitor
from wattproof.core.actor import Actor
from wattproof.gateway.access import may_see, require_sight
from wattproof.gateway.reading import Asker, Cursor, Ledger, page_of
from wattproof.gateway.submission import Submitter
from wattproof.identity import queries
from wattproof.identity.actions import device_actions, next_steps, party_actions
from wattproof.identity.forms import ActionForm, PartyForm, device_body, party_body, register_body
from wattproof.identity.lifecycle import DEVICE_STATUSES, PARTY_STATUSES
from wattproof.identity.model import DEVICES, PARTIES
from wattproof.identity.roles import ROLES
from wattproof.keys.cose import MAX_TRANSACTION_BYTES

__all__ = ["ROOM", "pages"]

PER_PAGE: Final = 50

ROOM: Final = Room(
    name="identity",
    package="wattproof.identity",
    navigation=(
        NavItem(path="/queue", text="Waiting", icon="clock", order=20),
        NavItem(path="/devices", text="Devices", icon="cpu", order=30),
        NavItem(path="/parties", text="Parties", icon="users", order=40),
    ),
)

Form = FormBody(media_type=RequestEncodingType.URL_ENCODED)
Filter = Annotated[str, QueryParameter(max_length=64)]


@get("/parties", include_in_schema=False)
async def list_parties(
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    actor: Asker,
    cursor: Cursor = None,
    role: Filter = "",
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
        role=role,
        roles=_words(visitor),
        statuses=_statuses(visitor),
    )


@get("/parties/new", include_in_schema=False)
async def new_party(
    visitor: NamedDependency[Visitor], frame: NamedDependency[Frame]
) -> Response[Any]:
    """The form by which the registrar registers a party."""
    return frame.page(visitor, "identity/new_party.html", roles=_words(visitor))


@post("/parties/new", include_in_schema=False)
async def register_party(
    request: Request[Any, Any, Any],
    visitor: NamedDependency[Visitor],
    signer: NamedDependency[Signer],
    data: Annotated[PartyForm, Form],
) -> Response[Any]:
    """Show what the registrar will sign."""
    form_checked(request, visitor, data.csrf)
    return signer.draft(visitor, register_body(data))


@get("/parties/{party_id:str}", include_in_schema=False)
async def show_party(
    party_id: FromPath[str],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    actor: Asker,
) -> Response[Any]:
    """One party: who it is, its keys, its devices, what may be done with it."""
    require_sight(actor, [party_id])
    party = queries.party(ledger, party_id)
    return frame.page(
        visitor,
        "identity/party.html",
        party=party,
        keys=queries.keys_of(ledger, kind="party", holder=party_id),
        devices=queries.devices_by_owner(ledger, party_id)[:PER_PAGE],
        actions=party_actions(party, actor),
        roles=_words(visitor),
        statuses=_statuses(visitor),
    )


@post("/parties/{party_id:str}/{action:str}", include_in_schema=False)
async def act_on_party(
    request: Request[Any, Any, Any],
    party_id: FromPath[str],
    action: FromPath[str],
    visitor: NamedDependency[Visitor],
    signer: NamedDependency[Signer],
    data: Annotated[ActionForm, Form],
) -> Response[Any]:
    """Show what will be signed."""
    form_checked(request, visitor, data.csrf)
    return signer.draft(visitor, party_body(action, party_id, data))


@get("/devices", include_in_schema=False)
async def list_devices(
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    actor: Asker,
    cursor: Cursor = None,
    status: Filter = "",
    owner: Filter = "",
) -> Response[Any]:
    """The devices that the visitor may see."""
    index, values = _index(actor, status=status, owner=owner)
    page = page_of(
        ledger,
        DEVICES,
        index,
        values,
        cursor=cursor,
        limit=PER_PAGE,
        keep=lambda device: (
            (not status or device.status == status)
            and (not owner or device.owner == owner)
            and may_see(actor, [device.owner])
        ),
    )
    return frame.page(
        visitor,
        "identity/devices.html",
        page=page,
        chosen=status,
        owner=owner,
        statuses=_statuses(visitor),
    )


@get("/devices/enrol", include_in_schema=False)
async def show_enrolment(
    visitor: NamedDependency[Visitor], frame: NamedDependency[Frame]
) -> Response[Any]:
    """How a device comes onto the ledger, and where its signed request is handed in."""
    return frame.page(visitor, "identity/enrol.html")


@post("/devices/enrol", include_in_schema=False)
async def enrol(
    request: Request[Any, Any, Any],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    submitter: NamedDependency[Submitter],
) -> Response[Any]:
    """Submit a device's own signed request; the ledger says whether it is one."""
    form = await request.form()
    form_checked(request, visitor, str(form.get("csrf", "")))
    signed = form.get("signed")
    raw = await signed.read(MAX_TRANSACTION_BYTES + 1) if isinstance(signed, UploadFile) else b""
    receipt = await submitter.submit(raw)
    return frame.go(f"/ledger/transactions/{receipt.id.hex()}")


@get("/devices/{device_id:str}", include_in_schema=False)
async def show_device(
    device_id: FromPath[str],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    actor: Asker,
) -> Response[Any]:
    """One device: where it is in its life, and what the visitor may do next."""
    device = queries.device(ledger, device_id)
    require_sight(actor, [device.owner])
    return frame.page(
        visitor,
        "identity/device.html",
        device=device,
        keys=queries.keys_of(ledger, kind="device", holder=device_id),
        associations=queries.associations_of_device(ledger, device_id),
        actions=device_actions(device, actor),
        statuses=_statuses(visitor),
    )


@post("/devices/{device_id:str}/{action:str}", include_in_schema=False)
async def act_on_device(
    request: Request[Any, Any, Any],
    device_id: FromPath[str],
    action: FromPath[str],
    visitor: NamedDependency[Visitor],
    signer: NamedDependency[Signer],
) -> Response[Any]:
    """Show what will be signed. An evidence file stays here: only its hash is signed."""
    form = await request.form()
    fields = {name: value for name, value in form.items() if isinstance(value, str)}
    data = msgspec.convert(fields, ActionForm)
    form_checked(request, visitor, data.csrf)
    evidence = form.get("evidence_file")
    if isinstance(evidence, UploadFile) and evidence.filename:
        digest = hashlib.sha256()
        while chunk := await evidence.read(1 << 20):
            digest.update(chunk)
        data.evidence = digest.hexdigest()
    return signer.draft(visitor, device_body(action, device_id, data))


@get("/queue", include_in_schema=False)
async def show_queue(
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    actor: Asker,
) -> Response[Any]:
    """The devices that wait for the visitor, with the step that each waits for."""
    return frame.page(
        visitor,
        "identity/queue.html",
        steps=next_steps(ledger, actor, limit=PER_PAGE),
        statuses=_statuses(visitor),
    )


def pages() -> list[HTTPRouteHandler]:
    """The handlers."""
    return [
        list_parties, new_party, register_party, show_party, act_on_party, list_devices,
        show_enrolment, enrol, show_device, act_on_device, show_queue,
    ]  # fmt: skip


def _index(actor: Actor, *, status: str, owner: str) -> tuple[str | None, tuple[str, ...]]:
    """The index that finds what may be seen without looking at all devices."""
    if owner:
        return "owner", (owner,)
    if actor.kind == "party" and not may_see(actor, []):
        return "owner", (actor.id,)
    return ("status", (status,)) if status else (None, ())


def _words(visitor: Visitor) -> dict[str, str]:
    return {name: role.zh if visitor.lang == "zh" else role.en for name, role in ROLES.items()}


def _statuses(visitor: Visitor) -> dict[str, str]:
    both = {**PARTY_STATUSES, **DEVICE_STATUSES}
    return {name: words[visitor.lang == "zh"] for name, words in both.items()}
