"""The pages of the book: accounts and their postings, assets and their conservation."""

from __future__ import annotations

from typing import Final

from litestar.handlers import HTTPRouteHandler

from wattproof.book import account_pages, asset_pages
from wattproof.console.frame import NavItem, Room

__all__ = ["ROOM", "pages"]

ROOM: Final = Room(
    name="book",
    package="wattproof.book",
    navigation=(
        NavItem(path="/accounts", text="Accounts", icon="wallet", order=50),
        NavItem(path="/assets", text="Assets", icon="coins", order=55),
    ),
)


def pages() -> list[HTTPRouteHandler]:
    """The handlers."""
    return [*account_pages.handlers(), *asset_pages.handlers()]
