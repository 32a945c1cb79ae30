"""What a room declares, for tests that look at all of it."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter
from types import ModuleType

from wattproof.core.errors import ErrorCode
from wattproof.ledger.machine import Event

__all__ = ["codes_in", "codes_tested_under", "events_in", "fields_of_template"]

TESTS = Path(__file__).parents[1]


def codes_in(module: ModuleType) -> list[str]:
    """The error codes that a module declares."""
    return [value.code for value in vars(module).values() if isinstance(value, ErrorCode)]


def codes_tested_under(room: str) -> set[str]:
    """Everything that looks like an error code in a room's tests."""
    sources = (path.read_text("utf-8") for path in (TESTS / room).glob("test_*.py"))
    return {code for source in sources for code in re.findall(r'"([a-z_.]+)"', source)}


def events_in(module: ModuleType) -> list[type[Event]]:
    """The events that a module declares."""
    kinds = [value for value in vars(module).values() if isinstance(value, type)]
    return [kind for kind in kinds if issubclass(kind, Event) and kind is not Event]


def fields_of_template(template: str) -> set[str]:
    """The names that a template fills in."""
    return {name for _, name, _, _ in Formatter().parse(template) if name is not None}
