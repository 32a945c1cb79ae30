"""Epochs of trace codes on their pages: to whom they are shown, and that nothing is opened."""

from __future__ import annotations

import pytest
from tests.support.market import text_of
from tests.support.site import Site

from wattproof.settlement.traces.model import BATCHES, EPOCHS, Epoch

PAGE = "/settlement/trace-keys"


@pytest.fixture
def epoch(market: Site) -> Epoch:
    (found,) = market.writer.store.scan(EPOCHS)
    return found


def test_the_opener_and_the_holders_see_an_epoch(market: Site, epoch: Epoch) -> None:
    for login, word in (("grid", "you hold it"), ("wind", "you hold it"), ("registrar", "others")):
        with market.client(login) as client:
            assert word in text_of(client.page(PAGE))
            shown = text_of(client.page(f"{PAGE}/{epoch.key.hex()}"))
        assert "wind-farm" in shown
        assert "sealed: only holders of the key can read it" in shown
    batches = market.writer.store.scan(BATCHES, epoch.key)
    assert f"{sum(one.codes for one in batches)} in {epoch.batches} batch" in shown


def test_how_to_search_is_told_with_ones_own_name(market: Site, epoch: Epoch) -> None:
    with market.client("wind") as client:
        page = client.page(PAGE)
        assert "wattproof trace search DIR --as wind-farm" in page
        assert "trace new" not in page
        assert "trace grant" not in client.page(f"{PAGE}/{epoch.key.hex()}")
    with market.client("grid") as client:
        assert "wattproof trace new DIR --as grid" in client.page(PAGE)
        assert "wattproof trace grant" in client.page(f"{PAGE}/{epoch.key.hex()}")


@pytest.mark.parametrize("login", ["steel", "offices", "bank", "citizen"])
def test_nobody_else_does(market: Site, epoch: Epoch, login: str) -> None:
    with market.client(login) as client:
        page = client.page(PAGE)
        assert "No epochs yet" in page
        assert epoch.key.hex()[:16] not in page
        for key in (epoch.key.hex(), "00" * 16, "zz" * 16, "00"):
            assert client.get(f"{PAGE}/{key}").status_code == 403


def test_epochs_that_there_are_not(market: Site) -> None:
    with market.client("registrar") as client:
        for key in ("00" * 16, "zz" * 16, "00"):
            assert client.get(f"{PAGE}/{key}").status_code == 404
