"""Submitting transactions, and reading them back in words, with receipts and proofs.

    POST /api/v1/transactions               one signed transaction -> its receipt
    POST /api/v1/transactions/batch         many -> a receipt or an error each, in order
    GET  /api/v1/transactions/{id}          decoded into words
    GET  /api/v1/transactions/{id}/receipt  RFC 9942 receipt of inclusion
    GET  /api/v1/transactions/{id}/proof    proof file, checkable without the ledger
    POST /api/v1/verify                     a proof file -> every step that was checked

A receipt is given only when the transaction is durable: 201 the first time, 200 with the first
receipt for the same bytes again.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, cast

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import PathParameter

from wattproof.core.errors import ErrorCode, NotFound, WattProofError
from wattproof.gateway.access import PUBLIC
from wattproof.gateway.errors import problem_of, problems
from wattproof.gateway.intake import (
    BATCH_BYTES,
    BATCH_MEDIA_TYPES,
    COSE_MEDIA_TYPES,
    PROOF_MEDIA_TYPES,
    BatchBody,
    CoseBody,
    ProofBody,
    read_body,
    split_batch,
)
from wattproof.gateway.reading import Asker, Ledger
from wattproof.gateway.sight import Sight
from wattproof.gateway.submission import Submitter
from wattproof.gateway.words import Sentence, decode_entry, events_of, plain, sentence_of, signer_of
from wattproof.keys.cose import MAX_TRANSACTION_BYTES
from wattproof.keys.ed25519 import SigningKey
from wattproof.ledger.chain import Receipt, receipt_of
from wattproof.ledger.machine import Machine
from wattproof.ledger.proof import (
    MAX_PROOF_BYTES,
    Verdict,
    make_proof,
    make_receipt_of,
    verify_proof,
)
from wattproof.ledger.store import Entry, Store

__all__ = ["ReceiptView", "Rejection", "TransactionView", "router"]

COSE: Final = "application/cose"
JSON_FILE: Final = "application/json"

NO_TRANSACTION = ErrorCode(
    NotFound,
    "gateway.no_transaction",
    en="The ledger has no transaction {id}.",
    zh="账本中没有交易 {id}。",
)

TransactionId = Annotated[
    str,
    PathParameter(
        pattern="^[0-9a-f]{64}$",
        max_length=64,  # a “$” lets a newline through
        description="SHA-256 of the signed bytes, in hex.",
    ),
]


class ReceiptView(msgspec.Struct, frozen=True, kw_only=True):
    """A receipt: transaction id in hex, leaf index, block height and time (ms, UTC), events.

    Each event is an object of its name (``event``) and fields. `first` is false when the same
    bytes had been accepted before, and then all else is what was given then.
    """

    id: str
    index: int
    height: int
    time_ms: int
    events: tuple[dict[str, Any], ...]
    first: bool


class RejectionDetail(msgspec.Struct, frozen=True, kw_only=True):
    """Why one transaction of a batch was not taken."""

    status: int
    code: str
    en: str
    zh: str
    params: dict[str, Any]


class Rejection(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in a batch's answer in place of a receipt."""

    error: RejectionDetail


class TransactionView(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction in words: its type and what that means, who signed (did:key), its fields.

    Byte strings are in hex. `sentences` tells the receipt's events, in their order.
    """

    id: str
    type: str
    version: int
    meaning: Sentence
    signer: str
    nonce: str
    fields: dict[str, Any]
    size_bytes: int
    receipt: ReceiptView
    sentences: tuple[Sentence, ...]


@post(
    "/transactions",
    opt=PUBLIC,
    operation_class=CoseBody,
    response_description="Accepted, and durable.",
    request_max_body_size=MAX_TRANSACTION_BYTES,
    responses={
        200: ResponseSpec(ReceiptView, description="Accepted before.", generate_examples=False),
        **problems(400, 403, 404, 408, 409, 413, 415, 429, 503),
    },
    summary="Submit one signed transaction",
)
async def submit(
    request: Request[Any, Any, Any],
    submitter: NamedDependency[Submitter],
) -> Response[ReceiptView]:
    """Wait until the transaction is durable: 201, or 200 when it had been accepted before."""
    submitter.admit(_peer(request), 1)
    receipt = await submitter.submit(await read_body(request, COSE_MEDIA_TYPES))
    view = receipt_view(receipt)
    return Response(
        view,
        status_code=201 if receipt.first else 200,
        headers={"Location": f"/api/v1/transactions/{view.id}"},
    )


@post(
    "/transactions/batch",
    opt=PUBLIC,
    operation_class=BatchBody,
    request_max_body_size=BATCH_BYTES,
    status_code=200,
    responses=problems(400, 408, 413, 415, 429, 503),
    summary="Submit many signed transactions",
)
async def submit_batch(
    request: Request[Any, Any, Any],
    submitter: NamedDependency[Submitter],
) -> list[ReceiptView | Rejection]:
    """A receipt or an error each, in order; one that is refused does not hold up the others."""
    raws = split_batch(await read_body(request, BATCH_MEDIA_TYPES))
    submitter.admit(_peer(request), len(raws))
    return [_answer(answer) for answer in await submitter.submit_batch(raws)]


@get("/transactions/{id:str}", responses=problems(400, 404), summary="A transaction in words")
async def show(
    id: TransactionId,  # noqa: A002
    ledger: Ledger,
    machine: NamedDependency[Machine],
    actor: Asker,
    sight: NamedDependency[Sight],
) -> TransactionView:
    """The transaction, decoded, with its receipt, for those whom it concerns."""
    entry = _entry(ledger, id)
    decoded = decode_entry(machine.codec, entry)
    sight.require(actor, ledger, decoded)
    spec = decoded.body.spec
    events = events_of(entry)
    return TransactionView(
        id=id,
        type=spec.type,
        version=spec.version,
        meaning=Sentence(en=spec.en, zh=spec.zh),
        signer=signer_of(decoded),
        nonce=decoded.nonce.hex(),
        fields=plain(decoded.body),
        size_bytes=len(decoded.raw),
        receipt=receipt_view(receipt_of(entry, first=True)),
        sentences=tuple(sentence_of(event) for event in events),
    )


@get(
    "/transactions/{id:str}/receipt",
    opt=PUBLIC,
    media_type=COSE,
    responses=problems(400, 404, 409),
    summary="Receipt of inclusion (RFC 9942)",
)
async def show_receipt(
    id: TransactionId,  # noqa: A002
    ledger: Ledger,
    log_key: NamedDependency[SigningKey],
) -> bytes:
    """The log's own statement, in COSE, that the entry is in the tree as it is now."""
    return make_receipt_of(ledger, _entry(ledger, id), log_key=log_key)


@get(
    "/transactions/{id:str}/proof",
    opt=PUBLIC,
    media_type=JSON_FILE,
    responses=problems(400, 404, 409),
    summary="Proof file",
)
async def show_proof(
    id: TransactionId,  # noqa: A002
    ledger: Ledger,
    log_key: NamedDependency[SigningKey],
) -> Response[dict[str, Any]]:
    """All that a stranger needs to check the transaction, without the ledger."""
    data = make_proof(ledger, _entry(ledger, id), log_key=log_key)
    name = f"wattproof-{id[:16]}.proof.json"
    return Response(  # as it is: the file has one exact form
        cast("dict[str, Any]", data),
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@post(
    "/verify",
    opt=PUBLIC,
    operation_class=ProofBody,
    request_max_body_size=MAX_PROOF_BYTES,
    status_code=200,
    responses=problems(400, 408, 413, 415),
    summary="Check a proof file",
)
async def verify(request: Request[Any, Any, Any]) -> Verdict:
    """Every step up to the first that failed; whatever ledger the proof is of, which it names."""
    return verify_proof(await read_body(request, PROOF_MEDIA_TYPES))


def router() -> Router:
    """The routes, below ``/api/v1``."""
    handlers = [submit, submit_batch, show, show_receipt, show_proof, verify]
    return Router("/api/v1", route_handlers=handlers, tags=["transactions"])


def receipt_view(receipt: Receipt) -> ReceiptView:
    """A receipt as JSON shows it."""
    return ReceiptView(
        id=receipt.id.hex(),
        index=receipt.index,
        height=receipt.height,
        time_ms=receipt.time_ms,
        events=tuple({"event": name, **plain(fields)} for name, fields in receipt.events),
        first=receipt.first,
    )


def _answer(answer: Receipt | WattProofError) -> ReceiptView | Rejection:
    if isinstance(answer, Receipt):
        return receipt_view(answer)
    problem = problem_of(answer)
    detail = RejectionDetail(
        status=problem.status,
        code=problem.code,
        en=problem.en,
        zh=problem.zh,
        params=problem.params,
    )
    return Rejection(error=detail)


def _entry(ledger: Store, transaction_id: str) -> Entry:
    entry = ledger.find_entry(bytes.fromhex(transaction_id))
    if entry is None:
        raise NO_TRANSACTION(id=transaction_id)
    return entry


def _peer(request: Request[Any, Any, Any]) -> str | None:
    return request.client.host if request.client else None
