"""The log as a stranger mirrors it: C2SP tlog-tiles, plain GETs, no account.

    GET /log/checkpoint                 the newest signed checkpoint
    GET /log/vkey                       the key that it is signed with, as a verifier key
    GET /log/tile/<L>/<N>[.p/<W>]       hashes
    GET /log/tile/entries/<N>[.p/<W>]   entries

A tile of any width that the log has reached is given, so whoever holds an older checkpoint finds
the partial tiles of that size too. What a path names never changes; only the checkpoint does.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from litestar import Request, Response, Router, get
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import PathParameter

from wattproof.core.errors import ErrorCode, NotFound
from wattproof.gateway.access import PUBLIC, require_all
from wattproof.gateway.errors import problems
from wattproof.gateway.ledger import LedgerFacts, latest_block
from wattproof.gateway.reading import Ledger
from wattproof.ledger.store import Store
from wattproof.ledger.tiles import TILE_WIDTH, TilePath, entry_bundle, parse_path, tile_width

__all__ = ["router"]

TEXT: Final = "text/plain"
OCTETS: Final = "application/octet-stream"

FULL_TILE_CACHE: Final = "public, max-age=31536000, immutable"
PARTIAL_TILE_CACHE: Final = "public, max-age=86400"
CHECKPOINT_CACHE: Final = "public, max-age=1"
VKEY_CACHE: Final = "public, max-age=86400"

NO_TILE = ErrorCode(
    NotFound,
    "gateway.no_tile",
    en="The log of {size} entries has no tile {path} yet.",
    zh="共 {size} 条记录的日志尚无瓦片 {path}。",
)


@get("/checkpoint", media_type=TEXT, summary="The newest signed checkpoint", opt=PUBLIC)
async def show_checkpoint(ledger: Ledger) -> Response[str]:
    """A C2SP checkpoint: origin, size, root, app hash, signature."""
    return Response(latest_block(ledger).checkpoint, headers={"Cache-Control": CHECKPOINT_CACHE})


@get("/vkey", media_type=TEXT, summary="The log's verifier key", opt=PUBLIC)
async def show_vkey(facts: NamedDependency[LedgerFacts]) -> Response[str]:
    """Name, key id and Ed25519 key, as C2SP signed notes write them, and a newline."""
    return Response(facts.vkey + "\n", headers={"Cache-Control": VKEY_CACHE})


@get(
    "/tile/{path:path}",
    opt=PUBLIC,
    media_type=OCTETS,
    responses=problems(400, 401, 403, 404),
    summary="A tile of hashes or entries",
)
async def show_tile(
    path: Annotated[
        str,
        PathParameter(
            description="What follows `tile/` in a C2SP tile path.",
            examples=[Example(value="/entries/000.p/1"), Example(value="/0/000.p/1")],
        ),
    ],
    ledger: Ledger,
    request: Request[Any, Any, Any],
) -> Response[bytes]:
    """The bytes of one tile, at most 256 hashes or entries; hashes are public, entries not."""
    tile = parse_path("tile/" + path.removeprefix("/"))
    if tile.level is None:
        require_all(request)
    size = ledger.size
    if tile.width > tile_width(tile.level or 0, tile.index, size=size):
        raise NO_TILE(path=tile.text, size=size)
    cache = FULL_TILE_CACHE if tile.is_full else PARTIAL_TILE_CACHE
    return Response(_tile_bytes(ledger, tile), headers={"Cache-Control": cache})


def router() -> Router:
    """The routes, below ``/log``."""
    handlers = [show_checkpoint, show_vkey, show_tile]
    return Router("/log", route_handlers=handlers, tags=["log"])


def _tile_bytes(ledger: Store, tile: TilePath) -> bytes:
    if tile.level is not None:
        return ledger.tile(tile.level, tile.index, tile.width)
    entries = ledger.entries(tile.index * TILE_WIDTH, tile.width)
    return entry_bundle([entry.leaf for entry in entries])
