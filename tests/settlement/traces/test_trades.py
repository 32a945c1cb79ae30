"""Trace codes of trades: one for each trade with energy, published once, found by their fields."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.cli.conftest import Command, command  # noqa: F401
from tests.support.refusals import refused
from tests.support.trading import DAY_S, START_S, Trading

from wattproof.book.model import DefineAsset, SetOverdraft
from wattproof.cli.host import Opening
from wattproof.core.trace_codes import TraceCode, TraceKind, check_trace
from wattproof.engines.folder import LedgerFolder, Writer
from wattproof.identity.model import (
    AssociateDevice,
    AuthenticateDevice,
    ConfirmDevice,
    EnrolDevice,
    RegisterParty,
)
from wattproof.keys.ed25519 import SigningKey
from wattproof.keys.uint_array import UintArray
from wattproof.ledger.transaction import Body, sign_transaction
from wattproof.metering.model import Packet
from wattproof.node import IMPORTER, OPERATOR, create_ledger, machine
from wattproof.settlement.model import Band, DefineRegion, PublishTariff
from wattproof.settlement.runner import settle_region
from wattproof.settlement.traces.trades import codes_of_run, trade_codes

HOUR_S = 3600
NEW_YEAR_S = 1_735_660_800


def technology(kind: TraceKind, meter: int) -> str:
    return f"T0{meter}0000" if kind == "supply" else "F00000000"


def test_codes_of_a_run() -> None:
    trading = Trading()
    wind = trading.meter("w", owner="wind", supply=True)
    works = trading.meter("c", owner="works", money=10**6)
    trading.report("w", [5_000] * 24, start_s=START_S)
    trading.report("c", [1_000] * 24, start_s=START_S)
    (settled,) = trading.run(START_S + DAY_S)
    codes = list(trade_codes(settled, place="CN-SH", technology_of=technology))
    assert [(code.kind, code.meter, code.record, code.technology) for code in codes] == [
        ("supply", wind, 1, f"T0{wind}0000"), ("consumption", works, 1, "F00000000"),
    ]  # fmt: skip
    assert {(code.start_s, code.length_s, code.region) for code in codes} == {
        (START_S, DAY_S, "CN-SH")
    }
    assert [check_trace(code) for code in codes] == codes


def test_a_trade_that_pays_arrears_alone_has_no_code() -> None:
    trading = Trading()
    trading.meter("c", owner="works")
    trading.report("c", [1_000] * 24, start_s=START_S)
    trading.run(START_S + DAY_S)
    trading.top_up("c", 10**6)
    (settled,) = trading.run(START_S + 2 * DAY_S)
    assert [trade.hours for trade in settled.consumption] == [0]
    assert list(trade_codes(settled, place="CN-SH", technology_of=technology)) == []


@pytest.fixture
def region(tmp_path: Path) -> LedgerFolder:
    """A settled region on disk: four meters, the first of which supplies, two runs."""
    folder = LedgerFolder(tmp_path / "ledger", machine())
    create_ledger(folder, Opening(name="r", organisation="R", uscc="", zone="UTC"))
    with folder.keys() as keys:
        grid, operator, importer = (
            keys.get_or_create("grid"), keys.get(OPERATOR), keys.get(IMPORTER),
        )  # fmt: skip
    with folder.write(workers=0) as writer:
        submit(writer, [RegisterParty(
            id="grid", kind="organisation", key=grid.public, name="Grid",
            roles=("bank", "consumer", "grid_company", "issuer", "supplier"),
        )], operator)  # fmt: skip
        submit(writer, region_steps(), grid)
        meters = [SigningKey.generate() for _ in range(4)]
        for number, key in enumerate(meters):
            add_meter(writer, f"m{number}", key, importer=importer, supplies=number == 0)
        for sequence in (1, 2):
            start_s = NEW_YEAR_S + (sequence - 1) * 3 * HOUR_S
            for key in meters:
                submit(writer, [packet(sequence, start_s)], key)
            settle_region(
                writer.store, writer.engine, region="CN-ZJ", key=grid,
                ledger_id=writer.ledger_id, until_s=start_s + 3 * HOUR_S, batch=3,
            )  # fmt: skip
    return folder


def submit(writer: Writer, bodies: list[Body], key: SigningKey) -> None:
    for body in bodies:
        writer.engine.submit(sign_transaction(body, key, ledger_id=writer.ledger_id))


def region_steps() -> list[Body]:
    bands = (Band(from_s=0, price_ufen=40_000),)
    factor = "cn-grid-2023-zj@1"
    return [
        DefineAsset(id="CNY", kind="money", unit="fen", decimals=2),
        DefineRegion(
            region="CN-ZJ", money="CNY", offset_s=0, tolerance_wh=0, location_factor=factor,
            residual_factor=factor, supply_tariff="t", consumption_tariff="t",
        ),
        PublishTariff(region="CN-ZJ", id="t", from_s=0, bands=bands),
        SetOverdraft(account="pool:CN-ZJ", asset="CNY", limit=10**9),
    ]  # fmt: skip


def add_meter(
    writer: Writer, name: str, key: SigningKey, *, importer: SigningKey, supplies: bool
) -> None:
    quantity = "electricity.export" if supplies else "electricity.import"
    sides = ((IMPORTER,), ("grid",)) if supplies else (("grid",), (IMPORTER,))
    submit(writer, [EnrolDevice(id=name, owner=IMPORTER, quantity=quantity, zone="UTC")], key)
    submit(writer, [
        AuthenticateDevice(device=name, evidence=bytes(32)),
        ConfirmDevice(device=name),
        AssociateDevice(
            device=name, point=name, region="CN-ZJ", suppliers=sides[0], consumers=sides[1]
        ),
    ], importer)  # fmt: skip


def packet(sequence: int, start_s: int) -> Packet:
    return Packet(
        sequence=sequence, start_s=start_s, interval_s=HOUR_S, kind="register",
        opening=3_000 * (sequence - 1), increments=UintArray.from_ints([1_000] * 3),
        quality=UintArray.from_ints([]),
    )  # fmt: skip


def codes_on_disk(folder: LedgerFolder, run: int) -> list[TraceCode]:
    with closing(folder.read()) as store:
        return codes_of_run(
            store, region="CN-ZJ", run=run, place="CN-ZJ", technology_of=lambda *_: "F00000000"
        )


def test_codes_of_each_run_from_the_log(region: LedgerFolder) -> None:
    for run in (1, 2):
        codes = codes_on_disk(region, run)
        assert sorted((code.meter, code.record) for code in codes) == [
            (meter, run) for meter in range(1, 5)
        ]
        assert {code.start_s for code in codes} == {NEW_YEAR_S + (run - 1) * 3 * HOUR_S}
    refused("settlement.run_unknown", lambda: codes_on_disk(region, 3))


@pytest.fixture
def call(command: Command) -> Iterator[Command]:  # noqa: F811
    yield command


def test_a_run_is_published_once(call: Command, region: LedgerFolder) -> None:
    at = region.path
    new = ("trace", "new", at, "--as", "grid", "--region", "CN-ZJ", "--for", IMPORTER)
    call(*new)
    publish = ("trace", "publish-run", at, "CN-ZJ")
    done = call(*publish, 1, "--as", "grid", "--supply", "T020001", "--json").json
    assert (done["trades"], len(done["entries"])) == (4, 1)
    again = call(*publish, 1, "--as", "grid", "--supply", "T030100", "--json").json
    assert again["entries"] == []
    assert "新增 1 批" in call(*publish, 2, "--as", "grid", lang="zh").out
    call(*new)  # a new epoch does not publish the old anew
    assert call(*publish, 2, "--as", "grid", "--json").json["entries"] == []
    search = ("trace", "search", at, "--as", IMPORTER, "--json")
    assert call(*search, "--province", "CN-ZJ").json["found"] == 8
    (found,) = call(*search, "--technology", "T020001").json["codes"]
    assert (found["kind"], found["record"], found["length_s"]) == ("supply", 1, 3 * HOUR_S)
    wrong = call(*publish, 9, "--as", "grid")
    assert "settlement.run_unknown" in wrong.err + wrong.out
