"""Files of shipments that were looked at and wait for a yes: kept for a while, not on the log."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from typing import Final

import msgspec

from wattproof.core.errors import ErrorCode, NotFound
from wattproof.emissions.logistics.plan import ShipmentPlan

__all__ = ["MAX_UPLOADS", "Upload", "Uploads"]

MAX_UPLOADS: Final = 32
"""Files that wait at once; the oldest goes first."""
KEPT_S: Final = 3600

GONE = ErrorCode(
    NotFound,
    "shipments.upload_gone",
    en="This upload is not here any more; hand the file in again.",
    zh="该上传已不存在，请重新上传文件。",
)


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """Whose file it is, what it adds, and which of the factors it uses nobody has confirmed.

    `done` is how many shipments the ledger took; None before.
    """

    id: str
    login: str
    party: str
    plan: ShipmentPlan
    unconfirmed: tuple[str, ...]
    made_s: int
    done: int | None = None


class Uploads:
    """The uploads of one node; each is found by who handed it in, and gone after an hour."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Upload] = OrderedDict()

    def add(
        self, *, login: str, party: str, plan: ShipmentPlan, unconfirmed: tuple[str, ...]
    ) -> Upload:
        """Keep what was found in a file."""
        made = Upload(
            id=secrets.token_hex(12),
            login=login,
            party=party,
            plan=plan,
            unconfirmed=unconfirmed,
            made_s=int(time.time()),
        )
        self._kept[made.id] = made
        while len(self._kept) > MAX_UPLOADS:
            self._kept.popitem(last=False)
        return made

    def find(self, login: str, id_: str) -> Upload:
        """An upload of this login; raises ``shipments.upload_gone``."""
        found = self._kept.get(id_)
        if found is None or found.login != login or found.made_s + KEPT_S < time.time():
            raise GONE()
        return found

    def finish(self, upload: Upload, *, done: int) -> None:
        """Note that its shipments are on the ledger."""
        if upload.id in self._kept:
            self._kept[upload.id] = msgspec.structs.replace(upload, done=done)
