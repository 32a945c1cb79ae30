"""The chapter on settlement: the region's month becomes trades, a statement, and sealed codes.

The grid company settles what meters reported. One consumer's wallet does not last and its last days
come late: a supplementary run settles them and collects what was due. Then the statement is made,
filed, and checked with nothing of the ledger at hand but the proofs.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from wattproof.core.trace_codes import TraceKind
from wattproof.core.units import format_amount
from wattproof.demo.market import (
    BAKERY,
    END_S,
    GRID,
    LATE_DAY,
    METERS,
    PARTIES,
    TECHNOLOGIES,
    agreed,
    rest_of_money,
    top_ups,
)
from wattproof.demo.meters import Signed, connect, meter_key, packets, register
from wattproof.demo.region import REGION, START_S
from wattproof.demo.tracking import Tell
from wattproof.emissions.cli import projected_lake
from wattproof.engines.folder import LOG_KEY, LedgerFolder, Writer
from wattproof.identity.queries import device_by_number, party
from wattproof.keys.did import public_of
from wattproof.keys.ed25519 import SigningKey
from wattproof.keys.store import KeyStore
from wattproof.ledger.chain import Receipt
from wattproof.ledger.store import Store
from wattproof.ledger.transaction import content_nonce, sign_transaction
from wattproof.settlement.filing import filing_of, made_again
from wattproof.settlement.queries import filed_statement, region_of, run_of, statements_of
from wattproof.settlement.runner import settle_region
from wattproof.settlement.statement import Statement, statement
from wattproof.settlement.statement_bundle import make_bundle, verify_bundle
from wattproof.settlement.traces.queries import Held, opened_epochs
from wattproof.settlement.traces.sealing import new_epoch_key, opening
from wattproof.settlement.traces.trades import UNSPECIFIED, codes_of_run, publish_run
from wattproof.settlement.trade_queries import trades_of

__all__ = ["Settlement"]

RUNS: Final = 2
"""The month's run, and the supplementary one."""
READERS: Final = ("wind-farm", "solar-park", "metering")
"""Who may read the trace codes, beside the grid company."""


class Settlement:
    """The chapter on one ledger, after the story's; telling it again adds nothing.

    The story must have been told with `market.opening`: meters trade from the first packet on that
    comes when their region is settled.
    """

    def __init__(self, folder: LedgerFolder, tell: Tell, *, operator: str) -> None:
        self._folder = folder
        self._tell = tell
        self._operator = operator

    def live(self) -> None:
        """The month is settled, what was late is settled, the codes are sealed."""
        with self._folder.keys() as keys, self._folder.write() as writer:
            names = [*(one.id for one in PARTIES), *(meter_key(meter.id) for meter in METERS)]
            missing = set(names) - set(keys.names())
            keys.add_many({name: SigningKey.generate() for name in sorted(missing)})
            reported = [step for meter in METERS for step in packets(meter)]
            late = list(packets(BAKERY))[LATE_DAY:]
            steps: list[Signed] = [
                *((register(one, keys), self._operator) for one in PARTIES),
                *(step for meter in METERS for step in connect(meter)),
                *agreed(),
                *top_ups(),
                *(step for step in reported if step not in late),
            ]
            _submit(writer, keys, steps)
            _settle(writer, keys, run=1)
            _submit(writer, keys, [rest_of_money(), *late])
            _settle(writer, keys, run=2)
            _publish(writer, keys)

    def facts(self) -> dict[str, Any]:
        """File the month's statement if it is not on the ledger yet; what it says, told."""
        self._file()
        with self._folder.keys() as keys:
            grid, log_key = keys.get(GRID), keys.get(LOG_KEY)
        store = self._folder.read()
        try:
            lake = projected_lake(self._folder, store)
            filed = filed_statement(store, REGION, 1)
            month = made_again(store, lake, filed).statement
            bundle = make_bundle(store, lake, filed, log_key=log_key)
            first = statement(
                store, lake, region=REGION, from_s=START_S, to_s=END_S,
                entries=run_of(store, REGION, 2).opened_entry,
            )  # fmt: skip
            self._tell_runs(store, first)
            self._tell_month(month)
            self._tell_bundle(bundle, month)
            self._tell_codes(store, grid)
        finally:
            store.close()
        return _facts(month)

    def _file(self) -> None:
        """Put the month's statement on the ledger."""
        with self._folder.keys() as keys, self._folder.write() as writer:
            if statements_of(writer.store, REGION):
                return
            lake = projected_lake(self._folder, writer.store)
            made = statement(writer.store, lake, region=REGION, from_s=START_S, to_s=END_S)
            _submit(writer, keys, [(filing_of(made), GRID)])

    def _tell_runs(self, store: Store, first: Statement) -> None:
        """What each run settled, and what was due and late between them."""
        due_fen = next(trade.due_fen for trade in trades_of(store, BAKERY.id) if trade.run < RUNS)
        late = next(one for one in first.differences if one.meter == BAKERY.id)
        for number in range(1, RUNS + 1):
            run = run_of(store, REGION, number)
            trades = run.trades_supply + run.trades_consumption
            en, zh = (
                (
                    format_amount(run.supplied_wh, "Wh", lang),
                    format_amount(run.consumed_wh, "Wh", lang),
                    format_amount(run.from_consumers_fen, "fen", lang),
                    format_amount(run.to_suppliers_fen, "fen", lang),
                )
                for lang in ("en", "zh")
            )
            self._tell(
                f"Run {number} of {REGION}: {trades} trades by the hour, {en[0]} bought and "
                f"{en[1]} sold; consumers paid {en[2]}, suppliers got {en[3]}.",
                f"{REGION} 第 {number} 次结算：按小时结算 {trades} 笔交易，购入 {zh[0]}，"
                f"售出 {zh[1]}；用户支付 {zh[2]}，供电方收到 {zh[3]}。",
            )
            if number == 1:
                self._tell(
                    f"After it {late.meter} owes {format_amount(due_fen, 'fen', 'en')}, and "
                    f"{format_amount(late.difference_wh, 'Wh', 'en')} of its came late: "
                    f"run {RUNS} collects both.",
                    f"此后 {late.meter} 尚欠 {format_amount(due_fen, 'fen', 'zh')}，另有 "
                    f"{format_amount(late.difference_wh, 'Wh', 'zh')}迟报；"
                    f"由第 {RUNS} 次结算一并结清。",
                )

    def _tell_month(self, month: Statement) -> None:
        """The statement's figures, each by its name."""
        wh = {
            lang: [
                format_amount(value, "Wh", lang)
                for value in (month.supplied_wh, month.consumed_wh, month.net_wh)
            ]
            for lang in ("en", "zh")
        }
        grams = {
            lang: [
                format_amount(value, "g", lang)
                for value in (
                    month.net_emission_g,
                    month.location_based_g,
                    month.market_based_g,
                )
            ]
            for lang in ("en", "zh")
        }
        verdict_zh = {"positive": "正值", "neutral": "零值", "negative": "负值"}[month.verdict]
        self._tell(
            f"Statement of {REGION}: supplied {wh['en'][0]}, consumed {wh['en'][1]}, net "
            f"{wh['en'][2]}: {month.verdict}. The net value times the location factor: "
            f"{grams['en'][0]}; consumption, location-based: {grams['en'][1]}, market-based: "
            f"{grams['en'][2]}. Meters that differ from their packets: {month.meters_differing}.",
            f"{REGION} 结算单：供电 {wh['zh'][0]}，用电 {wh['zh'][1]}，净值 {wh['zh'][2]}"
            f"（{verdict_zh}）。净值乘以位置因子：{grams['zh'][0]}；用电排放，基于位置："
            f"{grams['zh'][1]}，基于市场：{grams['zh'][2]}。"
            f"与数据包不一致的表计：{month.meters_differing} 只。",
        )

    def _tell_bundle(self, bundle: bytes, month: Statement) -> None:
        """Whether a stranger finds the statement right, who has the file and no ledger."""
        verdict = verify_bundle(bundle, ledger_id=bytes.fromhex(month.ledger))
        self._tell(
            f"The statement and its proofs are one file of {len(bundle)} bytes; without the ledger "
            f"it {'verifies' if verdict.ok else 'does not verify'}.",
            f"结算单及其证明为一个 {len(bundle)} 字节的文件，"
            f"脱离账本验证{'通过' if verdict.ok else '不通过'}。",
        )
        assert verdict.ok, "a statement that was just filed verifies"

    def _tell_codes(self, store: Store, grid: SigningKey) -> None:
        """How many codes are sealed in the log."""
        epochs = _own_epochs(store, grid, ledger_id=store.entry(0).id)
        codes, batches = (
            sum(getattr(one.epoch, name) for one in epochs) for name in ("codes", "batches")
        )
        self._tell(
            f"{codes} trace codes, one for each trade, are sealed in {batches} batches; "
            f"{len(READERS) + 1} parties can read them.",
            f"{codes} 个溯源码（每笔交易一个）已加密发布，共 {batches} 批；"
            f"{len(READERS) + 1} 个主体可以读取。",
        )


def _facts(month: Statement) -> dict[str, Any]:
    return {
        "region": month.region,
        "supplied_wh": month.supplied_wh,
        "consumed_wh": month.consumed_wh,
        "net_wh": month.net_wh,
        "verdict": month.verdict,
        "net_emission_g": month.net_emission_g,
        "location_based_g": month.location_based_g,
        "market_based_g": month.market_based_g,
        "trades_first": month.trades_first,
        "trades_second": month.trades_second,
        "differences": month.meters_differing,
    }


def _submit(writer: Writer, keys: KeyStore, steps: Iterable[Signed]) -> None:
    raws = [
        sign_transaction(body, keys.get(key), ledger_id=writer.ledger_id, nonce=content_nonce(body))
        for body, key in steps
    ]
    for answer in writer.engine.submit_many(raws):
        if not isinstance(answer, Receipt):
            raise answer


def _settle(writer: Writer, keys: KeyStore, *, run: int) -> None:
    """The run of this number, to its end, unless it was before."""
    region = region_of(writer.store, REGION)
    if region.runs < run or region.open_run == run:
        settle_region(
            writer.store, writer.engine, region=REGION, key=keys.get(GRID),
            ledger_id=writer.ledger_id, until_s=END_S,
        )  # fmt: skip


def _publish(writer: Writer, keys: KeyStore) -> None:
    """Seal a code for each trade, under a key that the readers get too."""
    store, grid = writer.store, keys.get(GRID)
    held = _own_epochs(store, grid, ledger_id=writer.ledger_id)
    if not held:
        holders = {id_: public_of(party(store, id_).did) for id_ in (GRID, *READERS)}
        key = new_epoch_key(writer.ledger_id)
        _submit(writer, keys, [(opening(key, region=REGION, holders=holders), GRID)])
        held = _own_epochs(store, grid, ledger_id=writer.ledger_id)

    def technology(_kind: TraceKind, number: int) -> str:
        return TECHNOLOGIES.get(device_by_number(store, number).id, UNSPECIFIED)

    for run in range(1, RUNS + 1):
        codes = codes_of_run(store, region=REGION, run=run, place=REGION, technology_of=technology)
        publish_run(store, writer.engine, codes, held=held, key=grid)
        held = _own_epochs(store, grid, ledger_id=writer.ledger_id)


def _own_epochs(store: Store, grid: SigningKey, *, ledger_id: bytes) -> list[Held]:
    """The epochs of trace codes that the grid company opened."""
    held, _ = opened_epochs(store, GRID, grid, ledger_id=ledger_id)
    return [one for one in held if one.epoch.opener == GRID]
