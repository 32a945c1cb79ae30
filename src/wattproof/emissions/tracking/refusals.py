"""Why a node's packet, a port, a binding, a line or a report is refused."""

from __future__ import annotations

from wattproof.core.errors import Conflict, ErrorCode, Malformed, NotFound, OverLimit, Unauthorised

__all__ = [
    "BINDING_UNKNOWN",
    "DEVICE_NOT_YOURS",
    "ENTRIES_AHEAD",
    "FACTOR_NOT_IN_FORCE",
    "FACTOR_VALUE",
    "GROUP_TAKEN",
    "LENGTH",
    "LINE_ZERO_STEP",
    "NODE_EXPECTED",
    "NODE_OWN_FACTOR",
    "NOT_A_NODE",
    "NOT_YOUR_REPORT",
    "PART_TAKEN",
    "PORT_BOUND",
    "PORT_REPEATED",
    "PORT_TAKEN",
    "PORT_TWICE",
    "PORT_UNKNOWN",
    "PREDICTION_MISPLACED",
    "PREDICTION_MISSING",
    "QUANTITIES_DIFFER",
    "REPORT_PERIOD",
    "SYNTAX",
    "THRESHOLD_UNKNOWN",
    "TOO_MANY_FACTORS",
    "TOO_MANY_WATCHES",
]

LENGTH = ErrorCode(
    Malformed,
    "emissions.node_length",
    en="{emissions} emissions do not go with {readings} readings.",
    zh="{emissions} 个排放值与 {readings} 个读数不对应。",
)
FACTOR_NOT_IN_FORCE = ErrorCode(
    Conflict,
    "emissions.node_factor",
    en="{device} has not entered the factor {value_ug} for readings from {start_s:time} on.",
    zh="{device} 未为 {start_s:time} 起的读数录入排放因子 {value_ug}。",
)
FACTOR_VALUE = ErrorCode(
    Conflict,
    "emissions.node_factor_value",
    en="Factor {factor} is {published} micrograms per base unit on the ledger, not {value_ug}.",
    zh="账本上的排放因子 {factor} 为每基本单位 {published} 微克，而非 {value_ug}。",
)
NODE_EXPECTED = ErrorCode(
    Conflict,
    "emissions.node_expected",
    en="Meter {number} emits by itself; a packet without its emission is not taken.",
    zh="表计 {number} 自行计算排放，不接受未附排放的数据包。",
)
NODE_OWN_FACTOR = ErrorCode(
    Conflict,
    "emissions.node_own_factor",
    en="{device} emits with a factor of its own; none can be assigned to it.",
    zh="{device} 采用自有排放因子，不能再为其指定。",
)
NOT_A_NODE = ErrorCode(
    Conflict,
    "emissions.not_a_node",
    en="{device} has a factor assigned on the ledger; it cannot emit by itself as well.",
    zh="{device} 已在账本上指定排放因子，不能再自行计算排放。",
)
TOO_MANY_FACTORS = ErrorCode(
    OverLimit,
    "emissions.node_factors",
    en="{device} has {limit} factors in force or to come; more are not taken.",
    zh="{device} 生效中及将生效的排放因子已达 {limit} 个上限。",
)
PORT_TAKEN = ErrorCode(
    Conflict,
    "emissions.port_taken",
    en="Port {port} is {device} already.",
    zh="端口 {port} 已分配给 {device}。",
)
PORT_UNKNOWN = ErrorCode(
    NotFound,
    "emissions.port_unknown",
    en="There is no port {port}.",
    zh="没有端口 {port}。",
)
PORT_BOUND = ErrorCode(
    Conflict,
    "emissions.port_bound",
    en="Port {port} is bound in group {group}.",
    zh="端口 {port} 已绑定在第 {group} 组。",
)
DEVICE_NOT_YOURS = ErrorCode(
    Unauthorised,
    "emissions.port_device",
    en="{host} neither owns {device} nor stands beside it on its metering point.",
    zh="{host} 既非 {device} 的所有者，也不在其计量点任一侧。",
)
PORT_TWICE = ErrorCode(
    Malformed,
    "emissions.port_both_sides",
    en="Port {port} stands on both sides.",
    zh="端口 {port} 同时出现在两侧。",
)
PORT_REPEATED = ErrorCode(
    Malformed,
    "emissions.port_repeated",
    en="Port {port} stands twice on one side.",
    zh="端口 {port} 在同一侧重复出现。",
)
QUANTITIES_DIFFER = ErrorCode(
    Conflict,
    "emissions.port_quantity",
    en="Port {port} measures {quantity}, port {first} {other}: bind their emissions instead.",
    zh="端口 {port} 计量 {quantity}，端口 {first} 计量 {other}：可改为绑定排放量。",
)
PREDICTION_MISSING = ErrorCode(
    Conflict,
    "emissions.prediction_missing",
    en="Port {port} on the left is not a prediction: it measures {quantity}.",
    zh="左侧端口 {port} 不是预测量：其计量为 {quantity}。",
)
PREDICTION_MISPLACED = ErrorCode(
    Conflict,
    "emissions.prediction_misplaced",
    en="Port {port} is a prediction ({quantity}) and cannot stand there.",
    zh="端口 {port} 为预测量（{quantity}），不能放在此处。",
)
GROUP_TAKEN = ErrorCode(
    Conflict,
    "emissions.group_taken",
    en="Group {group} is bound already: {text}.",
    zh="第 {group} 组已绑定：{text}。",
)
PART_TAKEN = ErrorCode(
    Conflict,
    "emissions.groups_overlap",
    en="Port {port} is a part of the total in group {group} already.",
    zh="端口 {port} 已是第 {group} 组总量的组成部分。",
)
BINDING_UNKNOWN = ErrorCode(
    NotFound,
    "emissions.binding_unknown",
    en="No ports are bound in group {group}.",
    zh="第 {group} 组没有绑定。",
)
THRESHOLD_UNKNOWN = ErrorCode(
    NotFound,
    "emissions.threshold_unknown",
    en="Group {group} has no set {set} of lines.",
    zh="第 {group} 组没有第 {set} 套阈值。",
)
TOO_MANY_WATCHES = ErrorCode(
    OverLimit,
    "emissions.watches",
    en="{limit} sets of lines look at port {port} already.",
    zh="端口 {port} 已有 {limit} 套阈值监视。",
)
LINE_ZERO_STEP = ErrorCode(
    Malformed,
    "emissions.window_offset",
    en="The offset {offset_s} is not less than the window of {step_s} seconds.",
    zh="偏移 {offset_s} 应小于窗口长度 {step_s} 秒。",
)
NOT_YOUR_REPORT = ErrorCode(
    Unauthorised,
    "emissions.report_host",
    en="Only {host} or a registrar files its reports.",
    zh="只有 {host} 或登记机构可以提交其报告。",
)
REPORT_PERIOD = ErrorCode(
    Malformed,
    "emissions.report_filed_period",
    en="The report must end after it begins.",
    zh="报告的结束时间须晚于起始时间。",
)
ENTRIES_AHEAD = ErrorCode(
    Conflict,
    "emissions.report_entries",
    en="The report is of {entries} log entries, but there are only {size}.",
    zh="报告依据 {entries} 条日志，而日志只有 {size} 条。",
)
SYNTAX = ErrorCode(
    Malformed,
    "emissions.binding_syntax",
    en="{text!r} is not a binding such as 1-3/4-7: group, left ports, right ports.",
    zh="“{text}”不是绑定写法，例如 1-3/4-7：组号-左侧端口-右侧端口。",
)
