"""Files that grow, are half-written, rotated, cut, and wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.meter_lines import fails

from wattproof.edge.source import Source
from wattproof.edge.sources import followed
from wattproof.edge.sources.followed import Followed
from wattproof.edge.sources.table import open_source


@contextmanager
def opened(folder: Path, **settings: Any) -> Iterator[Source]:
    source = open_source({
        "kind": "file", "path": str(folder / "meter.csv"), "column": "kWh",
        **settings,
    })  # fmt: skip
    try:
        yield source
    finally:
        source.close()


def adding(folder: Path, **more: Any) -> dict[str, Any]:
    return {"mode": "increment", "state": str(folder / "place.json"), **more}


def write(folder: Path, text: str | bytes, *, mode: str = "ab", name: str = "meter.csv") -> None:
    data = text.encode() if isinstance(text, str) else text
    with (folder / name).open(mode) as file:
        file.write(data)


def test_the_newest_register_of_a_csv(tmp_path: Path) -> None:
    write(tmp_path, "\ufefftime, kWh ,V\r\n09:00,100.25,230\r\n09:15,100.50,231\r\n")
    with opened(tmp_path) as source:
        sample = source.read()
        assert (sample.value, sample.unit, sample.doubt) == (Decimal("100.50"), "kWh", "")
        assert source.mode == "register"
        with fails("edge.file.nothing_new"):
            source.read()
        write(tmp_path, "09:30,100.75,229\r\n\r\n")
        assert source.read().value == Decimal("100.75")


def test_a_line_that_is_not_whole_waits(tmp_path: Path) -> None:
    write(tmp_path, "kWh\n100\n10")
    with opened(tmp_path) as source:
        assert source.read().value == 100
        with fails("edge.file.nothing_new"):
            source.read()
        write(tmp_path, "1.5")
        with fails("edge.file.nothing_new"):
            source.read()
        write(tmp_path, "\n")
        assert source.read().value == Decimal("101.5")


def test_json_lines(tmp_path: Path) -> None:
    write(tmp_path, json.dumps({"em": [{"total": 12.125}]}) + "\n")
    with opened(tmp_path, format="json", column="em.0.total", unit="m3", scale="10") as source:
        sample = source.read()
    assert (sample.value, sample.unit) == (Decimal("121.25"), "m3")


def test_increments_are_summed_once_over_restarts(tmp_path: Path) -> None:
    write(tmp_path, "a;0.1\nb;0.2\n")
    settings = adding(tmp_path, header=False, column="2", delimiter=";")
    with opened(tmp_path, **settings) as source:
        assert source.read().value == 0  # what is there at the very first start is nobody's
        write(tmp_path, "c;0.3\nd;0.4\ne;0.")
        assert source.read().value == Decimal("0.7")
        assert source.read().value == 0
    write(tmp_path, "5\nf;0.6\n")
    with opened(tmp_path, **settings) as source:
        assert source.read().value == Decimal("1.1")
    with opened(tmp_path, **settings) as source:
        assert source.read().value == 0


def test_increments_from_the_start(tmp_path: Path) -> None:
    write(tmp_path, "kWh\n1\n2\n")
    with opened(tmp_path, **adding(tmp_path, from_start=True)) as source:
        assert source.read().value == 3


def test_a_rotated_file_is_read_to_its_end_first(tmp_path: Path) -> None:
    write(tmp_path, "kWh\n")
    with opened(tmp_path, **adding(tmp_path)) as source:
        assert source.read().value == 0
        write(tmp_path, "1\n")
        (tmp_path / "meter.csv").rename(tmp_path / "meter.csv.1")
        write(tmp_path, "2\n", name="meter.csv.1")
        assert source.read().value == 3
        assert source.read().value == 0  # the name is free for a moment
        write(tmp_path, "kWh\n4\n")
        sample = source.read()
        assert (sample.value, sample.doubt) == (Decimal(4), "")


def test_a_file_that_is_cut_begins_again(tmp_path: Path) -> None:
    write(tmp_path, "kWh\n100\n200\n")
    with opened(tmp_path) as source:
        assert source.read().value == 200
        write(tmp_path, "kWh\n7\n", mode="wb")
        assert source.read().value == 7


def test_a_file_that_was_replaced_while_nobody_read_it(tmp_path: Path) -> None:
    write(tmp_path, "kWh\n1\n")
    with opened(tmp_path, **adding(tmp_path)) as source:
        source.read()
    (tmp_path / "meter.csv").unlink()  # the new one may get the old one's inode
    write(tmp_path, "kWh\n5\n6\n")
    with opened(tmp_path, **adding(tmp_path)) as source:
        sample = source.read()
        assert sample.value == 11
        assert "replaced" in sample.doubt
        assert source.read().doubt == ""


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("NaN", "edge.value.not_finite"),
        ("-inf", "edge.value.not_finite"),
        ("1.2.3", "edge.value.not_number"),
        ("1e9999", "edge.value.not_number"),
        ('""', "edge.value.not_number"),
        ('"5', "edge.frame.form"),
        (b"\xff", "edge.frame.form"),
    ],
)
def test_a_wrong_line_is_named_once_and_passed_over(
    tmp_path: Path, line: str | bytes, code: str
) -> None:
    write(tmp_path, "kWh\n1\n")
    write(tmp_path, line)
    write(tmp_path, "\n2\n3\n")
    with opened(tmp_path, **adding(tmp_path, from_start=True)) as source:
        assert source.read().value == 1
        with fails(code):
            source.read()
        assert source.read().value == 5


def test_wrong_json_lines(tmp_path: Path) -> None:
    write(tmp_path, '{"v": 1\n{"w": 1}\n{"v": NaN}\n{"v": [1]}\n')
    codes = (
        "edge.frame.form", "edge.value.absent", "edge.value.not_finite", "edge.value.not_number",
    )  # fmt: skip
    with opened(tmp_path, format="json", column="v") as source:
        for code in codes:
            with fails(code):
                source.read()


def test_columns_that_are_not_there(tmp_path: Path) -> None:
    write(tmp_path, "Wh\n1\n")
    with opened(tmp_path) as source, fails("edge.value.absent"):
        source.read()
    with opened(tmp_path, header=False, column="3") as source, fails("edge.value.absent"):
        source.read()


def test_no_file(tmp_path: Path) -> None:
    with opened(tmp_path) as source, fails("edge.line.none"):
        source.read()


def test_a_line_without_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(followed, "CHUNK_BYTES", 100)
    write(tmp_path, "kWh\n" + "9" * 250 + "\n5\n")
    with opened(tmp_path) as source:
        with fails("edge.file.nothing_new"):
            source.read()  # the header, as far as a chunk goes
        with fails("edge.frame.oversized"):
            source.read()
        assert source.read().value == 5


@settings(deadline=None)  # files on a disk that others use too
@given(st.data())
def test_however_a_file_is_written_each_line_comes_once(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("followed") / "lines"
    lines = data.draw(
        st.lists(st.binary(max_size=20).map(lambda raw: raw.replace(b"\n", b"")), max_size=12)
    )
    whole = b"".join(line + b"\n" for line in lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=6)))
    path.write_bytes(b"")
    file = Followed(str(path), None)
    came: list[bytes] = []
    for start, end in pairwise([0, *cuts, len(whole)]):
        with path.open("ab") as out:
            out.write(whole[start:end])
        with closing(file):  # after each part comes a restart
            found = file.lines()
        taken = found[: data.draw(st.integers(0, len(found)))]
        file.advance(taken)
        came += taken
        file = Followed(str(path), file.position)
    with closing(file):
        came += file.lines()
    assert came == [line + b"\n" for line in lines]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"delimiter": ";;"}, "edge.source.setting"),
        ({"header": False}, "edge.source.setting"),
        ({"mode": "increment"}, "edge.source.setting"),
        ({"unit": "gill"}, "core.unit"),
        ({"format": "xml"}, "edge.source.settings"),
    ],
)
def test_settings_that_do_not_fit(tmp_path: Path, more: dict[str, Any], code: str) -> None:
    with fails(code), opened(tmp_path, **more):
        pass
