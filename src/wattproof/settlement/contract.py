"""The contract of settlement: which rule runs for which transaction, and what it listens to."""

from __future__ import annotations

from typing import Final

from wattproof.identity.events import DeviceAssociated, DeviceConfirmed
from wattproof.ledger.machine import Contract
from wattproof.metering.model import MeterReplaced, PacketAccepted
from wattproof.settlement.model import (
    AcceptContract,
    AssignTariff,
    BatchRun,
    CloseRun,
    DefineRegion,
    DrawPool,
    FileStatement,
    FreezeWallet,
    LimitWallet,
    OfferContract,
    OpenRun,
    PayFromWallet,
    PublishTariff,
    TopUpWallet,
    UnfreezeWallet,
)
from wattproof.settlement.pools import draw_pool
from wattproof.settlement.records import (
    CONTRACTS,
    REGION_DAYS,
    REGION_HOURS,
    REGIONS,
    RUNS,
    STATEMENTS,
    TARIFFS,
    USAGE,
    WALLETS,
)
from wattproof.settlement.regions import (
    accept_contract,
    assign_tariff,
    define_region,
    offer_contract,
    publish_tariff,
)
from wattproof.settlement.settle import batch_run, close_run, file_statement, open_run
from wattproof.settlement.usage import add_packet, add_replacement, move_meter
from wattproof.settlement.wallets import (
    freeze_wallet,
    give_wallet,
    limit_wallet,
    pay_from_wallet,
    top_up_wallet,
    unfreeze_wallet,
)

__all__ = ["CONTRACT"]

CONTRACT: Final = Contract(
    "settlement",
    collections=(
        REGIONS, TARIFFS, CONTRACTS, WALLETS, USAGE, REGION_HOURS, REGION_DAYS, RUNS, STATEMENTS,
    ),
)  # fmt: skip

CONTRACT.rule(DefineRegion)(define_region)
CONTRACT.rule(PublishTariff)(publish_tariff)
CONTRACT.rule(AssignTariff)(assign_tariff)
CONTRACT.rule(OfferContract)(offer_contract)
CONTRACT.rule(AcceptContract)(accept_contract)
CONTRACT.rule(TopUpWallet)(top_up_wallet)
CONTRACT.rule(PayFromWallet)(pay_from_wallet)
CONTRACT.rule(LimitWallet)(limit_wallet)
CONTRACT.rule(FreezeWallet)(freeze_wallet)
CONTRACT.rule(UnfreezeWallet)(unfreeze_wallet)
CONTRACT.rule(DrawPool)(draw_pool)
CONTRACT.rule(OpenRun)(open_run)
CONTRACT.rule(BatchRun)(batch_run)
CONTRACT.rule(CloseRun)(close_run)
CONTRACT.rule(FileStatement)(file_statement)
CONTRACT.on(DeviceConfirmed)(give_wallet)
CONTRACT.on(DeviceAssociated)(move_meter)
CONTRACT.on(PacketAccepted)(add_packet)
CONTRACT.on(MeterReplaced)(add_replacement)
