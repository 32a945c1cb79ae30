from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.gateway.served import Served, serving


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A toy ledger for the tests of one module."""
    with serving(tmp_path_factory.mktemp("ledger")) as served:
        yield served
