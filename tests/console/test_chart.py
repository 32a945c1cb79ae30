"""Amounts for people: charts, columns of tables, headlines."""

from __future__ import annotations

import pytest

from wattproof.console.chart import Line, TimeChart, about, decimal_text, unit_name
from wattproof.console.i18n import duration, period_label, region_label, step_label
from wattproof.core.periods import Step

NEW_YEAR_S = 1_735_660_800
ZONE = "Asia/Shanghai"


def test_a_chart_and_its_table_are_in_one_unit() -> None:
    lines = [Line(name="a", values=[1500, None, 0]), Line(name="b", values=[1, 2, 3])]
    chart = TimeChart(title="Energy", unit="Wh", steps=["1", "2", "3"], lines=lines, stacked=True)
    assert chart.data("zh") == {
        "kind": "bar", "stack": True, "unit": "千瓦时", "x": ["1", "2", "3"],
        "series": [{"name": "a", "values": [1.5, None, 0.0]},
                   {"name": "b", "values": [0.001, 0.002, 0.003]}],
    }  # fmt: skip
    assert [line.total for line in lines] == [1500, 6]


def test_a_line_may_be_drawn_in_another_way() -> None:
    line = Line(name="line", values=[5], kind="line")
    chart = TimeChart(title="", unit="g", steps=["1"], lines=[Line(name="a", values=[1]), line])
    assert [series.get("kind") for series in chart.data("en")["series"]] == [None, "line"]


@pytest.mark.parametrize(
    ("amount", "unit", "text"),
    [
        (1_234_500, "Wh", "1,234.500"),
        (1, "Wh", "0.001"),
        (0, "g", "0.000"),
        (-1_500, "g", "-1.500"),
        (None, "g", "–"),
        (1060, "fen", "10.60"),
        (12_345, "pc", "12,345"),
        (7, "furlong", "7"),
    ],
)
def test_no_digit_is_lost_in_a_column(amount: int | None, unit: str, text: str) -> None:
    assert decimal_text(amount, unit) == text


@pytest.mark.parametrize(
    ("amount", "unit", "text"),
    [
        (1_106_906_803, "Wh", "1,107 MWh"),
        (942_108_713, "g", "942.1 t"),
        (10_648_919, "Wh", "10.65 MWh"),
        (5, "Wh", "5 Wh"),
        (0, "g", "0 g"),
        (1_000, "g", "1 kg"),
        (-12_345, "Wh", "-12.34 kWh"),
        (10**15, "Wh", "1,000,000 GWh"),
    ],
)
def test_headlines_are_short(amount: int, unit: str, text: str) -> None:
    assert about(amount, unit, "en") == text


def test_units_have_names() -> None:
    assert unit_name("g", "en") == "kg"
    assert unit_name("g", "zh") == "千克"
    assert unit_name("pc", "zh") == "件"
    assert unit_name("furlong", "en") == "furlong"


@pytest.mark.parametrize(
    ("step", "long_en", "long_zh", "short_en", "short_zh"),
    [
        ("hour", "1 January 2025, 00:00", "2025年1月1日 00:00", "00:00", "00:00"),
        ("day", "1 January 2025", "2025年1月1日", "1 Jan", "1月1日"),
        ("month", "January 2025", "2025年1月", "Jan 2025", "2025年1月"),
        ("year", "2025", "2025年", "2025", "2025年"),
    ],
)
def test_times_have_names(
    step: Step, long_en: str, long_zh: str, short_en: str, short_zh: str
) -> None:
    assert period_label(NEW_YEAR_S, step, ZONE, "en") == long_en
    assert period_label(NEW_YEAR_S, step, ZONE, "zh") == long_zh
    assert step_label(NEW_YEAR_S, step, ZONE, "en") == short_en
    assert step_label(NEW_YEAR_S, step, ZONE, "zh") == short_zh


@pytest.mark.parametrize(
    ("seconds", "en", "zh"),
    [
        (900, "15 minutes", "15 分钟"),
        (3600, "1 hour", "1 小时"),
        (86_400 * 31, "31 days", "31 天"),
        (61, "61 seconds", "61 秒"),
        (0, "0 days", "0 天"),
    ],
)
def test_lengths_of_time(seconds: int, en: str, zh: str) -> None:
    assert duration(seconds, "en") == en
    assert duration(seconds, "zh") == zh


@pytest.mark.parametrize(
    ("code", "en", "zh"),
    [
        ("CN-SH", "Shanghai", "上海市"),
        ("310115", "Shanghai", "上海市"),
        ("KR", "South Korea", "韩国"),
        ("DE-BY", "Germany (DE-BY)", "德国 (DE-BY)"),
    ],
)
def test_regions_have_names(code: str, en: str, zh: str) -> None:
    assert region_label(code, "en") == en
    assert region_label(code, "zh") == zh
