"""The words of what every ledger has: its genesis, and what several rooms call the same."""

from __future__ import annotations

from typing import Final

from wattproof.console.words import RoomWords

__all__ = ["WORDS"]

WORDS: Final = RoomWords(
    fields={
        "id": ("Id", "标识"),
        "name": ("Name", "名称"),
        "zone": ("Time zone", "时区"),
        "profile": ("Verification profile", "验证规则集"),
        "log_key": ("Key of the log", "日志公钥"),
        "founders": ("Founders", "创始成员"),
        "registrar": ("Registrar", "登记机构"),
        "key": ("Public key", "公钥"),
        "kind": ("Kind", "种类"),
        "unit": ("Unit", "单位"),
        "device": ("Device", "设备"),
        "party": ("Party", "主体"),
        "reason": ("Reason", "原因"),
    },
)
