"""Reading files and importing them beside the pages: one job a draft, in a few threads.

A job writes down how far it got when it ends; while it runs, its progress is in memory. A node that
stops in the middle leaves the draft where it was, and it is gone on with: an import works out anew
what the ledger does not have yet, so nothing is ever there twice.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any, Final, Protocol

import msgspec
from litestar.config.app import AppConfig
from litestar.di import Provide
from litestar.plugins import InitPlugin
from msgspec.structs import replace

from wattproof.core.errors import Conflict, ErrorCode, Unavailable, WattProofError
from wattproof.core.periods import iso
from wattproof.emissions.import_drafts import (
    SHOWN_GAPS,
    Finding,
    FirstReading,
    ImportDraft,
    ImportDrafts,
    MeterPreview,
    Outcome,
    Preview,
    Signatures,
)
from wattproof.emissions.intake import (
    Importer,
    ImportPlan,
    Keys,
    MeterSummary,
    meter_summary,
    plan_import,
    run_import,
)
from wattproof.emissions.queries import latest_factor
from wattproof.engines.folder import LedgerFolder, Writer
from wattproof.gateway.errors import FAULT
from wattproof.identity.model import EnrolDevice
from wattproof.keys.ed25519 import SigningKey
from wattproof.ledger.chain import Receipt
from wattproof.ledger.store import Store
from wattproof.metering.columns import Series
from wattproof.metering.csvfile import FileReadings, read_csv
from wattproof.metering.mapping import read_map
from wattproof.metering.model import Packet
from wattproof.metering.problems import BadFile

__all__ = ["AT_ONCE", "FIRST_READINGS", "MAX_WAITING", "ImportWork", "Progress"]

AT_ONCE: Final = 2
"""Jobs that are done at once: each holds a file's readings in memory."""
MAX_WAITING: Final = 32
"""Jobs that may be done or wait at once."""
FIRST_READINGS: Final = 5
"""Readings of each meter that are shown before they are imported."""

CHANGED = ErrorCode(
    Conflict,
    "import.changed",
    en="The ledger has changed since you looked at this import; look at it again.",
    zh="您查看之后账本已发生变化，请重新核对。",
)
BUSY = ErrorCode(
    Unavailable,
    "import.busy",
    en="{limit} files are being read or imported already; try again.",
    zh="已有 {limit} 个文件在读取或导入，请稍后重试。",
)

log = logging.getLogger("wattproof.import")


class _Closing(Exception):
    """The node is stopping; the draft stays as it is."""


class Progress(msgspec.Struct):
    """How far a job is: transactions done and in all, 0 where that is not known yet."""

    done: int = 0
    total: int = 0


class _Engine(Protocol):
    def submit_many(self, raws: Sequence[bytes]) -> Sequence[Any]: ...


class ImportWork(InitPlugin):
    """The drafts of one open ledger, and the jobs on them.

    Handlers ask for it by the name ``imports``. Closed when the application shuts down.
    """

    def __init__(self, folder: LedgerFolder, writer: Writer) -> None:
        self.drafts: Final = ImportDrafts(folder.path)
        self._folder = folder
        self._engine: _Engine = writer.engine
        self._ledger_id = writer.ledger_id
        self._reader: Store = folder.read()
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="wattproof-import")
        self._lock = threading.Lock()
        self._jobs: dict[str, Progress] = {}
        self._closing = False

    def on_app_init(self, app_config: AppConfig) -> AppConfig:
        """Give it to handlers (Litestar)."""
        app_config.dependencies["imports"] = Provide(lambda: self, sync_to_thread=False)
        app_config.on_shutdown.insert(0, self.close)
        return app_config

    def close(self) -> None:
        """Let every job come to a halt, and wait for it."""
        self._closing = True
        self._pool.shutdown(cancel_futures=True)
        self._reader.close()

    def progress(self, draft: ImportDraft) -> Progress | None:
        """How far the job on a draft is; None where none is at work."""
        return self._jobs.get(draft.id)

    def check(self, draft: ImportDraft, *, key: SigningKey | None) -> None:
        """Read the draft's file with its mapping, and work out what importing it would sign.

        `key` is that of the importing party; without it the file is read, and no more. Nothing
        happens where a job on the draft is at work. Raises ``import.busy``.
        """
        began = replace(draft, stage="checking", preview=None, note=None, stopped=None)
        self._start(began, lambda progress: self._check(began, key, progress))

    def run(self, draft: ImportDraft, *, key: SigningKey) -> None:
        """Submit what the draft's preview showed, or go on with what was begun.

        Nothing happens where a job on the draft is at work. Raises ``import.busy``.
        """
        began = replace(draft, stage="running", stopped=None, note=None)
        resumed = draft.stage == "running"
        self._start(began, lambda progress: self._run(began, key, progress, resumed=resumed))

    # --- inside ----------------------------------------------------------------------------

    def _start(self, draft: ImportDraft, job: Callable[[Progress], ImportDraft]) -> None:
        with self._lock:
            if draft.id in self._jobs:
                return
            if len(self._jobs) >= MAX_WAITING:
                raise BUSY(limit=MAX_WAITING)
            self.drafts.save(draft)
            progress = self._jobs[draft.id] = Progress()
        self._pool.submit(self._work, draft, job, progress)

    def _work(
        self, draft: ImportDraft, job: Callable[[Progress], ImportDraft], progress: Progress
    ) -> None:
        """Do a job, and keep what it came to."""
        try:
            self.drafts.save(job(progress))
        except _Closing:
            log.info("import %s is gone on with after the next start", draft.id)
        except WattProofError as error:  # the draft itself is gone
            log.info("import %s: %s", draft.id, error)
        finally:
            with self._lock:
                self._jobs.pop(draft.id, None)

    def _check(self, draft: ImportDraft, key: SigningKey | None, progress: Progress) -> ImportDraft:
        preview = self._guarded(lambda: self._preview(draft, key, progress))
        if isinstance(preview, Finding):
            preview = Preview(finding=preview)
        return replace(draft, stage="checked", preview=preview)

    def _preview(self, draft: ImportDraft, key: SigningKey | None, progress: Progress) -> Preview:
        try:
            file = self._read(draft, progress)
        except BadFile as bad:
            good_rows = bad.params["good_rows"]
            assert isinstance(good_rows, int)
            return Preview(problems=bad.problems, count=bad.count, good_rows=good_rows)
        if key is None:
            return Preview(rows=file.rows, meters=tuple(_known(file)))
        with self._folder.keys() as keys:
            return _preview_of(self._reader, file, self._plan(draft, file, key, keys))

    def _run(
        self, draft: ImportDraft, key: SigningKey, progress: Progress, *, resumed: bool
    ) -> ImportDraft:
        found = self._guarded(lambda: self._imported(draft, key, progress, resumed=resumed))
        if isinstance(found, Finding):
            return replace(draft, stopped=found)
        if isinstance(found, Preview):
            return replace(draft, stage="checked", preview=found, note=Finding.of(CHANGED()))
        self.drafts.drop_readings(draft)
        return replace(draft, stage="done", outcome=found)

    def _imported(
        self, draft: ImportDraft, key: SigningKey, progress: Progress, *, resumed: bool
    ) -> Outcome | Preview:
        """What was added; or, where that is not what was shown, what would be shown now."""
        file = self._read(draft, progress)
        with self._folder.keys() as keys:
            plan = self._plan(draft, file, key, keys)
            shown = draft.preview
            assert shown is not None, "an import is looked at before it is begun"
            same = (plan.packets, plan.transactions) == (shown.packets, shown.transactions)
            if not resumed and not same:
                return _preview_of(self._reader, file, plan)
            return self._submitted(plan, progress)

    def _submitted(self, plan: ImportPlan, progress: Progress) -> Outcome:
        """What was added by submitting all of a plan."""
        engine = _Counting(self._engine)

        def tell(done: int, total: int) -> None:
            progress.done, progress.total = done, total
            self._stop_if_closing()

        progress.total = plan.transactions
        run_import(plan, engine, progress=tell)
        return engine.outcome(plan.packets)

    def _read(self, draft: ImportDraft, progress: Progress) -> FileReadings:
        self._stop_if_closing()
        progress.done = progress.total = 0
        return read_csv(self.drafts.readings(draft), read_map(draft.mapping))

    def _plan(
        self, draft: ImportDraft, file: FileReadings, key: SigningKey, keys: Keys
    ) -> ImportPlan:
        self._stop_if_closing()
        importer = Importer(party=draft.party, key=key, ledger_id=self._ledger_id)
        return plan_import(self._reader, file, keys=keys, importer=importer, now_s=int(time.time()))

    def _guarded(self, work: Callable[[], Any]) -> Any:
        """What `work` gives, or why it could not be done."""
        try:
            return work()
        except _Closing:
            raise
        except WattProofError as error:
            self._stop_if_closing()
            return Finding.of(error)
        except Exception as error:
            self._stop_if_closing()
            fault = secrets.token_hex(4)
            log.exception("%s: an import failed", fault, exc_info=error)
            return Finding.of(FAULT(fault=fault))

    def _stop_if_closing(self) -> None:
        if self._closing:
            raise _Closing


class _Counting:
    """Submits to an engine and notes what became of it."""

    def __init__(self, engine: _Engine) -> None:
        self._engine = engine
        self._entries: list[int] = []
        self._added = 0

    def submit_many(self, raws: Sequence[bytes]) -> Sequence[Any]:
        answers = self._engine.submit_many(raws)
        first = [one.index for one in answers if isinstance(one, Receipt) and one.first]
        if first:
            self._added += len(first)
            self._entries = [min(first + self._entries), max(first + self._entries)]
        return answers

    def outcome(self, packets: int) -> Outcome:
        """What was added."""
        first, last = self._entries or (None, None)
        return Outcome(added=self._added, packets=packets, first_entry=first, last_entry=last)


def _preview_of(reader: Store, file: FileReadings, plan: ImportPlan) -> Preview:
    meters = tuple(
        _with_factor(reader, _meter(summary, series))
        for summary, series in zip(plan.meters, file.series, strict=True)
    )
    return Preview(
        rows=file.rows,
        meters=meters,
        signatures=tuple(_signatures(plan)),
        packets=plan.packets,
        transactions=plan.transactions,
    )


def _signatures(plan: ImportPlan) -> Iterator[Signatures]:
    """What will be signed, by type, in the order in which it comes."""
    counts = Counter(type(body) for body in plan.before)
    if plan.packets:
        counts[Packet] = plan.packets
    for body, count in counts.items():
        spec = body.spec
        yield Signatures(
            type=f"{spec.type} v{spec.version}",
            en=spec.en,
            zh=spec.zh,
            count=count,
            by_meter=body in (EnrolDevice, Packet),
        )


def _known(file: FileReadings) -> Iterator[MeterPreview]:
    """The meters of a file, without the ledger."""
    for series in file.series:
        yield _meter(meter_summary(series, added=0), series)


def _meter(summary: MeterSummary, series: Series) -> MeterPreview:
    zone = series.map.zone
    first = (
        FirstReading(
            start=iso(run.start_s + at * run.interval_s, zone),
            end=iso(run.start_s + (at + 1) * run.interval_s, zone),
            amount=amount,
        )
        for run in series.runs
        for at, amount in enumerate(run.amounts[:FIRST_READINGS])
    )
    return MeterPreview(
        summary=replace(summary, gap_list=summary.gap_list[:SHOWN_GAPS]),
        first=tuple(islice(first, FIRST_READINGS)),
        factor=series.map.factor or "",
    )


def _with_factor(reader: Store, meter: MeterPreview) -> MeterPreview:
    if not meter.factor:
        return meter
    stated = latest_factor(reader, meter.factor).stated
    return replace(
        meter,
        factor_en=stated.name_en,
        factor_zh=stated.name_zh,
        confidence=stated.confidence,
    )
