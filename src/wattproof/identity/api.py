"""Parties, devices and the enforced table of roles over HTTP.

GET /api/v1/parties[/{id}]
GET /api/v1/devices[/{id}]
GET /api/v1/roles
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Router, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from wattproof.gateway.access import may_see, require_sight
from wattproof.gateway.errors import problems
from wattproof.gateway.reading import Asker, Cursor, Id, Ledger, Limit, Page, page_of, shown
from wattproof.identity import queries
from wattproof.identity.model import DEVICES, PARTIES, Association, Device, Key, Party
from wattproof.identity.roles import EVERYONE_ROLES, ROLES, Role
from wattproof.ledger.machine import Machine
from wattproof.ledger.transaction import Spec

__all__ = ["DeviceDetail", "PartyDetail", "RoleTable", "router"]

Owner = Annotated[str | None, QueryParameter(max_length=64, description="The owner's id.")]
Status = Annotated[str | None, QueryParameter(max_length=32, description="A step of its life.")]
Quantity = Annotated[
    str | None, QueryParameter(max_length=64, description="What it measures: electricity.import")
]
Region = Annotated[str | None, QueryParameter(max_length=16, description="A region's code.")]
RoleName = Annotated[str | None, QueryParameter(max_length=32, description="A role's name.")]


class PartyDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A party and its keys, retired ones included, in order of their entries."""

    party: Party
    keys: tuple[Key, ...]


class DeviceDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A device, its keys, and who stands on which side of its metering point."""

    device: Device
    keys: tuple[Key, ...]
    associations: tuple[Association, ...]


class RoleTable(msgspec.Struct, frozen=True, kw_only=True):
    """The roles that there are, and which of them may sign each type of transaction.

    `everyone` explains the names in `by` that are not roles. This is the table that is enforced.
    """

    roles: tuple[Role, ...]
    everyone: tuple[Role, ...]
    transactions: tuple[Spec, ...]


@get("/parties", responses=problems(400), summary="Parties, by id")
async def list_parties(
    ledger: Ledger,
    actor: Asker,
    role: RoleName = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[Party]:
    """All parties, or those that hold a role."""
    return page_of(
        ledger,
        PARTIES,
        cursor=cursor,
        limit=limit,
        keep=lambda party: (role is None or role in party.roles) and may_see(actor, [party.id]),
    )


@get("/parties/{id:str}", responses=problems(400, 404), summary="One party")
async def show_party(
    id: Id,  # noqa: A002
    ledger: Ledger,
    actor: Asker,
) -> PartyDetail:
    """A party and its keys."""
    require_sight(actor, [id])
    party = queries.party(ledger, id)
    keys = queries.keys_of(ledger, kind="party", holder=id)
    return shown(PartyDetail(party=party, keys=tuple(keys)))


@get("/devices", responses=problems(400), summary="Devices, by id")
async def list_devices(
    ledger: Ledger,
    actor: Asker,
    owner: Owner = None,
    status: Status = None,
    quantity: Quantity = None,
    region: Region = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[Device]:
    """All devices, or those to which all the filters apply."""
    wanted = {"owner": owner, "region": region, "status": status, "quantity": quantity}
    given = {name: value for name, value in wanted.items() if value is not None}
    index = next((name for name in given if name in DEVICES.indexes), None)
    return page_of(
        ledger,
        DEVICES,
        index,
        () if index is None else (given[index],),
        cursor=cursor,
        limit=limit,
        keep=lambda device: (
            all(getattr(device, name) == value for name, value in given.items())
            and may_see(actor, [device.owner])
        ),
    )


@get("/devices/{id:str}", responses=problems(400, 404), summary="One device")
async def show_device(
    id: Id,  # noqa: A002
    ledger: Ledger,
    actor: Asker,
) -> DeviceDetail:
    """A device, its keys and its associations."""
    found = ledger.get(DEVICES, id)
    require_sight(actor, () if found is None else queries.parties_of_device(ledger, found))
    device, associations = queries.device(ledger, id), queries.associations_of_device(ledger, id)
    keys = queries.keys_of(ledger, kind="device", holder=id)
    return shown(DeviceDetail(device=device, keys=tuple(keys), associations=tuple(associations)))


@get("/roles", summary="The roles, and what each may sign")
async def show_roles(machine: NamedDependency[Machine]) -> RoleTable:
    """The table that is enforced."""
    return RoleTable(
        roles=tuple(ROLES.values()),
        everyone=tuple(EVERYONE_ROLES.values()),
        transactions=machine.specs,
    )


def router() -> Router:
    """The routes, below ``/api/v1``."""
    handlers = [list_parties, show_party, list_devices, show_device, show_roles]
    return Router("/api/v1", route_handlers=handlers, tags=["identity"])
