"""What people type into the forms of tracking."""

from __future__ import annotations

import pytest

from wattproof.console.filled import Filled
from wattproof.core.errors import Refused
from wattproof.emissions.tracking.forms import (
    binding_of,
    line_text,
    number_of,
    parse_lines,
    threshold_of,
    window_begin,
)
from wattproof.emissions.tracking.model import Line

NOW_S = 1_736_092_800


def code_of(form: Filled, field: str) -> str:
    why = form.why(field, "en")
    return "" if why is None else why[1]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("5 %", [(500, "percent")]),
        ("5%; 10.25 %", [(500, "percent"), (1_025, "percent")]),
        ("５％；２０千瓦时", [(500, "percent"), (20_000, "absolute")]),
        ("20 kWh、1 MWh", [(20_000, "absolute"), (1_000_000, "absolute")]),
        (".5 Wh, 1 kWh", None),
        ("0 %", [(0, "percent")]),
    ],
)
def test_lines(text: str, lines: list[tuple[int, str]] | None) -> None:
    if lines is None:
        with pytest.raises(Refused) as caught:
            parse_lines(text, quantity="electricity.import")
        assert caught.value.code == "emissions.form_line_fine"
        return
    found = parse_lines(text, quantity="electricity.import")
    assert [(line.value, line.unit) for line in found] == lines


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "emissions.form_lines"),
        ("; ;", "emissions.form_lines"),
        (";".join(["1 %"] * 9), "emissions.form_lines"),
        ("5", "emissions.form_line"),
        ("five %", "emissions.form_line"),
        ("-5 %", "emissions.form_line"),
        ("5 furlongs", "core.unit"),
        ("5 kg", "core.unit_mismatch"),
        ("0.001 %", "emissions.form_line_fine"),
        ("99999999999999999999 kWh", "emissions.form_line_fine"),
    ],
)
def test_lines_that_are_none(text: str, code: str) -> None:
    with pytest.raises(Refused) as caught:
        parse_lines(text, quantity="electricity.import")
    assert caught.value.code == code


def test_lines_as_they_are_shown() -> None:
    assert line_text(Line(value=1_025, unit="percent"), "Wh", "en") == "10.25 %"
    assert line_text(Line(value=20_000, unit="absolute"), "Wh", "zh") == "20 千瓦时"


@pytest.mark.parametrize("text", ["", "0", "1000000", "-1", "1.5", "one"])
def test_numbers_that_are_none(text: str) -> None:
    with pytest.raises(Refused):
        number_of(text)


def test_every_field_of_a_binding_is_named() -> None:
    form = Filled({"text": "1-2", "kind": "sum", "measure": "amount"})
    with pytest.raises(Refused):
        binding_of(form)
    assert code_of(form, "text") == "emissions.binding_syntax"
    assert code_of(form, "kind") == "emissions.form_choice"
    assert code_of(form, "measure") == ""
    body = binding_of(Filled({"text": " １－3／4—7 ", "kind": "total", "measure": "emission"}))
    assert (body.group, body.left, body.right, body.measure) == (1, (3, 4), (7,), "emission")


def test_windows_begin_by_the_local_clock() -> None:
    typed = {"set": "1", "lines": "5 %", "step_s": "86400", "begin": "06:00"}
    body = threshold_of(
        Filled(typed), group=2, quantity="electricity", zone="Asia/Shanghai", now_s=NOW_S
    )
    assert (body.step_s, body.offset_s) == (86_400, 22 * 3600)  # 06:00 there is 22:00 UTC
    shown = window_begin(body.step_s, body.offset_s, zone="Asia/Shanghai", now_s=NOW_S)
    assert shown == "06:00"
    wrong = Filled({"set": "0", "lines": "x", "step_s": "7", "begin": "6 o'clock"})
    with pytest.raises(Refused):
        threshold_of(wrong, group=2, quantity="electricity", zone="UTC", now_s=NOW_S)
    fields = ("set", "lines", "step_s", "begin")
    assert [code_of(wrong, field) for field in fields] == [
        "emissions.form_number",
        "emissions.form_line",
        "emissions.form_window",
        "emissions.form_clock",
    ]
