"""Trades against packets: what meters of a region reported, beside what was settled of it.

Both come from the log alone: what was settled from the trade records, what was reported from the
lake's rows, and which meters are the region's from the associations that stood in the log. A
reading counts for the region with which its meter was associated when the packet came; what a meter
reported before it was associated with any counts for its first. So the same differences come out
again later, wherever a meter has gone since.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import duckdb
import msgspec
import numpy as np

from wattproof.analytics.readings import READINGS
from wattproof.analytics.snapshot import Snapshot
from wattproof.analytics.sums import OVERFLOW
from wattproof.analytics.table import Array
from wattproof.emissions.places import PLACES, QUANTITY_NAMES, REGION_NAMES
from wattproof.identity.model import DEVICES
from wattproof.ledger.store import Store
from wattproof.settlement.model import QUANTITIES, Kind

__all__ = ["MAX_LISTED", "Difference", "Reconciled", "Traded", "reconcile"]

MAX_LISTED: Final = 10_000
"""Meters that one statement lists at most: those that differ most."""


class Traded(msgspec.Struct, frozen=True, kw_only=True):
    """What was settled of each meter: its number and Wh, as arrays of one length."""

    meter: Array
    wh: Array


class Difference(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A meter of which more was reported than settled (`difference_wh` above 0), or less."""

    meter: str
    number: int
    kind: Kind
    metered_wh: int
    settled_wh: int
    difference_wh: int


class Reconciled(msgspec.Struct, frozen=True, kw_only=True):
    """How many meters differ, by how much in all (metered less settled), and which.

    `differences` are by number, at most `MAX_LISTED`: those that differ most.
    """

    meters: int
    supply_wh: int
    consumption_wh: int
    differences: tuple[Difference, ...]


def reconcile(
    store: Store,
    snapshot: Snapshot,
    traded: Traded,
    *,
    region: str,
    from_s: int,
    to_s: int,
    entries: int,
) -> Reconciled:
    """Compare what was settled of a region's hours from `from_s` up to `to_s` with the readings.

    `traded` are the trades of that time among the log's first `entries` entries. Raises
    ``analytics.overflow``.
    """
    kinds = _kinds(snapshot)
    found = _differing(
        snapshot, traded, kinds, region=region, from_s=from_s, to_s=to_s, entries=entries
    )
    meter, quantity, metered, settled = (
        found[name] for name in ("meter", "quantity", "metered_wh", "settled_wh")
    )
    difference = metered - settled
    sums: dict[Kind, int] = {"supply": 0, "consumption": 0}
    for number, kind in kinds.items():
        sums[kind] += sum(difference[quantity == number].tolist())
    most = np.lexsort((meter, -np.abs(difference)))[:MAX_LISTED]
    listed = most[np.argsort(meter[most])]
    return Reconciled(
        meters=len(meter),
        supply_wh=sums["supply"],
        consumption_wh=sums["consumption"],
        differences=tuple(
            Difference(
                meter=_device(store, int(meter[at])),
                number=int(meter[at]),
                kind=kinds[int(quantity[at])],
                metered_wh=int(metered[at]),
                settled_wh=int(settled[at]),
                difference_wh=int(difference[at]),
            )
            for at in listed
        ),
    )


def _kinds(snapshot: Snapshot) -> dict[int, Kind]:
    """The kind of trades, by the number of the quantity in the lake."""
    names = snapshot.manifest.names.get(QUANTITY_NAMES, ())
    return {
        number: QUANTITIES[name] for number, name in enumerate(names, start=1) if name in QUANTITIES
    }


def _differing(
    snapshot: Snapshot,
    traded: Traded,
    kinds: Mapping[int, Kind],
    *,
    region: str,
    from_s: int,
    to_s: int,
    entries: int,
) -> dict[str, Array]:
    names = snapshot.manifest.names.get(REGION_NAMES, ())
    text = _DIFFERING.format(
        places=snapshot.relation(PLACES.name),
        readings=snapshot.relation(READINGS.name, start_s=(from_s, to_s - 1)),
        region=names.index(region) + 1 if region in names else -1,
        quantities=", ".join(map(str, kinds)) or "-1",
        from_s=from_s,
        to_s=to_s,
        entries=entries,
    )
    snapshot.db.register("traded", {"meter": traded.meter, "wh": traded.wh})
    try:
        return snapshot.db.execute(text).fetchnumpy()
    except (duckdb.ConversionException, duckdb.OutOfRangeException):
        raise OVERFLOW() from None
    finally:
        snapshot.db.unregister("traded")


def _device(store: Store, number: int) -> str:
    (device,) = store.find(DEVICES, "number", number)
    return device.id


_DIFFERING: Final = """
WITH associated AS (
    SELECT
        meter,
        region,
        entry,
        LEAD(entry, 1, {entries}) OVER (PARTITION BY meter ORDER BY entry) AS before_entry,
        ROW_NUMBER() OVER (PARTITION BY meter ORDER BY entry) AS nth
    FROM {places} AS places
    WHERE region > 0 AND entry < {entries}
),
here AS (
    SELECT meter, CASE WHEN nth = 1 THEN 0 ELSE entry END AS from_entry, before_entry
    FROM associated
    WHERE region = {region}
),
tradable AS (
    SELECT meter, quantity
    FROM {places} AS places
    WHERE quantity IN ({quantities})
),
reported AS NOT MATERIALIZED (
    SELECT meter, entry, amount
    FROM {readings} AS readings
    WHERE start_s >= {from_s} AND start_s < {to_s} AND entry < {entries}
),
stayed AS (
    SELECT meter, SUM(amount) AS wh
    FROM reported
    WHERE meter IN (SELECT meter FROM here WHERE from_entry = 0 AND before_entry = {entries})
    GROUP BY meter
),
moved AS (
    SELECT reported.meter AS meter, SUM(reported.amount) AS wh
    FROM reported
    INNER JOIN here
        ON reported.meter = here.meter
        AND reported.entry >= here.from_entry
        AND reported.entry < here.before_entry
    WHERE here.from_entry > 0 OR here.before_entry < {entries}
    GROUP BY reported.meter
),
metered AS (
    SELECT meter, CAST(wh AS BIGINT) AS wh FROM stayed
    UNION ALL
    SELECT meter, CAST(wh AS BIGINT) AS wh FROM moved
),
settled AS (
    SELECT meter, CAST(SUM(wh) AS BIGINT) AS wh FROM traded GROUP BY meter
)
SELECT
    tradable.meter AS meter,
    tradable.quantity AS quantity,
    COALESCE(metered.wh, 0) AS metered_wh,
    COALESCE(settled.wh, 0) AS settled_wh
FROM tradable
LEFT JOIN metered ON metered.meter = tradable.meter
LEFT JOIN settled ON settled.meter = tradable.meter
WHERE COALESCE(metered.wh, 0) <> COALESCE(settled.wh, 0)
ORDER BY tradable.meter
"""
"""Most meters stay where they are: only those of the others are joined reading by reading."""
