"""From the fields of the forms for tariffs and contracts to the transactions they stand for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from wattproof.console.filled import Filled
from wattproof.core.codes import check_id
from wattproof.core.errors import ErrorCode, Malformed
from wattproof.core.units import Converter, parse_decimal
from wattproof.settlement.local_time import parse_local_time
from wattproof.settlement.model import (
    HOUR_S,
    AssignTariff,
    Band,
    OfferContract,
    PublishTariff,
)
from wattproof.settlement.price_text import parse_price

__all__ = [
    "ABOUT_FIELDS",
    "HOURS",
    "ROWS",
    "assign_body",
    "hour_of",
    "offer_body",
    "publish_body",
    "rows_of",
]

ROWS: Final = 24
"""Rows of the form for a tariff: there can be a price from every hour on."""
HOURS: Final = tuple(f"{hour:02}:00" for hour in range(24))
"""Whole hours of a day, as choices."""

ABOUT_FIELDS: Final[Mapping[str, str]] = {
    "identity.device.unknown": "device",
    "settlement.bands": "price_1",
    "settlement.contract_taken": "id",
    "settlement.not_this_kind": "device",
    "settlement.period": "day",
    "settlement.settled_already": "day",
    "settlement.tariff_unknown": "tariff",
}
"""Which field of a form a refusal of the ledger is about."""

ROW_TIME = ErrorCode(
    Malformed,
    "settlement.row_time",
    en="Choose from which hour on this price holds; each hour once, in order.",
    zh="请选择该价格自哪个整点起执行；每个整点只能出现一次，并按先后排列。",
)
ROW_PRICE = ErrorCode(
    Malformed,
    "settlement.row_price",
    en="A price belongs to this hour; leave both empty, or give one.",
    zh="该整点缺少价格；请填写价格，或将两项都留空。",
)
HOUR = ErrorCode(
    Malformed,
    "settlement.hour",
    en="Choose a whole hour of the day.",
    zh="请选择一天中的整点。",
)
WATT_HOURS = ErrorCode(
    Malformed,
    "settlement.kwh",
    en="“{text}” kWh is not a whole number of watt-hours above 0: at most three decimal places.",
    zh="“{text}”千瓦时不是大于 0 的整瓦时：最多三位小数。",
)


def publish_body(form: Filled, *, region: str, offset_s: int) -> PublishTariff:
    """The publication of a tariff; its refusals are noted in the form."""
    id_ = form.take("id", check_id)
    from_s = _instant(form, "day", "hour", offset_s)
    bands = tuple(_bands(form))
    form.finish()
    return form.bounded(PublishTariff(region=region, id=id_, from_s=from_s, bands=bands))


def assign_body(form: Filled) -> AssignTariff:
    """The assignment of a tariff to a meter; its refusals are noted in the form."""
    device = form.take("device", check_id)
    form.finish()
    return form.bounded(AssignTariff(device=device, tariff=form["tariff"]))


def offer_body(form: Filled, *, offset_s: int) -> OfferContract:
    """The offer of a contract; its refusals are noted in the form."""
    id_ = form.take("id", check_id)
    supply = form.take("supply", check_id)
    consumption = form.take("device", check_id)
    wh_per_hour = form.take("kwh", _wh)
    price = form.take("price", parse_price)
    from_s = _instant(form, "day", "hour", offset_s)
    to_s = _instant(form, "end_day", "end_hour", offset_s)
    form.finish()
    return form.bounded(
        OfferContract(
            id=id_, supply=supply, consumption=consumption, wh_per_hour=wh_per_hour,
            price_ufen=price, from_s=from_s, to_s=to_s,
        )
    )  # fmt: skip


def rows_of(prices_ufen: tuple[int, ...] | None) -> int:
    """How many rows of the form are open: those of a tariff that is there, and some more."""
    if prices_ufen is None:
        return 6
    changes = sum(1 for at in range(1, 24) if prices_ufen[at] != prices_ufen[at - 1])
    return min(ROWS, max(6, changes + 3))


def hour_of(text: str) -> int:
    """The seconds of the day at which a whole hour begins; raises ``settlement.hour``."""
    if text not in HOURS:
        raise HOUR()
    return HOURS.index(text) * HOUR_S


def _bands(form: Filled) -> list[Band]:
    """The rows that are filled in; the first one begins the day."""
    found = [Band(from_s=0, price_ufen=form.take("price_1", parse_price))]
    before_s = 0
    for row in range(2, ROWS + 1):
        hour, price = f"from_{row}", f"price_{row}"
        if form[hour] or form[price]:
            from_s = form.take(hour, partial(_after, before_s=before_s), needed=False)
            found.append(Band(from_s=from_s, price_ufen=form.take(price, _price, needed=False)))
            before_s = max(before_s, from_s or 0)
    return found


def _after(text: str, *, before_s: int) -> int:
    if text not in HOURS or HOURS.index(text) * HOUR_S <= before_s:
        raise ROW_TIME()
    return HOURS.index(text) * HOUR_S


def _price(text: str) -> int:
    if not text:
        raise ROW_PRICE()
    return parse_price(text)


def _instant(form: Filled, day: str, hour: str, offset_s: int) -> int:
    """The instant of a day and an hour of the region's clock, in two fields."""
    begins_s = form.take(day, lambda text: parse_local_time(text, offset_s))
    at_s = form.take(hour, hour_of)
    return (begins_s or 0) + (at_s or 0)


def _wh(text: str) -> int:
    converter = Converter(unit="kWh", quantity="electricity")
    wh = converter.take(parse_decimal(text))
    if converter.remainder or wh <= 0:
        raise WATT_HOURS(text=text[:40])
    return wh
