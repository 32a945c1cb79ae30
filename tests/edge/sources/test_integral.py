"""The laws of an integral over time."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from wattproof.edge.sources.integral import Integral, Integrated


def integral(max_gap_s: int = 60) -> Integral:
    return Integral(max_gap_s=max_gap_s, kept=Integrated())


def test_trapezoids() -> None:
    sums = integral()
    sums.take(Fraction(100), now_ms=5_000)
    assert sums.give() == (Decimal(0), 0)
    sums.take(Fraction(100), now_ms=15_000)
    sums.take(Fraction(200), now_ms=25_000)
    assert sums.give() == (Decimal(2500), 0)
    assert sums.give() == (Decimal(0), 0)


def test_a_gap_has_no_amount() -> None:
    sums = integral()
    sums.take(Fraction(100), now_ms=0)
    sums.take(Fraction(100), now_ms=60_000)
    sums.take(Fraction(100), now_ms=120_001)
    assert sums.give() == (Decimal(6000), 60)
    sums.take(Fraction(100), now_ms=121_001)
    assert sums.give() == (Decimal(100), 0)


@given(
    st.fractions(0, 10**6, max_denominator=3600),
    st.lists(st.tuples(st.integers(1, 60_000), st.booleans()), max_size=20),
)
def test_a_steady_flow_comes_to_the_same_however_it_is_sampled(
    flow: Fraction, steps: list[tuple[int, bool]]
) -> None:
    sums = integral()
    now_ms, total = 0, Decimal(0)
    sums.take(flow, now_ms=now_ms)
    for step_ms, is_given in steps:
        now_ms += step_ms
        sums.take(flow, now_ms=now_ms)
        if is_given:
            total += sums.give()[0]
    total += sums.give()[0]
    exact = flow * now_ms / 1000
    assert 0 <= exact - Fraction(total) < Fraction(1, 10**6)


def test_what_was_kept_goes_on() -> None:
    sums = Integral(max_gap_s=60, kept=Integrated(waiting_ug=1_500_000))
    assert sums.give() == (Decimal("1.5"), 0)
