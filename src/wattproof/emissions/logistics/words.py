"""What the fields of logistics' transactions and records are called, and how events read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from wattproof.console.words import RoomWords, Word
from wattproof.core.errors import Lang
from wattproof.emissions.logistics.model import RecordShipment, ShipmentRecorded
from wattproof.ledger.state import Reading

__all__ = ["METHOD_WORDS", "MODE_WORDS", "SCOPE_WORDS", "WORDS"]

METHOD_WORDS: Final[Mapping[str, Word]] = {
    "product-vehicle": ("product and vehicle", "产品加车辆"),
    "vehicle-km": ("vehicle-kilometre", "车公里"),
    "tonne-km": ("tonne-kilometre", "吨公里"),
}
"""What the methods are called."""

SCOPE_WORDS: Final[Mapping[str, Word]] = {
    "ttw": ("tank to wheel", "油箱到车轮"),
    "wtt": ("well to tank", "油井到油箱"),
    "wtw": ("well to wheel", "油井到车轮"),
}
"""What the scopes are called."""

MODE_WORDS: Final[Mapping[str, Word]] = {
    "road": ("road", "公路"),
    "rail": ("rail", "铁路"),
    "sea": ("sea", "海运"),
    "inland": ("inland waterway", "内河"),
    "air": ("air", "空运"),
}
"""What the modes are called."""


def _units(_reading: Reading, _signer: bytes, body: msgspec.Struct) -> Mapping[str, str]:
    return {"weight_g": "g", "distance_m": "m"} if isinstance(body, RecordShipment) else {}


def _texts(_reading: Reading, event: Mapping[str, Any], lang: Lang) -> Mapping[str, str]:
    if event.get("event") != ShipmentRecorded.name:
        return {}
    method = METHOD_WORDS.get(str(event.get("method")), ("", ""))[lang == "zh"]
    return {"distance_m": f"{event['distance_m']:,}", "method": method}


WORDS: Final = RoomWords(
    fields={
        "shipment": ("Shipment", "运输编号"),
        "product": ("Product", "产品"),
        "product_version": ("Version of the product", "产品版本"),
        "RecordShipment.units": ("Units", "件数"),
        "weight_g": ("Weight", "重量"),
        "vehicle": ("Class of vehicles", "车辆类别"),
        "vehicle_version": ("Version of the class", "车辆类别版本"),
        "factor_version": ("Version of the factor", "因子版本"),
        "customer": ("Customer", "客户"),
        "departure_s": ("Departure", "出发时间"),
        "arrival_s": ("Arrival", "到达时间"),
        "distance_m": ("Distance", "里程"),
        "distance_from": ("Where the distance comes from", "里程来源"),
        "RecordShipment.points": ("SHA-256 of the tracking points", "轨迹点的 SHA-256"),
        "RecordShipment.method": ("Method", "计算方法"),
        "DefineVehicle.mode": ("Mode", "运输方式"),
        "scope": ("Scope", "口径"),
        "DefineProduct.unit": ("What is counted", "计数单位"),
        "DefineProduct.value_ug": ("Micrograms per unit and metre", "每件每米微克数"),
        "DefineVehicle.quantity": ("The factor is per", "因子所对应的量"),
    },
    values={
        "method": METHOD_WORDS,
        "mode": MODE_WORDS,
        "scope": SCOPE_WORDS,
        "distance_from": {
            "given": ("as stated", "给定"),
            "geodesic": ("along tracking points (WGS84)", "按轨迹点计算（WGS84）"),
        },
        "set": {"own": ("the shipper's own", "发货主体自有")},
        "product_version": {"0": ("–", "–")},
        "vehicle_version": {"0": ("–", "–")},
        "factor_version": {"0": ("–", "–")},
        "departure_s": {"0": ("not known", "未知")},
        "arrival_s": {"0": ("not known", "未知")},
        "weight_g": {"0": ("not known", "未知")},
        "units": {"0": ("not known", "未知")},
    },
    units=_units,
    texts=_texts,
)
