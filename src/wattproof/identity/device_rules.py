"""Rules of devices: who may take them which step further."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from wattproof.core.codes import check_id, check_region
from wattproof.core.periods import check_zone_name
from wattproof.core.units import parse_quantity
from wattproof.identity.events import (
    DeviceAssociated,
    DeviceAuthenticated,
    DeviceConfirmed,
    DeviceEnrolled,
    DeviceReinstated,
    DeviceRevoked,
    DeviceSuspended,
)
from wattproof.identity.lifecycle import device_after, party_after
from wattproof.identity.model import (
    ASSOCIATIONS,
    COUNTERS,
    DEVICES,
    AssociateDevice,
    Association,
    AuthenticateDevice,
    ConfirmDevice,
    Counter,
    Device,
    EnrolDevice,
    ReinstateDevice,
    RevokeDevice,
    SuspendDevice,
)
from wattproof.identity.party_rules import find_party, hold_key
from wattproof.identity.refusals import (
    DEVICE_SUSPENDED_BY_OTHER,
    DEVICE_TAKEN,
    DEVICE_UNKNOWN,
    NOT_CANONICAL,
    NOT_FOR_THIS_PARTY,
    NOT_OWNER,
    OWN_DEVICE,
    SIDE_REPEATED,
    SIDE_ROLE,
    SIDES_EMPTY,
)
from wattproof.keys.did import did_of
from wattproof.ledger.machine import Context

__all__ = [
    "associate_device",
    "authenticate_device",
    "confirm_device",
    "demand_owner_or",
    "enrol_device",
    "find_device",
    "reinstate_device",
    "revoke_device",
    "suspend_device",
]


def enrol_device(ctx: Context, body: EnrolDevice) -> None:
    """Record a device that applies; the key that signed is its own from now on."""
    check_id(body.id)
    if ctx.state.get(DEVICES, body.id) is not None:
        raise DEVICE_TAKEN(device=body.id)
    _demand_canonical(body.quantity, parse_quantity)
    check_zone_name(body.zone)
    party_after(find_party(ctx, body.owner), "sign")
    hold_key(ctx, ctx.signer, kind="device", holder=body.id)
    device = Device(
        id=body.id,
        number=_next_number(ctx),
        owner=body.owner,
        quantity=body.quantity,
        did=did_of(ctx.signer),
        zone=body.zone,
        enrolled_entry=ctx.index,
        maker=body.maker,
        model=body.model,
        serial=body.serial,
        register_modulus=body.register_modulus,
    )
    ctx.state.put(DEVICES, device)
    ctx.emit(
        DeviceEnrolled(
            device=device.id,
            number=device.number,
            owner=device.owner,
            quantity=device.quantity,
            did=device.did,
        )
    )


def authenticate_device(ctx: Context, body: AuthenticateDevice) -> None:
    """Vouch for a device of somebody else; an importing party may do so for its own, on record."""
    device = find_device(ctx, body.device)
    status = device_after(device, "authenticate")
    by, roles = ctx.actor.id, ctx.actor.roles
    imported = "metering_authority" not in roles or by == device.owner
    if imported and "importer" not in roles:
        raise OWN_DEVICE(party=by, device=device.id)
    authenticated = replace(
        device,
        status=status,
        evidence=body.evidence.hex(),
        authenticated_by=by,
        imported=imported,
    )
    ctx.state.put(DEVICES, authenticated)
    ctx.emit(DeviceAuthenticated(device=device.id, number=device.number, by=by, imported=imported))


def confirm_device(ctx: Context, body: ConfirmDevice) -> None:
    """Make an authenticated device active, as its owner."""
    device = find_device(ctx, body.device)
    if ctx.actor.id != device.owner:
        raise NOT_OWNER(party=ctx.actor.id, device=device.id)
    ctx.state.put(DEVICES, replace(device, status=device_after(device, "confirm")))
    ctx.emit(
        DeviceConfirmed(
            device=device.id, number=device.number, owner=device.owner, quantity=device.quantity
        )
    )


def associate_device(ctx: Context, body: AssociateDevice) -> None:
    """Put down a device's point, region and parties in place of what was there."""
    device = find_device(ctx, body.device)
    demand_owner_or(ctx, device, "metering_authority")
    status = device_after(device, "associate")
    check_id(body.point)
    _demand_canonical(body.region, check_region)
    if not body.suppliers and not body.consumers:
        raise SIDES_EMPTY()
    for old in ctx.state.scan(ASSOCIATIONS, device.id):
        ctx.state.delete(ASSOCIATIONS, device.id, old.side, old.party)
    _add_side(ctx, device, "supplier", body.suppliers)
    _add_side(ctx, device, "consumer", body.consumers)
    associated = replace(device, status=status, point=body.point, region=body.region)
    ctx.state.put(DEVICES, associated)
    ctx.emit(
        DeviceAssociated(
            device=device.id,
            number=device.number,
            by=ctx.actor.id,
            point=body.point,
            region=body.region,
            suppliers=body.suppliers,
            consumers=body.consumers,
        )
    )


def suspend_device(ctx: Context, body: SuspendDevice) -> None:
    """Stop an active device from reporting."""
    device = find_device(ctx, body.device)
    demand_owner_or(ctx, device, "metering_authority", "registrar")
    status, by = device_after(device, "suspend"), ctx.actor.id
    ctx.state.put(DEVICES, replace(device, status=status, suspended_by=by))
    ctx.emit(DeviceSuspended(device=device.id, number=device.number, by=by))


def reinstate_device(ctx: Context, body: ReinstateDevice) -> None:
    """Let a suspended device report again; an owner lifts only its own suspension."""
    device = find_device(ctx, body.device)
    demand_owner_or(ctx, device, "metering_authority", "registrar")
    status, by = device_after(device, "reinstate"), ctx.actor.id
    if by == device.owner and by != device.suspended_by:
        raise DEVICE_SUSPENDED_BY_OTHER(device=device.id, by=device.suspended_by)
    ctx.state.put(DEVICES, replace(device, status=status, suspended_by=""))
    ctx.emit(DeviceReinstated(device=device.id, number=device.number, by=by))


def revoke_device(ctx: Context, body: RevokeDevice) -> None:
    """Stop a device from reporting for good."""
    device = find_device(ctx, body.device)
    demand_owner_or(ctx, device, "metering_authority", "registrar")
    ctx.state.put(DEVICES, replace(device, status=device_after(device, "revoke")))
    ctx.emit(DeviceRevoked(device=device.id, number=device.number, by=ctx.actor.id))


def find_device(ctx: Context, id_: str) -> Device:
    """The device of that id, or ``identity.device.unknown``."""
    device = ctx.state.get(DEVICES, id_)
    if device is None:
        raise DEVICE_UNKNOWN(device=id_)
    return device


def demand_owner_or(ctx: Context, device: Device, *roles: str) -> None:
    """Raise ``identity.device.not_yours`` unless the owner acts, or a party with one of `roles`."""
    if ctx.actor.id != device.owner and not any(role in ctx.actor.roles for role in roles):
        raise NOT_FOR_THIS_PARTY(party=ctx.actor.id, device=device.id, roles=", ".join(roles))


def _demand_canonical(text: str, canonical_of: Callable[[str], str]) -> None:
    canonical = canonical_of(text)
    if canonical != text:
        raise NOT_CANONICAL(canonical=canonical, text=text[:80])


def _next_number(ctx: Context) -> int:
    counter = ctx.state.get(COUNTERS, "device")
    number = 1 if counter is None else counter.last + 1
    ctx.state.put(COUNTERS, Counter(name="device", last=number))
    return number


def _add_side(ctx: Context, device: Device, side: str, parties: tuple[str, ...]) -> None:
    for id_ in parties:
        party = find_party(ctx, id_)
        party_after(party, "sign")
        if side not in party.roles:
            raise SIDE_ROLE(party=id_, side=side)
        if ctx.state.get(ASSOCIATIONS, device.id, side, id_) is not None:
            raise SIDE_REPEATED(party=id_, side=side)
        ctx.state.put(ASSOCIATIONS, Association(device=device.id, side=side, party=id_))
