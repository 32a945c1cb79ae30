"""Imports that people are preparing on a page, kept on disk beside the ledger.

    imports/<user>/<draft>/state.json     how far it is, its mapping, what was found
    imports/<user>/<draft>/readings.csv   the file; removed once it is imported
    imports/*.partial                     an upload that has not come to its end

A user's folder is named by a hash of the login, so that a draft is only ever looked for among the
visitor's own. Nothing here is part of the ledger; all of it can be deleted.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import tempfile
import threading
from pathlib import Path
from typing import Final, Literal

import msgspec

from wattproof.core.errors import ErrorCode, NotFound, OverLimit, WattProofError
from wattproof.emissions.intake import MeterSummary
from wattproof.metering.problems import Problem

__all__ = [
    "FOLDER",
    "KEEP_S",
    "MAX_DRAFTS",
    "SHOWN_GAPS",
    "Finding",
    "FirstReading",
    "ImportDraft",
    "ImportDrafts",
    "MeterPreview",
    "Outcome",
    "Preview",
    "Signatures",
    "Stage",
]

FOLDER: Final = "imports"
"""Where drafts are kept, in the ledger's folder."""
MAX_DRAFTS: Final = 10
"""Imports that one user may have open; of those that are done the oldest go first."""
KEEP_S: Final = 7 * 86_400
"""How long a draft is kept that nobody touches, in seconds."""
PARTIAL_S: Final = 3600
"""How long an upload may take to its end before what is there of it is removed."""
SHOWN_GAPS: Final = 500
"""Gaps of one meter that are kept to be shown; all of them are counted."""

_ID: Final = re.compile(r"[A-Za-z0-9_-]{16}", re.ASCII)
_STATE: Final = "state.json"
_READINGS: Final = "readings.csv"

NO_DRAFT = ErrorCode(
    NotFound,
    "import.no_draft",
    en="There is no import of yours here any more.",
    zh="此处已没有您的导入。",
)
TOO_MANY = ErrorCode(
    OverLimit,
    "import.drafts",
    en="You have {limit} imports open; finish one or remove it first.",
    zh="您已有 {limit} 个未完成的导入，请先完成或删除其中一个。",
)

Stage = Literal["mapping", "checking", "checked", "running", "done"]
"""How far an import is: its mapping is made, the file is read with it, what was found is shown, its
transactions are being submitted, all of them are in the ledger."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """An error as it is kept: its code and both sentences."""

    code: str
    en: str
    zh: str

    @classmethod
    def of(cls, error: WattProofError) -> Finding:
        """The error's code and sentences."""
        return cls(code=error.code, en=error.text("en"), zh=error.text("zh"))


class FirstReading(msgspec.Struct, frozen=True, kw_only=True):
    """A reading as the mapping has it: ISO local times, base units."""

    start: str
    end: str
    amount: int


class MeterPreview(msgspec.Struct, frozen=True, kw_only=True):
    """A meter of the file: its summary, its first readings, and the factor that it will get.

    `summary.gap_list` holds at most `SHOWN_GAPS` gaps. `factor` is empty where none is mapped;
    `confidence` is the factor's.
    """

    summary: MeterSummary
    first: tuple[FirstReading, ...]
    factor: str = ""
    factor_en: str = ""
    factor_zh: str = ""
    confidence: str = ""


class Signatures(msgspec.Struct, frozen=True, kw_only=True):
    """How many transactions of one type will be signed, and whether by the meters themselves."""

    type: str
    en: str
    zh: str
    count: int
    by_meter: bool


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What was found when the file was read with the mapping; nothing was submitted.

    `problems` are those of the file by line and column, `count` how many there are in all;
    `finding` is what else stands in the way. With either of them nothing can be imported.
    """

    rows: int = 0
    meters: tuple[MeterPreview, ...] = ()
    signatures: tuple[Signatures, ...] = ()
    packets: int = 0
    transactions: int = 0
    problems: tuple[Problem, ...] = ()
    count: int = 0
    good_rows: int = 0
    finding: Finding | None = None

    @property
    def ok(self) -> bool:
        """Whether it can be imported."""
        return not self.count and self.finding is None

    @property
    def unconfirmed(self) -> tuple[MeterPreview, ...]:
        """The meters whose factor nobody could confirm."""
        return tuple(meter for meter in self.meters if meter.confidence == "unconfirmed")


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did: transactions that are new, and the log entries of the first and last."""

    added: int
    packets: int
    first_entry: int | None
    last_entry: int | None


class ImportDraft(msgspec.Struct, frozen=True, kw_only=True):
    """One import of one user.

    `file` is the name that the upload had, `mapping` the TOML once there is one. `stopped` says why
    an import came to a halt; what is in the ledger stays there, and it can be gone on with.
    """

    id: str
    login: str
    party: str
    file: str
    size: int
    made_s: int
    stage: Stage = "mapping"
    encoding: str = ""
    delimiter: str = ""
    mapping: str = ""
    preview: Preview | None = None
    note: Finding | None = None
    stopped: Finding | None = None
    outcome: Outcome | None = None


class ImportDrafts:
    """The drafts of all users, below the folder of one ledger. Threads may share it."""

    def __init__(self, ledger: Path) -> None:
        self._root = ledger / FOLDER
        self._lock = threading.Lock()

    def partial(self) -> Path:
        """A new file for an upload; whoever asks for it removes it, or hands it to `add`."""
        self._root.mkdir(mode=0o700, exist_ok=True)
        descriptor, name = tempfile.mkstemp(suffix=".partial", dir=self._root)
        os.close(descriptor)
        return Path(name)

    def add(
        self, upload: Path, *, login: str, party: str, file: str, now_s: int, mapping: str = ""
    ) -> ImportDraft:
        """Keep an upload as a new draft. Raises ``import.drafts`` where there are too many."""
        with self._lock:
            self._sweep(now_s)
            self._make_room(login)
            draft = ImportDraft(
                id=secrets.token_urlsafe(12),
                login=login,
                party=party,
                file=file,
                size=upload.stat().st_size,
                made_s=now_s,
                mapping=mapping,
            )
            folder = self._folder(login) / draft.id
            folder.mkdir(mode=0o700, parents=True)
            upload.rename(folder / _READINGS)
            self.save(draft)
        return draft

    def save(self, draft: ImportDraft) -> None:
        """Keep what is known of a draft now, all of it or what was known before."""
        folder = self._folder(draft.login) / draft.id
        if not folder.is_dir():
            raise NO_DRAFT()
        partial = folder / f"{_STATE}.{secrets.token_hex(4)}"
        with partial.open("wb") as file:
            file.write(msgspec.json.encode(draft))
            file.flush()
            os.fsync(file.fileno())
        partial.rename(folder / _STATE)

    def find(self, login: str, draft_id: str) -> ImportDraft:
        """A draft of this user. Raises ``import.no_draft``."""
        found = None
        if _ID.fullmatch(draft_id):
            found = _read(self._folder(login) / draft_id)
        if found is None:
            raise NO_DRAFT()
        return found

    def of(self, login: str) -> list[ImportDraft]:
        """All drafts of this user, the newest first."""
        folders = self._folder(login).glob("*")
        found = [draft for folder in folders if (draft := _read(folder)) is not None]
        return sorted(found, key=lambda draft: (draft.made_s, draft.id), reverse=True)

    def readings(self, draft: ImportDraft) -> Path:
        """Where the draft's file is, until it is imported."""
        return self._folder(draft.login) / draft.id / _READINGS

    def drop_readings(self, draft: ImportDraft) -> None:
        """Remove the draft's file; what was found in it stays."""
        self.readings(draft).unlink(missing_ok=True)

    def remove(self, draft: ImportDraft) -> None:
        """Remove a draft with everything that is kept of it."""
        shutil.rmtree(self._folder(draft.login) / draft.id, ignore_errors=True)

    def _folder(self, login: str) -> Path:
        name = hashlib.sha256(b"wattproof imports of " + login.encode()).hexdigest()
        return self._root / name[:32]

    def _make_room(self, login: str) -> None:
        """Remove the oldest import that is done, where there is no more room."""
        drafts = self.of(login)
        done = [draft for draft in drafts if draft.stage == "done"]
        if len(drafts) >= MAX_DRAFTS:
            if not done:
                raise TOO_MANY(limit=MAX_DRAFTS)
            self.remove(done[-1])

    def _sweep(self, now_s: int) -> None:
        """Remove what nobody has touched for long: drafts of anybody, and parts of uploads."""
        for partial in self._root.glob("*.partial"):
            if _age_s(partial, now_s) > PARTIAL_S:
                partial.unlink(missing_ok=True)
        for folder in self._root.glob("*/*"):
            if _age_s(folder, now_s) > KEEP_S:
                shutil.rmtree(folder, ignore_errors=True)


def _read(folder: Path) -> ImportDraft | None:
    try:
        return msgspec.json.decode((folder / _STATE).read_bytes(), type=ImportDraft)
    except (OSError, msgspec.MsgspecError):  # gone, or written by another version
        return None


def _age_s(path: Path, now_s: int) -> int:
    try:
        return now_s - int(path.stat().st_mtime)
    except OSError:
        return 0
