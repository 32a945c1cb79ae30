"""The node's figures, for Prometheus: requests, and how far the ledger has come."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from wattproof.ledger.store import Store

__all__ = ["METRICS_MEDIA_TYPE", "Metrics"]

METRICS_MEDIA_TYPE: Final = "text/plain; version=0.0.4"

BUCKETS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Upper borders of the durations, in seconds."""


class Metrics:
    """The figures of one application, apart from any other in the same process."""

    def __init__(self, ledger: Store, *, waiting: Callable[[], int]) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "wattproof_http_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "wattproof_http_request_seconds",
            "From the request's head to the end of its answer.",
            ("method", "route"),
            buckets=BUCKETS_S,
            registry=self._registry,
        )
        self._registry.register(_LedgerFigures(ledger, waiting))
        ProcessCollector(registry=self._registry)

    def count(self, *, method: str, route: str, status: int, duration_ns: int) -> None:
        """Count one answered request."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(duration_ns / 1e9)

    def text(self) -> bytes:
        """Everything, in the text format."""
        return generate_latest(self._registry)


class _LedgerFigures(Collector):
    """Read from the ledger whenever somebody asks."""

    def __init__(self, ledger: Store, waiting: Callable[[], int]) -> None:
        self._ledger = ledger
        self._waiting = waiting

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterable[Metric]:
        block = self._ledger.latest_block()
        if block is not None:
            yield GaugeMetricFamily("wattproof_log_entries", "Entries of the log.", block.size)
            yield GaugeMetricFamily(
                "wattproof_block_height", "Height of the newest block.", block.height
            )
            yield GaugeMetricFamily(
                "wattproof_block_time_seconds", "Its time, Unix UTC.", block.time_ms // 1000
            )
        yield GaugeMetricFamily(
            "wattproof_submissions_waiting",
            "Transactions taken from clients and not yet answered.",
            self._waiting(),
        )
