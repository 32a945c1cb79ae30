"""A ledger's folder: made once, written by one, and opened again after anything."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.engines.conformance import fill
from tests.ledger.growing import KEY, START_MS, signed
from tests.ledger.toy import Crash, Empty, Fill, machine, signed_genesis
from tests.support.refusals import refused

from wattproof.core.errors import Broken, Refused, Unauthorised, Unavailable, WattProofError
from wattproof.engines.folder import LOG_KEY, PASSPHRASE_VARIABLE, LedgerFolder
from wattproof.keys.ed25519 import SigningKey
from wattproof.ledger.fsck import audit
from wattproof.ledger.genesis import ledger_id_of
from wattproof.ledger.transaction import sign_transaction

TOY = machine()


@pytest.fixture(autouse=True)
def no_passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PASSPHRASE_VARIABLE, raising=False)


@pytest.fixture
def folder(tmp_path: Path) -> LedgerFolder:
    return LedgerFolder(tmp_path / "region" / "ledger", TOY)


def make(folder: LedgerFolder, bodies: Sequence[Fill | Empty | Crash] = ()) -> bytes:
    """Make the ledger as a composition root does; its id."""
    with folder.create_keys() as keys:
        log_key = keys.get_or_create(LOG_KEY)
    genesis = signed_genesis(KEY, log_key)
    ledger_id = ledger_id_of(genesis)
    first = [sign_transaction(body, KEY, ledger_id=ledger_id) for body in bodies]
    folder.create(genesis=genesis, first=first, log_key=log_key, time_ms=START_MS)
    return ledger_id


def sound(folder: LedgerFolder) -> bool:
    store = folder.read()
    report = audit(
        store, TOY, check_many=lambda ledger_id: folder.verifier(ledger_id, workers=0).check_many
    )
    store.close()
    assert report.first_break is None, report.first_break
    return report.ok


def beans(number: int) -> Fill:
    return Fill(jar="jar", shelf="low", beans=number)


def test_made_written_closed_and_opened_again(folder: LedgerFolder) -> None:
    ledger_id = make(folder, [beans(1), beans(2)])
    assert folder.exists
    for count in (1, 2, 3):
        with folder.write(workers=0) as writer:
            assert writer.ledger_id == ledger_id == writer.engine.ledger_id
            assert writer.origin == f"wattproof/{ledger_id.hex()}"
            writer.engine.submit(sign_transaction(beans(count), KEY, ledger_id=ledger_id))
            assert writer.store.size == 3 + count
    names = {path.name for path in folder.path.iterdir()}
    assert names == {"ledger.db", "ledger.lock", "keys", "keys.secret"}
    assert (folder.path / "keys.secret").stat().st_mode & 0o777 == 0o600
    assert sound(folder)


def test_where_there_is_no_ledger(folder: LedgerFolder) -> None:
    for opened in (folder.read, folder.open_writer):
        with pytest.raises(Unavailable, match=r"store\.missing"):
            opened()
    assert not folder.path.exists()


def test_a_ledger_is_made_once(folder: LedgerFolder) -> None:
    make(folder)
    before = folder.database.read_bytes()
    refused("folder.exists", lambda: make(folder))
    refused(
        "folder.exists",
        lambda: folder.create(genesis=b"", first=[], log_key=KEY, time_ms=START_MS),
    )
    assert folder.database.read_bytes() == before
    assert sound(folder)


@pytest.mark.parametrize(
    ("bodies", "code"),
    [
        ([beans(1), Empty(jar="none")], "toy.too_few"),
        ([Crash(jar="a"), beans(1)], "machine.rule_failed"),
        ([beans(-1)], "transaction.fields"),
    ],
)
def test_all_of_it_or_nothing(
    folder: LedgerFolder, bodies: list[Fill | Empty | Crash], code: str
) -> None:
    with pytest.raises(WattProofError) as caught:
        make(folder, bodies)
    assert caught.value.code == code
    assert not folder.exists
    make(folder, [beans(1)])
    assert sound(folder)


def test_first_transactions_of_another_ledger(folder: LedgerFolder) -> None:
    with folder.create_keys() as keys:
        log_key = keys.get_or_create(LOG_KEY)
    genesis = signed_genesis(KEY, log_key)
    with pytest.raises(Refused, match=r"transaction\.signature"):
        folder.create(
            genesis=genesis, first=[signed(beans(1), 1)], log_key=log_key, time_ms=START_MS
        )
    assert not folder.exists


def test_keys_made_before_are_taken_up(folder: LedgerFolder) -> None:
    with folder.create_keys() as keys:
        first = keys.get_or_create(LOG_KEY)
    with folder.create_keys() as keys:
        assert keys.get_or_create(LOG_KEY).public == first.public
    make(folder)
    with folder.keys() as keys:
        assert keys.get(LOG_KEY).public == first.public


def test_leftovers_of_an_attempt_that_was_cut_short(folder: LedgerFolder) -> None:
    folder.path.mkdir(parents=True)
    for name in ("ledger.db.partial", "ledger.db.partial-wal", "ledger.db.partial-shm",
                 "ledger.db-wal", "ledger.db-shm", "keys.partial"):  # fmt: skip
        (folder.path / name).write_bytes(b"left over")
    make(folder, [beans(1)])
    with folder.write(workers=0) as writer:
        assert writer.store.size == 2
    assert sound(folder)


def test_one_process_writes(folder: LedgerFolder) -> None:
    make(folder)
    with folder.write(workers=0):
        refused("store.in_use", folder.open_writer)
        script = (
            "import sys; from pathlib import Path; from tests.ledger.toy import machine;"
            "from wattproof.engines.folder import LedgerFolder;"
            "LedgerFolder(Path(sys.argv[1]), machine()).open_writer()"
        )
        root = Path(__file__).parents[2]
        other = subprocess.run(
            [sys.executable, "-c", script, folder.path],
            env={**os.environ, "PYTHONPATH": str(root)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert "store.in_use" in other.stderr
    folder.open_writer(workers=0).close()


def test_racing_makers_make_one_ledger(tmp_path: Path) -> None:
    """Whoever comes second does not overwrite what the first has made."""
    for number in range(12):
        folder = LedgerFolder(tmp_path / str(number), TOY)
        start = threading.Barrier(4)

        def attempt(
            seed: int, folder: LedgerFolder = folder, start: threading.Barrier = start
        ) -> bytes | None:
            log_key = SigningKey.from_seed(bytes((seed,)) * 32)
            genesis = signed_genesis(KEY, log_key)
            start.wait()
            while not folder.exists:
                try:
                    folder.create(genesis=genesis, first=[], log_key=log_key, time_ms=START_MS)
                except Unavailable as unavailable:
                    assert unavailable.code in ("store.in_use", "folder.exists")
                else:
                    return ledger_id_of(genesis)
            return None

        with ThreadPoolExecutor(4) as threads:
            winners = [id_ for id_ in threads.map(attempt, range(4)) if id_ is not None]
        store = folder.read()
        assert [store.entry(0).id] == winners
        store.close()


def test_racing_makers_of_keys_share_them(tmp_path: Path) -> None:
    folder = LedgerFolder(tmp_path / "ledger", TOY)
    start = threading.Barrier(4)

    def attempt(_: int) -> bytes:
        start.wait()
        while True:
            try:
                with folder.create_keys() as keys:
                    return keys.get_or_create(LOG_KEY).public
            except Unavailable as unavailable:
                assert unavailable.code == "store.in_use"

    with ThreadPoolExecutor(4) as threads:
        publics = set(threads.map(attempt, range(4)))
    with folder.keys() as keys:
        assert {keys.get(LOG_KEY).public} == publics


def test_a_passphrase_from_outside(folder: LedgerFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PASSPHRASE_VARIABLE, "correct horse")
    make(folder)
    assert not (folder.path / "keys.secret").exists()
    folder.open_writer(workers=0).close()
    monkeypatch.setenv(PASSPHRASE_VARIABLE, "battery staple")
    with pytest.raises(Unauthorised):
        folder.open_writer()
    monkeypatch.delenv(PASSPHRASE_VARIABLE)
    refused("folder.no_passphrase", folder.open_writer)
    monkeypatch.setenv(PASSPHRASE_VARIABLE, "correct horse")
    folder.open_writer(workers=0).close()  # none of the attempts kept the lock


def test_a_damaged_ledger_is_not_opened_for_writing(folder: LedgerFolder) -> None:
    ledger_id = make(folder)
    with folder.write(workers=0) as writer:
        for number in range(300):
            writer.engine.submit_many([sign_transaction(beans(number), KEY, ledger_id=ledger_id)])
    sound_bytes = folder.database.read_bytes()
    connection = sqlite3.connect(folder.database)
    connection.execute("UPDATE tile SET hashes = zeroblob(8192)")
    connection.commit()
    connection.close()
    refused("chain.damaged", folder.open_writer)
    for size in (100, 5000, len(sound_bytes) - 4096):
        folder.database.write_bytes(sound_bytes[:size])
        with pytest.raises(Broken) as caught:
            folder.open_writer()
        assert caught.value.text("zh")
    page = bytearray(sound_bytes)
    page[4096 * 8 : 4096 * 40] = b"\xff" * (4096 * 32)
    folder.database.write_bytes(page)
    with pytest.raises(Broken):
        folder.open_writer()
    folder.database.write_bytes(sound_bytes)
    folder.open_writer(workers=0).close()
    assert sound(folder)


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    folder = LedgerFolder(tmp_path / "file", TOY)
    with pytest.raises(Unavailable):
        folder.create_keys()
    with pytest.raises(Unavailable):
        folder.create(genesis=b"", first=[], log_key=KEY, time_ms=0)


def test_readers_beside_the_writer(folder: LedgerFolder) -> None:
    ledger_id = make(folder)
    reader = folder.read()
    with folder.write(workers=0) as writer:
        for number in range(5):
            writer.engine.submit(sign_transaction(beans(number), KEY, ledger_id=ledger_id))
            assert reader.size == writer.store.size == number + 2
        with pytest.raises(Refused):
            writer.engine.submit(fill(1))  # signed for another ledger
    reader.close()
