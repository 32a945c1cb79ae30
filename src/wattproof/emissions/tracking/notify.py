"""The notifier of a running node: sees interrupts as they are raised, and tells who wants to know.

One thread looks at the ledger a few times a second; each output has a thread of its own, so that a
receiver that hangs holds up nobody else. What is to be sent lies in ``notices.db`` beside the
ledger (`Deliveries`).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Iterator
from typing import Final

from litestar.config.app import AppConfig
from litestar.plugins import InitPlugin

from wattproof.core.errors import WattProofError
from wattproof.emissions.tracking.deliveries import Deliveries
from wattproof.emissions.tracking.model import HOSTS, INTERRUPTS
from wattproof.emissions.tracking.notices import Notice, interrupt_notice
from wattproof.emissions.tracking.outputs import EVERYBODY, MqttOutput, Outputs, Webhook
from wattproof.emissions.tracking.senders import Sender, sender_of
from wattproof.engines.folder import LedgerFolder
from wattproof.ledger.state import Reading

__all__ = ["FILE", "LOOK_S", "Notifier"]

FILE: Final = "notices.db"
LOOK_S: Final = 0.2
"""How often the ledger is looked at: what a notice may lag behind its packet at most, and a bit."""

BEGUN: Final = ""
"""The host that nobody is: it is known once the ledger was looked at for the first time."""

log = logging.getLogger("wattproof.notices")


class Notifier(InitPlugin):
    """Starts and ends with the application."""

    def __init__(
        self, folder: LedgerFolder, outputs: Outputs, *, ledger_id: bytes, zone: str
    ) -> None:
        self._folder = folder
        self._ledger_id = ledger_id
        self._zone = zone
        self._outputs: tuple[Webhook | MqttOutput, ...] = (*outputs.webhook, *outputs.mqtt)
        self._senders: list[Sender] = []
        self._stop = threading.Event()
        self._more = threading.Condition()
        self._threads: list[threading.Thread] = []

    def on_app_init(self, app_config: AppConfig) -> AppConfig:
        """Start with the application, and stop before it does (Litestar)."""
        if self._outputs:
            app_config.on_startup.append(self.start)
            app_config.on_shutdown.insert(0, self.close)
        return app_config

    def start(self) -> None:
        """Begin to look and to send. What was raised before the first start ever is not told.

        Raises ``edge.mqtt.not_installed`` where MQTT is wanted and paho is missing.
        """
        self._senders = [sender_of(output) for output in self._outputs]
        self._deliveries = Deliveries(self._folder.path / FILE)
        work = [threading.Thread(target=self._look, name="wattproof-notices")]
        work += [
            threading.Thread(target=self._send, args=pair, name="wattproof-notice")
            for pair in zip(self._outputs, self._senders, strict=True)
        ]
        self._threads = work
        for thread in work:
            thread.start()

    def close(self) -> None:
        """Stop; what was not sent waits for the next start."""
        self._stop.set()
        with self._more:
            self._more.notify_all()
        for thread in self._threads:
            thread.join()
        for sender in self._senders:
            sender.close()
        if self._threads:
            self._deliveries.close()

    def deliver(self, host: str, notices: Iterable[Notice]) -> None:
        """Have other notices of a host sent as well; each is sent once."""
        if not self._outputs:
            return
        seen, still_open = self._deliveries.hosts().get(host, (0, ()))
        self._put(host, seen, still_open, notices)

    def _look(self) -> None:
        store = self._folder.read()
        try:
            known = self._deliveries.hosts()
            if not known:
                known = self._begin(store)
            while not self._stop.is_set():
                try:
                    for host in list(store.scan(HOSTS)):
                        before = known.get(host.host, (0, ()))
                        known[host.host] = self._look_at(store, host.host, host.interrupts, before)
                except WattProofError as error:
                    log.warning("%s", error)
                self._stop.wait(LOOK_S)
        finally:
            store.close()

    def _begin(self, reading: Reading) -> dict[str, tuple[int, tuple[int, ...]]]:
        """The first look ever: what there is already is remembered, and not told."""
        for host in reading.scan(HOSTS):
            self._put(host.host, host.interrupts, (), ())
        self._put(BEGUN, 0, (), ())
        return self._deliveries.hosts()

    def _look_at(
        self, reading: Reading, host: str, count: int, before: tuple[int, tuple[int, ...]]
    ) -> tuple[int, tuple[int, ...]]:
        """Notice what is new at a host: interrupts raised, and those that are over."""
        seen, still_open = before
        notices: list[Notice] = []
        open_now: list[int] = []
        for number in (*still_open, *range(seen + 1, count + 1)):
            record = reading.get(INTERRUPTS, host, number)
            assert record is not None, f"no interrupt {number} of {host}"
            happened = [False] if number > seen else []
            if record.over_entry >= 0:
                happened.append(True)
            else:
                open_now.append(number)
            notices += [
                interrupt_notice(
                    reading, record, over=over, ledger_id=self._ledger_id, zone=self._zone
                )
                for over in happened
            ]
        if notices or seen != count:
            self._put(host, count, open_now, notices)
        return count, tuple(open_now)

    def _put(self, host: str, seen: int, still_open: Iterable[int], made: Iterable[Notice]) -> None:
        pairs = [(name, notice) for notice in made for name in self._names(host)]
        self._deliveries.put(
            host, seen=seen, still_open=still_open, notices=pairs, now_s=time.time()
        )
        with self._more:
            self._more.notify_all()

    def _names(self, host: str) -> Iterator[str]:
        for output in self._outputs:
            if output.host in (EVERYBODY, host):
                yield output.name

    def _send(self, output: Webhook | MqttOutput, sender: Sender) -> None:
        while not self._stop.is_set():
            with self._more:
                due = self._deliveries.due(output.name, now_s=time.time())
                if not due:
                    self._more.wait(1)
            for one in due:
                if self._stop.is_set():
                    return
                try:
                    sender.send(one)
                    self._deliveries.sent(output.name, one.notice)
                except WattProofError as error:
                    log.warning("%s", error)
                    self._deliveries.failed(
                        output.name, one.notice, error=error.text(), now_s=time.time()
                    )
