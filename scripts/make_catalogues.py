"""Brings the Chinese catalogues (``locale/zh.po``) of all rooms up to date with their texts.

Run ``python -m scripts.make_catalogues [ROOM...]`` from the root of the repository: texts that are
new get an entry without a translation, to be filled in by hand; those that are gone lose theirs.
What is still missing is listed, and the program exits 1. With ``--check`` it writes nothing.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po

__all__ = ["HEAD", "catalogue", "extracted", "faults", "packages", "rendered"]

SOURCE: Final = Path(__file__).parents[1] / "src" / "wattproof"
HEAD: Final = """\
# Chinese texts of this room's pages. The English text is the key.
# Kept by `python -m scripts.make_catalogues`.
msgid ""
msgstr ""
"Language: zh_Hans\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"

"""

Id = str | tuple[str, ...]


def packages() -> list[Path]:
    """The folders of the rooms that have texts."""
    return sorted(path.parent for path in SOURCE.rglob("templates") if path.is_dir())


def extracted(package: Path) -> dict[Id, list[str]]:
    """The texts of a room, in the order of its files, and the files in which each stands.

    A text is what a template gives to ``_`` or ``ngettext``, and code to `console.i18n.marked`.
    """
    found: dict[Id, list[str]] = {}
    for path in sorted((package / "templates").glob("*.html")):
        for text in _texts("jinja2.ext:babel_extract", path, {"_": None, "ngettext": (1, 2)}):
            found.setdefault(text, []).append(f"templates/{path.name}")
    for path in sorted(package.glob("*.py")):
        for text in _texts("python", path, {"marked": None}):
            found.setdefault(text, []).append(path.name)
    return found


def _texts(method: str, path: Path, keywords: dict[str, tuple[int, ...] | None]) -> Iterator[Id]:
    options = {"newstyle_gettext": "true", "trimmed": "false", "silent": "false"}
    with path.open("rb") as file:
        for _, text, _, _ in extract(method, file, keywords, (), options):
            yield text


def catalogue(package: Path) -> Catalog:
    """The room's catalogue as it is; an empty one where there is none."""
    path = package / "locale" / "zh.po"
    text = path.read_text(encoding="utf-8") if path.is_file() else HEAD
    return read_po(io.StringIO(text), locale="zh", abort_invalid=True)


def rendered(package: Path) -> str:
    """The catalogue as it should be: every text once, with the translation that it has."""
    present = catalogue(package)
    wanted = Catalog(locale="zh", fuzzy=False)
    for text, files in extracted(package).items():
        old = present.get(text[0] if isinstance(text, tuple) else text)
        places = [(file, 0) for file in dict.fromkeys(files)]
        wanted.add(text, old.string if old else None, locations=places)
    written = io.BytesIO()
    write_po(written, wanted, width=100, omit_header=True, include_lineno=False)
    return HEAD + written.getvalue().decode().strip("\n") + "\n"


def faults(package: Path) -> list[str]:
    """What is wrong with a room's catalogue, a line each."""
    present, texts = catalogue(package), extracted(package)
    keys = {text[0] if isinstance(text, tuple) else text for text in texts}
    found = [f"missing: {key!r}" for key in keys if present.get(key) is None]
    for message in present:
        if not message.id:
            continue
        key = message.id[0] if isinstance(message.id, tuple | list) else message.id
        if key not in keys:
            found.append(f"not used any more: {key!r}")
        found += [f"{fault}: {key!r}" for fault in _message_faults(message)]
    return sorted(found)


def _message_faults(message: Message) -> Iterator[str]:
    strings = message.string if isinstance(message.string, tuple | list) else [message.string]
    if message.fuzzy:
        yield "fuzzy"
    if not all(strings):
        yield "not translated"
    elif error := next(iter(message.check()), None):
        yield str(error)
    elif any(_placeholders(str(text)) != _placeholders(_whole(message)) for text in strings):
        yield "other placeholders"


def _whole(message: Message) -> str:
    """The text that names every placeholder: the plural, where there is one."""
    return str(message.id[-1] if isinstance(message.id, tuple | list) else message.id)


def _placeholders(text: str) -> set[str]:
    return {part.partition(")")[0] for part in text.split("%(")[1:]}


def main() -> None:
    """Write, or check, every catalogue."""
    check = "--check" in sys.argv[1:]
    rooms = [name for name in sys.argv[1:] if name != "--check"]
    failed = False
    for package in packages():
        if rooms and package.name not in rooms:
            continue
        path = package / "locale" / "zh.po"
        if not check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(rendered(package), encoding="utf-8")
        for fault in faults(package):
            failed = True
            sys.stderr.write(f"{package.name}: {fault}\n")
    raise SystemExit(failed)


if __name__ == "__main__":
    main()
