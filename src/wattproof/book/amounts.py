"""Amounts of an asset as people read and write them: in a unit that they know, exactly.

An asset kept in grams with 6 decimals is shown in tonnes, money kept in fen with 2 in yuan. Where
no unit has a name for an asset's decimals, amounts are shown in the unit they are kept in.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from wattproof.book.model import MAX_AMOUNT, Asset
from wattproof.core.errors import ErrorCode, Lang, Malformed, WattProofError
from wattproof.core.units import UNITS, Unit

__all__ = ["in_shown_unit", "parse_amount", "parse_limit", "shown_amount", "shown_unit"]

AMOUNT_FORM = ErrorCode(
    Malformed,
    "book.amount",
    en="“{text}” is not an amount of {asset}: digits, and at most {places} places after the point.",
    zh="“{text}”不是 {asset} 的数量：应为数字，小数点后最多 {places} 位。",
)
AMOUNT_RANGE = ErrorCode(
    Malformed,
    "book.amount_range",
    en="An amount is more than 0 and at most {most}.",
    zh="数量须大于 0，且不超过 {most}。",
)

_AMOUNTS: Final = ("amount", "debt", "limit", "needed")
"""What refusals call the amounts that they name."""

_FORM: Final = re.compile(
    r"(?P<whole>[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.(?P<places>[0-9]+))?", re.ASCII
)


def shown_amount(amount: int, asset: Asset) -> str:
    """An amount as a number of `shown_unit`, every digit of it: ``320,000.00``."""
    places = _places(asset)
    whole, rest = divmod(abs(amount), 10**places)
    digits = f".{rest:0{places}}" if places else ""
    return f"{'-' if amount < 0 else ''}{whole:,}{digits}"


def shown_unit(asset: Asset, lang: Lang) -> str:
    """The unit in which amounts of an asset are shown and written."""
    unit = _unit(asset)
    return unit.zh if lang == "zh" else unit.name


def parse_amount(text: str, asset: Asset) -> int:
    """The amount that a text in `shown_unit` stands for, in the asset's own unit; above 0.

    Thousands may be marked with commas. Raises `Malformed`.
    """
    amount = _parsed(text, asset)
    if not 0 < amount <= MAX_AMOUNT:
        raise AMOUNT_RANGE(most=shown_amount(MAX_AMOUNT, asset))
    return amount


def parse_limit(text: str, asset: Asset) -> int:
    """As `parse_amount`, where 0 is allowed too."""
    amount = _parsed(text, asset)
    if amount > MAX_AMOUNT:
        raise AMOUNT_RANGE(most=shown_amount(MAX_AMOUNT, asset))
    return amount


def in_shown_unit(refusal: WattProofError, asset: Asset) -> WattProofError:
    """A refusal of the book with the amounts that it names as people read them."""
    if refusal.params.get("asset") != asset.id:
        return refusal
    told = {
        name: shown_amount(value, asset) if name in _AMOUNTS and isinstance(value, int) else value
        for name, value in refusal.params.items()
    }
    return refusal if told == refusal.params else refusal.error(**told)


def _parsed(text: str, asset: Asset) -> int:
    places = _places(asset)
    found = _FORM.fullmatch(unicodedata.normalize("NFKC", text).replace(" ", ""))
    if found is None or len(found[0]) > 40 or len(found["places"] or "") > places:
        raise AMOUNT_FORM(text=text[:40], asset=asset.id, places=places)
    digits = (found["places"] or "").ljust(places, "0")
    return int(found["whole"].replace(",", "") + digits)


def _places(asset: Asset) -> int:
    """How many places after the point amounts are shown with."""
    return len(str(_unit(asset).numerator // UNITS[asset.unit].numerator)) - 1


def _unit(asset: Asset) -> Unit:
    """The unit of which one is 10^decimals of the asset's own; its own where there is none."""
    kept = UNITS[asset.unit]
    size = kept.numerator * 10**asset.decimals
    named = (
        unit
        for unit in UNITS.values()
        if (unit.dimension, unit.numerator, unit.denominator) == (kept.dimension, size, 1)
        and not unit.name.startswith("10^")
    )
    return next(named, kept)
