"""Writes packets.json: a meter's life in golden bytes, without any of WattProof's own code.

Each story is one meter on one ledger: its enrolment, then packets in order, each with what comes
of it. CBOR and signatures are those of `make_envelopes`. The nonce of a packet is its sequence
number, as docs/firmware.md recommends. Run ``python -m tests.vectors.make_packets`` from the root
of the repository to write the file anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from tests.vectors.make_envelopes import (
    HERE,
    LEDGER_ID,
    OTHER_LEDGER_ID,
    envelope,
    integer,
    octets,
    uints,
)

__all__ = ["as_text", "packet_vectors"]

QUARTER_S = 900
START_S = 1_690_000_200
"""2023-07-22 12:30:00 in Shanghai: on a quarter of an hour."""


def width_of(numbers: Sequence[int]) -> int:
    top = max(numbers, default=0)
    return next(width for width in (1, 2, 4, 8) if top < 1 << (8 * width))


class Story:
    """One meter on one ledger; packets go on from each other unless they are told otherwise."""

    def __init__(self, name: str, *, aad: bytes, kind: str, modulus: int = 0) -> None:
        self.name = name
        self.kind = kind
        self.modulus = modulus
        self.sequence = 1
        self.start_s = START_S
        self.register = 0
        self.steps: list[Any] = []
        self._aad = aad
        enrolment = ["meter-1", "importer", "electricity.import", "Asia/Shanghai"]
        texts = ["", "", "SN 0001", modulus]
        fields = ["identity.device.enrol", 1, octets(bytes(16)), *enrolment, *texts]
        self.enrolment = envelope("enrolment", fields, aad=aad)

    def accepted(self, name: str, readings: Sequence[int], *outcomes: str, **other: Any) -> None:
        """A packet that is accepted with these outcomes; the next one goes on from it."""
        packet = self._packet(readings, **other)
        self._step(name, packet, {"outcomes": list(outcomes)})
        self.sequence = packet["sequence"] + 1
        self.start_s = packet["start_s"] + packet["interval_s"] * len(readings)
        self.register = packet["opening"] + sum(readings)
        if self.modulus:
            self.register %= self.modulus

    def refused(self, name: str, code: str, readings: Sequence[int], **other: Any) -> None:
        """A packet that is well formed and refused with this code."""
        self._step(name, self._packet(readings, **other), {"refused": code})

    def _packet(self, readings: Sequence[int], **other: Any) -> dict[str, Any]:
        packet = {
            "sequence": self.sequence,
            "start_s": self.start_s,
            "interval_s": QUARTER_S,
            "kind": self.kind,
            "opening": self.register,
            "increments": list(readings),
            "quality": [],
        }
        return {**packet, **other}

    def _step(self, name: str, packet: dict[str, Any], expected: dict[str, Any]) -> None:
        nonce = packet["sequence"].to_bytes(16, "big")
        increments, quality = packet["increments"], packet["quality"]
        fields = [
            "metering.packet",
            1,
            octets(nonce),
            packet["sequence"],
            packet["start_s"],
            packet["interval_s"],
            packet["kind"],
            integer(packet["opening"]),
            uints(increments, width_of(increments)),
            uints(quality, 1),
        ]
        self.steps.append({**envelope(name, fields, aad=self._aad), **expected})

    def told(self) -> dict[str, Any]:
        return {"name": self.name, "enrolment": self.enrolment, "packets": self.steps}


def measured() -> Story:
    """A meter that measures interval by interval."""
    story = Story("a meter of increments", aad=LEDGER_ID, kind="increment")
    story.accepted("four readings of two bytes", [250, 287, 324, 361], "first")
    story.accepted("one byte is enough", [12, 0, 255], "continuous")
    story.accepted("four bytes are needed", [65_535, 65_536], "continuous")
    story.accepted("eight bytes are needed", [2**32 - 1, 2**32], "continuous")
    story.accepted("readings of zero", [0, 0], "continuous")
    qualities = [0, 1, 2, 3]
    story.accepted("a quality for each", [250, 250, 250, 251], "continuous", quality=qualities)
    story.accepted("23 readings: the longest short head", range(23), "continuous")
    story.accepted("24 readings: a head of two bytes", range(24), "continuous")
    story.accepted("256 readings: a head of three bytes", [7] * 256, "continuous")
    day = [250 + 37 * i % 400 for i in range(96)]
    story.accepted("a day of quarter hours", day, "continuous")
    story.accepted("the most readings", [1] * 4096, "continuous")
    later = story.start_s + 3600
    story.accepted("after an hour without readings", [250], "gap", start_s=later)
    later, moved = story.start_s + 1800, story.register + 500
    story.accepted(
        "500 Wh in half an hour without readings", [250], "gap", "catch_up",
        start_s=later, opening=moved,
    )  # fmt: skip
    story.accepted("off the quarter", [250], "gap", "clock_jump", start_s=story.start_s + 60)
    missed = story.sequence + 2
    story.accepted("two packets were lost", [250], "continuous", "sequence_gap", sequence=missed)
    _refusals(story)
    return story


def _refusals(story: Story) -> None:
    last, before_s, before = story.sequence - 1, story.start_s - QUARTER_S, story.register - 250
    again = {"sequence": last, "start_s": before_s, "opening": before}
    story.refused("other readings under a number", "metering.conflict", [251], **again)
    story.refused(
        "time that is reported already", "metering.overlap", [250],
        start_s=before_s, opening=story.register + 1,
    )  # fmt: skip
    story.refused("the clock went back", "metering.clock_back", [250], start_s=before_s)
    story.refused("the register jumped", "metering.register_jump", [1], opening=story.register + 1)
    later = story.start_s + QUARTER_S
    story.refused("the register went down", "metering.negative_step", [1], start_s=later, opening=1)
    story.refused("another kind", "metering.kind_change", [1], kind="register")
    story.refused("no readings, no gap", "metering.empty", [])
    story.refused("a quality too few", "metering.quality", [1, 2], quality=[0])
    story.refused("an unknown quality", "metering.quality", [1], quality=[4])
    story.refused(
        "the largest values", "metering.future", [2**64 - 1],
        sequence=2**53 - 1, start_s=2**53 - 1, interval_s=2_678_400, opening=2**62,
    )  # fmt: skip


def registered() -> Story:
    """A meter with a dial of five digits, read once an hour."""
    story = Story("a register of five digits", aad=OTHER_LEDGER_ID, kind="register", modulus=10**5)
    hour: dict[str, Any] = {"interval_s": 3600}
    story.accepted("the register alone", [], "first", opening=99_000, **hour)
    story.accepted("up to the roll-over", [400, 400], "continuous", **hour)
    story.accepted("over it", [150, 100], "continuous", "rollover", **hour)
    day = story.start_s + 86_400
    story.accepted(
        "the register alone, after a day", [], "gap", "catch_up", start_s=day, opening=90, **hour
    )
    story.refused(
        "more than the dial can show", "metering.modulus", [1],
        start_s=day + 3600, opening=10**5, **hour,
    )  # fmt: skip
    return story


def packet_vectors() -> Any:
    about = "Meters' enrolments and packets; see docs/firmware.md"
    return {"about": about, "stories": [measured().told(), registered().told()]}


def as_text(vectors: Any) -> str:
    """JSON with one line for each typed array, however many readings it has."""
    text = json.dumps(vectors, ensure_ascii=False, indent=1)
    return re.sub(r"\[[\s\d,]+\]", lambda found: " ".join(found[0].split()), text) + "\n"


def main() -> None:
    (HERE / "packets.json").write_text(as_text(packet_vectors()), encoding="utf-8")


if __name__ == "__main__":
    main()
