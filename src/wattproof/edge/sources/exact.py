"""Exact values out of what meters write: decimal texts, JSON, and binary floating point."""

from __future__ import annotations

import json
import re
import struct
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import Final

from wattproof.core.errors import Malformed
from wattproof.core.units import find_unit
from wattproof.edge.sources.faults import ABSENT, FORM, NOT_FINITE, NOT_NUMBER, UNIT

__all__ = ["decimal_of", "json_of", "json_value", "scaled", "shortest", "unit_named"]

LONGEST: Final = 64
"""The most characters that a number is written with."""

# Two numbers of the longest kind, multiplied, keep every digit; rounding is an error.
_EXACT: Final = Context(prec=2 * LONGEST, Emax=9999, Emin=-9999, traps=[Inexact, InvalidOperation])

_NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_NOT_FINITE: Final = re.compile(r"[+-]?(s?nan|inf(inity)?|1\.#\w+)", re.ASCII | re.IGNORECASE)


def decimal_of(value: object) -> Decimal:
    """Return the exact decimal of a number, or of a text that spells one.

    Raises ``edge.value.not_finite`` for NaN and infinities, ``edge.value.not_number`` otherwise.
    A binary float gives the shortest decimal that reads back as the same float.
    """
    text = str(value).strip() if isinstance(value, int | float | Decimal | str) else ""
    if isinstance(value, bool) or len(text) > LONGEST or _NUMBER.fullmatch(text) is None:
        if _NOT_FINITE.fullmatch(text):
            raise NOT_FINITE(value=text[:LONGEST])
        raise NOT_NUMBER(value=repr(text[:LONGEST]) if text else type(value).__name__)
    return Decimal(text)


def scaled(value: Decimal, scale: Decimal) -> Decimal:
    """Return value x scale with every digit."""
    return _EXACT.multiply(value, scale)


def shortest(single: bytes) -> str:
    """Return the shortest decimal that is this single-precision float (4 bytes), and no other."""
    (value,) = struct.unpack(">f", single)
    for digits in range(1, 9):
        text = f"{value:.{digits}g}"
        try:
            if struct.pack(">f", float(text)) == single:
                return text
        except OverflowError:  # rounded beyond the largest float
            continue
    return f"{value:.9g}"


def json_of(data: bytes | str) -> object:
    """Return what a JSON text holds, its numbers as exact decimals and integers.

    Raises ``edge.frame.form`` for other bytes and ``edge.value.not_finite`` for NaN.
    """
    try:
        return json.loads(data, parse_float=Decimal, parse_int=Decimal, parse_constant=_constant)
    except (ValueError, RecursionError) as error:
        raise FORM(protocol="JSON", detail=str(error)[:80]) from None
    except InvalidOperation:  # an exponent that no Decimal holds
        raise NOT_NUMBER(value="...e...") from None


def _constant(name: str) -> object:
    raise NOT_FINITE(value=name)


def json_value(found: object, path: str) -> object:
    """Return what a path of names and positions leads to: ``meters.0.energy``.

    An empty path is the whole. Raises ``edge.value.absent`` where it leads nowhere.
    """
    for step in path.split(".") if path else ():
        if isinstance(found, dict) and step in found:
            found = found[step]
        elif isinstance(found, list) and step.isdecimal() and int(step) < len(found):
            found = found[int(step)]
        else:
            raise ABSENT(what=path)
    return found


def unit_named(found: str, expected: str) -> str:
    """Return the canonical name of the unit that a meter gave, if it measures as expected.

    Both must be of one dimension (kWh and Wh are), else ``edge.value.unit`` is raised.
    """
    try:
        unit = find_unit(found)
    except Malformed:
        raise UNIT(found=found[:LONGEST], expected=expected) from None
    if unit.dimension != find_unit(expected).dimension:
        raise UNIT(found=found[:LONGEST], expected=expected)
    return unit.name
