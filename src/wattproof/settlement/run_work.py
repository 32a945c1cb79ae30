"""Settlement runs beside the pages: one a region at most, done in a few threads.

How far a run is stands in the ledger; here is only who goes on with it. A node that stops in the
middle leaves the run open, and it is gone on with by whoever asks for it next: what is settled is
settled once.
"""

from __future__ import annotations

import logging
import secrets
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Final
from urllib.parse import quote

import msgspec
from litestar.config.app import AppConfig
from litestar.di import Provide
from litestar.plugins import InitPlugin

from wattproof.core.errors import WattProofError
from wattproof.engines.folder import LedgerFolder, Writer
from wattproof.gateway.errors import FAULT
from wattproof.keys.ed25519 import SigningKey
from wattproof.ledger.store import Store
from wattproof.settlement.model import OpenRun
from wattproof.settlement.queries import region_of
from wattproof.settlement.records import USAGE, Run
from wattproof.settlement.runner import Engine, settle_region

__all__ = ["AT_ONCE", "RunProgress", "RunWork"]

AT_ONCE: Final = 2
"""Regions that are settled at once."""
COUNTED_AT_ONCE: Final = 10_000

log = logging.getLogger("wattproof.settlement")


class RunProgress(msgspec.Struct):
    """How far a run is that is at work: meters done and in all, 0 where that is not known yet."""

    run: int = 0
    done: int = 0
    total: int = 0
    reached: int = 0


class _Closing(Exception):
    """The node is stopping; the run stays open."""


class RunWork(InitPlugin):
    """The runs of one open ledger that are at work.

    Handlers ask for it by the name ``run_work``. Closed when the application shuts down.
    """

    def __init__(self, folder: LedgerFolder, writer: Writer) -> None:
        self._engine: Engine = writer.engine
        self._ledger_id = writer.ledger_id
        self._reader: Store = folder.read()
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="wattproof-settle")
        self._lock = threading.Lock()
        self._at_work: dict[str, RunProgress] = {}
        self._troubles: dict[str, WattProofError] = {}
        self._closing = False

    def on_app_init(self, app_config: AppConfig) -> AppConfig:
        """Give it to handlers (Litestar)."""
        app_config.dependencies["run_work"] = Provide(lambda: self, sync_to_thread=False)
        app_config.on_shutdown.insert(0, self.close)
        return app_config

    def close(self) -> None:
        """Let every run come to a halt, and wait for it."""
        self._closing = True
        self._pool.shutdown(cancel_futures=True)
        self._reader.close()

    def progress(self, region: str) -> RunProgress | None:
        """How far the region's run is; None where none is at work here."""
        return self._at_work.get(region)

    def trouble(self, region: str) -> WattProofError | None:
        """Why the region's last run came to a halt here; None where it did not."""
        return self._troubles.get(region)

    def start(self, region: str, *, key: SigningKey, until_s: int) -> None:
        """Settle the region's meters for hours that end up to `until_s`; `key` is the operator's.

        A run that is open is gone on with. Nothing happens where the region is at work already.
        """
        with self._lock:
            if region in self._at_work or self._closing:
                return
            self._troubles.pop(region, None)
            progress = self._at_work[region] = RunProgress()
        self._pool.submit(self._work, region, key, until_s, progress)

    def follow(self, opened: OpenRun, key: SigningKey | None) -> str:
        """Go on with a run that was opened on a page; the page on which it is looked at."""
        if key is not None:
            self.start(opened.region, key=key, until_s=opened.until_s)
        number = region_of(self._reader, opened.region).runs
        return f"/settlement/regions/{quote(opened.region, safe='')}/runs/{number}"

    # --- inside ----------------------------------------------------------------------------

    def _work(self, region: str, key: SigningKey, until_s: int, progress: RunProgress) -> None:
        def tell(run: Run, meters: int) -> None:
            if self._closing:
                raise _Closing
            self._note(progress, run, meters)

        try:
            settle_region(
                self._reader,
                self._engine,
                region=region,
                key=key,
                ledger_id=self._ledger_id,
                until_s=until_s,
                tell=tell,
            )
        except _Closing:
            log.info("the run of %s is gone on with when somebody asks for it", region)
        except WattProofError as error:
            self._halted(region, error)
        except Exception as error:
            fault = secrets.token_hex(4)
            log.exception("%s: a settlement run failed", fault, exc_info=error)
            self._halted(region, FAULT(fault=fault))
        finally:
            with self._lock:
                self._at_work.pop(region, None)

    def _halted(self, region: str, error: WattProofError) -> None:
        if not self._closing:
            log.info("the run of %s came to a halt: %s", region, error)
            self._troubles[region] = error

    def _note(self, progress: RunProgress, run: Run, meters: int) -> None:
        """Count the meters behind those that were counted before, up to where the run is."""
        if progress.run != run.number:
            progress.done = progress.reached = 0
        while progress.reached < run.reached:
            keys = self._reader.keys(
                USAGE,
                "region",
                (run.region,),
                after=(progress.reached,),
                limit=COUNTED_AT_ONCE,
            )
            done = [one for one in (int(number) for (number,) in keys) if one <= run.reached]
            progress.done += len(done)
            progress.reached = done[-1] if len(done) == COUNTED_AT_ONCE else run.reached
        progress.run, progress.total = run.number, meters
