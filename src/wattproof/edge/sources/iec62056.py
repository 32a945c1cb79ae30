"""A meter read by IEC 62056-21 in mode C: an optical head, or a current loop behind a server."""

from __future__ import annotations

import re
import time
from typing import ClassVar, Final, Literal

from wattproof.core.units import find_unit
from wattproof.edge.source import Mode, Sample
from wattproof.edge.sources.exact import decimal_of, unit_named
from wattproof.edge.sources.faults import FORM, OTHER_METER, REFUSAL, SETTING
from wattproof.edge.sources.iec62056_readout import (
    ETX,
    NAK,
    PROTOCOL,
    STX,
    Entry,
    Identification,
    find_entry,
    parse_identification,
    parse_readout,
)
from wattproof.edge.sources.line import Address, Line, load_line, open_line

__all__ = ["Config", "Iec62056Source", "open_source"]

MOST_BYTES: Final = 65536
PAUSE_S: Final = 0.3
"""Between the identification and the answer to it, 0.2 to 1.5 s (IEC 62056-21, 6.5)."""


class Config(Address, frozen=True, kw_only=True, tag_field="kind", tag="iec62056",
             forbid_unknown_fields=True):  # fmt: skip
    """One line of the readout of one meter; the defaults are those of an optical head.

    `device` is the address in the request, empty where the meter is alone. `unit` is what the line
    must measure, and its unit where the line names none. With `fixed_baud` the line keeps its
    speed. `serial_number` is compared with the entry ``0.0.0`` or ``96.1.0`` of the readout.
    """

    code: str = "1.8.0"
    unit: str = "kWh"
    device: str = ""
    serial_number: str = ""
    fixed_baud: bool = False
    baud: int = 300
    bits: Literal[7, 8] = 7
    parity: Literal["N", "E", "O"] = "E"
    timeout_s: float = 20.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if re.fullmatch(r"[0-9A-Za-z ]{0,32}", self.device, re.ASCII) is None:
            raise SETTING(
                key="device", value=self.device, why="an address has up to 32 letters and digits",
                why_zh="地址最多 32 个字母和数字",
            )  # fmt: skip


class Iec62056Source:
    """Reads a cumulative register out of the readout; each read is a conversation of its own."""

    kind: ClassVar[str] = "iec62056"
    mode: Mode = "register"

    def __init__(self, config: Config) -> None:
        load_line(config)
        self._config = config
        self._unit = find_unit(config.unit).name

    def read(self) -> Sample:
        """Read the whole readout and take one line of it."""
        with open_line(self._config) as line:
            entries = self._read_out(line)
        self._check_meter(entries)
        entry = find_entry(entries, self._config.code)
        unit = unit_named(entry.unit, self._unit) if entry.unit else self._unit
        return Sample(time_s=int(time.time()), value=decimal_of(entry.value), unit=unit)

    def close(self) -> None:
        """Nothing stays open between reads."""

    def _read_out(self, line: Line) -> tuple[Entry, ...]:
        who = self._sign_on(line)
        time.sleep(PAUSE_S)
        line.send(b"\x060" + who.speed.encode() + b"0\r\n")
        if not self._config.fixed_baud and who.baud is not None:
            time.sleep(PAUSE_S)
            line.set_baud(who.baud)
        first = line.exactly(1)
        if first == NAK:
            raise REFUSAL(reason=f"{who.maker} {who.model}: NAK")
        if first != STX:
            raise FORM(protocol=PROTOCOL, detail=f"a readout begins with STX, not {first!r}")
        return parse_readout(STX + line.until(ETX, MOST_BYTES) + line.exactly(1))

    def _sign_on(self, line: Line) -> Identification:
        request = b"/?" + self._config.device.encode() + b"!\r\n"
        line.send(request)
        answer = line.until(b"\r\n", 128)
        if answer == request:  # an optical head without a filter hears itself
            answer = line.until(b"\r\n", 128)
        return parse_identification(answer)

    def _check_meter(self, entries: tuple[Entry, ...]) -> None:
        wanted = self._config.serial_number
        numbers = [
            entry.value for entry in entries if re.search(r"(^|:)(0\.0\.0|96\.1\.0)", entry.code)
        ]
        if wanted and wanted not in numbers:
            raise OTHER_METER(found=", ".join(numbers) or "?", asked=wanted)


def open_source(config: Config) -> Iec62056Source:
    """Open the source of this table."""
    return Iec62056Source(config)
