"""Clients that race for the same balance, over the engine and the store that are really used."""

from __future__ import annotations

import threading
from pathlib import Path

from tests.support.memory_ledger import genesis_of, key_of

from wattproof.book import queries
from wattproof.book.contract import CONTRACT
from wattproof.book.model import DefineAsset, Issue, Movement, OpenAccount, Transfer
from wattproof.core.errors import Refused
from wattproof.engines.embedded import EmbeddedEngine
from wattproof.identity.contract import CONTRACT as IDENTITY
from wattproof.identity.contract import authorise
from wattproof.ledger.chain import Chain
from wattproof.ledger.genesis import sign_genesis
from wattproof.ledger.machine import Machine
from wattproof.ledger.store import Store
from wattproof.ledger.transaction import Body, sign_transaction

FOUNDERS = {"registrar": ("registrar",), "issuer": ("issuer",), "owner": (), "buyer": ()}
CLIENTS, EACH = 4, 5


def test_racing_transfers_never_overdraw(tmp_path: Path) -> None:
    """20 transfers of 600 out of 1,000, from four threads at once: one succeeds."""
    machine = Machine([IDENTITY, CONTRACT], authorise=authorise)
    store = Store.create(tmp_path / "ledger.db", machine.collections)
    genesis = sign_genesis(genesis_of(FOUNDERS), key_of("registrar"), nonce=bytes(16))
    chain = Chain.create(store, machine, log_key=key_of("log"), genesis=genesis, time_ms=1)
    engine = EmbeddedEngine(chain, workers=0)

    def signed(body: Body, signer: str) -> bytes:
        return sign_transaction(body, key_of(signer), ledger_id=engine.ledger_id)

    engine.submit(signed(DefineAsset(id="x", kind="energy", unit="Wh"), "issuer"))
    engine.submit(signed(OpenAccount(id="from"), "owner"))
    engine.submit(signed(OpenAccount(id="to"), "buyer"))
    engine.submit(signed(Issue(asset="x", account="from", amount=1000), "issuer"))
    body = Transfer(movements=(Movement(source="from", target="to", asset="x", amount=600),))
    raws = [[signed(body, "owner") for _ in range(EACH)] for _ in range(CLIENTS)]
    start = threading.Barrier(CLIENTS)
    outcomes: list[str] = []

    def client(mine: list[bytes]) -> None:
        start.wait()
        for raw in mine:
            try:
                engine.submit(raw)
                outcomes.append("taken")
            except Refused as refusal:
                outcomes.append(refusal.code)

    threads = [threading.Thread(target=client, args=(mine,)) for mine in raws]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["book.overdraft"] * (CLIENTS * EACH - 1) + ["taken"]
    assert queries.balance(store, account="from", asset="x") == 400
    assert queries.balance(store, account="to", asset="x") == 600
    assert queries.conservation(store)[0].sum == 0
    engine.close()
    store.close()
