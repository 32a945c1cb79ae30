from __future__ import annotations

import shutil
import sqlite3
import stat
import threading
import time
from pathlib import Path

import pytest

from wattproof.core.errors import (
    Broken,
    Conflict,
    Malformed,
    NotFound,
    Unauthorised,
    Unavailable,
    WattProofError,
)
from wattproof.keys.ed25519 import SigningKey
from wattproof.keys.passphrase import LOWEST
from wattproof.keys.store import KeyStore

PASSPHRASE = "一把钥匙"


def made(directory: Path) -> KeyStore:
    return KeyStore.create(directory, PASSPHRASE, cost=LOWEST)


def test_keys_come_back_after_reopening(tmp_path: Path) -> None:
    keys = {name: SigningKey.generate() for name in ("meter-1", "registrar", "电表 二")}
    with made(tmp_path / "a" / "b") as store:
        for name, key in keys.items():
            store.add(name, key)
        fresh = store.get_or_create("fresh")
    with KeyStore.open(tmp_path / "a" / "b", PASSPHRASE) as store:
        assert store.names() == tuple(sorted([*keys, "fresh"]))
        assert {name: store.get(name).seed for name in keys} == {n: k.seed for n, k in keys.items()}
        assert store.get_or_create("fresh").seed == fresh.seed


def test_the_file_is_private_and_holds_no_seed(tmp_path: Path) -> None:
    key = SigningKey.generate()
    with made(tmp_path / "keys") as store:
        store.add("k", key)
    (file,) = (tmp_path / "keys").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    assert key.seed not in file.read_bytes()
    assert key.public in file.read_bytes()


def test_the_errors_of_opening_and_creating(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"keys\.store\.missing"):
        KeyStore.open(tmp_path, PASSPHRASE)
    with pytest.raises(Malformed, match=r"keys\.passphrase\.empty"):
        KeyStore.create(tmp_path, "")
    made(tmp_path).close()
    with pytest.raises(Conflict, match=r"keys\.store\.exists"):
        made(tmp_path)
    with pytest.raises(Unauthorised, match=r"keys\.passphrase\.wrong"):
        KeyStore.open(tmp_path, PASSPHRASE + " ")
    (tmp_path / "file").write_text("x")
    with pytest.raises(Unavailable, match=r"keys\.store\.unusable"):
        KeyStore.create(tmp_path / "file", PASSPHRASE, cost=LOWEST)


def test_a_creation_cut_short_is_begun_again(tmp_path: Path) -> None:
    (tmp_path / "keys.sqlite").touch()
    with pytest.raises(Unavailable, match=r"keys\.store\.missing"):
        KeyStore.open(tmp_path, PASSPHRASE)
    with made(tmp_path) as store:
        assert store.names() == ()


def test_names(tmp_path: Path) -> None:
    with made(tmp_path) as store:
        with pytest.raises(NotFound, match=r"keys\.store\.unknown"):
            store.get("nobody")
        for name in ("", " a", "a ", "a\nb", "a\0", "x" * 129, "\ud800"):
            with pytest.raises(Malformed, match=r"keys\.store\.name"):
                store.get_or_create(name)
            with pytest.raises(Malformed, match=r"keys\.store\.name"):
                store.add(name, SigningKey.generate())
        store.add("x" * 128, SigningKey.generate())
        store.add("A", SigningKey.generate())
        store.add("a", SigningKey.generate())
        assert len(store.names()) == 3


def test_a_taken_name_leaves_all_as_it_was(tmp_path: Path) -> None:
    with made(tmp_path) as store:
        first = store.get_or_create("b")
        with pytest.raises(Conflict, match=r"keys\.store\.taken") as refusal:
            store.add_many({name: SigningKey.generate() for name in ("a", "b", "c")})
        assert "b" in refusal.value.text("zh")
        assert store.names() == ("b",)
        assert store.get("b").seed == first.seed
        store.add("a", SigningKey.generate())


def test_thousands_of_keys_at_once(tmp_path: Path) -> None:
    keys = {f"meter-{number}": SigningKey.generate() for number in range(5000)}
    began = time.perf_counter()
    with made(tmp_path) as store:
        store.add_many(keys)
    assert time.perf_counter() - began < 5  # some 0.1 s: no argon2id and no commit per key
    with KeyStore.open(tmp_path, PASSPHRASE) as store:
        assert len(store.names()) == len(keys)
        assert store.get("meter-4321").seed == keys["meter-4321"].seed


def test_changing_the_passphrase(tmp_path: Path) -> None:
    with made(tmp_path) as store:
        key = store.get_or_create("k")
        store.change_passphrase("new", cost=LOWEST)
        assert store.get("k").seed == key.seed
    with pytest.raises(Unauthorised):
        KeyStore.open(tmp_path, PASSPHRASE)
    with KeyStore.open(tmp_path, "new") as store:
        assert store.get("k").seed == key.seed


def test_racing_for_one_name_gives_one_key(tmp_path: Path) -> None:
    shared = made(tmp_path)
    other = KeyStore.open(tmp_path, PASSPHRASE)  # as another process would
    seeds: list[bytes] = []

    def ask(store: KeyStore) -> None:
        seeds.extend(store.get_or_create(f"k{number}").seed for number in range(20))

    threads = [threading.Thread(target=ask, args=(s,)) for s in (shared, shared, other, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seeds) == 80 and len(set(seeds)) == 20
    shared.close()
    other.close()


def test_a_key_moved_to_another_name_does_not_open(tmp_path: Path) -> None:
    with made(tmp_path) as store:
        store.get_or_create("a")
        store.get_or_create("b")
    swap(tmp_path, "UPDATE keys SET name = 'c' WHERE name = 'a'")
    with KeyStore.open(tmp_path, PASSPHRASE) as store:
        with pytest.raises(Broken, match=r"keys\.store\.damaged"):
            store.get("c")
        store.get("b")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE keys SET public = zeroblob(32)",
        "UPDATE keys SET public = NULL",
        "UPDATE keys SET sealed = substr(sealed, 1, 10)",
        "UPDATE keys SET sealed = zeroblob(0)",
        "UPDATE keys SET sealed = 'text'",
    ],
)
def test_a_changed_key_does_not_open(tmp_path: Path, change: str) -> None:
    with made(tmp_path) as store:
        store.get_or_create("a")
    swap(tmp_path, change)
    with (
        KeyStore.open(tmp_path, PASSPHRASE) as store,
        pytest.raises(Broken, match=r"keys\.store\.damaged") as damage,
    ):
        store.get("a")
    assert "已损坏" in damage.value.text("zh")


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM master",
        "DROP TABLE master",
        "UPDATE master SET wrapped = NULL",
        "UPDATE master SET wrapped = 'x'",
    ],
)
def test_a_lost_master_key_is_damage(tmp_path: Path, change: str) -> None:
    made(tmp_path).close()
    swap(tmp_path, change)
    with pytest.raises(Broken, match=r"keys\.store\.damaged"):
        KeyStore.open(tmp_path, PASSPHRASE)


def swap(directory: Path, change: str) -> None:
    connection = sqlite3.connect(directory / "keys.sqlite")
    connection.execute(change)
    connection.commit()
    connection.close()


def test_no_changed_byte_ever_gives_a_wrong_key(tmp_path: Path) -> None:
    with made(tmp_path / "good") as store:
        seeds = {name: store.get_or_create(name).seed for name in ("a", "b", "c")}
    good = (tmp_path / "good" / "keys.sqlite").read_bytes()
    damaged = 0
    for at, byte in enumerate(good):
        if byte == 0:  # free space, mostly: the zeros that matter are few
            continue
        directory = tmp_path / "bad"
        directory.mkdir()
        changed = good[:at] + bytes((byte ^ (1 << at % 8),)) + good[at + 1 :]
        (directory / "keys.sqlite").write_bytes(changed)
        try:
            with KeyStore.open(directory, PASSPHRASE) as store:
                for name, seed in seeds.items():
                    assert store.get(name).seed == seed
                store.names()
        except WattProofError as refusal:
            damaged += 1
            assert refusal.text("en") and refusal.text("zh")
        shutil.rmtree(directory)
    assert damaged > len(good) // 50


def test_a_truncated_or_foreign_file_is_damage(tmp_path: Path) -> None:
    with made(tmp_path) as store:
        store.add_many({f"k{number}": SigningKey.generate() for number in range(200)})
    file = tmp_path / "keys.sqlite"
    good = file.read_bytes()
    for bad in (good[:100], good[:5000], good[:-4096], b"not a database at all" * 300):
        file.write_bytes(bad)
        with pytest.raises(Broken, match=r"keys\.store\.damaged"):
            KeyStore.open(tmp_path, PASSPHRASE)


def test_a_closed_store_says_so(tmp_path: Path) -> None:
    store = made(tmp_path)
    store.close()
    for call in (store.names, lambda: store.get("a"), lambda: store.get_or_create("a")):
        with pytest.raises(Unavailable, match=r"keys\.store\.unusable"):
            call()
