"""The lake of a running node, and the page while it is being made."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest
from tests.support.site import Site

from wattproof.analytics.project import project
from wattproof.console import kept
from wattproof.emissions import live as module
from wattproof.emissions.live import live_lake
from wattproof.engines.folder import LedgerFolder
from wattproof.node import machine


def test_one_lake_for_all(demo_ledger: Path, tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    shutil.copytree(demo_ledger, path)
    folder = LedgerFolder(path, machine())
    store = folder.read()
    live = live_lake(folder)
    assert live_lake(folder) is live
    assert live.entries == 0
    lake = live.up_to_date(store)
    assert lake.cursor == store.size
    assert live.up_to_date(store) is lake
    assert live.entries <= store.size
    store.close()


def test_a_page_while_the_lake_is_made(fresh_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    go = threading.Event()

    def slow(*args: object, **options: object) -> int:
        assert go.wait(20)
        return project(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "project", slow)
    monkeypatch.setattr(kept, "FIRST_WAIT_S", 0.05)
    with fresh_site.client("registrar") as client:
        page = client.page("/")
        assert "The readings are being prepared" in page
        assert '<meta http-equiv="refresh"' in page
        assert f"of {fresh_site.size} entries" in page
        assert "not complete yet" in client.page("/meters/steel-main")
        go.set()
        for _ in range(100):
            page = client.page("/")
            if "1,107 MWh" in page:
                break
        assert "1,107 MWh" in page
        assert "was authenticated" in client.page("/meters/steel-main")
