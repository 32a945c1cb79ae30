"""A toy ledger on disk, served by the real server in a thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Annotated, Any

import httpx
from litestar import get
from litestar.params import FromQuery, QueryParameter
from tests.ledger.growing import KEY, OTHER, START_MS
from tests.ledger.toy import JARS, Jar, authorise, contract, signed_genesis

from wattproof.core.actor import Actor
from wattproof.core.errors import ErrorCode, Unauthorised
from wattproof.engines.folder import LOG_KEY, LedgerFolder, Writer
from wattproof.gateway import access
from wattproof.gateway.app import make_app
from wattproof.gateway.errors import problems
from wattproof.gateway.host import Host
from wattproof.gateway.reading import Asker, Cursor, Ledger, Limit, Page, page_of
from wattproof.gateway.server import ServerThread
from wattproof.keys.ed25519 import SigningKey
from wattproof.ledger.machine import Context, Machine
from wattproof.ledger.transaction import NONCE_BYTES, Body, sign_transaction

SHELF = Annotated[str | None, QueryParameter(max_length=20)]
NOT_YOU = ErrorCode(Unauthorised, "tests.not_you", en="Not you.", zh="不是您。")
COSE = {"Content-Type": "application/cose"}


def authorise_all_but_other(ctx: Context, by: tuple[str, ...]) -> Actor:
    """As the toy's, but the key `OTHER` may sign nothing."""
    if ctx.signer == OTHER.public:
        raise NOT_YOU()
    return authorise(ctx, by)


def new_folder(path: Path) -> LedgerFolder:
    """A new toy ledger, with its genesis alone."""
    folder = LedgerFolder(path, Machine([contract], authorise=authorise_all_but_other))
    with folder.create_keys() as keys:
        log_key = keys.get_or_create(LOG_KEY)
    genesis = signed_genesis(KEY, log_key)
    folder.create(genesis=genesis, first=[], log_key=log_key, time_ms=START_MS)
    return folder


@get("/api/v1/jars", responses=problems(400))
async def list_jars(
    ledger: Ledger,
    actor: Asker,
    shelf: SHELF = None,
    even: FromQuery[bool] = False,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[Jar]:
    """A room's list, as rooms hang theirs in."""
    access.require_sight(actor, [])
    return page_of(
        ledger,
        JARS,
        None if shelf is None else "shelf",
        () if shelf is None else (shelf,),
        cursor=cursor,
        limit=limit,
        keep=(lambda jar: jar.beans % 2 == 0) if even else None,
    )


class Served:
    """A running server, a client to it, and what signs for its ledger."""

    def __init__(self, folder: LedgerFolder, writer: Writer, url: str, client: httpx.Client):
        self.folder = folder
        self.writer = writer
        self.url = url
        self.client = client
        self._nonces = count(1)
        self._lock = threading.Lock()

    def sign(self, body: Body, key: SigningKey = KEY, *, ledger_id: bytes | None = None) -> bytes:
        """A signed transaction, with a nonce of its own."""
        with self._lock:
            nonce = next(self._nonces)
        return sign_transaction(
            body,
            key,
            ledger_id=self.writer.ledger_id if ledger_id is None else ledger_id,
            nonce=nonce.to_bytes(NONCE_BYTES, "big"),
        )

    def post(self, raw: bytes, **headers: str) -> httpx.Response:
        """Submit one transaction."""
        return self.client.post("/api/v1/transactions", content=raw, headers={**COSE, **headers})

    def submit(self, body: Body) -> dict[str, Any]:
        """Sign and submit; the receipt."""
        answer = self.post(self.sign(body))
        assert answer.status_code == 201, answer.text
        receipt: dict[str, Any] = answer.json()
        return receipt

    def json(self, path: str, **params: Any) -> Any:
        """What a GET gives, which must be 200."""
        answer = self.client.get(path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()


@contextmanager
def serving(path: Path, **options: Any) -> Iterator[Served]:
    """A new toy ledger in `path`, served until the block ends; `options` go to the host."""
    options.setdefault("routers", [list_jars])
    folder = new_folder(path)
    with (
        folder.write(workers=0) as writer,
        ServerThread(
            make_app(Host(folder=folder, writer=writer, version="test", **options))
        ) as server,
        httpx.Client(base_url=server.url, timeout=30) as client,
    ):
        yield Served(folder, writer, server.url, client)


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem details of an answer, which must be of this status and code and well formed."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert found["code"] == code, found
    assert found["status"] == status
    assert found["type"] == f"/api/v1/errors/{code}"
    assert found["en"] != found["zh"]
    assert found["en"]
    assert found["zh"]
    assert found["detail"] in (found["en"], found["zh"])
    return found
