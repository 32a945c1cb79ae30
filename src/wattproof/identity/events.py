"""What happens to parties, devices and keys; other rooms may listen."""

from __future__ import annotations

from wattproof.ledger.machine import Event, event

__all__ = [
    "DeviceAssociated",
    "DeviceAuthenticated",
    "DeviceConfirmed",
    "DeviceEnrolled",
    "DeviceReinstated",
    "DeviceRevoked",
    "DeviceSuspended",
    "KeyRotated",
    "PartyRegistered",
    "PartyReinstated",
    "PartyRevoked",
    "PartySuspended",
    "RoleGranted",
    "RoleRevoked",
]


@event(
    "identity.party.registered",
    en="Party {party} was registered with the key {did}",
    zh="主体 {party} 已登记，密钥 {did}",
)
class PartyRegistered(Event):
    """A founder or a later party is on the ledger."""

    party: str
    kind: str
    did: str
    roles: tuple[str, ...] = ()


@event(
    "identity.role.granted",
    en="{party} was given the role {role}",
    zh="已授予 {party} 角色 {role}",
)
class RoleGranted(Event):
    """A party has one role more."""

    party: str
    role: str


@event(
    "identity.role.revoked",
    en="{party} no longer has the role {role}",
    zh="已收回 {party} 的角色 {role}",
)
class RoleRevoked(Event):
    """A party has one role less."""

    party: str
    role: str


@event(
    "identity.party.suspended",
    en="Party {party} was suspended by {by}",
    zh="{by} 暂停了主体 {party}",
)
class PartySuspended(Event):
    """A party's key signs no more for now."""

    party: str
    by: str


@event(
    "identity.party.reinstated",
    en="Party {party} was reinstated by {by}",
    zh="{by} 恢复了主体 {party}",
)
class PartyReinstated(Event):
    """A party's key signs again."""

    party: str
    by: str


@event(
    "identity.party.revoked",
    en="Party {party} was revoked for good by {by}",
    zh="{by} 永久注销了主体 {party}",
)
class PartyRevoked(Event):
    """A party's key signs never again."""

    party: str
    by: str


@event(
    "identity.device.enrolled",
    en="Device {device} (number {number}) was enrolled for {owner}, measuring {quantity}",
    zh="设备 {device}（编号 {number}）已为 {owner} 申请接入，计量 {quantity}",
)
class DeviceEnrolled(Event):
    """A device applies; it cannot report yet."""

    device: str
    number: int
    owner: str
    quantity: str
    did: str


@event(
    "identity.device.authenticated",
    en="Device {device} was authenticated by {by}",
    zh="{by} 认证了设备 {device}",
)
class DeviceAuthenticated(Event):
    """A metering authority (or, where `imported`, an importing party) vouches for a device."""

    device: str
    number: int
    by: str
    imported: bool = False


@event(
    "identity.device.confirmed",
    en="{owner} confirmed its rights to device {device}, which may now report",
    zh="{owner} 已对设备 {device} 确权，设备可以上报",
)
class DeviceConfirmed(Event):
    """A device is active."""

    device: str
    number: int
    owner: str
    quantity: str


@event(
    "identity.device.associated",
    en="Device {device} was associated with point {point} in region {region}",
    zh="设备 {device} 已关联到地区 {region} 的计量点 {point}",
)
class DeviceAssociated(Event):
    """A device's point, region and parties are as given here."""

    device: str
    number: int
    by: str
    point: str
    region: str
    suppliers: tuple[str, ...] = ()
    consumers: tuple[str, ...] = ()


@event(
    "identity.device.suspended",
    en="Device {device} was suspended by {by}",
    zh="{by} 暂停了设备 {device}",
)
class DeviceSuspended(Event):
    """A device cannot report for now."""

    device: str
    number: int
    by: str


@event(
    "identity.device.reinstated",
    en="Device {device} was reinstated by {by}",
    zh="{by} 恢复了设备 {device}",
)
class DeviceReinstated(Event):
    """A device may report again."""

    device: str
    number: int
    by: str


@event(
    "identity.device.revoked",
    en="Device {device} was revoked for good by {by}",
    zh="{by} 永久注销了设备 {device}",
)
class DeviceRevoked(Event):
    """A device will never report again."""

    device: str
    number: int
    by: str


@event(
    "identity.key.rotated",
    en="The key of {holder} was replaced: from {old_did} to {new_did}",
    zh="{holder} 的密钥已由 {old_did} 更换为 {new_did}",
)
class KeyRotated(Event):
    """A party or device (`kind`) signs with a new key."""

    kind: str
    holder: str
    old_did: str
    new_did: str
