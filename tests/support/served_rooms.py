"""A small region on disk, served by the real server with every room's routes.

Parties ``authority``, ``owner``, ``supplier``, ``consumer``, ``issuer``; meters ``m0`` to ``m4`` of
``owner`` (``m4`` only enrolled), of which ``m0`` has reported, with a gap, under factor ``grid``;
accounts ``a-owner`` and ``a-consumer``, the asset ``power``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from tests.support.memory_ledger import START_MS, genesis_of, key_of
from tests.support.meters import QUARTER_S, packet_of, statement

from wattproof.book import api as book_api
from wattproof.book.contract import CONTRACT as BOOK
from wattproof.book.model import DefineAsset, Issue, Movement, OpenAccount, Transfer
from wattproof.emissions import api as emissions_api
from wattproof.emissions.contract import CONTRACT as EMISSIONS
from wattproof.emissions.model import AssignFactor, PublishFactors
from wattproof.engines.folder import LOG_KEY, LedgerFolder, Writer
from wattproof.gateway.app import make_app
from wattproof.gateway.host import Host
from wattproof.gateway.server import ServerThread
from wattproof.identity import api as identity_api
from wattproof.identity.contract import CONTRACT as IDENTITY
from wattproof.identity.contract import authorise
from wattproof.identity.model import (
    AssociateDevice,
    AuthenticateDevice,
    ConfirmDevice,
    EnrolDevice,
    RegisterParty,
)
from wattproof.ledger.chain import Receipt
from wattproof.ledger.genesis import sign_genesis
from wattproof.ledger.machine import Machine
from wattproof.ledger.transaction import NONCE_BYTES, Body, sign_transaction
from wattproof.metering import api as metering_api
from wattproof.metering.contract import CONTRACT as METERING

__all__ = ["DAY_S", "METERS", "Region", "serving_region"]

DAY_S = 1_689_868_800
"""2023-07-21 00:00 in Shanghai: when ``m0`` begins to report."""

METERS = ("m0", "m1", "m2", "m3", "m4")

FOUNDERS = {
    "registrar": ("registrar",),
    "authority": ("metering_authority",),
    "publisher": ("factor_authority",),
    "issuer": ("issuer",),
}
PARTIES = {"owner": (), "supplier": ("supplier",), "consumer": ("consumer",)}


class Region:
    """The running server, a client to it, and who submits."""

    def __init__(self, folder: LedgerFolder, writer: Writer, client: httpx.Client) -> None:
        self.folder = folder
        self.writer = writer
        self.client = client

    def submit(self, steps: Iterable[tuple[Body, str]]) -> list[Receipt]:
        """Submit transactions, each signed by `key_of` a name; all must be accepted."""
        raws = [
            sign_transaction(body, key_of(name), ledger_id=self.writer.ledger_id)
            for body, name in steps
        ]
        receipts = []
        for answer in self.writer.engine.submit_many(raws):
            if not isinstance(answer, Receipt):
                raise answer
            receipts.append(answer)
        return receipts

    def json(self, path: str, **params: Any) -> Any:
        """What a GET below /api/v1 gives, which must be 200."""
        answer = self.client.get(f"/api/v1/{path}", params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refused(self, path: str, **params: Any) -> tuple[int, str]:
        """Status and code of a GET below /api/v1 that must be refused."""
        answer = self.client.get(f"/api/v1/{path}", params=params)
        assert answer.headers["content-type"] == "application/problem+json", answer.text
        return answer.status_code, answer.json()["code"]


@contextmanager
def serving_region(path: Path) -> Iterator[Region]:
    """A new region in `path`, served until the block ends."""
    machine = Machine([IDENTITY, BOOK, METERING, EMISSIONS], authorise=authorise)
    folder = LedgerFolder(path, machine)
    with folder.create_keys() as keys:
        keys.add(LOG_KEY, key_of("log"))
    genesis = sign_genesis(genesis_of(FOUNDERS), key_of("registrar"), nonce=bytes(NONCE_BYTES))
    folder.create(genesis=genesis, first=[], log_key=key_of("log"), time_ms=START_MS)
    rooms = (identity_api, book_api, metering_api, emissions_api)
    with folder.write(workers=0) as writer:
        host = Host(
            folder=folder, writer=writer, version="test", routers=[room.router() for room in rooms]
        )
        with (
            ServerThread(make_app(host)) as server,
            httpx.Client(base_url=server.url, timeout=30) as client,
        ):
            region = Region(folder, writer, client)
            for steps in (_parties(), _meters(), _reports(), _book()):
                region.submit(steps)
            yield region


def _parties() -> Iterator[tuple[Body, str]]:
    for id_, roles in PARTIES.items():
        yield (
            RegisterParty(
                id=id_,
                kind="organisation",
                key=key_of(id_).public,
                name=f"Organisation {id_}",
                roles=roles,
            ),
            "registrar",
        )


def _meters() -> Iterator[tuple[Body, str]]:
    for id_ in METERS:
        quantity = "electricity.export" if id_ == "m3" else "electricity.import"
        yield EnrolDevice(id=id_, owner="owner", quantity=quantity, zone="Asia/Shanghai"), id_
    for id_ in METERS[:-1]:
        yield AuthenticateDevice(device=id_, evidence=bytes(32)), "authority"
        yield ConfirmDevice(device=id_), "owner"
    yield (
        AssociateDevice(
            device="m0",
            point="p-1",
            region="CN-SH",
            suppliers=("supplier",),
            consumers=("consumer",),
        ),
        "owner",
    )


def _reports() -> Iterator[tuple[Body, str]]:
    yield PublishFactors(factors=(statement("grid", value_ug=500_000),)), "publisher"
    assign = AssignFactor(device="m0", factor="grid", version=1, from_s=0, to_s=0)
    yield assign, "owner"
    day = range(96)
    yield packet_of([100] * 96, start_s=DAY_S), "m0"
    yield packet_of([200] * 96, sequence=2, start_s=DAY_S + 96 * QUARTER_S, opening=9_600), "m0"
    late_s = DAY_S + 2 * 96 * QUARTER_S + 4 * QUARTER_S
    quality = [1 if position < 3 else 0 for position in day[:92]]
    third = packet_of([300] * 92, sequence=3, start_s=late_s, opening=28_800, quality=quality)
    yield third, "m0"


def _book() -> Iterator[tuple[Body, str]]:
    yield DefineAsset(id="power", kind="energy", unit="Wh"), "issuer"
    for name in ("owner", "consumer"):
        yield OpenAccount(id=f"a-{name}"), name
    yield Issue(asset="power", account="a-owner", amount=1_000), "issuer"
    move = Movement(source="a-owner", target="a-consumer", asset="power", amount=300)
    yield Transfer(movements=(move,)), "owner"
