"""Parties, devices and keys: their records, and the transactions that change them.

Parties and devices are named by ids that people choose, each unique among its own kind. A key is
registered once and for ever: when it is replaced it stays on record as retired, so that nobody can
take it up again. Names of persons never come here: a person is a salted hash.
"""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta

from wattproof.ledger.state import Collection, Record
from wattproof.ledger.transaction import Body, transaction

__all__ = [
    "ASSOCIATIONS",
    "COUNTERS",
    "DEVICES",
    "KEYS",
    "PARTIES",
    "ROLE_HOLDERS",
    "ROTATE_DOMAIN",
    "SIDES",
    "AssociateDevice",
    "Association",
    "AuthenticateDevice",
    "ConfirmDevice",
    "Counter",
    "Device",
    "EnrolDevice",
    "GrantRole",
    "Key",
    "Party",
    "RegisterParty",
    "ReinstateDevice",
    "ReinstateParty",
    "RevokeDevice",
    "RevokeParty",
    "RevokeRole",
    "RoleHolder",
    "RotateKey",
    "SuspendDevice",
    "SuspendParty",
    "rotation_message",
]

Id = Annotated[str, Meta(min_length=1, max_length=64)]
Ids = Annotated[tuple[Id, ...], Meta(max_length=64)]
RoleName = Annotated[str, Meta(min_length=1, max_length=32)]
Text = Annotated[str, Meta(max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]*\Z")]
PublicKey = Annotated[bytes, Meta(min_length=32, max_length=32)]
Digest = Annotated[bytes, Meta(min_length=32, max_length=32)]
Signature = Annotated[bytes, Meta(min_length=64, max_length=64)]

SIDES: Final = ("supplier", "consumer")
"""On which side of a metering point a party stands; also the role that it must hold."""

ROTATE_DOMAIN: Final = b"wattproof rotate v1"
"""What the new key's proof of possession begins with."""


class Key(Record):
    """A public key and who signs with it: `kind` is ``party`` or ``device``.

    Entries are log indexes; a key with a `retired_entry` signs no more.
    """

    key: bytes
    kind: str
    holder: str
    since_entry: int
    retired_entry: int | None = None


class Party(Record):
    """An organisation or a person (`kind`).

    An organisation has a `name` and, where it has one, a Chinese unified social credit code
    (`uscc`, GB 32100) or the text of a `registration` elsewhere. A person has only `person`, a
    salted SHA-256 in hex. `status` is ``active``, ``suspended`` or ``revoked``; `roles` is sorted.
    """

    id: str
    kind: str
    did: str
    registered_entry: int
    name: str = ""
    uscc: str = ""
    registration: str = ""
    person: str = ""
    roles: tuple[str, ...] = ()
    status: str = "active"


class RoleHolder(Record):
    """That a party holds a role, looked up by the role."""

    role: str
    party: str


class Device(Record):
    """A meter: it measures one `quantity`, belongs to `owner` and signs with its own key.

    `number` is 1, 2, 3 ... in the order of enrolment. `zone` is the IANA name of its local time.
    `register_modulus` is the number of base units at which its register starts again from 0, or 0
    when it never does. `evidence` is the SHA-256, in hex, of what `authenticated_by` relied on;
    `imported` says that this was an importing party, not a metering authority. `status` follows
    `DEVICE_STEPS`; `suspended_by` is the party that suspended it. `point` and `region` come with
    the association.
    """

    id: str
    number: int
    owner: str
    quantity: str
    did: str
    zone: str
    enrolled_entry: int
    maker: str = ""
    model: str = ""
    serial: str = ""
    register_modulus: int = 0
    status: str = "enrolled"
    evidence: str = ""
    authenticated_by: str = ""
    imported: bool = False
    suspended_by: str = ""
    point: str = ""
    region: str = ""


class Association(Record):
    """That `party` stands on a `side` (one of `SIDES`) of a device's metering point."""

    device: str
    side: str
    party: str


class Counter(Record):
    """The last number that was given out."""

    name: str
    last: int


KEYS: Final = Collection("keys", Key, key=("key",), indexes={"holder": ("kind", "holder")})
PARTIES: Final = Collection("parties", Party, key=("id",), indexes={"uscc": ("uscc",)})
ROLE_HOLDERS: Final = Collection("role_holders", RoleHolder, key=("role", "party"))
DEVICES: Final = Collection(
    "devices",
    Device,
    key=("id",),
    indexes={
        "number": ("number",),
        "owner": ("owner",),
        "progress": ("owner", "status", "point"),
        "region": ("region",),
        "status": ("status",),
    },
)
ASSOCIATIONS: Final = Collection(
    "associations",
    Association,
    key=("device", "side", "party"),
    indexes={"party": ("party", "side")},
)
COUNTERS: Final = Collection("identity_counters", Counter, key=("name",))


@transaction("identity.party.register", 1, by=("registrar",), en="Register a party", zh="登记主体")
class RegisterParty(Body):
    """Register an organisation (with `name`, and `uscc` or `registration` where it has one) or a
    person (with `person`, a salted SHA-256, and nothing else)."""

    id: Id
    kind: Annotated[str, Meta(pattern=r"^(organisation|person)\Z")]
    key: PublicKey
    name: Text = ""
    uscc: Annotated[str, Meta(max_length=18)] = ""
    registration: Text = ""
    person: Digest | None = None
    roles: Annotated[tuple[RoleName, ...], Meta(max_length=32)] = ()


@transaction("identity.role.grant", 1, by=("registrar",), en="Grant a role", zh="授予角色")
class GrantRole(Body):
    """Give a party a role out of `roles.ROLES`."""

    party: Id
    role: RoleName


@transaction("identity.role.revoke", 1, by=("registrar",), en="Take a role away", zh="收回角色")
class RevokeRole(Body):
    """Take a role away from a party."""

    party: Id
    role: RoleName


@transaction("identity.party.suspend", 1, by=("registrar",), en="Suspend a party", zh="暂停主体")
class SuspendParty(Body):
    """Stop a party's key from signing, until it is reinstated."""

    party: Id
    reason: Text = ""


@transaction(
    "identity.party.reinstate", 1, by=("registrar",), en="Reinstate a party", zh="恢复主体"
)
class ReinstateParty(Body):
    """End the suspension of a party."""

    party: Id


@transaction(
    "identity.party.revoke", 1, by=("registrar",), en="Revoke a party for good", zh="永久注销主体"
)
class RevokeParty(Body):
    """Stop a party's key from signing for good."""

    party: Id
    reason: Text = ""


@transaction(
    "identity.device.enrol",
    1,
    by=("anyone",),
    en="Enrol a device (signed by the device's own new key)",
    zh="申请接入设备（由设备自身的新密钥签名）",
)
class EnrolDevice(Body):
    """Apply to be a meter of `owner`, measuring `quantity`; the signing key becomes the device's.

    `register_modulus` is in base units of the quantity; 0 when the register never starts again.
    """

    id: Id
    owner: Id
    quantity: Annotated[str, Meta(max_length=64)]
    zone: Annotated[str, Meta(max_length=64)]
    maker: Text = ""
    model: Text = ""
    serial: Text = ""
    register_modulus: Annotated[int, Meta(ge=0, le=2**62)] = 0


@transaction(
    "identity.device.authenticate",
    1,
    by=("metering_authority", "importer"),
    en="Authenticate a device (a metering authority other than its owner, or an importer)",
    zh="认证设备（非设备所有者的计量机构，或数据导入机构）",
)
class AuthenticateDevice(Body):
    """Vouch for a device; `evidence` is the SHA-256 of the documents that were examined."""

    device: Id
    evidence: Digest


@transaction(
    "identity.device.confirm",
    1,
    by=("party",),
    en="Confirm the rights to a device (its owner)",
    zh="设备确权（由所有者确认）",
)
class ConfirmDevice(Body):
    """Confirm, as its owner, that the device and what it measures are one's own."""

    device: Id


@transaction(
    "identity.device.associate",
    1,
    by=("party",),
    en="Associate a device with its point, region and parties (its owner or a metering authority)",
    zh="关联设备的计量点、地区和供用方（所有者或计量机构）",
)
class AssociateDevice(Body):
    """Say where a device measures and between whom; replaces what was said before.

    `suppliers` and `consumers` are parties with those roles, at least one in all.
    """

    device: Id
    point: Id
    region: Annotated[str, Meta(max_length=16)]
    suppliers: Ids = ()
    consumers: Ids = ()


@transaction(
    "identity.device.suspend",
    1,
    by=("party",),
    en="Suspend a device (its owner, a metering authority or the registrar)",
    zh="暂停设备（所有者、计量机构或登记机构）",
)
class SuspendDevice(Body):
    """Stop a device from reporting, until it is reinstated."""

    device: Id
    reason: Text = ""


@transaction(
    "identity.device.reinstate",
    1,
    by=("party",),
    en="Reinstate a device (whoever suspended it, a metering authority or the registrar)",
    zh="恢复设备（原暂停方、计量机构或登记机构）",
)
class ReinstateDevice(Body):
    """End the suspension of a device."""

    device: Id


@transaction(
    "identity.device.revoke",
    1,
    by=("party",),
    en="Revoke a device for good (its owner, a metering authority or the registrar)",
    zh="永久注销设备（所有者、计量机构或登记机构）",
)
class RevokeDevice(Body):
    """Stop a device from reporting for good."""

    device: Id
    reason: Text = ""


@transaction(
    "identity.key.rotate",
    1,
    by=("party", "device"),
    en="Replace one's key (signed with the present key)",
    zh="更换密钥（由现有密钥签名）",
)
class RotateKey(Body):
    """Replace the signing key by `new_key`; `proof` is its signature over `rotation_message`."""

    new_key: PublicKey
    proof: Signature


def rotation_message(*, old_key: bytes, new_key: bytes, holder: str) -> bytes:
    """What the new key must sign to show that its private half is in the holder's hands."""
    return ROTATE_DOMAIN + old_key + new_key + holder.encode()
