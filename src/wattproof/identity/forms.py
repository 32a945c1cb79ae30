"""From the fields of a form to the transaction that it stands for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from wattproof.core.codes import check_id, check_region, check_uscc
from wattproof.core.errors import ErrorCode, Malformed, NotFound
from wattproof.identity.model import (
    AssociateDevice,
    AuthenticateDevice,
    ConfirmDevice,
    GrantRole,
    RegisterParty,
    ReinstateDevice,
    ReinstateParty,
    RevokeDevice,
    RevokeParty,
    RevokeRole,
    SuspendDevice,
    SuspendParty,
)
from wattproof.identity.roles import check_roles
from wattproof.keys.did import public_of
from wattproof.keys.ed25519 import check_public
from wattproof.ledger.transaction import Body

__all__ = ["ActionForm", "PartyForm", "device_body", "party_body", "register_body"]

NO_ACTION = ErrorCode(
    NotFound,
    "identity.no_action",
    en="There is no action “{action}”.",
    zh="没有名为“{action}”的操作。",
)
EVIDENCE = ErrorCode(
    Malformed,
    "identity.evidence",
    en="Give the evidence as a file, or as its SHA-256 in 64 hexadecimal digits.",
    zh="请上传证明材料文件，或填写其 SHA-256（64 位十六进制数字）。",
)
PERSON = ErrorCode(
    Malformed,
    "identity.person_hash",
    en="A person is given as a salted SHA-256 in 64 hexadecimal digits, never by name.",
    zh="个人须以加盐 SHA-256（64 位十六进制数字）表示，不得填写姓名。",
)


class PartyForm(msgspec.Struct):
    """What the form for a new party sends; `key` is a did:key, `roles` names with commas."""

    csrf: str = ""
    id: str = ""
    kind: str = "organisation"
    name: str = ""
    uscc: str = ""
    registration: str = ""
    person: str = ""
    key: str = ""
    roles: str = ""


class ActionForm(msgspec.Struct):
    """What the forms for what is done with a party or device send; lists with commas."""

    csrf: str = ""
    reason: str = ""
    role: str = ""
    evidence: str = ""
    point: str = ""
    region: str = ""
    suppliers: str = ""
    consumers: str = ""


def register_body(form: PartyForm) -> RegisterParty:
    """The registration of a party. Raises `Malformed` where a field cannot be taken."""
    key = public_of(form.key.strip())
    check_public(key)
    return RegisterParty(
        id=check_id(form.id.strip()),
        kind="person" if form.kind == "person" else "organisation",
        key=key,
        name=form.name.strip(),
        uscc=check_uscc(form.uscc.strip()) if form.uscc.strip() else "",
        registration=form.registration.strip(),
        person=_digest(form.person, PERSON) if form.person.strip() else None,
        roles=check_roles(_listed(form.roles)),
    )


def party_body(action: str, party: str, form: ActionForm) -> Body:
    """What is done with a party. Raises `NotFound` for an action that there is not."""
    make = _PARTY.get(action)
    if make is None:
        raise NO_ACTION(action=action[:40])
    return make(party, form)


def device_body(action: str, device: str, form: ActionForm) -> Body:
    """What is done with a device. Raises `NotFound` for an action that there is not."""
    make = _DEVICE.get(action)
    if make is None:
        raise NO_ACTION(action=action[:40])
    return make(device, form)


Make = Callable[[str, ActionForm], Body]

_PARTY: Final[dict[str, Make]] = {
    "grant": lambda id_, form: GrantRole(party=id_, role=form.role),
    "withdraw": lambda id_, form: RevokeRole(party=id_, role=form.role),
    "suspend": lambda id_, form: SuspendParty(party=id_, reason=form.reason),
    "reinstate": lambda id_, _form: ReinstateParty(party=id_),
    "revoke": lambda id_, form: RevokeParty(party=id_, reason=form.reason),
}

_DEVICE: Final[dict[str, Make]] = {
    "authenticate": lambda id_, form: AuthenticateDevice(
        device=id_, evidence=_digest(form.evidence, EVIDENCE)
    ),
    "confirm": lambda id_, _form: ConfirmDevice(device=id_),
    "associate": lambda id_, form: AssociateDevice(
        device=id_,
        point=check_id(form.point.strip()),
        region=check_region(form.region.strip()),
        suppliers=_listed(form.suppliers),
        consumers=_listed(form.consumers),
    ),
    "suspend": lambda id_, form: SuspendDevice(device=id_, reason=form.reason),
    "reinstate": lambda id_, _form: ReinstateDevice(device=id_),
    "revoke": lambda id_, form: RevokeDevice(device=id_, reason=form.reason),
}


def _listed(text: str) -> tuple[str, ...]:
    """The items of a list with commas, Chinese ones too."""
    items = text.replace("，", ",").replace("、", ",").split(",")
    return tuple(item.strip() for item in items if item.strip())


def _digest(text: str, code: ErrorCode) -> bytes:
    try:
        digest = bytes.fromhex(text.strip())
    except ValueError:
        digest = b""
    if len(digest) != 32:
        raise code()
    return digest
