"""What days were made of: sealed for one person, deleted when that person says so."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from wattproof.emissions.people.activities import activities, count
from wattproof.emissions.people.details import DETAILS_FILE, Details
from wattproof.keys.ed25519 import SigningKey

DAY_S = 86_400
DECLARED = count([(activities()[0], 12_500), (activities()[-1], 300)])


def test_details_are_the_persons_alone(tmp_path: Path) -> None:
    path = tmp_path / DETAILS_FILE
    key, other = SigningKey.generate(), SigningKey.generate()
    mine, theirs = (
        Details(path, party="a", key=key),
        Details(path, party="b", key=other),
    )
    mine.keep(DAY_S, DECLARED)
    theirs.keep(DAY_S, count([(activities()[1], 1)]))
    assert mine.all() == {DAY_S: DECLARED}
    assert Details(path, party="a", key=other).all() == {}, "another key opens nothing"
    assert path.stat().st_mode & 0o777 == 0o600


def test_nothing_can_be_read_in_the_file_or_moved_to_another_day(tmp_path: Path) -> None:
    path = tmp_path / DETAILS_FILE
    details = Details(path, party="a", key=SigningKey.generate())
    details.keep(DAY_S, DECLARED)
    assert activities()[0].id.encode() not in path.read_bytes()
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("UPDATE days SET start_s = start_s + 86400")
    assert details.all() == {}


def test_a_day_is_kept_once(tmp_path: Path) -> None:
    details = Details(tmp_path / DETAILS_FILE, party="a", key=SigningKey.generate())
    details.keep(DAY_S, count([(activities()[1], 1)]))
    details.keep(DAY_S, DECLARED)
    assert details.all() == {DAY_S: DECLARED}


def test_forgetting_deletes_the_persons_and_nobody_elses(tmp_path: Path) -> None:
    path = tmp_path / DETAILS_FILE
    mine = Details(path, party="a", key=SigningKey.generate())
    theirs = Details(path, party="b", key=SigningKey.generate())
    for day in range(3):
        mine.keep(day * DAY_S, DECLARED)
    theirs.keep(0, DECLARED)
    assert mine.forget() == 3
    assert mine.all() == {}
    assert theirs.all() == {0: DECLARED}
    assert mine.forget() == 0
