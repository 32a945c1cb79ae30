"""Settlement statements in files of their own, right ones and ones that an operator spoilt."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from msgspec.structs import replace
from tests.support.settled_region import DAY_S, HOUR_S, REGION, START_S, SettledRegion

from wattproof.engines.folder import LOG_KEY
from wattproof.keys.ed25519 import SigningKey
from wattproof.ledger.proof import make_proof
from wattproof.settlement.filing import filing_of
from wattproof.settlement.model import StatementStep
from wattproof.settlement.queries import region_of
from wattproof.settlement.statement import Statement, statement, statement_bytes

__all__ = ["Change", "StatementFiles", "spoilt_statements", "written"]

Change = Callable[[Statement], Statement]
"""What an operator might do to a statement before filing it."""

NO_CHANGE: Final[Change] = lambda made: made  # noqa: E731


class StatementFiles:
    """A region with two settled days of 1.2 and 1.0 kWh an hour, and a meter that still waits.

    The tolerance is 500 Wh; supplied are 36 kWh, consumed 30, in two trades each.
    """

    def __init__(self, region: SettledRegion) -> None:
        self.region: Final = region

    @classmethod
    @contextmanager
    def made(cls, path: Path) -> Iterator[StatementFiles]:
        """A new one, open."""
        with SettledRegion.made(path, tolerance_wh=500) as region:
            region.meter("wind", supply=True)
            region.meter("works")
            region.meter("late")
            region.report("wind", [1200] * 30)
            region.report("works", [1000] * 30)
            region.run(START_S + 2 * DAY_S)
            region.report("late", [7])
            yield cls(region)

    def made_now(self, step: StatementStep = "hour") -> Statement:
        """The statement of both days."""
        return statement(
            self.region.store, self.region.lake(), region=REGION, from_s=START_S,
            to_s=START_S + 2 * DAY_S, step=step,
        )  # fmt: skip

    def of(self, change: Change = NO_CHANGE, *, step: StatementStep = "hour") -> bytes:
        """File a statement, changed, and put it into a file with its proofs by hand."""
        made = change(self.made_now(step))
        entry = self.region.submit(filing_of(made)).index
        return written(
            filing=self.proof(entry),
            format="wattproof-settlement/1",
            region=self.proof(self.region_entry),
            statement=statement_bytes(made).decode(),
        )

    @property
    def region_entry(self) -> int:
        """The log entry that defined the region."""
        return region_of(self.region.store, REGION).entry

    @property
    def log_key(self) -> SigningKey:
        """The key of the log."""
        with self.region.folder.keys() as keys:
            return keys.get(LOG_KEY)

    def proof(self, entry: int) -> str:
        """The proof file of a log entry."""
        store = self.region.store
        return make_proof(store, store.entry(entry), log_key=self.log_key).decode()


def written(**members: str) -> bytes:
    """A file of these members in the one exact form."""
    text = json.dumps(members, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    return text.encode() + b"\n"


def spoilt_statements() -> list[tuple[str, Change]]:
    """What an operator might sign wrongly, and the code with which it is found."""
    return [
        ("settlement.net", lambda made: replace(made, net_wh=made.net_wh + 1)),
        ("settlement.net", lambda made: replace(made, verdict="neutral")),
        ("settlement.emission", lambda made: replace(made, net_emission_g=1)),
        ("settlement.emission", lambda made: replace(made, location_based_g=1)),
        ("settlement.emission", lambda made: replace(made, market_based_g=1)),
        ("settlement.bundle_region", lambda made: replace(made, tolerance_wh=10**9)),
        ("settlement.bundle_region", lambda made: replace(made, location_factor="other@1")),
        ("settlement.bundle_region", lambda made: replace(made, money="EUR")),
        ("settlement.bundle_region", lambda made: replace(made, offset_s=0)),
        ("settlement.rows", lambda made: replace(made, rows=made.rows[1:])),
        ("settlement.row", lambda made: replace(made, rows=made.rows[::-1])),
        ("settlement.row", lambda made: replace(made, rows=(made.rows[0], *made.rows))),
        ("settlement.row", lambda made: _first_row(made, net_wh=7)),
        ("settlement.row", lambda made: _first_row(made, verdict="positive")),
        ("settlement.row", lambda made: _first_row(made, start_s=START_S - HOUR_S)),
        ("settlement.row", lambda made: _first_row(made, end_s=START_S + 2 * HOUR_S)),
        ("settlement.row", lambda made: _first_row(made, end_s=2**50)),
        ("settlement.difference", lambda made: replace(made, differences=())),
        ("settlement.difference", lambda made: replace(made, meters_differing=2)),
        ("settlement.difference", lambda made: replace(made, unsettled_supply_wh=1)),
        ("settlement.difference", lambda made: _first_difference(made, settled_wh=1)),
        ("settlement.bundle_filing", lambda made: replace(made, ledger="0" * 64)),
        ("settlement.bundle_form", lambda made: replace(made, operator="\x1b[2J")),
        ("settlement.bundle_form", lambda made: replace(made, operator="x" * 1000)),
        ("settlement.bundle_form", lambda made: replace(made, offset_s=10**15)),
    ]


def _first_row(made: Statement, **changes: Any) -> Statement:
    return replace(made, rows=(replace(made.rows[0], **changes), *made.rows[1:]))


def _first_difference(made: Statement, **changes: Any) -> Statement:
    return replace(made, differences=(replace(made.differences[0], **changes),))
