"""Drafts on disk: one's own, bounded, cleaned up, whole or not there."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.support.refusals import refused

from wattproof.emissions.import_drafts import (
    FOLDER,
    KEEP_S,
    MAX_DRAFTS,
    PARTIAL_S,
    Finding,
    ImportDraft,
    ImportDrafts,
    Preview,
)

NOW_S = int(time.time())


@pytest.fixture
def drafts(tmp_path: Path) -> ImportDrafts:
    return ImportDrafts(tmp_path)


def add(drafts: ImportDrafts, login: str = "ann", *, now_s: int = NOW_S) -> ImportDraft:
    upload = drafts.partial()
    upload.write_bytes(b"a,b\n1,2\n")
    return drafts.add(upload, login=login, party="importer", file="f.csv", now_s=now_s)


def age(path: Path, *, at_s: int) -> None:
    os.utime(path, (at_s, at_s))


def test_what_is_kept_comes_back(drafts: ImportDrafts, tmp_path: Path) -> None:
    draft = add(drafts)
    assert drafts.find("ann", draft.id) == draft
    assert drafts.readings(draft).read_bytes() == b"a,b\n1,2\n"
    preview = Preview(finding=Finding(code="x", en="No.", zh="否。"))
    changed = replace(draft, stage="checked", mapping="[file]\n", preview=preview)
    drafts.save(changed)
    assert drafts.find("ann", draft.id) == changed
    assert ImportDrafts(tmp_path).of("ann") == [changed]
    drafts.drop_readings(changed)
    assert not drafts.readings(changed).exists()
    drafts.remove(changed)
    refused("import.no_draft", lambda: drafts.find("ann", draft.id))
    refused("import.no_draft", lambda: drafts.save(changed))


def test_only_ones_own_are_found(drafts: ImportDrafts, tmp_path: Path) -> None:
    mine, theirs = add(drafts), add(drafts, "bob")
    assert [one.id for one in drafts.of("ann")] == [mine.id]
    refused("import.no_draft", lambda: drafts.find("ann", theirs.id))
    for id_ in ("", "..", "../..", "*", mine.id + "/", f"../{mine.id}", "x" * 16):
        refused("import.no_draft", lambda id_=id_: drafts.find("ann", id_))  # type: ignore[misc]
    for folder in (tmp_path / FOLDER, *(tmp_path / FOLDER).glob("*/*")):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_there_is_room_for_so_many(drafts: ImportDrafts) -> None:
    made = [add(drafts, now_s=NOW_S + at) for at in range(MAX_DRAFTS)]
    refused("import.drafts", lambda: add(drafts))
    add(drafts, "bob")
    for old in made[3:5]:
        drafts.save(replace(old, stage="done"))
    newest = add(drafts, now_s=NOW_S + 99)
    left = [one.id for one in drafts.of("ann")]
    assert left[0] == newest.id
    assert made[3].id not in left and made[4].id in left
    assert len(left) == MAX_DRAFTS


def test_what_nobody_touches_goes(drafts: ImportDrafts, tmp_path: Path) -> None:
    old, new = add(drafts), add(drafts)
    age(drafts.readings(old).parent, at_s=NOW_S - KEEP_S - 1)
    age(drafts.readings(new).parent, at_s=NOW_S)
    late, fresh = drafts.partial(), drafts.partial()
    age(late, at_s=NOW_S - PARTIAL_S - 1)
    age(fresh, at_s=NOW_S)
    add(drafts, "bob")
    assert [one.id for one in drafts.of("ann")] == [new.id]
    assert not late.exists() and fresh.exists()
    fresh.unlink()
    assert not list((tmp_path / FOLDER).glob("*.partial"))


def test_a_state_of_another_version_is_no_draft(drafts: ImportDrafts) -> None:
    draft = add(drafts)
    state = drafts.readings(draft).parent / "state.json"
    for text in ('{"id": 5}', "", "{"):
        state.write_text(text, encoding="utf-8")
        assert drafts.of("ann") == []
        refused("import.no_draft", lambda: drafts.find("ann", draft.id))
