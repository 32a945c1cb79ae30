"""A node as it runs: the agent, its sender, and what stands beside the meter, put together."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import Final

from wattproof.core.errors import ErrorCode, Unavailable, WattProofError
from wattproof.core.language import language
from wattproof.edge.agent import Agent
from wattproof.edge.changes import FACTOR, withdraw
from wattproof.edge.config import Config
from wattproof.edge.display import Display, open_display
from wattproof.edge.factors import Typing
from wattproof.edge.keyfile import read_key
from wattproof.edge.keypad import Keypad, open_device
from wattproof.edge.lamp import Lamp
from wattproof.edge.link import Answer, Link
from wattproof.edge.page import Page
from wattproof.edge.payments import is_payment
from wattproof.edge.queue import Queue, Waiting
from wattproof.edge.send_http import HttpLink
from wattproof.edge.sender import Sender
from wattproof.edge.status import Status, status_of
from wattproof.keys.ed25519 import SigningKey

__all__ = ["open_link", "open_queue", "run_node"]

MAX_PASSWORD_BYTES: Final = 1_024

NO_PASSWORD = ErrorCode(
    Unavailable,
    "edge.password_file",
    en="The password file {path} cannot be read: {reason}.",
    zh="无法读取密码文件 {path}：{reason}。",
)


def open_queue(config: Config) -> Queue:
    """The node's queue. Raises `Unavailable`."""
    return Queue(config.path(config.queue.path), capacity=config.queue.capacity)


def open_link(config: Config, key: SigningKey) -> Link:
    """The way to the host that the settings name. Raises `Unavailable`."""
    send = config.send
    if send.url is not None:
        return HttpLink(send.url, timeout_s=send.timeout_s)
    from wattproof.edge.send_mqtt import MqttLink

    assert send.mqtt is not None, "checked when read"
    return MqttLink(
        send.mqtt,
        ledger_id=config.ledger_id,
        public=key.public,
        timeout_s=send.timeout_s,
        user=send.user,
        password=_password(config.path(send.password_file)) if send.password_file else "",
    )


def run_node(
    config: Config,
    *,
    announce: Callable[[str], None],
    clock_ns: Callable[[], int] = time.time_ns,
) -> None:
    """Run the node until SIGTERM or SIGINT, then end in order: what was read is kept.

    `announce` is told the page's address, or an empty text, once it runs. Raises `WattProofError`
    where the key, the queue, the page or a device cannot be used.
    """
    key = read_key(config.path(config.node.key))
    with ExitStack() as open_:
        queue = open_.enter_context(open_queue(config))
        queue.told = _say_fault
        display = _display(config)
        if display is not None:
            open_.callback(display.close)
        sender = Sender(
            queue,
            open_link(config, key),
            clock=lambda: clock_ns() // 10**9,
            batch=config.send.batch,
            set_aside=lambda item, answer: _withdraw(queue, item, answer),
            failed=lambda: agent.stop(),
        )
        open_.callback(sender.stop)
        agent = Agent(
            config, key=key, queue=queue, display=display, clock_ns=clock_ns, made=sender.wake
        )
        _keypad(config, agent, queue, open_)
        url = _page(config, agent, queue, open_)
        for number in (signal.SIGTERM, signal.SIGINT):
            before = signal.signal(number, _stopper(agent))
            open_.callback(signal.signal, number, before)
        sender.start()
        announce(url)
        agent.run()
        if sender.failure is not None:
            raise sender.failure


def _say_fault(fault: Mapping[str, str]) -> None:
    """A line for the system's journal, when something new is wrong."""
    sys.stderr.write(f"{fault[language()]} [{fault['code']}]\n")


def _stopper(agent: Agent) -> Callable[[int, FrameType | None], None]:
    return lambda _number, _frame: agent.stop()


def _withdraw(queue: Queue, item: Waiting, answer: Answer) -> None:
    """A refused factor entry is taken back at the node too; a refused payment is worth a line."""
    if is_payment(item.what):
        _say_fault({"code": answer.code, "en": answer.en, "zh": answer.zh})
    what, _, from_s = item.what.partition(" ")
    if what == FACTOR:
        withdraw(queue, from_s=int(from_s))


def _display(config: Config) -> Display | None:
    return None if config.display is None else open_display(config, config.display)


def _page(config: Config, agent: Agent, queue: Queue, open_: ExitStack) -> str:
    """The page's address, or an empty text where there is none."""
    if config.page is None:
        return ""

    def status() -> Status:
        return status_of(config, queue, now_s=agent.now_s)

    page = Page(
        address=config.page.address,
        port=config.page.port,
        zone=config.node.zone,
        status=status,
        enter=agent.enter,
    )
    open_.callback(page.close)
    return page.url


def _keypad(config: Config, agent: Agent, queue: Queue, open_: ExitStack) -> None:
    """Keys to the machine, choices to the agent, and what came of them to the lamp."""
    lamp = None if config.lamp is None else Lamp(config.lamp.pin)
    if lamp is not None:
        open_.callback(lamp.close)
    settings = config.keypad
    if settings is None:
        return
    typing = Typing(
        quantity=config.node.quantity,
        unit=settings.unit,
        table=settings.table,
        forget_s=settings.forget_s,
    )

    def pressed(key: str) -> None:
        try:
            choice = typing.press(key, now_s=agent.now_s)
            if choice is None:
                return
            agent.enter(choice, by=settings.by)
        except WattProofError as wrong:
            queue.note_fault("keypad", wrong, at_s=agent.now_s)
            if lamp is not None:
                lamp.refused()
        else:
            queue.clear_fault("keypad")
            if lamp is not None:
                lamp.accepted()

    def lost(error: WattProofError) -> None:
        queue.note_fault("keypad", error, at_s=agent.now_s)

    path = config.path(settings.device)
    keypad = Keypad(open_device(path), pressed=pressed, lost=lost, path=path)
    open_.callback(keypad.close)


def _password(path: Path) -> str:
    try:
        return path.read_bytes()[:MAX_PASSWORD_BYTES].decode().strip()
    except (OSError, UnicodeDecodeError) as failed:
        raise NO_PASSWORD(path=path, reason=str(failed)) from None
