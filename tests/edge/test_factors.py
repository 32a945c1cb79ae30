"""Entering a factor: digit by digit, from the table, and everything that is no factor."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.refusals import refused

from wattproof.core.errors import WattProofError
from wattproof.edge.factors import (
    CANCEL,
    CONFIRM,
    TABLE,
    Choice,
    Typing,
    looked_up,
    put_in_force,
    typed,
    unit_of,
)
from wattproof.edge.state import NodeState, factor_at

METER = "electricity.import"
KEYS = (*"0123456789", ".", CONFIRM, CANCEL, TABLE)


def type_(keys: str, typing: Typing | None = None, *, now_s: int = 0) -> Choice | None:
    """Press keys; ``=`` confirms, ``x`` cancels, ``*`` is the table key."""
    typing = typing or Typing(quantity=METER, table=("cn-grid-2023-national@1", "cn-grid-2022-bj"))
    names = {"=": CONFIRM, "x": CANCEL, "*": TABLE}
    choice = None
    for key in keys:
        choice = typing.press(names.get(key, key), now_s=now_s)
    return choice


@pytest.mark.parametrize(
    ("keys", "value", "value_ug"),
    [
        ("0.5306=", "0.5306", 530_600),
        (".5=", "0.5", 500_000),
        ("1.=", "1", 1_000_000),
        ("007x0.53=", "0.53", 530_000),
    ],
)
def test_a_factor_is_typed(keys: str, value: str, value_ug: int) -> None:
    choice = type_(keys)
    assert choice == Choice(factor="", value=value, unit="kgCO2e/kWh", value_ug=value_ug)


def test_a_factor_is_looked_up_in_the_table() -> None:
    choice = type_("*1=")
    assert choice is not None
    assert (choice.factor, choice.value_ug) == ("cn-grid-2023-national@1", 530_600)
    second = type_("*2=")
    assert second is not None
    assert second.factor == "cn-grid-2022-bj@1"


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        ("=", "edge.entry.nothing"),
        (".=", "edge.entry.nothing"),
        ("0.5x=", "edge.entry.nothing"),
        ("0.5.", "edge.entry.point"),
        ("*1.", "edge.entry.point"),
        ("0.12345678901", "edge.entry.long"),
        ("*3=", "edge.entry.row"),
        ("*0=", "edge.entry.row"),
        ("0.0=", "edge.entry.zero"),
        ("53=", "core.factor_absurd"),
        ("0.1234567=", "emissions.factor_inexact"),
    ],
)
def test_what_is_no_entry_has_a_name(keys: str, code: str) -> None:
    refused(code, lambda: type_(keys))


def test_the_second_of_two_confirmations_is_an_error() -> None:
    typing = Typing(quantity=METER)
    assert type_("0.5=", typing) is not None
    refused("edge.entry.nothing", lambda: type_("=", typing))


def test_an_entry_that_nobody_finishes_is_forgotten() -> None:
    typing = Typing(quantity=METER, forget_s=60)
    type_("0.5", typing, now_s=100)
    type_("3", typing, now_s=150)
    assert typing.text == "0.53"
    refused("edge.entry.nothing", lambda: type_("=", typing, now_s=300))


@given(st.lists(st.sampled_from(KEYS), max_size=40))
def test_after_any_keys_a_clean_entry_works(keys: list[str]) -> None:
    typing = Typing(quantity=METER, table=("cn-grid-2023-national",))
    for key in keys:
        try:
            typing.press(key, now_s=0)
        except WattProofError as wrong:
            assert wrong.code
            assert typing.text == ""
    choice = type_("x0.6=", typing)
    assert choice is not None
    assert choice.value_ug == 600_000


def test_other_ways_to_be_wrong() -> None:
    refused("edge.entry.co2", lambda: typed("0.5", unit="kgCO2/kg", quantity="co2.measured"))
    refused("edge.entry.quantity", lambda: looked_up("cn-heat-default", quantity=METER))
    refused("edge.entry.version", lambda: looked_up("cn-heat-default@x", quantity="heat"))
    refused("emissions.packaged_factor", lambda: looked_up("nobody", quantity=METER))
    refused("core.unit_mismatch", lambda: typed("1", unit="kgCO2/m3", quantity=METER))
    refused("core.number", lambda: typed("1,5", unit="kgCO2/kWh", quantity=METER))
    typing = Typing(quantity=METER)
    refused("edge.entry.key", lambda: typing.press("F1", now_s=0))
    choice = typed("0.5", unit=unit_of(METER), quantity=METER)
    refused(
        "core.id",
        lambda: put_in_force(NodeState(), choice, by="two words", now_s=0, interval_s=900),
    )


@given(st.lists(st.integers(0, 5_000), min_size=1, max_size=30))
def test_the_newest_entry_is_in_force_from_the_next_reading_on(waits: list[int]) -> None:
    state, now_s = NodeState(), 1_690_000_000
    for number, wait_s in enumerate(waits):
        now_s += wait_s
        choice = Choice(factor="", value="1", unit="kgCO2e/kWh", value_ug=number)
        state, entered = put_in_force(state, choice, by="b", now_s=now_s, interval_s=900)
        assert entered.from_s % 900 == 0
        assert now_s <= entered.from_s < now_s + 900
        assert factor_at(state.factors, entered.from_s) == entered
        starts = [factor.from_s for factor in state.factors]
        assert starts == sorted(set(starts))
