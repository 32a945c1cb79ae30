"""Trace codes sealed, tokened, published and searched, on one core.

Sealing and tokens are timed against bare AES-256-GCM-SIV of the same library on the same bytes, in
turns, in the same run. Then a day of codes goes through a real ledger on disk and is searched by a
holder of the key: by several fields, by one, and for what is not there. Beside it stands what an
index of a record a code would cost the state, by the same store.

    python -m bench.traces [--codes 200000] [--rounds 5]
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from bench.machine import describe, write_result
from wattproof.cli.host import Opening
from wattproof.core.trace_codes import TraceCode, TraceKind, pack_trace, parse_trace, trace_text
from wattproof.engines.folder import LedgerFolder, Writer
from wattproof.identity.model import RegisterParty
from wattproof.keys.blind_index import TOKEN_BYTES, BlindIndex
from wattproof.keys.ed25519 import SigningKey
from wattproof.keys.sealed import EpochKey
from wattproof.ledger.chain import Receipt
from wattproof.ledger.state import Collection, Record, State
from wattproof.ledger.store import Block, Store
from wattproof.ledger.transaction import Body, sign_transaction
from wattproof.node import OPERATOR, create_ledger, machine
from wattproof.settlement.traces.model import BATCHES, PublishTraces
from wattproof.settlement.traces.queries import Wanted, opened_epochs, rows_of, search
from wattproof.settlement.traces.sealing import (
    DAY_S,
    new_epoch_key,
    opening,
    publishing,
    values_of,
)

JUNE_S = 1_748_736_000
TECHNOLOGIES = ("T010100", "T020001", "T030100", "T050000")
AT_ONCE = 50_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--codes", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    codes = list(made_codes(asked.codes))
    result = {"codes": asked.codes, "rounds": asked.rounds}
    result["sealing"] = sealing(codes[:AT_ONCE], rounds=asked.rounds)
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as scratch:
        result["ledger"] = on_a_ledger(Path(scratch) / "ledger", codes)
        result["a_record_a_code"] = a_record_a_code(Path(scratch) / "index.db", codes[:AT_ONCE])
    show(result)
    write_result("traces", result)


def made_codes(count: int) -> Iterator[TraceCode]:
    """A day of a province: a record for each meter, one in five of which supplies."""
    for record in range(count):
        kind: TraceKind = "consumption" if record % 5 else "supply"
        yield TraceCode(
            kind=kind,
            region=f"3301{record % 8 + 1:02}",
            technology=TECHNOLOGIES[record % 20 // 5] if kind == "supply" else "T050000",
            start_s=JUNE_S + 3600 * (record % 24),
            length_s=3600,
            meter=1 + record,
            record=record,
        )


def sealing(codes: Sequence[TraceCode], *, rounds: int) -> dict[str, Any]:
    """Codes a second of each way, taken in turns; the median of the rounds."""
    key = new_epoch_key(bytes(32))
    bare, nonce = AESGCMSIV(os.urandom(32)), bytes(12)
    packed = [pack_trace(code) for code in codes]
    sealed = key.seal(packed, place=0)
    aad = bytes(76)
    texts = [trace_text(code) for code in codes]
    ways: dict[str, Callable[[], object]] = {
        "bare_encrypt": lambda: [bare.encrypt(nonce, plain, aad) for plain in packed],
        "seal": lambda: key.seal(packed, place=0),
        "pack_seal_tokens_sort": lambda: list(publishing(key, codes, first=0)),
        "open": lambda: [key.open(row, place=0) for row in sealed],
        "four_tokens_a_code": lambda: four_tokens_a_code(key, codes),
        "write_text": lambda: [trace_text(code) for code in codes],
        "read_text": lambda: [parse_trace(text) for text in texts],
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for way in ways.values():
        way()
    for _ in range(rounds):
        for name, way in ways.items():
            started = time.process_time()  # other work on the machine does not count
            way()
            taken[name].append(time.process_time() - started)
    seconds = {name: statistics.median(times) for name, times in taken.items()}
    rates = {name: round(len(codes) / value) for name, value in seconds.items()}
    ratio = seconds["pack_seal_tokens_sort"] / seconds["bare_encrypt"]
    return {"codes_per_second": rates, "whole_to_bare": round(ratio, 2)}


def four_tokens_a_code(key: EpochKey, codes: Sequence[TraceCode]) -> int:
    """What an index of rows would need: a token for each field of each code."""
    index = BlindIndex(key)
    made = 0
    for code in codes:
        for field, value in fields_of(code):
            made += len(index.token(field, value, place=0))
    return made


def fields_of(code: TraceCode) -> tuple[tuple[str, str], ...]:
    return values_of(
        day=code.start_s // DAY_S,
        kind=code.kind,
        technology=code.technology,
        province=code.province,
    )


def on_a_ledger(path: Path, codes: Sequence[TraceCode]) -> dict[str, Any]:
    """Publish through a real engine, then search as a holder of the key does."""
    folder = LedgerFolder(path, machine())
    create_ledger(folder, Opening(name="bench", organisation="Bench", uscc="", zone="UTC"))
    grid = SigningKey.generate()
    with folder.write(workers=0) as writer:
        with folder.keys() as keys:
            operator = keys.get(OPERATOR)
        body = RegisterParty(
            id="grid", kind="organisation", key=grid.public, name="Grid", roles=("grid_company",)
        )
        submit(writer, [body], operator)
        key = new_epoch_key(writer.ledger_id)
        submit(writer, [opening(key, region="CN-ZJ", holders={"grid": grid.public})], grid)
        started = time.perf_counter()
        bodies = list(publishing(key, codes, first=0))
        made = time.perf_counter()
        submit(writer, bodies, grid)
        done = time.perf_counter()
        ledger_id = writer.ledger_id
    result: dict[str, Any] = {
        "batches": len(bodies),
        "make_codes_per_second": round(len(codes) / (made - started)),
        "publish_codes_per_second": round(len(codes) / (done - made)),
    }
    with closing(folder.read()) as store:
        batches = list(store.scan(BATCHES, key.key_id))
        log = sum(len(store.entry(batch.entry).leaf) for batch in batches)
        state = sum(len(BATCHES.encode(batch)) for batch in batches)
        result["log_bytes_a_code"] = round(log / len(codes), 2)
        result["state_bytes_a_code"] = round(state / len(codes), 2)
        result["searches"] = searches(store, grid, ledger_id)
    result["batches_passed_per_second"] = finder_rate(key, bodies)
    return result


def submit(writer: Writer, bodies: Sequence[Body], key: SigningKey) -> None:
    raws = [sign_transaction(body, key, ledger_id=writer.ledger_id) for body in bodies]
    for answer in writer.engine.submit_many(raws):
        assert isinstance(answer, Receipt), answer


def searches(store: Store, grid: SigningKey, ledger_id: bytes) -> dict[str, Any]:
    held, _ = opened_epochs(store, "grid", grid, ledger_id=ledger_id)
    asked = {
        "several_fields": Wanted(
            region="330101", kind="supply", technology="T010100",
            from_s=JUNE_S, to_s=JUNE_S + DAY_S,
        ),
        "kind": Wanted(kind="supply"),
        "another_day": Wanted(from_s=JUNE_S + DAY_S, to_s=JUNE_S + 2 * DAY_S),
        "everything": Wanted(),
    }  # fmt: skip
    result = {}
    for name, wanted in asked.items():
        started = time.perf_counter()
        found = sum(len(one.codes) for one in search(store, rows_of(store), held, wanted))
        result[name] = {"found": found, "seconds": round(time.perf_counter() - started, 4)}
    return result


def finder_rate(key: EpochKey, bodies: Sequence[PublishTraces]) -> int:
    """Batches a second that a search for something else passes over."""
    passes = BlindIndex(key).finder([[("day", "1")]])
    rounds = max(1, 20_000 // len(bodies))
    started = time.process_time()
    for _ in range(rounds):
        assert not any(passes(body.number, body.tokens) for body in bodies)
    return round(rounds * len(bodies) / (time.process_time() - started))


class Row(Record):
    """A code found by its own four tokens, as an index of rows would keep it."""

    key: bytes
    place: int
    entry: int
    day: bytes
    kind: bytes
    technology: bytes
    province: bytes


ROWS = Collection(
    "bench.rows",
    Row,
    key=("key", "place"),
    indexes={name: (name,) for name in ("day", "kind", "technology", "province")},
)


def a_record_a_code(path: Path, codes: Sequence[TraceCode]) -> dict[str, Any]:
    """State writes and bytes if each code had a record with tokens that are indexed."""
    index = BlindIndex(new_epoch_key(bytes(32)))
    store = Store.create(path, [ROWS])
    started = time.perf_counter()
    state = State(store)
    for place, code in enumerate(codes):
        tokens = {field: index.token(field, value, place=0) for field, value in fields_of(code)}
        state.put(ROWS, Row(key=bytes(16), place=place, entry=place // 1250, **tokens))
    state.keep()
    block = Block(height=1, time_ms=0, size=0, writes_hash=b"", app_hash=b"", checkpoint="")
    store.commit(block, entries=[], tiles=[], writes=state.take_writes())
    seconds = time.perf_counter() - started
    store.close()
    assert TOKEN_BYTES == 4
    stored = sum(file.stat().st_size for file in path.parent.glob(path.name + "*"))
    return {
        "codes_per_second": round(len(codes) / seconds),
        "state_bytes_a_code": round(stored / len(codes), 1),
    }


def show(result: dict[str, Any]) -> None:
    for name, rate in result["sealing"]["codes_per_second"].items():
        print(f"{name:24} {rate:10,} codes/s")
    print(f"whole to bare: {result['sealing']['whole_to_bare']}")
    print(result["ledger"])
    print("a record a code:", result["a_record_a_code"])
    print(describe()["cpu"], describe()["cores"], "cores")


if __name__ == "__main__":
    main()
