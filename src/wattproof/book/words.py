"""What the fields of the book's transactions are called, and which of them are amounts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from wattproof.book.model import ASSETS, KINDS, Issue, Movement, Retire, SetOverdraft
from wattproof.console.words import RoomWords
from wattproof.ledger.state import Reading

__all__ = ["WORDS"]


def _units(reading: Reading, _signer: bytes, body: msgspec.Struct) -> Mapping[str, str]:
    if not isinstance(body, Issue | Movement | Retire | SetOverdraft):
        return {}
    asset = reading.get(ASSETS, body.asset)
    return {} if asset is None else {"amount": asset.unit, "limit": asset.unit}


WORDS: Final = RoomWords(
    fields={
        "decimals": ("Decimal places", "小数位数"),
        "account": ("Account", "账户"),
        "asset": ("Asset", "资产"),
        "limit": ("Overdraft limit", "透支限额"),
        "amount": ("Amount", "数量"),
        "memo": ("Memo", "备注"),
        "movements": ("Movements", "各项转移"),
        "Movement.source": ("From account", "转出账户"),
        "target": ("To account", "转入账户"),
    },
    values={"kind": {name: (en, zh) for name, (_, en, zh) in KINDS.items()}},
    units=_units,
)
