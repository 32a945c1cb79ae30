"""What the fields of emissions' transactions are called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from wattproof.console.words import RoomWords
from wattproof.core.errors import Lang
from wattproof.ledger.state import Reading

__all__ = ["WORDS"]


def _texts(_reading: Reading, event: Mapping[str, Any], _lang: Lang) -> Mapping[str, str]:
    grams = event.get("emission_g")
    return {"emission_g": f"{grams:,}"} if isinstance(grams, int) else {}


WORDS: Final = RoomWords(
    fields={
        "factors": ("Emission factors", "排放因子"),
        "factor": ("Emission factor", "排放因子"),
        "version": ("Version", "版本"),
        "from_s": ("In force from", "生效起"),
        "to_s": ("In force until", "生效止"),
        "set": ("Set", "因子集"),
        "FactorStatement.kind": ("Kind", "口径"),
        "level": ("Level", "层级"),
        "name_en": ("Name in English", "英文名称"),
        "name_zh": ("Name in Chinese", "中文名称"),
        "FactorStatement.quantity": ("Applies to", "适用的量"),
        "data_year": ("Year of the data", "数据年份"),
        "published": ("Published", "发布日期"),
        "value": ("Value in the source", "来源数值"),
        "FactorStatement.unit": ("Unit in the source", "来源单位"),
        "value_ug": ("Micrograms per base unit", "每基本单位微克数"),
        "gas": ("Gas", "气体"),
        "source": ("Source", "来源"),
        "confidence": ("Confidence", "可信度"),
    },
    values={
        "to_s": {"0": ("no end", "不设结束")},
        "data_year": {"0": ("not stated", "未说明")},
        "set": {
            "cn-grid": ("China: grid electricity", "全国电网电力"),
            "cn-heat": ("China: purchased heat", "购入热力"),
            "cn-industry": ("China: industry guideline", "工业行业核算指南"),
            "cn-cement": ("China: cement and power template", "水泥及电力核算模板"),
            "cn-power": ("China: power guideline", "发电设施核算指南"),
            "ipcc-2006": ("IPCC 2006 guidelines", "IPCC 2006 指南"),
            "unity": ("CO2 itself", "二氧化碳本身"),
            "defra-2025": ("UK government conversion factors 2025", "英国政府换算因子 2025"),
            "glec-3.2": ("GLEC v3.2, as published by EcoFreight", "GLEC v3.2（EcoFreight 发布）"),
            "glec-default": ("GLEC style default values", "GLEC 类缺省值"),
            "gbt-51366": ("China: GB/T 51366-2019", "GB/T 51366-2019"),
        },
        "kind": {
            "average": ("average", "平均"),
            "residual": ("residual mix", "剩余"),
            "fossil": ("fossil power only", "化石电力"),
            "ets": ("for the national carbon market", "全国碳市场用"),
            "fuel": ("fuel", "燃料"),
            "default": ("default", "缺省"),
            "unity": ("a gram a gram", "一克计一克"),
            "ttw": ("tank to wheel", "油箱到车轮"),
            "wtt": ("well to tank", "油井到油箱"),
            "wtw": ("well to wheel", "油井到车轮"),
        },
        "level": {
            "global": ("global", "全球"),
            "national": ("national", "全国"),
            "region": ("regional grid", "区域电网"),
            "province": ("province", "省级"),
            "any": ("any", "不限"),
            "road": ("road", "公路"),
            "rail": ("rail", "铁路"),
            "sea": ("sea", "海运"),
            "air": ("air", "空运"),
            "inland": ("inland waterway", "内河"),
            "hub": ("transhipment", "中转"),
        },
        "confidence": {
            "high": ("high", "高"),
            "medium": ("medium", "中"),
            "unconfirmed": ("unconfirmed", "未经证实"),
        },
    },
    texts=_texts,
)
