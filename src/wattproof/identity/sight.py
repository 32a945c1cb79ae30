"""Whom a transaction concerns: who signed it, and the parties and devices that it names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from wattproof.identity.model import DEVICES, PARTIES
from wattproof.identity.queries import holder_of
from wattproof.ledger.state import Reading

__all__ = ["parties_named", "parties_of_key"]


def parties_of_key(reading: Reading, key: bytes) -> Iterator[str]:
    """The party that holds or held a public key, or the owner of the device that does."""
    held = holder_of(reading, key)
    if held is not None and held.kind == "device":
        yield from parties_named(reading, [held.holder])
    elif held is not None:
        yield held.holder


def parties_named(reading: Reading, names: Iterable[str]) -> Iterator[str]:
    """Of texts those that are ids of parties, and the owners of those that are ids of devices."""
    for name in names:
        if reading.get(PARTIES, name) is not None:
            yield name
        device = reading.get(DEVICES, name)
        if device is not None:
            yield device.owner
