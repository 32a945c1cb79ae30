"""However a series is cut, the grams of its parts are the grams of the whole."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given

from wattproof.emissions.carry import UG_PER_G, emission_g, emissions_g

AMOUNTS = st.lists(st.integers(0, 10**9), max_size=60)
VALUES = st.integers(0, 10**8)
CARRIES = st.integers(0, UG_PER_G - 1)


def test_a_worked_example() -> None:
    # 3 Wh at 0.5306 kg/kWh are 1.5918 g; the next Wh brings it to 2.1224 g.
    assert emission_g(3, value_ug=530_600, carry_ug=0) == (1, 591_800)
    assert emission_g(1, value_ug=530_600, carry_ug=591_800) == (1, 122_400)
    assert emissions_g([3, 1], value_ug=530_600, carry_ug=0) == [1, 1]


@given(AMOUNTS, VALUES, CARRIES)
def test_each_amount_alone_adds_up_to_all_at_once(
    amounts: list[int], value_ug: int, carry_ug: int
) -> None:
    grams = emissions_g(amounts, value_ug=value_ug, carry_ug=carry_ug)
    whole, _ = emission_g(sum(amounts), value_ug=value_ug, carry_ug=carry_ug)
    assert len(grams) == len(amounts)
    assert sum(grams) == whole == (carry_ug + sum(amounts) * value_ug) // UG_PER_G
    assert min(grams, default=0) >= 0
