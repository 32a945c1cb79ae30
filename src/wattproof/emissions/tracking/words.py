"""What the fields of tracking's transactions are called, and which are amounts of what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from wattproof.console.words import RoomWords
from wattproof.core.errors import Lang
from wattproof.core.units import base_unit, format_amount
from wattproof.emissions.tracking.model import BINDINGS, PORTS, Binding, NodePacket
from wattproof.ledger.state import Reading

__all__ = ["WORDS", "unit_of"]


def unit_of(reading: Reading, binding: Binding) -> str:
    """The base unit in which a binding's sides and errors are given."""
    if binding.measure == "emission":
        return "g"
    port = reading.get(PORTS, binding.host, binding.left[0])
    return "" if port is None else base_unit(port.quantity)


def _units(_reading: Reading, _signer: bytes, body: msgspec.Struct) -> Mapping[str, str]:
    return dict.fromkeys(("opening_g", "emissions"), "g") if isinstance(body, NodePacket) else {}


def _texts(reading: Reading, event: Mapping[str, Any], lang: Lang) -> Mapping[str, str]:
    """Sums of a binding's sides are in the unit of what it compares."""
    if "left" not in event or "group" not in event:
        return {}
    binding = reading.get(BINDINGS, event["host"], event["group"])
    if binding is None:
        return {}
    unit = unit_of(reading, binding)
    return {side: format_amount(event[side], unit, lang) for side in ("left", "right")}


WORDS: Final = RoomWords(
    fields={
        "value_ug": ("Micrograms per base unit", "每基本单位微克数"),
        "entered_by": ("Entered by", "录入人"),
        "entered_s": ("Entered at", "录入时间"),
        "opening_g": ("Emission register at the beginning", "起始排放累计"),
        "carry_ug": ("Micrograms carried", "结转微克数"),
        "emissions": ("Emission of each reading", "各读数排放"),
        "DefinePort.number": ("Port", "端口"),
        "RemovePort.number": ("Port", "端口"),
        "transport": ("How its packets come", "传输方式"),
        "plant": ("Plant", "工厂"),
        "process": ("Process", "工序"),
        "person": ("Person", "人员"),
        "group": ("Group", "组号"),
        "DefineBinding.kind": ("Compares", "绑定类型"),
        "measure": ("By", "比对口径"),
        "left": ("Left ports", "左侧端口"),
        "right": ("Right ports", "右侧端口"),
        "DefineThreshold.set": ("Set", "套号"),
        "RemoveThreshold.set": ("Set", "套号"),
        "FileReport.set": ("Set of lines", "阈值套号"),
        "FileReport.from_s": ("Period from", "起始时间"),
        "FileReport.to_s": ("Period until", "结束时间"),
        "DeclareFactor.unit": ("Unit", "单位"),
        "DeclareFactor.value": ("Value as entered", "录入数值"),
        "step_s": ("Window", "窗口长度"),
        "offset_s": ("Windows begin at", "窗口偏移"),
        "lines": ("Lines", "阈值线"),
        "Line.value": ("Line", "阈值"),
        "Line.unit": ("Kind of line", "阈值类型"),
        "host": ("Host", "主机"),
        "step": ("By", "粒度"),
        "entries": ("Log entries read", "所依据的日志条数"),
        "rows": ("Rows", "行数"),
        "digest": ("Digest", "摘要"),
    },
    values={
        "kind": {
            "predicted": ("predicted with measured", "预测/实测"),
            "total": ("a total with its parts", "总/分"),
        },
        "measure": {
            "amount": ("amounts", "数量"),
            "emission": ("emissions", "排放量"),
        },
        "unit": {
            "absolute": ("absolute", "绝对值"),
            "percent": ("hundredths of a percent", "百分比（万分之一）"),
        },
    },
    units=_units,
    texts=_texts,
)
