"""Browser assets: made by the build, in the wheel and not in the sdist, named by version."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.console.checking import serving_checks

from wattproof.console.assets import INPUTS, STATIC, asset_url, assets, check_assets
from wattproof.core.errors import Unavailable

CHECKOUT = Path(__file__).parents[2]
VENDOR = "wattproof/console/static/vendor"
EXPECTED = {
    "assets.json",
    "echarts.min.js",
    "htmx.min.js",
    "icons.svg",
    "licences/echarts.txt",
    "licences/htmx.org.txt",
    "licences/tabler-core.txt",
    "licences/tabler-icons.txt",
    "tabler.min.css",
    "tabler.min.js",
}
BUILD_TIMEOUT_S = 240


def run(*arguments: str, folder: Path = CHECKOUT) -> None:
    """Run a Python module; what it says is shown where it fails."""
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=BUILD_TIMEOUT_S,
        env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sdist")
    run("hatchling", "build", "-t", "sdist", "-d", str(folder))
    [path] = folder.iterdir()
    return path


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run("hatchling", "build", "-t", "wheel", "-d", str(folder))
    [path] = folder.iterdir()
    return path


def test_the_wheel_holds_the_assets_with_their_licences(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        found = {name.removeprefix(f"{VENDOR}/") for name in names if name.startswith(VENDOR)}
        assert found == EXPECTED
        licences = {
            name: archive.read(f"{VENDOR}/licences/{name}.txt").decode()
            for name in ("echarts", "htmx.org", "tabler-core", "tabler-icons")
        }
    assert "wattproof/console/static/verify.js" in names
    assert "wattproof/console/templates/verify-body.html" in names
    for name, texts in {
        "echarts": ("Apache License", "Mike Bostock", "Baidu", "Microsoft"),
        "htmx.org": ("Zero-Clause BSD",),
        "tabler-core": ("Tabler Authors", "Permission is hereby granted", "Bootstrap", "Federico"),
        "tabler-icons": ("Permission is hereby granted",),
    }.items():
        for text in texts:
            assert text.lower() in licences[name].lower(), (name, text)


def test_the_sdist_holds_what_makes_them_and_none_of_them(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert not [name for name in names if "/vendor" in name]
    assert names >= set(INPUTS)


def test_from_nothing_the_same_bytes(sdist: Path, wheel: Path, tmp_path: Path) -> None:
    """The whole way, as `pip install` goes it: an environment of its own, npm, and the files.

    The assets are those of the checkout, byte for byte; and so is a second wheel of the source.
    """
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    [source] = tmp_path.iterdir()
    assert not (source / "src" / VENDOR).exists()
    run("pip", "wheel", "-q", "--no-deps", "-w", str(tmp_path / "pip"), str(source))
    [from_nothing] = (tmp_path / "pip").iterdir()
    assert vendored(from_nothing) == vendored(wheel)
    for name in ("first", "second"):
        run("hatchling", "build", "-t", "wheel", "-d", str(tmp_path / name), folder=source)
    first, second = (next((tmp_path / name).iterdir()) for name in ("first", "second"))
    assert first.read_bytes() == second.read_bytes()
    assert vendored(first) == vendored(wheel)


def vendored(wheel: Path) -> dict[str, bytes]:
    """The assets in a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if name.startswith(VENDOR)]
        return {name: archive.read(name) for name in names}


def test_the_lock_file_names_no_host() -> None:
    text = (CHECKOUT / "web/package-lock.json").read_text(encoding="utf-8")
    assert "://" not in text and "resolved" not in text
    packages = json.loads(text)["packages"]
    assert all(entry["integrity"].startswith("sha512-") for name, entry in packages.items() if name)


def test_a_checkout_is_up_to_date() -> None:
    check_assets()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The static files of a checkout of its own."""
    for name in INPUTS:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((CHECKOUT / name).read_bytes())
    for path in STATIC.rglob("*"):
        if path.is_file():
            target = tmp_path / "src/wattproof/console/static" / path.relative_to(STATIC)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    return tmp_path


@pytest.mark.parametrize(
    ("spoilt", "code"),
    [
        ("src/wattproof/console/static/vendor/assets.json", "console.assets.missing"),
        ("src/wattproof/console/static/vendor/htmx.min.js", "console.assets.missing"),
        ("web/package-lock.json", "console.assets.stale"),
    ],
)
def test_start_up_says_in_one_sentence_what_to_do(copy: Path, spoilt: str, code: str) -> None:
    check_assets(copy / "src/wattproof/console/static")
    path = copy / spoilt
    path.write_bytes(path.read_bytes() + b" {")
    with pytest.raises(Unavailable, match="pip install -e") as refused:
        check_assets(copy / "src/wattproof/console/static")
    assert refused.value.code == code
    assert "pip install -e" in refused.value.text("zh")


def test_without_any_assets(copy: Path) -> None:
    with pytest.raises(Unavailable) as refused:
        check_assets(copy / "nowhere/one/two/three")
    assert refused.value.code == "console.assets.missing"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with serving_checks(tmp_path_factory.mktemp("ledger")) as served:
        yield served.client


def test_every_asset_is_served_with_its_type(client: httpx.Client) -> None:
    for name, asset in assets().items():
        answer = client.get(asset_url(name))
        assert answer.status_code == 200
        assert answer.content == asset.data
        assert answer.headers["content-type"].partition(";")[0] == asset.media_type
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_large_files_travel_compressed(client: httpx.Client) -> None:
    url = asset_url("vendor/echarts.min.js")
    plain = client.get(url, headers={"Accept-Encoding": "identity"})
    packed = client.get(url, headers={"Accept-Encoding": "br, gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content
    assert packed.num_bytes_downloaded < plain.num_bytes_downloaded * 2 // 5


def test_what_a_browser_has_is_not_sent_again(client: httpx.Client) -> None:
    first = client.get("/static/verify.js")
    assert first.headers["cache-control"] == "no-cache"
    again = client.get("/static/verify.js", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "path", ["nothing.js", "vendor/assets.json", "../assets.py", "%2e%2e/assets.py", "vendor", ""]
)
def test_nothing_else_is_served(client: httpx.Client, path: str) -> None:
    assert client.get(f"/static/{path}").status_code == 404
