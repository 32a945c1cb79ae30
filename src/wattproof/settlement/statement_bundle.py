"""A settlement statement as one file that a stranger checks by it alone, without the ledger.

The file is JSON in one exact form (members sorted, no white space, one newline at the end), so that
no byte of it can change without the check failing:

    format     "wattproof-settlement/1"
    filing     the proof file of the transaction that filed the statement, as a text
    region     the proof file of the transaction that defined the region, as a text
    statement  the statement's bytes, as a text

The ledger takes a filing only if its sums are those of the region's trades, so that what is proven
to stand in its log the ledger's rules have agreed to.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any, Final, TypeVar

import msgspec

from wattproof.analytics.lake import Lake
from wattproof.core.errors import Conflict, ErrorCode, Malformed, Refused
from wattproof.core.periods import LAST_S
from wattproof.keys import cose
from wattproof.keys.ed25519 import SigningKey
from wattproof.ledger.proof import (
    Step,
    Verdict,
    failed,
    make_proof,
    proven_transaction,
    verify_proof,
)
from wattproof.ledger.store import Store
from wattproof.ledger.transaction import Body, Codec
from wattproof.settlement.filing import made_again
from wattproof.settlement.local_days import local_text
from wattproof.settlement.model import DAY_S, DefineRegion, FileStatement
from wattproof.settlement.queries import region_of
from wattproof.settlement.records import FiledStatement
from wattproof.settlement.statement import FORMAT as STATEMENT_FORMAT
from wattproof.settlement.statement import Statement, statement_bytes
from wattproof.settlement.statement_check import (
    check_differences,
    check_emissions,
    check_net,
    check_rows,
)

__all__ = ["FORMAT", "MAX_BUNDLE_BYTES", "is_bundle", "make_bundle", "verify_bundle",
           "verify_file"]  # fmt: skip

FORMAT: Final = "wattproof-settlement/1"
MAX_BUNDLE_BYTES: Final = 24 << 20
"""A bundle is refused beyond this: three years of hours and ten thousand meters are less."""

NOT_A_BUNDLE = ErrorCode(
    Malformed,
    "settlement.bundle_form",
    en="The file is not a settlement statement with its proofs in its one exact form.",
    zh="该文件不是规范格式的结算单及其证明。",
)
OTHER_FILING = ErrorCode(
    Malformed,
    "settlement.bundle_filing",
    en="The filing says {filed} where the statement says {stated} ({field}).",
    zh="入账交易的 {field} 为 {filed}，而结算单为 {stated}。",
)
NOT_A_FILING = ErrorCode(
    Malformed,
    "settlement.bundle_type",
    en="The proof is of a transaction “{found}”, not of “{wanted}”.",
    zh="该证明所证为交易“{found}”，而非“{wanted}”。",
)
OTHER_DIGEST = ErrorCode(
    Malformed,
    "settlement.bundle_digest",
    en="The statement's digest is {found}, but {filed} was filed.",
    zh="结算单摘要为 {found}，而入账摘要为 {filed}。",
)
OTHER_SUMS = ErrorCode(
    Malformed,
    "settlement.bundle_sums",
    en="The statement's {field} is {stated}; the ledger agreed to {filed}.",
    zh="结算单的 {field} 为 {stated}，账本认可的为 {filed}。",
)
OTHER_REGION = ErrorCode(
    Malformed,
    "settlement.bundle_region",
    en="The region was defined with {field} {filed}; the statement says {stated}.",
    zh="该地区设立时的 {field} 为 {filed}，而结算单为 {stated}。",
)
CHANGED = ErrorCode(
    Conflict,
    "settlement.statement_changed",
    en="Statement {number} of {region} does not come out as it was filed; audit the ledger.",
    zh="{region} 第 {number} 号结算单重做结果与入账不符；请审计账本。",
)

STEPS: Final = {"hour": "小时", "day": "日", "month": "月"}
MAX_TEXT: Final = 128
"""Characters of a text in a statement at most; ids are shorter."""

B = TypeVar("B", bound=Body)

PERIOD_FIELDS: Final = ("region", "from_s", "to_s", "step", "entries")
SUMS: Final = {
    "supplied_wh": "supplied_wh",
    "consumed_wh": "consumed_wh",
    "trades_first": "trades_supply",
    "trades_second": "trades_consumption",
}
REGION_FIELDS: Final = (
    "region", "money", "offset_s", "tolerance_wh", "location_factor", "residual_factor",
)  # fmt: skip


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The members of a bundle, as they are written."""

    filing: str
    format: str
    region: str
    statement: str


def make_bundle(store: Store, lake: Lake, filed: FiledStatement, *, log_key: SigningKey) -> bytes:
    """The bundle of a filed statement, which is made again for it.

    Raises ``settlement.statement_changed`` where it does not come out as it was filed.
    """
    made = made_again(store, lake, filed)
    if not made.same:
        raise CHANGED(number=filed.number, region=filed.region)
    with store.snapshot():
        proofs = [
            make_proof(store, store.entry(entry), log_key=log_key).decode()
            for entry in (filed.entry, region_of(store, filed.region).entry)
        ]
    return _encode(
        _File(
            filing=proofs[0],
            format=FORMAT,
            region=proofs[1],
            statement=statement_bytes(made.statement).decode(),
        )
    )


def is_bundle(data: bytes) -> bool:
    """Whether a file calls itself a bundle, right or wrong."""
    try:
        found = msgspec.json.decode(data, type=_Named)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return found.format == FORMAT


def verify_file(data: bytes, *, ledger_id: bytes | None = None) -> Verdict:
    """Check a file by itself, whether it is a bundle or the proof of any transaction."""
    check = verify_bundle if is_bundle(data) else verify_proof
    return check(data, ledger_id=ledger_id)


def verify_bundle(data: bytes, *, ledger_id: bytes | None = None) -> Verdict:
    """Check a bundle by itself; with `ledger_id`, only one of that ledger will do.

    The steps of the filing's proof stand among its own. Never raises for a wrong bundle: the
    verdict says which step failed and why.
    """
    check = _Check(ledger_id)
    for name, step in check.plan:
        try:
            en, zh = step(data)
        except Refused as refusal:
            check.steps.append(failed(name, refusal))
            return check.verdict(ok=False)
        except _ProofFails:
            return check.verdict(ok=False)
        if en:
            check.steps.append(Step(name=name, ok=True, en=en, zh=zh))
    return check.verdict(ok=True)


class _Named(msgspec.Struct):
    format: str = ""


class _ProofFails(Exception):
    """The filing's proof does not hold; its own last step says why."""


Said = tuple[str, str]


class _Check:
    """The steps of a verification; each uses what the ones before it have established."""

    def __init__(self, expected: bytes | None) -> None:
        self._expected = expected
        self.steps: list[Step] = []
        self._proof: Verdict | None = None
        self.plan: tuple[tuple[str, Callable[[bytes], Said]], ...] = (
            ("bundle", self._bundle),
            ("proof", self._filing_proof),
            ("filing", self._filing),
            ("digest", self._digest),
            ("sums", self._sums),
            ("region", self._region),
            ("rows", lambda _data: check_rows(self._statement)),
            ("net", lambda _data: check_net(self._statement)),
            ("emissions", lambda _data: check_emissions(self._statement)),
            ("differences", lambda _data: check_differences(self._statement)),
        )

    def verdict(self, *, ok: bool) -> Verdict:
        """The outcome, with what the filing's proof is of."""
        found = self._proof or Verdict(ok=ok, steps=())
        return msgspec.structs.replace(found, ok=ok, steps=tuple(self.steps))

    def _bundle(self, data: bytes) -> Said:
        if len(data) > MAX_BUNDLE_BYTES:
            raise NOT_A_BUNDLE()
        try:
            file = msgspec.json.decode(data, type=_File)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise NOT_A_BUNDLE() from None
        if file.format != FORMAT or _encode(file) != data:
            raise NOT_A_BUNDLE()
        self._file = file
        self._statement = made = _parse(file.statement)
        first, last = (
            local_text(at_s, "day", made.offset_s) for at_s in (made.from_s, made.to_s - 1)
        )
        return (
            f"The settlement statement of {made.region}, {first} to {last}, with two proofs, in "
            f"its one exact form ({len(data)} bytes).",
            f"{made.region} 地区 {first} 至 {last} 的结算单，附两份证明，格式规范"
            f"（{len(data)} 字节）。",
        )

    def _filing_proof(self, _data: bytes) -> Said:
        proof = _bytes(self._file.filing)
        self._proof = found = verify_proof(proof, ledger_id=self._expected)
        self.steps += found.steps
        if not found.ok:
            raise _ProofFails
        return "", ""

    def _filing(self, _data: bytes) -> Said:
        made, proof = self._statement, self._proof
        assert proof is not None, "the proof comes first"
        self._filed = filed = _body(self._file.filing, FileStatement, proof)
        if made.ledger != proof.ledger_id:
            raise OTHER_FILING(field="ledger", stated=made.ledger, filed=proof.ledger_id)
        for name in PERIOD_FIELDS:
            _same(OTHER_FILING, name, getattr(made, name), getattr(filed, name))
        return (
            f"The transaction files a statement of {filed.region} for this period, by "
            f"{filed.step}, made from the log's first {filed.entries} entries.",
            f"该交易为 {filed.region} 地区本期结算单入账，按{STEPS[filed.step]}列示，"
            f"依据日志前 {filed.entries} 条。",
        )

    def _digest(self, _data: bytes) -> Said:
        found = sha256(_bytes(self._file.statement)).digest()
        if found != self._filed.digest:
            raise OTHER_DIGEST(found=found.hex(), filed=self._filed.digest.hex())
        return (
            f"Its digest is that of this statement: {found.hex()}.",
            f"其摘要即本结算单的摘要：{found.hex()}。",
        )

    def _sums(self, _data: bytes) -> Said:
        made, filed = self._statement, self._filed
        for stated, name in SUMS.items():
            _same(OTHER_SUMS, stated, getattr(made, stated), getattr(filed, name))
        return (
            f"The ledger took the filing since these are the sums of its trades: "
            f"{made.supplied_wh:,} Wh supplied (first records: {made.trades_first:,}), "
            f"{made.consumed_wh:,} Wh consumed (second records: {made.trades_second:,}).",
            f"账本核对交易合计后方予入账：一类记录 {made.trades_first:,} 笔，供电 "
            f"{made.supplied_wh:,} 瓦时；二类记录 {made.trades_second:,} 笔，用电 "
            f"{made.consumed_wh:,} 瓦时。",
        )

    def _region(self, _data: bytes) -> Said:
        made, filing = self._statement, self._proof
        assert filing is not None, "the proof comes first"
        proof = verify_proof(_bytes(self._file.region), ledger_id=bytes.fromhex(filing.ledger_id))
        if not proof.ok:
            last = proof.steps[-1]
            self.steps.append(msgspec.structs.replace(last, name="region"))
            raise _ProofFails
        defined = _body(self._file.region, DefineRegion, proof)
        for name in REGION_FIELDS:
            _same(OTHER_REGION, name, getattr(made, name), getattr(defined, name))
        return (
            f"Entry {proof.index} of the same log defined the region: tolerance "
            f"{made.tolerance_wh:,} Wh, factors {made.location_factor} (location) and "
            f"{made.residual_factor} (residual).",
            f"同一日志第 {proof.index} 条设立该地区：容差 {made.tolerance_wh:,} 瓦时，因子 "
            f"{made.location_factor}（基于位置）、{made.residual_factor}（剩余）。",
        )


def _same(code: ErrorCode, field: str, stated: Any, filed: Any) -> None:
    if stated != filed:
        raise code(field=field, stated=stated, filed=filed)


def _body(proof: str, kind: type[B], verdict: Verdict) -> B:
    """The fields of the transaction that a proof is of."""
    wanted = f"{kind.spec.type} {kind.spec.version}"
    if verdict.type != kind.spec.type:
        raise NOT_A_FILING(found=verdict.type[:80], wanted=wanted)
    raw = proven_transaction(_bytes(proof))
    body = Codec([kind]).decode(cose.parse(raw), raw).body
    assert isinstance(body, kind), body
    return body


def _parse(text: str) -> Statement:
    """The statement that a text is the one form of, with times and texts that can be shown."""
    try:
        fields = msgspec.json.decode(text)
        named = fields.pop("format") == STATEMENT_FORMAT
        made = msgspec.convert(fields, Statement)
        if named and statement_bytes(made) == _bytes(text) and _can_be_shown(made):
            return made
    except (msgspec.MsgspecError, AttributeError, KeyError, OverflowError, TypeError, ValueError):
        pass
    raise NOT_A_BUNDLE()


def _can_be_shown(made: Statement) -> bool:
    texts = [value for value in msgspec.structs.asdict(made).values() if isinstance(value, str)]
    texts += [one.meter for one in made.differences]
    times = (made.from_s, made.to_s)
    return (
        all(text.isprintable() and len(text) <= MAX_TEXT for text in texts)
        and all(0 <= at_s <= LAST_S for at_s in times)
        and abs(made.offset_s) <= DAY_S
    )


def _encode(file: _File) -> bytes:
    return msgspec.json.encode(file, order="sorted") + b"\n"


def _bytes(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise NOT_A_BUNDLE() from None
