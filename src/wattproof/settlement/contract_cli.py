"""The commands of bilateral contracts: contract offer, accept, list."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated, Final

import typer

from wattproof.cli.host import Host
from wattproof.cli.output import JsonFlag, language, say, show_json
from wattproof.core.units import format_amount
from wattproof.gateway.words import plain
from wattproof.identity.queries import device as device_of
from wattproof.identity.queries import device_by_number
from wattproof.ledger.state import Reading
from wattproof.settlement.commands import (
    After,
    Folder,
    Limit,
    PartyOption,
    answer,
    aside,
    parse_energy,
    signing,
    table,
)
from wattproof.settlement.local_time import iso_local, parse_local_time
from wattproof.settlement.model import AcceptContract, OfferContract
from wattproof.settlement.price_text import parse_price, price_text
from wattproof.settlement.queries import contract_of, contracts_of
from wattproof.settlement.records import REGIONS, Bilateral

__all__ = ["add_contract"]

Contract = Annotated[str, typer.Argument(metavar="CONTRACT", help="Its id. / 合同编号。")]
DEFAULT_OFFSET_S: Final = 8 * 3600


def add_contract(app: typer.Typer, host: Host) -> None:
    """Hang the commands into the application."""
    contract = typer.Typer(no_args_is_help=True, help="Bilateral contracts. / 双边合同。")
    app.add_typer(contract, name="contract")
    _add_offer(contract, host)
    _add_accept(contract, host)
    _add_list(contract, host)


def _add_offer(app: typer.Typer, host: Host) -> None:
    @app.command()
    def offer(
        folder: Folder,
        contract: Contract,
        party: PartyOption,
        supply: Annotated[str, typer.Option(help="The supplier's meter. / 供电表计。")],
        consumption: Annotated[str, typer.Option(help="The consumer's meter. / 用电表计。")],
        energy: Annotated[str, typer.Option(help="An hour: 50 kWh. / 每小时电量。")],
        price: Annotated[str, typer.Option(help="CNY/kWh. / 电价（元/千瓦时）。")],
        start: Annotated[str, typer.Option("--from", help="Hours from here. / 起始时间。")],
        end: Annotated[str, typer.Option("--to", help="Hours before this. / 结束时间。")],
        as_json: JsonFlag = False,
    ) -> None:
        """Offer energy of one's own meter to a consumer's, at a price. / 提出双边合同。"""
        wh_per_hour, price_ufen = parse_energy(energy), parse_price(price)
        with signing(host.folder(folder), party) as signer:
            store = signer.writer.store
            offset_s = _offset_s(store, device_of(store, supply).region)
            body = OfferContract(
                id=contract,
                supply=supply,
                consumption=consumption,
                wh_per_hour=wh_per_hour,
                price_ufen=price_ufen,
                from_s=parse_local_time(start, offset_s),
                to_s=parse_local_time(end, offset_s),
            )
            receipt = signer.submit(body, once=True)
        answer(
            receipt,
            as_json=as_json,
            en=f"Contract {contract} is offered.",
            zh=f"合同 {contract} 已提出。",
            contract=contract,
        )


def _add_accept(app: typer.Typer, host: Host) -> None:
    @app.command()
    def accept(
        folder: Folder, contract: Contract, party: PartyOption, as_json: JsonFlag = False
    ) -> None:
        """Accept what was offered to a meter of one's own. / 接受双边合同。"""
        with signing(host.folder(folder), party) as signer:
            found = contract_of(signer.writer.store, contract)
            receipt = None
            if found.accepted_entry < 0 or found.consumer != party:
                receipt = signer.submit(AcceptContract(id=contract))
        answer(
            receipt,
            as_json=as_json,
            en=f"Contract {contract} is accepted.",
            zh=f"合同 {contract} 已接受。",
            contract=contract,
        )


def _add_list(app: typer.Typer, host: Host) -> None:
    @app.command("list")
    def list_command(
        folder: Folder,
        party: Annotated[str, typer.Option(help="Offered by or to this one. / 主体。")] = "",
        after: After = "",
        limit: Limit = 100,
        as_json: JsonFlag = False,
    ) -> None:
        """Bilateral contracts, accepted or not. / 列出双边合同。"""
        with closing(host.folder(folder).read()) as store, store.snapshot():
            found = contracts_of(store, party or None, after=after or None, limit=limit)
            if as_json:
                show_json([plain(one) for one in found])
                return
            rows = [_row(store, one) for one in found]
        table(
            ("contract", "from", "to", "an hour", "CNY/kWh", "begins", "ends", "accepted"),
            ("合同", "供电表计", "用电表计", "每小时电量", "元/千瓦时", "起", "止", "已接受"),
            rows,
        )
        if len(found) == limit:
            last = found[-1].id
            say(f"There may be more: --after {last}", f"可能还有更多：--after {last}")


def _row(reading: Reading, one: Bilateral) -> tuple[object, ...]:
    offset_s = _offset_s(reading, one.region)
    supply, consumption = (
        device_by_number(reading, number).id for number in (one.supply, one.consumption)
    )
    accepted = one.accepted_entry if one.accepted_entry >= 0 else "-"
    return (
        one.id,
        aside(supply, one.supplier),
        aside(consumption, one.consumer),
        format_amount(one.wh_per_hour, "Wh", language()),
        price_text(one.price_ufen),
        iso_local(one.from_s, offset_s),
        iso_local(one.to_s, offset_s),
        accepted,
    )


def _offset_s(reading: Reading, region: str) -> int:
    """The clock of a region; where it is not settled, UTC+8, until the contract says so."""
    found = reading.get(REGIONS, region)
    return DEFAULT_OFFSET_S if found is None else found.offset_s
