"""From the fields of a region's form to the transaction that they stand for."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Final

import msgspec

from wattproof.book.model import ASSETS
from wattproof.console.filled import Filled
from wattproof.console.i18n import region_label
from wattproof.core.codes import check_id, check_region, provinces
from wattproof.core.errors import ErrorCode, Lang, Malformed
from wattproof.emissions.model import Factor
from wattproof.emissions.queries import factors
from wattproof.ledger.state import Reading
from wattproof.settlement.local_time import parse_offset
from wattproof.settlement.model import DefineRegion

__all__ = ["ABOUT_FIELDS", "Offered", "offered", "region_body"]

FACTORS_OFFERED: Final = 200

WATT_HOURS = ErrorCode(
    Malformed,
    "settlement.form_wh",
    en="Give a whole number of watt-hours, 0 or more.",
    zh="请填写不小于 0 的整瓦时数。",
)

ABOUT_FIELDS: Final[Mapping[str, str]] = {
    "settlement.region_taken": "region",
    "settlement.not_money": "money",
    "book.asset.unknown": "money",
}
"""Which field a refusal of the ledger's is about."""

Choices = list[tuple[str, str]]


class Offered(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to choose from: a key and what it is called."""

    regions: Choices
    money: Choices
    location: Choices
    residual: Choices


def offered(reading: Reading, lang: Lang) -> Offered:
    """The provinces, the money on the ledger, and the factors for electricity, newest first."""
    money = [(asset.id, asset.id) for asset in reading.scan(ASSETS)
             if asset.kind == "money" and asset.unit == "fen"]  # fmt: skip
    known = sorted(
        (one for one in factors(reading) if one.stated.quantity == "electricity"),
        key=lambda one: (-one.stated.data_year, one.id, -one.version),
    )
    residual = [one for one in known if one.stated.kind == "residual"]
    location = [one for one in known if one.stated.kind != "residual"]
    return Offered(
        regions=[(one.iso3166_2, region_label(one.iso3166_2, lang)) for one in provinces()],
        money=money,
        location=[_choice(one, lang) for one in location[:FACTORS_OFFERED]],
        residual=[_choice(one, lang) for one in (residual or known)[:FACTORS_OFFERED]],
    )


def region_body(form: Filled) -> DefineRegion:
    """The region that a form describes; raises what is wrong with it."""
    region = form.take("region", check_region)
    money = form.take("money", check_id)
    offset_s = form.take("offset_s", parse_offset)
    tolerance_wh = form.take("tolerance_wh", _watt_hours)
    location, residual = (form.take(name, str) for name in ("location_factor", "residual_factor"))
    supply, consumption = (
        form.take(name, check_id) for name in ("supply_tariff", "consumption_tariff")
    )
    form.finish()
    return form.bounded(
        DefineRegion(
            region=region,
            money=money,
            offset_s=offset_s,
            tolerance_wh=tolerance_wh,
            location_factor=location,
            residual_factor=residual,
            supply_tariff=supply,
            consumption_tariff=consumption,
        )
    )


def _choice(factor: Factor, lang: Lang) -> tuple[str, str]:
    stated = factor.stated
    return f"{factor.id}@{factor.version}", stated.name_zh if lang == "zh" else stated.name_en


def _watt_hours(text: str) -> int:
    plain = unicodedata.normalize("NFKC", text).replace(",", "")
    if not (plain.isascii() and plain.isdigit() and len(plain) <= 16 and int(plain) <= 2**53):
        raise WATT_HOURS()
    return int(plain)
