"""From rows of a file to signed shipments: what the ledger would take is known beforehand.

Everything is worked out from the file, the mapping and the ledger, nonces included, so a file that
is imported again adds nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final, Protocol

import msgspec
from msgspec.structs import replace

from wattproof.core.errors import Conflict, ErrorCode, WattProofError
from wattproof.emissions.logistics.contract import check_shipment
from wattproof.emissions.logistics.mapping import ColumnMap, ShipmentMap
from wattproof.emissions.logistics.model import (
    PG_PER_G,
    SHIPMENTS,
    SHIPPED,
    Method,
    RecordShipment,
    Shipment,
)
from wattproof.emissions.logistics.records import (
    Left,
    Records,
    Taken,
    left_because,
    read_records,
    read_tracks,
)
from wattproof.keys.ed25519 import SigningKey
from wattproof.ledger.state import Reading
from wattproof.ledger.transaction import content_nonce, sign_transaction

__all__ = ["BATCH", "ShipmentPlan", "ShipmentSummary", "Submitter", "Sum", "plan_shipments",
           "read_files", "run_shipments", "signed"]  # fmt: skip

BATCH: Final = 512
"""Transactions that are submitted at once."""

NO_TRACKING = ErrorCode(
    Conflict,
    "shipments.no_tracking",
    en="A file of tracking points needs the table [tracking] in the mapping, and the table the"
    " file.",
    zh="轨迹文件须与映射中的 [tracking] 表同时给出。",
)
DIFFERS = ErrorCode(
    Conflict,
    "shipments.differs",
    en="{shipper} has recorded shipment {shipment} with another {field} already.",
    zh="{shipper} 已登记过运输 {shipment}，但其 {field} 不同。",
)

_ABOUT: Final[Mapping[str, str]] = {
    "emissions.shipment.no_weight": "weight",
    "emissions.shipment.no_units": "units",
    "emissions.shipment.no_product": "product",
    "emissions.shipment.no_product_factor": "product",
    "emissions.product.unknown": "product",
    "emissions.shipment.no_time": "arrival",
    "emissions.shipment.times": "arrival",
    "emissions.shipment.future": "arrival",
    "emissions.no_factor": "mode",
    "emissions.vehicle.unknown": "mode",
    "emissions.vehicle.mismatch": "mode",
    "emissions.shipment.scope": "product",
}
"""Of which field of a row the ledger's refusal speaks; else of the shipment as a whole."""


class Submitter(Protocol):
    """What shipments are submitted to: an engine."""

    def submit_many(self, raws: Sequence[bytes]) -> Sequence[Any]:
        """Submit in this order and wait; an answer each, a `WattProofError` where refused."""
        ...


class Sum(msgspec.Struct, frozen=True, kw_only=True):
    """What shipments come to by one method, set and scope of factors: counts, metres and grams."""

    method: Method
    set: str
    scope: str
    shipments: int
    distance_m: int
    emission_g: int


class ShipmentPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a file adds: the shipments that are new, and all that is not taken.

    `already` counts those that the ledger has just as the file tells them.
    """

    file: str
    rows: int
    bodies: tuple[RecordShipment, ...]
    already: int
    sums: tuple[Sum, ...]
    left: tuple[Left, ...]


class ShipmentSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did: rows of the file, shipments `added` and those that were there already.

    `left_rows` is how many rows were not taken, `reasons` how often by code, `left` each of them.
    """

    file: str
    rows: int
    added: int
    already: int
    left_rows: int
    reasons: Mapping[str, int]
    sums: tuple[Sum, ...]
    left: tuple[Left, ...]

    @classmethod
    def of(cls, plan: ShipmentPlan, *, added: int) -> ShipmentSummary:
        """The summary of a plan of which `added` were taken by the ledger."""
        reasons: dict[str, int] = {}
        for one in plan.left:
            reasons[one.code] = reasons.get(one.code, 0) + 1
        return cls(
            file=plan.file,
            rows=plan.rows,
            added=added,
            already=plan.already,
            left_rows=plan.rows - len(plan.bodies) - plan.already,
            reasons=dict(sorted(reasons.items())),
            sums=plan.sums,
            left=plan.left,
        )


def read_files(
    mapping: ShipmentMap, *, records: tuple[str, bytes], tracking: tuple[str, bytes] | None
) -> Records:
    """Read a file of records, and that of tracking points with it: names and contents.

    Raises ``shipments.no_tracking`` where the mapping and the files do not go together.
    """
    if (tracking is None) != (mapping.tracking is None):
        raise NO_TRACKING()
    tracks = None
    if tracking is not None and mapping.tracking is not None:
        tracks = read_tracks(tracking[1], mapping.tracking, file=tracking[0])
    return read_records(records[1], mapping, file=records[0], tracks=tracks)


def plan_shipments(
    reading: Reading, records: Records, mapping: ShipmentMap, *, shipper: str, now_s: int
) -> ShipmentPlan:
    """What the ledger would take of a file's rows, at `now_s` (Unix seconds), and what not."""
    left = list(records.left)
    bodies: list[RecordShipment] = []
    exact: dict[tuple[str, str], int] = {}
    sums: dict[tuple[Method, str, str], Sum] = {}
    already = 0
    for taken in records.taken:
        body = taken.body
        try:
            known = reading.get(SHIPMENTS, shipper, body.shipment)
            if known is not None:
                _check_same(known, body)
                already += 1
                continue
            worked = check_shipment(reading, shipper, body, now_s=now_s)
        except WattProofError as error:
            left.append(_left(records.file, taken, mapping.columns, error))
            continue
        basis = (worked.rate.set, worked.rate.scope)
        if basis not in exact:
            before = reading.get(SHIPPED, shipper, *basis)
            exact[basis] = 0 if before is None else before.carry_pg
        grams, exact[basis] = divmod(exact[basis] + worked.emission_pg, PG_PER_G)
        _add(sums, body, basis, grams)
        bodies.append(body)
    return ShipmentPlan(
        file=records.file,
        rows=records.rows,
        bodies=tuple(bodies),
        already=already,
        sums=tuple(sums[key] for key in sorted(sums)),
        left=tuple(sorted(left, key=lambda one: (one.file != records.file, one.line))),
    )


def signed(plan: ShipmentPlan, key: SigningKey, *, ledger_id: bytes) -> Iterator[list[bytes]]:
    """The plan's transactions, signed, at most `BATCH` at a time."""
    raws = (
        sign_transaction(body, key, ledger_id=ledger_id, nonce=content_nonce(body))
        for body in plan.bodies
    )
    while batch := list(islice(raws, BATCH)):
        yield batch


def run_shipments(
    plan: ShipmentPlan,
    submitter: Submitter,
    key: SigningKey,
    *,
    ledger_id: bytes,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Submit all of a plan and give how many the ledger took; raises its first refusal."""
    done = 0
    for batch in signed(plan, key, ledger_id=ledger_id):
        for answer in submitter.submit_many(batch):
            if isinstance(answer, WattProofError):
                raise answer
        done += len(batch)
        if progress is not None:
            progress(done, len(plan.bodies))
    return done


def _check_same(known: Shipment, body: RecordShipment) -> None:
    """Raise which field of a shipment is another one on the ledger."""
    for field in body.__struct_fields__:
        told, stands = getattr(body, field), getattr(known, field)
        if told == stands or (field in ("factor", "factor_version") and not body.factor):
            continue
        raise DIFFERS(shipper=known.shipper, shipment=body.shipment, field=field)


def _left(file: str, taken: Taken, columns: ColumnMap, error: WattProofError) -> Left:
    field = _ABOUT.get(error.code, "shipment")
    column = getattr(columns, field)
    if column is None:
        field, column = "shipment", columns.shipment
    return left_because(
        error, file, taken.line, taken.body.shipment, column, taken.cells.get(field, "")
    )


def _add(
    sums: dict[tuple[Method, str, str], Sum],
    body: RecordShipment,
    basis: tuple[str, str],
    grams: int,
) -> None:
    key = (body.method, *basis)
    before = sums.get(key)
    if before is None:
        before = Sum(
            method=body.method, set=basis[0], scope=basis[1], shipments=0, distance_m=0,
            emission_g=0,
        )  # fmt: skip
    sums[key] = replace(
        before,
        shipments=before.shipments + 1,
        distance_m=before.distance_m + body.distance_m,
        emission_g=before.emission_g + grams,
    )
