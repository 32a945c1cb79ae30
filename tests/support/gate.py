"""An engine that waits to be let through: what tests of work in the background need."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, Protocol

__all__ = ["Gate"]


class _Engine(Protocol):
    def submit_many(self, raws: Sequence[bytes]) -> Sequence[Any]: ...


class Gate:
    """Hands on as many calls as `allowed` was released for; with a `failure`, raises it instead."""

    def __init__(self, engine: _Engine) -> None:
        self._engine = engine
        self.allowed = threading.Semaphore(0)
        self.failure: Exception | None = None

    def submit_many(self, raws: Sequence[bytes]) -> Sequence[Any]:
        """As the engine does it."""
        assert self.allowed.acquire(timeout=20), "nobody lets it through"
        if self.failure is not None:
            raise self.failure
        return self._engine.submit_many(raws)
