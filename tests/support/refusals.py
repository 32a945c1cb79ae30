"""Assertions about refusals, by code and in both languages."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from tests.support.memory_ledger import MemoryLedger, key_of

from wattproof.core.errors import WattProofError
from wattproof.ledger.transaction import Body

__all__ = ["refused", "submit_refused"]


def refused(code: str, call: Callable[[], object]) -> None:
    """`call` raises this code, with a whole sentence in either language."""
    with pytest.raises(WattProofError) as caught:
        call()
    assert caught.value.code == code, str(caught.value)
    assert caught.value.text("en").endswith(".")
    assert re.search(r"[\u4e00-\u9fff].*。$", caught.value.text("zh"))


def submit_refused(ledger: MemoryLedger, code: str, body: Body, signer: str = "registrar") -> None:
    """The ledger refuses the transaction with this code, and nothing is left of it."""
    size = ledger.size
    refused(code, lambda: ledger.submit(body, key_of(signer)))
    assert ledger.size == size
    assert ledger.state.take_writes() == []
