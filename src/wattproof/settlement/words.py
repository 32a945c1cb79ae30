"""What the fields of settlement's transactions are called, and which are amounts of what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from wattproof.console.words import RoomWords
from wattproof.core.errors import Lang
from wattproof.core.units import format_amount
from wattproof.ledger.state import Reading
from wattproof.settlement.model import (
    DefineRegion,
    DrawPool,
    FileStatement,
    LimitWallet,
    OfferContract,
    PayFromWallet,
    TopUpWallet,
)
from wattproof.settlement.price_chart import PRICE_UNITS
from wattproof.settlement.price_text import price_text

__all__ = ["WORDS"]

_UNITS: Final[dict[type[msgspec.Struct], dict[str, str]]] = {
    DefineRegion: {"tolerance_wh": "Wh"},
    OfferContract: {"wh_per_hour": "Wh"},
    FileStatement: {"supplied_wh": "Wh", "consumed_wh": "Wh"},
    TopUpWallet: {"amount": "fen"},
    PayFromWallet: {"amount": "fen"},
    LimitWallet: {"fen_per_day": "fen"},
    DrawPool: {"amount": "fen"},
}


def _units(_reading: Reading, _signer: bytes, body: msgspec.Struct) -> Mapping[str, str]:
    return _UNITS.get(type(body), {})


def _texts(_reading: Reading, event: Mapping[str, Any], lang: Lang) -> Mapping[str, str]:
    shown = {name: format_amount(event[name], "Wh", lang) for name in _WH if name in event}
    if "fen_per_day" in event:
        shown["fen_per_day"] = format_amount(event["fen_per_day"], "fen", lang)
    return shown


def _time_of_day(second: int, _lang: Lang) -> str:
    return f"{second // 3600:02}:{second // 60 % 60:02}"


def _price(ufen: int, lang: Lang) -> str:
    return f"{price_text(ufen)} {PRICE_UNITS[lang]}"


_WH: Final = ("supply_wh", "consumption_wh", "supplied_wh", "consumed_wh", "net_wh")

WORDS: Final = RoomWords(
    fields={
        "money": ("Money", "资金"),
        "offset_s": ("Ahead of UTC", "超前 UTC"),
        "DefineThreshold.offset_s": ("Windows begin at", "窗口偏移"),
        "tolerance_wh": ("Tolerance", "容差"),
        "location_factor": ("Location-based factor", "基于位置的因子"),
        "residual_factor": ("Residual factor", "剩余因子"),
        "supply_tariff": ("Tariff for supply", "购电电价"),
        "consumption_tariff": ("Tariff for consumption", "售电电价"),
        "bands": ("Prices", "分时价格"),
        "Band.from_s": ("From", "起"),
        "price_ufen": ("Price", "价格"),
        "PublishTariff.id": ("Tariff", "电价"),
        "tariff": ("Tariff", "电价"),
        "OfferContract.id": ("Contract", "合同"),
        "AcceptContract.id": ("Contract", "合同"),
        "supply": ("Supplying meter", "供电表计"),
        "consumption": ("Consuming meter", "用电表计"),
        "wh_per_hour": ("Energy an hour", "每小时电量"),
        "to_device": ("To the wallet of", "收款表计"),
        "TopUpWallet.source": ("Out of account", "付款账户"),
        "PayFromWallet.target": ("To account", "收款账户"),
        "DrawPool.target": ("To account", "收款账户"),
        "whose": ("Whose payments", "付款方"),
        "fen_per_day": ("Limit a day", "每日限额"),
        "reason": ("Reason", "原因"),
        "until_s": ("Hours that end up to", "结算至"),
        "run": ("Run", "结算批次"),
        "after": ("After meter", "接续表计"),
        "meters": ("Meters", "表计"),
        "supplied_wh": ("Supplied", "供电量"),
        "consumed_wh": ("Consumed", "用电量"),
        "trades_supply": ("Trades, supply", "供电交易数"),
        "trades_consumption": ("Trades, consumption", "用电交易数"),
        "FileStatement.from_s": ("Period from", "起始时间"),
        "FileStatement.to_s": ("Period until", "结束时间"),
        "OfferContract.to_s": ("In force until", "生效止"),
    },
    values={
        "step": {
            "hour": ("hour", "时"),
            "day": ("day", "日"),
            "month": ("month", "月"),
            "year": ("year", "年"),
        },
        "verdict": {
            "positive": ("positive", "正值"),
            "neutral": ("neutral", "零值"),
            "negative": ("negative", "负值"),
        },
        "settled_kind": {
            "supply": ("supply", "供电"),
            "consumption": ("consumption", "用电"),
        },
        "contract_state": {
            "offered": ("offered, not accepted yet", "已提出，待接受"),
            "accepted": ("accepted, not begun yet", "已接受，尚未开始"),
            "in_force": ("in force", "执行中"),
            "over": ("over", "已到期"),
        },
        "whose": {
            "device": ("the meter's own key", "表计自身密钥"),
            "owner": ("its owner", "所有者"),
        },
    },
    numbers={"Band.from_s": _time_of_day, "price_ufen": _price},
    units=_units,
    texts=_texts,
)
