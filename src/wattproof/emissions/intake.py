"""From the readings of a file to signed transactions of the ledger.

Each meter is enrolled under its own key, authenticated and confirmed by the importing party, which
is named as such in its record; then its readings follow in packets signed by the meter. Everything
is worked out from the file and the ledger alone, nonces included, so that an import that was cut
short goes on where it stopped, and one that is run again adds nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, Protocol

import msgspec

from wattproof.core.errors import Conflict, ErrorCode, WattProofError
from wattproof.core.periods import iso
from wattproof.core.units import is_prediction
from wattproof.emissions.enrolment import (
    METER_DIFFERS,
    assignment,
    check_importer,
    check_same,
    enrolment,
)
from wattproof.emissions.resume import rest_of
from wattproof.identity.model import DEVICES, EnrolDevice
from wattproof.keys.did import did_of
from wattproof.keys.ed25519 import SigningKey
from wattproof.keys.uint_array import UintArray
from wattproof.ledger.state import Reading
from wattproof.ledger.transaction import Body, content_nonce, sign_transaction
from wattproof.metering.columns import Series
from wattproof.metering.csvfile import FileReadings
from wattproof.metering.model import AHEAD_S, FUTURE_S, Packet
from wattproof.metering.problems import CausedBy

__all__ = [
    "BATCH",
    "PACKET_READINGS",
    "GapSummary",
    "ImportPlan",
    "ImportSummary",
    "Importer",
    "Keys",
    "MeterSummary",
    "Submitter",
    "meter_summary",
    "plan_import",
    "run_import",
]

PACKET_READINGS: Final = 96
"""Readings in one packet: a day of quarters of an hour."""

BATCH: Final = 512
"""Transactions that are submitted at once."""

FUTURE = ErrorCode(
    Conflict,
    "import.future",
    en="The readings of {meter} reach to {end}, which has not come yet or is too far ahead.",
    zh="{meter} 的读数截至 {end}，该时刻尚未到来或过于超前。",
)


class _RefusedByLedger(CausedBy, Conflict):
    """A refusal of the ledger, with the meter that it came to."""


REFUSED = ErrorCode(
    _RefusedByLedger,
    "import.refused",
    en="The ledger refused a transaction of meter {meter} ({code}): {cause}",
    zh="账本拒绝了表计 {meter} 的一笔交易（{code}）：{cause}",
)


class Keys(Protocol):
    """Where the meters' keys are kept; a `KeyStore`, for one."""

    def get_or_create(self, name: str) -> SigningKey:
        """The key kept under `name`, made and kept if there is none."""
        ...


class Submitter(Protocol):
    """What an import is submitted to: an engine."""

    def submit_many(self, raws: Sequence[bytes]) -> Sequence[Any]:
        """Submit in this order and wait; an answer each, a `WattProofError` where refused."""
        ...


@dataclass(frozen=True, kw_only=True)
class Importer:
    """The party that imports: its id, its key, and the ledger for which it signs."""

    party: str
    key: SigningKey
    ledger_id: bytes


class GapSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A gap in ISO local times, and what the register gained in it (None where nobody knows)."""

    start: str
    end: str
    amount: int | None


class MeterSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What the file says of one meter, and how many of its readings were `added` to the ledger.

    `first` and `last` are when its readings begin and end, in the meter's own zone; `total` is in
    base units (`unit`); `gaps` and `flagged` are counts.
    """

    meter: str
    quantity: str
    readings: int
    first: str
    last: str
    total: int
    unit: str
    gaps: int
    flagged: int
    added: int
    gap_list: tuple[GapSummary, ...]


class ImportSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did: its meters, the packets that were added, and how long it took."""

    meters: tuple[MeterSummary, ...]
    packets: int
    seconds: float


Step = tuple[str, bytes]
"""A signed transaction, and the meter that it is about."""


@dataclass(frozen=True, kw_only=True)
class ImportPlan:
    """What is to be submitted; nothing is signed before it is asked for.

    `before` is what comes before the packets, meter by meter; `packets` counts the packets and
    `transactions` all that will be submitted.
    """

    meters: tuple[MeterSummary, ...]
    before: tuple[Body, ...]
    packets: int
    transactions: int
    steps: Callable[[], Iterator[Step]]

    def batches(self) -> Iterator[list[Step]]:
        """The signed transactions in order, at most `BATCH` at a time."""
        steps = self.steps()
        while batch := list(islice(steps, BATCH)):
            yield batch


def plan_import(
    reading: Reading,
    file: FileReadings,
    *,
    keys: Keys,
    importer: Importer,
    now_s: int,
) -> ImportPlan:
    """Work out what a file adds to a ledger, checking all of it before anything is submitted.

    `now_s` is the present in Unix seconds. Raises ``import.conflict`` where the file says something
    else than the ledger of time that is reported, ``import.meter_differs`` where a meter is another
    one there, ``import.importer``, ``import.future``, and what a factor that does not fit raises.
    """
    check_importer(reading, importer.party, key=importer.key.public)
    parts = [_Part(reading, series, file.digest, importer, now_s) for series in file.series]
    for part in parts:
        part.check_key(keys)

    def steps() -> Iterator[Step]:
        for part in parts:
            for raw in part.transactions(keys):
                yield part.meter, raw

    before = tuple(body for part in parts for body in part.before)
    packets = sum(part.packets for part in parts)
    return ImportPlan(
        meters=tuple(part.summary() for part in parts),
        before=before,
        packets=packets,
        transactions=packets + len(before),
        steps=steps,
    )


def run_import(
    plan: ImportPlan, submitter: Submitter, *, progress: Callable[[int, int], None] | None = None
) -> None:
    """Submit all of a plan; stops at the first refusal, raised as ``import.refused``.

    `progress` is told, after each batch, how many transactions are done and how many there are.
    """
    done = 0
    for batch in plan.batches():
        answers = submitter.submit_many([raw for _, raw in batch])
        for (meter, _), answer in zip(batch, answers, strict=True):
            if isinstance(answer, WattProofError):
                raise REFUSED(meter=meter, code=answer.code, cause=answer) from answer
        done += len(batch)
        if progress is not None:
            progress(done, plan.transactions)


class _Part:
    """One series of the file, and what it adds."""

    def __init__(
        self, reading: Reading, series: Series, digest: bytes, importer: Importer, now_s: int
    ) -> None:
        self.meter = series.map.meter
        self._series = series
        self._importer = importer
        ahead_s = AHEAD_S if is_prediction(series.map.quantity) else FUTURE_S
        if series.end_s > now_s + ahead_s:
            raise FUTURE(meter=self.meter, end=iso(series.end_s, series.map.zone))
        device = reading.get(DEVICES, self.meter)
        if device is not None:
            check_same(device, series.map, importer.party)
        self._rest = rest_of(reading, device, series)
        self._did = None if device is None else device.did
        self.packets = self._rest.packets(PACKET_READINGS)
        self.before = enrolment(device, series.map, party=importer.party, evidence=digest)
        from_s = self._rest.since_s if self.packets else None
        self.before += assignment(reading, device, series.map, from_s=from_s)

    def check_key(self, keys: Keys) -> None:
        """Raise ``import.meter_differs`` if the ledger knows the meter by another key."""
        if self._did is not None:
            did = did_of(keys.get_or_create(_key_name(self.meter)).public)
            if did != self._did:
                raise METER_DIFFERS(meter=self.meter, field="key", known=self._did, given=did)

    def transactions(self, keys: Keys) -> Iterator[bytes]:
        """All transactions, signed."""
        key = keys.get_or_create(_key_name(self.meter))
        for body in self.before:
            yield self._sign(body, key if isinstance(body, EnrolDevice) else self._importer.key)
        sequence = self._rest.sequence
        for piece in self._rest.pieces(PACKET_READINGS):
            packet = Packet(
                sequence=sequence,
                start_s=piece.start_s,
                interval_s=self._series.interval_s,
                kind=self._series.map.kind,
                opening=piece.opening,
                increments=UintArray.from_ints(piece.amounts),
                quality=UintArray.from_ints(piece.quality if any(piece.quality) else b""),
            )
            yield self._sign(packet, key)
            sequence += 1

    def summary(self) -> MeterSummary:
        """What the file says, and what of it is new."""
        return meter_summary(self._series, added=self._rest.readings)

    def _sign(self, body: Body, key: SigningKey) -> bytes:
        ledger_id = self._importer.ledger_id
        return sign_transaction(body, key, ledger_id=ledger_id, nonce=content_nonce(body))


def meter_summary(series: Series, *, added: int) -> MeterSummary:
    """What a file says of one meter, of whose readings `added` are new to the ledger."""
    zone = series.map.zone
    return MeterSummary(
        meter=series.map.meter,
        quantity=series.map.quantity,
        readings=series.readings,
        first=iso(series.start_s, zone),
        last=iso(series.end_s, zone),
        total=series.total,
        unit=series.unit,
        gaps=len(series.gaps),
        flagged=series.flagged,
        added=added,
        gap_list=tuple(
            GapSummary(start=iso(gap.start_s, zone), end=iso(gap.end_s, zone), amount=gap.amount)
            for gap in series.gaps
        ),
    )


def _key_name(meter: str) -> str:
    return f"meter {meter}"
