"""The queue and what becomes of it: order, refusals, retries, damage, and the display beside it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from socket import create_server
from threading import Thread

import pytest
from tests.support.beside_meter import settings_of
from tests.support.broker import Broker
from tests.support.refusals import refused

from wattproof.core.errors import ErrorCode, Unavailable
from wattproof.edge.broker import Broker as Connection
from wattproof.edge.config import DisplaySettings
from wattproof.edge.display import line_of, open_display
from wattproof.edge.link import Answer, verdict
from wattproof.edge.queue import LastReading, Queue
from wattproof.edge.send_http import HttpLink
from wattproof.edge.sender import RETRY_MOST_S, Sender
from wattproof.edge.state import NodeState

AWAY = ErrorCode(Unavailable, "tests.away", en="Away.", zh="不在。")


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    with Queue(tmp_path / "queue.sqlite", capacity=5) as opened:
        yield opened


class Script:
    """A way to a host that answers as it is told."""

    def __init__(self, answers: dict[bytes, Answer]) -> None:
        self.answers = answers
        self.away = False
        self.sent: list[tuple[bytes, ...]] = []

    def send(self, raws: Sequence[bytes]) -> list[Answer]:
        if self.away:
            raise AWAY()
        self.sent.append(tuple(raws))
        return [self.answers.get(raw, Answer(entry=7)) for raw in raws]

    def close(self) -> None:
        """Nothing is held."""


def fill(queue: Queue, *raws: bytes) -> None:
    queue.advance(NodeState(), [("packet", raw) for raw in raws])


def sender_of(queue: Queue, link: Script) -> Sender:
    return Sender(queue, link, clock=lambda: 1000, batch=3)


def test_one_goes_first_then_batches_in_order(queue: Queue) -> None:
    fill(queue, b"a", b"b", b"c", b"d", b"e")
    link = Script({})
    sender = sender_of(queue, link)
    while sender.once() == 0:
        pass
    assert link.sent == [(b"a",), (b"b", b"c", b"d"), (b"e",)]
    assert queue.length == 0
    sent = queue.sent()
    assert sent is not None
    assert (sent.count, sent.entry, sent.at_s) == (5, 7, 1000)


def test_what_is_refused_for_good_does_not_hold_up_the_rest(queue: Queue) -> None:
    fill(queue, b"a", b"b", b"c", b"d")
    refusal = Answer(code="metering.overlap", en="No.", zh="否。", status=409)
    again = Answer(code="metering.duplicate", en="No.", zh="否。", status=409)
    sender = sender_of(queue, Script({b"b": refusal, b"c": again}))
    while sender.once() == 0:
        pass
    (row,) = queue.refused()
    assert (row.code, row.what, row.at_s) == ("metering.overlap", "packet", 1000)
    assert queue.refused_bytes(row.position) == b"b"
    assert queue.length == 0


def test_what_is_not_the_time_yet_is_sent_again_ever_more_seldom(queue: Queue) -> None:
    fill(queue, b"a", b"b")
    waits = Answer(code="identity.device.not_confirmed", en="Not yet.", zh="尚未。", status=409)
    link = Script({b"a": waits})
    sender = sender_of(queue, link)
    pauses = [sender.once() for _ in range(9)]
    assert pauses[:4] == [1, 2, 4, 8]
    assert pauses[-1] == RETRY_MOST_S
    assert set(link.sent) == {(b"a",)}
    (fault,) = queue.faults()
    assert (fault.place, fault.code, fault.count) == ("send", waits.code, 9)
    link.answers = {}
    assert sender.once() == 0
    assert queue.faults() == []


def test_a_host_that_is_away_loses_nothing(queue: Queue) -> None:
    fill(queue, b"a")
    link = Script({})
    link.away = True
    sender = sender_of(queue, link)
    assert sender.once() == 1
    assert [fault.code for fault in queue.faults()] == ["tests.away"]
    link.away = False
    assert sender.once() == 0
    assert sender.once() is None


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer(entry=3), "taken"),
        (Answer(code="metering.duplicate", status=409), "taken"),
        (Answer(code="metering.future", status=409), "later"),
        (Answer(code="gateway.rate", status=429), "later"),
        (Answer(code="engine.full", status=503), "later"),
        (Answer(code="gateway.fault", status=500), "later"),
        (Answer(code="metering.conflict", status=409), "never"),
        (Answer(code="keys.cose.signature", status=400), "never"),
    ],
)
def test_what_an_answer_means(answer: Answer, expected: str) -> None:
    assert verdict(answer) == expected


def test_state_and_packet_are_one_commit(tmp_path: Path) -> None:
    path = tmp_path / "queue.sqlite"
    with Queue(path) as queue, pytest.raises(RuntimeError), queue.changing():
        queue.advance(NodeState(next_sequence=9), [("packet 8", b"a")])
        raise RuntimeError
    with Queue(path) as queue:
        assert (queue.state().next_sequence, queue.length) == (1, 0)
        queue.advance(NodeState(next_sequence=9), [("packet 8", b"a"), ("packet 8", b"a")])
        assert (queue.length, queue.room) == (1, 99_999)
        with Queue(path) as other:
            assert other.state().next_sequence == 9


def test_a_queue_that_is_no_queue(tmp_path: Path) -> None:
    path = tmp_path / "queue.sqlite"
    path.write_bytes(b"not a database, but long enough to be taken for one" * 20)
    refused("edge.queue.damaged", lambda: Queue(path))
    refused("edge.queue.unusable", lambda: Queue(tmp_path))
    good = tmp_path / "good.sqlite"
    with Queue(good) as queue:
        queue.advance(NodeState())
        connection = sqlite3.connect(good)
        connection.execute("UPDATE state SET value = '{\"started\": 3}'")
        connection.commit()
        connection.close()
        refused("edge.queue.damaged", queue.state)


def test_nothing_listens_at_the_host() -> None:
    link = HttpLink("http://127.0.0.1:9", timeout_s=1)
    refused("edge.http.no_answer", lambda: link.send([b"a"]))
    link.close()


def test_a_connection_that_the_host_let_go_of_is_opened_again() -> None:
    listener = create_server(("127.0.0.1", 0))
    asked: list[bytes] = []

    def host() -> None:
        for _ in range(2):  # one answer on each connection, which is then closed without a word
            connection, _ = listener.accept()
            with connection:
                request = b""
                while not request.endswith(b"\r\n\r\na"):
                    request += connection.recv(65_536)
                asked.append(request)
                connection.sendall(b"HTTP/1.1 201 Made\r\nContent-Length: 11\r\n\r\n" + RECEIPT)

    thread = Thread(target=host)
    thread.start()
    link = HttpLink(f"http://127.0.0.1:{listener.getsockname()[1]}", timeout_s=5)
    for _ in range(2):
        assert link.send([b"a"]) == [Answer(entry=7)]
        time.sleep(0.1)
    link.close()
    thread.join()
    listener.close()
    assert len(asked) == 2


RECEIPT = b'{"index":7}'
READING = LastReading(
    at_s=1_690_000_200, value="1.5", unit="kWh", register=123_456, amount=250, emission_g=132,
    total_g=65_500,
)  # fmt: skip


def test_a_line_for_the_display() -> None:
    line = line_of(READING, quantity="electricity.import", zone="Asia/Shanghai", lang="en")
    assert line == (
        "2023-07-22 12:30:00 | electricity taken from the grid +250 Wh | 123.456 kWh | CO2 65.5 kg"
    )
    assert "受电量" in line_of(READING, quantity="electricity.import", zone="UTC", lang="zh")


def test_displays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = settings_of(tmp_path)
    display = open_display(config, DisplaySettings(to="file", path="line.txt"))
    display.show("one")
    display.show("二")
    assert (tmp_path / "line.txt").read_text(encoding="utf-8") == "二\n"
    display.close()
    broken = open_display(config, DisplaySettings(to="file", path="none/line.txt"))
    refused("edge.display", lambda: broken.show("x"))
    screen = open_display(config, DisplaySettings(to="stdout"))
    screen.show("three")
    screen.close()
    assert capsys.readouterr().out == "three\n"
    line = open_display(config, DisplaySettings(to="serial", path="loop://"))
    line.show("four")
    line.close()
    missing = DisplaySettings(to="serial", path=str(tmp_path / "ttyS9"))
    refused("edge.display", lambda: open_display(config, missing))


def test_a_display_at_a_broker_has_its_line_at_once(tmp_path: Path) -> None:
    with Broker.started(tmp_path) as broker:
        settings = DisplaySettings(to="mqtt", mqtt=broker.url, topic="hall/display")
        display = open_display(settings_of(tmp_path), settings)
        display.show("250 Wh")
        heard: list[bytes] = []
        late = Connection(
            broker.url, topics=("hall/display",), heard=lambda _topic, line: heard.append(line)
        )
        late.wait()
        late.publish("hall/display", b"260 Wh", retain=True)
        late.close()
        display.close()
    assert heard[0] == b"250 Wh"
