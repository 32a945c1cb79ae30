"""Why identity refuses: one code for each reason."""

from __future__ import annotations

from typing import Final

from wattproof.core.errors import Conflict, ErrorCode, Malformed, NotFound, Unauthorised

__all__ = [
    "DEVICE_ALREADY_AUTHENTICATED",
    "DEVICE_ALREADY_CONFIRMED",
    "DEVICE_NOT_AUTHENTICATED",
    "DEVICE_NOT_CONFIRMED",
    "DEVICE_NOT_SUSPENDED",
    "DEVICE_REVOKED",
    "DEVICE_SUSPENDED",
    "DEVICE_SUSPENDED_BY_OTHER",
    "DEVICE_TAKEN",
    "DEVICE_UNKNOWN",
    "GENESIS_LATE",
    "GENESIS_REGISTRAR",
    "GENESIS_SIGNER",
    "KEY_POSSESSION",
    "KEY_RETIRED",
    "KEY_TAKEN",
    "KEY_UNKNOWN",
    "LAST_REGISTRAR",
    "NOT_A_DEVICE",
    "NOT_A_PARTY",
    "NOT_CANONICAL",
    "NOT_FOR_THIS_PARTY",
    "NOT_OWNER",
    "ORGANISATION_FIELDS",
    "OWN_DEVICE",
    "PARTY_NOT_SUSPENDED",
    "PARTY_REVOKED",
    "PARTY_SUSPENDED",
    "PARTY_TAKEN",
    "PARTY_UNKNOWN",
    "PERSON_FIELDS",
    "ROLE_HELD",
    "ROLE_MISSING",
    "ROLE_NOT_HELD",
    "ROLE_REPEATED",
    "ROLE_UNKNOWN",
    "SIDES_EMPTY",
    "SIDE_REPEATED",
    "SIDE_ROLE",
    "USCC_TAKEN",
]

GENESIS_LATE: Final = ErrorCode(
    Conflict,
    "identity.genesis.late",
    en="Only the first entry of a ledger can open it.",
    zh="只有账本的第一个条目可以创建账本。",
)
GENESIS_REGISTRAR: Final = ErrorCode(
    Malformed,
    "identity.genesis.registrar",
    en="{registrar} is not among the founders with the role registrar.",
    zh="创始成员中没有具有 registrar 角色的 {registrar}。",
)
GENESIS_SIGNER: Final = ErrorCode(
    Unauthorised,
    "identity.genesis.signer",
    en="The genesis is not signed with the key of the registrar {registrar}.",
    zh="创世交易不是由登记机构 {registrar} 的密钥签名的。",
)

KEY_UNKNOWN: Final = ErrorCode(
    Unauthorised,
    "identity.key.unknown",
    en="No party and no device holds the key {did}.",
    zh="没有主体或设备持有密钥 {did}。",
)
KEY_RETIRED: Final = ErrorCode(
    Unauthorised,
    "identity.key.retired",
    en="The key {did} of {holder} was replaced in entry {entry} and signs no more.",
    zh="{holder} 的密钥 {did} 已在条目 {entry} 中被更换，不能再签名。",
)
KEY_TAKEN: Final = ErrorCode(
    Conflict,
    "identity.key.taken",
    en="The key {did} belongs or belonged to {holder}; a key is registered only once.",
    zh="密钥 {did} 现在或曾经属于 {holder}；一个密钥只能登记一次。",
)
KEY_POSSESSION: Final = ErrorCode(
    Unauthorised,
    "identity.key.possession",
    en="The new key {did} has not signed the proof that {holder} holds it.",
    zh="新密钥 {did} 未能证明由 {holder} 持有。",
)

PARTY_UNKNOWN: Final = ErrorCode(
    NotFound,
    "identity.party.unknown",
    en="There is no party {party}.",
    zh="主体 {party} 不存在。",
)
PARTY_TAKEN: Final = ErrorCode(
    Conflict,
    "identity.party.taken",
    en="There already is a party {party}.",
    zh="主体 {party} 已存在。",
)
PARTY_SUSPENDED: Final = ErrorCode(
    Unauthorised,
    "identity.party.suspended",
    en="The party {party} is suspended.",
    zh="主体 {party} 已被暂停。",
)
PARTY_REVOKED: Final = ErrorCode(
    Unauthorised,
    "identity.party.revoked",
    en="The party {party} was revoked for good.",
    zh="主体 {party} 已被永久注销。",
)
PARTY_NOT_SUSPENDED: Final = ErrorCode(
    Conflict,
    "identity.party.not_suspended",
    en="The party {party} is not suspended.",
    zh="主体 {party} 未被暂停。",
)
ORGANISATION_FIELDS: Final = ErrorCode(
    Malformed,
    "identity.party.organisation_fields",
    en="An organisation has a name and no person's hash, and not both a Chinese code and a"
    " registration elsewhere.",
    zh="组织须有名称，不得带个人哈希，且统一社会信用代码与境外登记号只能填一项。",
)
PERSON_FIELDS: Final = ErrorCode(
    Malformed,
    "identity.party.person_fields",
    en="A person is registered by a salted hash alone; name and registration stay off the ledger.",
    zh="个人只以加盐哈希登记；姓名和登记号不得写入账本。",
)
USCC_TAKEN: Final = ErrorCode(
    Conflict,
    "identity.party.uscc_taken",
    en="The unified social credit code {uscc} is that of the party {party}.",
    zh="统一社会信用代码 {uscc} 已属于主体 {party}。",
)

ROLE_UNKNOWN: Final = ErrorCode(
    Malformed,
    "identity.role.unknown",
    en="{role!r} is not a role. Take one of {allowed}.",
    zh="“{role}”不是可用的角色。可用：{allowed}。",
)
ROLE_REPEATED: Final = ErrorCode(
    Malformed,
    "identity.role.repeated",
    en="The role {role} is listed twice.",
    zh="角色 {role} 重复列出。",
)
ROLE_HELD: Final = ErrorCode(
    Conflict,
    "identity.role.held",
    en="{party} already has the role {role}.",
    zh="{party} 已具有角色 {role}。",
)
ROLE_NOT_HELD: Final = ErrorCode(
    Conflict,
    "identity.role.not_held",
    en="{party} does not have the role {role}.",
    zh="{party} 不具有角色 {role}。",
)
ROLE_MISSING: Final = ErrorCode(
    Unauthorised,
    "identity.role.missing",
    en="{party} has none of the roles that may do this: {roles}.",
    zh="{party} 不具有可执行此操作的角色：{roles}。",
)
LAST_REGISTRAR: Final = ErrorCode(
    Conflict,
    "identity.role.last_registrar",
    en="{party} is the last active registrar; without one nobody could be registered any more.",
    zh="{party} 是最后一个有效的登记机构；没有登记机构将无法再登记任何主体。",
)
NOT_A_PARTY: Final = ErrorCode(
    Unauthorised,
    "identity.signer.not_party",
    en="Only a registered party may sign this.",
    zh="此操作只能由已登记的主体签名。",
)
NOT_A_DEVICE: Final = ErrorCode(
    Unauthorised,
    "identity.signer.not_device",
    en="Only a device may sign this.",
    zh="此操作只能由设备签名。",
)
NOT_FOR_THIS_PARTY: Final = ErrorCode(
    Unauthorised,
    "identity.device.not_yours",
    en="{party} may not do this to device {device}: it is neither its owner nor {roles}.",
    zh="{party} 不能对设备 {device} 执行此操作：既不是其所有者，也不具有角色 {roles}。",
)

DEVICE_UNKNOWN: Final = ErrorCode(
    NotFound,
    "identity.device.unknown",
    en="There is no device {device}.",
    zh="设备 {device} 不存在。",
)
DEVICE_TAKEN: Final = ErrorCode(
    Conflict,
    "identity.device.taken",
    en="There already is a device {device}.",
    zh="设备 {device} 已存在。",
)
DEVICE_NOT_AUTHENTICATED: Final = ErrorCode(
    Conflict,
    "identity.device.not_authenticated",
    en="No metering authority has authenticated device {device} yet.",
    zh="设备 {device} 尚未经计量机构认证。",
)
DEVICE_NOT_CONFIRMED: Final = ErrorCode(
    Conflict,
    "identity.device.not_confirmed",
    en="The owner {owner} has not confirmed its rights to device {device} yet.",
    zh="所有者 {owner} 尚未对设备 {device} 确权。",
)
DEVICE_ALREADY_AUTHENTICATED: Final = ErrorCode(
    Conflict,
    "identity.device.already_authenticated",
    en="Device {device} is already authenticated.",
    zh="设备 {device} 已经认证。",
)
DEVICE_ALREADY_CONFIRMED: Final = ErrorCode(
    Conflict,
    "identity.device.already_confirmed",
    en="The rights to device {device} are already confirmed.",
    zh="设备 {device} 已经确权。",
)
DEVICE_SUSPENDED: Final = ErrorCode(
    Conflict,
    "identity.device.suspended",
    en="Device {device} is suspended.",
    zh="设备 {device} 已被暂停。",
)
DEVICE_NOT_SUSPENDED: Final = ErrorCode(
    Conflict,
    "identity.device.not_suspended",
    en="Device {device} is not suspended.",
    zh="设备 {device} 未被暂停。",
)
DEVICE_SUSPENDED_BY_OTHER: Final = ErrorCode(
    Unauthorised,
    "identity.device.suspended_by_other",
    en="Device {device} was suspended by {by}; its owner cannot lift that.",
    zh="设备 {device} 由 {by} 暂停，所有者不能自行恢复。",
)
DEVICE_REVOKED: Final = ErrorCode(
    Conflict,
    "identity.device.revoked",
    en="Device {device} was revoked for good.",
    zh="设备 {device} 已被永久注销。",
)
NOT_OWNER: Final = ErrorCode(
    Unauthorised,
    "identity.device.not_owner",
    en="{party} is not the owner of device {device}.",
    zh="{party} 不是设备 {device} 的所有者。",
)
OWN_DEVICE: Final = ErrorCode(
    Unauthorised,
    "identity.device.own",
    en="{party} owns device {device}; somebody else must authenticate it.",
    zh="设备 {device} 归 {party} 所有，须由其他机构认证。",
)
NOT_CANONICAL: Final = ErrorCode(
    Malformed,
    "identity.not_canonical",
    en="On the ledger this is written {canonical}, not {text!r}.",
    zh="账本上应写作 {canonical}，而不是“{text}”。",
)
SIDES_EMPTY: Final = ErrorCode(
    Malformed,
    "identity.device.sides_empty",
    en="An association names at least one supplier or consumer.",
    zh="关联须至少指明一个供方或用方。",
)
SIDE_REPEATED: Final = ErrorCode(
    Malformed,
    "identity.device.side_repeated",
    en="{party} is listed twice as {side}.",
    zh="{party} 作为 {side} 重复列出。",
)
SIDE_ROLE: Final = ErrorCode(
    Conflict,
    "identity.device.side_role",
    en="{party} cannot be the {side}: it does not have that role.",
    zh="{party} 不具有角色 {side}，不能作为该方。",
)
