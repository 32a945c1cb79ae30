"""What a node must remember over a power cut: where its readings and its emission have got to."""

from __future__ import annotations

from fractions import Fraction

import msgspec

from wattproof.edge.source import Mode

__all__ = ["EnteredFactor", "Held", "NodeState", "factor_at"]


class EnteredFactor(msgspec.Struct, frozen=True, kw_only=True):
    """A factor of the node: micrograms per base unit, for readings that begin from `from_s` on.

    `factor` is ``id@version`` of a factor on the ledger, or empty where it was typed in; `value`
    and `unit` are as typed or as in the source; `entered_by` did it at `entered_s`.
    """

    factor: str
    value: str
    unit: str
    value_ug: int
    entered_by: str
    entered_s: int
    from_s: int


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """The register went down: nothing is taken until a person says why. Values in base units."""

    closing: int
    found: int
    since_s: int


class NodeState(msgspec.Struct, frozen=True, kw_only=True):
    """Where a node's stream has got to; amounts in base units, times in Unix seconds UTC.

    `pending` are the readings that are in no packet yet, each of one interval from `start_s` on,
    with the register `opening` there and `closing` at `end_s`. `reported` is the register at the
    end of the last packet, `grams` and `carry_ug` the emission register there; `owed` is what an
    exchanged meter had counted after that. `counter` is the running sum of a source of increments,
    and `remainder` what is finer than a base unit. After `broken` the next reading opens a packet.
    `measured` is all that was counted since the node began, over exchanges and roll-overs.
    """

    mode: Mode = "register"
    started: bool = False
    broken: bool = False
    next_sequence: int = 1
    start_s: int = 0
    end_s: int = 0
    opening: int = 0
    closing: int = 0
    pending: tuple[int, ...] = ()
    quality: tuple[int, ...] = ()
    reported: int | None = None
    grams: int = 0
    carry_ug: int = 0
    owed: int = 0
    counter: int = 0
    remainder: str = "0"
    measured: int = 0
    factors: tuple[EnteredFactor, ...] = ()
    held: Held | None = None

    @property
    def exact_remainder(self) -> Fraction:
        """What is finer than a base unit, at least 0 and below 1."""
        return Fraction(self.remainder)


def factor_at(factors: tuple[EnteredFactor, ...], time_s: int) -> EnteredFactor | None:
    """The factor in force for a reading that begins at `time_s`."""
    found = None
    for entered in factors:
        if entered.from_s <= time_s:
            found = entered
    return found
