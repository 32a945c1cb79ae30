"""Serving what browsers load: ``/static/...``.

With its version in the address (`asset_url`) a file may be kept for ever; without it, as where one
script imports another, the browser asks each time whether it has changed.
"""

from __future__ import annotations

import gzip
from functools import cache
from typing import Annotated, Any, Final

from litestar import Request, Response, get
from litestar.exceptions import NotFoundException
from litestar.params import PathParameter

from wattproof.console.assets import assets
from wattproof.gateway.access import PUBLIC

__all__ = ["serve_static"]

FOR_EVER: Final = "public, max-age=31536000, immutable"
ASK_FIRST: Final = "no-cache"
COMPRESSED_TYPES: Final = ("text/", "image/svg")

Name = Annotated[str, PathParameter(max_length=200, description="A file under static/.")]


@get("/static/{name:path}", include_in_schema=False, opt=PUBLIC)
async def serve_static(name: Name, request: Request[Any, Any, Any]) -> Response[bytes]:
    """A file under ``static/``: compressed for those who take it, 304 for those who have it."""
    name = name.lstrip("/")
    asset = assets().get(name)
    if asset is None:
        raise NotFoundException
    tag = f'"{asset.version}"'
    versioned = request.query_params.get("v") == asset.version
    headers = {
        "ETag": tag,
        "Cache-Control": FOR_EVER if versioned else ASK_FIRST,
        "Vary": "Accept-Encoding",
    }
    if tag in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers)
    data = asset.data
    if asset.media_type.startswith(COMPRESSED_TYPES) and _takes_gzip(request):
        headers["Content-Encoding"] = "gzip"
        data = _compressed(name)
    return Response(data, media_type=asset.media_type, headers=headers)


def _takes_gzip(request: Request[Any, Any, Any]) -> bool:
    accepted = request.headers.get("accept-encoding", "").lower().split(",")
    return any(item.strip() in ("gzip", "gzip;q=1.0") for item in accepted)


@cache
def _compressed(name: str) -> bytes:
    return gzip.compress(assets()[name].data, mtime=0)
