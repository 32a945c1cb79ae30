"""Which messages count: late, repeated, retained, and those that are wrong."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.meter_lines import fails

from wattproof.edge.sources.mqtt_inbox import Inbox, Rules, message_time

NOW_S = 1_795_000_000


def inbox(state: str = "", **rules: Any) -> Inbox:
    values: dict[str, Any] = {
        "mode": "register", "path": "v", "time_path": "", "id_path": "", "scale": Decimal(1),
        "max_age_s": 900, "retained": False, "most_bytes": 200,
    }  # fmt: skip
    return Inbox(Rules(**(values | rules)), topic="meters/7", state=state)


def take(box: Inbox, *, retained: bool = False, **message: Any) -> None:
    box.take(json.dumps(message).encode(), retained=retained, now_s=NOW_S)


def is_fresh(box: Inbox) -> bool:
    return box.fresh


def code(box: Inbox) -> str:
    return box.fault.code if box.fault else ""


def test_the_newest_value_counts() -> None:
    box = inbox()
    take(box, v=1.25)
    take(box, v=2.5)
    assert is_fresh(box)
    assert box.give() == Decimal("2.5")
    take(box, v=2.5)
    assert is_fresh(box)  # the same register, seen anew


def test_a_late_message_does_not_turn_a_register_back() -> None:
    box = inbox(time_path="t")
    take(box, v=20, t=NOW_S)
    take(box, v=10, t=NOW_S - 60)
    assert box.give() == 20
    take(box, v=10, t=NOW_S - 60)
    assert not is_fresh(box)


def test_a_register_that_came_long_ago_is_no_reading_of_now() -> None:
    box = inbox()
    take(box, v=1)
    box.forget_old(now_s=NOW_S + 900)
    assert is_fresh(box)
    box.forget_old(now_s=NOW_S + 901)
    assert not is_fresh(box)
    box = inbox(mode="increment", id_path="id")
    take(box, v=1, id=1)
    box.forget_old(now_s=NOW_S + 10**6)
    assert is_fresh(box)


def test_a_repeated_message_adds_nothing() -> None:
    box = inbox(mode="increment", id_path="id")
    for id_ in (1, 2, 2, 1, 3):
        take(box, v=5, id=id_)
    assert box.give() == 15
    take(box, v=5, id=3)
    assert not is_fresh(box)


def test_increments_are_told_apart_by_their_time() -> None:
    box = inbox(mode="increment", time_path="t")
    for time_s in (NOW_S, NOW_S + 1, NOW_S, NOW_S - 1):
        take(box, v=2, t=time_s)
    assert box.give() == 6


def test_what_was_counted_is_known_after_a_restart(tmp_path: Path) -> None:
    state = str(tmp_path / "mqtt.json")
    box = inbox(state, mode="increment", id_path="id")
    take(box, v="0.1", id="a")
    again = inbox(state, mode="increment", id_path="id")
    take(again, v="0.1", id="a")  # the broker did not hear that it had arrived
    take(again, v="0.2", id="b")
    assert again.fresh
    assert again.give() == Decimal("0.3")
    third = inbox(state, mode="increment", id_path="id")
    assert not third.fresh
    take(third, v="0.2", id="b")
    assert not third.fresh


def test_retained_messages() -> None:
    box = inbox()
    take(box, v=1, retained=True)
    assert (box.fresh, code(box)) == (False, "edge.mqtt.retained")
    box = inbox(retained=True)
    take(box, v=1, retained=True)
    assert box.give() == 1
    box = inbox(time_path="t")
    take(box, v=1, t=NOW_S - 10, retained=True)
    assert box.give() == 1
    take(box, v=1, t=NOW_S - 1000, retained=True)
    assert (box.fresh, code(box)) == (False, "edge.mqtt.stale")
    box = inbox(mode="increment", id_path="id")
    take(box, v=1, id=1, retained=True)
    assert (box.fresh, code(box)) == (False, "")


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"", "edge.frame.form"),
        (b"{", "edge.frame.form"),
        (b"\xff\xfe", "edge.frame.form"),
        (b'{"v": NaN}', "edge.value.not_finite"),
        (b'{"v": "inf"}', "edge.value.not_finite"),
        (b'{"v": "much"}', "edge.value.not_number"),
        (b'{"v": true}', "edge.value.not_number"),
        (b'{"w": 1}', "edge.value.absent"),
        (b'{"v": 1, "pad": "' + b"x" * 300 + b'"}', "edge.frame.oversized"),
    ],
)
def test_wrong_messages_by_name(payload: bytes, expected: str) -> None:
    box = inbox()
    box.take(payload, retained=False, now_s=NOW_S)
    assert (box.fresh, code(box)) == (False, expected)
    take(box, v=1)
    assert box.give() == 1
    assert box.fault is None


def test_a_clock_in_1970() -> None:
    box = inbox(time_path="t")
    take(box, v=1, t=0)
    assert code(box) == "edge.mqtt.stale"
    take(box, v=1, t=NOW_S + 10_000)
    assert code(box) == "edge.mqtt.stale"
    assert not is_fresh(box)


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 1000)), max_size=30))
def test_however_often_and_in_whatever_order(messages: list[tuple[int, int]]) -> None:
    """Amounts are a function of the id: any deliveries of the same messages come to one sum."""
    amounts = dict(messages)
    box = inbox(mode="increment", id_path="id")
    for id_, _ in messages:
        take(box, v=amounts[id_], id=id_)
    assert box.give() == sum(amounts.values())


def test_times() -> None:
    assert message_time(1795000000) == NOW_S
    assert message_time(1795000000123) == NOW_S
    assert message_time(Decimal("1795000000.9")) == NOW_S
    assert message_time("2026-11-18T11:06:40Z") == NOW_S
    assert message_time("2026-11-18T19:06:40+08:00") == NOW_S
    for wrong in ("2026-11-18T11:06:40", "soon", None, True, 10**16):
        with fails("edge.value.not_number"):
            message_time(wrong)
