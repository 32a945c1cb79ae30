"""A ledger's folder on disk, and the two ways to open it: many may read, one may write.

ledger.db     log, tiles, blocks, state (see `ledger.store`)
ledger.lock   held by the one process that writes
keys/         the encrypted key store: the log's key and those of this operator's parties
keys.secret   the key store's passphrase, where none is given from outside
lake/         the Parquet lake, a projection that can be deleted at any time

The console keeps its accounts and the files that its users upload here too.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from wattproof.core.errors import (
    Broken,
    Conflict,
    ErrorCode,
    Refused,
    Unavailable,
    WattProofError,
)
from wattproof.engines.embedded import EmbeddedEngine
from wattproof.engines.verifier import Verifier
from wattproof.keys.ed25519 import SigningKey
from wattproof.keys.passphrase import LOWEST, MODERATE
from wattproof.keys.store import KeyStore
from wattproof.ledger.chain import Chain
from wattproof.ledger.lock import WriterLock
from wattproof.ledger.machine import Machine
from wattproof.ledger.store import Store
from wattproof.ledger.transaction import Transaction

__all__ = ["LOG_KEY", "NEW_PASSPHRASE_VARIABLE", "PASSPHRASE_VARIABLE", "LedgerFolder", "Writer"]

PASSPHRASE_VARIABLE: Final = "WATTPROOF_PASSPHRASE"
"""The environment variable that gives the key store's passphrase."""

NEW_PASSPHRASE_VARIABLE: Final = "WATTPROOF_NEW_PASSPHRASE"
"""The environment variable that gives the passphrase to change to."""

LOG_KEY: Final = "log"
"""The name, in the key store, of the key that signs checkpoints and receipts."""

EXISTS = ErrorCode(
    Unavailable,
    "folder.exists",
    en="There is a ledger in {path} already.",
    zh="{path} 中已经有一个账本。",
)
NOT_CREATED = ErrorCode(
    Unavailable,
    "folder.not_created",
    en="The ledger in {path} could not be written, and there is none: {reason}.",
    zh="无法写入 {path} 中的账本，账本未建立：{reason}。",
)
DAMAGED = ErrorCode(
    Broken,
    "folder.damaged",
    en="The ledger in {path} cannot be read to its end: {reason}.",
    zh="无法完整读取 {path} 中的账本：{reason}。",
)
NO_SECRET = ErrorCode(
    Unavailable,
    "folder.no_passphrase",
    en="The key store in {path} needs its passphrase: set {variable}.",
    zh="打开 {path} 中的密钥库需要口令：请设置环境变量 {variable}。",
)


class Writer:
    """A ledger opened for writing: its engine, and the store to read from."""

    def __init__(self, store: Store, chain: Chain, lock: WriterLock, *, workers: int | None):
        self.store: Final = store
        self._chain = chain
        self._lock = lock
        self.engine: Final = EmbeddedEngine(chain, workers=workers)
        self.ledger_id: Final = chain.ledger_id
        self.origin: Final = chain.origin

    def close(self) -> None:
        """Finish what is waiting and let go of the folder."""
        try:
            self.engine.close()
            self.store.close()
        finally:
            self._lock.release()


class LedgerFolder:
    """The folder of one ledger, whose contracts are `machine`."""

    def __init__(self, path: Path, machine: Machine) -> None:
        self.path: Final = path
        self.machine: Final = machine

    @property
    def database(self) -> Path:
        """The ledger's one file."""
        return self.path / "ledger.db"

    @property
    def lake(self) -> Path:
        """Where the Parquet lake is projected to."""
        return self.path / "lake"

    @property
    def exists(self) -> bool:
        """Whether there is a ledger here."""
        return self.database.is_file()

    def create_keys(self) -> KeyStore:
        """Make the key store of a ledger to be; its passphrase is given from outside, or random.

        A store that an earlier attempt left behind is taken up. Raises `Unavailable` where there
        is a ledger already.
        """
        with self._empty() as path:
            passphrase, cost = os.environ.get(PASSPHRASE_VARIABLE), MODERATE
            if not passphrase:
                passphrase, cost = self._make_secret(), LOWEST
            try:
                return KeyStore.create(path / "keys", passphrase, cost=cost)
            except Conflict:
                return KeyStore.open(path / "keys", passphrase)

    def _make_secret(self) -> str:
        """A random passphrase in a file of its own, or the one that is there already."""
        if self._secret.is_file():
            return self._secret.read_text(encoding="ascii")
        partial = self._secret.with_suffix(".partial")
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode=0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(32))
            file.flush()
            os.fsync(descriptor)
        partial.rename(self._secret)
        _sync_folder(self.path)
        return self._secret.read_text(encoding="ascii")

    def keys(self) -> KeyStore:
        """Open the key store."""
        passphrase = os.environ.get(PASSPHRASE_VARIABLE)
        if not passphrase and self._secret.is_file():
            passphrase = self._secret.read_text(encoding="ascii")
        if not passphrase:
            raise NO_SECRET(path=str(self.path), variable=PASSPHRASE_VARIABLE)
        return KeyStore.open(self.path / "keys", passphrase)

    def change_passphrase(self) -> None:
        """Give the key store a new passphrase, that of `NEW_PASSPHRASE_VARIABLE`.

        The file with the random one, if there is one, is removed: from then on the passphrase
        comes from outside.
        """
        passphrase = os.environ.get(NEW_PASSPHRASE_VARIABLE)
        if not passphrase:
            raise NO_SECRET(path=str(self.path), variable=NEW_PASSPHRASE_VARIABLE)
        with self.keys() as store:
            store.change_passphrase(passphrase, cost=MODERATE)
        self._secret.unlink(missing_ok=True)

    def create(
        self, *, genesis: bytes, first: Sequence[bytes], log_key: SigningKey, time_ms: int
    ) -> None:
        """Open the ledger with its genesis and `first` transactions, all of it or nothing.

        Raises what refuses one of them; there is then no ledger, and it can be tried again.
        """
        with self._empty() as path:
            for leftover in (*path.glob("ledger.db.partial*"), *path.glob("ledger.db-*")):
                leftover.unlink()
            partial = path / "ledger.db.partial"
            store = Store.create(partial, self.machine.collections)
            try:
                chain = Chain.create(
                    store, self.machine, log_key=log_key, genesis=genesis, time_ms=time_ms
                )
                self._append(chain, first)
            except sqlite3.Error as error:
                raise NOT_CREATED(path=str(path), reason=str(error)) from None
            finally:
                store.close()
            if (path / "ledger.db.partial-wal").exists():  # then the file alone is not all of it
                raise NOT_CREATED(path=str(path), reason="the write-ahead log is left")
            partial.rename(self.database)
            _sync_folder(path)

    @contextmanager
    def _empty(self) -> Iterator[Path]:
        """The folder, held against other writers, once it is sure that no ledger is in it."""
        if self.exists:
            raise EXISTS(path=str(self.path))
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            _sync_folder(self.path.parent)
        except OSError as error:
            raise NOT_CREATED(path=str(self.path), reason=error.strerror) from None
        lock = WriterLock(self.path)
        try:
            if self.exists:  # another process was quicker
                raise EXISTS(path=str(self.path))
            yield self.path
        finally:
            lock.release()

    def _append(self, chain: Chain, raws: Sequence[bytes]) -> None:
        """One block of transactions, all of which must be accepted."""
        verifier = self.verifier(chain.ledger_id, workers=0)
        checked = [verifier.check(raw) for raw in raws]
        transactions = [item for item in checked if isinstance(item, Transaction)]
        faults: list[WattProofError] = [item for item in checked if isinstance(item, Refused)]
        if transactions and not faults:
            pending = chain.execute(transactions, height=chain.height + 1, time_ms=chain.time_ms)
            faults = [outcome.refusal for outcome in pending.outcomes if outcome.refusal]
            if not faults:
                chain.commit(pending)
        for fault in faults:
            raise fault

    def read(self) -> Store:
        """Open for reading, beside whoever writes; `Unavailable` where there is no ledger."""
        return Store.open(self.database, self.machine.collections)

    @contextmanager
    def write(self, *, workers: int | None = None) -> Iterator[Writer]:
        """Open for writing; only one process may. Closed when the block ends."""
        writer = self.open_writer(workers=workers)
        try:
            yield writer
        finally:
            writer.close()

    def open_writer(self, *, workers: int | None = None) -> Writer:
        """Open for writing until the writer is closed. `workers` help to verify signatures."""
        self.read().close()
        with ExitStack() as undo:
            lock = WriterLock(self.path)
            undo.callback(lock.release)
            with self.keys() as keys:
                log_key = keys.get(LOG_KEY)
            store = Store.open(self.database, self.machine.collections, write=True)
            undo.callback(store.close)
            try:
                chain = Chain(store, self.machine, log_key=log_key)
            except sqlite3.Error as error:
                raise DAMAGED(path=str(self.path), reason=str(error)) from None
            writer = Writer(store, chain, lock, workers=workers)
            undo.pop_all()
        return writer

    def verifier(self, ledger_id: bytes, *, workers: int | None = None) -> Verifier:
        """What checks signatures for this ledger."""
        return Verifier(self.machine.codec, ledger_id=ledger_id, workers=workers)

    @property
    def _secret(self) -> Path:
        return self.path / "keys.secret"


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
