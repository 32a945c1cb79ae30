"""Says in the API's schema that what is not public may be refused: sign in, or not yours."""

from __future__ import annotations

from http import HTTPStatus

from litestar.plugins import ReceiveRoutePlugin
from litestar.routes import BaseRoute, HTTPRoute

from wattproof.gateway.errors import problems

__all__ = ["Refusable"]


class Refusable(ReceiveRoutePlugin):
    """Adds the answers of `access` to what each route says of itself, so that no route forgets."""

    def receive_route(self, route: BaseRoute) -> None:
        """Change the handlers of a route when it is added (Litestar)."""
        if not isinstance(route, HTTPRoute):
            return
        answers = problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
        for handler in route.route_handlers:
            if not handler.opt.get("public"):
                handler.responses = {**answers, **(handler.responses or {})}
