"""What the fields of identity's transactions are called, and the values of their enumerations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from wattproof.console.words import RoomWords, Word
from wattproof.core.errors import Lang, WattProofError
from wattproof.core.units import base_unit, quantity_label
from wattproof.identity.lifecycle import DEVICE_STATUSES
from wattproof.identity.model import EnrolDevice
from wattproof.identity.queries import holder_of
from wattproof.identity.roles import ROLES
from wattproof.ledger.state import Reading

__all__ = ["WORDS"]

_ROLES: Final[Mapping[str, Word]] = {role.name: (role.en, role.zh) for role in ROLES.values()}


def _units(_reading: Reading, _signer: bytes, body: msgspec.Struct) -> Mapping[str, str]:
    if not isinstance(body, EnrolDevice):
        return {}
    try:
        return {"register_modulus": base_unit(body.quantity)}
    except WattProofError:  # a draft may name what is no quantity; the rule will say so
        return {}


def _texts(_reading: Reading, event: Mapping[str, Any], lang: Lang) -> Mapping[str, str]:
    texts = {}
    if event.get("role") in _ROLES:
        texts["role"] = _ROLES[event["role"]][lang == "zh"]
    if str(event["event"]).startswith("identity.") and "quantity" in event:
        texts["quantity"] = quantity_label(event["quantity"], lang)
    return texts


def _holder(reading: Reading, key: bytes) -> str:
    held = holder_of(reading, key)
    return "" if held is None else held.holder


WORDS: Final = RoomWords(
    fields={
        "uscc": ("Unified social credit code", "统一社会信用代码"),
        "registration": ("Registration elsewhere", "境外登记号"),
        "person": ("Salted hash of the person", "个人信息加盐哈希"),
        "roles": ("Roles", "角色"),
        "role": ("Role", "角色"),
        "new_key": ("New public key", "新公钥"),
        "proof": ("Proof of the new key", "新密钥持有证明"),
        "owner": ("Owner", "所有者"),
        "quantity": ("Measures", "计量的量"),
        "maker": ("Maker", "制造商"),
        "model": ("Model", "型号"),
        "serial": ("Serial number", "出厂编号"),
        "register_modulus": ("Register starts again at", "计度器翻转值"),
        "evidence": ("SHA-256 of the evidence", "证据的 SHA-256"),
        "point": ("Metering point", "计量点"),
        "region": ("Region", "地区"),
        "suppliers": ("Suppliers", "供方"),
        "consumers": ("Consumers", "用方"),
    },
    values={
        "kind": {"organisation": ("organisation", "组织"), "person": ("person", "个人")},
        "roles": _ROLES,
        "role": _ROLES,
        "status": DEVICE_STATUSES,
        "register_modulus": {"0": ("never", "从不翻转")},
    },
    units=_units,
    texts=_texts,
    holder=_holder,
)
