"""Makes docs/images/console: the main pages over the demonstration's ledger, in both languages.

Run ``python -m scripts.make_screenshots`` from the root of the repository, with names of pictures
after it for those alone. It tells the demonstration into a folder of its own, serves it, and visits
it with the system's Chromium in a window of a fixed size, with nothing moving. Keys and times
differ from run to run, so pictures that are made again differ too.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from playwright.sync_api import Page
from tests.support.chromium import PHONE, Chromium, chromium_path, sign_in
from tests.support.site import LOGINS, PASSWORD, Site, copied, make_settled_ledger

from wattproof.console.cli import USERS_FILE
from wattproof.console.users import Users
from wattproof.core.errors import Lang
from wattproof.demo.plant import MILL
from wattproof.engines.folder import LedgerFolder
from wattproof.identity.model import EnrolDevice
from wattproof.keys.ed25519 import SigningKey
from wattproof.keys.passphrase import LOWEST
from wattproof.ledger.transaction import sign_transaction
from wattproof.node import machine
from wattproof.settlement.trade_queries import trades_of

__all__ = ["MOST_BYTES", "SHOTS", "Shot"]

FOLDER: Final = Path(__file__).parents[1] / "docs" / "images" / "console"
EXAMPLE: Final = Path(__file__).parents[1] / "docs" / "example"
WINDOW: Final = (1280, 760)
MOST_BYTES: Final = 160_000
LOCALES: Final[Mapping[Lang, str]] = {"en": "en-GB", "zh": "zh-CN"}

MILL_LOGIN: Final = "mill"
NEW_METER: Final = "office-heat"
"""A device of the office park that has enrolled and waits to be authenticated."""
PACKET: Final = "(packet)"
NEWEST_TRADE: Final = "(trade)"
"""Stand for pages whose addresses differ from ledger to ledger."""
PACKET_OF: Final = "office-a"
"""A meter whose first packet is looked at."""
TRADE_OF: Final = "steel-main"
"""A meter whose newest trade is looked at."""


@dataclass(frozen=True)
class Shot:
    """One picture: who looks, at what, and what is done on the page before it is taken."""

    name: str
    login: str
    path: str
    prepare: Callable[[Page], None] = lambda _page: None
    size: tuple[int, int] = WINDOW
    dark: bool = False


def _authenticate(page: Page) -> None:
    """Fill the form in and go on to what will be signed."""
    page.locator("input[name=evidence]").fill("5e" * 32)
    page.locator("#authenticate form button").click()
    page.wait_for_url("**/sign/*")


def _import(page: Page) -> None:
    """Upload the example, say with its mapping what its columns mean, and see what was found."""
    page.locator("input[name=file]").set_input_files(str(EXAMPLE / "office.csv"))
    page.locator("main form button").first.click()
    page.wait_for_url("**/mapping")
    path = page.url.removesuffix("/mapping")
    page.locator("details:has(textarea[name=toml]) summary").click()
    page.locator("textarea[name=toml]").fill((EXAMPLE / "office.toml").read_text("utf-8"))
    page.locator("form:has(textarea[name=toml]) button").click()
    page.wait_for_url(path)
    page.wait_for_selector("main table")


def _prove(page: Page, change: Callable[[str], str]) -> None:
    """Take the proof of an entry and have it checked after `change`."""
    link = page.locator("a[href$='/proof']").get_attribute("href")
    proof = page.request.get(str(link)).text()
    page.goto("/verify")
    page.set_input_files(
        "#verify-file",
        {
            "name": "packet.proof.json",
            "mimeType": "application/json",
            "buffer": change(proof).encode(),
        },
    )
    page.wait_for_selector('#verify:is([data-state="ok"], [data-state="wrong"])')
    page.locator("#verify-verdict").evaluate("one => window.scrollTo(0, one.offsetTop - 16)")


def _prove_right(page: Page) -> None:
    _prove(page, lambda proof: proof)


def _prove_wrong(page: Page) -> None:
    _prove(page, lambda proof: proof.replace('"height":', '"height":1'))


SHOTS: Final = (
    Shot("overview", "registrar", "/", size=(1280, 1020)),
    Shot("overview-dark", "registrar", "/", size=(1280, 1020), dark=True),
    Shot("overview-phone", "offices", "/", size=PHONE),
    Shot("meter", "offices", "/meters/office-b", size=(1280, 1020)),
    Shot("device", "metering", f"/devices/{NEW_METER}"),
    Shot("queue", "metering", "/queue"),
    Shot("sign", "metering", f"/devices/{NEW_METER}", _authenticate),
    Shot("entry", "registrar", PACKET),
    Shot("factors", "offices", "/factors"),
    Shot("import", "readings", "/import", _import, size=(1280, 900)),
    Shot("wiring", MILL_LOGIN, "/tracking/wiring", size=(1280, 1020)),
    Shot("errors", MILL_LOGIN, "/tracking/errors/2", size=(1280, 900)),
    Shot("interrupt", MILL_LOGIN, "/tracking/notices/1", size=(1280, 900)),
    Shot("shipments", "steel", "/shipments", size=(1280, 900)),
    Shot("region", "grid", "/settlement/regions/CN-SH", size=(1280, 1100)),
    Shot("statement", "grid", "/settlement/regions/CN-SH/statements/1", size=(1280, 1000)),
    Shot("bill", "steel", NEWEST_TRADE, size=(1280, 1020)),
    Shot("electricity-phone", "offices", "/my-electricity", size=PHONE),
    Shot("day-phone", "citizen", "/my-day", size=PHONE),
    Shot("verify", "registrar", PACKET, _prove_right, size=(1060, 740)),
    Shot("verify-wrong", "registrar", PACKET, _prove_wrong, size=(1060, 740)),
)  # fmt: skip
"""All pictures."""


def _prepared(folder: Path) -> Site:
    """The demonstration's ledger, served, with one more device that waits."""
    make_settled_ledger(folder / "told")
    _add_mill(folder / "told")
    site = copied(folder / "told", folder / "served")
    site.start()
    body = EnrolDevice(
        id=NEW_METER, owner="offices", quantity="heat.import", zone="Asia/Shanghai",
        maker="Example meters", model="H1", serial="0001",
    )  # fmt: skip
    raw = sign_transaction(body, SigningKey.generate(), ledger_id=site.writer.ledger_id)
    site.writer.engine.submit_many([raw])
    return site


def _add_mill(path: Path) -> None:
    """An account that acts for the demonstration's rolling mill."""
    folder = LedgerFolder(path, machine())
    users = Users(path / USERS_FILE, cost=LOWEST)
    with folder.keys() as keys:
        key = keys.get(MILL.owner)
        users.add(MILL_LOGIN, password=PASSWORD, party=MILL.owner, lang="en", key=key)
    users.close()


def _take(chromium: Chromium, site: Site, shot: Shot, lang: Lang) -> bytes:
    watched = chromium.open(
        site.url,
        locale=LOCALES[lang],
        size=shot.size,
        color_scheme="dark" if shot.dark else "light",
    )
    page = watched.page
    cookies = {"wattproof_lang": lang, "wattproof_tour": "seen"}
    page.context.add_cookies(
        [{"name": name, "value": value, "url": site.url} for name, value in cookies.items()]
    )
    sign_in(page, shot.login, PASSWORD)
    page.goto(_address(site, shot.path))
    shot.prepare(page)
    page.wait_for_function(
        "() => [...document.querySelectorAll('[data-chart]')].every((one) => one.dataset.drawn)"
    )
    page.evaluate("document.fonts.ready")
    picture = page.screenshot(animations="disabled", caret="hide")
    watched.close()
    return picture


def _address(site: Site, path: str) -> str:
    """Where a page is on this ledger."""
    if path == PACKET:
        return f"/ledger/entries/{site.first_packet(PACKET_OF)}"
    if path == NEWEST_TRADE:
        (trade,) = trades_of(site.writer.store, TRADE_OF, limit=1)
        return f"/settlement/trades/{TRADE_OF}/{trade.id}"
    return path


def _file(shot: Shot, lang: Lang) -> Path:
    return FOLDER / f"{shot.name}{'.zh' if lang == 'zh' else ''}.png"


def main(names: list[str]) -> int:
    """Make the pictures of these names, or all. The exit code."""
    known = {shot.name for shot in SHOTS}
    path, logins = chromium_path(), {*LOGINS, MILL_LOGIN}
    if path is None or not set(names) <= known or not logins >= {one.login for one in SHOTS}:
        sys.stderr.write(f"needs Chromium; the pictures are: {', '.join(sorted(known))}\n")
        return 2
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="wattproof-pictures-") as folder:
        site = _prepared(Path(folder))
        try:
            with Chromium(path) as chromium:
                for shot in SHOTS:
                    for lang in LOCALES:
                        if not names or shot.name in names:
                            picture = _take(chromium, site, shot, lang)
                            _file(shot, lang).write_bytes(picture)
                            sys.stdout.write(f"{_file(shot, lang).name}: {len(picture)} bytes\n")
        finally:
            site.stop()
    large = [path.name for path in FOLDER.glob("*.png") if path.stat().st_size > MOST_BYTES]
    if large:
        sys.stderr.write(f"larger than {MOST_BYTES} bytes: {', '.join(large)}\n")
    return 1 if large else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
