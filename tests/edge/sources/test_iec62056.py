"""IEC 62056-21 in mode C, against a simulated meter whose messages another package writes."""

from __future__ import annotations

import os
import socket
import threading
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from iec62056_21.messages import (
    DataBlock,
    DataLine,
    DataSet,
    ReadoutDataMessage,
)
from tests.support.meter_lines import (
    Conversation,
    SerialPair,
    Teller,
    drips,
    fails,
    free_port,
    nothing_left_open,
    says,
)

from wattproof.core.errors import WattProofError
from wattproof.edge.sources import iec62056
from wattproof.edge.sources.iec62056_readout import (
    find_entry,
    parse_identification,
    parse_readout,
)
from wattproof.edge.sources.table import open_source

WHO = b"/ISK5\\2MT382-1000\r\n"
SETS = (
    ("0.0.0", "12345678", ""),
    ("1-0:1.8.0*01", "000100.00", "kWh"),
    ("1-0:1.8.0*255", "001234.56", "kWh"),
    ("2.8.0", "000007.89", "kWh"),
    ("7-0:3.0.0", "00456.789", "m3"),
    ("32.7.0", "230.1", "V"),
    ("C.1.0", "-- --", ""),
    ("5.8.0", "0042", ""),
)


def readout(*sets: tuple[str, str, str]) -> bytes:
    """A readout as the other package writes it."""
    lines = [DataLine([DataSet(code, value, unit or None)]) for code, value, unit in sets or SETS]
    data: bytes = ReadoutDataMessage(DataBlock(lines)).to_bytes()
    return data


def meter(block: bytes = b"", *, device: bytes = b"") -> Conversation:
    """A meter: identifies itself to its address, and reads out when it is told to."""

    def converse(connection: socket.socket) -> None:
        if connection.recv(64) == b"/?" + device + b"!\r\n":
            connection.sendall(WHO)
            if connection.recv(64) == b"\x06050\r\n":
                connection.sendall(block or readout())
        while connection.recv(64):
            pass

    return converse


def settings(port: int, **more: Any) -> dict[str, Any]:
    return {"kind": "iec62056", "host": "127.0.0.1", "port": port, "timeout_s": 4.0, **more}


@pytest.mark.parametrize(
    ("code", "expected", "value", "unit"),
    [
        ("1.8.0", "kWh", "1234.56", "kWh"),
        ("1-0:1.8.0*255", "MWh", "1234.56", "kWh"),
        ("1-0:1.8.0*01", "kWh", "100", "kWh"),
        ("1-0:2.8.0", "kWh", "7.89", "kWh"),
        ("3.0.0", "m3", "456.789", "m3"),
        ("5.8.0", "kWh", "42", "kWh"),
    ],
)
def test_lines_of_a_readout(code: str, expected: str, value: str, unit: str) -> None:
    with Teller(meter()) as simulated, nothing_left_open():
        source = open_source(settings(simulated.port, code=code, unit=expected))
        sample = source.read()
    assert (sample.value, sample.unit, source.mode) == (Decimal(value), unit, "register")
    source.close()


def test_the_address_of_a_meter() -> None:
    with Teller(meter(device=b"00123")) as simulated:
        assert open_source(settings(simulated.port, device="00123")).read().value > 1234
        with fails("edge.line.silent"), nothing_left_open():
            open_source(settings(simulated.port, device="99", timeout_s=0.5)).read()


def test_the_serial_number_of_a_meter() -> None:
    with Teller(meter()) as simulated:
        source = open_source(settings(simulated.port, serial_number="12345678"))
        assert source.read().value > 1234
        with fails("edge.frame.other_meter"):
            open_source(settings(simulated.port, serial_number="12345679")).read()


def test_an_optical_head_that_hears_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(iec62056, "PAUSE_S", 0.0)
    with Teller(says(b"/?!\r\n" + WHO, readout())) as simulated:
        assert open_source(settings(simulated.port)).read().value == Decimal("1234.56")


def test_the_serial_line() -> None:
    with SerialPair() as cable, nothing_left_open():
        far = os.open(cable.right, os.O_RDWR | os.O_NOCTTY)

        def converse() -> None:
            assert os.read(far, 64) == b"/?!\r\n"
            os.write(far, WHO)
            assert os.read(far, 64) == b"\x06050\r\n"
            os.write(far, readout())

        thread = threading.Thread(target=converse, daemon=True)
        thread.start()
        wanted = {
            "kind": "iec62056", "serial": cable.left, "bits": 8, "parity": "N", "timeout_s": 3,
        }  # fmt: skip
        assert open_source(wanted).read().value == Decimal("1234.56")
        thread.join(5)
        os.close(far)


def bad_bcc() -> bytes:
    block = readout()
    return block[:-1] + bytes((block[-1] ^ 1,))


@pytest.mark.parametrize(
    ("block", "code"),
    [
        (bad_bcc(), "edge.frame.checksum"),
        (readout().replace(b"1234.56", b"1234.57"), "edge.frame.checksum"),
        (readout()[:40], "edge.frame.half"),
        (b"\x15", "edge.frame.refusal"),
        (b"ERROR", "edge.frame.form"),
        (readout(("2.8.0", "1", "kWh")), "edge.value.absent"),
        (readout(("1.8.0", "-- --", "kWh")), "edge.value.not_number"),
        (readout(("1.8.0", "NaN", "kWh")), "edge.value.not_finite"),
        (readout(("1.8.0", "1", "kvarh")), "edge.value.unit"),
        (readout(("1.8.0", "1", "m3")), "edge.value.unit"),
        (b"\x02" + b"1.8.0(1*kWh)\r\n" * 5000, "edge.frame.oversized"),
    ],
)
def test_bad_readouts_by_name(block: bytes, code: str) -> None:
    with Teller(meter(block)) as simulated, nothing_left_open():
        source = open_source(settings(simulated.port, timeout_s=1.5))
        with fails(code):
            source.read()


@pytest.mark.parametrize(
    ("conversation", "code"),
    [
        (says(then="hang"), "edge.line.silent"),
        (says(WHO[:6], then="hang"), "edge.frame.half"),
        (says(WHO[:6], then="close"), "edge.line.reset"),
        (says(then="reset"), "edge.line.reset"),
        (says(b"\x7e\xa0\r\n"), "edge.frame.form"),
        (says(b"x" * 200), "edge.frame.oversized"),
        (says(WHO, then="hang"), "edge.line.silent"),
        (drips(WHO, seconds=0.2), "edge.frame.half"),
    ],
)
def test_bad_conversations_by_name(conversation: Any, code: str) -> None:
    with Teller(conversation) as simulated, nothing_left_open():
        source = open_source(settings(simulated.port, timeout_s=0.9))
        with fails(code):
            source.read()


def test_nobody_is_there() -> None:
    with fails("edge.line.refused"), nothing_left_open():
        open_source(settings(free_port())).read()


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"device": "no!"}, "edge.source.setting"),
        ({"unit": "ell"}, "core.unit"),
        ({"timeout_s": 100}, "edge.source.setting"),
    ],
)
def test_settings_that_do_not_fit(more: dict[str, Any], code: str) -> None:
    with fails(code):
        open_source({**settings(1), **more})


def test_identifications() -> None:
    who = parse_identification(WHO)
    assert (who.maker, who.speed, who.baud, who.model) == ("ISK", "5", 9600, "MT382-1000")
    assert parse_identification(b"/ABC9\r\n").baud is None
    for wrong in (b"", b"/AB5x\r\n", b"/ABC5", b"ABC5x\r\n", b"/ABCXx\r\n"):
        with fails("edge.frame.form"):
            parse_identification(wrong)


def test_several_sets_in_a_line() -> None:
    inner = b"1.6.1(0.26*kW)(2026-11-20)2.8.0(5*kWh)\r\n!\r\n\x03"
    bcc = 0
    for byte in inner:
        bcc ^= byte
    entries = parse_readout(b"\x02" + inner + bytes((bcc,)))
    assert [entry.value for entry in entries] == ["0.26", "2026-11-20", "5"]
    assert find_entry(entries, "1.6.1").unit == "kW"


@given(st.data())
def test_a_flipped_byte_is_noticed(data: st.DataObject) -> None:
    raw = bytearray(readout())
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 127))
    with pytest.raises(WattProofError):
        parse_readout(bytes(raw))


@given(st.binary(max_size=80))
def test_any_bytes_give_entries_or_a_named_error(raw: bytes) -> None:
    try:
        parse_readout(b"\x02" + raw)
    except WattProofError:
        return
