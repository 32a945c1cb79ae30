"""Flows as a picture: what goes in comes out, whatever is missing or left over."""

from __future__ import annotations

from typing import Final

import pytest

from wattproof.core.errors import Lang
from wattproof.settlement.flow_view import flow_chart
from wattproof.settlement.model import Kind
from wattproof.settlement.trade_queries import Flow

LANGS: Final[tuple[Lang, Lang]] = ("en", "zh")


def flow(party: str, kind: Kind, wh: int, *, parties: int = 1) -> Flow:
    return Flow(party=party, kind=kind, wh=wh, fen=wh // 10, meters=1, parties=parties)


@pytest.mark.parametrize(
    ("supplied", "consumed", "outside"),
    [(1_200, 1_000, ("pool", "outside", 0.2)), (1_000, 1_000, None),
     (900, 1_000, ("outside", "pool", 0.1))],
)  # fmt: skip
def test_what_goes_into_the_pool_comes_out_of_it(
    supplied: int, consumed: int, outside: tuple[str, str, float] | None
) -> None:
    chart = flow_chart(
        [
            flow("house", "supply", supplied - 300),
            flow("", "supply", 300, parties=3),
            flow("house", "consumption", consumed),
            flow("silent", "consumption", 0),
        ]
    )
    drawn = chart.data("en")
    links = [(one["source"], one["target"], one["value"]) for one in drawn["links"]]
    into = sum(value for _, target, value in links if target == "pool")
    out = sum(value for source, _, value in links if source == "pool")
    assert round(into, 6) == round(out, 6) == max(supplied, consumed) / 1_000
    assert [one for one in links if "outside" in one] == ([outside] if outside else [])
    names = [node["name"] for node in drawn["nodes"]]
    assert len(names) == len(set(names)), "a party that supplies and consumes stands on both sides"
    labels = {node["label"] for node in drawn["nodes"]}
    assert "3 others" in labels and "silent" not in labels
    assert chart.net_wh == supplied - consumed


def test_it_is_said_in_both_languages() -> None:
    chart = flow_chart([flow("", "supply", 10, parties=1), flow("", "consumption", 20, parties=2)])
    told = {lang: [node["label"] for node in chart.data(lang)["nodes"]] for lang in LANGS}
    assert told["en"] == ["the pool", "1 other", "2 others", "outside the region"]
    assert told["zh"] == ["地区池", "其他 1 户", "其他 2 户", "地区外"]
    assert flow_chart([]).data("zh")["links"] == []
