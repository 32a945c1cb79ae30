"""A region settled for one day: every meter's hours become a trade, paid from its wallet.

Made data on the real path: each meter has a usage of 24 hours, as its packets would have left it,
and money in its wallet; a fifth of them supply. The run is that of `settle_region`: signed batches
through the engine, verified, run, posted and durable. Sizes grow to show that time per meter does
not.

    python -m bench.settlement [--sizes 10000,100000,1000000]
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.ingest import check
from bench.machine import write_result
from wattproof.book.model import ACCOUNTS, BALANCES, Account, Balance, DefineAsset, SetOverdraft
from wattproof.cli.host import Opening
from wattproof.engines.folder import LedgerFolder
from wattproof.identity.model import RegisterParty
from wattproof.keys.ed25519 import SigningKey
from wattproof.ledger.schema import CollectionSql
from wattproof.ledger.state import Collection, Record
from wattproof.ledger.transaction import sign_transaction
from wattproof.node import OPERATOR, create_ledger, machine
from wattproof.settlement.model import (
    Band,
    DefineRegion,
    PublishTariff,
)
from wattproof.settlement.records import (
    USAGE,
    Usage,
)
from wattproof.settlement.runner import settle_region

REGION = "CN-SH"
START_S = 1_689_955_200
DAY_S = 86_400
HOURS = 24
SUPPLY_IN = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="10000,100000,1000000")
    options = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="wattproof-bench-", dir=os.environ.get("BENCH_DIR")))
    try:
        rows = [measure(root / size, int(size)) for size in options.sizes.split(",")]
    finally:
        shutil.rmtree(root)
    path = write_result("settlement", {"results": rows})
    print(path.read_text(encoding="utf-8"))


def measure(path: Path, meters: int) -> dict[str, Any]:
    folder = LedgerFolder(path, machine())
    create_ledger(folder, Opening(name="bench", organisation="Bench", uscc="", zone="UTC"))
    key = SigningKey.generate()
    with folder.write() as writer:
        with folder.keys() as keys:
            operator = keys.get(OPERATOR)
        ledger_id = writer.ledger_id
        grid = RegisterParty(
            id="grid", kind="organisation", key=key.public, name="Grid",
            roles=("grid_company", "issuer"),
        )  # fmt: skip
        bodies = (
            DefineAsset(id="CNY", kind="money", unit="fen", decimals=2),
            DefineRegion(
                region=REGION, money="CNY", offset_s=8 * 3600, tolerance_wh=0,
                location_factor="cn-grid-2023-sh@1", residual_factor="cn-grid-2023-sh@1",
                supply_tariff="feed-in", consumption_tariff="retail",
            ),
            *(
                PublishTariff(
                    region=REGION, id=id_, from_s=0,
                    bands=tuple(Band(from_s=3600 * at, price_ufen=40_000 + 500 * at)
                                for at in range(24)),
                )
                for id_ in ("feed-in", "retail")
            ),
            SetOverdraft(account=f"pool:{REGION}", asset="CNY", limit=10**15),
        )  # fmt: skip
        raws = [sign_transaction(grid, operator, ledger_id=ledger_id)]
        raws += [sign_transaction(body, key, ledger_id=ledger_id) for body in bodies]
        check(writer.engine.submit_many(raws))
    fill(folder, meters)
    with folder.write() as writer:
        store = folder.read()
        began = time.perf_counter()
        run = settle_region(
            store, writer.engine, region=REGION, key=key, ledger_id=ledger_id,
            until_s=START_S + DAY_S,
        )  # fmt: skip
        seconds = time.perf_counter() - began
        store.close()
    assert run.trades_supply + run.trades_consumption == meters, run
    return {
        "meters": meters,
        "seconds": round(seconds, 2),
        "meters_per_s": round(meters / seconds),
        "us_per_meter": round(seconds / meters * 1e6, 1),
        "supplied_wh": run.supplied_wh,
        "consumed_wh": run.consumed_wh,
        "net_wh": run.supplied_wh - run.consumed_wh,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "ledger_mib": round(folder.database.stat().st_size / 2**20),
    }


def fill(folder: LedgerFolder, meters: int) -> None:
    """Put usage and wallets into the state as packets and top-ups would have left them."""
    import sqlite3

    connection = sqlite3.connect(folder.database, isolation_level=None)
    connection.execute("BEGIN")
    for collection, records in (
        (USAGE, usages(meters)),
        (ACCOUNTS, accounts(meters)),
        (BALANCES, balances(meters)),
    ):
        put(connection, collection, records)
    connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def put(connection: Any, collection: Collection[Any], records: Iterator[Record]) -> None:
    connection.executemany(
        CollectionSql(collection).put,
        ((*collection.column_values(record), collection.encode(record), 1) for record in records),
    )


def usages(meters: int) -> Iterator[Usage]:
    for number in range(1, meters + 1):
        hours = tuple(100 + (number * 31 + hour * 17) % 900 for hour in range(HOURS))
        kind = "supply" if number % SUPPLY_IN == 0 else "consumption"
        yield Usage(
            number=number, device=f"m{number}", region=REGION, since_entry=0,
            kind="supply" if kind == "supply" else "consumption",
            start_s=START_S, hours_wh=hours,
        )  # fmt: skip


def accounts(meters: int) -> Iterator[Account]:
    for number in range(1, meters + 1):
        yield Account(id=f"wallet:{number}", owner_kind="room", owner="settlement")


def balances(meters: int) -> Iterator[Balance]:
    for number in range(1, meters + 1):
        yield Balance(account=f"wallet:{number}", asset="CNY", amount=100_000, last_entry=1)
    yield Balance(account="issue:CNY", asset="CNY", amount=-100_000 * meters, last_entry=1)


if __name__ == "__main__":
    main()
