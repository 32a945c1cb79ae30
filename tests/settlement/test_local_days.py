"""Hours, days and months of a clock that is always the same time ahead of UTC."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.refusals import refused

from wattproof.settlement.local_days import bucket_of, check_statement_step, local_text
from wattproof.settlement.model import StatementStep
from wattproof.settlement.records import day_of

INSTANTS = st.integers(0, 7_000_000_000)
OFFSETS = st.integers(-86_400, 86_400)
STEPS: tuple[StatementStep, ...] = ("hour", "day", "month")
SHANGHAI_S = 8 * 3600
KATHMANDU_S = 5 * 3600 + 45 * 60


@pytest.mark.parametrize("step", STEPS)
@given(at_s=INSTANTS, offset_s=OFFSETS)
def test_every_instant_is_in_one_bucket(at_s: int, offset_s: int, step: StatementStep) -> None:
    start_s, end_s = bucket_of(at_s, step, offset_s)
    assert start_s <= at_s < end_s
    assert bucket_of(start_s, step, offset_s) == bucket_of(end_s - 1, step, offset_s)
    assert bucket_of(end_s, step, offset_s)[0] == end_s, "the next begins where this ends"
    assert bucket_of(day_of(at_s, offset_s), step, offset_s)[0] <= day_of(at_s, offset_s)
    if step != "hour":
        assert start_s == day_of(start_s, offset_s)


def test_months_and_their_names() -> None:
    at_s = int(datetime(2024, 2, 10, tzinfo=UTC).timestamp())
    for offset_s in (SHANGHAI_S, KATHMANDU_S, -SHANGHAI_S):
        start_s, end_s = bucket_of(at_s, "month", offset_s)
        assert end_s - start_s == 29 * 86_400
        assert local_text(start_s, "month", offset_s) == "2024-02"
        assert local_text(end_s, "day", offset_s) == "2024-03-01"
        assert local_text(start_s, "hour", offset_s) == "2024-02-01 00:00"
    december = bucket_of(int(datetime(2024, 12, 31, 23, tzinfo=UTC).timestamp()), "month", 0)
    assert local_text(december[1], "day", 0) == "2025-01-01"


def test_a_statement_has_three_steps() -> None:
    assert [check_statement_step(step) for step in STEPS] == list(STEPS)
    for text in ("year", "", "Day"):
        refused("settlement.step", lambda step=text: check_statement_step(step))  # type: ignore[misc]
