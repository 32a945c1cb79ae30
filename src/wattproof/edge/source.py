"""What every source of readings looks like to the agent, and the ways in which it can fail.

A source is read now and then and gives one sample each time. Its `mode` says what the value of a
sample is: ``register`` is a cumulative register as the meter shows it, ``increment`` the amount
since the last sample (pulses that were counted, or a rate that the source itself integrated).
"""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar, Literal, Protocol

import msgspec

__all__ = ["Mode", "Sample", "Source"]

Mode = Literal["register", "increment"]
"""What a sample's value is: the register itself, or what was added since the last sample."""


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One value read at a source.

    `time_s` is when it was read, in Unix seconds UTC by the agent's clock. `value` is the register,
    or the amount since the last sample (see `Source.mode`), in `unit`, a unit of `core.units`.
    `doubt` is empty, or says why a person should look; such a reading is kept as estimated.
    """

    time_s: int
    value: Decimal
    unit: str
    doubt: str = ""


class Source(Protocol):
    """A meter, a file or whatever else gives samples; used by one thread.

    Each module ``edge/sources/<kind>.py`` has a frozen Struct ``Config`` (tagged by ``kind``,
    unknown fields forbidden) and ``open_source(config) -> Source``; `sources.table` finds it.
    """

    kind: ClassVar[str]
    mode: Mode

    def read(self) -> Sample:
        """Read one sample; blocks no longer than the source's own timeout.

        Raises `Unavailable` where no answer comes, and `Malformed` where it cannot be right: a
        wrong checksum, half a frame, NaN (see `sources.faults`).
        """
        ...

    def close(self) -> None:
        """Let go of ports and connections; nothing can be read any more."""
        ...
