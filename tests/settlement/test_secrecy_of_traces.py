"""Sealed trace codes against who looks for them without the key, and for those who hold it.

Two ledgers that differ in nothing but what is sealed must be the same to everybody else, in every
table, every entry and every answer. What can be guessed without the key (hashes of codes, tokens
made with what is public) must be nowhere. And whoever was given keys reads just what they open.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.support.memory_ledger import START_MS, genesis_of, key_of
from tests.support.people import organisation
from tests.support.settled_region import DAY_S as SETTLED_DAY_S
from tests.support.settled_region import GRID as SETTLER
from tests.support.settled_region import REGION, START_S, SettledRegion
from tests.support.traced import GRID, JUNE_S, Traces, codes_of, keys_of, trace_codes

from wattproof.core.trace_codes import TraceCode, pack_trace, trace_text, unpack_trace
from wattproof.engines.folder import LOG_KEY, LedgerFolder
from wattproof.gateway.app import make_app
from wattproof.gateway.host import Host
from wattproof.gateway.server import ServerThread
from wattproof.identity.contract import CONTRACT as IDENTITY
from wattproof.identity.contract import authorise
from wattproof.keys import cbor, cose
from wattproof.keys.sealed import EpochKey
from wattproof.ledger.genesis import sign_genesis
from wattproof.ledger.leaf import leaf_parts
from wattproof.ledger.machine import Machine
from wattproof.ledger.transaction import NONCE_BYTES, content_nonce, sign_transaction
from wattproof.node import IMPORTER
from wattproof.settlement.traces import api
from wattproof.settlement.traces.contract import CONTRACT
from wattproof.settlement.traces.model import BATCHES, ROW_BYTES, TOKEN_BYTES
from wattproof.settlement.traces.queries import Wanted, opened_epochs, rows_of, search
from wattproof.settlement.traces.sealing import (
    granting,
    new_epoch_key,
    opening,
    publishing,
    values_of,
)
from wattproof.settlement.traces.trades import codes_of_run, publish_run

ROUTES = "/api/v1/settlement/traces"
CODES = codes_of(900)


def disguised(code: TraceCode) -> TraceCode:
    """Another code in every field; equal ones stay equal, others stay apart."""
    regions = {"CN-SH": "KR", "KR": "650102", "310115": "CN-XZ", "CN-ZJ": "DE-BY"}
    technologies = {"T010100": "F01050100", "T020001": "T010100", "F01050100": "T030100"}
    return TraceCode(
        kind="consumption" if code.kind == "supply" else "supply",
        region=regions[code.region],
        technology=technologies[code.technology],
        start_s=code.start_s - 9_000 * 86_400,
        length_s=code.length_s * 24,
        meter=4_000_000_000 - code.meter,
        record=999_999_999_999 - code.record,
    )


class Seen:
    """All that anybody sees of a ledger: its tables, its entries, its answers over HTTP."""

    def __init__(self, folder: LedgerFolder, client: httpx.Client, key: EpochKey) -> None:
        self.bytes = b"".join(path.read_bytes() for path in folder.path.glob("ledger.db*"))
        with closing(sqlite3.connect(folder.path / "ledger.db")) as database:
            names = [name for (name,) in database.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
            )]  # fmt: skip
            self.tables = {name: _masked_table(database, name) for name in names}
        store = folder.read()
        try:
            leaves = [leaf_parts(store.entry(at).leaf) for at in range(store.size)]
        finally:
            store.close()
        self.entries = [
            [height, len(raw), _masked(cbor.decode(cose.parse(raw).payload))]
            for height, _, raw in leaves
        ]
        epoch = f"{ROUTES}/epochs/{key.key_id.hex()}"
        size = len(leaves)
        self.answers = {}
        for path in (
            f"{ROUTES}/epochs", f"{epoch}/copies", f"{epoch}/batches", f"{epoch}/batches/0",
            "/api/v1/entries", "/api/v1/ledger", f"/log/tile/0/000.p/{size}", "/log/checkpoint",
            f"/log/tile/entries/000.p/{size}",
        ):  # fmt: skip
            answer = client.get(path)
            assert answer.status_code == 200, (path, answer.text)
            self.bytes += answer.content
            self.answers[path] = (
                len(answer.content) if "tile" in path else _masked_text(answer.text)
            )


@contextmanager
def served(
    path: Path, codes: Sequence[TraceCode], *, region: str, note: str, seed: int = 0
) -> Iterator[tuple[Seen, LedgerFolder, EpochKey]]:
    """A ledger with the sealed codes, on disk and served, and what is seen of it."""
    folder = LedgerFolder(path, Machine([IDENTITY, CONTRACT], authorise=authorise))
    with folder.create_keys() as keys:
        keys.add(LOG_KEY, key_of("log"))
    roles = {"registrar": ("registrar",), GRID: ("grid_company",), "reader": ("auditor",)}
    genesis = sign_genesis(
        genesis_of(roles, zone="UTC"), key_of("registrar"), nonce=bytes(NONCE_BYTES)
    )
    folder.create(genesis=genesis, first=[], log_key=key_of("log"), time_ms=START_MS)
    with folder.write(workers=0) as writer:
        secret = hashlib.sha256(b"an epoch of a test %d" % seed).digest()
        key = EpochKey(secret, ledger_id=writer.ledger_id, key_id=secret[::-1][:16])
        bodies = [
            opening(key, region=region, note=note, holders=keys_of(GRID, "reader")),
            *publishing(key, codes, first=0),
        ]
        for body in bodies:
            writer.engine.submit(
                sign_transaction(
                    body, key_of(GRID), ledger_id=writer.ledger_id, nonce=content_nonce(body)
                )
            )
        host = Host(folder=folder, writer=writer, version="test", routers=[api.router()])
        with (
            ServerThread(make_app(host)) as server,
            httpx.Client(base_url=server.url, timeout=30) as client,
        ):
            yield Seen(folder, client, key), folder, key


def test_two_ledgers_that_differ_in_what_is_sealed_look_the_same(tmp_path: Path) -> None:
    """Another region, kind, technology, time, meter and number of everything: nothing is seen."""
    hidden = [disguised(code) for code in CODES]
    assert not {*CODES} & {*hidden} and len({*hidden}) == len(CODES)
    with (
        served(tmp_path / "one", CODES, region="CN-SH", note="") as (one, _, _),
        served(tmp_path / "two", hidden, region="650102", note="新疆, 2000 年") as (two, _, _),
    ):
        assert one.entries == two.entries
        assert one.tables == two.tables
        assert one.answers == two.answers
        assert len(one.tables["state_traces.batches"]) == 1
        sealed = [entry for entry in one.entries if len(CODES) * ROW_BYTES in map(_size, entry[2])]
        assert len(sealed) == 1, "what was compared had the codes in it"


def test_what_is_compared_would_show_a_difference(tmp_path: Path) -> None:
    """One code fewer, or one value more, is seen: the test above is not blind."""
    with (
        served(tmp_path / "one", CODES, region="CN-SH", note="") as (one, _, _),
        served(tmp_path / "two", CODES[1:], region="CN-SH", note="") as (two, _, _),
    ):
        assert one.entries != two.entries
        assert one.tables != two.tables
        assert one.answers != two.answers


def test_nothing_that_is_guessed_without_the_key_is_there(tmp_path: Path) -> None:
    """No hash of a code or a value, no token and no seal made with anything that is public."""
    with served(tmp_path / "ledger", CODES, region="CN-SH", note="") as (seen, folder, key):
        store = folder.read()
        (batch,) = store.scan(BATCHES)
        row = rows_of(store)(batch.entry)[:ROW_BYTES]
        store.close()
    public = [
        b"", bytes(32), key.key_id, key.key_id * 2, key.ledger_id, key.check, key.ledger_id +
        key.key_id, hashlib.sha256(key.key_id).digest(), key_of(GRID).public,
        hashlib.sha256(b"wattproof index v1").digest(),
    ]  # fmt: skip
    values = {
        pair
        for code in CODES
        for pair in values_of(
            day=code.start_s // 86_400, kind=code.kind, technology=code.technology,
            province=code.province,
        )
    }  # fmt: skip
    tokens = {
        batch.tokens[at : at + TOKEN_BYTES] for at in range(0, len(batch.tokens), TOKEN_BYTES)
    }
    for guess in public:
        for field, value in values:
            for place in (b"", batch.number.to_bytes(8, "big")):
                message = place + f"{field}\0{value}".encode()
                made = hmac.digest(guess, message, hashlib.sha256)
                assert made[:TOKEN_BYTES] not in tokens
                assert made[:8] not in seen.bytes
        secret = guess.ljust(32, b"\0")[:32]
        opened = EpochKey(secret, ledger_id=key.ledger_id, key_id=key.key_id)
        with pytest.raises(Exception, match="sealed"):
            opened.open(row, place=batch.number)
    for code in CODES[::20]:
        for plain in (pack_trace(code), trace_text(code).encode()):
            for name in ("md5", "sha1", "sha256", "sha512", "sha3_256", "blake2b", "blake2s"):
                digest = hashlib.new(name, plain, usedforsecurity=False).digest()[:8]
                assert digest not in seen.bytes
                assert digest.hex().encode() not in seen.bytes


def test_the_order_of_rows_and_tokens_tells_nothing() -> None:
    """Where a row stands in its batch has nothing to do with its kind, region or time."""
    supply, late, count = 0.0, 0.0, 0
    codes = [replace(code, kind="supply" if code.record % 2 else "consumption")
             for code in codes_of(200)]  # fmt: skip
    for seed in range(60):
        secret = hashlib.sha256(b"order %d" % seed).digest()
        key = EpochKey(secret, ledger_id=bytes(32), key_id=secret[:16])
        (body,) = publishing(key, codes, first=seed)
        for at in range(200):
            row = body.rows[at * ROW_BYTES : (at + 1) * ROW_BYTES]
            code = unpack_trace(key.open(row, place=body.number))
            supply += at * (1 if code.kind == "supply" else -1)
            late += at * (1 if code.start_s > JUNE_S + 11 * 3600 else -1)
            count += 1
    # Half are on either side; a mean of ranks over 12 000 strays by far less than two places.
    assert abs(supply / count) < 2
    assert abs(late / count - 99.5 * _surplus_late(codes)) < 2


def _surplus_late(codes: Sequence[TraceCode]) -> float:
    late = sum(code.start_s > JUNE_S + 11 * 3600 for code in codes)
    return (2 * late - len(codes)) / len(codes)


def test_a_settled_ledger_has_its_codes_in_no_file(tmp_path: Path) -> None:
    """Trades are in the log in plain; the codes that name them are not, nor is the key."""
    with SettledRegion.made(tmp_path / "ledger") as region:
        for name, supply in (("wind", True), ("works", False), ("house", False)):
            region.meter(name, supply=supply)
            region.report(name, [700] * 24)
        run = region.run(START_S + SETTLED_DAY_S)
        codes = codes_of_run(
            region.store, region=REGION, run=run.number, place=REGION,
            technology_of=lambda kind, _: "T020001" if kind == "supply" else "F00000000",
        )  # fmt: skip
        key = new_epoch_key(region.writer.ledger_id)
        with region.folder.keys() as keys:
            grid, importer = keys.get(SETTLER), keys.get(IMPORTER)
        holders = {SETTLER: grid.public, IMPORTER: importer.public}
        region.submit(opening(key, region=REGION, note="Shanghai", holders=holders))
        held, _ = opened_epochs(region.store, SETTLER, grid, ledger_id=key.ledger_id)
        publish_run(region.store, region.writer.engine, codes, held=held, key=grid)
        read, _ = opened_epochs(region.store, IMPORTER, importer, ledger_id=key.ledger_id)
        found = search(region.store, rows_of(region.store), read, Wanted(kind="supply"))
        region.lake()
        assert [code for one in found for code in one.codes] == [
            code for code in codes if code.kind == "supply"
        ]
    assert len(codes) == 3
    files = b"".join(path.read_bytes() for path in region.folder.path.rglob("*") if path.is_file())
    assert len(files) > 100_000 and REGION.encode() in files
    assert b"Shanghai\0" not in files and b"T020001" not in files
    for plain in (
        key.secret,
        *map(pack_trace, codes),
        *(trace_text(one).encode() for one in codes),
    ):
        for form in (plain, plain.hex().encode(), base64.b64encode(plain)[:-2]):
            assert form not in files


PARTIES = (GRID, "consumer", "supplier", "owner")
opened = st.tuples(st.just("open"), st.sets(st.sampled_from(PARTIES[1:])), st.just(0))
granted = st.tuples(st.just("grant"), st.sets(st.sampled_from(PARTIES[1:]), min_size=1),
                    st.integers(0, 3))  # fmt: skip
codes_out = st.tuples(st.just("publish"), st.lists(trace_codes(), min_size=1, max_size=6,
                      unique=True), st.integers(0, 3))  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(opened, granted, codes_out, codes_out), max_size=14), st.data())
def test_everybody_reads_the_epochs_that_they_were_given_and_no_others(
    steps: list[tuple[str, Any, int]], data: st.DataObject
) -> None:
    """Whatever the order: who is left out of an epoch reads nothing of it, who comes late all."""
    traces = Traces()
    epochs: list[tuple[EpochKey, set[str], list[TraceCode]]] = []
    for what, given_, at in [("open", {"consumer"}, 0), *steps]:
        if what == "open":
            epochs.append((traces.open(GRID, *given_), {GRID, *given_}, []))
            continue
        key, holders, codes = epochs[at % len(epochs)]
        if what == "grant":
            traces.ledger.submit(granting(key, keys_of(*given_)), key_of(GRID))
            holders |= given_
        else:
            number = sum(1 for _ in traces.ledger.state.scan(BATCHES, key.key_id))
            traces.publish(key, given_, first=number)
            codes += given_
    wanted = data.draw(st.builds(
        Wanted,
        region=st.sampled_from(("", "CN-SH", "310115", "KR")),
        kind=st.sampled_from((None, "supply", "consumption")),
        technology=st.sampled_from(("", "T010100", "T020001")),
        from_s=st.sampled_from((None, JUNE_S, JUNE_S + 3601)),
        to_s=st.sampled_from((None, JUNE_S + 86_400, JUNE_S + 1)),
    ))  # fmt: skip
    for party in (*PARTIES, "other-grid"):
        held, closed = opened_epochs(
            traces.ledger.state, party, key_of(party), ledger_id=traces.ledger.ledger_id
        )
        assert not closed
        found = [
            code
            for one in search(traces.ledger.state, traces.rows_of, held, wanted)
            for code in one.codes
        ]
        readable = [code for _, holders, codes in epochs if party in holders for code in codes]
        assert sorted(found) == sorted(code for code in readable if fits(code, wanted))


def fits(code: TraceCode, wanted: Wanted) -> bool:
    """What is asked for, said once more and otherwise."""
    lies_in = {code.region, {"310115": "CN-SH"}.get(code.region, code.region), ""}
    start_s = code.start_s
    return (
        wanted.region in lies_in
        and wanted.kind in (code.kind, None)
        and wanted.technology in (code.technology, "")
        and (wanted.from_s or 0) <= start_s
        and (start_s < wanted.to_s if wanted.to_s is not None else True)
    )


def test_a_removed_party_gets_nothing_out_of_a_new_epoch_with_all_its_old_keys() -> None:
    """It has the old epoch's key, its own, and the whole log."""
    traces = Traces()
    organisation(traces.ledger, "left", "consumer")
    old = traces.open(GRID, "left")
    traces.publish(old, CODES[:50])
    new = traces.open(GRID)
    traces.publish(new, CODES[50:100])
    held, _ = opened_epochs(
        traces.ledger.state, "left", key_of("left"), ledger_id=traces.ledger.ledger_id
    )
    assert [one.key.key_id for one in held] == [old.key_id]
    (batch,) = traces.ledger.state.scan(BATCHES, new.key_id)
    rows = traces.rows_of(batch.entry)
    guesses = [
        EpochKey(secret, ledger_id=old.ledger_id, key_id=new.key_id)
        for secret in (
            old.secret, old.check, old.derived(b"wattproof seal v1"),
            old.derived(b"wattproof index v1"), old.derived(b"wattproof order v1"),
            key_of("left").seed,
        )
    ]  # fmt: skip
    for guess in (*guesses, held[0].key):
        with pytest.raises(Exception, match="sealed"):
            guess.open(rows[:ROW_BYTES], place=batch.number)
        assert guess.check != new.check


def _size(value: object) -> object:
    return value[1] if isinstance(value, tuple) else None


def _masked(value: Any) -> Any:
    """The value with the length of bytes in place of them."""
    if isinstance(value, bytes):
        return ("bytes", len(value))
    if isinstance(value, list | tuple):
        return [_masked(each) for each in value]
    if isinstance(value, dict):
        return {key: "time" if "time" in str(key) else _masked(each) for key, each in value.items()}
    return _masked_text(value) if isinstance(value, str) else value


def _masked_text(text: str) -> str:
    """The text with what is random or tells the time masked, and no shorter for it."""
    text = re.sub(r"[0-9a-f]{8,}", lambda found: "h" * len(found[0]), text)
    text = re.sub(r"[A-Za-z0-9+/]{40,}={0,2}", lambda found: "b" * len(found[0]), text)
    return re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+|\b1[67]\d{8,11}\b", "time", text)


def _masked_table(database: sqlite3.Connection, table: str) -> list[dict[str, Any]]:
    """A table's rows; what is encoded in them is decoded, to compare what is in it."""
    found = database.execute(f'SELECT * FROM "{table}"')
    columns = [column for column, *_ in found.description]
    rows = []
    for values in found:
        row = dict(zip(columns, values, strict=True))
        for column in {"value", "result"} & {*row}:
            row[f"{column} decoded"] = msgspec.msgpack.decode(row[column])
        rows.append(_masked(row))
    return rows
