"""Runs the tours in README.md and README.zh.md and puts their real output in place.

Every ```console block is run in order, in an empty folder with docs/example beside it: lines that
begin with ``$ `` (and go on with ``> ``) are commands, the rest is what they print. Ids differ from
run to run, so an id that a command prints is given to later commands in place of the one that stood
there. Run ``python -m scripts.make_tour`` from the root of the repository; with ``--check`` it
writes nothing and exits 1 where the output, ids and times aside, is not what the page says.
"""

from __future__ import annotations

import difflib
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

__all__ = ["PAGES", "Tour", "differences"]

ROOT: Final = Path(__file__).parents[1]
PAGES: Final = {"README.md": "en", "README.zh.md": "zh"}
ADDRESS: Final = "127.0.0.1:8000"
SERVE: Final = "wattproof serve"

BLOCK: Final = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.DOTALL | re.MULTILINE)
ID: Final = re.compile(r"\b[0-9a-f]{64}\b")
CHANGING: Final = (
    (ID, "<hash>"),
    (re.compile(r"did\S{1,5}z6Mk\w+"), "<did>"),
    (re.compile(r"\b\d+\.\d+(?= ?(?:s\b|秒))"), "<seconds>"),
    (re.compile(r'"seconds": ?[\d.]+'), "<seconds>"),
    (re.compile(r'"time_ms": ?\d+'), "<time>"),
    (re.compile(r"(?<=  )\d{4}-\d\d-\d\dT[\d:]{8}\+\d\d:\d\d$", re.MULTILINE), "<time>"),
)
"""What differs from run to run."""


class Tour:
    """One page's commands, run in a folder of their own."""

    def __init__(self, lang: str) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="wattproof-tour-"))
        shutil.copytree(ROOT / "docs" / "example", self._folder / "docs" / "example")
        self._port = _free_port()
        self._ids: dict[str, str] = {}
        self._servers: list[subprocess.Popen[str]] = []
        self._environment = {
            **{
                name: os.environ[name] for name in ("HOME", "LD_LIBRARY_PATH") if name in os.environ
            },
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "LANG": "C.UTF-8",
            "WATTPROOF_LANG": lang,
            "COLUMNS": "100",
        }

    def run(self, text: str) -> str:
        """The page with the output that its commands give now."""
        try:
            return BLOCK.sub(lambda found: self._block(found[0]), text)
        finally:
            for server in self._servers:
                server.terminate()
                server.communicate()
            shutil.rmtree(self._folder)

    def _block(self, block: str) -> str:
        lines: list[str] = []
        for shown, command, before in _commands(block):
            after = self._output(command)
            self._ids.update(zip(ID.findall(before), ID.findall(after), strict=False))
            lines += [self._replaced(shown), after]
        return "".join(lines)

    def _output(self, command: str) -> str:
        command = self._replaced(command).replace(ADDRESS, f"127.0.0.1:{self._port}")
        if command.startswith(SERVE):
            command = command.replace(SERVE, f"{SERVE} --port {self._port}").removesuffix(" &")
            printed = self._serve(command)
        else:
            printed = subprocess.run(
                ["bash", "-c", command], cwd=self._folder, env=self._environment, text=True,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
            ).stdout  # fmt: skip
        assert "Traceback" not in printed, printed
        lines = (line.rstrip() for line in printed.splitlines())
        shown = "".join(f"{line}\n" for line in lines if line)
        return shown.replace(f"127.0.0.1:{self._port}", ADDRESS)

    def _serve(self, command: str) -> str:
        """Start a node and wait for the line that says where it listens."""
        server = subprocess.Popen(
            ["bash", "-c", f"exec {command}"], cwd=self._folder, env=self._environment, text=True,
            stdout=subprocess.PIPE,
        )  # fmt: skip
        self._servers.append(server)
        assert server.stdout is not None
        return server.stdout.readline()

    def _replaced(self, text: str) -> str:
        return ID.sub(lambda found: self._ids.get(found[0], found[0]), text)


def _commands(block: str) -> Iterator[tuple[str, str, str]]:
    """Each command as it is shown, as it is run, and the output that stands under it."""
    for part in re.split(r"^(?=\$ )", block, flags=re.MULTILINE):
        lines = part.splitlines(keepends=True)
        if not lines:
            continue
        count = 1
        while count < len(lines) and lines[count].startswith("> "):
            count += 1
        shown = "".join(lines[:count])
        command = "".join(line[2:] for line in lines[:count]).rstrip("\n")
        yield shown, command, "".join(lines[count:])


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def differences(name: str) -> str:
    """Where a page's tour prints something else than the page says; empty where it does not."""
    text = (ROOT / name).read_text(encoding="utf-8")
    made = Tour(PAGES[name]).run(text)
    pair = (_settled(text).splitlines(), _settled(made).splitlines())
    return "\n".join(difflib.unified_diff(*pair, "the page", "what was printed", lineterm="", n=1))


def _settled(text: str) -> str:
    for pattern, word in CHANGING:
        text = pattern.sub(word, text)
    return text


def main() -> int:
    """Write both pages, or check them."""
    stale = 0
    for name, lang in PAGES.items():
        if sys.argv[1:] == ["--check"]:
            if found := differences(name):
                sys.stderr.write(f"{name}\n{found}\n")
                stale = 1
        else:
            text = (ROOT / name).read_text(encoding="utf-8")
            (ROOT / name).write_text(Tour(lang).run(text), encoding="utf-8")
    return stale


if __name__ == "__main__":
    sys.exit(main())
