"""Forecasts as streams: a forecaster is a device whose quantity is a prediction.

What it says is signed and stays said: a later forecast goes on where the earlier one ended. How
well its method did before is shown with every forecast.
"""

from __future__ import annotations

from array import array
from hashlib import sha256

import msgspec

from wattproof.analytics.lake import Lake
from wattproof.analytics.readings import CATCH_UP_BIT, READINGS
from wattproof.analytics.snapshot import Snapshot
from wattproof.core.errors import Conflict, ErrorCode, Malformed
from wattproof.core.units import base_unit, family, is_prediction
from wattproof.emissions.tracking.forecast_methods import (
    DAY_S,
    MAX_STEPS,
    METHODS,
    Backtest,
    History,
    Method,
)
from wattproof.identity.model import DEVICES
from wattproof.identity.queries import device
from wattproof.ledger.state import Reading
from wattproof.metering.columns import Run, Series
from wattproof.metering.csvfile import FileReadings
from wattproof.metering.mapping import SeriesMap
from wattproof.metering.model import STREAMS

__all__ = ["Forecast", "forecast", "forecast_readings", "predicted_quantity"]

SHORT = ErrorCode(
    Conflict,
    "emissions.forecast_history",
    en="{meter} has less than a day of readings; nothing can be forecast from them.",
    zh="{meter} 的读数不足一天，无法据此预测。",
)
STEPS = ErrorCode(
    Malformed,
    "emissions.forecast_steps",
    en="A forecast reaches 1 to {limit} intervals ahead, not {steps}.",
    zh="预测步数须为 1 至 {limit}，而非 {steps}。",
)
OF_PREDICTION = ErrorCode(
    Conflict,
    "emissions.forecast_of_prediction",
    en="{meter} is itself a prediction ({quantity}); forecast what is measured.",
    zh="{meter} 本身为预测量（{quantity}）；请对实测量进行预测。",
)


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """What `meter` is expected to measure in intervals of `interval_s` from `start_s` on.

    `amounts` are in `unit`; `season_s` is what repeats, a week or a day; `backtests` are of every
    method, so that the better one can be seen.
    """

    meter: str
    quantity: str
    unit: str
    method: Method
    season_s: int
    start_s: int
    interval_s: int
    amounts: tuple[int, ...]
    backtests: tuple[Backtest, ...]


def predicted_quantity(quantity: str) -> str:
    """The quantity of a forecaster of this one: ``electricity.predicted``."""
    return f"{family(quantity)}.predicted"


def forecast(reading: Reading, lake: Lake, *, meter: str, steps: int, method: Method) -> Forecast:
    """Forecast a meter for `steps` intervals from where its readings end.

    Raises `NotFound` for an unknown meter, ``emissions.forecast_steps``,
    ``emissions.forecast_of_prediction``, and ``emissions.forecast_history`` where there is less
    than a day of readings.
    """
    if not 1 <= steps <= MAX_STEPS:
        raise STEPS(limit=MAX_STEPS, steps=steps)
    found = device(reading, meter)
    if is_prediction(found.quantity):
        raise OF_PREDICTION(meter=meter, quantity=found.quantity)
    stream = reading.get(STREAMS, found.number)
    if stream is None or stream.end_s - stream.start_s < DAY_S:
        raise SHORT(meter=meter)
    end_s, interval_s = stream.end_s, stream.interval_s
    known = lake.read(lambda snapshot: _known(snapshot, found.number, interval_s))
    if end_s - min(known, default=end_s) < DAY_S:
        raise SHORT(meter=meter)
    past = History(known, interval_s=interval_s, zone=found.zone)
    return Forecast(
        meter=found.id,
        quantity=found.quantity,
        unit=base_unit(found.quantity),
        method=method,
        season_s=past.season_s(end_s),
        start_s=end_s,
        interval_s=interval_s,
        amounts=tuple(past.forecast(method, end_s, steps)),
        backtests=tuple(past.backtest(name, end_s, steps) for name in METHODS),
    )


def forecast_readings(
    reading: Reading, made: Forecast, *, forecaster: str, factor: str | None = None
) -> FileReadings:
    """A forecast as the readings of its forecaster, for `plan_import`: from where the forecaster
    has got to, as what is said stays said. There is no series where it is said already."""
    source = device(reading, made.meter)
    end_s = made.start_s + len(made.amounts) * made.interval_s
    known = reading.get(DEVICES, forecaster)
    stream = None if known is None else reading.get(STREAMS, known.number)
    from_s = made.start_s if stream is None else max(made.start_s, stream.end_s)
    skipped = -(-(from_s - made.start_s) // made.interval_s)
    run = Run(
        start_s=made.start_s + skipped * made.interval_s, interval_s=made.interval_s, opening=0
    )
    run.amounts = array("Q", made.amounts[skipped:])
    run.quality = bytearray(len(run.amounts))
    wanted = SeriesMap(
        meter=forecaster,
        column=made.method,
        quantity=predicted_quantity(made.quantity),
        unit=made.unit,
        kind="increment",
        region=source.region or None,
        factor=factor,
        zone=source.zone,
    )
    series = Series(
        map=wanted,
        unit=made.unit,
        interval_s=made.interval_s,
        runs=(run,),
        gaps=(),
        readings=len(run.amounts),
        total=sum(run.amounts),
        flagged=0,
    )
    return FileReadings(
        file=f"{made.meter} until {end_s}",
        digest=sha256(msgspec.json.encode(made)).digest(),
        rows=len(run.amounts),
        series=(series,) if run.amounts else (),
    )


def _known(snapshot: Snapshot, number: int, interval_s: int) -> dict[int, int]:
    """What the meter measured in each interval; what a register gained in a gap is left out."""
    found = snapshot.db.execute(
        f"SELECT start_s, amount, flags FROM {snapshot.relation(READINGS.name)}"
        " WHERE meter = ? AND interval_s = ? ORDER BY start_s, entry",
        (number, interval_s),
    ).fetchall()
    return {start_s: amount for start_s, amount, flags in found if not flags & CATCH_UP_BIT}
