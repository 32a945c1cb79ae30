"""A region's statements over HTTP: made from the log as it is, or as it was when one was filed.

GET /api/v1/settlement/regions/{id}/statement                    of a period, as of now
GET /api/v1/settlement/regions/{id}/statements/{number}/again    a filed one made again, compared
GET /api/v1/settlement/regions/{id}/statements/{number}/proofs   with its proofs, for `verify`

Everybody who may read reads the sums; which meters differ is for who settles the region and for
roles that see everything, and so are the proofs of a statement that names any.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, cast

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter
from litestar.response import Response
from msgspec.structs import replace

from wattproof.core.actor import Actor
from wattproof.emissions.live import live_lake
from wattproof.engines.folder import LedgerFolder
from wattproof.gateway.access import may_see, require_sight
from wattproof.gateway.errors import problems
from wattproof.gateway.reading import Asker, Id, Ledger, Long
from wattproof.keys.ed25519 import SigningKey
from wattproof.settlement.filing import made_again
from wattproof.settlement.local_time import parse_local_time
from wattproof.settlement.model import StatementStep
from wattproof.settlement.queries import filed_statement, region_of, sums_of
from wattproof.settlement.records import Region
from wattproof.settlement.statement import Statement, statement
from wattproof.settlement.statement_bundle import make_bundle

__all__ = ["RemadeStatement", "statement_routes"]

Number = Annotated[int, PathParameter(ge=1, le=2**31, description="The statement's number.")]
By = Annotated[StatementStep, QueryParameter(description="What the rows are of.")]
From = Annotated[
    str | None,
    QueryParameter(name="from", max_length=40, description="From this local day; else the first."),
]
To = Annotated[
    str | None,
    QueryParameter(name="to", max_length=40, description="Up to this local day; else the last."),
]


class RemadeStatement(msgspec.Struct, frozen=True, kw_only=True):
    """A filed statement made again: whether it is the same, its digest now, and what it says."""

    same: bool
    digest: str
    statement: Statement


@get(
    "/regions/{id:str}/statement",
    responses=problems(400, 404, 413, 503),
    summary="The statement of a period as of now",
)
async def show_live(
    id: Id,  # noqa: A002
    ledger: Ledger,
    actor: Asker,
    folder: NamedDependency[LedgerFolder],
    long_reads: Long,
    start: From = None,
    end: To = None,
    by: By = "day",
) -> Statement:
    """Whole local days, by hour, day or month; of all that was settled where no period is given."""
    region = region_of(ledger, id)
    from_s = None if start is None else parse_local_time(start, region.offset_s)
    to_s = None if end is None else parse_local_time(end, region.offset_s)

    def read() -> Statement:
        whole = sums_of(ledger, id)
        return statement(
            ledger,
            live_lake(folder).up_to_date(ledger),
            region=id,
            from_s=whole.first_s if from_s is None else from_s,
            to_s=whole.end_s if to_s is None else to_s,
            step=by,
        )

    return _seen(await long_reads.run(read), region, actor)


@get(
    "/regions/{id:str}/statements/{number:int}/again",
    responses=problems(400, 404, 413, 503),
    summary="A filed statement made again",
)
async def remake_statement(
    id: Id,  # noqa: A002
    number: Number,
    ledger: Ledger,
    actor: Asker,
    folder: NamedDependency[LedgerFolder],
    long_reads: Long,
) -> RemadeStatement:
    """The statement from the log as it was then, and whether its bytes have the digest on file."""
    region = region_of(ledger, id)
    filed = filed_statement(ledger, id, number)

    def read() -> RemadeStatement:
        made = made_again(ledger, live_lake(folder).up_to_date(ledger), filed)
        seen = _seen(made.statement, region, actor)
        return RemadeStatement(same=made.same, digest=made.digest.hex(), statement=seen)

    return await long_reads.run(read)


@get(
    "/regions/{id:str}/statements/{number:int}/proofs",
    media_type="application/json",
    responses=problems(400, 403, 404, 409, 413, 503),
    summary="A filed statement with its proofs",
)
async def prove_statement(
    id: Id,  # noqa: A002
    number: Number,
    ledger: Ledger,
    actor: Asker,
    folder: NamedDependency[LedgerFolder],
    long_reads: Long,
    log_key: NamedDependency[SigningKey],
) -> Response[dict[str, Any]]:
    """One file that `wattproof verify` checks without the ledger."""
    region = region_of(ledger, id)
    filed = filed_statement(ledger, id, number)

    def read() -> bytes:
        lake = live_lake(folder).up_to_date(ledger)
        if made_again(ledger, lake, filed).statement.differences:
            require_sight(actor, [region.operator])
        return make_bundle(ledger, lake, filed, log_key=log_key)

    name = f'attachment; filename="{region.region}-{number}-proofs.json"'
    data = await long_reads.run(read)
    return Response(  # as it is: the file has one exact form
        cast("dict[str, Any]", data), headers={"Content-Disposition": name}
    )


def statement_routes() -> Sequence[Any]:
    """The routes, below ``/api/v1/settlement``."""
    return show_live, remake_statement, prove_statement


def _seen(made: Statement, region: Region, actor: Actor) -> Statement:
    """The statement, without the meters that differ for whom these are not."""
    return made if may_see(actor, [region.operator]) else replace(made, differences=())
