"""A meter that speaks DLMS/COSEM, over TCP or a serial line."""

from __future__ import annotations

import contextlib
import re
import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from wattproof.core.errors import WattProofError
from wattproof.core.units import find_unit
from wattproof.edge.source import Mode, Sample
from wattproof.edge.sources.dlms_frame import (
    PROTOCOL,
    HdlcBytes,
    Wrapper,
    parse_number,
    parse_scaler_unit,
)
from wattproof.edge.sources.exact import scaled, unit_named
from wattproof.edge.sources.faults import FORM, REFUSAL, SETTING
from wattproof.edge.sources.line import Address, load_line

if TYPE_CHECKING:
    from dlms_cosem.client import DlmsClient

__all__ = ["Config", "DlmsSource", "open_source"]

UNITS: Final = {
    13: "m3", 14: "m3", 19: "L", 20: "kg", 25: "J", 30: "Wh", 255: "pc",
}  # fmt: skip
"""Units by their numbers (IEC 62056-6-2, enumeration of physical units): what can be added up."""

_OBIS: Final = re.compile(r"(\d{1,3})-(\d{1,3}):(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:\*(\d{1,3}))?")


class Config(Address, frozen=True, kw_only=True, tag_field="kind", tag="dlms",
             forbid_unknown_fields=True):  # fmt: skip
    """One register of a meter; the defaults read the energy taken from the grid, over TCP.

    The meter's own scaler and unit are honoured; `unit` says what it must measure. `class_id` is 3
    for a register and 4 for an extended register. With a `password` the lowest level of
    authentication is used, else none. `physical` is the lower HDLC address, 0 for none.
    """

    obis: str = "1-0:1.8.0*255"
    unit: str = "kWh"
    class_id: Literal[3, 4] = 3
    framing: Literal["wrapper", "hdlc"] = "wrapper"
    client: int = 16
    server: int = 1
    physical: int = 0
    password: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        match = _OBIS.fullmatch(self.obis)
        if match is None or any(int(part) > 255 for part in match.groups("255")):
            raise SETTING(
                key="obis", value=self.obis, why="an OBIS code is like 1-0:1.8.0*255",
                why_zh="OBIS 代码形如 1-0:1.8.0*255",
            )  # fmt: skip
        most = 65535 if self.framing == "wrapper" else 127
        if not (0 < self.client <= most and 0 < self.server <= most and 0 <= self.physical <= 127):
            raise SETTING(
                key="server", value=self.server, why=f"addresses are 1 to {most}",
                why_zh=f"地址为 1 至 {most}",
            )  # fmt: skip
        if self.serial and self.framing == "wrapper":
            raise SETTING(
                key="framing", value=self.framing, why="a serial line speaks hdlc",
                why_zh="串行线使用 hdlc",
            )  # fmt: skip


class DlmsSource:
    """Reads a cumulative register with its scaler and unit; each read is an association."""

    kind: ClassVar[str] = "dlms"
    mode: Mode = "register"

    def __init__(self, config: Config) -> None:
        load_line(config)
        _quieten()
        self._config = config
        self._unit = find_unit(config.unit).name

    def read(self) -> Sample:
        """Read value, scaler and unit; ``edge.frame.refusal`` where the meter says no."""
        try:
            value, power, unit = self._ask()
        except WattProofError:
            raise
        except Exception as error:  # dlms-cosem raises whatever its parsers stumble over
            raise FORM(protocol=PROTOCOL, detail=_detail(error)) from None
        return Sample(
            time_s=int(time.time()),
            value=scaled(value, Decimal(1).scaleb(power)),
            unit=unit_named(UNITS.get(unit, f"#{unit}"), self._unit),
        )

    def close(self) -> None:
        """Nothing stays open between reads."""

    def _ask(self) -> tuple[Decimal, int, int]:
        client, line = _client(self._config)
        try:
            client.connect()
            _associate(client)
            value = parse_number(_attribute(client, self._config, 2))
            power, unit = parse_scaler_unit(_attribute(client, self._config, 3))
            _part(client)
        finally:
            line.disconnect()
        return value, power, unit


def _client(config: Config) -> tuple[DlmsClient, Wrapper | HdlcBytes]:
    """Return the protocol machine, and the line that it will open."""
    from dlms_cosem.client import DlmsClient
    from dlms_cosem.io import HdlcTransport
    from dlms_cosem.security import LowLevelSecurityAuthentication, NoSecurityAuthentication

    password = config.password.encode()
    level = LowLevelSecurityAuthentication(password) if password else NoSecurityAuthentication()
    line: Wrapper | HdlcBytes
    transport: Any
    if config.framing == "wrapper":
        line = transport = Wrapper(config, client=config.client, server=config.server)
    else:
        line = HdlcBytes(config)
        transport = HdlcTransport(
            client_logical_address=config.client, server_logical_address=config.server,
            server_physical_address=config.physical or None, io=line,
        )  # fmt: skip
        line.server = transport.server_hdlc_address.to_bytes()
    return DlmsClient(transport, level), line


def _associate(client: DlmsClient) -> None:
    from dlms_cosem.exceptions import DlmsClientException

    try:
        client.associate()
    except DlmsClientException as error:
        raise REFUSAL(reason=_detail(error)) from None


def _part(client: DlmsClient) -> None:
    """Say goodbye. The value is there, so an odd answer to this spoils nothing."""
    for step in (client.release_association, client.disconnect):
        with contextlib.suppress(Exception):
            step()


def _attribute(client: DlmsClient, config: Config, number: int) -> bytes:
    from dlms_cosem import cosem, enumerations
    from dlms_cosem.protocol import xdlms

    match = _OBIS.fullmatch(config.obis)
    assert match is not None
    code = cosem.Obis(*(int(part) for part in match.groups("255")))
    wanted = cosem.CosemAttribute(enumerations.CosemInterface(config.class_id), code, number)
    client.send(xdlms.GetRequestNormal(cosem_attribute=wanted))
    answer = client.next_event()
    if isinstance(answer, xdlms.GetResponseNormal):
        return bytes(answer.data)
    if isinstance(answer, xdlms.GetResponseNormalWithError):
        raise REFUSAL(reason=f"{config.obis}: {answer.error.name.lower().replace('_', ' ')}")
    if isinstance(answer, xdlms.ExceptionResponse):
        raise REFUSAL(reason=answer.service_error.name.lower().replace("_", " "))
    raise FORM(protocol=PROTOCOL, detail=type(answer).__name__)


def _detail(error: Exception) -> str:
    return (str(error) or type(error).__name__).rstrip(".")[:120]


def _quieten() -> None:
    """Import what reading needs; keep structlog from writing every frame to standard output."""
    import logging

    import dlms_cosem.client  # noqa: F401
    import structlog

    if not structlog.is_configured():
        quiet = structlog.make_filtering_bound_logger(logging.ERROR)
        structlog.configure(wrapper_class=quiet)


def open_source(config: Config) -> DlmsSource:
    """Open the source of this table."""
    return DlmsSource(config)
