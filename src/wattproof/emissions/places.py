"""In which region a meter was when: the log's enrolments and associations, as a table of the lake.

The state knows where a meter is now. What was asked about a region when the log had so many entries
must come out the same later, though meters may have moved since; the lake's table `PLACES` has a
row for every enrolment and every association.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from wattproof.analytics.log import LogEntry
from wattproof.analytics.project import Names
from wattproof.analytics.table import Column, Columns, Table
from wattproof.identity.events import DeviceAssociated, DeviceEnrolled

__all__ = ["PLACES", "QUANTITY_NAMES", "REGION_NAMES", "PlacesProjector"]

PLACES: Final = Table(
    name="places",
    columns=(
        Column("meter", "INTEGER"),  # the device's number
        Column("entry", "BIGINT"),  # index of the log entry
        Column("quantity", "INTEGER"),  # number in the lake's names "quantity"; 0: no enrolment
        Column("region", "INTEGER"),  # number in the lake's names "region"; 0: no association
    ),
    sort=("meter", "entry"),
)

QUANTITY_NAMES: Final = "quantity"
"""The lake's list of names of what is measured."""
REGION_NAMES: Final = "region"
"""The lake's list of names of regions."""


class PlacesProjector:
    """Fills the table `PLACES`."""

    table: Final[Table] = PLACES
    version: Final = 1

    def rows(self, entries: Sequence[LogEntry], names: Mapping[str, Names]) -> Columns:
        """A row for each enrolment and each association."""
        found: list[tuple[int, int, int, int]] = []
        for entry in entries:
            for name, fields in entry.events:
                if name == DeviceEnrolled.name:
                    quantity = names[QUANTITY_NAMES].number(fields["quantity"])
                    found.append((fields["number"], entry.index, quantity, 0))
                elif name == DeviceAssociated.name:
                    region = names[REGION_NAMES].number(fields["region"])
                    found.append((fields["number"], entry.index, 0, region))
        meters, indices, quantities, regions = np.array(found, np.int64).reshape(-1, 4).T
        return {
            "meter": meters.astype(np.int32),
            "entry": indices.copy(),
            "quantity": quantities.astype(np.int32),
            "region": regions.astype(np.int32),
        }
