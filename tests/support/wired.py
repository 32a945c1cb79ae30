"""Meters at the ports of a host, with the lake of what they report: what tests of tracking need."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.support.memory_ledger import Accepted, key_of
from tests.support.meters import packet_of
from tests.support.recorded import RecordedMeters

from wattproof.analytics.lake import Lake
from wattproof.analytics.project import lake_for, project
from wattproof.emissions.life import PROJECTORS
from wattproof.emissions.tracking.model import (
    BindingKind,
    DefineBinding,
    DefinePort,
    DefineThreshold,
    Line,
    Measure,
)
from wattproof.emissions.tracking.syntax import parse_binding
from wattproof.ledger.transaction import Body
from wattproof.metering.model import STREAMS

__all__ = ["HOST", "HOUR_S", "WiredMeters"]

HOST = "importer"
HOUR_S = 3600


class WiredMeters(RecordedMeters):
    """Meters m1, m2 ... at ports 1, 2 ..., each of the quantity that is given for it."""

    def __init__(self, *quantities: str, zone: str = "Asia/Shanghai") -> None:
        super().__init__()
        for number, quantity in enumerate(quantities, start=1):
            self.install(f"m{number}", quantity=quantity, zone=zone)
            self.port(number, f"m{number}")

    def lake(self, folder: Path) -> Lake:
        return lake_for(folder, PROJECTORS, ledger_id=self.ledger.ledger_id)

    def projected(self, folder: Path) -> Lake:
        lake = self.lake(folder)
        project(self.log, lake, PROJECTORS)
        return lake

    def submit(self, body: Body, by: str = HOST) -> Accepted:
        return self.ledger.submit(body, key_of(by))

    def port(self, number: int, device: str, *, by: str = HOST, **labels: str) -> None:
        texts: dict[str, Any] = {"plant": "", "process": "", "person": "", **labels}
        self.submit(DefinePort(number=number, device=device, transport="http", **texts), by)

    def bind(
        self,
        text: str,
        kind: BindingKind = "total",
        measure: Measure = "amount",
        *,
        by: str = HOST,
    ) -> None:
        group, left, right = parse_binding(text)
        body = DefineBinding(group=group, kind=kind, measure=measure, left=left, right=right)
        self.submit(body, by)

    def lines(self, *lines: Line, group: int = 1, set_: int = 1, step_s: int = HOUR_S) -> None:
        body = DefineThreshold(group=group, set=set_, step_s=step_s, offset_s=0, lines=lines)
        self.submit(body)

    def hours(self, meter: str, start_s: int, amounts: Sequence[int]) -> None:
        """Hourly readings from `start_s` on, in packets of a day at most."""
        number = int(meter.removeprefix("m"))
        stream = self.ledger.state.get(STREAMS, number)
        sequence, opening = (stream.next_sequence, stream.register) if stream else (1, 0)
        end_ms = (start_s + len(amounts) * HOUR_S) * 1000
        self.ledger.time_ms = max(self.ledger.time_ms, end_ms)
        for first in range(0, len(amounts), 24):
            part = amounts[first : first + 24]
            packet = packet_of(
                part,
                sequence=sequence,
                opening=opening,
                start_s=start_s + first * HOUR_S,
                interval_s=HOUR_S,
            )
            self.send(packet, meter=meter)
            sequence, opening = sequence + 1, opening + sum(part)
