"""Transactions in words."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
from tests.support.memory_ledger import MemoryLedger, key_of
from tests.support.people import active_meter, new_ledger, organisation

from wattproof.book.contract import CONTRACT as BOOK
from wattproof.book.model import DefineAsset, Issue, Movement, Transfer
from wattproof.console.ledger_words import WORDS as CONSOLE
from wattproof.console.words import SHOWN_ROWS, Field, Words
from wattproof.core.errors import Lang
from wattproof.emissions.model import AssignFactor, FactorStatement, PublishFactors
from wattproof.identity.model import EnrolDevice, GrantRole, RegisterParty
from wattproof.keys.did import did_of
from wattproof.keys.uint_array import UintArray
from wattproof.ledger.transaction import Body, Part
from wattproof.metering.model import Packet, ReplaceMeter
from wattproof.node import WORDS, machine
from wattproof.settlement.model import Band, PublishTariff

ZONE = "Asia/Shanghai"
NEW_YEAR_S = 1_735_660_800


@pytest.fixture(scope="module")
def ledger() -> MemoryLedger:
    ledger = new_ledger(BOOK)
    organisation(ledger, "issuer", "issuer")
    active_meter(ledger, "gas-meter", quantity="gas.natural")
    ledger.submit(DefineAsset(id="CNY", kind="money", unit="fen", decimals=2), key_of("issuer"))
    return ledger


def told(ledger: MemoryLedger, body: Body, lang: Lang = "en", signer: str = "") -> dict[str, Field]:
    words = Words((CONSOLE, *WORDS), zone=ZONE)
    key = key_of(signer).public if signer else b""
    fields = words.fields(body, lang=lang, reading=ledger.state, signer=key)
    assert [field.name for field in fields] == list(body.__struct_fields__)
    return {field.name: field for field in fields}


def packet(*readings: int) -> Packet:
    return Packet(
        sequence=3,
        start_s=NEW_YEAR_S,
        interval_s=900,
        kind="increment",
        opening=1500,
        increments=UintArray.from_ints(readings),
        quality=UintArray.from_ints([0, 2] if len(readings) == 2 else []),
    )


def test_a_packet_says_what_its_meter_measures(ledger: MemoryLedger) -> None:
    fields = told(ledger, packet(400, 1100), signer="gas-meter")
    assert fields["start_s"].label == "Begins"
    assert fields["start_s"].value.text == "1 Jan 2025, 00:00:00"
    assert fields["interval_s"].value.text == "15 minutes"
    assert fields["opening"].value.text == "1.5 m3"
    assert fields["increments"].value.text == "400 dm3, 1.1 m3"
    assert fields["quality"].value.text == "measured, estimated"
    assert fields["kind"].value.text == "measured interval by interval"


def test_the_same_in_chinese(ledger: MemoryLedger) -> None:
    fields = told(ledger, packet(400, 1100), "zh", signer="gas-meter")
    assert fields["start_s"].label == "起始时间"
    assert fields["start_s"].value.text == "2025年1月1日 00:00:00"
    assert fields["interval_s"].value.text == "15 分钟"
    assert fields["increments"].value.text == "400 立方分米、1.1 立方米"
    assert fields["quality"].value.text == "实测、估计"


def test_amounts_of_an_unknown_meter_are_plain_numbers(ledger: MemoryLedger) -> None:
    assert told(ledger, packet(4000, 5), signer="nobody")["increments"].value.text == "4,000, 5"


def test_a_long_list_is_a_table(ledger: MemoryLedger) -> None:
    shown = told(ledger, packet(*range(2000)), signer="gas-meter")["increments"].value
    assert shown.table is not None
    assert shown.table.count == 2000
    assert len(shown.table.rows) == SHOWN_ROWS
    assert list(shown.table.rows[1]) == ["2", "1 dm3"]
    assert shown.total == "1,999 m3"
    assert told(ledger, packet())["increments"].value.text == "–"


def test_a_replacement_names_its_meter(ledger: MemoryLedger) -> None:
    body = ReplaceMeter(
        device="gas-meter", at_s=NEW_YEAR_S, old_closing=2000, new_opening=0, new_modulus=0
    )
    fields = told(ledger, body)
    assert fields["old_closing"].value.text == "2 m3"
    assert fields["new_modulus"].value.text == "never"


def test_parties_roles_and_keys(ledger: MemoryLedger) -> None:
    key = key_of("new").public
    body = RegisterParty(
        id="new", kind="organisation", key=key, name="New", roles=("supplier", "certifier")
    )
    fields = told(ledger, body)
    assert fields["key"].value.text == did_of(key)
    assert fields["key"].value.code
    assert fields["roles"].value.text == "Supplier, Certifier"
    assert fields["person"].value.text == "–"
    assert told(ledger, body, "zh")["roles"].value.text == "供方、认证机构"
    assert told(ledger, GrantRole(party="new", role="no_such"))["role"].value.text == "no_such"


def test_quantities_and_registers(ledger: MemoryLedger) -> None:
    def enrolled(quantity: str, modulus: int) -> dict[str, Field]:
        body = EnrolDevice(
            id="m", owner="new", quantity=quantity, zone=ZONE, register_modulus=modulus
        )
        return told(ledger, body)

    fields = enrolled("electricity.import", 10**9)
    assert fields["quantity"].value.text == "electricity taken from the grid · electricity.import"
    assert fields["register_modulus"].value.text == "1,000 MWh"
    assert enrolled("electricity.import", 0)["register_modulus"].value.text == "never"
    fields = enrolled("nothing", 10**9)
    assert fields["quantity"].value.text == "nothing"
    assert fields["register_modulus"].value.text == "1,000,000,000"


def test_money(ledger: MemoryLedger) -> None:
    assert told(ledger, Issue(asset="CNY", account="a", amount=1060))["amount"].value.text == (
        "10.60 CNY"
    )
    assert told(ledger, Issue(asset="XYZ", account="a", amount=1060))["amount"].value.text == (
        "1,060"
    )
    move = Movement(source="a", target="b", asset="CNY", amount=5)
    table = told(ledger, Transfer(movements=(move, move)))["movements"].value.table
    assert table is not None
    assert list(table.heads) == ["From account", "To account", "Asset", "Amount"]
    assert list(table.rows[1]) == ["a", "b", "CNY", "0.05 CNY"]


def test_factors(ledger: MemoryLedger) -> None:
    stated = FactorStatement(
        id="f", set="cn-grid", kind="residual", level="province", region="CN-SH", name_en="Grid",
        name_zh="电网", quantity="electricity", data_year=2023, published="2025-01-02",
        value="0.5", unit="kgCO2/kWh", value_ug=500_000, gas="CO2", source="a notice",
        confidence="unconfirmed",
    )  # fmt: skip
    table = told(ledger, PublishFactors(factors=(stated,)), "zh")["factors"].value.table
    assert table is not None
    row = dict(zip(table.heads, table.rows[0], strict=True))
    assert row["口径"] == "剩余"
    assert row["地区"] == "上海市 · CN-SH"
    assert row["数据年份"] == "2023"
    assert row["来源"] == "a notice"
    assert row["可信度"] == "未经证实"
    body = AssignFactor(device="gas-meter", factor="f", version=1, from_s=NEW_YEAR_S, to_s=0)
    assert told(ledger, body)["to_s"].value.text == "no end"


class Strange(Body):
    """What no room declared."""

    colour: str
    depth: int
    sure: bool


def test_an_unknown_field_is_shown_by_its_own_name(ledger: MemoryLedger) -> None:
    fields = told(ledger, Strange(colour="red", depth=12345, sure=True))
    assert fields["colour"].label == "colour"
    assert [field.value.text for field in fields.values()] == ["red", "12,345", "yes"]


def _structs(kind: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    for subclass in kind.__subclasses__():
        if subclass.__module__.startswith("wattproof."):
            yield subclass
        yield from _structs(subclass)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_field_of_every_transaction_is_named(lang: Lang) -> None:
    machine()
    words = Words((CONSOLE, *WORDS), zone=ZONE)
    for struct in (*_structs(Body), *_structs(Part)):
        for name in struct.__struct_fields__:
            label = words.label(name, lang, struct.__name__)
            assert label != name, f"{struct.__name__}.{name} has no words"


@pytest.mark.parametrize(
    ("lang", "head", "unit"),
    [("en", ["From", "Price"], "CNY/kWh"), ("zh", ["起", "价格"], "元/千瓦时")],
)
def test_prices_read_as_they_were_typed(
    ledger: MemoryLedger, lang: Lang, head: list[str], unit: str
) -> None:
    bands = (Band(from_s=0, price_ufen=30_000), Band(from_s=8 * 3600, price_ufen=90_001))
    body = PublishTariff(region="CN-SH", id="night", from_s=NEW_YEAR_S, bands=bands)
    table = told(ledger, body, lang)["bands"].value.table
    assert table is not None
    assert table.heads == head
    assert table.rows == [["00:00", f"0.30 {unit}"], ["08:00", f"0.90001 {unit}"]]
