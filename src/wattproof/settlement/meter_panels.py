"""What settlement adds to a meter's page: its wallet, and its last trades."""

from __future__ import annotations

import time
from typing import Final

from wattproof.metering.panels import Asked, Panel, PanelOf
from wattproof.settlement.local_clock import LocalClock
from wattproof.settlement.queries import region_of
from wattproof.settlement.records import REGIONS, USAGE, WALLETS
from wattproof.settlement.trade_queries import trades_of
from wattproof.settlement.wallet_queries import wallet_of

__all__ = ["trade_panels"]

SHOWN: Final = 5
"""Trades that a meter's page shows."""


def trade_panels() -> tuple[PanelOf, ...]:
    """The panels."""
    return (_wallet, _trades)


async def _wallet(asked: Asked) -> Panel:
    """What is in the wallet and what is due."""
    ledger, device = asked.ledger, asked.device
    wallet = region = None
    if ledger.get(WALLETS, device.number) is not None:
        wallet = wallet_of(ledger, device.id, now_s=int(time.time()))
        region = ledger.get(REGIONS, wallet.region) if wallet.region else None
    balance = None if wallet is None or region is None else wallet.held(region.money)
    values = {"wallet": wallet, "balance_fen": balance}
    return Panel(template="settlement/meter_wallet.html", values=values, place="side")


async def _trades(asked: Asked) -> Panel:
    """The newest trades, and what waits for the next run."""
    ledger, device = asked.ledger, asked.device
    usage = ledger.get(USAGE, device.number)
    found = [] if usage is None else trades_of(ledger, device.id, limit=SHOWN)
    trades = [
        (one, LocalClock(offset_s=region_of(ledger, one.region).offset_s, lang=asked.lang))
        for one in found
    ]
    values = {"usage": usage, "trades": trades}
    return Panel(template="settlement/meter_trades.html", values=values, place="below")
