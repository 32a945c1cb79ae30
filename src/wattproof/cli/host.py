"""What the composition root hands to the command line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from wattproof.core.errors import Lang
from wattproof.engines.folder import LedgerFolder
from wattproof.ledger.machine import Machine
from wattproof.ledger.proof import Verdict
from wattproof.ledger.state import Reading

__all__ = ["Host", "Opening", "Serve", "Verify"]


class Serve(Protocol):
    """Serves a ledger at an address and port until stopped; `mqtt` is a broker to listen on too."""

    def __call__(self, folder: LedgerFolder, address: str, port: int, *, mqtt: str = "") -> None:
        """Return when told to stop, with everything closed."""
        ...


class Verify(Protocol):
    """Checks a file by itself, without any ledger; with `ledger_id` only one of that ledger."""

    def __call__(self, data: bytes, *, ledger_id: bytes | None = None) -> Verdict:
        """What was checked and found, whatever the file holds."""
        ...


@dataclass(frozen=True, kw_only=True)
class Opening:
    """What `init` is told: the ledger's name, its founder and its default time zone."""

    name: str
    organisation: str
    uscc: str
    zone: str


@dataclass(frozen=True, kw_only=True)
class Host:
    """A machine with all its contracts, and what the frame cannot know of itself.

    `create` opens a new ledger in a folder and gives what was made, for printing; `conservation`
    is the balance of the book, raising `Broken` where it does not hold; `roles` the enforced table
    of roles; `serve` runs node, API and console until stopped. `verify` knows every kind of file
    that can be checked by itself, of up to `verify_bytes`.
    """

    machine: Machine
    create: Callable[[LedgerFolder, Opening], dict[str, Any]]
    conservation: Callable[[Reading], dict[str, Any]]
    roles: Callable[[Lang], list[dict[str, str]]]
    serve: Serve
    verify: Verify
    verify_bytes: int

    def folder(self, path: Path) -> LedgerFolder:
        """The ledger's folder at `path`, whether or not there is a ledger in it."""
        return LedgerFolder(path, self.machine)
