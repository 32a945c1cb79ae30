"""Serving the application: one process, one event loop, an orderly end.

On SIGINT or SIGTERM the server takes no more connections, answers what has been asked, then
returns. The engine is closed by whoever opened it, after that, so that every transaction that was
taken in is durable and answered:

    with folder.write() as writer:
        serve(make_app(Host(folder=folder, writer=writer, ...)), host="127.0.0.1", port=8000)
"""

from __future__ import annotations

import contextlib
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Final, Self

import uvicorn
from litestar import Litestar

from wattproof.core.errors import ErrorCode, Unavailable

__all__ = ["GRACE_S", "MAX_CONNECTIONS", "ServerThread", "serve"]

GRACE_S: Final = 20
"""How long requests may take to end once the server was told to."""

MAX_CONNECTIONS: Final = 2_048
"""Connections at once; more are answered 503 by the server itself."""

START_TIMEOUT_S: Final = 30
BACKLOG: Final = 1_024

CANNOT_LISTEN = ErrorCode(
    Unavailable,
    "gateway.cannot_listen",
    en="Cannot listen on {host} port {port}: {reason}.",
    zh="无法监听 {host} 的端口 {port}：{reason}。",
)


def _print_line(url: str) -> None:
    sys.stdout.write(f"WattProof {url}\n")
    sys.stdout.flush()


def serve(
    app: Litestar,
    *,
    host: str,
    port: int,
    proxies: str = "",
    announce: Callable[[str], None] = _print_line,
) -> None:
    """Serve until SIGINT or SIGTERM, then end in order and return.

    `announce` is told the address once clients can connect. `proxies` lists the addresses of
    trusted proxies, with commas: only their X-Forwarded-For counts. Raises `CANNOT_LISTEN`.
    """
    listener = _listen(host, port)
    server = _Server(_config(app, proxies), lambda: announce(_url(listener)))
    server.run(sockets=[listener])


class ServerThread:
    """The server in a thread of this process, on the loopback; for tests and bench.

    with ServerThread(app) as server:
        httpx.get(server.url + "/healthz")

    A `port` of 0 is any that is free.
    """

    def __init__(self, app: Litestar, *, port: int = 0) -> None:
        self._listener = _listen("127.0.0.1", port)
        self.url = _url(self._listener)
        self._ready = threading.Event()
        self._server = _Server(_config(app, ""), self._ready.set)
        self._thread = threading.Thread(target=self._run, name="wattproof-gateway")

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(START_TIMEOUT_S), "the server did not start"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End in order and wait for it."""
        self._server.should_exit = True
        self._thread.join()

    def _run(self) -> None:
        self._server.run(sockets=[self._listener])


class _Server(uvicorn.Server):
    """uvicorn's server, saying when it is ready and ending without a signal's default effect."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self._ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle the signals while serving; they are not raised again afterwards.

        uvicorn would, and SIGTERM would then end the process before the engine is closed.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        handled = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self.handle_exit) for number in handled}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _config(app: Litestar, proxies: str) -> uvicorn.Config:
    options: dict[str, Any] = {"proxy_headers": False}
    if proxies:
        options = {"proxy_headers": True, "forwarded_allow_ips": proxies}
    return uvicorn.Config(
        app,
        lifespan="on",
        log_config=None,
        log_level="error",  # what strangers send wrong is not worth a line
        access_log=False,
        server_header=False,
        ws="none",
        backlog=BACKLOG,
        limit_concurrency=MAX_CONNECTIONS,
        timeout_graceful_shutdown=GRACE_S,
        **options,
    )


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise CANNOT_LISTEN(host=host, port=port, reason=error.strerror or str(error)) from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise CANNOT_LISTEN(host=host, port=port, reason=error.strerror or str(error)) from None
    return listener


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
