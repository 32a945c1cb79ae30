"""A person's own node: its key, its device on the ledger, and the days that it declared."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from hashlib import sha256
from typing import Final

import msgspec

from wattproof.emissions.people.activities import Declared
from wattproof.emissions.people.day import QUANTITY, date_of
from wattproof.identity.model import DEVICES, Device, EnrolDevice
from wattproof.keys.derived import derived_key
from wattproof.keys.ed25519 import SigningKey
from wattproof.ledger.state import Reading
from wattproof.metering.model import STREAMS, Stream
from wattproof.metering.queries import packets_of

__all__ = ["PURPOSE", "Day", "OwnNode", "days_of", "end_of", "enrolment", "own_node"]

PURPOSE: Final = "node of declared days"
"""What the node's key follows from the person's key for."""


class OwnNode(msgspec.Struct, frozen=True, kw_only=True):
    """The node of a person's present key: its id, and its device and stream as far as they are."""

    id: str
    device: Device | None
    stream: Stream | None

    @property
    def status(self) -> str:
        """The device's status; empty where it is not enrolled."""
        return "" if self.device is None else self.device.status


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """A declared day: its grams on the log, the entry, and its details where they are at hand."""

    day: date
    start_s: int
    grams: int
    entry: int
    details: Declared | None


def own_node(reading: Reading, key: SigningKey) -> OwnNode:
    """The node that follows from a person's key.

    After a change of key it is another one, which has to be enrolled anew; the old one's days
    stand.
    """
    id_ = _id_of(derived_key(key, PURPOSE).public)
    device = reading.get(DEVICES, id_)
    stream = None if device is None else reading.get(STREAMS, device.number)
    return OwnNode(id=id_, device=device, stream=stream)


def enrolment(node: OwnNode, *, owner: str, zone: str) -> EnrolDevice:
    """What the node signs to come onto the ledger."""
    return EnrolDevice(id=node.id, owner=owner, quantity=QUANTITY, zone=zone)


def end_of(reading: Reading, owner: str) -> int | None:
    """When the last day ended that any node of this person declared; None before the first."""
    streams = (reading.get(STREAMS, device.number) for device in _nodes(reading, owner))
    return max((stream.end_s for stream in streams if stream is not None), default=None)


def days_of(reading: Reading, owner: str, details: dict[int, Declared]) -> list[Day]:
    """Every day that this person's nodes declared, newest first.

    Details that do not come to the grams on the log belong to a draft that was never signed; they
    are left out.
    """
    found = []
    for device in _nodes(reading, owner):
        before = 0
        for row in packets_of(reading, device.number):
            grams, before = row.closing - before, row.closing
            kept = details.get(row.start_s)
            found.append(
                Day(
                    day=date_of(row.start_s, device.zone),
                    start_s=row.start_s,
                    grams=grams,
                    entry=row.entry,
                    details=kept if kept is not None and kept.grams == grams else None,
                )
            )
    return sorted(found, key=lambda one: -one.start_s)


def _nodes(reading: Reading, owner: str) -> Iterator[Device]:
    return (one for one in reading.find(DEVICES, "owner", owner) if one.quantity == QUANTITY)


def _id_of(public: bytes) -> str:
    return f"days-{sha256(public).hexdigest()[:16]}"
