"""Bindings as they are typed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattproof.core.errors import Malformed
from wattproof.emissions.tracking.syntax import binding_text, parse_binding, parse_side


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ("1-3/4-7", (1, (3, 4), (7,))),
        ("2-10-11/12/13", (2, (10,), (11, 12, 13))),
        (" 1 - 3 / 4 - 7 ", (1, (3, 4), (7,))),
        ("1–3/4—7", (1, (3, 4), (7,))),
        ("１－３／４－７", (1, (3, 4), (7,))),
        ("1-3，4-7", (1, (3, 4), (7,))),
        ("001-3-7", (1, (3,), (7,))),
    ],
)
def test_what_is_taken(text: str, bound: tuple[int, tuple[int, ...], tuple[int, ...]]) -> None:
    assert parse_binding(text) == bound


@pytest.mark.parametrize(
    "text",
    ["", "1", "1-2", "1-2-3-4", "a-1-2", "0-1-2", "1-0-2", "1--2", "1-2/-3", "1-2//3-4", "1-a-3",
     "1-2.5-3", "1-2-9999999", "-1-2", "1-2-" + "/".join(map(str, range(1, 70))), "1" * 2000],
)  # fmt: skip
def test_what_is_not(text: str) -> None:
    with pytest.raises(Malformed) as caught:
        parse_binding(text)
    assert caught.value.code == "emissions.binding_syntax"


def test_one_side() -> None:
    assert parse_side("3／4") == (3, 4)


numbers = st.integers(1, 999_999)


@given(numbers, st.lists(numbers, min_size=1), st.lists(numbers, min_size=1))
def test_what_is_written_is_read(group: int, left: list[int], right: list[int]) -> None:
    text = binding_text(group, left[:64], right[:64])
    assert parse_binding(text) == (group, tuple(left[:64]), tuple(right[:64]))
