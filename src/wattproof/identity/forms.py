"""From the fields of a form to the transaction that it stands for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Final

from wattproof.console.filled import Filled
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

__all__ = ["ABOUT_FIELDS", "EVIDENCE_FILE", "device_body", "key_from", "party_body",
           "register_body", "take_evidence"]  # fmt: skip

EVIDENCE_FILE: Final = "evidence_file"
"""The field in which a browser may send the evidence itself, to be hashed here and let go."""

ABOUT_FIELDS: Final[Mapping[str, str]] = {
    "identity.party.taken": "id",
    "identity.party.uscc_taken": "uscc",
    "identity.party.organisation_fields": "name",
    "identity.party.person_fields": "person",
    "identity.key.taken": "key",
    "identity.role.held": "role",
    "identity.role.not_held": "role",
    "identity.role.last_registrar": "role",
}
"""Which field of a form a refusal of the ledger is about."""

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


def register_body(form: Filled) -> RegisterParty:
    """The registration of a party. Raises `Malformed` where a field cannot be taken."""
    person = form["kind"] == "person"
    id_ = form.take("id", check_id)
    name = form.take("name", str, needed=not person)
    uscc = form.take("uscc", check_uscc, needed=False) if form["uscc"] else ""
    hashed = form.take("person", _person, needed=False) if person or form["person"] else None
    key = form.take("key", key_from)
    roles = form.take("roles", lambda _: check_roles(form.all("roles")), needed=False)
    form.finish()
    return form.bounded(
        RegisterParty(
            id=id_,
            kind="person" if person else "organisation",
            key=key,
            name=name,
            uscc=uscc,
            registration=form["registration"],
            person=hashed,
            roles=roles,
        )
    )


def party_body(action: str, party: str, form: Filled) -> Body:
    """What is done with a party. Raises `NotFound` for an action that there is not."""
    make = _PARTY.get(action)
    if make is None:
        raise NO_ACTION(action=action[:40])
    return form.bounded(make(party, form))


def device_body(action: str, device: str, form: Filled) -> Body:
    """What is done with a device. Raises `NotFound` for an action that there is not."""
    make = _DEVICE.get(action)
    if make is None:
        raise NO_ACTION(action=action[:40])
    return form.bounded(make(device, form))


async def take_evidence(form: Filled) -> Filled:
    """The form with the SHA-256 of its file of evidence, if it has one, in place of the file."""
    file = form.file(EVIDENCE_FILE)
    if file is None:
        return form
    digest = hashlib.sha256()
    while chunk := await file.read(1 << 20):
        digest.update(chunk)
    return Filled({**form.texts, "evidence": digest.hexdigest()})


def key_from(text: str) -> bytes:
    """The public key in a did:key. Raises `Malformed` for one that may not be registered."""
    key = public_of(text)
    check_public(key)
    return key


Make = Callable[[str, Filled], Body]

_PARTY: Final[dict[str, Make]] = {
    "grant": lambda id_, form: GrantRole(party=id_, role=form["role"]),
    "withdraw": lambda id_, form: RevokeRole(party=id_, role=form["role"]),
    "suspend": lambda id_, form: SuspendParty(party=id_, reason=form["reason"]),
    "reinstate": lambda id_, _form: ReinstateParty(party=id_),
    "revoke": lambda id_, form: RevokeParty(party=id_, reason=form["reason"]),
}


def _associate(device: str, form: Filled) -> AssociateDevice:
    point, region = form.take("point", check_id), form.take("region", check_region)
    suppliers = form.take("suppliers", _ids, needed=False)
    consumers = form.take("consumers", _ids, needed=False)
    form.finish()
    return AssociateDevice(
        device=device, point=point, region=region, suppliers=suppliers, consumers=consumers
    )


_DEVICE: Final[dict[str, Make]] = {
    "authenticate": lambda id_, form: AuthenticateDevice(
        device=id_, evidence=_finished(form, form.take("evidence", _evidence, needed=False))
    ),
    "confirm": lambda id_, _form: ConfirmDevice(device=id_),
    "associate": _associate,
    "suspend": lambda id_, form: SuspendDevice(device=id_, reason=form["reason"]),
    "reinstate": lambda id_, _form: ReinstateDevice(device=id_),
    "revoke": lambda id_, form: RevokeDevice(device=id_, reason=form["reason"]),
}


def _finished(form: Filled, value: bytes) -> bytes:
    form.finish()
    return value


def _ids(text: str) -> tuple[str, ...]:
    """The ids in a list with commas, Chinese ones too."""
    items = text.replace("，", ",").replace("、", ",").split(",")
    return tuple(check_id(item.strip()) for item in items if item.strip())


def _evidence(text: str) -> bytes:
    return _digest(text, EVIDENCE)


def _person(text: str) -> bytes:
    return _digest(text, PERSON)


def _digest(text: str, code: ErrorCode) -> bytes:
    try:
        digest = bytes.fromhex(text)
    except ValueError:
        digest = b""
    if len(digest) != 32:
        raise code()
    return digest
