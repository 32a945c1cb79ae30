"""Roles: the table that is granted from, enforced and printed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from wattproof.core.errors import Lang
from wattproof.identity.refusals import ROLE_REPEATED, ROLE_UNKNOWN
from wattproof.ledger.transaction import EVERYONE, Spec

__all__ = ["EVERYONE_ROLES", "ROLES", "Permission", "Role", "check_roles", "permissions"]


class Role(msgspec.Struct, frozen=True, kw_only=True):
    """A role: its name on the ledger, and what it is called and for, in English and Chinese."""

    name: str
    en: str
    zh: str
    purpose_en: str
    purpose_zh: str


def _roles(*rows: tuple[str, str, str, str, str]) -> Mapping[str, Role]:
    return {
        name: Role(name=name, en=en, zh=zh, purpose_en=purpose_en, purpose_zh=purpose_zh)
        for name, en, zh, purpose_en, purpose_zh in rows
    }


ROLES: Final = _roles(
    ("registrar", "Registrar", "登记机构",
     "registers parties and grants roles", "登记主体、授予角色"),
    ("metering_authority", "Metering authority", "计量机构",
     "authenticates meters", "认证表计"),
    ("importer", "Importing party", "数据导入机构",
     "brings in readings that were recorded elsewhere", "导入在别处记录的读数"),
    ("factor_authority", "Factor authority", "排放因子发布机构",
     "publishes emission factors", "发布排放因子"),
    ("issuer", "Issuer", "发行机构",
     "defines and issues assets", "定义并发行资产"),
    ("bank", "Bank", "资金机构",
     "tops up wallets", "为钱包充值"),
    ("grid_company", "Grid company", "电网企业",
     "runs the grid and its settlement", "运营电网并组织结算"),
    ("trading_centre", "Trading centre", "交易中心",
     "runs the trade in power and certificates", "组织电力和绿证交易"),
    ("supplier", "Supplier", "供方",
     "supplies energy", "供应能源"),
    ("consumer", "Consumer", "用方",
     "uses energy", "使用能源"),
    ("enterprise", "Regulated enterprise", "控排企业",
     "owes allowances for its emissions", "按排放清缴配额"),
    ("regulator", "Regulator", "主管部门",
     "sets caps, sends notices, reviews", "设定总量、发出通知、进行审查"),
    ("verifier", "Verifier", "核查机构",
     "verifies reported emissions", "核查报告的排放"),
    ("auditor", "Auditor", "审计方",
     "checks others' packets against its own records", "以自有记录审计他方数据包"),
    ("certifier", "Certifier", "认证机构",
     "certifies energy savings and green power", "认证节能和绿电"),
)  # fmt: skip
"""Every role that a party may be given, by name."""

EVERYONE_ROLES: Final = _roles(
    ("device", "An active device", "有效设备",
     "signs for itself", "为自身签名"),
    ("party", "Any active party", "任一有效主体",
     "signs for itself; the rule may ask for more", "为自身签名；规则可另有要求"),
    ("anyone", "Anyone", "任何人",
     "signs with a key that need not be registered", "可用未登记的密钥签名"),
)  # fmt: skip
"""Signers that are not roles (`transaction.EVERYONE`), in the same words."""

assert tuple(EVERYONE_ROLES) == EVERYONE


class Permission(msgspec.Struct, frozen=True, kw_only=True):
    """Who may sign a type of transaction: a row of the table that `explain roles` prints."""

    type: str
    version: int
    by: tuple[str, ...]
    what: str
    who: tuple[str, ...]


def permissions(specs: Iterable[Spec], *, lang: Lang = "en") -> tuple[Permission, ...]:
    """The table of transaction types and who may sign them, in the order of `specs`.

    Takes `Machine.specs`, so what is printed is what is enforced.
    """
    words = {**ROLES, **EVERYONE_ROLES}
    return tuple(
        Permission(
            type=spec.type,
            version=spec.version,
            by=spec.by,
            what=spec.zh if lang == "zh" else spec.en,
            who=tuple(words[name].zh if lang == "zh" else words[name].en for name in spec.by),
        )
        for spec in specs
    )


def check_roles(names: Iterable[str]) -> tuple[str, ...]:
    """The roles in order, once each, or raises ``identity.role.unknown`` or ``.repeated``."""
    seen: list[str] = []
    for name in names:
        if name not in ROLES:
            raise ROLE_UNKNOWN(role=name[:80], allowed=", ".join(ROLES))
        if name in seen:
            raise ROLE_REPEATED(role=name)
        seen.append(name)
    return tuple(sorted(seen))
