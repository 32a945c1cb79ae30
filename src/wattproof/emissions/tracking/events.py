"""What tracking makes happen; kept with the receipts of the transactions that caused it."""

from __future__ import annotations

from wattproof.ledger.machine import Event, event

__all__ = [
    "BindingDefined",
    "BindingRemoved",
    "Interrupt",
    "InterruptOver",
    "NodeEmitted",
    "NodeFactorEntered",
    "PortDefined",
    "PortRemoved",
    "ReportFiled",
    "ThresholdDefined",
    "ThresholdRemoved",
]


@event(
    "emissions.node.entered",
    en="Node {number} uses {value_ug} micrograms per base unit, entered by {entered_by}",
    zh="节点 {number} 采用每基本单位 {value_ug} 微克，录入人 {entered_by}",
)
class NodeFactorEntered(Event):
    """A node has a factor of its own from `from_s` on."""

    number: int
    factor: str
    value_ug: int
    entered_by: str
    from_s: int


@event(
    "emissions.node.emitted",
    en="Node {number} emitted {emission_g} g by its own account",
    zh="节点 {number} 自报排放 {emission_g} 克",
)
class NodeEmitted(Event):
    """The emission of a packet as its node said it; the readings' grams are in the packet.

    `catch_up_g` is what the node's emission register gained since the packet before. `fault` is
    empty where the node's arithmetic holds, else what is wrong: ``arithmetic`` (the readings'
    grams do not follow from amounts and factor), ``register`` (its emission register does not go
    on from the packet before as amounts and factor say).
    """

    number: int
    emission_g: int
    factor: str
    value_ug: int
    catch_up_g: int = 0
    fault: str = ""


@event(
    "emissions.port.defined",
    en="Port {port} of {host} is {device}",
    zh="{host} 的端口 {port} 为 {device}",
)
class PortDefined(Event):
    """A host gave a node the number of a port."""

    host: str
    port: int
    device: str


@event(
    "emissions.port.removed",
    en="Port {port} of {host} is free",
    zh="{host} 的端口 {port} 已释放",
)
class PortRemoved(Event):
    """The number of a port is free again."""

    host: str
    port: int


@event(
    "emissions.binding.defined",
    en="Group {group} of {host} binds {text}",
    zh="{host} 的第 {group} 组绑定 {text}",
)
class BindingDefined(Event):
    """Ports are compared from now on; `text` is the binding as it is typed."""

    host: str
    group: int
    text: str


@event(
    "emissions.binding.removed",
    en="Group {group} of {host} is released",
    zh="{host} 的第 {group} 组已解除绑定",
)
class BindingRemoved(Event):
    """A binding is gone, and its lines with it."""

    host: str
    group: int


@event(
    "emissions.threshold.defined",
    en="Group {group} of {host} is watched by set {set}",
    zh="{host} 的第 {group} 组已启用第 {set} 套阈值",
)
class ThresholdDefined(Event):
    """Windows that begin from `from_s` on are watched."""

    host: str
    group: int
    set: int
    from_s: int


@event(
    "emissions.threshold.removed",
    en="Group {group} of {host} is no longer watched by set {set}",
    zh="{host} 的第 {group} 组已停用第 {set} 套阈值",
)
class ThresholdRemoved(Event):
    """A set of lines is gone."""

    host: str
    group: int
    set: int


@event(
    "emissions.interrupt",
    en="Interrupt {interrupt} of {host}: group {group} crossed line {line} of set {set}",
    zh="{host} 的第 {interrupt} 号中断：第 {group} 组越过第 {set} 套第 {line} 条阈值",
)
class Interrupt(Event):
    """The error of a window is beyond a line that it had not been beyond before."""

    host: str
    interrupt: int
    group: int
    set: int
    line: int
    start_s: int
    end_s: int
    left: int
    right: int


@event(
    "emissions.interrupt_over",
    en="Interrupt {interrupt} of {host} is over: group {group} is within line {line} of set {set}",
    zh="{host} 的第 {interrupt} 号中断已恢复：第 {group} 组回到第 {set} 套第 {line} 条阈值以内",
)
class InterruptOver(Event):
    """The error came back within the line; the window is the first one that did."""

    host: str
    interrupt: int
    group: int
    set: int
    line: int
    start_s: int
    end_s: int
    left: int
    right: int


@event(
    "emissions.report.filed",
    en="Error report {report} of {host}, group {group}, is on the ledger",
    zh="{host} 第 {group} 组的第 {report} 号误差报告已入账",
)
class ReportFiled(Event):
    """The digest of an error report is on the ledger."""

    host: str
    report: int
    group: int
