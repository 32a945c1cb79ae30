"""Writes node_packets.json: a node's factor entries and packets in golden bytes.

Made without any of WattProof's own code, like the vectors it builds on: CBOR and signatures are
those of `make_envelopes`, the emission is plain arithmetic. The nonce of a packet is its sequence
number; that of a factor entry is any that was not used before. Run ``python -m
tests.vectors.make_node_packets`` from the root of the repository to write the file anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from tests.vectors.make_envelopes import HERE, LEDGER_ID, envelope, integer, octets, uints

__all__ = ["as_text", "node_packet_vectors"]

QUARTER_S = 900
START_S = 1_792_497_600
"""2026-10-20 20:00:00 in Shanghai: on a quarter of an hour."""

UG_PER_G = 1_000_000


def width_of(numbers: Sequence[int]) -> int:
    top = max(numbers, default=0)
    return next(width for width in (1, 2, 4, 8) if top < 1 << (8 * width))


class NodeStory:
    """One node on one ledger; each packet goes on from the one before."""

    def __init__(self, name: str, *, kind: str, register: int) -> None:
        self.name, self.kind, self.register = name, kind, register
        self.sequence, self.start_s = 1, START_S
        self.factor, self.value_ug = "unity@1", UG_PER_G
        self.emitted_ug = 0
        self.steps: list[Any] = []

    def enter(self, factor: str, value: str, unit: str, value_ug: int, *, by: str) -> None:
        """A factor entry, in force from where the next packet starts."""
        self.factor, self.value_ug = factor, value_ug
        nonce = octets(bytes(15) + bytes([len(self.steps)]))
        entered_s = self.start_s - 60
        fields = [
            "emissions.node.factor", 1, nonce, factor, value, unit, integer(value_ug), by,
            entered_s, self.start_s,
        ]  # fmt: skip
        self.steps.append(envelope(f"factor {value} {unit}", fields, aad=LEDGER_ID))

    def gap(self, seconds: int, counted: int) -> None:
        """Time without readings, in which the register counted on."""
        self.start_s += seconds
        self.register += counted
        self.emitted_ug += counted * self.value_ug

    def packet(self, name: str, readings: Sequence[int], quality: Sequence[int] = ()) -> None:
        opening_g, carry_ug = divmod(self.emitted_ug, UG_PER_G)
        grams, running_ug, before = [], carry_ug, 0
        for amount in readings:
            running_ug += self.value_ug * amount
            grams.append(running_ug // UG_PER_G - before)
            before = running_ug // UG_PER_G
        fields = [
            "emissions.node.packet",
            1,
            octets(self.sequence.to_bytes(16, "big")),
            self.sequence,
            self.start_s,
            QUARTER_S,
            self.kind,
            integer(self.register),
            uints(list(readings), width_of(readings)),
            uints(list(quality), 1),
            self.factor,
            integer(self.value_ug),
            integer(opening_g),
            carry_ug,
            uints(grams, width_of(grams)),
        ]
        self.steps.append(envelope(name, fields, aad=LEDGER_ID))
        self.sequence += 1
        self.start_s += QUARTER_S * len(readings)
        self.register += sum(readings)
        self.emitted_ug += sum(readings) * self.value_ug

    def told(self) -> dict[str, Any]:
        return {"name": self.name, "transactions": self.steps}


def grid() -> NodeStory:
    """A meter of electricity with a published factor, then one that was typed in."""
    story = NodeStory("a register of electricity", kind="register", register=1_234_567)
    story.enter("cn-grid-2023-national@1", "0.5306", "kgCO2/kWh", 530_600, by="badge-7")
    story.packet("the register alone", [])
    story.packet("four readings", [250, 287, 324, 361])
    story.packet("grams of two bytes", [100_000, 0, 1])
    story.gap(2 * QUARTER_S, 500)
    story.packet("after half an hour without readings", [250, 251], [0, 2])
    story.enter("", "0.6123", "kgCO2e/kWh", 612_300, by="engineer-2")
    story.packet("under a factor that was typed in", [250, 250, 250])
    return story


def probe() -> NodeStory:
    """A CO2 probe: no entry, a gram a gram."""
    story = NodeStory("a CO2 probe", kind="increment", register=0)
    story.packet("as measured", [12, 0, 70_000])
    story.packet("day", [300 + 37 * number % 400 for number in range(96)])
    return story


def node_packet_vectors() -> Any:
    about = "Nodes' factor entries and packets; see docs/wire-format.md"
    return {"about": about, "stories": [grid().told(), probe().told()]}


def as_text(vectors: Any) -> str:
    """JSON with one line for each typed array, however many readings it has."""
    text = json.dumps(vectors, ensure_ascii=False, indent=1)
    return re.sub(r"\[[\s\d,]+\]", lambda found: " ".join(found[0].split()), text) + "\n"


def main() -> None:
    (HERE / "node_packets.json").write_text(as_text(node_packet_vectors()), encoding="utf-8")


if __name__ == "__main__":
    main()
