"""The pages on which a file of shipments is handed in, looked at, and signed.

GET  /shipments/import             the form for the files and their mapping
POST /shipments/import             reads them; nothing is signed yet
GET  /shipments/import/{id}        what can be taken, and what cannot, and why
POST /shipments/import/{id}/run    signs and submits what can
"""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, get, post
from litestar.concurrency import sync_to_thread
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.response import Response

from wattproof.console.filled import Filled
from wattproof.console.frame import Frame
from wattproof.console.sign_in import form_checked
from wattproof.console.users import Users
from wattproof.console.visitor import Visitor, now_s
from wattproof.core.errors import Conflict, ErrorCode, Malformed, OverLimit, WattProofError
from wattproof.emissions.logistics.forms import UNCONFIRMED
from wattproof.emissions.logistics.mapping import ShipmentMap, read_shipment_map
from wattproof.emissions.logistics.model import RecordShipment
from wattproof.emissions.logistics.plan import (
    ShipmentPlan,
    ShipmentSummary,
    plan_shipments,
    read_files,
    signed,
)
from wattproof.emissions.logistics.uploads import Upload, Uploads
from wattproof.emissions.model import FACTORS
from wattproof.gateway.ledger import LedgerFacts
from wattproof.gateway.reading import Ledger
from wattproof.gateway.submission import Submitter
from wattproof.ledger.state import Reading
from wattproof.ledger.store import Store

__all__ = ["import_pages"]

MAX_BYTES: Final = 16 << 20
"""Bytes of one request at most: the files and the mapping together."""
MAX_SHIPMENTS: Final = 5_000
"""Shipments that this page signs at once; more are imported with the command."""
SHOWN: Final = 200
"""Rows that were left, on one page; the command lists all."""

EXAMPLE: Final = """\
[file]
format = "iso8601"
timezone = "Asia/Shanghai"

[columns]
shipment = "shipment"
departure = "departure"
arrival = "arrival"
weight = "weight_kg"
distance = "distance_km"
customer = "customer"

[method]
method = "tonne-km"
factor = "uk-2025-hgv-artic-33t-plus-tkm-wtw@1"
"""

NO_FILE = ErrorCode(
    Malformed, "shipments.no_file", en="Choose a file of shipments.", zh="请选择运输记录文件。"
)
TOO_MANY = ErrorCode(
    OverLimit,
    "shipments.upload_rows",
    en="The file has {count} new shipments; this page signs at most {limit}. Import it with the"
    " command wattproof shipments import.",
    zh="文件有 {count} 批新的运输，本页面一次最多签署 {limit} 批。"
    "请用命令 wattproof shipments import 导入。",
)
OWN_KEY = ErrorCode(
    Conflict,
    "shipments.own_key",
    en="Your signing key is not kept here, so this page cannot sign for you: import the file with"
    " the command on the machine that has your key.",
    zh="您的签名密钥不在此处保管，本页面无法代为签名：请在存有密钥的机器上用命令导入。",
)
NOT_AGREED = ErrorCode(
    Malformed,
    "shipments.not_agreed",
    en="A factor is not confirmed: say that you want to use it all the same.",
    zh="有排放因子未经证实：如仍要采用，请勾选确认。",
)


@get("/shipments/import", include_in_schema=False)
async def show_form(
    visitor: NamedDependency[Visitor], frame: NamedDependency[Frame]
) -> Response[Any]:
    """The form."""
    return _form(frame, visitor, Filled())


@post("/shipments/import", include_in_schema=False, request_max_body_size=MAX_BYTES)
async def upload(
    request: Request[Any, Any, Any],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    uploads: NamedDependency[Uploads],
) -> Response[Any]:
    """Read the files, and go on to what was found."""
    form = await Filled.of(request)
    form_checked(request, visitor, form["csrf"])
    user = visitor.signed_in_as.user
    try:
        records, tracking = await _file(form, "file"), await _file(form, "tracking")
        if records is None:
            raise NO_FILE()
        found = records
        mapping = read_shipment_map(form["mapping"])

        def look() -> ShipmentPlan:
            rows = read_files(mapping, records=found, tracking=tracking)
            return _planned(ledger, rows, mapping, shipper=user.party)

        plan = await sync_to_thread(look)
    except WattProofError as refusal:
        return _form(frame, visitor, form.refused(refusal, _ABOUT_FIELDS))
    kept = uploads.add(
        login=user.login,
        party=user.party,
        plan=plan,
        unconfirmed=_unconfirmed(ledger, plan.bodies),
    )
    return frame.go(f"/shipments/import/{kept.id}")


@get("/shipments/import/{upload_id:str}", include_in_schema=False)
async def show_upload(
    upload_id: FromPath[str],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    uploads: NamedDependency[Uploads],
) -> Response[Any]:
    """What can be taken, and what cannot."""
    return _preview(frame, visitor, uploads.find(visitor.signed_in_as.user.login, upload_id))


@post("/shipments/import/{upload_id:str}/run", include_in_schema=False)
async def run(
    upload_id: FromPath[str],
    request: Request[Any, Any, Any],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    users: NamedDependency[Users],
    uploads: NamedDependency[Uploads],
    submitter: NamedDependency[Submitter],
    facts: NamedDependency[LedgerFacts],
) -> Response[Any]:
    """Sign and submit. Sent again, it changes nothing: what is done is done once."""
    form = await Filled.of(request)
    form_checked(request, visitor, form["csrf"])
    session = visitor.signed_in_as
    found = uploads.find(session.user.login, upload_id)
    try:
        if not session.user.keeps_key:
            raise OWN_KEY()
        if found.unconfirmed and not form["agreed"]:
            raise NOT_AGREED()
        key, done = users.key_of(session), 0
        for batch in signed(found.plan, key, ledger_id=bytes.fromhex(facts.id)):
            for answer in await submitter.submit_batch(batch):
                if isinstance(answer, WattProofError):
                    raise answer
            done += len(batch)
    except WattProofError as error:
        return _preview(frame, visitor, found, error)
    uploads.finish(found, done=done)
    return frame.go(f"/shipments/import/{found.id}")


def import_pages() -> list[HTTPRouteHandler]:
    """The handlers."""
    return [show_form, upload, show_upload, run]


_ABOUT_FIELDS: Final = {
    "shipments.no_file": "file",
    "shipments.no_tracking": "tracking",
}


async def _file(form: Filled, name: str) -> tuple[str, bytes] | None:
    """The name and bytes of a file that was handed in."""
    given = form.file(name)
    if given is None:
        return None
    last = given.filename.replace("\\", "/").rpartition("/")[2]
    return "".join(c for c in last if c.isprintable())[:200], await given.read()


def _planned(ledger: Store, rows: Any, mapping: ShipmentMap, *, shipper: str) -> ShipmentPlan:
    with ledger.snapshot():
        plan = plan_shipments(ledger, rows, mapping, shipper=shipper, now_s=now_s())
    if len(plan.bodies) > MAX_SHIPMENTS:
        raise TOO_MANY(count=len(plan.bodies), limit=MAX_SHIPMENTS)
    return plan


def _unconfirmed(reading: Reading, bodies: tuple[RecordShipment, ...]) -> tuple[str, ...]:
    """The factors of the ledger that shipments name and nobody has confirmed."""
    named = sorted({(body.factor, body.factor_version) for body in bodies if body.factor})
    found = [reading.get(FACTORS, *name) for name in named]
    return tuple(
        factor.id
        for factor in found
        if factor is not None and factor.stated.confidence == UNCONFIRMED
    )


def _form(frame: Frame, visitor: Visitor, form: Filled) -> Response[Any]:
    user = visitor.signed_in_as.user
    return frame.page(
        visitor,
        "logistics/import.html",
        status=form.status,
        form=form,
        example=EXAMPLE,
        most_mib=MAX_BYTES >> 20,
        own_key="" if user.keeps_key else OWN_KEY().text(visitor.lang),
    )


def _preview(
    frame: Frame, visitor: Visitor, found: Upload, error: WattProofError | None = None
) -> Response[Any]:
    summary = ShipmentSummary.of(found.plan, added=found.done or 0)
    keeps_key = visitor.signed_in_as.user.keeps_key
    return frame.page(
        visitor,
        "logistics/preview.html",
        status=error.http_status if error else 200,
        upload=found,
        summary=summary,
        new=len(found.plan.bodies),
        left=summary.left[:SHOWN],
        error=error,
        own_key="" if keeps_key else OWN_KEY().text(visitor.lang),
    )
