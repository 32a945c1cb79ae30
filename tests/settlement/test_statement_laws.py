"""What holds of every statement, whatever was reported, settled, moved and filed before it."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from tests.support.settled_region import DAY_S, HOUR_S, START_S, SettledRegion

from wattproof.settlement.filing import filing_of, made_again
from wattproof.settlement.model import StatementStep
from wattproof.settlement.queries import filed_statement, sums_of
from wattproof.settlement.records import USAGE
from wattproof.settlement.statement import Statement, statement
from wattproof.settlement.statement_check import (
    check_differences,
    check_emissions,
    check_net,
    check_rows,
)

REGIONS = ("CN-SH", "CN-ZJ")
DAYS = 4
METERS = 5
STEPS: tuple[StatementStep, ...] = ("hour", "day", "month")


class Story:
    """Random reports, runs, moves and filings over a few days, always the same for a seed."""

    def __init__(self, region: SettledRegion, seed: int) -> None:
        self.region = region
        self.chance = random.Random(seed)
        self.end_s = dict.fromkeys(range(METERS), START_S)
        self.filed: list[tuple[str, int, Statement]] = []

    def tell(self, steps: int) -> None:
        for number in range(METERS):
            self.region.meter(f"m{number}", supply=number % 2 == 0, region=REGIONS[number % 2])
        acts = (self.report, self.report, self.report, self.settle, self.move, self.move, self.file)
        for _ in range(steps):
            self.chance.choice(acts)()

    def report(self) -> None:
        number = self.chance.randrange(METERS)
        interval_s = self.chance.choice((900, HOUR_S, 2 * HOUR_S))
        start_s = self.end_s[number] + self.chance.choice((0, 0, 0, 6 * HOUR_S))
        count = self.chance.randint(1, 20)
        amounts = [self.chance.choice((0, 7, 1000)) for _ in range(count)]
        self.region.report(f"m{number}", amounts, start_s=start_s, interval_s=interval_s)
        self.end_s[number] = start_s + count * interval_s

    def settle(self) -> None:
        hours = self.chance.choice((self.chance.randint(1, DAYS * 24), 100 * 24))
        for id_ in self.chance.choice((REGIONS, REGIONS[:1], REGIONS[1:])):
            self.region.run(START_S + hours * HOUR_S, region=id_, batch=2)

    def move(self) -> None:
        """A meter goes to the other region, once nothing of it waits."""
        number = self.chance.randrange(METERS)
        usage = self.region.store.get(USAGE, self.region.number(f"m{number}"))
        if usage is not None and not usage.hours_wh and not usage.due_fen:
            here = self.chance.choice(REGIONS)
            self.region.associate(f"m{number}", here, supply=number % 2 == 0)

    def file(self) -> None:
        id_ = self.chance.choice(REGIONS)
        first = self.chance.randrange(DAYS)
        made = self.stated(id_, first, self.chance.randint(first + 1, DAYS))
        self.region.submit(filing_of(made))
        numbers = sum(region == id_ for region, _, _ in self.filed)
        self.filed.append((id_, numbers + 1, made))

    def stated(self, id_: str, first: int, last: int) -> Statement:
        return statement(
            self.region.store, self.region.lake(), region=id_, from_s=START_S + first * DAY_S,
            to_s=START_S + last * DAY_S, step=self.chance.choice(STEPS),
        )  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
def test_every_story(tmp_path: Path, seed: int) -> None:
    with SettledRegion.made(tmp_path / "ledger", regions=REGIONS) as region:
        story = Story(region, seed)
        story.tell(60)
        for id_ in REGIONS:
            whole = story.stated(id_, 0, 30)
            for check in (check_rows, check_net, check_emissions, check_differences):
                assert all(check(whole))
            sums = sums_of(region.store, id_)
            for name in ("supplied_wh", "consumed_wh", "supply_fen", "consumption_fen",
                         "paid_supply_fen", "paid_consumption_fen"):  # fmt: skip
                assert getattr(whole, name) == getattr(sums, name)
            waiting = {
                usage.device: sum(usage.hours_wh)
                for usage in region.store.scan(USAGE)
                if usage.region == id_ and any(usage.hours_wh)
            }
            assert {one.meter: one.difference_wh for one in whole.differences} == waiting, (
                "what waits to be settled is all that differs"
            )
        lake = region.lake()
        for id_, number, made in story.filed:
            again = made_again(region.store, lake, filed_statement(region.store, id_, number))
            assert again.same and again.statement == made
