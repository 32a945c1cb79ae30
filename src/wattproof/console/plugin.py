"""What makes the gateway's application the console's too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

from litestar import Request
from litestar.config.app import AppConfig
from litestar.di import Provide
from litestar.exceptions import MethodNotAllowedException
from litestar.middleware import DefineMiddleware
from litestar.plugins import InitPlugin
from litestar.response import Response
from litestar.types import ControllerRouterHandler, ExceptionHandler

from wattproof.console import explorer, sign_in, signing, verify_page
from wattproof.console.assets import check_assets
from wattproof.console.frame import Frame
from wattproof.console.sign_in import SIGN_IN_LIMIT
from wattproof.console.signing import Following, Signer
from wattproof.console.static_files import serve_static
from wattproof.console.users import Users
from wattproof.console.visitor import RolesOf, Visitor, VisitorMiddleware, Visitors
from wattproof.gateway.errors import HANDLERS
from wattproof.gateway.limits import Buckets

__all__ = ["ConsolePlugin"]

FOR_PROGRAMS: Final = ("/api/", "/log/", "/healthz", "/metrics", "/static/")
"""Below these paths an error is answered for programs, not as a page."""

_NOTHING: Final[Following] = {}


class ConsolePlugin(InitPlugin):
    """Hangs pages, sessions and the errors' page into an application.

    `pages` are the rooms' handlers. They may ask for ``visitor``, ``frame``, ``users`` and
    ``signer`` beside what the gateway gives. `following` is what goes on after a transaction was
    signed on a page.
    """

    def __init__(
        self,
        *,
        users: Users,
        frame: Frame,
        roles_of: RolesOf,
        pages: Sequence[ControllerRouterHandler],
        following: Following = _NOTHING,
    ) -> None:
        self._users = users
        self._frame = frame
        self._visitors = Visitors(users=users, roles_of=roles_of)
        self._pages = pages
        self._following = following

    def on_app_init(self, app_config: AppConfig) -> AppConfig:
        """Change the configuration before the application is made (Litestar).

        Raises `Unavailable` where the browser assets are not there.
        """
        check_assets()
        app_config.middleware.append(DefineMiddleware(VisitorMiddleware, visitors=self._visitors))
        app_config.route_handlers.extend(
            [
                serve_static,
                sign_in.router(),
                signing.router(),
                explorer.router(),
                verify_page.router(),
                *self._pages,
            ]
        )
        signer = Signer(self._users, self._frame)
        app_config.dependencies.update(
            {
                "frame": _given(self._frame),
                "users": _given(self._users),
                "signer": _given(signer),
                "following": _given(self._following),
                "sign_ins": _given(Buckets(SIGN_IN_LIMIT)),
                "visitor": Provide(self._visitor, sync_to_thread=False),
            }
        )
        app_config.exception_handlers.update(
            {kind: self._as_page(handler) for kind, handler in HANDLERS.items()}
        )
        app_config.on_shutdown.append(self._users.close)
        return app_config

    def _visitor(self, request: Request[Any, Any, Any]) -> Visitor:
        return self._visitors.of(request.scope)

    def _as_page(self, handler: ExceptionHandler[Any]) -> ExceptionHandler[Any]:
        """Answer with a page where a person asked for one, with what `handler` would say."""

        def handle(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
            answer = handler(request, error)
            if request.scope["path"].startswith(FOR_PROGRAMS):
                return answer
            if isinstance(error, MethodNotAllowedException) and request.method == "GET":
                return self._frame.go(_page_of_form(request.scope["path"]))
            # Where no route was found, the middleware has not run.
            visitor = self._visitors.of(request.scope)
            problem = answer.content
            text = problem.zh if visitor.lang == "zh" else problem.en
            page = self._frame.page(
                visitor,
                "console/problem.html",
                status=answer.status_code or 500,
                text=text,
                code=problem.code,
            )
            page.headers.update(answer.headers)
            return page

        return handle


def _page_of_form(path: str) -> str:
    """Where the form stands that is sent to `path`.

    People come to such an address when they sign in after a form was refused, change the language
    on the page that refused it, or load that page once more.
    """
    return quote(path.rstrip("/").rpartition("/")[0]) or "/"


def _given(value: Any) -> Provide:
    return Provide(lambda: value, sync_to_thread=False)
