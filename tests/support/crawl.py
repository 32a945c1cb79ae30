"""Every page that a visitor can come to by following links, one address for each route."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Mapping
from html.parser import HTMLParser
from typing import Final
from urllib.parse import urldefrag, urlsplit

from litestar import Litestar
from tests.support.site import Client

__all__ = ["addresses", "links", "page_routes", "route_of"]

FOR_PROGRAMS: Final = ("/api/", "/healthz", "/log/", "/metrics", "/static/")


class _Links(HTMLParser):
    """The addresses on this site to which a page leads; downloads are no pages."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One tag (HTMLParser)."""
        given = dict(attrs)
        address = given.get("href") or ""
        plain = address.startswith("/") and not address.startswith(("//", *FOR_PROGRAMS))
        if tag == "a" and plain and "download" not in given:
            self.found.append(urldefrag(address).url)


def page_routes(app: Litestar) -> Mapping[str, re.Pattern[str]]:
    """What can be asked for with GET and is for people, with a pattern that its addresses match."""
    found = {}
    for route in app.routes:
        if "GET" in getattr(route, "methods", ()) and not route.path.startswith(FOR_PROGRAMS):
            found[route.path] = re.compile(re.sub(r"{\w+:\w+}", "[^/]+", route.path))
    return found


def route_of(routes: Mapping[str, re.Pattern[str]], address: str) -> str:
    """The route of an address: of those that match, the one with the fewest open places."""
    path = urlsplit(address).path
    matching = [route for route, pattern in routes.items() if pattern.fullmatch(path)]
    assert matching, f"a link leads to {address}, where there is no page"
    return min(matching, key=lambda route: route.count("{"))


def addresses(
    client: Client, routes: Mapping[str, re.Pattern[str]], *, start: Iterable[str] = ("/",)
) -> dict[str, str]:
    """One address for each route, in the order in which they are come to; none may be refused.

    Each of them is read, and of each route no other. What is no page is left out.
    """
    found: dict[str, str] = {}
    todo = deque(start)
    while todo:
        address = todo.popleft()
        route = route_of(routes, address)
        if route in found:
            continue
        answer = client.get(address)
        assert answer.status_code == 200, f"{address} is linked, and answers {answer.status_code}"
        if answer.headers["content-type"].startswith("text/html"):
            found[route] = address
            todo.extend(links(answer.text))
    return found


def links(html: str) -> list[str]:
    """The pages of this site to which a page leads."""
    parser = _Links()
    parser.feed(html)
    return parser.found
