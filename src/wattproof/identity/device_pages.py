"""The pages of devices: the list, how one enrols, one device and what is done with it."""

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
from wattproof.core.codes import provinces
from wattproof.core.errors import Refused
from wattproof.gateway.access import may_see, require_sight
from wattproof.gateway.reading import Asker, Cursor, Ledger, page_of, page_with
from wattproof.identity import labels, queries
from wattproof.identity.actions import DEVICE_ACTIONS, device_actions
from wattproof.identity.enrolment import enrolment_handlers
from wattproof.identity.forms import ABOUT_FIELDS, device_body, take_evidence
from wattproof.identity.lifecycle import DEVICE_STATUSES
from wattproof.identity.model import ASSOCIATIONS, DEVICES, Association, Device
from wattproof.identity.refusals import DEVICE_UNKNOWN
from wattproof.ledger.store import Store

__all__ = ["handlers"]

PER_PAGE: Final = 50
MAX_EVIDENCE_BYTES: Final = 32 << 20
"""A file of evidence that a browser without JavaScript may send to be hashed."""

Filter = Annotated[str, QueryParameter(max_length=64)]


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
    """The devices that the visitor may see all of: every device, or one's own."""
    status = status if status in DEVICE_STATUSES else ""
    index, values = _index(actor, status=status, owner=owner.strip())
    page = page_of(
        ledger,
        DEVICES,
        index,
        values,
        cursor=cursor,
        limit=PER_PAGE,
        keep=lambda device: (
            (not status or device.status == status)
            and (not owner.strip() or device.owner == owner.strip())
            and may_see(actor, [device.owner])
        ),
    )
    return frame.page(
        visitor,
        "identity/devices.html",
        page=page,
        chosen=status,
        owner=owner,
        sees_all=may_see(actor, ()),
        filtered=bool(status or owner),
        statuses=labels.statuses(visitor.lang),
    )


@get("/devices/associated", include_in_schema=False)
async def list_associated(
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    actor: Asker,
    cursor: Cursor = None,
) -> Response[Any]:
    """The devices of others at whose points the visitor stands on a side."""

    def device_of(association: Association) -> tuple[Association, Device]:
        return association, queries.device(ledger, association.device)

    page = page_with(
        ledger,
        ASSOCIATIONS,
        "party",
        (actor.id,),
        cursor=cursor,
        limit=PER_PAGE,
        keep=lambda found: queries.device(ledger, found.device).owner != actor.id,
        show=device_of,
    )
    return frame.page(
        visitor,
        "identity/associated.html",
        page=page,
        statuses=labels.statuses(visitor.lang),
    )


@get("/devices/{device_id:str}", include_in_schema=False)
async def show_device(
    device_id: FromPath[str],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    actor: Asker,
) -> Response[Any]:
    """One device: where it is in its life, and what the visitor may do next."""
    return _device(frame, visitor, ledger, _seen(ledger, actor, device_id))


@post(
    "/devices/{device_id:str}/{action:str}",
    include_in_schema=False,
    request_max_body_size=MAX_EVIDENCE_BYTES,
)
async def act_on_device(
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
    """Show what will be signed, or the device again with what is wrong."""
    form = await take_evidence(await Filled.of(request))
    form_checked(request, visitor, form["csrf"])
    device = _seen(ledger, actor, device_id)
    try:
        body = device_body(action, device.id, form)
        rehearsal.check(visitor, body)
    except Refused as refusal:
        form.refused(refusal, ABOUT_FIELDS)
        return _device(frame, visitor, ledger, device, action, form)
    return signer.draft(visitor, body, back=f"/devices/{device.id}")


def handlers() -> list[HTTPRouteHandler]:
    """The handlers."""
    return [list_devices, list_associated, *enrolment_handlers(), show_device, act_on_device]


def _seen(ledger: Store, actor: Actor, device_id: str) -> Device:
    """The device, if `actor` may see it; else the same answer whether there is one or not."""
    device = ledger.get(DEVICES, device_id)
    require_sight(actor, () if device is None else queries.parties_of_device(ledger, device))
    if device is None:
        raise DEVICE_UNKNOWN(device=device_id[:64])
    return device


def _device(
    frame: Frame,
    visitor: Visitor,
    ledger: Store,
    device: Device,
    action: str = "",
    form: Filled | None = None,
) -> Response[Any]:
    """The device's page; `form` is that of `action` where it was refused."""
    offered = device_actions(device, visitor.actor)
    associations = queries.associations_of_device(ledger, device.id)
    return frame.page(
        visitor,
        "identity/device.html",
        status=form.status if form else 200,
        device=device,
        keys=labels.keys(queries.keys_of(ledger, kind="device", holder=device.id)),
        sides=[(one.side, one.party, may_see(visitor.actor, [one.party])) for one in associations],
        owner_seen=may_see(visitor.actor, [device.owner]),
        actions=offered,
        orphan=form if form and action not in {one.name for one in offered} else None,
        forms={name: form if form and name == action else Filled() for name in DEVICE_ACTIONS},
        regions=[
            (one.iso3166_2, one.name_zh if visitor.lang == "zh" else one.name_en)
            for one in provinces()
        ],
        statuses=labels.statuses(visitor.lang),
    )


def _index(actor: Actor, *, status: str, owner: str) -> tuple[str | None, tuple[str, ...]]:
    """The index that finds what may be seen without looking at all devices."""
    if not owner and actor.kind == "party" and not may_see(actor, ()):
        owner = actor.id
    if owner:
        return ("progress", (owner, status)) if status else ("owner", (owner,))
    return ("status", (status,)) if status else (None, ())
