"""The command statement: a region's statement shown, filed, made again, and put into a file."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import msgspec
import typer

from wattproof.analytics.lake import Lake
from wattproof.cli.host import Host
from wattproof.cli.output import EXIT_NO, JsonFlag, language, say, show_json, show_table
from wattproof.core.errors import ErrorCode, Malformed, NotFound
from wattproof.emissions.cli import projected_lake
from wattproof.engines.folder import LOG_KEY, LedgerFolder
from wattproof.ledger.store import Store
from wattproof.settlement.commands import Folder, RegionText, signing
from wattproof.settlement.filing import Remade, filing_of, made_again
from wattproof.settlement.local_days import check_statement_step
from wattproof.settlement.local_time import parse_local_time
from wattproof.settlement.model import StatementStep
from wattproof.settlement.queries import filed_statement, region_of, sums_of
from wattproof.settlement.statement import (
    Statement,
    statement,
    statement_bytes,
    statement_digest,
)
from wattproof.settlement.statement_bundle import make_bundle
from wattproof.settlement.statement_view import (
    Fact,
    StatementView,
    difference_csv_lines,
    statement_csv_lines,
)

__all__ = ["add_statement"]

T = TypeVar("T")

Start = Annotated[str, typer.Option("--from", help="First day, month or year. / 起始日。")]
End = Annotated[str, typer.Option("--to", help="Up to, not including. / 截止（不含）。")]
By = Annotated[str, typer.Option(help="hour, day or month. / 时、日、月。")]
Number = Annotated[
    int, typer.Option(min=0, help="One that is filed already. / 已入账的结算单编号。")
]
FileIt = Annotated[bool, typer.Option("--file", help="Sign it onto the ledger. / 签名入账。")]
SignedBy = Annotated[str, typer.Option("--as", help="Who signs; else the operator. / 签名主体。")]
Output = Annotated[
    Path | None, typer.Option("--bundle", help="Write it with its proofs. / 连同证明写入文件。")
]
CheckIt = Annotated[
    int, typer.Option("--check", min=0, help="Make a filed one again. / 重做并核对结算单。")
]
Csv = Annotated[bool, typer.Option("--csv", help="Print CSV. / 输出 CSV。")]
OfDifferences = Annotated[
    bool, typer.Option("--differences", help="The meters that differ, as CSV. / 差异表计 CSV。")
]
AsBytes = Annotated[bool, typer.Option("--bytes", help="Print what is filed. / 输出入账字节。")]

SHOWN: Final = 1_000
"""Rows, and meters that differ, that people are shown; the files have all of them."""

NOTHING = ErrorCode(
    NotFound,
    "settlement.nothing_settled",
    en="Nothing of {region} is settled yet; say of which days with --from and --to.",
    zh="{region} 地区尚无结算记录；请用 --from 和 --to 指明日期。",
)
EITHER = ErrorCode(
    Malformed,
    "settlement.statement_options",
    en="A statement that is filed already (--number) has its own period, and is not filed again.",
    zh="已入账的结算单（--number）期间已定，不能再指定期间或重复入账。",
)
NO_NUMBER = ErrorCode(
    Malformed,
    "settlement.bundle_number",
    en="Only a filed statement has proofs: say which with --number, or file this one with --file.",
    zh="只有已入账的结算单才有证明：请用 --number 指明，或用 --file 入账。",
)


class _Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line asks for."""

    region: str
    start: str
    end: str
    step: StatementStep
    number: int


def add_statement(app: typer.Typer, host: Host) -> None:
    """Hang the command into the application."""

    @app.command(name="statement")
    def statement_command(
        folder: Folder,
        region: RegionText,
        start: Start = "",
        end: End = "",
        by: By = "day",
        number: Number = 0,
        file: FileIt = False,
        party: SignedBy = "",
        bundle: Output = None,
        check: CheckIt = 0,
        as_csv: Csv = False,
        differences: OfDifferences = False,
        as_bytes: AsBytes = False,
        as_json: JsonFlag = False,
    ) -> None:
        """A region's statement: net value, verdict, emissions, differences. / 地区结算单。"""
        ledger = host.folder(folder)
        if check:
            _check(ledger, region, check, as_json=as_json)
            return
        if number and (start or end or file):
            raise EITHER()
        if bundle is not None and not (number or file):
            raise NO_NUMBER()
        wanted = _Wanted(
            region=region, start=start, end=end, step=check_statement_step(by), number=number
        )
        made = _read(ledger, lambda store, lake: _made(store, lake, wanted))
        receipt = _file(ledger, made, party) if file else None
        if receipt is not None:
            number = _number(receipt)
        if bundle is not None:
            _write_bundle(ledger, region, number, bundle)
        if as_bytes:
            sys.stdout.buffer.write(statement_bytes(made))
        elif as_csv or differences:
            lines = difference_csv_lines if differences else statement_csv_lines
            sys.stdout.writelines(lines(made))
        elif as_json:
            show_json({**msgspec.structs.asdict(made), "digest": statement_digest(made).hex(),
                       "number": number, "filed": receipt,
                       "bundle": None if bundle is None else str(bundle)})  # fmt: skip
        else:
            _show(StatementView(made, language()))
            _say_done(receipt, number, bundle)


def _made(store: Store, lake: Lake, wanted: _Wanted) -> Statement:
    if wanted.number:
        return made_again(
            store, lake, filed_statement(store, wanted.region, wanted.number)
        ).statement
    offset_s = region_of(store, wanted.region).offset_s
    from_s, to_s = (
        parse_local_time(text, offset_s) if text else None for text in (wanted.start, wanted.end)
    )
    if from_s is None or to_s is None:
        settled = sums_of(store, wanted.region)
        if not settled.days:
            raise NOTHING(region=wanted.region)
        from_s = settled.first_s if from_s is None else from_s
        to_s = settled.end_s if to_s is None else to_s
    return statement(store, lake, region=wanted.region, from_s=from_s, to_s=to_s, step=wanted.step)


def _file(ledger: LedgerFolder, made: Statement, party: str) -> dict[str, Any]:
    with signing(ledger, party or made.operator) as signer:
        return signer.submit(filing_of(made), once=True)


def _number(receipt: dict[str, Any]) -> int:
    return next(int(event["statement"]) for event in receipt["events"] if "statement" in event)


def _write_bundle(ledger: LedgerFolder, region: str, number: int, output: Path) -> None:
    with ledger.keys() as keys:
        log_key = keys.get(LOG_KEY)
    data = _read(
        ledger,
        lambda store, lake: make_bundle(
            store, lake, filed_statement(store, region, number), log_key=log_key
        ),
    )
    output.write_bytes(data)


def _check(ledger: LedgerFolder, region: str, number: int, *, as_json: bool) -> None:
    """Make a filed statement again; exit 1 where it does not come out the same."""

    def work(store: Store, lake: Lake) -> tuple[Remade, str]:
        filed = filed_statement(store, region, number)
        return made_again(store, lake, filed), filed.digest.hex()

    made, filed = _read(ledger, work)
    digest = made.digest.hex()
    if as_json:
        show_json({"region": region, "number": number, "same": made.same, "filed": filed,
                   "digest": digest})  # fmt: skip
    elif made.same:
        say(
            f"Statement {number} of {region} comes out the same: {filed}",
            f"{region} 第 {number} 号结算单重做结果一致：{filed}",
        )
    else:
        say(
            f"Statement {number} of {region} was filed as {filed}, but comes out as {digest}.",
            f"{region} 第 {number} 号结算单入账摘要为 {filed}，重做结果为 {digest}。",
        )
    if not made.same:
        raise typer.Exit(EXIT_NO)


def _show(view: StatementView) -> None:
    made = view.statement
    say(f"{view.title}, {view.period}", f"{view.title}，{view.period}")
    say(
        f"Made from {made.entries} log entries; rows: {len(made.rows)}.",
        f"依据 {made.entries} 条日志，共 {len(made.rows)} 行。",
    )
    facts = [*view.energy, *view.emissions, *view.trades, *view.reconciliation]
    show_table(("", "", ""), [_cells(fact) for fact in facts])
    if made.rows:
        show_table(view.columns, view.rows(SHOWN))
    _say_more(len(made.rows))
    if made.differences:
        show_table(view.difference_columns, view.differences(SHOWN))
    _say_more(made.meters_differing)


def _cells(fact: Fact) -> tuple[str, str, str]:
    return fact.name, fact.value, fact.note


def _say_more(count: int) -> None:
    if count > SHOWN:
        say(f"and {count - SHOWN} more", f"另有 {count - SHOWN} 行")


def _say_done(receipt: dict[str, Any] | None, number: int, bundle: Path | None) -> None:
    if receipt is not None:
        say(
            f"Filed as statement {number} (entry {receipt['index']}).",
            f"已作为第 {number} 号结算单入账（第 {receipt['index']} 条）。",
        )
    if bundle is not None:
        say(
            f"With its proofs in {bundle}; check it with: wattproof verify {bundle}",
            f"连同证明写入 {bundle}；验证：wattproof verify {bundle}",
        )


def _read(ledger: LedgerFolder, work: Callable[[Store, Lake], T]) -> T:
    """What `work` makes of the ledger and its lake, brought up to the log's end."""
    with closing(ledger.read()) as store:
        return work(store, projected_lake(ledger, store))
