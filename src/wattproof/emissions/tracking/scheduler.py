"""Reports that a running node files by itself, as ``outputs.toml`` asks for (`ScheduledReport`).

A report is filed once, when all ports of its binding have reported to the end of the period, or
some time after it. The node signs as the ledger's operator, who is a registrar; the report says
whose it is. What was filed is found on the ledger, so a restart files nothing twice.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from litestar.config.app import AppConfig
from litestar.plugins import InitPlugin

from wattproof.core.errors import WattProofError
from wattproof.core.periods import Step, bucket_bounds, iso, parse_time
from wattproof.emissions.live import live_lake
from wattproof.emissions.tracking.error_report import error_report
from wattproof.emissions.tracking.filing import filing_of
from wattproof.emissions.tracking.model import BINDINGS, PORTS, REPORTS, FiledReport, FileReport
from wattproof.emissions.tracking.notices import Notice
from wattproof.emissions.tracking.outputs import ScheduledReport
from wattproof.engines.folder import LedgerFolder, Writer
from wattproof.keys.ed25519 import SigningKey
from wattproof.ledger.leaf import leaf_parts
from wattproof.ledger.store import Store
from wattproof.ledger.transaction import content_nonce, sign_transaction
from wattproof.metering.model import STREAMS

__all__ = ["PERIOD_OF", "Scheduler"]

PERIOD_OF: Final[Mapping[Step, Step]] = {
    "hour": "day",
    "day": "month",
    "month": "year",
    "year": "year",
}
"""Of what a report by each step is."""
LOOK_S: Final = 10
"""How often it is looked whether a period is over."""

log = logging.getLogger("wattproof.reports")

Tell = Callable[[str, Iterable[Notice]], None]


class Scheduler(InitPlugin):
    """Starts and ends with the application.

    `key` gives the operator's key and is asked when it is needed first; `tell` is given notices.
    """

    def __init__(
        self,
        folder: LedgerFolder,
        writer: Writer,
        reports: Iterable[ScheduledReport],
        *,
        key: Callable[[], SigningKey],
        zone: str,
        tell: Tell,
    ) -> None:
        self._folder = folder
        self._writer = writer
        self._reports = tuple(reports)
        self._read_key = key
        self._key: SigningKey | None = None
        self._zone = zone
        self._tell = tell
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def on_app_init(self, app_config: AppConfig) -> AppConfig:
        """Start with the application, and stop before it does (Litestar)."""
        if self._reports:
            app_config.on_startup.append(self.start)
            app_config.on_shutdown.insert(0, self.close)
        return app_config

    def start(self) -> None:
        """Begin to look."""
        self._thread = threading.Thread(target=self._run, name="wattproof-reports")
        self._thread.start()

    def close(self) -> None:
        """Stop, when the report at hand is filed."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def file_due(self, now_s: int) -> int:
        """File every report whose time has come at `now_s`; how many those were."""
        store = self._folder.read()
        try:
            return sum(self._file(store, wanted, now_s) for wanted in self._reports)
        finally:
            store.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                filed = self.file_due(int(time.time()))
            except WattProofError as error:
                log.warning("%s", error)
                filed = 0
            if not filed:
                self._stop.wait(LOOK_S)

    def _file(self, store: Store, wanted: ScheduledReport, now_s: int) -> bool:
        """File the next report of one kind, if its period is over."""
        period = self._next_period(store, wanted)
        if period is None:
            return False
        from_s, to_s = period
        reached_s = self._reached(store, wanted)
        if now_s < to_s or (reached_s < to_s and now_s < to_s + wanted.grace_s):
            return False
        lake = live_lake(self._folder).up_to_date(store)
        report = error_report(
            store,
            lake,
            host=wanted.host,
            group=wanted.group,
            step=wanted.by,
            zone=self._zone,
            from_s=from_s,
            to_s=to_s,
            set_=wanted.set,
        )
        body = filing_of(report)
        if self._key is None:
            self._key = self._read_key()
        raw = sign_transaction(
            body, self._key, ledger_id=self._writer.ledger_id, nonce=content_nonce(body)
        )
        receipt = self._writer.engine.submit(raw)
        self._tell(wanted.host, [self._notice(body, receipt.index, report.text)])
        return True

    def _next_period(self, store: Store, wanted: ScheduledReport) -> tuple[int, int] | None:
        """The period after the last one filed, or the first of all."""
        binding = store.get(BINDINGS, wanted.host, wanted.group)
        if binding is None:
            return None
        before = [found for found in store.scan(REPORTS, wanted.host) if _is(found, wanted)]
        if before:
            at_s = max(found.to_s for found in before)
        elif wanted.since:
            at_s = parse_time(wanted.since, self._zone)
        else:
            at_s = leaf_parts(store.entry(binding.entry).leaf)[1] // 1000
        first_s, last_s = bucket_bounds(at_s, at_s, PERIOD_OF[wanted.by], self._zone)
        return first_s, last_s

    def _reached(self, store: Store, wanted: ScheduledReport) -> int:
        """Up to when all ports of the binding have reported; 0 where one never has."""
        binding = store.get(BINDINGS, wanted.host, wanted.group)
        assert binding is not None, "a period was found for it"
        reached = []
        for number in binding.left + binding.right:
            port = store.get(PORTS, wanted.host, number)
            assert port is not None, f"port {number} is bound"
            stream = store.get(STREAMS, port.meter)
            reached.append(0 if stream is None else stream.end_s)
        return min(reached)

    def _notice(self, body: FileReport, entry: int, text: str) -> Notice:
        ledger = self._writer.ledger_id.hex()
        start, end = iso(body.from_s, self._zone), iso(body.to_s, self._zone)
        return Notice(
            id=f"{ledger}/{body.host}/{body.digest.hex()}/report",
            ledger=ledger,
            what="report",
            host=body.host,
            number=0,
            group=body.group,
            binding=text,
            set=body.set,
            entry=entry,
            start=start,
            end=end,
            digest=body.digest.hex(),
            en=f"The error report of {body.host}, {text}, from {start} to {end} is filed.",
            zh=f"{body.host} 的误差报告（{text}，{start} 至 {end}）已入账。",
        )


def _is(found: FiledReport, wanted: ScheduledReport) -> bool:
    return (found.group, found.set, found.step) == (wanted.group, wanted.set, wanted.by)
