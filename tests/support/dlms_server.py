"""A DLMS/COSEM meter: the server of gurux_dlms, over TCP with the wrapper or with HDLC.

gurux_dlms is licensed under the GPL and is used by this test alone, in a process of its own. Run
as ``python -m tests.support.dlms_server wrapper|hdlc PORT [PASSWORD]``. A line ``VALUE`` on its
standard input changes the first register.
"""

from __future__ import annotations

import socket
import sys
import threading
from types import SimpleNamespace
from typing import Any

from gurux_dlms import ConnectionState, GXDLMSServer, GXServerReply
from gurux_dlms.enums import (
    AccessMode,
    Authentication,
    DataType,
    InterfaceType,
    MethodAccessMode,
    SourceDiagnostic,
    Unit,
)
from gurux_dlms.objects import (
    GXDLMSAssociationLogicalName,
    GXDLMSExtendedRegister,
    GXDLMSRegister,
)


class Meter(GXDLMSServer):  # type: ignore[misc]
    """A meter with a few registers; with a password, only for those who know it."""

    def __init__(self, kind: str, password: str) -> None:
        interface = InterfaceType.WRAPPER if kind == "wrapper" else InterfaceType.HDLC
        super().__init__(True, interface)
        if kind == "hdlc":
            self.hdlc = SimpleNamespace(
                maxInfoTX=128, maxInfoRX=128, windowSizeTX=1, windowSizeRX=1, inactivityTimeout=0
            )
        self._password = password
        association = GXDLMSAssociationLogicalName()
        level = Authentication.LOW if password else Authentication.NONE
        association.authenticationMechanismName.mechanismId = level
        association.secret = password.encode()
        self.items.append(association)
        self.first = self.add("1.0.1.8.0.255", 1234567, 1, Unit.ACTIVE_ENERGY, DataType.UINT32)
        self.add("1.0.2.8.0.255", 98765, 100, Unit.ACTIVE_ENERGY, DataType.UINT64)
        self.add("7.0.3.0.0.255", 45678, 0.01, Unit.VOLUME_CUBIC_METER, DataType.INT32)
        self.add("1.0.32.7.0.255", 2301, 0.1, Unit.VOLTAGE, DataType.UINT16)
        self.add("1.0.16.8.0.255", 12.5, 1, Unit.ACTIVE_ENERGY, DataType.FLOAT32)
        self.add("1.0.17.8.0.255", float("nan"), 1, Unit.ACTIVE_ENERGY, DataType.FLOAT64)
        self.add("1.0.18.8.0.255", None, 1, Unit.ACTIVE_ENERGY, DataType.NONE)
        extended = GXDLMSExtendedRegister("1.0.1.6.0.255")
        extended.value, extended.scaler, extended.unit = 17, 100, Unit.ACTIVE_ENERGY
        extended.setDataType(2, DataType.UINT8)
        self.items.append(extended)
        for item in self.items:  # its own way of doing this fails
            association.objectList.append(item)
        self.initialize()

    def add(self, code: str, value: Any, scale: float, unit: Any, type_: Any) -> Any:
        register = GXDLMSRegister(code)
        register.value, register.scaler, register.unit = value, scale, unit
        register.setDataType(2, type_)
        self.items.append(register)
        return register

    def isTarget(self, server: int, client: int) -> bool:  # noqa: N802
        return server in (1, 0x4091) and client == 16

    def onValidateAuthentication(self, level: Any, password: Any) -> Any:  # noqa: N802
        if self._password and level == Authentication.NONE:
            return SourceDiagnostic.AUTHENTICATION_REQUIRED
        if self._password and bytes(password or b"") != self._password.encode():
            return SourceDiagnostic.AUTHENTICATION_FAILURE
        return SourceDiagnostic.NONE

    def onFindObject(self, type_: Any, sn: int, ln: str) -> Any:  # noqa: ARG002, N802
        return None

    def onGetAttributeAccess(self, arg: Any) -> Any:  # noqa: ARG002, N802
        return AccessMode.READ

    def onGetMethodAccess(self, arg: Any) -> Any:  # noqa: ARG002, N802
        return MethodAccessMode.NO_ACCESS

    def handleSnrmRequest(self, data: Any) -> None:  # noqa: ARG002, N802
        """Answer with the usual limits: the server's own way of doing this fails."""
        self.reset(True)
        self.generateDisconnectRequest()  # both answers say the same
        self.settings.connected = ConnectionState.HDLC

    def setTransaction(self, transaction: Any) -> None:  # noqa: N802
        self.transaction = transaction

    def _nothing(self, *_: Any) -> None:
        """Told of what happens; nothing is to be done."""

    onPreGet = onPostGet = onPreRead = onPostRead = onPreWrite = onPostWrite = _nothing  # noqa: N815
    onConnected = onInvalidConnection = onDisconnected = _nothing  # noqa: N815
    onPreAction = onPostAction = notifyRead = _nothing  # noqa: N815


class Reply(GXServerReply):  # type: ignore[misc]
    """The server asks for these, but its own class does not have them."""

    def setReply(self, reply: Any) -> None:  # noqa: N802
        self.reply = reply

    def getConnectionInfo(self) -> Any:  # noqa: N802
        return self.connectionInfo


def talk(meter: Meter, connection: socket.socket) -> None:
    """Serve one client until it goes."""
    meter.reset()
    while data := connection.recv(4096):
        reply = Reply(data)
        meter.handleRequest(reply)
        if reply.reply:
            connection.sendall(bytes(reply.reply))


def serve(kind: str, port: int, password: str) -> None:
    """Serve one client after another, until killed."""
    meter = Meter(kind, password)
    with socket.create_server(("127.0.0.1", port)) as listener:
        sys.stdout.write("ready\n")
        threading.Thread(target=change, args=(meter,), daemon=True).start()
        while True:
            connection, _ = listener.accept()
            with connection:
                talk(meter, connection)


def change(meter: Meter) -> None:
    """Take new values of the first register."""
    for line in sys.stdin:
        meter.first.value = int(line)
        sys.stdout.write("changed\n")


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]), sys.argv[3] if sys.argv[3:] else "")
