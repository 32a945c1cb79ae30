"""The application: the frame's own routes, those of the rooms, and what all of them share."""

from __future__ import annotations

from typing import Any, Final

from litestar import Litestar, MediaType
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.di import Provide
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import License

from wattproof.core.actor import Actor
from wattproof.engines.folder import LOG_KEY
from wattproof.gateway import access, errors, health, ledger, log, transactions
from wattproof.gateway.front import Front
from wattproof.gateway.host import Host
from wattproof.gateway.long_reads import LongReads
from wattproof.gateway.metrics import Metrics
from wattproof.gateway.refusable import Refusable
from wattproof.gateway.submission import Submitter
from wattproof.keys.ed25519 import SigningKey

__all__ = ["MAX_BODY_BYTES", "SCHEMA_PATH", "make_app"]

SCHEMA_PATH: Final = "/api/v1/schema"

MAX_BODY_BYTES: Final = 1 << 20
"""What a body may have where its route does not say otherwise."""


def make_app(host: Host) -> Litestar:
    """The application over an open ledger. What handlers may ask for by name:

    ``ledger`` (a `Store` to read from), ``folder``, ``actor`` (who asks), ``machine``, ``facts``
    (`LedgerFacts`), ``log_key``, ``sight``, ``submitter``, ``long_reads``, ``metrics`` and
    ``software`` (the version).
    """
    reader = host.folder.read()
    submitter = Submitter(host.writer.engine, host.limit)
    metrics = Metrics(reader, waiting=lambda: submitter.waiting)
    machine = host.folder.machine
    long_reads = LongReads()
    app = Litestar(
        route_handlers=[
            transactions.router(),
            ledger.router(),
            log.router(),
            health.router(),
            *host.routers,
        ],
        dependencies={
            "ledger": _given(reader),
            "folder": _given(host.folder),
            "machine": _given(machine),
            "facts": _given(ledger.facts_of(reader, machine.codec)),
            "log_key": _given(_log_key(host)),
            "sight": _given(host.sight),
            "submitter": _given(submitter),
            "metrics": _given(metrics),
            "long_reads": _given(long_reads),
            "software": _given(host.version),
            "actor": Provide(_actor, sync_to_thread=False),
        },
        guards=[access.guard],
        exception_handlers=dict(errors.HANDLERS),
        plugins=[Refusable(), *host.plugins],
        openapi_config=_openapi(host.version),
        request_max_body_size=MAX_BODY_BYTES,
        state=State({"open_to_anybody": host.open_to_anybody}),
        on_shutdown=[long_reads.close, reader.close],
        logging_config=None,
        debug=False,
    )
    app.asgi_handler = Front(app.asgi_handler, metrics)
    return app


def _given(value: Any) -> Provide:
    return Provide(lambda: value, sync_to_thread=False)


def _log_key(host: Host) -> SigningKey:
    with host.folder.keys() as keys:
        return keys.get(LOG_KEY)


def _actor(request: ASGIConnection[Any, Any, Any, Any]) -> Actor:
    return access.actor_of(request)


def _openapi(version: str) -> OpenAPIConfig:
    return OpenAPIConfig(
        title="WattProof",
        version=version,
        description="Signed readings and records on one log that anyone may check."
        " Every error is problem details with a stable code and both languages.",
        license=License(name="Apache-2.0", identifier="Apache-2.0"),
        path=SCHEMA_PATH,
        render_plugins=[JsonRenderPlugin(path="/", media_type=MediaType.JSON)],
        use_handler_docstrings=True,
    )
