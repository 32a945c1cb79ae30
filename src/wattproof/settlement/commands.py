"""What settlement's commands have in common: signing as a party, amounts, and how they answer."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from wattproof.book.amounts import in_shown_unit, shown_amount, shown_unit
from wattproof.book.model import Asset
from wattproof.cli.output import language, say, show_json, show_table
from wattproof.core.errors import ErrorCode, Malformed, WattProofError
from wattproof.core.units import Converter, find_unit, parse_decimal
from wattproof.engines.folder import LedgerFolder, Writer
from wattproof.keys.ed25519 import SigningKey
from wattproof.ledger.transaction import Body, content_nonce, sign_transaction
from wattproof.settlement.model import Kind, Verdict

__all__ = [
    "After",
    "Amount",
    "AssetOption",
    "Folder",
    "Limit",
    "Memo",
    "Once",
    "PartyOption",
    "RegionText",
    "Signer",
    "answer",
    "aside",
    "kind_text",
    "money_text",
    "parse_energy",
    "signing",
    "table",
    "verdict_text",
]

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The ledger's folder. / 账本目录。")]
RegionText = Annotated[str, typer.Argument(metavar="REGION", help="A region's code. / 地区代码。")]
Amount = Annotated[str, typer.Argument(metavar="AMOUNT", help="In yuan: 12.34. / 金额（元）。")]
Memo = Annotated[str, typer.Option(help="What it is for. / 备注。")]
Once = Annotated[
    bool, typer.Option("--once", help="Not again with the same memo. / 相同内容只执行一次。")
]
PartyOption = Annotated[
    str, typer.Option("--as", help="Who signs; the key must be here. / 签名主体（密钥在本地）。")
]
AssetOption = Annotated[str, typer.Option("--asset", help="Which money. / 资金种类。")]
Limit = Annotated[int, typer.Option(min=1, max=500, help="How many at most. / 最多条数。")]
After = Annotated[str, typer.Option(help="Those that follow this id. / 从该编号之后列出。")]

ENERGY = ErrorCode(
    Malformed,
    "settlement.energy",
    en="“{text}” is not a whole number of watt-hours with its unit: write 50 kWh.",
    zh="“{text}”不是整瓦时的电量：请连同单位写出，例如 50 kWh。",
)

_ENERGY: Final = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,15})?)\s*([A-Za-z万千兆吉瓦时度]+)")

_KINDS: Final = {"supply": ("supply", "供电"), "consumption": ("consumption", "用电")}
_VERDICTS: Final = {
    "positive": ("positive", "正值"),
    "neutral": ("neutral", "零值"),
    "negative": ("negative", "负值"),
}


class Signer:
    """Signs as one party and submits, in a ledger that is open for writing."""

    def __init__(self, writer: Writer, key: SigningKey) -> None:
        self.writer: Final = writer
        self.key: Final = key

    def submit(
        self, body: Body, *, once: bool = False, money: Asset | None = None
    ) -> dict[str, Any]:
        """The receipt as JSON shows it; raises what refuses the transaction.

        `once` makes the nonce of the content: the same again is answered with the first receipt.
        A refusal names amounts of `money` as people read them.
        """
        nonce = content_nonce(body) if once else None
        raw = sign_transaction(body, self.key, ledger_id=self.writer.ledger_id, nonce=nonce)
        try:
            return dict(self.writer.engine.submit(raw).view())
        except WattProofError as refusal:
            raise refusal if money is None else in_shown_unit(refusal, money) from None


@contextmanager
def signing(ledger: LedgerFolder, party: str) -> Iterator[Signer]:
    """The ledger open for writing, with the key of that name in its key store."""
    with ledger.write(workers=0) as writer, ledger.keys() as keys:
        yield Signer(writer, keys.get(party))


def answer(
    receipt: dict[str, Any] | None, *, as_json: bool, en: str, zh: str, **facts: object
) -> None:
    """Say what was done; None where it was so already, and nothing was added."""
    added = receipt is not None and bool(receipt["first"])
    if as_json:
        entry = None if receipt is None else receipt["index"]
        show_json({**facts, "added": added, "entry": entry, "receipt": receipt})
    elif added:
        assert receipt is not None
        say(f"{en} (entry {receipt['index']})", f"{zh}（第 {receipt['index']} 条）")
    else:
        say(f"{en} It was so already; nothing was added.", f"{zh}此前已是如此，未新增记录。")


def money_text(amount: int, asset: Asset) -> str:
    """An amount with its unit: ``12.34 CNY``."""
    return f"{shown_amount(amount, asset)} {shown_unit(asset, language())}"


def parse_energy(text: str) -> int:
    """The watt-hours of an amount with its unit, exactly; raises ``settlement.energy``."""
    found = _ENERGY.fullmatch(unicodedata.normalize("NFKC", text).strip())
    if found is None or find_unit(found[2]).dimension != "energy":
        raise ENERGY(text=text[:40])
    converter = Converter(unit=found[2], quantity="electricity")
    wh = converter.take(parse_decimal(found[1]))
    if converter.remainder:
        raise ENERGY(text=text[:40])
    return wh


def kind_text(kind: Kind | None) -> str:
    """What a kind of trades is called; a dash for none."""
    return "-" if kind is None else _KINDS[kind][language() == "zh"]


def verdict_text(verdict: Verdict) -> str:
    """What a verdict is called."""
    return _VERDICTS[verdict][language() == "zh"]


def aside(text: str, more: object) -> str:
    """A text with something in brackets, as its language writes them."""
    return f"{text}（{more}）" if language() == "zh" else f"{text} ({more})"


def table(en: Sequence[str], zh: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table for people, or that there is nothing to show."""
    if rows:
        show_table(zh if language() == "zh" else en, rows)
    else:
        say("There are none.", "没有。")
