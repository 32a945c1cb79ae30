"""From the fields of the factor pages' forms to the transactions that they stand for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from wattproof.console.filled import Filled
from wattproof.core.actor import Actor
from wattproof.core.codes import check_id, check_region
from wattproof.core.errors import Conflict, ErrorCode, Malformed, NotFound
from wattproof.core.periods import iso, parse_time
from wattproof.core.units import parse_decimal, parse_quantity
from wattproof.emissions.contract import check_fits
from wattproof.emissions.library import factor_ug
from wattproof.emissions.model import (
    MAX_VALUE_UG,
    AssignFactor,
    Factor,
    FactorStatement,
    PublishFactors,
)
from wattproof.gateway.access import may_see
from wattproof.identity.model import DEVICES, Device
from wattproof.ledger.state import Reading
from wattproof.metering.model import STREAMS

__all__ = ["ASSIGNERS", "CONFIDENCES", "GASES", "GRID_REGIONS", "KINDS", "LEVELS", "UNCONFIRMED",
           "assignment_of", "may_assign", "publication_of", "reported_until",
           "stated_fields"]  # fmt: skip

ASSIGNERS: Final = ("importer", "metering_authority")
"""Roles that assign factors to meters of others."""

UNCONFIRMED: Final = "unconfirmed"
"""The confidence of a factor that nobody could confirm; using it takes an explicit yes."""

CONFIDENCES: Final = ("high", "medium", UNCONFIRMED)
KINDS: Final = (
    "average", "residual", "fossil", "ets", "fuel", "default", "ttw", "wtt", "wtw",
)  # fmt: skip
"""Kinds that the form offers; others can be typed in."""
LEVELS: Final = (
    "national", "region", "province", "global", "any", "road", "rail", "sea", "inland", "air",
)  # fmt: skip
"""Where a factor applies; of transport, how it moves."""
GASES: Final = ("CO2", "CO2e")
GRID_REGIONS: Final[Mapping[str, tuple[str, str]]] = {
    "north": ("North China grid", "华北区域电网"),
    "northeast": ("Northeast China grid", "东北区域电网"),
    "east": ("East China grid", "华东区域电网"),
    "central": ("Central China grid", "华中区域电网"),
    "northwest": ("Northwest China grid", "西北区域电网"),
    "south": ("Southern grid", "南方区域电网"),
    "southwest": ("Southwest China grid", "西南区域电网"),
}
"""Regional grids of the published factors, beside the regions that have codes."""

YEAR = ErrorCode(
    Malformed,
    "emissions.form_year",
    en="Give a year such as 2023, or nothing where the source names none.",
    zh="请填写年份（例如 2023）；来源未注明时留空。",
)
DAY = ErrorCode(
    Malformed,
    "emissions.form_day",
    en="Give a day such as 2025-12-18, or nothing where it is not known.",
    zh="请填写日期（例如 2025-12-18）；不详时留空。",
)
TOO_LARGE = ErrorCode(
    Malformed,
    "emissions.form_value",
    en="No factor is larger than 10^15 micrograms per base unit.",
    zh="排放因子不得大于每基本单位 10^15 微克。",
)
NOT_AGREED = ErrorCode(
    Malformed,
    "emissions.form_unconfirmed",
    en="This factor is not confirmed: say that you want to use it all the same.",
    zh="该排放因子未经证实：如仍要采用，请勾选确认。",
)
NO_METER = ErrorCode(
    NotFound,
    "emissions.form_meter",
    en="There is no meter {device} to which you may assign a factor.",
    zh="没有您可以指定排放因子的表计 {device}。",
)
TOO_EARLY = ErrorCode(
    Conflict,
    "emissions.form_reported",
    en="{device} has reported up to {end} already; a factor can begin no earlier than that.",
    zh="{device} 已上报至 {end}，排放因子的起始不得早于此时。",
)
NO_BEGINNING = ErrorCode(
    Malformed,
    "emissions.form_beginning",
    en="The meter has not reported yet: say from when on the factor holds.",
    zh="该表计尚未上报：请填写排放因子的生效起始时间。",
)
NOT_AFTER = ErrorCode(
    Malformed,
    "emissions.form_period",
    en="The end must come after the beginning; leave it empty for no end.",
    zh="截止须晚于起始；不设截止请留空。",
)


def stated_fields(factor: Factor) -> dict[str, str]:
    """What the form for a factor's next version begins with."""
    stated = factor.stated
    names = ("id", "set", "kind", "level", "region", "name_en", "name_zh", "quantity", "published",
             "value", "unit", "gas", "source", "confidence")  # fmt: skip
    return {
        **{name: getattr(stated, name) for name in names},
        "data_year": str(stated.data_year or ""),
    }


def publication_of(form: Filled) -> PublishFactors:
    """The transaction that publishes what the form says; its refusals are noted in the form."""
    quantity = form.take("quantity", parse_quantity)
    value_ug = _value_ug(form, quantity) if quantity else 0
    return form.bounded(
        PublishFactors(
            factors=(
                FactorStatement(
                    id=form.take("id", check_id),
                    set=form.take("set", str),
                    kind=form.take("kind", str),
                    level=form.take("level", str),
                    region=form.take("region", _region, needed=False),
                    name_en=form.take("name_en", str),
                    name_zh=form.take("name_zh", str),
                    quantity=quantity,
                    data_year=form.take("data_year", _year, needed=False),
                    published=form.take("published", _day, needed=False),
                    value=form["value"],
                    unit=form["unit"],
                    value_ug=value_ug,
                    gas=form.take("gas", str),
                    source=form.take("source", str),
                    confidence=form.take("confidence", str),
                ),
            )
        )
    )


def assignment_of(reading: Reading, factor: Factor, form: Filled, *, actor: Actor) -> AssignFactor:
    """The transaction that assigns the factor; its refusals are noted in the form."""
    if factor.stated.confidence == UNCONFIRMED:
        form.take("agreed", _agreed, needed=False)
    device = form.take("device", lambda text: _meter(reading, text, actor, factor))
    if form.why("device", "en"):  # there is no zone in which to read the times
        form.finish()
    from_s = form.take("start", lambda text: _begin(reading, device, text), needed=False)
    to_s = form.take("end", lambda text: _end(device, text, from_s or 0), needed=False)
    return form.bounded(
        AssignFactor(
            device=device.id,
            factor=factor.id,
            version=factor.version,
            from_s=from_s,
            to_s=to_s,
        )
    )


def may_assign(actor: Actor, device: Device) -> bool:
    """Whether `actor` may assign factors to this meter, as the rule says, and may see it."""
    by_role = any(role in actor.roles for role in ASSIGNERS)
    return may_see(actor, [device.owner]) and (by_role or device.owner == actor.id)


def reported_until(reading: Reading, device: Device) -> int | None:
    """Up to when the meter has reported, in Unix seconds; None before its first packet."""
    stream = reading.get(STREAMS, device.number)
    return None if stream is None else stream.end_s


def _value_ug(form: Filled, quantity: str) -> int:
    """The value in micrograms per base unit: what is wrong is the unit, or else the value."""
    form.take("unit", lambda text: factor_ug(Decimal(0), unit=text, quantity=quantity))

    def exact(text: str) -> int:
        value_ug = factor_ug(parse_decimal(text), unit=form["unit"], quantity=quantity)
        if value_ug > MAX_VALUE_UG:
            raise TOO_LARGE()
        return value_ug

    if form.why("unit", "en"):
        form.take("value", parse_decimal)
        return 0
    return form.take("value", exact)


def _meter(reading: Reading, text: str, actor: Actor, factor: Factor) -> Device:
    """The meter, or the same refusal for one that is not there and one that is not theirs."""
    device = reading.get(DEVICES, text)
    if device is None or not may_assign(actor, device):
        raise NO_METER(device=text[:80])
    check_fits(device.id, device.quantity, factor)
    return device


def _begin(reading: Reading, device: Device, text: str) -> int:
    """The beginning; where none is given, that of what the meter has not reported yet."""
    stream = reading.get(STREAMS, device.number)
    if not text:
        if stream is None:
            raise NO_BEGINNING()
        return stream.end_s
    from_s = max(0, parse_time(text, device.zone))
    if stream is not None and from_s < stream.end_s:
        raise TOO_EARLY(device=device.id, end=iso(stream.end_s, device.zone))
    return from_s


def _end(device: Device, text: str, from_s: int) -> int:
    if not text:
        return 0
    to_s = parse_time(text, device.zone)
    if to_s <= from_s:
        raise NOT_AFTER()
    return to_s


def _agreed(text: str) -> bool:
    if not text:
        raise NOT_AGREED()
    return True


def _region(text: str) -> str:
    return text if not text or text in GRID_REGIONS else check_region(text)


def _year(text: str) -> int:
    if not text:
        return 0
    if not (len(text) == 4 and text.isascii() and text.isdigit() and 1900 <= int(text) < 2200):
        raise YEAR()
    return int(text)


def _day(text: str) -> str:
    if not text:
        return ""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise DAY() from None
