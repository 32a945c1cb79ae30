"""What several tests of the agent need: a meter over HTTP, and nodes that pay."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from tests.edge.paying import Paying


class Counting(BaseHTTPRequestHandler):
    """A meter that shows 5 Wh more each time that it is asked."""

    shown = 1_000

    def do_GET(self) -> None:
        type(self).shown += 5
        body = str(self.shown).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing is logged."""


@pytest.fixture
def meter() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Counting)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Any]:
    """Makes a node with a wallet; it is closed at the end."""
    made: list[Paying] = []

    def make_(*orders: dict[str, Any], **given: Any) -> Paying:
        node = Paying(tmp_path, *orders, **given)
        made.append(node)
        return node

    yield make_
    for node in made:
        node.purses.check()
        node.close()
