"""The house rules, held by a test: floors, pure contracts, sizes, names, and both languages."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import string
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import wattproof
from wattproof.core.errors import codes
from wattproof.ledger.machine import Event
from wattproof.ledger.transaction import Body

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "wattproof"
MODULES = {
    ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts): path
    for path in sorted(SOURCE.rglob("*.py"))
}
CODE = {name: path for name, path in MODULES.items() if not name.endswith(("__init__", "__main__"))}

MODULE_LINES = 500
FUNCTION_LINES = 60

FLOORS: tuple[set[str], ...] = (
    {"__version__"},
    {"core"},
    {"keys"},
    {"ledger", "edge"},
    {"engines", "identity", "book", "gateway", "console", "cli"},
    {"metering"},
    {"analytics"},
    {"emissions"},
    {"settlement", "certificates", "savings", "compliance"},
    {"demo"},
    {"node"},
    {"__main__"},
)
"""From the ground up; imports point down, as in section 3 of the design."""

FRAMES = {"gateway", "console", "cli"}
ON_ONE_FLOOR = {(frame, "engines") for frame in FRAMES} | {
    ("console", "gateway"),
    ("console", "cli"),
}
"""Frames use engines and build on each other; all else on one floor knows nothing of another."""

CAPABILITIES = {
    "identity", "book", "metering", "emissions", "settlement", "certificates", "savings",
    "compliance",
}  # fmt: skip
INNER_ROOMS = (".contract", ".model", ".queries")
"""The modules of a capability that know no frame; its others may hang it into the frames."""

IMPURE_IMPORTS = {
    "asyncio", "concurrent", "contextvars", "ctypes", "datetime", "http", "io", "locale",
    "multiprocessing", "numpy", "os", "pathlib", "platform", "random", "secrets", "signal",
    "socket", "sqlite3", "ssl", "subprocess", "sys", "tempfile", "threading", "time", "urllib",
    "uuid", "weakref", "zoneinfo", "httpx", "litestar",
}  # fmt: skip
IMPURE_CALLS = {
    "float", "set", "frozenset", "hash", "id", "open", "input", "print", "eval", "exec", "vars",
    "globals", "locals", "dir", "complex", "round",
}  # fmt: skip


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imported(module: str) -> frozenset[str]:
    """The names of modules that a module imports, wherever in it; the package's own in full."""
    found: set[str] = set()
    for node in ast.walk(tree(MODULES[module])):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: a relative import"
            base = node.module or ""
            inner = {f"{base}.{alias.name}" for alias in node.names}
            found |= (inner & MODULES.keys()) or {base}
            if base == "wattproof":
                found |= inner
    return frozenset(found)


def room(module: str) -> str:
    """The part of the house that a module belongs to."""
    return module.split(".")[1] if "." in module else ""


def floor(name: str) -> int:
    return next(number for number, names in enumerate(FLOORS) if name in names)


def closure(module: str) -> set[str]:
    """A module, and all of the package that it imports, directly or not."""
    found: set[str] = set()
    todo = [module]
    while todo:
        name = todo.pop()
        if name in MODULES and name not in found:
            found.add(name)
            todo += imported(name)
    return found


INNER = [name for name in MODULES if name.endswith(INNER_ROOMS) and room(name) in CAPABILITIES]
CONTRACTS = [name for name in INNER if not name.endswith(".queries")]
PURE = sorted(
    {inner for name in CONTRACTS for inner in closure(name) if room(inner) in CAPABILITIES}
)
"""Every module of a capability that a contract or a model consists of."""


@pytest.mark.parametrize("module", [m for m in MODULES if m != "wattproof.__init__"])
def test_imports_point_down(module: str) -> None:
    here = room(module)
    for name in imported(module):
        there = room(name) if name.startswith("wattproof") else ""
        hung = here in CAPABILITIES and there in FRAMES
        if there and there != here and not hung:
            assert floor(there) < floor(here) or (here, there) in ON_ONE_FLOOR, name


@pytest.mark.parametrize("module", INNER)
def test_inner_rooms_know_no_frame(module: str) -> None:
    used = {room(name) for name in closure(module)}
    assert not used & FRAMES, used
    if module in CONTRACTS:
        assert not used & {"analytics", "engines"}, used


@pytest.mark.parametrize("module", PURE)
def test_contracts_are_pure(module: str) -> None:
    roots = {name.split(".")[0] for name in imported(module)}
    assert not roots & IMPURE_IMPORTS
    found = [f"line {line}: {what}" for line, what in impurities(tree(MODULES[module]))]
    assert not found, found


def impurities(module: ast.Module) -> Iterator[tuple[int, str]]:
    """Floats, sets, and calls that look at the world, with their lines."""
    for node in ast.walk(module):
        match node:
            case ast.Constant(value=float() | complex()):
                yield node.lineno, "a float"
            case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
                yield node.lineno, "a division that gives a float"
            case ast.BinOp(op=ast.Pow(), right=ast.UnaryOp(op=ast.USub())):
                yield node.lineno, "a negative power"
            case ast.Set() | ast.SetComp():
                yield node.lineno, "a set, whose order is anyone's guess"
            case ast.Call(func=ast.Name(id=name)) if name in IMPURE_CALLS:
                yield node.lineno, name
            case ast.Global() | ast.Nonlocal() | ast.Await() | ast.AsyncFunctionDef():
                yield node.lineno, "state outside the ledger"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("x = 1 / 2", 1), ("x = 0.5", 1), ("x /= 3", 1), ("x = 10 ** -3", 1), ("x = 1j", 1),
        ("for x in {1, 2}: pass", 1), ("x = {y for y in z}", 1), ("x = set(y)", 1),
        ("x = float(y)", 1), ("x = frozenset()", 1), ("x = hash(y)", 1), ("global x", 1),
        ("x = 10 ** 3 // 2 % 5", 0), ("x = {1: 2}", 0), ("x: set[int]", 0), ("x.id", 0),
    ],
)  # fmt: skip
def test_the_lint_sees_what_it_should(text: str, found: int) -> None:
    assert len(list(impurities(ast.parse(text)))) == found


def python_files() -> list[Path]:
    folders = (ROOT / name for name in ("src", "tests", "bench", "scripts"))
    found = sorted(path for folder in folders for path in folder.rglob("*.py"))
    return [path for path in found if path.parent.name != "vectors"]  # those are tables


def test_modules_and_functions_fit_their_limits() -> None:
    too_long = []
    for path in python_files():
        name = path.relative_to(ROOT)
        if (lines := path.read_text(encoding="utf-8").count("\n")) > MODULE_LINES:
            too_long.append(f"{name}: {lines} lines")
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                if length > FUNCTION_LINES:
                    too_long.append(f"{name}: {node.name} has {length} lines")
    assert not too_long


def test_file_names_say_what_is_inside() -> None:
    empty_names = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc"}
    assert not [path for path in python_files() if path.stem in empty_names]


def isort_order(name: str) -> tuple[int, str]:
    """Constants, then classes, then functions, each by name."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


@cache
def declared(module: str) -> list[str]:
    """What a module says is public."""
    for node in tree(MODULES[module]).body:
        match node:
            case ast.Assign(targets=[ast.Name(id="__all__")], value=value):
                names: list[str] = ast.literal_eval(value)
                return names
    return []


def used_elsewhere() -> Iterator[tuple[str, str, str]]:
    """Who imports which name from which module of the package."""
    for user, path in MODULES.items():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ImportFrom) and node.module in MODULES:
                for alias in node.names:
                    yield user, node.module, alias.name


@pytest.mark.parametrize("module", CODE)
def test_what_is_public_is_declared(module: str) -> None:
    """`__all__` is there and sorted, and every name in it exists."""
    names = declared(module)
    assert names, "no __all__"
    assert names == sorted(set(names), key=isort_order)
    loaded = importlib.import_module(module)
    assert all(hasattr(loaded, name) for name in names)


def test_what_others_use_is_declared() -> None:
    missing = [
        f"{user} uses {name} of {module}"
        for user, module, name in used_elsewhere()
        if module in CODE and name not in declared(module)
    ]
    assert not missing


@pytest.mark.parametrize("module", MODULES)
def test_what_is_public_is_explained(module: str) -> None:
    found = tree(MODULES[module])
    assert ast.get_docstring(found), "the module says nothing of itself"
    missing = [name for name, node in public_parts(found, "") if not ast.get_docstring(node)]
    assert not missing


Documented = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def public_parts(parent: ast.Module | Documented, prefix: str) -> Iterator[tuple[str, Documented]]:
    """Public classes, functions and methods, with their names."""
    for node in parent.body:
        if isinstance(node, Documented) and not node.name.startswith("_"):
            yield prefix + node.name, node
            if isinstance(node, ast.ClassDef):
                yield from public_parts(node, f"{prefix}{node.name}.")


@cache
def loaded() -> None:
    """Import every module, so that all that is declared anywhere is known."""
    for info in pkgutil.walk_packages(wattproof.__path__, "wattproof."):
        if not info.name.endswith("__main__"):
            importlib.import_module(info.name)


def placeholders(template: str) -> set[str]:
    """The fields of a template; a field in one language alone has its twin in the other."""
    fields = {field for _, field, _, _ in string.Formatter().parse(template) if field is not None}
    return {field.removesuffix("_zh") for field in fields}


def untranslated(en: str, zh: str) -> str:
    """What is wrong with a pair of sentences; nothing if it is well."""
    if not en or not re.search("[\u4e00-\u9fff]", zh) or re.search("[\u4e00-\u9fff]", en):
        return "not in both languages"
    return "" if placeholders(en) == placeholders(zh) else "other fields in the other language"


def subclasses(kind: type[Any]) -> Iterator[type[Any]]:
    sub: type[Any]
    for sub in kind.__subclasses__():
        yield sub
        yield from subclasses(sub)


def declared_sentences() -> dict[str, tuple[str, str]]:
    """Every error, event and transaction type of the package, with its two sentences."""
    loaded()
    found = {code.code: (code.en, code.zh) for code in codes()}
    for kind in (*subclasses(Event), *subclasses(Body)):
        if kind.__module__.startswith("wattproof."):
            said = getattr(kind, "spec", kind)
            found[f"{kind.__module__}.{kind.__name__}"] = (said.en, said.zh)
    return found


def test_everything_is_said_in_both_languages() -> None:
    found = declared_sentences()
    wrong = {name: why for name, pair in found.items() if (why := untranslated(*pair))}
    assert not wrong
    assert len(found) > 150


def test_events_name_their_own_fields() -> None:
    loaded()
    for kind in subclasses(Event):
        if kind.__module__.startswith("wattproof."):
            assert issubclass(kind, Event)
            used = placeholders(kind.en) | placeholders(kind.zh)
            assert used <= set(kind.__struct_fields__), kind


def test_codes_have_one_form() -> None:
    loaded()
    odd = [
        code.code for code in codes() if not re.fullmatch(r"[a-z0-9_]+(\.[a-z0-9_]+)+", code.code)
    ]
    assert not odd
