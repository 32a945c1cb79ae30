"""What a last value makes of the readings that a picture may show."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from wattproof.edge.dial.plausible import Known, judge

KNOWN = Known(value=1000, most=20)


def test_a_clear_reading_that_fits_is_believed() -> None:
    found = judge([("01005", 0.99), ("01006", 0.01)], KNOWN, digits=5)
    assert (found.value, found.reason) == (1005, "")
    assert found.share == 0.99


def test_without_a_last_value_nothing_is_believed() -> None:
    found = judge([("01005", 1.0)], None, digits=5)
    assert (found.value, found.read, found.reason) == (None, "01005", "first")


def test_a_clear_reading_that_cannot_be_is_not_believed() -> None:
    for text in ("00998", "01021", "91005"):
        found = judge([(text, 0.99)], KNOWN, digits=5)
        assert (found.value, found.reason) == (None, "implausible")


def test_the_only_one_that_fits_is_believed_if_the_picture_supports_it() -> None:
    seen = [("01005", 0.6), ("81005", 0.3), ("71005", 0.1)]
    assert judge(seen, KNOWN, digits=5).value == 1005
    weak = [("81005", 0.6), ("01005", 0.4)]
    assert judge(weak, KNOWN, digits=5).reason == "illegible"


def test_two_that_fit_are_left_to_a_person() -> None:
    seen = [("01005", 0.5), ("01008", 0.45)]
    found = judge(seen, KNOWN, digits=5)
    assert (found.value, found.reason) == (None, "illegible")


def test_between_two_digits_the_lower_that_fits_is_taken_and_marked() -> None:
    seen = [("01008", 0.5), ("01005", 0.3), ("01003", 0.2)]
    found = judge(seen, KNOWN, digits=5, between=1)
    assert (found.value, found.reason) == (1003, "between")
    assert judge([("01008", 1.0)], KNOWN, digits=5, between=1).reason == "between"


def test_between_two_digits_the_other_wheels_must_be_clear() -> None:
    seen = [("01008", 0.5), ("01018", 0.5)]
    assert judge(seen, KNOWN, digits=5, between=1).value is None


def test_a_register_begins_again_at_zero() -> None:
    last = Known(value=99_995, most=20)
    assert judge([("00003", 0.99)], last, digits=5).value == 3


def test_one_unit_less_is_the_last_value_still() -> None:
    """The last wheel was taken for the next digit shortly before it was there."""
    assert judge([("00999", 0.99)], KNOWN, digits=5).value == 1000


def test_nothing_seen() -> None:
    assert judge([], KNOWN, digits=5).reason == "illegible"


SHARES = st.lists(st.integers(0, 99_999), min_size=1, max_size=6, unique=True)


@given(SHARES, st.integers(0, 99_999), st.integers(0, 5_000), st.integers(0, 3), st.data())
def test_a_value_always_fits(
    readings: list[int], last: int, most: int, between: int, data: st.DataObject
) -> None:
    parts = data.draw(st.lists(st.integers(1, 100), min_size=6, max_size=6))
    shares = sorted(parts[: len(readings)], reverse=True)
    seen = [
        (f"{value:05d}", share / sum(shares)) for value, share in zip(readings, shares, strict=True)
    ]
    found = judge(seen, Known(value=last, most=most), digits=5, between=between)
    if found.value is not None:
        assert (found.value - last) % 100_000 <= most
        assert (found.reason == "between") == bool(between)
    else:
        assert found.reason
