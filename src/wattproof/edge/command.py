"""``wattproof edge``: run a node, and everything that a person does at one.

This module and what it imports know keys and units alone, not the ledger: a small machine beside a
meter need not carry the rest of the house. Exit 0, 1 (the answer is no) or 2 (could not be done).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn

import msgspec
import typer

from wattproof.core.errors import ErrorCode, Lang, Malformed, NotFound, Refused, WattProofError
from wattproof.core.language import language
from wattproof.core.units import parse_decimal
from wattproof.edge.changes import enter_factor, same_meter, swap_meter
from wattproof.edge.clock import take_back
from wattproof.edge.config import read_config
from wattproof.edge.factors import looked_up, typed, unit_of
from wattproof.edge.keyfile import make_key, read_key
from wattproof.edge.link import verdict
from wattproof.edge.money import parse_fen, show_fen
from wattproof.edge.packets import Pay, enrolment_payload, sign, transaction_id
from wattproof.edge.pay import pay
from wattproof.edge.payments import Payment
from wattproof.edge.queue import Queue
from wattproof.edge.running import open_link, open_queue, run_node
from wattproof.edge.source import Sample
from wattproof.edge.sources.table import open_source
from wattproof.edge.status import lines_of, payment_lines, status_of
from wattproof.keys.did import did_of

__all__ = ["APP", "main"]

EXIT_NO: Final = 1
EXIT_BAD_CALL: Final = 2
NOW_NS: Final = 10**9
LANGS: Final[tuple[Lang, Lang]] = ("en", "zh")
LOOK_S: Final = 0.2
"""How often it is looked whether a payment was answered, in seconds."""

ONE_OF = ErrorCode(
    Malformed,
    "edge.command.one_of",
    en="Give one of {names}.",
    zh="请给出 {names} 中的一个。",
)
NO_OWNER = ErrorCode(
    Malformed,
    "edge.command.owner",
    en="[node] owner must name the party that the device belongs to.",
    zh="[node] owner 须为设备所属主体。",
)
NO_REFUSED = ErrorCode(
    NotFound,
    "edge.command.refused",
    en="No refused transaction has the number {number}.",
    zh="没有编号为 {number} 的被拒交易。",
)
NOT_TAKEN = ErrorCode(
    Refused,
    "edge.command.not_taken",
    en="The host does not take it: {reason} [{code}]",
    zh="主机未接受：{reason_zh} [{code}]",
)

APP: Final = typer.Typer(
    name="wattproof edge",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="The agent beside a meter. / 表旁代理。",
)

ConfigPath = Annotated[
    Path, typer.Argument(metavar="CONFIG", help="The node's settings (TOML). / 节点设置文件。")
]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON document. / 输出 JSON。")]


@APP.command()
def run(config: ConfigPath, as_json: JsonFlag = False) -> None:
    """Read, queue and send until told to stop. / 运行节点。"""
    settings = read_config(config)

    def announce(url: str) -> None:
        if as_json:
            _show_json({"node": settings.node.id, "page": url})
        else:
            at = f", {url}" if url else ""
            _say(f"Node {settings.node.id} runs{at}.", f"节点 {settings.node.id} 已运行{at}。")

    run_node(settings, announce=announce)


@APP.command()
def key(config: ConfigPath, as_json: JsonFlag = False) -> None:
    """Make the node's key, or show whose it is. / 生成或查看节点密钥。"""
    settings = read_config(config)
    path = settings.path(settings.node.key)
    made = not path.exists()
    found = make_key(path) if made else read_key(path)
    if as_json:
        _show_json({"public": found.public.hex(), "did": did_of(found.public), "made": made})
    else:
        _say(did_of(found.public), did_of(found.public))


@APP.command()
def enrol(config: ConfigPath, as_json: JsonFlag = False) -> None:
    """Apply at the host to be a device of the owner. / 向主机申请登记设备。"""
    settings = read_config(config)
    if not settings.node.owner:
        raise NO_OWNER()
    signer = read_key(settings.path(settings.node.key))
    raw = sign(enrolment_payload(settings.node), signer, ledger_id=settings.ledger_id)
    link = open_link(settings, signer)
    try:
        answer = link.send([raw])[0]
    finally:
        link.close()
    if verdict(answer) != "taken":
        raise NOT_TAKEN(code=answer.code, reason=answer.en, reason_zh=answer.zh)
    if as_json:
        _show_json({"id": transaction_id(raw).hex(), "entry": answer.entry})
    else:
        _say(
            f"{settings.node.id} is enrolled (entry {answer.entry}); it has to be authenticated"
            " and confirmed before it may report.",
            f"{settings.node.id} 已登记（条目 {answer.entry}）；上报前须经认证和确认。",
        )


@APP.command()
def status(config: ConfigPath, as_json: JsonFlag = False) -> None:
    """How the node is: reading, queue, payments, faults. Exit 1 where there is a fault. / 状态。"""
    settings = read_config(config)
    with open_queue(settings) as queue:
        found = status_of(settings, queue, now_s=_now_s())
    if as_json:
        _show_json(found)
    else:
        zone = settings.node.zone
        rows = lines_of(found, zone=zone, lang=language())
        for what, how in rows + payment_lines(found, zone=zone, lang=language()):
            _say(f"{what}: {how}", f"{what}：{how}")
    if found.faults:
        raise typer.Exit(EXIT_NO)


@APP.command()
def factor(
    config: ConfigPath,
    by: Annotated[str, typer.Option(help="Who enters it. / 录入人。")],
    id_: Annotated[
        str, typer.Option("--id", help="A packaged factor, ID@VERSION. / 随包因子。")
    ] = "",
    value: Annotated[str, typer.Option(help="A value instead. / 或数值。")] = "",
    unit: Annotated[str, typer.Option(help="Its unit, kgCO2e/kWh. / 单位。")] = "",
    as_json: JsonFlag = False,
) -> None:
    """Enter a factor, in force from the next reading on. / 录入排放因子。"""
    settings = read_config(config)
    if bool(id_) == bool(value):
        raise ONE_OF(names="--id, --value")
    quantity = settings.node.quantity
    if id_:
        choice = looked_up(id_, quantity=quantity)
    else:
        choice = typed(value, unit=unit or unit_of(quantity), quantity=quantity)
    signer = read_key(settings.path(settings.node.key))
    with open_queue(settings) as queue:
        entered = enter_factor(queue, settings, signer, choice, by=by, now_s=_now_s())
    if as_json:
        _show_json(entered)
    else:
        _say(
            f"{entered.value} {entered.unit} is in force from {entered.from_s} on.",
            f"{entered.value} {entered.unit} 自 {entered.from_s} 起生效。",
        )


@APP.command("pay")
def pay_command(
    config: ConfigPath,
    amount: Annotated[str, typer.Option(help="How much, such as 12.50. / 金额，如 12.50。")],
    to: Annotated[str, typer.Option(help="Into this account. / 收款账户。")] = "",
    to_device: Annotated[
        str, typer.Option("--to-device", help="Into this device's wallet. / 收款设备。")
    ] = "",
    asset: Annotated[str, typer.Option(help="Which money. / 货币。")] = "CNY",
    memo: Annotated[str, typer.Option(help="What the payee reads. / 附言。")] = "",
    wait: Annotated[
        int, typer.Option(min=0, max=3600, help="Seconds to wait for the host. / 等待秒数。")
    ] = 0,
    as_json: JsonFlag = False,
) -> None:
    """Pay out of the node's wallet; the running node sends it. / 从节点钱包付款。"""
    settings = read_config(config)
    if bool(to) == bool(to_device):
        raise ONE_OF(names="--to, --to-device")
    what = Pay(target=to, to_device=to_device, asset=asset, fen=parse_fen(amount), memo=memo)
    signer = read_key(settings.path(settings.node.key))
    with open_queue(settings) as queue:
        made = _settled(queue, pay(queue, settings, signer, what, now_s=_now_s()), wait_s=wait)
    if made.state == "refused":
        raise NOT_TAKEN(code=made.code, reason=made.en, reason_zh=made.zh)
    if as_json:
        _show_json(made)
        return
    en, zh = (show_fen(made.fen, asset, lang) for lang in LANGS)
    payee = to or to_device
    if made.state == "paid":
        _say(f"Payment {made.number}: {en} to {payee} is paid (entry {made.entry}).",
             f"付款 {made.number}：{zh} → {payee} 已付（条目 {made.entry}）。")  # fmt: skip
        return
    _say(
        f"Payment {made.number}: {en} to {payee} waits to be sent; wattproof edge status says what"
        " becomes of it.",
        f"付款 {made.number}：{zh} → {payee} 待发送；结果见 wattproof edge status。",
    )


def _settled(queue: Queue, made: Payment, *, wait_s: int) -> Payment:
    """The payment once the host has answered, or as it is after `wait_s`."""
    end_s = time.monotonic() + wait_s
    while made.state == "waiting" and time.monotonic() < end_s:
        time.sleep(LOOK_S)
        made = queue.payments.with_id(bytes.fromhex(made.id)) or made
    return made


@APP.command()
def swap(
    config: ConfigPath,
    opening: Annotated[str, typer.Option(help="What the new meter shows. / 新表底数。")] = "",
    closing: Annotated[str, typer.Option(help="What the old one showed. / 旧表底数。")] = "",
    unit: Annotated[str, typer.Option(help="The unit of both. / 单位。")] = "",
    same_meter_: Annotated[
        bool, typer.Option("--same-meter", help="It was not exchanged. / 未换表。")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Declare that the meter was exchanged, or that it was not. / 申报换表。"""
    settings = read_config(config)
    if bool(opening) == same_meter_:
        raise ONE_OF(names="--opening, --same-meter")
    now_s = _now_s()
    with open_queue(settings) as queue:
        if same_meter_:
            state = same_meter(queue)
        else:
            if not unit:
                raise ONE_OF(names="--unit")
            signer = read_key(settings.path(settings.node.key))
            before, began = (
                Sample(time_s=now_s, value=parse_decimal(text or "0"), unit=unit)
                for text in (closing, opening)
            )
            state = swap_meter(
                queue, settings, signer, closing=before if closing else None, opening=began
            )
    if as_json:
        _show_json({"at_s": now_s, "register": state.closing, "owed": state.owed})
    elif same_meter_:
        _say("The register goes on.", "表底数继续累计。")
    else:
        _say(
            f"The new register begins at {state.closing} base units. The owner declares the"
            f" exchange on the ledger (metering.replace, at {now_s}).",
            f"新表底数为 {state.closing} 个基本单位。请所有者在账本上申报换表"
            f"（metering.replace，时刻 {now_s}）。",
        )


@APP.command()
def clock(config: ConfigPath, as_json: JsonFlag = False) -> None:
    """The clock was ahead: take back what is dated in the future. / 时钟曾超前。"""
    settings = read_config(config)
    with open_queue(settings) as queue:
        count = take_back(queue, now_s=_now_s(), interval_s=settings.node.interval_s)
    if as_json:
        _show_json({"set_aside": count})
    else:
        _say(
            f"{count} transactions are set aside; the next reading makes up for them.",
            f"已将 {count} 条交易移出；下一个读数会补足其计量。",
        )


@APP.command()
def read(config: ConfigPath, as_json: JsonFlag = False) -> None:
    """Read the source once, and keep nothing. / 试读一次。"""
    settings = read_config(config)
    source = open_source(settings.source)
    try:
        sample = source.read()
    finally:
        source.close()
    if as_json:
        _show_json({"mode": source.mode, "sample": sample})
    else:
        doubt = f" ({sample.doubt})" if sample.doubt else ""
        text = f"{sample.value} {sample.unit}{doubt}"
        _say(text, text)


@APP.command()
def refused(
    config: ConfigPath,
    again: Annotated[int, typer.Option(help="Send this one again. / 重发该编号。")] = 0,
    forget: Annotated[int, typer.Option(help="Forget this one. / 删除该编号。")] = 0,
    skip: Annotated[
        bool, typer.Option("--skip", help="Set the one that waits first aside. / 跳过队首。")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """What the host refused for good, kept for a person. / 被拒交易。"""
    settings = read_config(config)
    with open_queue(settings) as queue:
        if skip:
            for item in queue.first(1):
                queue.set_aside(
                    item, code="edge.skipped", en="Set aside by hand.", zh="人工跳过。",
                    at_s=_now_s(),
                )  # fmt: skip
        for number, act in ((again, queue.send_again), (forget, queue.forget_refused)):
            if number and not act(number):
                raise NO_REFUSED(number=number)
        rows = queue.refused()
    if as_json:
        _show_json(rows)
        return
    for row in rows:
        _say(
            f"{row.position} {row.what}: {row.en} [{row.code}]",
            f"{row.position} {row.what}：{row.zh} [{row.code}]",
        )
    if not rows:
        _say("Nothing was refused.", "没有被拒交易。")


@APP.command()
def dial(
    config: ConfigPath,
    confirm: Annotated[str, typer.Option(help="Confirm this picture. / 确认该图片。")] = "",
    value: Annotated[str, typer.Option(help="What it shows, if another. / 更正读数。")] = "",
    discard: Annotated[str, typer.Option(help="Throw this one away. / 丢弃该图片。")] = "",
    as_json: JsonFlag = False,
) -> None:
    """Doubtful pictures of a dial, kept for a person. / 表盘的存疑图片。"""
    from wattproof.edge.dial.answers import answer, folder_of  # needs the extra `ocr`

    source = read_config(config).source
    if value and not confirm:
        raise ONE_OF(names="--confirm")
    kept = answer(source, confirmed=confirm, value=value, discarded=discard)
    if as_json:
        _show_json(kept)
        return
    for one in kept:
        if one.answer:
            _say(f"{one.id}: {one.answer} (confirmed)", f"{one.id}：{one.answer}（已确认）")
        else:
            _say(
                f"{one.id}: {one.read or '?'} ({one.confidence} %): {one.why}",
                f"{one.id}：{one.read or '?'}（{one.confidence} %）：{one.why_zh}",
            )
    if not kept:
        _say("No picture is in doubt.", "没有存疑图片。")
    else:
        _say(f"They lie in {folder_of(source)}.", f"图片位于 {folder_of(source)}。")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command line; never a traceback."""
    given = list(sys.argv[2:] if arguments is None else arguments)
    try:
        APP(args=given, prog_name="wattproof edge")
    except WattProofError as error:
        _fail(error, as_json="--json" in given)


def _fail(error: WattProofError, *, as_json: bool) -> NoReturn:
    """End with one sentence and the error's code: exit 1 when refused, else 2."""
    if as_json:
        _show_json({"error": {"code": error.code, "en": error.text("en"), "zh": error.text("zh")}})
    sys.stderr.write(f"{error.text(language())} [{error.code}]\n")
    raise SystemExit(EXIT_NO if isinstance(error, Refused) else EXIT_BAD_CALL)


def _show_json(value: Any) -> None:
    sys.stdout.write(msgspec.json.encode(value, enc_hook=str).decode() + "\n")
    sys.stdout.flush()


def _say(en: str, zh: str) -> None:
    sys.stdout.write((zh if language() == "zh" else en) + "\n")
    sys.stdout.flush()


def _now_s() -> int:
    return time.time_ns() // NOW_NS
