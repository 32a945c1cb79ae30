"""Who sees an epoch on a node with accounts: its opener, its holders, and who sees everything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.site import Client, Site, copied
from tests.support.traced import codes_of

from wattproof.console.ledger_words import WORDS as CONSOLE
from wattproof.console.words import Words
from wattproof.core.errors import Lang
from wattproof.keys.sealed import EpochKey
from wattproof.ledger.transaction import Body, sign_transaction
from wattproof.node import WORDS
from wattproof.settlement.traces.model import GrantKey, OpenKey, PublishTraces
from wattproof.settlement.traces.sealing import granting, new_epoch_key, opening, publishing

ROUTES = "/api/v1/settlement/traces"


@pytest.fixture(scope="module")
def site(demo_ledger: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site of its own, in which nobody's key is replaced meanwhile."""
    running = copied(demo_ledger, tmp_path_factory.mktemp("traced") / "ledger")
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def epoch(site: Site) -> EpochKey:
    """An epoch of the demonstration's grid company, with the steel works among its holders."""
    key = new_epoch_key(site.writer.ledger_id)
    holders = {party: site.key_of(party).public for party in ("grid", "steel-works")}
    bodies: list[Body] = [opening(key, region="CN-SH", holders=holders)]
    bodies += publishing(key, codes_of(20), first=0)
    for body in bodies:
        raw = sign_transaction(body, site.key_of("grid"), ledger_id=site.writer.ledger_id)
        site.writer.engine.submit(raw)
    return key


def answers(client: Client, key: EpochKey) -> list[int]:
    epoch = f"{ROUTES}/epochs/{key.key_id.hex()}"
    paths = (f"{epoch}/copies", f"{epoch}/batches", f"{epoch}/batches/0")
    return [client.get(path).status_code for path in paths]


@pytest.mark.parametrize("login", ["grid", "steel", "registrar"])
def test_who_sees_an_epoch(site: Site, epoch: EpochKey, login: str) -> None:
    with site.client(login) as client:
        assert answers(client, epoch) == [200, 200, 200]
        listed = client.get(f"{ROUTES}/epochs").json()["items"]
        assert epoch.key_id.hex() in [one["key"] for one in listed]


@pytest.mark.parametrize("login", ["offices", "bank"])
def test_who_sees_nothing_of_it(site: Site, epoch: EpochKey, login: str) -> None:
    with site.client(login) as client:
        assert answers(client, epoch) == [403, 403, 403]
        listed = client.get(f"{ROUTES}/epochs").json()["items"]
        assert epoch.key_id.hex() not in [one["key"] for one in listed]


def test_who_has_not_signed_in(site: Site, epoch: EpochKey) -> None:
    with site.client() as client:
        assert answers(client, epoch) == [401, 401, 401]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_field_has_a_name(site: Site, epoch: EpochKey, lang: Lang) -> None:
    words = Words((CONSOLE, *WORDS), zone="UTC")
    (batch,) = publishing(epoch, codes_of(3), first=0)
    bodies: list[OpenKey | GrantKey | PublishTraces] = [
        opening(epoch, region="CN-SH", holders={"grid": site.key_of("grid").public}),
        granting(epoch, {"grid": site.key_of("grid").public}),
        batch,
    ]
    for body in bodies:
        for field in words.fields(body, lang=lang, reading=site.writer.store, signer=b""):
            assert field.label != field.name, field
