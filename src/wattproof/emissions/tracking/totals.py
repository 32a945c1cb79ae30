"""Which devices measure again what another one measures in total."""

from __future__ import annotations

from collections.abc import Collection

from wattproof.emissions.tracking.model import BINDINGS, PORTS
from wattproof.ledger.state import Reading

__all__ = ["parts_of_totals"]


def parts_of_totals(reading: Reading, among: Collection[int]) -> set[int]:
    """The numbers of devices that are parts of a total whose devices are all `among` those looked
    at: what they measured is in the total already."""
    parts: set[int] = set()
    for binding in reading.scan(BINDINGS):
        if binding.kind != "total":
            continue
        left, right = (
            [
                port.meter
                for number in side
                if (port := reading.get(PORTS, binding.host, number)) is not None
            ]
            for side in (binding.left, binding.right)
        )
        if all(meter in among for meter in left):
            parts.update(meter for meter in right if meter not in left)
    return parts
