"""Which devices measure again what another one measures in total."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from wattproof.emissions.tracking.model import BINDINGS, PORTS
from wattproof.ledger.state import Reading

__all__ = ["Total", "parts_of_totals", "totals"]

Total = tuple[tuple[int, ...], tuple[int, ...]]
"""The numbers of the devices on the left and on the right of a total binding."""


def totals(reading: Reading, host: str | None = None) -> Iterator[Total]:
    """The total bindings of a host, or of all, by host and group."""
    for binding in reading.scan(BINDINGS) if host is None else reading.scan(BINDINGS, host):
        if binding.kind == "total":
            left, right = (
                tuple(
                    port.meter
                    for number in side
                    if (port := reading.get(PORTS, binding.host, number)) is not None
                )
                for side in (binding.left, binding.right)
            )
            yield left, right


def parts_of_totals(reading: Reading, among: Collection[int]) -> set[int]:
    """The numbers of devices that are parts of a total whose devices are all `among` those looked
    at: what they measured is in the total already."""
    parts: set[int] = set()
    for left, right in totals(reading):
        if all(meter in among for meter in left):
            parts.update(meter for meter in right if meter not in left)
    return parts
