"""The story: a region's month on a ledger, what is refused, what it comes to, and its proof.

Every transaction's nonce follows from its content, so telling the story again on the same ledger
adds nothing to it.
"""

from __future__ import annotations

import hashlib
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from wattproof.book.model import DefineAsset, Issue, Movement, OpenAccount, Transfer
from wattproof.core.errors import WattProofError
from wattproof.demo.figures import month_figures, tell_figures
from wattproof.demo.meters import Signed, connect, meter_key, packets, register
from wattproof.demo.region import (
    DAYS,
    INTERVAL_S,
    METERS,
    PARTIES,
    PEOPLE,
    PER_DAY,
    START_S,
    readings,
)
from wattproof.engines.folder import LOG_KEY, LedgerFolder
from wattproof.identity.model import RegisterParty
from wattproof.keys.ed25519 import SigningKey
from wattproof.keys.store import KeyStore
from wattproof.keys.uint_array import UintArray
from wattproof.ledger.chain import Receipt
from wattproof.ledger.fsck import AuditReport, audit
from wattproof.ledger.proof import Verdict, make_proof, verify_proof
from wattproof.ledger.transaction import Body, content_nonce, sign_transaction
from wattproof.metering.model import Packet

__all__ = ["MONEY", "OPERATOR", "Story"]

MONEY: Final = "CNY"
OPERATOR: Final = "operator"
CHANGED: Final = 100
"""The log entry, one of the packets, that is changed in a copy to show that it is noticed."""

Tell = Callable[[str, str], None]


class Story:
    """The story on one ledger; `tell` is given each sentence in both languages."""

    def __init__(self, folder: LedgerFolder, tell: Tell) -> None:
        self._folder = folder
        self._tell = tell
        self._written = 0
        self.facts: dict[str, Any] = {}

    def live(self, before: Iterable[Signed] = ()) -> None:
        """The month: parties, meters, readings, money, and what is refused.

        `before` is submitted when the meters are there and none of them has reported yet.
        """
        with self._folder.keys() as keys, self._folder.write() as writer:
            self._keys, self._writer, self._ledger_id = keys, writer, writer.ledger_id
            self._prepare_keys(keys)
            self._submit(self._parties())
            self._submit(step for meter in METERS for step in connect(meter))
            self._tell(
                f"{len(PARTIES)} parties are registered; {len(METERS)} meters are enrolled, "
                "authenticated, confirmed by their owners and associated.",
                f"已登记 {len(PARTIES)} 个主体；{len(METERS)} 只表计完成接入、认证、确权和关联。",
            )
            self._submit(before)
            self._meter()
            self._submit(_money())
            self._refusals()
            self.facts["written"] = self._written

    def check(self) -> tuple[AuditReport, Verdict]:
        """The balance: the month in figures, the audit, and one proof checked by itself."""
        rows = month_figures(self._folder)
        tell_figures(rows, self._tell)
        self.facts["month"] = rows
        report = self._audit(self._folder)
        self._tell(
            f"The audit replays {report.entries} entries and verifies {report.signatures} "
            f"signatures in {report.seconds} s: {'it holds' if report.ok else 'it does not hold'}.",
            f"审计重放 {report.entries} 条记录、验证 {report.signatures} 个签名，"
            f"用时 {report.seconds} 秒：{'账本完好' if report.ok else '账本不一致'}。",
        )
        self._tamper()
        verdict = self._prove()
        self.facts["audit"] = {"ok": report.ok, "entries": report.entries, "root": report.root}
        self.facts["proof"] = {"ok": verdict.ok, "index": verdict.index, "size": verdict.size}
        return report, verdict

    def _prepare_keys(self, keys: KeyStore) -> None:
        wanted = [*(party.id for party in PARTIES), *PEOPLE] + [
            meter_key(meter.id) for meter in METERS
        ]
        missing = {*wanted, "meter/stranger"} - set(keys.names())
        keys.add_many({name: SigningKey.generate() for name in sorted(missing)})

    def _sign(self, body: Body, key: str) -> bytes:
        return sign_transaction(
            body, self._keys.get(key), ledger_id=self._ledger_id, nonce=content_nonce(body)
        )

    def _submit(self, steps: Iterable[Signed]) -> None:
        for answer in self._writer.engine.submit_many([self._sign(*step) for step in steps]):
            if not isinstance(answer, Receipt):
                raise answer
            self._written += answer.first

    def _parties(self) -> Iterator[Signed]:
        for party in PARTIES:
            yield register(party, self._keys), OPERATOR
        for id_ in PEOPLE:
            person = hashlib.sha256(f"demonstration's salt {id_}".encode()).digest()
            key = self._keys.get(id_)
            yield RegisterParty(id=id_, kind="person", key=key.public, person=person), OPERATOR

    def _meter(self) -> None:
        """A month of signed packets, a day each."""
        month = [step for meter in METERS for step in packets(meter)]
        self._submit(month)
        count = sum(len(body.increments) for body, _ in month if isinstance(body, Packet))
        self.facts["packets"], self.facts["readings"] = len(month), count
        self._tell(
            f"A month of readings every 15 minutes: {count} readings in {len(month)} packets, "
            "each signed by its meter.",
            f"一个月的 15 分钟读数：{len(month)} 个数据包共 {count} 个读数，均由表计自身签名。",
        )

    def _refusals(self) -> None:
        """What a cheat would try, and the code that each attempt is refused with."""
        self.facts["refused"] = []
        for en, zh, (body, key), ledger_id in _attempts():
            raw = sign_transaction(
                body, self._keys.get(key), ledger_id=ledger_id or self._ledger_id
            )
            answer = self._writer.engine.submit_many([raw])[0]
            assert isinstance(answer, WattProofError), f"not refused: {en}"
            self.facts["refused"].append({"attempt": en, "code": answer.code})
            self._tell(
                f"Refused: {en}. {answer.text('en')} [{answer.code}]",
                f"被拒绝：{zh}。{answer.text('zh')} [{answer.code}]",
            )

    def _audit(self, folder: LedgerFolder) -> AuditReport:
        store = folder.read()
        verifiers = []

        def check_many(ledger_id: bytes) -> Any:
            verifiers.append(folder.verifier(ledger_id, workers=0))
            return verifiers[-1].check_many

        try:
            return audit(store, folder.machine, check_many=check_many)
        finally:
            store.close()

    def _tamper(self) -> None:
        """Change one bit of a packet in a copy of the ledger, as its administrator could."""
        with tempfile.TemporaryDirectory(prefix="wattproof-") as name:
            copy = LedgerFolder(Path(name), self._folder.machine)
            source = sqlite3.connect(self._folder.database)
            target = sqlite3.connect(copy.database)
            source.backup(target)
            source.close()
            leaf = bytearray(
                target.execute("SELECT leaf FROM entry WHERE idx = ?", (CHANGED,)).fetchone()[0]
            )
            leaf[len(leaf) // 2] ^= 1
            target.execute("UPDATE entry SET leaf = ? WHERE idx = ?", (bytes(leaf), CHANGED))
            target.commit()
            target.close()
            report = self._audit(copy)
        assert report.first_break is not None, "a changed entry was not noticed"
        self.facts["tampered"] = report.first_break.entry
        self._tell(
            f"One bit changed in a copy: {report.first_break.why}",
            f"在副本中改动一个比特：{report.first_break.why_zh}",
        )

    def _prove(self) -> Verdict:
        store = self._folder.read()
        try:
            with self._folder.keys() as keys:
                log_key = keys.get(LOG_KEY)
            entry = store.entry(store.size - 1)
            data = make_proof(store, entry, log_key=log_key)
        finally:
            store.close()
        verdict = verify_proof(data)
        self._tell(
            f"The proof of entry {verdict.index} is {len(data)} bytes and verifies without the "
            "ledger.",
            f"条目 {verdict.index} 的证明共 {len(data)} 字节，可脱离账本验证。",
        )
        return verdict


def _money() -> Iterator[Signed]:
    """Money comes in by the bank and moves from the steel works to the wind farm."""
    yield DefineAsset(id=MONEY, kind="money", unit="fen", decimals=2), "bank"
    for account in ("steel-works", "wind-farm"):
        yield OpenAccount(id=f"{account}-wallet"), account
    yield (
        Issue(asset=MONEY, account="steel-works-wallet", amount=50_000_000, memo="top-up"),
        "bank",
    )
    movement = Movement(
        source="steel-works-wallet", target="wind-farm-wallet", asset=MONEY, amount=32_000_000
    )
    yield Transfer(movements=(movement,), memo="January, wind power"), "steel-works"


Attempt = tuple[str, str, Signed, bytes]


def _attempts() -> list[Attempt]:
    """What is tried: sentences, the transaction and its key, and a foreign ledger's id."""
    day = [1] * PER_DAY
    lower = Packet(
        sequence=3,
        start_s=START_S + 2 * PER_DAY * INTERVAL_S,
        interval_s=INTERVAL_S,
        kind="increment",
        opening=0,
        increments=UintArray.from_ints(day),
        quality=UintArray.from_ints(()),
    )
    greed = Movement(
        source="steel-works-wallet", target="wind-farm-wallet", asset=MONEY, amount=20_000_000
    )
    theft = Movement(source="wind-farm-wallet", target="steel-works-wallet", asset=MONEY, amount=1)
    next_day = Packet(
        sequence=DAYS + 1,
        start_s=START_S + DAYS * PER_DAY * INTERVAL_S,
        interval_s=INTERVAL_S,
        kind="increment",
        opening=sum(readings(METERS[0])),
        increments=UintArray.from_ints(day),
        quality=UintArray.from_ints(()),
    )
    return [
        ("a day reported again with lower readings", "用更低的读数重报同一天",
         (lower, "meter/office-a"), b""),
        ("a meter that nobody enrolled", "未接入的表计上报", (lower, "meter/stranger"), b""),
        ("a packet signed for another ledger", "为其他账本签名的数据包",
         (next_day, "meter/wind-1"), bytes(32)),
        ("more money spent than there is", "支出超过余额",
         (Transfer(movements=(greed,)), "steel-works"), b""),
        ("money taken from someone else's wallet", "动用他人钱包",
         (Transfer(movements=(theft,)), "steel-works"), b""),
    ]  # fmt: skip
