"""The readings that columns of shares may be."""

from __future__ import annotations

import numpy as np
import pytest

from wattproof.edge.dial.decode import Shares, candidates


def columns(*symbols: dict[int, float]) -> Shares:
    """Columns of shares; 0 is nothing new, digit d is d + 1."""
    found = np.zeros((len(symbols), 11))
    for row, shares in enumerate(symbols):
        for symbol, share in shares.items():
            found[row, symbol] = share
    return found


def digit(value: int, share: float = 1.0) -> dict[int, float]:
    return {value + 1: share}


NOTHING = {0: 1.0}


def test_clear_columns_have_one_reading() -> None:
    found = candidates(columns(digit(4), digit(4), NOTHING, digit(2)), 2)
    assert found[0][0] == "42"
    assert found[0][1] > 0.99


def test_one_digit_twice_needs_a_gap() -> None:
    assert candidates(columns(digit(7), NOTHING, digit(7)), 2)[0][0] == "77"
    assert candidates(columns(digit(7), digit(7), NOTHING), 1)[0][0] == "7"


def test_only_readings_of_the_right_length_count() -> None:
    """A point that was taken for a faint 1 goes, since the dial has two digits."""
    seen = columns(digit(3), {0: 0.6, 2: 0.4}, digit(5), NOTHING)
    assert candidates(seen, 2)[0][0] == "35"
    assert candidates(seen, 3)[0][0] == "315"


def test_doubt_is_shared_out() -> None:
    found = dict(candidates(columns(digit(3), NOTHING, {6: 0.7, 9: 0.3}), 2))
    assert found["35"] == pytest.approx(0.7, abs=0.01)
    assert found["38"] == pytest.approx(0.3, abs=0.01)
    assert sum(found.values()) <= 1.0 + 1e-9


def test_too_few_columns_have_no_reading() -> None:
    assert candidates(columns(digit(1), digit(2)), 3) == []


def test_nothing_seen_is_no_reading_to_rely_on() -> None:
    found = candidates(columns(*([NOTHING] * 40)), 6)
    assert not found or found[0][1] < 0.2
