"""What has been reported: streams and packets."""

from __future__ import annotations

from collections.abc import Iterator

from wattproof.identity.model import DEVICES
from wattproof.ledger.state import Reading
from wattproof.metering.model import PACKETS, STREAMS, PacketRow, Stream

__all__ = ["packet_row", "packets_of", "stream_of", "streams"]


def streams(reading: Reading) -> Iterator[Stream]:
    """The streams of all meters that have reported, by the meter's number."""
    return reading.scan(STREAMS)


def stream_of(reading: Reading, device: str) -> Stream | None:
    """The stream of the meter with this id; None where it is unknown or has not reported."""
    found = reading.get(DEVICES, device)
    return None if found is None else reading.get(STREAMS, found.number)


def packets_of(reading: Reading, number: int) -> Iterator[PacketRow]:
    """The packets of the meter with this number, by sequence number."""
    return reading.scan(PACKETS, number)


def packet_row(reading: Reading, number: int, sequence: int) -> PacketRow | None:
    """One packet of a meter, by its sequence number."""
    return reading.get(PACKETS, number, sequence)
