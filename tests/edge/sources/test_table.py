"""Which module reads which kind, and where its files are."""

from __future__ import annotations

import importlib
import re
import sys
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.support.meter_lines import fails

from wattproof.core.errors import codes
from wattproof.edge.sources.table import EXTRAS, KINDS, PATHS, check_source, open_source, placed

PLACE: dict[str, Any] = {"host": "127.0.0.1", "port": 1}
SETTINGS: dict[str, dict[str, Any]] = {
    "cems": {**PLACE, "flow": {"register": 0}},
    "dlms": PLACE,
    "dlt645": {**PLACE, "address": "000000000161"},
    "file": {"path": "meter.csv", "column": "kWh"},
    "http": {"url": "http://127.0.0.1:8000/"},
    "iec62056": PLACE,
    "modbus": {**PLACE, "value": {"register": 0}},
    "mqtt": {**PLACE, "topic": "meter"},
    "pulse": {"counter": "count", "pulses_per_unit": 1, "state": "state.json"},
    "scale": {**PLACE, "state": ""},
}
"""The least that each kind needs, but for the dial, which has tests of its own."""

OURS = pytest.mark.parametrize("kind", sorted(SETTINGS))


def test_all_kinds_are_here() -> None:
    assert SETTINGS.keys() == KINDS.keys() - {"dial"}
    assert EXTRAS.keys() <= KINDS.keys()


@OURS
def test_the_least_settings_of_each_kind(kind: str) -> None:
    config = check_source({"kind": kind, **SETTINGS[kind]})
    assert msgspec.to_builtins(config)["kind"] == kind
    with fails("edge.source.settings"):
        check_source({"kind": kind, **SETTINGS[kind], "colour": "red"})


@OURS
def test_paths_are_settings(kind: str) -> None:
    module = importlib.import_module(KINDS[kind])
    assert set(PATHS.get(kind, ())) <= set(module.Config.__struct_fields__)
    assert ("state" in module.Config.__struct_fields__) == ("state" in PATHS.get(kind, ()))


def test_paths_are_put_into_the_folder() -> None:
    folder = Path("/etc/node")
    settings = {"kind": "file", "path": "m.csv", "state": "/var/s.json", "column": "path"}
    assert placed(settings, folder) == {
        "kind": "file", "path": "/etc/node/m.csv", "state": "/var/s.json", "column": "path",
    }  # fmt: skip
    pulse = {"kind": "pulse", "state": "", "pin": 3}
    assert placed(pulse, folder) == pulse
    dial = {"kind": "dial", "picture": "http://127.0.0.1:8000/x.jpg"}
    assert placed(dial, folder) == dial
    assert placed({"kind": "http", "path": "a.b"}, folder)["path"] == "a.b"


@pytest.mark.parametrize(
    ("kind", "package"),
    [
        ("modbus", "pymodbus"), ("cems", "pymodbus"), ("dlms", "dlms_cosem"), ("mqtt", "paho"),
        ("dlt645", "serial"), ("iec62056", "serial"), ("scale", "serial"), ("pulse", "gpiozero"),
    ],
)  # fmt: skip
def test_a_missing_package_is_named(
    monkeypatch: pytest.MonkeyPatch, kind: str, package: str
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    settings = {"kind": kind, **SETTINGS[kind]}
    if package == "serial":
        settings |= {"host": "", "port": 0, "serial": "/dev/ttyS0"}
    if package == "gpiozero":
        settings = {"kind": kind, "pin": 4, "pulses_per_unit": 1, "state": "state.json"}
    with fails("edge.source.not_installed"):
        open_source(settings)


PAGES = [Path(__file__).parents[3] / "docs" / name for name in ("sources.md", "sources.zh.md")]


def examples(page: Path) -> list[str]:
    return re.findall(r"^```toml\n(.*?)^```$", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_examples_of_the_page_are_right(page: Path) -> None:
    kinds = set()
    for example in examples(page):
        settings = tomllib.loads(example, parse_float=Decimal)["source"]
        check_source(settings)
        kinds.add(settings["kind"])
    assert kinds == SETTINGS.keys()


def test_both_languages_show_the_same_examples() -> None:
    first, second = (examples(page) for page in PAGES)
    assert first == second


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_codes_of_the_page_exist(page: Path) -> None:
    for kind in SETTINGS:
        importlib.import_module(KINDS[kind])
    known = {code.code for code in codes()}
    told = set(re.findall(r"`(edge\.[a-z_.]+)`", page.read_text("utf-8")))
    assert told <= known
    shared = {
        code for code in known if code.startswith(("edge.line.", "edge.frame.", "edge.value."))
    }
    assert shared <= told
