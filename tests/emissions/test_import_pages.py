"""The import pages: a file, its mapping, what it says, and its way onto the ledger, once."""

from __future__ import annotations

import re
import time
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from tests.support.chromium import PHONE, Opener
from tests.support.maps import STEEL
from tests.support.real_data import data_file
from tests.support.site import Client, Site

from wattproof.console.users import Users
from wattproof.emissions.import_drafts import FOLDER
from wattproof.emissions.import_upload import MAX_FILE_BYTES
from wattproof.emissions.import_work import ImportWork
from wattproof.engines.embedded import EmbeddedEngine
from wattproof.identity.queries import device
from wattproof.metering.queries import stream_of

IMPORTER = "importer"
STEEL_FILE = "steel_industry_kr_2018_15min.csv"
UNCONFIRMED = "cn-grid-2022-national-residual"


def readings(meter_values: list[str], *, name: str = "kWh") -> str:
    rows = [f"2023-05-{1 + at // 24:02}T{at % 24:02}:00,{value}\n"
            for at, value in enumerate(meter_values)]  # fmt: skip
    return f"time,{name}\n" + "".join(rows)


def with_importers(site: Site, *logins: str, own_key: bool = False) -> Site:
    """The site with accounts of its importing party."""
    with site.users() as users:
        for login in logins or (IMPORTER,):
            add_importer(users, site, login, own_key=own_key)
    return site


def add_importer(users: Users, site: Site, login: str, *, own_key: bool) -> None:
    if login not in [user.login for user in users.logins()]:
        key = None if own_key else site.key_of(IMPORTER)
        users.add(login, password=site.password, party=IMPORTER, lang="en", key=key)


@pytest.fixture(scope="module")
def importers(site: Site) -> Site:
    """The shared site, with accounts that import."""
    return with_importers(site, IMPORTER, "second")


def choose(page: Page, file: Path) -> None:
    page.goto("/import")
    page.get_by_label("CSV file").set_input_files(str(file))
    page.get_by_role("button", name="Upload, and look at it").click()


def uploaded(client: Client, text: str | bytes, name: str = "file.csv") -> httpx.Response:
    data = text.encode() if isinstance(text, str) else text
    return client.post("/import", data={"csrf": client.csrf}, files={"file": (name, data)})


def draft_of(client: Client, text: str) -> str:
    """The address of an upload's draft."""
    answer = uploaded(client, text)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].removesuffix("/mapping")


def mapped(client: Client, text: str, meter: str, **fields: str) -> str:
    """The address of a draft whose file was read with the proposed mapping."""
    path = draft_of(client, text)
    answer = sent_mapping(client, path, **{"c1.meter": meter, **fields})
    assert answer.status_code == 303, answer.text
    return path


def sent_mapping(client: Client, path: str, **changed: str) -> httpx.Response:
    """Send the mapping's form as it stands, with some fields changed."""
    html = client.page(f"{path}/mapping").partition('<form method="post" action="/import/')[2]
    fields = dict(re.findall(r'<input class="form-control[^>]* name="([^"]+)"[^>]* value="([^"]*)"',
                             html))  # fmt: skip
    for name, options in re.findall(r'<select [^>]*name="([^"]+)"[^>]*>(.*?)</select>', html, re.S):
        chosen = re.search(r'value="([^"]*)" selected', options)
        fields[name] = chosen[1] if chosen else ""
    fields |= dict.fromkeys(re.findall(r'name="([^"]+)" value="yes" checked', html), "yes")
    return client.form(f"{path}/mapping", **{**fields, **changed})


def ended(client: Client, path: str) -> str:
    """The page of a draft once nothing is at work on it."""
    deadline = time.monotonic() + 30
    while "progress" in (text := client.page(path)):
        assert time.monotonic() < deadline, text
        time.sleep(0.05)
    return text


def good_to_everyone(page: Page) -> None:
    """Nothing that axe-core finds, nothing wider than the screen."""
    found = Axe().run(page).response["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def total_of(site: Site, meter: str) -> int:
    stream = stream_of(site.writer.store, meter)
    return 0 if stream is None else stream.total


def test_the_steel_plant_in_a_browser(open_page: Opener, fresh_site: Site) -> None:
    site = with_importers(fresh_site)
    page = open_page(IMPORTER, url=site.url)
    page.get_by_role("link", name="Import", exact=True).click()
    size = site.size
    choose(page, data_file(STEEL_FILE))
    expect(page.get_by_label("How it is written")).to_have_value("%d/%m/%Y %H:%M")
    expect(page.get_by_label("0:00 is")).to_have_value("end")
    page.get_by_label("Time zone", exact=True).fill("Asia/Seoul")
    page.locator("[name='c1.meter']").fill("steel-2018")
    page.locator("[name='c1.factor']").fill(UNCONFIRMED)
    page.locator("[name='c1.region']").fill("KR")
    page.locator("[name='c4.meter']").fill("steel-2018-co2")
    page.get_by_role("button", name="Read the whole file with this", exact=True).click()
    main = page.locator("main")
    expect(main).to_contain_text("35,040 rows were read")
    expect(main).to_contain_text("959.63671 MWh")
    expect(main).to_contain_text("403.81 t")
    expect(main).to_contain_text("1 Jan 2018, 00:00 – 1 Jan 2019, 00:00")
    expect(page.locator("tr", has_text="metering.packet v1").locator(".num")).to_have_text("730")
    expect(page.locator("tfoot")).to_contain_text("738")
    assert site.size == size
    good_to_everyone(page)
    page.get_by_role("button", name="Sign and import").click()  # the tick is needed
    assert site.size == size
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Sign and import").dblclick()
    expect(page.get_by_role("heading", level=1)).to_have_text("The file is imported")
    expect(main).to_contain_text("738 transactions were added")
    good_to_everyone(page)
    assert site.size == size + 738
    assert (total_of(site, "steel-2018"), total_of(site, "steel-2018-co2")) == (
        959_636_710,
        403_810_000,
    )
    found = device(site.writer.store, "steel-2018")
    assert (found.owner, found.zone, found.region, found.imported) == (
        IMPORTER,
        "Asia/Seoul",
        "KR",
        True,
    )
    page.go_back()
    page.goto(page.url)
    expect(page.get_by_role("heading", level=1)).to_have_text("The file is imported")
    page.get_by_role("link", name="steel-2018", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("steel-2018")
    assert site.size == size + 738
    assert not list((site.folder.path / FOLDER).rglob("readings.csv"))


def test_a_bad_file_in_chinese_on_a_phone(
    open_page: Opener, importers: Site, tmp_path: Path
) -> None:
    size = importers.size
    page = open_page(IMPORTER, size=PHONE)
    page.locator("button[name=lang][value=zh]").click()
    (tmp_path / "坏.csv").write_text(readings(["1", "x", "3", "-4", "5"], name="电量 kWh"))
    page.goto("/import")
    page.get_by_label("CSV 文件").set_input_files(str(tmp_path / "坏.csv"))
    page.get_by_role("button", name="上传并查看").click()
    page.locator("[name='c1.quantity']").fill("牛")
    page.get_by_role("button", name="按此读取整个文件").click()
    expect(page.locator("[id='w-c1.quantity']")).to_contain_text("“牛”不是可用的量")
    good_to_everyone(page)
    page.locator("[name='c1.quantity']").fill("electricity")
    page.get_by_role("button", name="按此读取整个文件").click()
    rows = page.locator("main tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("“x”不是十进制数。")
    expect(rows.first.locator("td").first).to_have_text("3")
    expect(rows.last).to_contain_text("“-4”小于零。")
    expect(page.get_by_role("button", name="签名并导入")).to_have_count(0)
    good_to_everyone(page)
    page.locator("button[name=lang][value=en]").click()
    expect(rows.first).to_contain_text("'x' is not a decimal number.")
    assert importers.size == size


def test_without_javascript_and_with_a_mapping_of_ones_own(
    open_page: Opener, importers: Site
) -> None:
    page = open_page(IMPORTER, java_script_enabled=False)
    choose(page, data_file(STEEL_FILE))
    page.goto(page.url)
    text = page.locator("textarea[name=toml]")
    page.locator("summary", has_text="M.toml").click()
    text.fill(STEEL.replace("steel-main", "pasted").replace('kWh"\nkind', 'm3"\nkind'))
    page.get_by_role("button", name="Read the whole file with this mapping").click()
    expect(page.locator("#w-toml")).to_contain_text("series[1].unit")
    text.fill(STEEL.replace("steel-main", "pasted"))
    page.get_by_role("button", name="Read the whole file with this mapping").click()
    expect(page.locator("main")).to_contain_text("959.63671 MWh", timeout=30_000)
    address = page.get_by_role("link", name="Download the mapping").get_attribute("href")
    got = page.request.get(f"{importers.url}{address}").text()
    assert 'meter = "pasted"' in got and 'factor = "cn-grid-2022-national"' in got
    page.get_by_role("link", name="Change the mapping").click()
    expect(page.locator("[name='c1.meter']")).to_have_value("pasted")
    expect(page.locator("[name='c4.take']")).to_be_checked()


def test_only_importing_parties_and_only_their_own(importers: Site) -> None:
    with importers.client(IMPORTER) as mine, importers.client("second") as other:
        path = draft_of(mine, readings(["1", "2", "3"]))
        draft = path.rpartition("/")[2]
        assert draft in mine.page("/import") and draft not in other.page("/import")
        for tail in ("", "/mapping", "/progress", "/mapping.toml"):
            assert other.get(path + tail).status_code == 404, tail
        for tail in ("/mapping", "/mapping/text", "/run", "/remove"):
            assert other.form(path + tail).status_code == 404, tail
        assert mine.get("/import/..%2f..").status_code == 404
        assert mine.get(path + "/mapping").status_code == 200
    with importers.client("steel") as steel:
        assert "import.role" in steel.page("/import", status=403)
        assert uploaded(steel, readings(["1"])).status_code == 403
        assert steel.get(path).status_code == 403
        assert ">Import<" not in steel.page("/ledger")
    with importers.client() as nobody:
        assert nobody.get("/import").status_code == 401


def test_what_is_wrong_with_an_upload(importers: Site) -> None:
    with importers.client(IMPORTER) as client:
        forged = client.post("/import", data={"csrf": "x"}, files={"file": ("f.csv", b"a,b\n")})
        assert (forged.status_code, "console.form" in forged.text) == (403, True)
        late = client.post("/import", files={"file": ("f.csv", b"a,b\n1,2\n")})
        assert late.status_code == 403
        for data, code, status in (
            (b"", "import.upload_empty", 400),
            (b"%PDF-1.7 \0\0", "import.no_table", 400),
            (b"a,b\n" * (MAX_FILE_BYTES // 4 + 1), "import.upload_size", 413),
        ):
            answer = uploaded(client, data)
            assert (answer.status_code, code in answer.text) == (status, True), code
        broken = client.post(
            "/import",
            content=b"--x\r\nContent-Disposition: form-data; name=csrf\r\n\r\nabc",
            headers={"Content-Type": "multipart/form-data; boundary=x"},
        )
        assert (broken.status_code, "import.upload_broken" in broken.text) == (400, True)
    assert not list((importers.folder.path / FOLDER).glob("*.partial"))


def test_the_ledger_may_refuse_a_preview(importers: Site) -> None:
    size = importers.size
    with importers.client(IMPORTER) as client:
        path = mapped(client, readings(["1", "2", "3"]), "office-a")
        text = ended(client, path)
        assert "import.meter_differs" in text and "/run" not in text
        assert client.form(f"{path}/run").status_code == 409
        path = mapped(client, readings(["1", "2", "3"]), "m-f", **{"c1.factor": "cn-heat-default"})
        assert "emissions.mismatch" in ended(client, path)
        assert client.form(f"{path}/remove").headers["location"] == "/import"
        assert client.get(path).status_code == 404
    assert importers.size == size


def test_twice_is_once(importers: Site) -> None:
    text = readings([str(at % 7) for at in range(300)])
    with importers.client(IMPORTER) as client:
        path = mapped(client, text, "twice")
        assert "register" not in ended(client, path)
        before = importers.size
        for _ in range(3):
            assert client.form(f"{path}/run").status_code == 303
        assert "The file is imported" in ended(client, path)
        added = importers.size - before
        assert client.form(f"{path}/run").status_code == 303
        assert client.get(f"{path}/mapping").status_code == 409
        assert "The file is imported" in ended(client, path)
        again = mapped(client, text, "twice")
        assert "all of it is in the ledger already" in ended(client, again)
        assert importers.size == before + added
    assert total_of(importers, "twice") == sum(at % 7 for at in range(300)) * 1000


def test_a_changed_ledger_is_looked_at_again(importers: Site) -> None:
    short, long = readings(["7"] * 40), readings(["7"] * 60)
    with importers.client(IMPORTER) as client, importers.client("second") as other:
        mine = mapped(client, long, "moved")
        ended(client, mine)
        theirs = mapped(other, short, "moved")
        ended(other, theirs)
        other.form(f"{theirs}/run")
        assert "The file is imported" in ended(other, theirs)
        client.form(f"{mine}/run")
        text = ended(client, mine)
        assert "import.changed" in text
        assert total_of(importers, "moved") == 40 * 7000
        client.form(f"{mine}/run")
        assert "The file is imported" in ended(client, mine)
    assert total_of(importers, "moved") == 60 * 7000


def test_keys_that_are_kept_elsewhere(importers: Site) -> None:
    with_importers(importers, "keyless", own_key=True)
    with importers.client("keyless") as client:
        assert "import.own_key" not in client.page("/import")
        assert "Your signing key is not kept here" in client.page("/import")
        path = mapped(client, readings(["1", "2"]), "elsewhere")
        text = ended(client, path)
        assert "2 rows were read" in text and "Sign and import" not in text
        refused = client.form(f"{path}/run")
        assert (refused.status_code, "import.own_key" in refused.text) == (409, True)
        assert 'meter = "elsewhere"' in client.get(f"{path}/mapping.toml").text


def test_a_restart_in_the_middle(fresh_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site = with_importers(fresh_site)
    text = readings(["1.5"] * 24 * 28)
    submit_many = EmbeddedEngine.submit_many

    def slowly(self: EmbeddedEngine, raws: list[bytes]) -> object:
        time.sleep(0.4)
        return submit_many(self, raws)

    with site.client(IMPORTER) as client:
        path = mapped(client, text, "restarted")
        ended(client, path)
        monkeypatch.setattr("wattproof.emissions.intake.BATCH", 2)
        monkeypatch.setattr(EmbeddedEngine, "submit_many", slowly)
        before = site.size
        client.form(f"{path}/run")
        while site.size == before:
            time.sleep(0.02)
        assert "transactions are in the ledger" in client.page(f"{path}/progress")
        site.stop()
        monkeypatch.undo()
        site.start()
        cut = site.size
        assert before < cut < before + 10
        page = client.page(path)
        assert "The node was stopped while it imported this file." in page
        assert client.get(f"{path}/progress").headers["hx-refresh"] == "true"
        client.form(f"{path}/run")
        assert "The file is imported" in ended(client, path)
    assert total_of(site, "restarted") == 24 * 28 * 1500
    assert site.size == before + 3 + 7


def test_a_restart_while_a_file_is_read(fresh_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site = with_importers(fresh_site)
    with site.client(IMPORTER) as client:
        path = draft_of(client, readings(["1"] * 30))
        monkeypatch.setattr(ImportWork, "_work", lambda *_: None)  # cut before it begins
        sent_mapping(client, path, **{"c1.meter": "read-late"})
        monkeypatch.undo()
        site.stop()
        site.start()
        assert "30 rows were read" in ended(client, path)
