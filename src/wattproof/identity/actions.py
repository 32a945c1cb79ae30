"""What somebody may do next with a party or a device, and which devices wait for whom.

Who may take a step follows from the tables that are enforced; the rules themselves check it again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from wattproof.core.actor import Actor
from wattproof.identity.lifecycle import PARTY_TRANSITIONS, TRANSITIONS
from wattproof.identity.model import Device, Party

__all__ = ["DEVICE_ACTIONS", "PARTY_ACTIONS", "Action", "Queue", "device_actions", "party_actions",
           "queues"]  # fmt: skip


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """Something that may be done: its name, as in the address of its form, and its words.

    The short words are for a button in a list of devices that wait for it. `next` is true for a
    step towards a device that reports, `grave` for what cannot be undone.
    """

    name: str
    en: str
    zh: str
    short_en: str = ""
    short_zh: str = ""
    about_en: str
    about_zh: str
    next: bool = False
    grave: bool = False


def _actions(*actions: Action) -> Mapping[str, Action]:
    return {action.name: action for action in actions}


DEVICE_ACTIONS: Final = _actions(
    Action(
        name="authenticate",
        en="Authenticate this device",
        zh="认证该设备",
        short_en="Authenticate",
        short_zh="认证",
        about_en="Say what you relied on: a test report, a certificate of calibration, a photograph"
        " of the seal. Only the file's SHA-256 is signed; the file itself is not kept.",
        about_zh="请说明依据：检测报告、校准证书、封印照片等。签名的只是文件的 SHA-256，"
        "文件本身不予保存。",
        next=True,
    ),
    Action(
        name="confirm",
        en="Confirm that it is yours",
        zh="确认归本方所有",
        short_en="Confirm",
        short_zh="确权",
        about_en="You say that the device is yours and measures for you. From then on it reports.",
        about_zh="确认该设备归本方所有并为本方计量；确权之后设备即可上报。",
        next=True,
    ),
    Action(
        name="associate",
        en="Associate it",
        zh="关联计量点与供用方",
        short_en="Associate",
        short_zh="关联",
        about_en="Say at which point it measures, where that is, and between whom. What is said"
        " here takes the place of what was said before.",
        about_zh="说明设备在哪个计量点、哪个地区、为哪些供方和用方计量；新的内容将取代原有关联。",
        next=True,
    ),
    Action(
        name="suspend",
        en="Suspend it",
        zh="暂停设备",
        about_en="It cannot report until it is reinstated.",
        about_zh="恢复之前不能上报。",
    ),
    Action(
        name="reinstate",
        en="Reinstate it",
        zh="恢复设备",
        about_en="It may report again. An owner lifts only its own suspension.",
        about_zh="设备可重新上报。所有者只能解除自己作出的暂停。",
    ),
    Action(
        name="revoke",
        en="Revoke it for good",
        zh="永久注销设备",
        about_en="It will never report again, and its key cannot be used for another device.",
        about_zh="设备将永远不能再上报，其密钥也不能用于其他设备。",
        grave=True,
    ),
)
"""What is done with a device, in the order in which pages offer it."""

PARTY_ACTIONS: Final = _actions(
    Action(
        name="grant",
        en="Grant a role",
        zh="授予角色",
        about_en="A role says what a party may sign.",
        about_zh="角色决定主体可以签署什么。",
    ),
    Action(
        name="withdraw",
        en="Take a role away",
        zh="收回角色",
        about_en="What was signed before stays as it is.",
        about_zh="此前签署的内容不受影响。",
    ),
    Action(
        name="suspend",
        en="Suspend the party",
        zh="暂停主体",
        about_en="Its key signs nothing until it is reinstated.",
        about_zh="恢复之前，其密钥不能签署任何内容。",
    ),
    Action(
        name="reinstate",
        en="Reinstate the party",
        zh="恢复主体",
        about_en="Its key signs again.",
        about_zh="其密钥恢复签名效力。",
    ),
    Action(
        name="revoke",
        en="Revoke the party for good",
        zh="永久注销主体",
        about_en="Its key will never sign again.",
        about_zh="其密钥将永远失去签名效力。",
        grave=True,
    ),
)
"""What the registrar does with a party, in the order in which pages offer it."""

# Who takes which step, besides what the rules themselves check again.
_DEVICE_ROLES: Final = {
    "authenticate": ("metering_authority", "importer"),
    "associate": ("metering_authority",),
    "suspend": ("metering_authority", "registrar"),
    "reinstate": ("metering_authority", "registrar"),
    "revoke": ("metering_authority", "registrar"),
}
_OWNER: Final = ("confirm", "associate", "suspend", "reinstate", "revoke")


def device_actions(device: Device, actor: Actor) -> tuple[Action, ...]:
    """What `actor` may do with a device in its present status, the next step first."""
    allowed = {step.action for step in TRANSITIONS if device.status in step.sources}
    return tuple(
        action
        for name, action in DEVICE_ACTIONS.items()
        if name in allowed and _may(device, actor, name)
    )


def party_actions(party: Party, actor: Actor) -> tuple[Action, ...]:
    """What `actor` may do with a party in its present status."""
    if "registrar" not in actor.roles:
        return ()
    allowed = {step.action for step in PARTY_TRANSITIONS if party.status in step.sources}
    if party.status != "revoked":
        allowed.add("grant")
    if party.roles:
        allowed.add("withdraw")
    return tuple(action for name, action in PARTY_ACTIONS.items() if name in allowed)


class Queue(msgspec.Struct, frozen=True, kw_only=True):
    """Devices that wait for one step: how `DEVICES` is asked for them, and what else they need.

    `yours` says that the step is the asking party's own; else somebody else is waited for.
    """

    name: str
    index: str
    values: tuple[str, ...]
    yours: bool
    keep: Callable[[Device], bool] | None = None


def queues(actor: Actor) -> tuple[Queue, ...]:
    """What waits for `actor`, and what `actor` waits for, in the order of a device's life."""
    found: list[Queue] = []
    authority = "metering_authority" in actor.roles
    if authority:
        found.append(
            Queue(
                name="authenticate",
                index="status",
                values=("enrolled",),
                yours=True,
                keep=lambda device: _may(device, actor, "authenticate"),
            )
        )
    elif "importer" in actor.roles:
        found.append(_own(actor, "authenticate", "enrolled"))
    if actor.id:
        found.append(_own(actor, "confirm", "authenticated"))
        found.append(_own(actor, "associate", "active", ""))
        if "importer" not in actor.roles:
            found.append(_own(actor, "authority", "enrolled", yours=False))
    if authority:
        found.append(Queue(name="owners", index="status", values=("authenticated",), yours=False))
    return tuple(found)


def _own(actor: Actor, name: str, *values: str, yours: bool = True) -> Queue:
    return Queue(name=name, index="progress", values=(actor.id, *values), yours=yours)


def _may(device: Device, actor: Actor, action: str) -> bool:
    if action == "authenticate" and device.owner == actor.id and "importer" not in actor.roles:
        return False
    if any(role in actor.roles for role in _DEVICE_ROLES.get(action, ())):
        return True
    return action in _OWNER and device.owner == actor.id
