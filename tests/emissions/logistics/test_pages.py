"""Logistics in a real browser: defining, handing in a file, one shipment, the report."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect
from tests.emissions.logistics.files import POINTS, SMALL, TRACKED_MAP
from tests.support.chromium import PHONE, Chromium, Opener
from tests.support.paths import fits, go_on, in_chinese, refused_at, sign
from tests.support.site import Site

from wattproof.emissions.logistics.model import PRODUCTS, SHIPMENTS, VEHICLES

UNSURE = "cn-gbt51366-truck-diesel-8t-tkm-ttw"


def drawn(page: Page, title: str) -> None:
    expect(page.get_by_role("img", name=title)).to_have_attribute("data-drawn", "true")


def hand_in(page: Page, folder: Path, *, records: str, points: str = "", mapping: str) -> None:
    page.goto("/shipments/import")
    file = folder / "out.csv"
    file.write_text(records, encoding="utf-8")
    page.locator("#f-file").set_input_files(file)
    if points:
        tracking = folder / "points.csv"
        tracking.write_text(points, encoding="utf-8")
        page.locator("#f-tracking").set_input_files(tracking)
    page.locator("#f-mapping").fill(mapping)
    page.locator("main form button").click()


def test_a_shipper_defines_a_product_and_a_vehicle(site: Site, open_page: Opener) -> None:
    page = open_page("offices")
    page.get_by_role("link", name="Logistics").click()
    page.get_by_role("link", name="Products and vehicles").click()
    page.get_by_text("Define a product").click()
    form = page.locator("#product")
    form.get_by_label("Id").fill("desk chair")
    form.get_by_label("Emission of a unit on its way").fill("0.000012")
    go_on(form)
    refused_at(form, "id", "core.id")
    form.get_by_label("Id").fill("chair")
    form.get_by_label("Emission of a unit on its way").fill("0.0000000012")
    go_on(form)
    refused_at(form, "value", "emissions.factor_inexact")
    form.get_by_label("Emission of a unit on its way").fill("0.000012")
    go_on(form)
    sign(page, "Define a product", "chair", "12")
    found = site.writer.store.get(PRODUCTS, "offices", "chair", 1)
    assert found is not None and (found.value_ug, found.scope) == (12, "ttw")

    page.goto("/shipments/models")
    expect(page.get_by_text("0.000012 kgCO2e/km")).to_be_visible()
    page.get_by_text("Define a vehicle class").click()
    form = page.locator("#vehicle")
    form.get_by_label("Id").fill("truck")
    form.get_by_label("Factor of the ledger").fill("no-such-factor")
    go_on(form)
    refused_at(form, "factor", "emissions.factor_unknown")
    form.get_by_label("Factor of the ledger").fill("cn-grid-2023-sh")
    go_on(form)
    refused_at(form, "factor", "emissions.vehicle.mismatch")
    form.get_by_label("Factor of the ledger").fill(UNSURE)
    go_on(form)
    expect(form).to_contain_text("shipments.unconfirmed")
    form.get_by_label("Use it even if it is not confirmed").check()
    go_on(form)
    sign(page, "Define a class of vehicles", "truck", UNSURE)
    truck = site.writer.store.get(VEHICLES, "offices", "truck", 1)
    assert truck is not None and (truck.quantity, truck.value_ug) == ("freight", 179_000)
    page.goto("/shipments/models")
    expect(page.get_by_role("row", name="truck")).to_contain_text("unconfirmed")


def test_a_vehicle_with_a_value_of_its_own(site: Site, open_page: Opener) -> None:
    page = open_page("offices")
    page.goto("/shipments/models")
    page.get_by_text("Define a vehicle class").click()
    form = page.locator("#vehicle")
    form.get_by_label("Id").fill("bike")
    go_on(form)
    refused_at(form, "value", "emissions.vehicle.factor")
    form.get_by_label("Your own value", exact=True).fill("0.005")
    form.get_by_label("Scope").select_option("wtw")
    go_on(form)
    sign(page, "bike")
    bike = site.writer.store.get(VEHICLES, "offices", "bike", 1)
    assert bike is not None and (bike.value_ug, bike.set, bike.scope) == (5000, "own", "wtw")


def test_a_file_is_looked_at_before_it_is_signed(
    site: Site, open_page: Opener, tmp_path: Path
) -> None:
    page = open_page("grid")
    hand_in(page, tmp_path, records=SMALL, points=POINTS, mapping="[columns]")
    expect(page.get_by_role("alert")).to_contain_text("import.map_missing_key")
    expect(page.locator("#f-mapping")).to_have_value("[columns]")
    hand_in(page, tmp_path, records=SMALL, points=POINTS, mapping=TRACKED_MAP)
    page.wait_for_url("**/shipments/import/*")
    main = page.locator("main")
    expect(main).to_contain_text("214.403 kg")
    for text in ("heavy", "2 November", "jane@example.org", "shipments.twice_in_file"):
        expect(main).to_contain_text(text)
    assert site.writer.store.get(SHIPMENTS, "grid", "a-1") is None
    page.get_by_role("button", name="Sign 1 shipment").dblclick()
    expect(main).to_contain_text("1 shipment is in the ledger now")
    found = site.writer.store.get(SHIPMENTS, "grid", "a-1")
    assert found is not None and found.emission_g == 214_403
    hand_in(page, tmp_path, records=SMALL, points=POINTS, mapping=TRACKED_MAP)
    expect(main).to_contain_text("There is nothing new to sign")

    page.goto("/shipments")
    page.get_by_role("link", name="a-1").click()
    expect(main).to_contain_text("556.675 km")
    expect(main).to_contain_text("along tracking points")
    expect(main).to_contain_text(found.points.hex())
    page.get_by_role("link", name=f"#{found.entry}").click()
    expect(main).to_contain_text("Shipment a-1 of grid emitted 214,403 g")


def test_a_factor_that_is_not_confirmed_takes_a_yes(open_page: Opener, tmp_path: Path) -> None:
    page = open_page("grid")
    mapping = TRACKED_MAP.partition("[tracking]")[0].replace(
        "uk-2025-hgv-artic-33t-plus-tkm-ttw", UNSURE
    )
    hand_in(page, tmp_path, records=SMALL.replace("a-1", "u-1"), mapping=mapping)
    page.wait_for_url("**/shipments/import/*")
    page.evaluate("document.querySelector('[name=agreed]').required = false")
    page.get_by_role("button", name="Sign 1 shipment").click()
    expect(page.get_by_role("alert")).to_contain_text("shipments.not_agreed")
    page.get_by_label("I know that these factors are not confirmed").check()
    page.get_by_role("button", name="Sign 1 shipment").click()
    expect(page.locator("main")).to_contain_text("1 shipment is in the ledger now")
    page.goto("/shipments/of/grid/u-1")
    expect(page.locator("main")).to_contain_text("unconfirmed")


def test_who_keeps_their_own_key_is_told(site: Site, open_page: Opener, tmp_path: Path) -> None:
    page = open_page("wind")
    mapping = TRACKED_MAP.partition("[tracking]")[0]
    hand_in(page, tmp_path, records=SMALL, mapping=mapping)
    page.wait_for_url("**/shipments/import/*")
    expect(page.locator("main")).to_contain_text("is not kept here")
    expect(page.get_by_role("button", name="Sign 1 shipment")).to_have_count(0)
    with site.client("grid") as client:
        path = page.url.removeprefix(site.url)
        assert "shipments.upload_gone" in client.page(path, 404), "it is somebody else's"


def test_forms_that_are_not_as_the_page_made_them(site: Site) -> None:
    with site.client("wind") as client:
        files = {"file": ("out.csv", SMALL.encode())}
        fields = {"csrf": client.csrf, "mapping": TRACKED_MAP.partition("[tracking]")[0]}
        where = client.post("/shipments/import", data=fields, files=files).headers["location"]
        answer = client.form(f"{where}/run")
        assert answer.status_code == 409 and "shipments.own_key" in answer.text
        assert client.post(f"{where}/run", data={"csrf": "x"}).status_code == 403
        answer = client.form("/shipments/import", mapping="")
        assert "shipments.no_file" in answer.text
        answer = client.form("/shipments/models/vehicle", id="v", mode="rocket", quantity="speed")
        assert answer.text.count("shipments.form_choice") == 2
        assert answer.status_code == 400


def test_the_report(open_page: Opener) -> None:
    page = open_page("steel")
    page.goto("/shipments/report?by=product")
    drawn(page, "Emissions of shipments")
    table = page.get_by_role("table", name="Emissions of shipments")
    expect(table.get_by_role("row")).to_have_count(3)
    # (40 units x 250 + 1,154,790) µg a metre, over 120 km, twice
    expect(table.get_by_role("row", name="coil")).to_contain_text("279.549 kg")
    page.get_by_label("Add up").select_option("period")
    page.get_by_label("Step").select_option("day")
    page.get_by_role("button", name="Show these").click()
    expect(table).to_contain_text("10 January 2025")
    with page.expect_download() as found:
        page.get_by_role("link", name="Download as CSV").click()
    lines = Path(found.value.path()).read_text("utf-8").splitlines()
    assert lines[0].startswith("key,shipper,set,scope,methods,shipments")
    assert sum(int(line.rpartition(",")[2]) for line in lines[1:]) == 422_079


def test_each_sees_its_own(site: Site) -> None:
    with site.client("offices") as client:
        page = client.page("/shipments")
        assert "furniture-1" in page
        assert "coil-1" not in page
        client.page("/shipments/of/steel-works/coil-1", 403)
        client.page("/shipments/of/steel-works/unheard", 403)
        assert "coil-2" in client.page("/shipments?customer=offices"), "they are its customer"
        client.page("/shipments/of/steel-works/coil-2")
        client.page("/shipments/report?shipper=steel-works", 403)
        assert client.get("/shipments/report.csv?shipper=steel-works").status_code == 403
        assert "lorry" not in client.page("/shipments/models")
        assert "shipments.upload_gone" in client.page("/shipments/import/0000", 404)
        assert "/shipments?customer=offices" in page
    with site.client("registrar") as client:
        client.page("/shipments/of/steel-works/unheard", 404)
        assert "coil-1" in client.page("/shipments?shipper=steel-works")
        assert client.page("/shipments/report?by=nothing", 400)


def test_on_a_phone_in_chinese(site: Site, browser: Chromium) -> None:
    with in_chinese(browser, site) as page_of:
        page = page_of("steel")
        assert page.viewport_size == {"width": PHONE[0], "height": PHONE[1]}
        for path, words in (
            ("/shipments", "运输记录"),
            ("/shipments/of/steel-works/coil-1", "产品加车辆"),
            ("/shipments/models", "车辆类别"),
            ("/shipments/report?by=mode", "公路"),
            ("/shipments/import", "导入运输记录"),
        ):
            page.goto(path)
            expect(page.locator("main")).to_contain_text(words)
            assert fits(page), path
