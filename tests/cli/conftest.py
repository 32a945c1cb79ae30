"""Commands run in this process, as the console script runs them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wattproof.cli.app import make_app, run
from wattproof.cli.host import Opening
from wattproof.engines.folder import LedgerFolder
from wattproof.node import ROOMS, create_ledger, host, machine


class Ran:
    """What a command answered."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Command = Callable[..., Ran]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run one command line; `lang` is the language for people."""

    def call(*arguments: object, lang: str = "en") -> Ran:
        monkeypatch.setenv("WATTPROOF_LANG", lang)
        monkeypatch.delenv("WATTPROOF_PASSPHRASE", raising=False)
        capsys.readouterr()
        code: object = 0
        try:
            run(make_app(host(), ROOMS), [str(argument) for argument in arguments])
        except SystemExit as end:
            code = end.code or 0
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        assert isinstance(code, int), code
        return Ran(code, captured.out, captured.err)

    return call


@pytest.fixture
def ledger(tmp_path: Path) -> LedgerFolder:
    """A new ledger with its consortium and the packaged factors."""
    folder = LedgerFolder(tmp_path / "ledger", machine())
    create_ledger(folder, Opening(name="test", organisation="Test", uscc="", zone="UTC"))
    return folder
