"""Reads over sealed trace codes: which epochs a party can open, and which codes it looks for.

A search makes the tokens of what is wanted for every batch of an epoch, opens the batches that may
have it, and keeps the codes that are exactly what was asked for. Nothing of it is told to anybody:
who asks needs the batches' tokens and, of those that match, the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

import msgspec

from wattproof.core.codes import check_region
from wattproof.core.errors import Broken, ErrorCode, WattProofError
from wattproof.core.trace_codes import (
    TraceCode,
    TraceKind,
    check_trace_technology,
    trace_province,
    unpack_trace,
)
from wattproof.keys import cbor, cose
from wattproof.keys.blind_index import BlindIndex
from wattproof.keys.ed25519 import SigningKey
from wattproof.keys.sealed import EpochKey
from wattproof.keys.wrapping import unwrap
from wattproof.ledger.leaf import leaf_parts
from wattproof.ledger.state import Reading
from wattproof.ledger.store import Store
from wattproof.settlement.traces.model import (
    BATCHES,
    COPIES,
    EPOCHS,
    ROW_BYTES,
    Batch,
    Copy,
    Epoch,
    PublishTraces,
)
from wattproof.settlement.traces.refusals import EPOCH_UNKNOWN, NOT_THE_KEY
from wattproof.settlement.traces.sealing import ABOUT_PLACE, DAY_S, values_of

__all__ = [
    "BatchFound",
    "Held",
    "RowsOf",
    "Wanted",
    "copies_of",
    "epoch_of",
    "holders_of",
    "opened_copy",
    "opened_epochs",
    "rows_of",
    "search",
    "wrong_tokens",
]

MAX_DAYS: Final = 400
"""Days whose tokens are looked for; a longer period is looked for by everything else."""

RowsOf = Callable[[int], bytes]
"""The sealed rows of the batch that a log entry has."""

NOT_A_BATCH = ErrorCode(
    Broken,
    "settlement.trace.entry",
    en="Log entry {entry} has no batch of trace codes.",
    zh="日志条目 {entry} 不是溯源码批次。",
)


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """An epoch whose key a party holds, opened: what it is for, and the key itself."""

    epoch: Epoch
    key: EpochKey
    region: str
    note: str


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked for; an empty text or None leaves it open.

    `region` is a province (``CN-SH``, all that lies in it) or one region exactly (``310115``). The
    period of a code begins at `from_s` or later and before `to_s` (Unix, UTC).
    """

    region: str = ""
    kind: TraceKind | None = None
    technology: str = ""
    from_s: int | None = None
    to_s: int | None = None

    def fits(self, code: TraceCode) -> bool:
        """Whether it is this code, exactly."""
        return (
            (not self.region or self.region in (code.region, code.province))
            and (self.kind is None or self.kind == code.kind)
            and (not self.technology or self.technology == code.technology)
            and (self.from_s is None or self.from_s <= code.start_s)
            and (self.to_s is None or code.start_s < self.to_s)
        )

    def checked(self) -> Wanted:
        """The same with its codes in their one form; raises `Malformed` for what is none."""
        return msgspec.structs.replace(
            self,
            region=self.region and check_region(self.region),
            technology=self.technology and check_trace_technology(self.technology),
        )

    def groups(self) -> list[list[tuple[str, str]]]:
        """Of each group of values a batch must have one, to have what is wanted."""
        groups = []
        if self.from_s is not None and self.to_s is not None:
            days = range(self.from_s // DAY_S, -(-self.to_s // DAY_S))
            if len(days) <= MAX_DAYS:
                groups.append([("day", str(day)) for day in days])
        if self.region:
            groups.append([("province", trace_province(self.region))])
        if self.technology:
            groups.append([("technology", self.technology)])
        if self.kind is not None:
            groups.append([("kind", self.kind)])
        return groups


class BatchFound(msgspec.Struct, frozen=True, kw_only=True):
    """What a search found in a batch: codes in their order, and how many rows did not open.

    Rows that do not open were not sealed with the epoch's key for this batch, or are no code: a
    fault of who published them.
    """

    batch: Batch
    codes: tuple[TraceCode, ...]
    unread: int


def epoch_of(reading: Reading, key_id: bytes) -> Epoch:
    """The epoch with this id; raises ``settlement.key.unknown``."""
    found = reading.get(EPOCHS, key_id)
    if found is None:
        raise EPOCH_UNKNOWN(key=key_id.hex())
    return found


def copies_of(reading: Reading, party: str) -> list[Copy]:
    """The copies of keys that were wrapped for a party, in the order in which they came."""
    return sorted(reading.find(COPIES, "party", party), key=lambda copy: (copy.entry, copy.key))


def holders_of(reading: Reading, key_id: bytes) -> list[str]:
    """The parties to which an epoch's key was given, by id."""
    return [copy.party for copy in reading.scan(COPIES, key_id)]


def opened_copy(reading: Reading, copy: Copy, key: SigningKey, *, ledger_id: bytes) -> Held:
    """The epoch of a copy, opened with the signing key for which it was wrapped.

    Raises ``keys.wrapping.not_opened`` for another signing key, and ``settlement.key.not_the_key``
    where what was wrapped is not the epoch's key.
    """
    epoch = epoch_of(reading, copy.key)
    secret = unwrap(copy.wrapped, key)
    opened = EpochKey(secret, ledger_id=ledger_id, key_id=copy.key)
    if opened.check != epoch.check:
        raise NOT_THE_KEY(party=copy.party, key=copy.key.hex())
    about = opened.open(epoch.about, place=ABOUT_PLACE).rstrip(b"\0").decode(errors="replace")
    region, _, note = about.partition("\0")
    return Held(epoch=epoch, key=opened, region=region, note=note)


def opened_epochs(
    reading: Reading, party: str, key: SigningKey, *, ledger_id: bytes
) -> tuple[list[Held], list[tuple[Copy, WattProofError]]]:
    """The epochs whose key a party holds, oldest first, and the copies that do not open.

    A copy that was wrapped for an earlier key of the party opens with that one.
    """
    held: list[Held] = []
    closed: list[tuple[Copy, WattProofError]] = []
    for copy in copies_of(reading, party):
        try:
            held.append(opened_copy(reading, copy, key, ledger_id=ledger_id))
        except WattProofError as fault:
            closed.append((copy, fault))
    return held, closed


def rows_of(store: Store) -> RowsOf:
    """Reads the rows of batches out of the log."""

    def read(entry: int) -> bytes:
        envelope = cose.parse(leaf_parts(store.entry(entry).leaf)[2])
        match cbor.decode(envelope.payload):
            case [PublishTraces.spec.type, 1, _, _, _, bytes(rows), _]:
                return rows
        raise NOT_A_BATCH(entry=entry)

    return read


def search(
    reading: Reading, rows: RowsOf, held: Iterable[Held], wanted: Wanted
) -> Iterator[BatchFound]:
    """What is wanted, batch by batch, in the order of the epochs given and of their numbers.

    Batches in which nothing is found and nothing is wrong are left out.
    """
    wanted = wanted.checked()
    for one in held:
        may_have = BlindIndex(one.key).finder(wanted.groups())
        for batch in reading.scan(BATCHES, one.epoch.key):
            if may_have(batch.number, batch.tokens):
                codes, unread = _opened(one.key, batch, rows(batch.entry))
                fitting = tuple(sorted(code for code in codes if wanted.fits(code)))
                if fitting or unread:
                    yield BatchFound(batch=batch, codes=fitting, unread=unread)


def wrong_tokens(reading: Reading, rows: RowsOf, held: Held) -> list[int]:
    """The numbers of an epoch's batches whose tokens are not those of their codes.

    The contract cannot see it, and a search would miss codes there: whoever holds the key checks.
    """
    index, wrong = BlindIndex(held.key), []
    for batch in reading.scan(BATCHES, held.epoch.key):
        codes, unread = _opened(held.key, batch, rows(batch.entry))
        values = [
            value
            for code in codes
            for value in values_of(
                day=code.start_s // DAY_S,
                kind=code.kind,
                technology=code.technology,
                province=code.province,
            )
        ]
        if unread or index.tokens(values, place=batch.number) != batch.tokens:
            wrong.append(batch.number)
    return wrong


def _opened(key: EpochKey, batch: Batch, rows: bytes) -> tuple[list[TraceCode], int]:
    """The codes of a batch, and how many of its rows do not open or are none."""
    codes: list[TraceCode] = []
    for at in range(0, len(rows), ROW_BYTES):
        try:
            codes.append(unpack_trace(key.open(rows[at : at + ROW_BYTES], place=batch.number)))
        except WattProofError:
            continue
    return codes, len(rows) // ROW_BYTES - len(codes)
