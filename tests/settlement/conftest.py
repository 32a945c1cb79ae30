"""A served site whose region is settled, for one module of tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.site import Site


@pytest.fixture(scope="module")
def market(settled_ledger: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site over the settled ledger: what one test writes there the others of its module see."""
    from tests.support.site import serving_a_copy

    with serving_a_copy(settled_ledger, tmp_path_factory.mktemp("market") / "ledger") as site:
        yield site
