"""The language in which commands speak to people."""

from __future__ import annotations

import os

from wattproof.core.errors import Lang

__all__ = ["language"]


def language() -> Lang:
    """The language for people: WATTPROOF_LANG, else the locale's, else English."""
    for name in ("WATTPROOF_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(name, "")
        if value:
            return "zh" if value.lower().startswith("zh") else "en"
    return "en"
