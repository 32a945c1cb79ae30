"""The composition root: the only place where the rooms are put together."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from typing import Any, Final, TypeVar

import msgspec
from litestar import Litestar
from litestar.types import ControllerRouterHandler

import wattproof.book.api as book_api
import wattproof.book.contract as book
import wattproof.book.pages as book_pages
import wattproof.emissions.contract as emissions
import wattproof.emissions.logistics.contract as logistics
import wattproof.emissions.people.pages as people_pages
import wattproof.emissions.tracking.contract as tracking
import wattproof.emissions.tracking.pages as tracking_pages
import wattproof.identity.api as identity_api
import wattproof.identity.contract as identity
import wattproof.identity.pages as identity_pages
import wattproof.metering.api as metering_api
import wattproof.metering.contract as metering
import wattproof.metering.pages as metering_pages
import wattproof.settlement.contract as settlement
import wattproof.settlement.pages as settlement_pages
import wattproof.settlement.traces.contract as traces
from wattproof import __version__
from wattproof.book.model import DefineAsset
from wattproof.book.queries import conservation
from wattproof.book.sight import owners_named
from wattproof.book.words import WORDS as BOOK_WORDS
from wattproof.cli.app import make_app, run
from wattproof.cli.host import Host, Opening
from wattproof.console.cli import USERS_FILE
from wattproof.console.cli import add_commands as add_user_commands
from wattproof.console.frame import Frame, Room
from wattproof.console.plugin import ConsolePlugin
from wattproof.console.rehearsal import Rehearsal
from wattproof.console.users import Users
from wattproof.core.codes import check_uscc
from wattproof.core.errors import Lang
from wattproof.core.periods import load_zone
from wattproof.demo.cli import add_commands as add_demo_command
from wattproof.emissions import api as emissions_api
from wattproof.emissions import pages as emission_pages
from wattproof.emissions.cli import add_commands as add_emission_commands
from wattproof.emissions.import_work import ImportWork
from wattproof.emissions.library import packaged_factors
from wattproof.emissions.logistics import api as logistics_api
from wattproof.emissions.logistics import pages as logistics_pages
from wattproof.emissions.logistics.cli import add_commands as add_shipment_commands
from wattproof.emissions.logistics.words import WORDS as LOGISTICS_WORDS
from wattproof.emissions.meter_panels import meter_panels
from wattproof.emissions.model import UNITY_ID, FactorStatement, PublishFactors
from wattproof.emissions.tracking import api as tracking_api
from wattproof.emissions.tracking.cli import add_commands as add_wiring_commands
from wattproof.emissions.tracking.notify import Notifier
from wattproof.emissions.tracking.outputs import read_outputs
from wattproof.emissions.tracking.report_cli import add_commands as add_tracking_reports
from wattproof.emissions.tracking.scheduler import Scheduler
from wattproof.emissions.tracking.words import WORDS as TRACKING_WORDS
from wattproof.emissions.words import WORDS as EMISSION_WORDS
from wattproof.engines.folder import LOG_KEY, LedgerFolder, Writer
from wattproof.gateway.app import make_app as make_gateway
from wattproof.gateway.host import Host as GatewayHost
from wattproof.gateway.mqtt import MqttListener
from wattproof.gateway.server import serve
from wattproof.gateway.sight import Sight
from wattproof.identity.cli import add_commands as add_identity_commands
from wattproof.identity.model import PARTIES
from wattproof.identity.roles import permissions
from wattproof.identity.sight import parties_named, parties_of_key
from wattproof.identity.words import WORDS as IDENTITY_WORDS
from wattproof.keys.did import public_of
from wattproof.keys.ed25519 import SigningKey
from wattproof.ledger.chain import open_genesis
from wattproof.ledger.genesis import PROFILE, Founder, Genesis, ledger_id_of, sign_genesis
from wattproof.ledger.leaf import leaf_parts
from wattproof.ledger.machine import Machine
from wattproof.ledger.state import Reading
from wattproof.ledger.store import Store
from wattproof.ledger.transaction import NONCE_BYTES, sign_transaction
from wattproof.metering.words import WORDS as METERING_WORDS
from wattproof.settlement import api as settlement_api
from wattproof.settlement.cli import add_commands as add_settlement_commands
from wattproof.settlement.meter_panels import trade_panels
from wattproof.settlement.model import FileStatement, OpenRun
from wattproof.settlement.run_work import RunWork
from wattproof.settlement.statement_bundle import MAX_BUNDLE_BYTES, verify_file
from wattproof.settlement.statement_pages import follow_filing
from wattproof.settlement.traces import api as traces_api
from wattproof.settlement.traces.cli import add_commands as add_trace_commands
from wattproof.settlement.traces.words import WORDS as TRACE_WORDS
from wattproof.settlement.words import WORDS as SETTLEMENT_WORDS

__all__ = ["IMPORTER", "OPERATOR", "ROOMS", "create_ledger", "host", "machine", "main", "make_site"]

OPERATOR: Final = "operator"
"""The id, and key name, of the founder that registers parties and publishes factors."""

IMPORTER: Final = "importer"
"""The id, and key name, of the founder that brings in readings recorded elsewhere."""

OUTPUTS_FILE: Final = "outputs.toml"
"""The file, in the ledger's folder, of where notices are sent."""

FACTORS_AT_ONCE: Final = 64
"""Factors in one transaction when a ledger opens: well below its size limit."""

ROOMS: Final = (
    add_identity_commands,
    add_emission_commands,
    add_wiring_commands,
    add_tracking_reports,
    add_shipment_commands,
    add_settlement_commands,
    add_trace_commands,
    add_user_commands,
    add_demo_command,
)
"""What hangs commands into the command line."""

API_ROUTERS: Final[tuple[Callable[[], ControllerRouterHandler], ...]] = (
    identity_api.router,
    book_api.router,
    metering_api.router,
    emissions_api.router,
    logistics_api.router,
    settlement_api.router,
    traces_api.router,
    tracking_api.router,
)
"""The rooms' routes below ``/api/v1``."""

PAGES: Final[tuple[Room, ...]] = (
    emission_pages.ROOM,
    tracking_pages.ROOM,
    people_pages.ROOM,
    identity_pages.ROOM,
    metering_pages.ROOM,
    book_pages.ROOM,
    logistics_pages.ROOM,
    settlement_pages.ROOM,
)
"""The rooms that have pages, with their templates and navigation."""

PAGE_ROUTERS: Final[tuple[Callable[[], Sequence[ControllerRouterHandler]], ...]] = (
    emission_pages.pages,
    tracking_pages.pages,
    people_pages.pages,
    identity_pages.pages,
    book_pages.pages,
    logistics_pages.pages,
    settlement_pages.pages,
    lambda: metering_pages.pages(panels=(*trade_panels(), *meter_panels())),
)
"""The rooms' pages."""

WORDS: Final = (
    IDENTITY_WORDS,
    BOOK_WORDS,
    METERING_WORDS,
    EMISSION_WORDS,
    TRACKING_WORDS,
    LOGISTICS_WORDS,
    SETTLEMENT_WORDS,
    TRACE_WORDS,
)
"""What the fields of the rooms' transactions are called."""

FOR_EVERYBODY: Final = (
    Genesis.spec.type,
    PublishFactors.spec.type,
    DefineAsset.spec.type,
)
"""Types of transactions that every visitor may read, whomever they name."""

T = TypeVar("T")


def machine() -> Machine:
    """All contracts of this version, in the order in which they listen to each other."""
    contracts = (
        identity.CONTRACT,
        book.CONTRACT,
        metering.CONTRACT,
        emissions.CONTRACT,
        tracking.CONTRACT,
        settlement.CONTRACT,
        traces.CONTRACT,
        logistics.CONTRACT,
    )
    return Machine(contracts, authorise=identity.authorise)


def create_ledger(folder: LedgerFolder, opening: Opening) -> dict[str, Any]:
    """Open a ledger with its consortium, an importing authority, and the packaged factors.

    Gives what was made, for printing. Raises `Unavailable` where there is a ledger already.
    """
    uscc = check_uscc(opening.uscc) if opening.uscc else ""
    load_zone(opening.zone)
    with folder.create_keys() as store:
        log_key, operator, importer = map(store.get_or_create, (LOG_KEY, OPERATOR, IMPORTER))
    genesis = sign_genesis(
        Genesis(
            name=opening.name,
            zone=opening.zone,
            profile=PROFILE,
            log_key=log_key.public,
            founders=_founders(opening.organisation, uscc, operator=operator, importer=importer),
            registrar=OPERATOR,
        ),
        operator,
        nonce=os.urandom(NONCE_BYTES),
    )
    ledger_id = ledger_id_of(genesis)
    first = [sign_transaction(body, operator, ledger_id=ledger_id) for body in _packaged_factors()]
    folder.create(
        genesis=genesis, first=first, log_key=log_key, time_ms=time.time_ns() // 1_000_000
    )
    return {
        "ledger": ledger_id.hex(),
        "name": opening.name,
        "folder": str(folder.path),
        "parties": [OPERATOR, IMPORTER],
        "factors": len(packaged_factors()) - 1,
    }


def _founders(
    organisation: str, uscc: str, *, operator: SigningKey, importer: SigningKey
) -> tuple[Founder, ...]:
    return (
        Founder(
            id=OPERATOR,
            name=organisation,
            uscc=uscc,
            key=operator.public,
            roles=("factor_authority", "issuer", "metering_authority", "registrar"),
        ),
        Founder(
            id=IMPORTER,
            name=f"{organisation}: importing authority",
            uscc="",
            key=importer.public,
            roles=("consumer", "importer", "supplier"),
        ),
    )


def _packaged_factors() -> Iterator[PublishFactors]:
    fields = FactorStatement.__struct_fields__
    statements = (
        FactorStatement(**{name: getattr(factor, name) for name in fields})
        for factor in packaged_factors()
        if factor.id != UNITY_ID
    )
    for chunk in _chunks(statements, FACTORS_AT_ONCE):
        yield PublishFactors(factors=chunk)


def _chunks(items: Iterable[T], size: int) -> Iterator[tuple[T, ...]]:
    source = iter(items)
    while chunk := tuple(islice(source, size)):
        yield chunk


def _roles(lang: Lang) -> list[dict[str, str]]:
    """The enforced table of roles, for printing."""
    return [
        {
            "transaction": f"{row.type} v{row.version}",
            "what": row.what,
            "by": ", ".join(row.by),
            "who": ", ".join(row.who),
        }
        for row in permissions(machine().specs, lang=lang)
    ]


def _conservation(reading: Any) -> dict[str, Any]:
    return {row.asset: msgspec.to_builtins(row) for row in conservation(reading)}


def host() -> Host:
    """What the command line works with."""
    return Host(
        machine=machine(),
        create=create_ledger,
        conservation=_conservation,
        roles=_roles,
        serve=_serve,
        verify=verify_file,
        verify_bytes=MAX_BUNDLE_BYTES,
    )


def _serve(folder: LedgerFolder, address: str, port: int, *, mqtt: str = "") -> None:
    """Open the ledger for writing and serve it until stopped; the engine is closed last."""
    with folder.write() as writer, ExitStack() as listening:
        if mqtt:
            listening.enter_context(
                MqttListener(mqtt, engine=writer.engine, ledger_id=writer.ledger_id)
            )
        serve(make_site(folder, writer), host=address, port=port)


def make_site(folder: LedgerFolder, writer: Writer) -> Litestar:
    """API and console over an open ledger. Reads are open to anybody while there is no account."""
    store = writer.store
    users = Users(folder.path / USERS_FILE, present_key=lambda party: _key_of(store, party))
    genesis = open_genesis(leaf_parts(store.entry(0).leaf)[2], folder.machine.codec).body
    assert isinstance(genesis, Genesis), genesis

    def open_to_anybody() -> bool:
        return not users.any

    runs = RunWork(folder, writer)
    console = ConsolePlugin(
        users=users,
        frame=Frame(
            PAGES,
            words=WORDS,
            zone=genesis.zone,
            ledger_name=genesis.name,
            open_to_anybody=open_to_anybody,
        ),
        roles_of=lambda party: _roles_of(store, party),
        pages=[page for router in PAGE_ROUTERS for page in router()],
        following={OpenRun: runs.follow, FileStatement: follow_filing(store)},
    )
    rehearsal = Rehearsal(
        machine=folder.machine, store=store, key_of=lambda party: _key_of(store, party)
    )
    outputs = read_outputs(folder.path / OUTPUTS_FILE)
    notifier = Notifier(folder, outputs, ledger_id=writer.ledger_id, zone=genesis.zone)
    scheduler = Scheduler(
        folder,
        writer,
        outputs.report,
        key=lambda: _own_key(folder),
        zone=genesis.zone,
        tell=notifier.deliver,
    )
    return make_gateway(
        GatewayHost(
            folder=folder,
            writer=writer,
            version=__version__,
            routers=[router() for router in API_ROUTERS],
            plugins=[console, rehearsal, ImportWork(folder, writer), runs, notifier, scheduler],
            open_to_anybody=open_to_anybody,
            sight=Sight(public=FOR_EVERYBODY, concerned=_concerned),
        )
    )


def _own_key(folder: LedgerFolder) -> SigningKey:
    """The key with which the node files reports."""
    with folder.keys() as keys:
        return keys.get(OPERATOR)


def _concerned(reading: Reading, signer: bytes, names: Collection[str]) -> Iterator[str]:
    """The parties whom a transaction concerns: who signed it, and whom it names."""
    yield from parties_of_key(reading, signer)
    yield from parties_named(reading, names)
    yield from owners_named(reading, names)


def _key_of(store: Store, party: str) -> bytes | None:
    found = store.get(PARTIES, party)
    return None if found is None else public_of(found.did)


def _roles_of(store: Store, party: str) -> tuple[str, ...] | None:
    found = store.get(PARTIES, party)
    return found.roles if found is not None and found.status == "active" else None


def main() -> None:
    """The `wattproof` command."""
    run(make_app(host(), ROOMS))
