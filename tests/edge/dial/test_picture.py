"""Pictures of files, folders and addresses, bounded, and what is cut out of them."""

from __future__ import annotations

import os
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.support.refusals import refused

from wattproof.edge.dial import picture
from wattproof.edge.dial.picture import cut_out, take


def jpeg(wide: int = 120, high: int = 60, shade: int = 90) -> bytes:
    whole, data = cv2.imencode(".jpg", np.full((high, wide, 3), shade, np.uint8))
    assert whole
    return data.tobytes()


def png(image: np.ndarray) -> bytes:
    whole, data = cv2.imencode(".png", image)
    assert whole
    return data.tobytes()


def taken(where: Path | str, *, max_age_s: int = 60) -> picture.Shot:
    return take(str(where), max_age_s=max_age_s, timeout_s=2)


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "dial.jpg"
    path.write_bytes(jpeg())
    shot = taken(path)
    assert shot.data == jpeg()
    assert abs(shot.time_s - time.time()) < 5


def test_the_newest_of_a_folder(tmp_path: Path) -> None:
    now = int(time.time())
    for age, name in ((40, "b.jpg"), (10, "a.JPG"), (0, "newer.txt"), (20, "c.png")):
        (tmp_path / name).write_bytes(name.encode())
        os.utime(tmp_path / name, (now - age, now - age))
    shot = taken(tmp_path)
    assert shot.data == b"a.JPG"
    assert shot.time_s == now - 10


def test_no_picture(tmp_path: Path) -> None:
    for where in (tmp_path, tmp_path / "none.jpg", "http://127.0.0.1:1/snap.jpg"):
        refused("edge.dial.no_picture", partial(taken, where))


@pytest.mark.parametrize("age_s", [61, 10**9, -3600])
def test_an_old_picture_or_one_of_tomorrow_is_no_reading(tmp_path: Path, age_s: int) -> None:
    path = tmp_path / "dial.jpg"
    path.write_bytes(jpeg())
    os.utime(path, (time.time() - age_s,) * 2)
    refused("edge.dial.old_picture", lambda: taken(path))


def test_too_many_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture, "MOST_BYTES", 100)
    (tmp_path / "dial.jpg").write_bytes(bytes(101))
    refused("edge.dial.picture_size", lambda: taken(tmp_path / "dial.jpg"))
    with camera(bytes(101)) as address:
        refused("edge.dial.picture_size", lambda: taken(address))


def test_a_snapshot_address() -> None:
    with camera(jpeg()) as address:
        assert taken(address).data == jpeg()


@contextmanager
def camera(data: bytes) -> Iterator[str]:
    """A camera on the network that answers every question with one picture."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/snapshot.jpg"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_box_is_cut_out() -> None:
    image = np.zeros((60, 120, 3), np.uint8)
    image[10:30, 20:80] = 200
    crop = cut_out(png(image), turn_deg=0, box=(20, 10, 60, 20))
    assert crop.shape == (20, 60, 3)
    assert crop.min() == 200


def test_a_camera_that_hangs_upside_down_or_on_its_side() -> None:
    image = np.zeros((60, 120, 3), np.uint8)
    image[40:60, 80:120] = 200
    half = cut_out(png(image), turn_deg=180, box=(0, 0, 40, 20))
    assert half[2:-2, 2:-2].min() == 200
    quarter = cut_out(png(image), turn_deg=90, box=(40, 0, 20, 40))
    assert quarter[2:-2, 2:-2].min() == 200


@pytest.mark.parametrize("box", [(-1, 0, 40, 20), (100, 0, 40, 20), (0, 50, 40, 20), (0, 0, 4, 4)])
def test_a_box_outside(box: picture.Box) -> None:
    refused("edge.dial.box", lambda: cut_out(jpeg(), turn_deg=0, box=box))


@pytest.mark.parametrize(
    "data",
    [b"", b"GIF89a", b"\xff\xd8", b"\xff\xd8\xff\xe0\x00", b"\x89PNG\r\n\x1a\n", jpeg()[:20],
     png(np.zeros((9, 9, 3), np.uint8))[:30]],
)  # fmt: skip
def test_what_is_no_picture(data: bytes) -> None:
    refused("edge.dial.not_picture", lambda: cut_out(data, turn_deg=0, box=(0, 0, 40, 20)))


def test_a_picture_that_would_unpack_to_more_than_the_memory() -> None:
    head = bytearray(png(np.zeros((9, 9, 3), np.uint8)))
    head[16:24] = struct.pack(">II", 100_000, 100_000)
    refused("edge.dial.picture_size", lambda: cut_out(bytes(head), turn_deg=0, box=(0, 0, 40, 20)))
