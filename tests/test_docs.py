"""The documents are true: generated pages fresh, links whole, both languages alike, tours run."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from scripts.make_tour import PAGES, differences
from typer.main import get_command

from wattproof.cli.app import make_app
from wattproof.metering.csvfile import read_csv
from wattproof.metering.mapping import FileMap, SeriesMap, load_map
from wattproof.metering.model import OUTCOMES, QUALITIES
from wattproof.node import ROOMS, host

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
CHINESE = ".zh.md"

BILINGUAL = {"errors.md"}
"""Generated pages that hold both languages side by side."""

HOSTS = {"127.0.0.1:8000", "c2sp.org", "www.rfc-editor.org", "example.org", "camera.local"}
"""Our own node, the standards that we build on, and names kept for examples and local nets."""


def _documents() -> list[Path]:
    return sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])


def _english() -> list[Path]:
    return [
        path
        for path in _documents()
        if not path.name.endswith(CHINESE) and path.name not in BILINGUAL
    ]


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


documents = pytest.mark.parametrize("path", _documents(), ids=_name)
english = pytest.mark.parametrize("path", _english(), ids=_name)


def _prose(path: Path) -> str:
    """The text without its code blocks."""
    return re.sub(r"^```.*?^```", "", path.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)


def _headings(path: Path) -> list[str]:
    return re.findall(r"^#+ .*", _prose(path), flags=re.MULTILINE)


def _anchors(path: Path) -> set[str]:
    """The anchors that a reader's page makes of the headings."""
    titles = (re.sub(r"^#+ ", "", heading).lower() for heading in _headings(path))
    return {re.sub(r"[^\w -]", "", title).replace(" ", "-") for title in titles}


def _links(path: Path) -> Iterator[str]:
    yield from re.findall(r"\]\(([^)\s]+)\)", _prose(path))
    yield from re.findall(r'(?:src|srcset|href)="([^"]+)"', _prose(path))


@pytest.mark.parametrize("script", ["make_transaction_docs", "make_error_docs"])
def test_generated_pages_are_fresh(script: str) -> None:
    run = subprocess.run(
        [sys.executable, "-m", f"scripts.{script}", "--check"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, f"{run.stderr}run: python -m scripts.{script}"


@documents
def test_links_lead_somewhere(path: Path) -> None:
    for link in _links(path):
        if "://" in link:
            continue
        target, _, anchor = link.partition("#")
        found = (path.parent / target).resolve() if target else path
        assert found.exists(), f"{_name(path)}: {link}"
        assert found.is_relative_to(ROOT), link
        if anchor:
            assert anchor in _anchors(found), f"{_name(path)}: {link}"


@documents
def test_no_host_is_named_but_our_own_and_those_of_standards(path: Path) -> None:
    found = set(re.findall(r"https?://([^/\s)>`\"]+)", path.read_text("utf-8")))
    assert found <= HOSTS


@english
def test_both_languages_tell_the_same(path: Path) -> None:
    twin = path.with_name(path.stem + CHINESE)
    assert twin.is_file(), f"{_name(path)} has no Chinese twin"
    levels = [[heading.split()[0] for heading in _headings(each)] for each in (path, twin)]
    assert levels[0] == levels[1]
    tables = [
        len(re.findall(r"^\|.*\|$", _prose(each), flags=re.MULTILINE)) for each in (path, twin)
    ]
    assert tables[0] == tables[1], "table rows"
    fences = [each.read_text("utf-8").count("\n```") for each in (path, twin)]
    assert fences[0] == fences[1], "code blocks"


@english
def test_each_language_links_to_the_other(path: Path) -> None:
    twin = path.with_name(path.stem + CHINESE)
    assert twin.name in set(_links(path))
    assert path.name in set(_links(twin))


@pytest.mark.parametrize("name", ["firmware.md", "firmware.zh.md"])
def test_the_firmware_example_is_the_vector(name: str) -> None:
    text = (DOCS / name).read_text("utf-8")
    vectors = json.loads((ROOT / "tests" / "vectors" / "packets.json").read_text("utf-8"))
    packets = {step["name"]: step for step in vectors["stories"][0]["packets"]}
    packet = packets["a quality for each"]
    blocks = re.findall(r"^```\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)
    shown = ["".join(re.sub(r"#.*", "", block).split()) for block in blocks]
    assert shown == [packet["payload"], packet["sig_structure"], packet["transaction"]]
    for field in ("key_seed", "id"):
        assert f"`{packet[field]}`" in text
    day = packets["a day of quarter hours"]
    for field in ("payload", "transaction"):
        assert f" {len(day[field]) // 2} " in text or f" {len(day[field]) // 2}." in text


@pytest.mark.parametrize("name", ["firmware.md", "firmware.zh.md"])
def test_the_firmware_page_names_every_outcome_and_quality(name: str) -> None:
    text = (DOCS / name).read_text("utf-8")
    rows = re.findall(r"^\| `(\w+)` \|", text, flags=re.MULTILINE)
    assert sorted(rows) == sorted(outcome.name for outcome in OUTCOMES)
    for quality in QUALITIES:
        assert re.search(rf"\b{quality.code} \w", text)


@pytest.mark.parametrize("name", ["operating.md", "operating.zh.md"])
def test_the_mapping_is_told_key_by_key(name: str) -> None:
    text = (DOCS / name).read_text("utf-8")
    tables = re.findall(r"^`\[{1,2}(?:file|series)\]{1,2}`.*?(?=^[^|\s])", text, re.DOTALL | re.M)
    told = [re.findall(r"^\| `(\w+)` \|", table, flags=re.MULTILINE) for table in tables]
    declared = [map_.__struct_fields__ for map_ in (FileMap, SeriesMap)]
    assert [sorted(keys) for keys in told] == [sorted(fields) for fields in declared]


def test_the_example_can_be_imported() -> None:
    example = DOCS / "example"
    readings = read_csv(example / "office.csv", load_map(example / "office.toml"))
    assert [series.map.meter for series in readings.series] == ["office-power", "office-gas"]


@cache
def _commands() -> dict[str, set[str]]:
    """The options of every command, by its words: ``key new``."""
    found: dict[str, set[str]] = {}

    def walk(command: Any, words: tuple[str, ...]) -> None:
        for name, inner in getattr(command, "commands", {}).items():
            walk(inner, (*words, name))
        options = {option for parameter in command.params for option in parameter.opts}
        found[" ".join(words)] = {*options, "--help"}

    walk(get_command(make_app(host(), ROOMS)), ())
    return found


@documents
def test_commands_exist(path: Path) -> None:
    """Every command that a document runs or names, with its options."""
    text = path.read_text("utf-8")
    quoted = re.findall(r"`wattproof (?!\w+ v\d)([^`\n]+)`", text)
    run = re.findall(r"^(?:\$ |\.venv/bin/)?wattproof (.+)$", text, flags=re.MULTILINE)
    for line in [*quoted, *run]:
        words = line.partition(" #")[0].split()
        named = [" ".join(words[:count]) for count in (2, 1) if not words[0].startswith("-")]
        command = next((name for name in named if name in _commands()), "")
        assert command or words[0].startswith("-"), f"{_name(path)}: no command in {line!r}"
        options = {word.partition("=")[0] for word in words if re.match("--[a-z]", word)}
        assert options <= _commands()[command], f"{_name(path)}: {line!r}"


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
@pytest.mark.parametrize("name", PAGES)
def test_the_tour_prints_what_the_page_says(name: str) -> None:
    assert differences(name) == "", "run: python -m scripts.make_tour"
