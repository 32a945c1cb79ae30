"""A real house and a made neighbourhood around it: a year of hours, settled month by month.

The house is in Konstanz (Open Power System Data): its three registers are imported from the file,
a month at a time. The houses around it are made of its curves, scaled and moved in time; some have
a roof of their own, and with it a second meter that counts what they feed in. Hours begin at whole
hours of CET, which the region keeps all year round.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

from msgspec.structs import replace
from tests.support.maps import OPSD
from tests.support.settled_region import GRID, SettledRegion

from wattproof.cli.host import Opening
from wattproof.emissions.intake import Importer, plan_import, run_import
from wattproof.identity.model import (
    AssociateDevice,
    AuthenticateDevice,
    ConfirmDevice,
    EnrolDevice,
    RegisterParty,
)
from wattproof.keys.ed25519 import SigningKey
from wattproof.keys.uint_array import UintArray
from wattproof.ledger.chain import Receipt
from wattproof.ledger.transaction import sign_transaction
from wattproof.metering.csvfile import read_csv
from wattproof.metering.mapping import read_map
from wattproof.metering.model import Packet, ReplaceMeter
from wattproof.node import IMPORTER, OPERATOR, create_ledger
from wattproof.settlement.model import (
    AcceptContract,
    AssignTariff,
    Band,
    DefineRegion,
    OfferContract,
    PublishTariff,
    TopUpWallet,
)

__all__ = ["CONTRACT_UFEN", "CONTRACT_WH", "END_S", "HOURS", "HOUR_S", "LAST_FROM_S",
           "LAST_HOUSE", "LATE_HOUSE", "MADE", "MONTHS", "NIGHT", "OFFSET_S", "POOR_HOUSE",
           "REGION", "REPLACED", "START_S", "SUPPLY_UFEN", "TARIFFS", "Made",
           "Neighbourhood"]  # fmt: skip

REGION: Final = "DE"
HOUR_S: Final = 3600
OFFSET_S: Final = HOUR_S
MONTHS: Final = tuple(
    int(datetime(2016 + month // 12, month % 12 + 1, 1, tzinfo=UTC).timestamp()) - OFFSET_S
    for month in range(13)
)
"""When each month of 2016 begins, and the year ends."""
START_S: Final = MONTHS[0]
END_S: Final = MONTHS[-1]
HOURS: Final = (END_S - START_S) // HOUR_S


class Made(NamedTuple):
    """A made house: how much of the real one's import and, if it has a roof, export it is; its
    curves begin so many hours later in the year."""

    id: str
    bought: Fraction
    sold: Fraction | None
    shift: int


MADE: Final = (
    Made("n1", Fraction(4, 5), None, 24 * 7),
    Made("n2", Fraction(13, 10), Fraction(9, 10), 1),
    Made("n3", Fraction(17, 9), None, 24 * 14 + 2),
    Made("n4", Fraction(2, 3), Fraction(1, 3), -24 * 3),
    Made("n5", Fraction(11, 7), None, 5),
    Made("n6", Fraction(1), Fraction(5, 7), -2),
    Made("n7", Fraction(5, 2), None, 24 * 21 - 1),
    Made("n8", Fraction(23, 10), Fraction(101, 300), 3),
)
POOR_HOUSE: Final = "n3"
"""Its wallet gets too little until October."""
LATE_HOUSE: Final = "n4"
"""Its meters' packets from 21 July on come after July was settled."""
LATE_FROM_S: Final = MONTHS[6] + 20 * 24 * HOUR_S
LAST_HOUSE: Final = "n6"
"""Its meters' packets from 24 December on come after the year's last run."""
LAST_FROM_S: Final = MONTHS[11] + 23 * 24 * HOUR_S
SKIPPED: Final = 3
"""March has no run of its own: April's settles both."""

REPLACED: Final = "n7-import"
"""The meter that is replaced in the middle of June, at midnight: its register begins again."""
REPLACED_S: Final = MONTHS[5] + 14 * 24 * HOUR_S
NEW_OPENING: Final = 7

SUPPLY_UFEN: Final = 9_700
TARIFFS: Final[Mapping[str, Sequence[tuple[int, tuple[tuple[int, int], ...]]]]] = {
    "feed-in": ((START_S, ((0, SUPPLY_UFEN),)),),
    "retail": (
        (START_S, ((0, 21_337), (6, 29_871), (17, 34_113), (21, 29_871))),
        (MONTHS[6], ((0, 22_001), (6, 30_219), (17, 36_527), (21, 30_219))),
    ),
    "night": ((START_S, ((0, 17_003), (7, 31_999), (22, 17_003))),),
}
"""Of each tariff, from when which prices hold from which hour of the day; micro-fen per Wh."""
NIGHT: Final = "n5-import"
"""The meter that has the tariff ``night``."""
CONTRACT_WH: Final = 250
CONTRACT_UFEN: Final = 15_011
"""n2 sells so much an hour to n1 at this price, from February on."""


class Neighbourhood:
    """The year on a ledger in a folder, made of the file `data`.

    `topped_up` is what each wallet got, in fen; `runs` how many there were.
    """

    def __init__(self, path: Path, data: Path) -> None:
        self.topped_up: dict[str, int] = {}
        self.runs = 0
        self._data = data
        self._path = path
        self.region = SettledRegion(path / "ledger")
        opening = Opening(name="n", organisation="N", uscc="", zone="Europe/Berlin")
        create_ledger(self.region.folder, opening)
        with self.region.folder.keys() as keys:
            keys.get_or_create(GRID)

    def live(self) -> None:
        """The year: every month is reported, paid for and settled."""
        with self.region as region:
            region.found()
            self._open()
            for made in MADE:
                self._move_in(made)
            late: dict[str, list[Packet]] = {}
            last: dict[str, list[Packet]] = {}
            packets = self._packets()
            for month, (first_s, end_s) in enumerate(pairwise(MONTHS), 1):
                self._import(first_s, end_s)
                self._top_up(month)
                if month == 8:
                    self._report(late)
                come = {
                    id_: [one for one in some if first_s <= one.start_s < end_s]
                    for id_, some in packets.items()
                }
                if month == 6:
                    self._replace(come, packets)
                if month == 7:
                    late = _hold_back(come, LATE_HOUSE, LATE_FROM_S)
                if month == 12:
                    last = _hold_back(come, LAST_HOUSE, LAST_FROM_S)
                self._report(come)
                if month == 2:
                    self._agree()
                if month != SKIPPED:
                    self._settle(end_s)
            self._report(last)
            self._settle(END_S)

    def _settle(self, until_s: int) -> None:
        self.region.run(until_s, region=REGION)
        self.runs += 1

    def _open(self) -> None:
        """The region and its prices."""
        region = self.region
        region.submit(
            DefineRegion(
                region=REGION, money="CNY", offset_s=OFFSET_S, tolerance_wh=0,
                location_factor="grid@1", residual_factor="rest@1",
                supply_tariff="feed-in", consumption_tariff="retail",
            )
        )  # fmt: skip
        for id_, versions in TARIFFS.items():
            for from_s, hours in versions:
                bands = tuple(Band(from_s=hour * HOUR_S, price_ufen=ufen) for hour, ufen in hours)
                region.submit(PublishTariff(region=REGION, id=id_, from_s=from_s, bands=bands))

    def _move_in(self, made: Made) -> None:
        """A house's party and its meters."""
        region, party = self.region, _key(made.id)
        roles = ("consumer",) if made.sold is None else ("consumer", "supplier")
        region.submit(
            RegisterParty(
                id=made.id, kind="organisation", key=party.public, name=f"House {made.id} (made)",
                roles=roles,
            ),
            OPERATOR,
        )  # fmt: skip
        for id_ in _meters(made):
            quantity = f"electricity.{id_.partition('-')[2]}"
            sides = ((made.id,), (GRID,)) if "export" in id_ else ((GRID,), (made.id,))
            region.submit(
                EnrolDevice(id=id_, owner=made.id, quantity=quantity, zone="Europe/Berlin"), id_
            )
            region.submit(AuthenticateDevice(device=id_, evidence=bytes(32)), IMPORTER)
            region.submit(ConfirmDevice(device=id_), made.id)
            region.submit(
                AssociateDevice(
                    device=id_, point=id_, region=REGION, suppliers=sides[0], consumers=sides[1]
                ),
                made.id,
            )

    def _replace(self, come: dict[str, list[Packet]], packets: Mapping[str, list[Packet]]) -> None:
        """Report up to the replacement, and let what comes be of the new register."""
        self._report({REPLACED: [one for one in come[REPLACED] if one.start_s < REPLACED_S]})
        closing = next(one.opening for one in packets[REPLACED] if one.start_s == REPLACED_S)
        swap = ReplaceMeter(
            device=REPLACED, at_s=REPLACED_S, old_closing=closing, new_opening=NEW_OPENING,
            new_modulus=0,
        )  # fmt: skip
        self.region.submit(swap, REPLACED.partition("-")[0])
        packets[REPLACED][:] = [
            replace(one, opening=one.opening - closing + NEW_OPENING)
            for one in packets[REPLACED]
            if one.start_s >= REPLACED_S
        ]
        come[REPLACED] = [one for one in packets[REPLACED] if one.start_s < MONTHS[6]]

    def _agree(self) -> None:
        """A contract, and a tariff of a meter's own; both are of what is not settled yet."""
        region = self.region
        offer = OfferContract(
            id="n2-n1", supply="n2-export", consumption="n1-import", wh_per_hour=CONTRACT_WH,
            price_ufen=CONTRACT_UFEN, from_s=MONTHS[1], to_s=END_S,
        )  # fmt: skip
        region.submit(offer, "n2")
        region.submit(AcceptContract(id=offer.id), "n1")
        region.submit(AssignTariff(device=NIGHT, tariff="night"))

    def _top_up(self, month: int) -> None:
        """Money for the month, before it is settled."""
        for id_ in ("house-import", *(f"{made.id}-import" for made in MADE)):
            fen = 60_000
            if id_.startswith(POOR_HOUSE):
                fen = 5_000 if month < 10 else 200_000
            self.region.submit(
                TopUpWallet(device=id_, asset="CNY", amount=fen, source="", memo=f"month {month}")
            )
            self.topped_up[id_] = self.topped_up.get(id_, 0) + fen

    def _import(self, first_s: int, end_s: int) -> None:
        """Import the real house's rows of a month; a row's registers are those at its end."""
        path = self._path / "month.csv"
        with self._data.open(encoding="utf-8") as source, path.open("w") as target:
            rows = csv.reader(source)
            writer = csv.writer(target)
            writer.writerow(next(rows))
            for row in rows:
                if first_s - HOUR_S <= _time_s(row[0]) < end_s:
                    writer.writerow(row)
        region = self.region
        with region.folder.keys() as keys:
            importer = Importer(
                party=IMPORTER, key=keys.get(IMPORTER), ledger_id=region.writer.ledger_id
            )
            plan = plan_import(
                region.store, read_csv(path, read_map(OPSD)), keys=keys, importer=importer,
                now_s=int(time.time()),
            )  # fmt: skip
            run_import(plan, region.writer.engine)

    def _packets(self) -> dict[str, list[Packet]]:
        """What the made houses' meters sign in the year: a packet a day."""
        with self._data.open(encoding="utf-8") as source:
            rows = list(csv.DictReader(source))
        bought, sold = (_gained(rows, name) for name in ("grid_import", "grid_export"))
        found: dict[str, list[Packet]] = {}
        for made in MADE:
            found[f"{made.id}-import"] = list(_days(bought, made.bought, made.shift))
            if made.sold is not None:
                found[f"{made.id}-export"] = list(_days(sold, made.sold, made.shift))
        return found

    def _report(self, packets: Mapping[str, Iterable[Packet]]) -> None:
        """Submit packets, each signed by its meter."""
        writer = self.region.writer
        raws = [
            sign_transaction(packet, _key(id_), ledger_id=writer.ledger_id)
            for id_, some in packets.items()
            for packet in some
        ]
        for at in range(0, len(raws), 512):
            for answer in writer.engine.submit_many(raws[at : at + 512]):
                assert isinstance(answer, Receipt), answer


def _meters(made: Made) -> list[str]:
    return [f"{made.id}-import", *([] if made.sold is None else [f"{made.id}-export"])]


def _key(name: str) -> SigningKey:
    """The key that `SettledRegion` signs with for this name."""
    return SigningKey.from_seed(name.encode().ljust(32, b"."))


def _hold_back(come: dict[str, list[Packet]], house: str, from_s: int) -> dict[str, list[Packet]]:
    """Take a house's packets from a time on out of what comes."""
    held = {}
    for id_ in [id_ for id_ in come if id_.startswith(f"{house}-")]:
        held[id_] = [one for one in come[id_] if one.start_s >= from_s]
        come[id_] = [one for one in come[id_] if one.start_s < from_s]
    return held


def _gained(rows: Iterable[Mapping[str, str]], column: str) -> list[int]:
    """What a register of the file gained in each hour of the year, in Wh.

    What it gained in hours without a reading counts in the first hour that has one again.
    """
    gained = [0] * HOURS
    before: int | None = None
    for row in rows:
        shown = row[f"DE_KN_residential4_{column}"]
        if not shown:
            continue
        register = int(Decimal(shown) * 1000)
        at = (_time_s(row["utc_timestamp"]) - START_S) // HOUR_S
        if before is not None and 0 <= at < HOURS:
            gained[at] = register - before
        before = register
    return gained


def _days(gained: Sequence[int], share: Fraction, shift: int) -> Iterator[Packet]:
    """A made meter's packets: the curve scaled and moved, as a register in whole Wh."""
    total = closing = 0
    for day in range(HOURS // 24):
        opening, amounts = closing, []
        for hour in range(day * 24, day * 24 + 24):
            total += gained[(hour - shift) % HOURS]
            before, closing = closing, total * share.numerator // share.denominator
            amounts.append(closing - before)
        yield Packet(
            sequence=day + 1,
            start_s=START_S + day * 24 * HOUR_S,
            interval_s=HOUR_S,
            kind="register",
            opening=opening,
            increments=UintArray.from_ints(amounts),
            quality=UintArray.from_ints(()),
        )


def _time_s(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())
