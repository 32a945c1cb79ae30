"""Doubtful pictures wait for a person, who confirms or corrects them."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from pathlib import Path

import msgspec
import pytest
from tests.support.refusals import refused

from wattproof.edge.dial.doubtful import (
    Doubtful,
    confirm,
    discard,
    keep,
    list_doubtful,
    take_answers,
)
from wattproof.edge.dial.picture import Shot
from wattproof.edge.dial.plausible import Judgement

UNSURE = Judgement(value=None, read="012345", share=0.614, reason="illegible")


def kept(folder: Path, time_s: int, found: Judgement = UNSURE, limit: int = 200) -> Doubtful:
    shot = Shot(b"\xff\xd8 picture %d" % time_s, time_s)
    return keep(folder, shot, found, digits=6, decimals=1, limit=limit)


def test_a_picture_is_kept_with_what_was_read_and_why_it_is_doubted(tmp_path: Path) -> None:
    one = kept(tmp_path, 1000)
    assert (tmp_path / one.picture).read_bytes() == b"\xff\xd8 picture 1000"
    told = msgspec.json.decode((tmp_path / f"{one.id}.json").read_bytes())
    assert told["read"] == "1234.5"
    assert told["confidence"] == 61
    assert "certain" in told["why"]
    assert "辨认" in told["why_zh"]
    assert list_doubtful(tmp_path) == (one,)


def test_the_oldest_go_first(tmp_path: Path) -> None:
    for time_s in range(1000, 1005):
        kept(tmp_path, time_s, limit=3)
    assert [one.time_s for one in list_doubtful(tmp_path)] == [1002, 1003, 1004]
    assert len(list(tmp_path.iterdir())) == 6


def test_an_answer_is_never_thrown_away_for_room(tmp_path: Path) -> None:
    confirm(tmp_path, kept(tmp_path, 1000).id)
    for time_s in range(1001, 1005):
        kept(tmp_path, time_s, limit=2)
    assert [one.time_s for one in list_doubtful(tmp_path)] == [1000, 1003, 1004]


def test_a_person_confirms_corrects_and_throws_away(tmp_path: Path) -> None:
    first, second, third = (kept(tmp_path, time_s) for time_s in (1000, 1001, 1002))
    assert confirm(tmp_path, first.id).value == Decimal("1234.5")
    assert confirm(tmp_path, second.id, Decimal("1239.5")).answer == "1239.5"
    discard(tmp_path, third.id)
    answers = take_answers(tmp_path)
    assert [one.value for one in answers] == [Decimal("1234.5"), Decimal("1239.5")]
    assert take_answers(tmp_path) == ()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", ["-1", "100000", "0.25", "NaN", "Infinity"])
def test_what_cannot_stand_on_the_dial(tmp_path: Path, value: str) -> None:
    one = kept(tmp_path, 1000)
    refused("edge.dial.not_reading", lambda: confirm(tmp_path, one.id, Decimal(value)))


def test_nothing_to_confirm(tmp_path: Path) -> None:
    empty = Judgement(value=None, read="", share=0.0, reason="illegible")
    one = kept(tmp_path, 1000, empty)
    refused("edge.dial.nothing_read", lambda: confirm(tmp_path, one.id))
    for name in ("none", "../" + one.id, ""):
        refused("edge.dial.unknown_picture", partial(confirm, tmp_path, name))
        refused("edge.dial.unknown_picture", partial(discard, tmp_path, name))


def test_other_files_in_the_folder_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "last.json").write_text("{}")
    (tmp_path / "torn.json").write_text('{"id": "x"')
    assert list_doubtful(tmp_path) == ()
    assert list_doubtful(tmp_path / "none") == ()
