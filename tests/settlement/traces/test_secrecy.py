"""Without the key nothing of region, kind or time can be read: file, tiles, answers over HTTP."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from msgspec.structs import replace
from tests.support.memory_ledger import START_MS, genesis_of, key_of
from tests.support.refusals import refused
from tests.support.traced import GRID, JUNE_S, codes_of, keys_of

from wattproof.core.trace_codes import TraceCode, pack_trace, trace_text, unpack_trace
from wattproof.engines.folder import LOG_KEY, LedgerFolder, Writer
from wattproof.gateway.app import make_app
from wattproof.gateway.host import Host
from wattproof.gateway.server import ServerThread
from wattproof.identity.contract import CONTRACT as IDENTITY
from wattproof.identity.contract import authorise
from wattproof.keys.ed25519 import SigningKey
from wattproof.keys.sealed import EpochKey
from wattproof.ledger.genesis import sign_genesis
from wattproof.ledger.machine import Machine
from wattproof.ledger.transaction import NONCE_BYTES, Body, sign_transaction
from wattproof.settlement.traces import api
from wattproof.settlement.traces.contract import CONTRACT
from wattproof.settlement.traces.model import BATCHES, MAX_CODES, ROW_BYTES, TOKEN_BYTES
from wattproof.settlement.traces.queries import Wanted, opened_epochs, rows_of, search
from wattproof.settlement.traces.sealing import new_epoch_key, opening, publishing

HEX = set("0123456789abcdef")
ROUTES = "/api/v1/settlement/traces"
CODES = [
    replace(code, region="CN-SH" if code.record % 2 else "330106")
    for day in range(2)
    for code in codes_of(1_400, day=day, first_record=1_400 * day)
]


class Published:
    """A served ledger on disk with nothing but parties and sealed codes in it."""

    def __init__(self, folder: LedgerFolder, writer: Writer, client: httpx.Client) -> None:
        self.folder, self.writer, self.client = folder, writer, client
        self.key: EpochKey = new_epoch_key(writer.ledger_id)
        holders = keys_of(GRID, "reader")
        self.submit(opening(self.key, region="CN-SH", note="Shanghai 上海", holders=holders))
        for body in publishing(self.key, CODES, first=0):
            self.submit(body)

    def submit(self, body: Body) -> None:
        raw = sign_transaction(body, key_of(GRID), ledger_id=self.writer.ledger_id)
        self.writer.engine.submit(raw)

    def get(self, path: str, **params: Any) -> httpx.Response:
        answer = self.client.get(path, params=params)
        assert answer.status_code == 200, answer.text
        return answer

    def everything(self) -> bytes:
        """The ledger's file and its journal, the log's tiles, and all answers about traces."""
        parts = [path.read_bytes() for path in self.folder.path.glob("ledger.db*")]
        size = self.writer.store.size
        paths = [f"/log/tile/0/000.p/{size}", f"/log/tile/entries/000.p/{size}", "/log/checkpoint"]
        epoch = f"{ROUTES}/epochs/{self.key.key_id.hex()}"
        paths += [f"{ROUTES}/epochs", f"{epoch}/copies", f"{epoch}/batches"]
        paths += [f"{epoch}/batches/{number}" for number in range(3)]
        paths += ["/api/v1/entries", "/api/v1/ledger"]
        parts += [self.get(path).content for path in paths]
        return b"\n".join(parts)


@contextmanager
def published(path: Path) -> Iterator[Published]:
    folder = LedgerFolder(path, Machine([IDENTITY, CONTRACT], authorise=authorise))
    with folder.create_keys() as keys:
        keys.add(LOG_KEY, key_of("log"))
    roles = {"registrar": ("registrar",), GRID: ("grid_company",), "reader": ("auditor",)}
    genesis = sign_genesis(
        genesis_of(roles, zone="UTC"), key_of("registrar"), nonce=bytes(NONCE_BYTES)
    )
    folder.create(genesis=genesis, first=[], log_key=key_of("log"), time_ms=START_MS)
    with folder.write(workers=0) as writer:
        host = Host(folder=folder, writer=writer, version="test", routers=[api.router()])
        with (
            ServerThread(make_app(host)) as server,
            httpx.Client(base_url=server.url, timeout=30) as client,
        ):
            yield Published(folder, writer, client)


@pytest.fixture(scope="module")
def traces(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    with published(tmp_path_factory.mktemp("traces") / "ledger") as served:
        yield served


def forms_of(code: TraceCode) -> Iterator[bytes]:
    """What region, kind, technology and time look like, in every way they are written anywhere.

    What is short and made of hexadecimal digits would be met by chance in the answers, which hold
    sealed codes in hex: it is looked for in quotes.
    """
    start = datetime.fromtimestamp(code.start_s, UTC)
    day = code.start_s // 86_400
    texts = (
        trace_text(code), trace_text(code)[:8], trace_text(code).replace("-", "")[:10],
        code.technology, code.technology.ljust(9, "0"), "supply", "consumption", "Shanghai", "上海",
        "CN-SH", "00CNSH", "330106", "CN-ZJ", f"{start:%Y%m%d}", f"{start:%Y-%m-%d}",
        str(code.start_s), f"day\0{day}", f"province\0{code.province}", f"kind\0{code.kind}",
    )  # fmt: skip
    packed = pack_trace(code)
    binary = (
        packed, packed[:8], packed[4:12], packed[16:24], struct.pack("<Q", code.start_s),
        struct.pack(">IH", code.start_s, 0), b"\x1a" + struct.pack(">I", code.start_s),
    )  # fmt: skip
    quoted = (f'"{text}"' if len(text) < 10 and set(text) <= HEX else text for text in texts)
    for plain in (*(text.encode() for text in quoted), *binary):
        yield plain
        yield plain.hex().encode()
        yield base64.b64encode(plain).rstrip(b"=")
        yield base64.urlsafe_b64encode(plain).rstrip(b"=")


def test_nothing_can_be_read_anywhere(traces: Published) -> None:
    everything = traces.everything()
    assert len(everything) > 2 * ROW_BYTES * len(CODES)
    wanted = {form for code in CODES[::50] for form in forms_of(code) if len(form) >= 5}
    assert b"CN-SH" in wanted and b'"330106"' in wanted
    found = [form for form in wanted if form in everything]
    assert not found
    assert traces.key.secret not in everything
    assert traces.key.secret.hex().encode() not in everything


def test_the_search_for_plain_values_would_find_them() -> None:
    """The same codes unsealed: the test above is not blind."""
    plain = b"".join(map(pack_trace, CODES)) + b"\n".join(
        trace_text(code).encode() for code in CODES
    )
    missed = [
        code
        for code in CODES[::50]
        if not any(form in plain for form in forms_of(code) if len(form) >= 8)
    ]
    assert not missed


def test_batches_of_other_codes_look_alike(traces: Published) -> None:
    """All supply or all consumption, another region, another year: the same sizes, no pattern."""
    alike = set()
    usual = {
        "kind": "supply",
        "region": "CN-SH",
        "technology": "T010100",
        "start_s": JUNE_S,
    }
    for change in (
        {}, {"kind": "consumption"}, {"region": "KR"}, {"region": "650102"},
        {"technology": "F01050100"}, {"start_s": 0}, {"start_s": 4_000_000_000},
    ):  # fmt: skip
        codes = [msgspec.convert(
            {**msgspec.to_builtins(code), **usual, **change}, TraceCode
        ) for code in codes_of(100)]  # fmt: skip
        (body,) = publishing(traces.key, codes, first=9)
        alike.add((len(body.rows), len(body.tokens)))
        assert len(zlib.compress(body.rows, 9)) >= len(body.rows)
    assert alike == {(100 * ROW_BYTES, 8 * TOKEN_BYTES)}


def test_no_token_and_no_row_comes_twice(traces: Published) -> None:
    """The same codes in ten batches have nothing in common that could be seen."""
    rows: list[bytes] = []
    tokens: list[bytes] = []
    for number in range(10):
        (body,) = publishing(traces.key, codes_of(200), first=number)
        rows += [body.rows[at : at + 16] for at in range(0, len(body.rows), 16)]
        tokens += [
            body.tokens[at : at + TOKEN_BYTES] for at in range(0, len(body.tokens), TOKEN_BYTES)
        ]
    assert len(set(rows)) == len(rows)
    assert len(set(tokens)) == len(tokens)


def test_the_number_of_a_batch_tells_nothing(traces: Published) -> None:
    """Of a batch of supply, one of consumption and a small one any can be the first."""
    codes = [*codes_of(MAX_CODES * 5), *codes_of(MAX_CODES // 2, day=9)]
    supply = [code for code in codes if code.kind == "supply"][:MAX_CODES]
    consumption = [code for code in codes if code.kind == "consumption"][: MAX_CODES + 10]
    firsts = set()
    for number in range(0, 60, 3):
        body = next(publishing(traces.key, [*supply, *consumption], first=number))
        row = unpack_trace(traces.key.open(body.rows[:ROW_BYTES], place=body.number))
        firsts.add((row.kind, len(body.rows) < MAX_CODES * ROW_BYTES))
    assert {kind for kind, _ in firsts} == {"supply", "consumption"}
    assert {small for _, small in firsts} == {True, False}


def test_a_holder_finds_all_of_it_on_disk(traces: Published) -> None:
    with_key = traces.folder.read()
    try:
        held, closed = opened_epochs(
            with_key, "reader", key_of("reader"), ledger_id=traces.writer.ledger_id
        )
        assert not closed
        assert (held[0].region, held[0].note) == ("CN-SH", "Shanghai 上海")
        found = search(with_key, rows_of(with_key), held, Wanted(region="330106", kind="supply"))
        codes = sorted(code for one in found for code in one.codes)
    finally:
        with_key.close()
    expected = [one for one in CODES if one.region == "330106" and one.kind == "supply"]
    assert codes == sorted(expected)


def test_a_holder_finds_it_over_http(traces: Published) -> None:
    """With nothing but the routes, the ledger's id and the own signing key."""
    remote = _Remote(traces)
    held, _ = opened_epochs(remote, "reader", key_of("reader"), ledger_id=traces.writer.ledger_id)
    wanted = Wanted(from_s=JUNE_S + 86_400, to_s=JUNE_S + 2 * 86_400)
    found = search(remote, remote.rows, held, wanted)
    codes = sorted(code for one in found for code in one.codes)
    assert codes == sorted(one for one in CODES if one.start_s >= JUNE_S + 86_400)
    assert remote.fetched < 3, "batches of the other day stay where they are"


def test_an_entry_that_is_no_batch_is_our_fault(traces: Published) -> None:
    store = traces.folder.read()
    try:
        refused("settlement.trace.entry", lambda: rows_of(store)(0))
    finally:
        store.close()


def test_a_stranger_finds_nothing(traces: Published) -> None:
    remote = _Remote(traces)
    held, closed = opened_epochs(
        remote, "reader", SigningKey.generate(), ledger_id=traces.writer.ledger_id
    )
    assert not held and len(closed) == 1
    other = EpochKey(bytes(32), ledger_id=traces.writer.ledger_id, key_id=traces.key.key_id)
    batch = next(iter(remote.scan(BATCHES, traces.key.key_id)))
    row = remote.rows(batch.entry)[:ROW_BYTES]
    refused("keys.sealed.not_opened", lambda: other.open(row, place=batch.number))


def test_wrong_questions_over_http(traces: Published) -> None:
    for path, status, code in (
        ("epochs/nonsense/batches", 400, "settlement.key.text"),
        (f"epochs/{'00' * 16}/batches", 404, "settlement.key.unknown"),
        (f"epochs/{traces.key.key_id.hex()}/batches/99", 404, "settlement.trace.unknown"),
    ):
        answer = traces.client.get(f"{ROUTES}/{path}")
        assert (answer.status_code, answer.json()["code"]) == (status, code)


class _Remote:
    """Reads over HTTP what `queries` asks a ledger for."""

    def __init__(self, traces: Published) -> None:
        self._traces = traces
        self._epoch = f"{ROUTES}/epochs/{traces.key.key_id.hex()}"
        self.fetched = 0
        self._numbers: dict[int, int] = {}

    def get(self, collection: Any, *key: Any) -> Any:
        (one,) = [
            one
            for one in self._items(f"{ROUTES}/epochs", collection)
            if collection.key_of(one) == key
        ]
        return one

    def find(self, collection: Any, index: str, *values: Any) -> list[Any]:
        items = self._items(f"{self._epoch}/copies", collection)
        return [one for one in items if (getattr(one, index),) == values]

    def scan(self, collection: Any, *prefix: Any) -> Iterator[Any]:
        assert prefix == (self._traces.key.key_id,)
        for one in self._items(f"{self._epoch}/batches", collection):
            self._numbers[one.entry] = one.number
            yield one

    def rows(self, entry: int) -> bytes:
        self.fetched += 1
        answer = self._traces.get(f"{self._epoch}/batches/{self._numbers[entry]}").json()
        return b"".join(map(bytes.fromhex, answer["rows"]))

    def _items(self, path: str, collection: Any) -> list[Any]:
        """The records of all pages, made of JSON again."""
        found: list[Any] = []
        cursor: str | None = ""
        while cursor is not None:
            page = self._traces.get(path, limit=2, **({"cursor": cursor} if cursor else {})).json()
            for item in page["items"]:
                hexed = {
                    name: bytes.fromhex(value)
                    for name, value in item.items()
                    if name in ("key", "check", "about", "wrapped", "tokens")
                }
                found.append(collection.record(**{**item, **hexed}))
            cursor = page["next"]
        return found
