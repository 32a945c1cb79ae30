"""A served site over the demonstration's ledger, with an account for each kind of visitor."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from litestar import Litestar
from tests.support.freight import record_shipments

from wattproof.cli.host import Opening
from wattproof.console.cli import USERS_FILE
from wattproof.console.users import Users
from wattproof.core.errors import Lang
from wattproof.demo.market import opening
from wattproof.demo.plant import MILL, made_mill
from wattproof.demo.region import ZONE
from wattproof.demo.settlement import Settlement
from wattproof.demo.story import Story
from wattproof.demo.tracking import Tracking
from wattproof.engines.folder import LedgerFolder, Writer
from wattproof.gateway.server import ServerThread
from wattproof.identity.queries import device
from wattproof.keys.ed25519 import SigningKey
from wattproof.keys.passphrase import LOWEST
from wattproof.metering.model import PACKETS
from wattproof.node import OPERATOR, create_ledger, machine, make_site

__all__ = ["LOGINS", "OWN_KEY", "PASSWORD", "Client", "Site", "copied", "make_ledger",
           "make_settled_ledger", "serving_a_copy"]  # fmt: skip

PASSWORD: Final = "correct horse battery"

LOGINS: Final[Mapping[str, str]] = {
    "registrar": "operator",
    "metering": "metering",
    "steel": "steel-works",
    "offices": "offices",
    "grid": "grid",
    "bank": "bank",
    "wind": "wind-farm",
    "readings": "importer",
    "citizen": "citizen",
}
"""Accounts, and the party of the demonstration for which each acts."""

OWN_KEY: Final = "wind"
"""The account whose key the console does not keep: it signs outside, with `Site.key_of`."""


def make_ledger(path: Path) -> None:
    """Tell the demonstration's story into a new ledger, and make the accounts."""
    folder = _opened(path)
    Story(folder, _untold).live()
    record_shipments(folder)
    _add_accounts(folder)


def make_settled_ledger(path: Path) -> None:
    """The same with a mill and a settled region: meters trade from their first packet on."""
    folder = _opened(path)
    Story(folder, _untold).live(before=opening())
    Tracking(folder, _untold, MILL, operator=OPERATOR).live(made_mill())
    settlement = Settlement(folder, _untold, operator=OPERATOR)
    settlement.live()
    settlement.facts()
    record_shipments(folder)
    _add_accounts(folder)


def _untold(_en: str, _zh: str) -> None:
    """The story is told to nobody."""


def _opened(path: Path) -> LedgerFolder:
    folder = LedgerFolder(path, machine())
    create_ledger(folder, Opening(name="demo", organisation="Demo", uscc="", zone=ZONE))
    return folder


def _add_accounts(folder: LedgerFolder) -> None:
    users = Users(folder.path / USERS_FILE, cost=LOWEST)
    with folder.keys() as keys:
        for login, party in LOGINS.items():
            key = None if login == OWN_KEY else keys.get(party)
            users.add(login, password=PASSWORD, party=party, lang="en", key=key)
    users.close()


@contextmanager
def serving_a_copy(source: Path, target: Path) -> Iterator[Site]:
    """A site over a copy of a ledger, for tests that want it as it was made."""
    site = copied(source, target)
    site.start()
    try:
        yield site
    finally:
        site.stop()


def copied(source: Path, target: Path) -> Site:
    """A site over a copy of a ledger that nobody has open; not started yet."""
    shutil.copytree(source, target)
    return Site(LedgerFolder(target, machine()))


class Site:
    """A site that can be stopped and started again; `url` has no slash at its end."""

    password: Final = PASSWORD

    def __init__(self, folder: LedgerFolder) -> None:
        self.folder: Final = folder
        self.url = ""
        self.writer: Writer
        self.app: Litestar
        self._server: ServerThread | None = None

    def start(self) -> None:
        """Open the ledger and serve it; when it was stopped, at the same address as before."""
        port = urlsplit(self.url).port or 0
        self.writer = self.folder.open_writer(workers=0)
        try:
            self.app = make_site(self.folder, self.writer)
            self._server = ServerThread(self.app, port=port)
        except BaseException:
            self.writer.close()
            raise
        self._server.__enter__()
        self.url = self._server.url

    def stop(self) -> None:
        """End in order, as a node does that is told to."""
        if self._server is not None:
            self._server.stop()
            self._server = None
            self.writer.close()

    @property
    def size(self) -> int:
        """How many entries the log has."""
        return self.writer.store.size

    def first_packet(self, meter: str) -> int:
        """The log entry of a meter's first packet."""
        number = device(self.writer.store, meter).number
        return next(iter(self.writer.store.scan(PACKETS, number))).entry

    def key_of(self, party: str) -> SigningKey:
        """A party's signing key, from the ledger's key store."""
        with self.folder.keys() as keys:
            return keys.get(party)

    @contextmanager
    def users(self) -> Iterator[Users]:
        """The accounts, to be changed behind the site's back."""
        users = Users(self.folder.path / USERS_FILE, cost=LOWEST)
        try:
            yield users
        finally:
            users.close()

    @contextmanager
    def client(self, login: str = "", *, lang: Lang = "en") -> Iterator[Client]:
        """A visitor without a browser, signed in where `login` is given."""
        with Client(self.url, lang) as client:
            if login:
                client.sign_in(login)
            yield client


class Client(httpx.Client):
    """Behaves as a browser without JavaScript: keeps cookies, sends forms with their token."""

    def __init__(self, url: str, lang: Lang = "en") -> None:
        headers = {"Accept-Language": lang, "Accept": "text/html"}
        super().__init__(base_url=url, headers=headers, timeout=30)

    @property
    def csrf(self) -> str:
        """The token that this visitor's forms carry, read from a page."""
        found = re.search(r'name="csrf" value="([^"]+)"', self.get("/account").text)
        assert found is not None, "every page has a form"
        return found[1]

    def form(self, path: str, **fields: Any) -> httpx.Response:
        """Send a form as its page would."""
        return self.post(path, data={"csrf": self.csrf, **fields})

    def sign_in(self, login: str, password: str = PASSWORD) -> None:
        """Sign in, which must go well."""
        answer = self.form("/sign-in", login=login, password=password)
        assert answer.status_code == 303, answer.text

    def page(self, path: str, status: int = 200) -> str:
        """The HTML of a page, which must be of this status."""
        answer = self.get(path)
        assert answer.status_code == status, (path, answer.status_code, answer.text)
        assert answer.headers["content-type"].startswith("text/html"), path
        return answer.text
