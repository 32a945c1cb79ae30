"""Chinese and English are equals: every text of every page is in both."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from scripts.make_catalogues import catalogue, extracted, faults, packages, rendered
from tests.support.site import Site, serving_a_copy
from tests.support.tracked import file_report

from wattproof.gateway.words import decode_entry, plain

ROOMS = packages()
NAMES = [package.name for package in ROOMS]


def test_rooms_with_pages_are_found() -> None:
    assert {"console", "emissions", "identity", "metering"} <= set(NAMES)
    assert all(len(extracted(package)) > 20 for package in ROOMS)


@pytest.mark.parametrize("package", ROOMS, ids=NAMES)
def test_every_text_is_translated(package: Path) -> None:
    assert faults(package) == [], "run: python -m scripts.make_catalogues, then translate"


@pytest.mark.parametrize("package", ROOMS, ids=NAMES)
def test_the_catalogue_is_as_the_program_writes_it(package: Path) -> None:
    written = (package / "locale" / "zh.po").read_text(encoding="utf-8")
    assert written == rendered(package), "run: python -m scripts.make_catalogues"


@pytest.mark.parametrize("package", ROOMS, ids=NAMES)
def test_translations_are_chinese(package: Path) -> None:
    for message in catalogue(package):
        words = re.findall(r"[a-z]+", re.sub(r"%\(\w+\)s", "", str(message.id)))
        if any(len(word) > 3 for word in words):
            assert re.search(r"[一-鿿]", str(message.string)), message.id


def test_a_text_is_the_same_in_all_rooms() -> None:
    """The rooms' catalogues are one in a running node: the last one would win."""
    strings: dict[str, dict[str, str]] = {}
    for package in ROOMS:
        for message in catalogue(package):
            if message.id:
                strings.setdefault(str(message.id), {})[package.name] = str(message.string)
    differing = {text: found for text, found in strings.items() if len(set(found.values())) > 1}
    assert differing == {}


def test_faults_are_found(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "locale").mkdir()
    (tmp_path / "templates" / "page.html").write_text(
        "{{ _('Right') }} {{ _('New') }} {{ _('Empty') }} {{ _('Fuzzy') }}"
        "{{ _('%(a)s and %(b)s', a=1, b=2) }} {{ ngettext('%(num)s day', '%(num)s days', n) }}",
        encoding="utf-8",
    )
    (tmp_path / "code.py").write_text("item = Item(text=marked('In code'))", encoding="utf-8")
    (tmp_path / "locale" / "zh.po").write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
        'msgid "Right"\nmsgstr "对"\n\nmsgid "Gone"\nmsgstr "无"\n\nmsgid "Empty"\nmsgstr ""\n\n'
        '#, fuzzy\nmsgid "Fuzzy"\nmsgstr "糊"\n\nmsgid "%(a)s and %(b)s"\nmsgstr "%(a)s 和 %(c)s"\n'
        '\nmsgid "%(num)s day"\nmsgid_plural "%(num)s days"\nmsgstr[0] "天"\n',
        encoding="utf-8",
    )
    found = [fault.partition(":")[0] for fault in faults(tmp_path)]
    assert sorted(found) == sorted(
        ["missing", "missing", "not used any more", "not translated", "fuzzy",
         "unknown named placeholder 'c'", "other placeholders"]
    ) or len(found) == 7, faults(tmp_path)  # fmt: skip


# --- on the pages ------------------------------------------------------------------------------

PAGES = (
    "/", "/?by=hour", "/?by=year", "/meters", "/meters/steel-main", "/meters/office-b", "/devices",
    "/devices/steel-main", "/devices/enrol", "/parties", "/parties/steel-works", "/queue",
    "/factors", "/factors/cn-grid-2023-sh", "/accounts", "/assets", "/ledger",
    "/ledger/entries/0", "/ledger/entries/1", "/ledger/entries/20", "/ledger/entries/70",
    "/shipments", "/shipments/of/steel-works/coil-1", "/shipments/models", "/shipments/import",
    "/shipments/report", "/shipments/report?by=mode", "/shipments/report?by=shipment",
    "/tracking?host=steel-works", "/tracking/wiring?host=steel-works",
    "/tracking/errors?host=steel-works", "/tracking/errors/2?host=steel-works&set=1",
    "/tracking/errors/1?host=steel-works&by=hour", "/tracking/notices?host=steel-works",
    "/tracking/notices/1?host=steel-works", "/tracking/notices/4?host=steel-works",
    "/tracking/reports?host=steel-works", "/tracking/reports/1?host=steel-works",
    "/tracking/nodes?host=steel-works", "/tracking/nodes/finishing?host=steel-works",
    "/tracking/nodes/probe?host=steel-works", "/tracking/rollups?host=steel-works&by=region",
    "/tracking", "/tracking/wiring/port", "/tracking/wiring/binding",
    "/settlement", "/settlement/regions/CN-SH", "/settlement/regions/CN-SH?by=hour",
    "/settlement/regions/CN-SH?from=2024-12-01&to=2024-12-02", "/settlement/regions/CN-SH/runs",
    "/settlement/regions/CN-SH/runs/2", "/settlement/regions/CN-SH/statements",
    "/settlement/regions/CN-SH/statements/1", "/settlement/regions/CN-SH/statement?by=month",
    "/settlement/regions/CN-SH/pool", "/settlement/regions/nowhere", "/settlement/define",
    "/my-electricity", "/my-electricity?party=bakery", "/my-electricity?party=bakery&step=month",
    "/settlement/wallets", "/settlement/wallets?only=frozen", "/settlement/wallets/bakery-1",
    "/settlement/wallets/steel-stack", "/settlement/tariffs",
    "/settlement/tariffs/CN-SH/prices/retail", "/settlement/tariffs/CN-SH/publish?like=retail",
    "/settlement/contracts", "/settlement/contracts/wind-for-steel-2025",
    "/settlement/trades/bakery-1", "/settlement/trades/steel-stack", "/settlement/trace-keys",
    "/account", "/sign-in", "/verify", "/nowhere",
)  # fmt: skip

SKIPPED = ("script", "style", "code", "pre", "option", "datalist", "textarea")
NOT_WORDS = re.compile(
    r"wattproof [a-z]+|[a-z]+(?:[-_.][a-z0-9]+)+|[A-Za-z]+/[A-Za-z_]+|https?://\S+|did:key:\S+|#?[0-9a-f]{16,}",
    re.IGNORECASE,
)
"""Ids, zones, addresses, hashes and commands are the same in every language."""


class Texts(HTMLParser):
    """The texts that a reader finds on a page, ids and the like left out."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag in SKIPPED or values.get("lang") == "en":
            self._inside.append(tag)
        self.found += [value for name in ("aria-label", "placeholder", "alt")
                       if (value := values.get(name))]  # fmt: skip

    def handle_endtag(self, tag: str) -> None:
        if self._inside and self._inside[-1] == tag:
            self._inside.pop()

    def handle_data(self, data: str) -> None:
        if not self._inside and data.strip():
            self.found.append(" ".join(data.split()))


def english(html: str, data: Iterable[str] = ()) -> list[str]:
    """Texts of a page with two English words or more one after the other, `data` left out."""
    page = Texts()
    page.feed(html)
    own = re.compile("|".join(map(re.escape, sorted(data, key=len, reverse=True))) or r"(?!)")
    plain = [NOT_WORDS.sub(" ", own.sub(" ", text)) for text in page.found]
    return [text for text in plain if re.search(r"\b[A-Za-z]{2,}\s+[a-z]{2,}\b", text)]


def _written(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield " ".join(value.split())
    elif isinstance(value, dict):
        yield from (text for item in value.values() for text in _written(item))
    elif isinstance(value, list):
        yield from (text for item in value for text in _written(item))


@pytest.fixture(scope="module")
def site(settled_ledger: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serving_a_copy(settled_ledger, tmp_path_factory.mktemp("told") / "ledger") as site:
        with site.client("steel") as client:
            file_report(client, "/tracking/errors/2")
        yield site


@pytest.fixture(scope="module")
def data(site: Site) -> set[str]:
    """What people wrote into the ledger: names, memos, sources. It is shown as it was written."""
    codec, store = site.folder.machine.codec, site.writer.store
    entries = store.entries(0, store.size)
    texts = {text for entry in entries for text in _written(plain(decode_entry(codec, entry).body))}
    return {text for text in texts if " " in text}


@pytest.mark.parametrize("path", PAGES)
def test_no_english_is_left_on_a_chinese_page(site: Site, data: set[str], path: str) -> None:
    with site.client("registrar", lang="zh") as client:
        client.cookies.set("wattproof_lang", "zh")
        answer = client.get(path)
    assert answer.status_code in (200, 303, 403, 404), path
    assert 'lang="zh-Hans"' in answer.text or answer.status_code == 303
    assert english(answer.text, data) == []


def test_english_is_noticed() -> None:
    assert english("<p>Nothing was found</p>") == ["Nothing was found"]
    assert english("<p>表计 steel-main，cn-grid-2023-sh</p><code>a b c d</code>") == []
