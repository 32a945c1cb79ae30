"""Who may import on a page: an importing party's user, and of drafts only their own."""

from __future__ import annotations

from typing import Final

from wattproof.console.users import Users
from wattproof.console.visitor import Visitor
from wattproof.core.errors import Conflict, ErrorCode, Unauthorised
from wattproof.emissions.import_drafts import ImportDraft
from wattproof.emissions.import_work import ImportWork
from wattproof.keys.ed25519 import SigningKey

__all__ = ["AT_WORK", "OWN_KEY", "ROLE", "importer", "key_of", "open_draft", "own_draft"]

ROLE: Final = "importer"
"""The role on the ledger of those who bring in readings that were recorded elsewhere."""

NOT_IMPORTER = ErrorCode(
    Unauthorised,
    "import.role",
    en="Only an importing party brings in readings that were recorded elsewhere; {party} is none.",
    zh="只有数据导入机构可以导入在别处记录的读数；{party} 不是数据导入机构。",
)
OWN_KEY = ErrorCode(
    Conflict,
    "import.own_key",
    en="Your signing key is not kept here, so this page cannot sign for you: download the mapping,"
    " and import the file with the command on the machine that has your key.",
    zh="您的签名密钥不在此处保管，本页面无法代为签名：请下载映射，并在存有密钥的机器上用命令导入。",
)
AT_WORK = ErrorCode(
    Conflict,
    "import.at_work",
    en="This import is being worked on, or is done: its mapping cannot be changed now.",
    zh="该导入正在处理或已完成，现在不能更改其映射。",
)


def importer(visitor: Visitor) -> Visitor:
    """The visitor, if signed in for an importing party; raises ``import.role`` otherwise."""
    party = visitor.signed_in_as.user.party
    if not visitor.has_role(ROLE):
        raise NOT_IMPORTER(party=party)
    return visitor


def own_draft(visitor: Visitor, imports: ImportWork, draft_id: str) -> ImportDraft:
    """A draft of the visitor's own. Raises ``import.role``, ``import.no_draft``."""
    login = importer(visitor).signed_in_as.user.login
    return imports.drafts.find(login, draft_id)


def open_draft(visitor: Visitor, imports: ImportWork, draft_id: str) -> ImportDraft:
    """As `own_draft`, one whose mapping may still be changed; raises ``import.at_work``."""
    draft = own_draft(visitor, imports, draft_id)
    if draft.stage in ("running", "done") or imports.progress(draft) is not None:
        raise AT_WORK()
    return draft


def key_of(users: Users, visitor: Visitor) -> SigningKey | None:
    """The visitor's signing key, where it is kept here."""
    session = visitor.signed_in_as
    return users.key_of(session) if session.user.keeps_key else None
