"""A ledger with an epoch of a trace key, and codes that a test can look for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hypothesis import strategies as st
from tests.support.memory_ledger import MemoryLedger, key_of
from tests.support.people import new_ledger, organisation

from wattproof.core.trace_codes import TraceCode
from wattproof.keys.sealed import EpochKey
from wattproof.settlement.traces.contract import CONTRACT
from wattproof.settlement.traces.model import PublishTraces
from wattproof.settlement.traces.sealing import new_epoch_key, opening, publishing

__all__ = ["DAY_S", "GRID", "JUNE_S", "Traces", "codes_of", "trace_codes"]

GRID = "grid"
"""The grid company that opens epochs."""

DAY_S = 86_400
JUNE_S = 1_748_736_000
"""2025-06-01T00:00:00Z."""

REGIONS = ("CN-SH", "310115", "CN-ZJ", "KR")
TECHNOLOGIES = ("T010100", "T020001", "F01050100")


class Traces:
    """A ledger in memory with identity and trace codes; it keeps the rows, as a log would."""

    def __init__(self) -> None:
        self.ledger: MemoryLedger = new_ledger(CONTRACT)
        organisation(self.ledger, GRID, "grid_company")
        organisation(self.ledger, "other-grid", "grid_company")
        self.rows: dict[int, bytes] = {}

    def open(self, *holders: str, region: str = "CN-SH", note: str = "") -> EpochKey:
        """Open an epoch for parties, each with `key_of` its id."""
        key = new_epoch_key(self.ledger.ledger_id)
        body = opening(key, region=region, note=note, holders=keys_of(*holders))
        self.ledger.submit(body, key_of(GRID))
        return key

    def publish(self, key: EpochKey, codes: Iterable[TraceCode], *, first: int = 0) -> int:
        """Publish codes; gives the number of the batch that would be next."""
        for body in publishing(key, codes, first=first):
            self.take(body)
            first = body.number + 1
        return first

    def take(self, body: PublishTraces) -> None:
        """Submit a batch."""
        self.rows[self.ledger.submit(body, key_of(GRID)).index] = body.rows

    def rows_of(self, entry: int) -> bytes:
        """As `queries.rows_of` reads them."""
        return self.rows[entry]


def keys_of(*parties: str) -> Mapping[str, bytes]:
    """The public keys of parties, by id."""
    return {party: key_of(party).public for party in parties}


def codes_of(count: int, *, first_record: int = 0, day: int = 0) -> list[TraceCode]:
    """So many codes of one day, of all regions, kinds and technologies."""
    return [
        TraceCode(
            kind="supply" if record % 5 == 0 else "consumption",
            region=REGIONS[record % len(REGIONS)],
            technology=TECHNOLOGIES[record // 2 % len(TECHNOLOGIES)],
            start_s=JUNE_S + day * DAY_S + record % 24 * 3600,
            length_s=3600,
            meter=1 + record % 7,
            record=record,
        )
        for record in range(first_record, first_record + count)
    ]


def trace_codes() -> st.SearchStrategy[TraceCode]:
    """Codes that have much in common with each other."""
    return st.builds(
        TraceCode,
        kind=st.sampled_from(("supply", "consumption")),
        region=st.sampled_from(REGIONS),
        technology=st.sampled_from(TECHNOLOGIES),
        start_s=st.integers(JUNE_S - 2 * DAY_S, JUNE_S + 2 * DAY_S),
        length_s=st.sampled_from((900, 3600)),
        meter=st.integers(1, 5),
        record=st.integers(0, 20),
    )
