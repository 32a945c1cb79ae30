"""A meter's life: the log entries about it, found without going through the log.

The lake's table `LIFE` has a row for every entry that says something of a meter beside readings
that simply go on: enrolment, rights, factors, replacements, and packets with a gap or a flag.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from wattproof.analytics.lake import Lake
from wattproof.analytics.log import LogEntry
from wattproof.analytics.project import Names, Projector
from wattproof.analytics.snapshot import Snapshot
from wattproof.analytics.table import Column, Columns, Table
from wattproof.emissions.model import Emitted
from wattproof.emissions.places import PlacesProjector
from wattproof.emissions.projection import ReadingsProjector
from wattproof.emissions.tracking.wiring_history import WiringProjector
from wattproof.metering.model import PacketAccepted

__all__ = ["LIFE", "PROJECTORS", "LifeProjector", "life_of"]

LIFE: Final = Table(
    name="life",
    columns=(
        Column("meter", "INTEGER"),  # the device's number
        Column("entry", "BIGINT"),  # index of the log entry
    ),
    sort=("meter", "entry"),
)

PLAIN: Final = ("continuous",)


class LifeProjector:
    """Fills the table `LIFE` from every event that names a meter by its number."""

    table: Final[Table] = LIFE
    version: Final = 1

    def rows(self, entries: Sequence[LogEntry], names: Mapping[str, Names]) -> Columns:  # noqa: ARG002
        """A row for each entry and meter."""
        found = [
            (number, entry.index)
            for entry in entries
            for number in sorted(
                {
                    int(fields["number"])
                    for name, fields in entry.events
                    if "number" in fields and not _goes_on(name, fields.get("outcomes", PLAIN))
                }
            )
        ]
        pairs = np.array(found, np.int64).reshape(-1, 2)
        return {"meter": pairs[:, 0].astype(np.int32), "entry": pairs[:, 1]}


PROJECTORS: Final[tuple[Projector, ...]] = (
    ReadingsProjector(),
    LifeProjector(),
    PlacesProjector(),
    WiringProjector(),
)
"""What a ledger's lake is filled with."""


def life_of(lake: Lake, number: int, *, before: int | None = None, limit: int) -> list[int]:
    """The entries about a meter, the newest first, at most `limit`, those `before` an index."""

    def work(snapshot: Snapshot) -> list[int]:
        relation = snapshot.relation(LIFE.name, meter=(number, number))
        rows = snapshot.db.execute(
            f"SELECT entry FROM {relation} WHERE meter = ? AND entry < ?"
            " ORDER BY entry DESC LIMIT ?",
            (number, 2**62 if before is None else before, limit),
        )
        return [int(row[0]) for row in rows.fetchall()]

    return lake.read(work)


def _goes_on(name: str, outcomes: Sequence[str]) -> bool:
    """Whether an event tells of readings that simply go on."""
    return name == Emitted.name or (name == PacketAccepted.name and tuple(outcomes) == PLAIN)
