"""Lines of a scale, and which of them are a weighing."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.meter_lines import fails

from wattproof.core.errors import WattProofError
from wattproof.edge.sources.scale_line import Weighing, Weight, parse_weight


@pytest.mark.parametrize(
    ("line", "value", "stable"),
    [
        ("ST,GS,+  12.34kg", "12.34", True),
        ("ST,GS,+00012.3kg\r\n", "12.3", True),
        ("US,NT,-   0.02kg", "-0.02", False),
        ("ST,NT,      5 kg", "5", True),
        ("ST , GS , + 12.34 kg", "12.34", True),
        ("ST,+12.34kg", "12.34", True),
    ],
)
def test_lines(line: str, value: str, stable: bool) -> None:
    assert parse_weight(line, unit="kg") == Weight(value=Decimal(value), unit="kg", stable=stable)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("OL,GS,+-------kg", "edge.scale.overload"),
        ("ST,GS,+  12.34lb", "edge.value.unit"),
        ("ST,GS,+  12.34g", "edge.value.unit"),
        ("ST,GS,+  12.34", "edge.frame.form"),
        ("ST,GS,+  12.3", "edge.frame.form"),
        ("ST,GS,+     NaNkg", "edge.frame.form"),
        ("GS,+ 12.34kg", "edge.frame.form"),
        ("12.34", "edge.frame.form"),
        ("ST,GS,+ 1 2.34kg", "edge.frame.form"),
    ],
)
def test_what_is_no_weight(line: str, code: str) -> None:
    with fails(code):
        parse_weight(line, unit="kg")


@given(st.text(max_size=40))
def test_any_text_gives_a_weight_or_a_named_error(line: str) -> None:
    try:
        assert parse_weight(line, unit="kg").value.is_finite()
    except WattProofError:
        return


def weighed(*lines: str, empty: str = "0.05") -> list[Decimal]:
    weighing = Weighing(empty=Decimal(empty))
    taken = [weighing.take(parse_weight(line, unit="kg")) for line in lines]
    return [value for value in taken if value is not None]


ZERO = "ST,GS,+ 0.00kg"


def test_a_weighing_counts_once() -> None:
    lines = (ZERO, "US,GS,+ 7.5kg", *["ST,GS,+ 12.34kg"] * 20, "US,GS,+ 3.0kg", ZERO, ZERO)
    assert weighed(*lines, *lines) == [Decimal("12.34")] * 2


def test_a_load_that_is_put_on_in_parts_counts_whole() -> None:
    assert weighed(ZERO, "ST,GS,+ 5kg", "US,GS,+ 8kg", "ST,GS,+ 9kg", ZERO) == [9]
    assert weighed(ZERO, "ST,GS,+ 9kg", "ST,GS,+ 4kg", ZERO) == [9]


def test_what_was_never_still_or_has_not_ended_is_no_weighing() -> None:
    assert weighed(ZERO, "US,GS,+ 12kg", "US,GS,+ 13kg", ZERO) == []
    assert weighed(ZERO, "ST,GS,+ 12kg", "ST,GS,+ 12kg") == []
    assert weighed("ST,GS,+ 0.04kg", "ST,GS,- 3kg", ZERO) == []


@given(st.lists(st.integers(1, 500), max_size=10), st.integers(1, 4))
def test_the_sum_of_weighings(loads: list[int], still: int) -> None:
    lines = [ZERO]
    for load in loads:
        lines += [f"US,GS,+{load * 2}kg", *[f"ST,GS,+{load}kg"] * still, ZERO]
    assert sum(weighed(*lines)) == sum(loads)
