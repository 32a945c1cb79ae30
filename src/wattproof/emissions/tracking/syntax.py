"""Bindings as people type them: ``GROUP-LEFT-RIGHT``, ports of a side joined by ``/``.

``1-3/4-7`` is group 1, ports 3 and 4 on the left, port 7 on the right; ``2-10-11/12/13`` a total of
port 10 and its parts. Spaces, other dashes and full-width digits and signs are taken too.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Final

from wattproof.emissions.tracking.model import MAX_NUMBER, MAX_SIDE
from wattproof.emissions.tracking.refusals import SYNTAX

__all__ = ["binding_text", "parse_binding", "parse_side"]

MAX_TEXT: Final = 1_000
_DASHES: Final = dict.fromkeys(map(ord, "‐‑‒–—―−－ー﹣"), "-")
_SLASHES: Final = dict.fromkeys(map(ord, "／⁄∕、,，+＋"), "/")


def parse_binding(text: str) -> tuple[int, tuple[int, ...], tuple[int, ...]]:
    """Group, left ports and right ports. Raises ``emissions.binding_syntax``.

    Whether the ports exist and fit is for the contract to say.
    """
    parts = _plain(text).split("-")
    if len(parts) != 3:
        raise SYNTAX(text=text[:80])
    group, left, right = parts
    return _number(group, text), _side(left, text), _side(right, text)


def parse_side(text: str) -> tuple[int, ...]:
    """The ports of one side, ``3/4``. Raises ``emissions.binding_syntax``."""
    return _side(_plain(text), text)


def binding_text(group: int, left: Iterable[int], right: Iterable[int]) -> str:
    """The binding as it is written without frills."""
    return f"{group}-{'/'.join(map(str, left))}-{'/'.join(map(str, right))}"


def _plain(text: str) -> str:
    if len(text) > MAX_TEXT:
        raise SYNTAX(text=text[:80])
    changed = text.translate(_DASHES | _SLASHES)
    return "".join(unicodedata.normalize("NFKC", changed).split())


def _side(part: str, text: str) -> tuple[int, ...]:
    ports = part.split("/")
    if len(ports) > MAX_SIDE:
        raise SYNTAX(text=text[:80])
    return tuple(_number(port, text) for port in ports)


def _number(digits: str, text: str) -> int:
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 6):
        raise SYNTAX(text=text[:80])
    number = int(digits)
    if not 1 <= number <= MAX_NUMBER:
        raise SYNTAX(text=text[:80])
    return number
