"""Serves the toy ledger in argv[1] until a signal; run as a program by `test_server`."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.ledger.toy import machine

from wattproof.engines.folder import LedgerFolder
from wattproof.gateway.app import make_app
from wattproof.gateway.host import Host
from wattproof.gateway.server import serve


def main() -> None:
    folder = LedgerFolder(Path(sys.argv[1]), machine())
    with folder.write(workers=0) as writer:
        app = make_app(Host(folder=folder, writer=writer, version="test"))
        serve(app, host="127.0.0.1", port=0)
    sys.stderr.write("closed\n")


if __name__ == "__main__":
    main()
