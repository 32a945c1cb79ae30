"""HTTP against a real server in a thread, and against servers that misbehave."""

from __future__ import annotations

import datetime as dt
import json
import ssl
import threading
from collections.abc import Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from tests.support.meter_lines import Teller, drips, fails, free_port, nothing_left_open, says

from wattproof.edge.sources.table import open_source

LOOPBACK: Final = IPv4Address("127.0.0.1")

BODIES: dict[str, bytes] = {
    "/meter": json.dumps(
        {"meters": [{"energy": {"total": 1234.5678901}, "unit": "千瓦时"}], "word": "12.50 ",
         "none": None, "yes": True, "volt": "V"}
    ).encode(),
    "/number": b" 98765.4321\n",
    "/nan": b'{"total": NaN}',
    "/text": b"hello",
    "/big": b'{"total": "' + b"9" * 70000 + b'"}',
    "/deep": b"[" * 60000,
    "/long": b'{"total": ' + b"9" * 100 + b"}",
    "/query?id=7": b"7",
}  # fmt: skip


class Gateway(BaseHTTPRequestHandler):
    """Serves what is above."""

    def do_GET(self) -> None:
        if self.path == "/secret":
            right = self.headers.get("Authorization") == "Bearer t0ken"
            status, body = (200, b"1") if right else (401, b"no")
        elif self.path == "/moved":
            status, body = 302, b""
        else:
            status, body = (200, BODIES[self.path]) if self.path in BODIES else (404, b"?")
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def gateway() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Gateway) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def settings(url: str, path: str = "", **more: Any) -> dict[str, Any]:
    return {"kind": "http", "url": url, "path": path, "timeout_s": 3.0, **more}


@pytest.mark.parametrize(
    ("place", "path", "value"),
    [
        ("/meter", "meters.0.energy.total", "1234.5678901"),
        ("/meter", "word", "12.50"),
        ("/number", "", "98765.4321"),
        ("/query?id=7", "", "7"),
    ],
)
def test_values(gateway: str, place: str, path: str, value: str) -> None:
    source = open_source(settings(gateway + place, path))
    with nothing_left_open():
        sample = source.read()
    assert (sample.value, sample.unit, source.mode) == (Decimal(value), "kWh", "register")
    source.close()


def test_unit_scale_and_headers(gateway: str) -> None:
    path = "meters.0.energy.total"
    more = {"unit": "MWh", "unit_path": "meters.0.unit", "scale": "0.1"}
    sample = open_source(settings(gateway + "/meter", path, **more)).read()
    assert (sample.value, sample.unit) == (Decimal("123.45678901"), "kWh")
    headers = {"Authorization": "Bearer t0ken"}
    source = open_source(settings(gateway + "/secret", headers=headers, mode="increment"))
    assert source.mode == "increment"
    assert source.read().value == 1


@pytest.mark.parametrize(
    ("place", "path", "code"),
    [
        ("/none", "", "edge.http.status"),
        ("/secret", "", "edge.http.status"),
        ("/moved", "", "edge.http.status"),
        ("/nan", "total", "edge.value.not_finite"),
        ("/text", "", "edge.frame.form"),
        ("/deep", "", "edge.frame.form"),
        ("/big", "total", "edge.frame.oversized"),
        ("/long", "total", "edge.value.not_number"),
        ("/meter", "meters.1.energy", "edge.value.absent"),
        ("/meter", "energy", "edge.value.absent"),
        ("/meter", "none", "edge.value.not_number"),
        ("/meter", "yes", "edge.value.not_number"),
        ("/meter", "meters", "edge.value.not_number"),
        ("/meter", "volt", "edge.value.not_number"),
    ],
)
def test_bad_answers_by_name(gateway: str, place: str, path: str, code: str) -> None:
    with fails(code), nothing_left_open():
        open_source(settings(gateway + place, path)).read()


def test_a_unit_that_measures_something_else(gateway: str) -> None:
    path = "meters.0.energy.total"
    for found in ("volt", "none"):
        with fails("edge.value.unit"):
            open_source(settings(gateway + "/meter", path, unit_path=found)).read()


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"


@pytest.mark.parametrize(
    ("conversation", "code"),
    [
        (says(then="hang"), "edge.line.silent"),
        (says(then="close"), "edge.line.reset"),
        (says(then="reset"), "edge.line.reset"),
        (says(HEAD + b"123", then="hang"), "edge.frame.half"),
        (says(HEAD + b"123", then="close"), "edge.line.reset"),
        (says(b"HTTP/1.1 200 OK\r\n\r\n123", then="hang"), "edge.frame.half"),
        (says(b"\x68\x10\r\n\r\n"), "edge.frame.form"),
        (says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), "edge.line.reset"),
        (drips(HEAD + b"123456789", seconds=0.1), "edge.frame.half"),
        (drips(b"HTTP/1.1 200 OK\r\n\r\n" + b"1" * 60, seconds=0.02), "edge.frame.half"),
    ],
)
def test_servers_that_misbehave(conversation: Any, code: str) -> None:
    with Teller(conversation) as server, nothing_left_open():
        source = open_source(settings(f"http://127.0.0.1:{server.port}/", timeout_s=0.5))
        with fails(code):
            source.read()


def test_nobody_is_there() -> None:
    with fails("edge.line.refused"), nothing_left_open():
        open_source(settings(f"http://127.0.0.1:{free_port()}/")).read()
    with fails("edge.line.none", within_s=10):
        open_source(settings("http://no-such-host.invalid/")).read()


def test_https_with_a_wrong_certificate_is_not_trusted(gateway: str) -> None:
    with fails("edge.line.none"), nothing_left_open():
        open_source(settings(gateway.replace("http:", "https:"))).read()


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1 that signs itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
        .not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(LOOPBACK)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    path = tmp_path / "certificate.pem"
    path.write_bytes(
        made.public_bytes(Encoding.PEM)
        + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    return path


def test_https(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with ThreadingHTTPServer(("127.0.0.1", 0), Gateway) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        source = open_source(settings(f"https://127.0.0.1:{server.server_port}/number"))
        with fails("edge.line.none"):
            source.read()  # nobody vouches for this certificate
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert source.read().value == Decimal("98765.4321")
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"url": "ftp://127.0.0.1/x"}, "edge.source.setting"),
        ({"url": "http://"}, "edge.source.setting"),
        ({"url": "http://127.0.0.1:99999/"}, "edge.source.setting"),
        ({"url": "http://127.0.0.1/a b"}, "edge.source.setting"),
        ({"timeout_s": 0}, "edge.source.setting"),
        ({"most_bytes": 10**9}, "edge.source.setting"),
        ({"unit": "mile"}, "core.unit"),
    ],
)
def test_settings_that_do_not_fit(more: dict[str, Any], code: str) -> None:
    with fails(code):
        open_source({**settings("http://127.0.0.1/"), **more})
