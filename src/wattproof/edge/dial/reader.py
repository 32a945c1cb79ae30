"""From the cut-out picture of a dial to the readings that it may show."""

from __future__ import annotations

from typing import Literal

import msgspec

from wattproof.edge.dial.decode import candidates
from wattproof.edge.dial.recogniser import Picture, Recogniser
from wattproof.edge.dial.wheels import level, turning

__all__ = ["Face", "Seen", "look"]

Face = Literal["wheels", "display"]
"""Digit wheels, which turn from one digit to the next; or a display, whose digits jump."""

LEAST_SHARE = 0.001
NEARLY = 0.25
"""A wheel is read as the digit that it is no further than this part of a turn away from."""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """The readings that a picture may show, likeliest first, with their shares.

    `between` counts the wheels, from the right, that stand so far between two digits that neither
    can be relied on.
    """

    readings: list[tuple[str, float]]
    between: int = 0


def look(recogniser: Recogniser, crop: Picture, *, digits: int, face: Face) -> Seen:
    """Read a crop that has so many digits from edge to edge, and nothing else."""
    line = level(crop)
    moving = turning(line, digits) if face == "wheels" else None
    if moving is None:
        return Seen(readings=candidates(recogniser.columns([line])[0], digits))
    views = [line, moving.before, moving.after]
    whole, before, after = (
        {int(text): share for text, share in candidates(columns, digits)}
        for columns in recogniser.columns(views)
    )
    if moving.part < NEARLY:
        return Seen(readings=_joined(whole, before, digits))
    if moving.part > 1 - NEARLY:
        return Seen(readings=_joined(whole, after, digits))
    earlier = {(value - 1) % 10**digits: share for value, share in after.items()}
    return Seen(readings=_joined(before, earlier, digits), between=moving.wheels)


def _joined(one: dict[int, float], other: dict[int, float], digits: int) -> list[tuple[str, float]]:
    """Readings that two pictures show, by the product of their shares."""
    both = {
        value: one.get(value, LEAST_SHARE) * other.get(value, LEAST_SHARE)
        for value in one.keys() | other.keys()
    }
    whole = sum(both.values())
    return sorted(
        ((f"{value:0{digits}d}", part / whole) for value, part in both.items()),
        key=lambda found: (-found[1], found[0]),
    )
