"""Real plants for the demonstration, where their data files are at hand (``--data DIR``).

The steel plant is Korean (UCI data set 851, 2018, every 15 minutes); its load types stand for
three parts of it, one of which is given a fault for an hour. The house is in Konstanz (Open Power
System Data, hourly registers); its difference between what came in and what is known to have used
it is real.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Final

from wattproof.core.errors import ErrorCode, Unavailable
from wattproof.demo.plant import Bound, Plant, PlantNode, Recorded, Run

__all__ = ["HOUSE", "STEEL", "STEEL_FAULT_S", "house", "steel"]

STEEL_FILE: Final = "steel_industry_kr_2018_15min.csv"
HOUSE_FILE: Final = "opsd_household_60min.csv"
KOREA: Final = timezone(timedelta(hours=9))
STEEL_START_S: Final = int(datetime(2018, 1, 1, tzinfo=KOREA).timestamp())
STEEL_FAULT_S: Final = int(datetime(2018, 3, 14, 15, tzinfo=KOREA).timestamp())
"""When the fault is put into the readings: a Wednesday afternoon, for an hour."""
QUARTER_S: Final = 900
HOUR_S: Final = 3600

NO_DATA = ErrorCode(
    Unavailable,
    "demo.no_data",
    en="The data file {file} cannot be read: {reason}.",
    zh="无法读取数据文件 {file}：{reason}。",
)

_LOADS: Final[Mapping[str, str]] = {
    "Light_Load": "steel-light",
    "Medium_Load": "steel-medium",
    "Maximum_Load": "steel-maximum",
}

STEEL: Final = Plant(
    owner="steel-plant",
    name="A steel plant, 2018",
    zone="Asia/Seoul",
    region="KR",
    nodes=(
        PlantNode(port=10, id="steel-total", quantity="electricity.import", plant="steel"),
        *(
            PlantNode(port=11 + at, id=id_, quantity="electricity.consumption", process=id_[6:])
            for at, id_ in enumerate(_LOADS.values())
        ),
    ),
    bindings=(Bound(text="1-10-11/12/13", kind="total", line_wh=5_000),),
)

_COLUMNS: Final[Mapping[str, tuple[int, str, str]]] = {
    "grid_import": (20, "house-import", "electricity.import"),
    "pv": (21, "house-pv", "electricity.generation"),
    "grid_export": (22, "house-export", "electricity.export"),
    "heat_pump": (23, "house-heat-pump", "electricity.consumption"),
    "ev": (24, "house-car", "electricity.consumption"),
    "dishwasher": (25, "house-dishwasher", "electricity.consumption"),
    "washing_machine": (26, "house-washing-machine", "electricity.consumption"),
    "refrigerator": (27, "house-refrigerator", "electricity.consumption"),
    "freezer": (28, "house-freezer", "electricity.consumption"),
}

HOUSE: Final = Plant(
    owner="house",
    name="A house in Konstanz, 2015 to 2017",
    zone="Europe/Berlin",
    region="DE",
    nodes=tuple(
        PlantNode(port=port, id=id_, quantity=quantity) for port, id_, quantity in _COLUMNS.values()
    ),
    bindings=(Bound(text="3-20/21-22/23/24/25/26/27/28", kind="total"),),
)


def steel(folder: Path) -> Recorded:
    """The year of the steel plant, with a fault in the port of its highest load.

    Each row is the quarter of an hour that ends at its stamp, the first of them on 1 January at
    0:15. Raises ``demo.no_data``.
    """
    total: list[int] = []
    parts: dict[str, list[int]] = {name: [] for name in _LOADS.values()}
    for row in _rows(folder / STEEL_FILE):
        amount = _wh(row["Usage_kWh"])
        total.append(amount)
        for load, values in parts.items():
            values.append(amount if load == _LOADS[row["Load_Type"]] else 0)
    first = (STEEL_FAULT_S - STEEL_START_S) // QUARTER_S
    faulty = max(parts.values(), key=lambda values: sum(values[first : first + 4]))
    faulty[first : first + 4] = [amount // 2 for amount in faulty[first : first + 4]]
    runs = {
        name: (Run(start_s=STEEL_START_S, opening=0, amounts=values),)
        for name, values in {"steel-total": total, **parts}.items()
    }
    return Recorded(interval_s=QUARTER_S, runs=runs)


def house(folder: Path) -> Recorded:
    """The registers of the house, with the gaps that they have. Raises ``demo.no_data``."""
    registers: dict[str, list[tuple[int, int]]] = {id_: [] for _, id_, _ in _COLUMNS.values()}
    for row in _rows(folder / HOUSE_FILE):
        time_s = int(datetime.fromisoformat(row["utc_timestamp"]).timestamp())
        for column, (_, id_, _) in _COLUMNS.items():
            shown = row[f"DE_KN_residential4_{column}"]
            if shown:
                registers[id_].append((time_s, _wh(shown)))
    return Recorded(
        interval_s=HOUR_S, runs={id_: tuple(_runs(shown)) for id_, shown in registers.items()}
    )


def _runs(shown: Sequence[tuple[int, int]]) -> Iterator[Run]:
    """Registers of consecutive hours as increments; a missing hour begins another run."""
    start_s, opening = shown[0]
    amounts: list[int] = []
    for (before_s, before), (time_s, register) in pairwise(shown):
        if time_s == before_s + HOUR_S:
            amounts.append(register - before)
            continue
        if amounts:
            yield Run(start_s=start_s, opening=opening, amounts=amounts)
        start_s, opening, amounts = time_s, register, []
    if amounts:
        yield Run(start_s=start_s, opening=opening, amounts=amounts)


def _wh(kwh: str) -> int:
    return int(Decimal(kwh) * 1000)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from csv.DictReader(file)
    except OSError as error:
        raise NO_DATA(file=str(path), reason=error.strerror or str(error)) from None
