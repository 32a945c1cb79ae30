"""The commands that need no capability: init, serve, submit, sign, prove, verify, audit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from wattproof.cli.files import read_file
from wattproof.cli.host import Host, Opening
from wattproof.cli.output import EXIT_NO, JsonFlag, say, show_json
from wattproof.cli.remote import submit_to_url
from wattproof.core.errors import ErrorCode, Malformed, NotFound, WattProofError
from wattproof.core.periods import DEFAULT_ZONE
from wattproof.engines.folder import LOG_KEY, LedgerFolder
from wattproof.keys import cose
from wattproof.ledger.chain import Receipt
from wattproof.ledger.proof import make_proof
from wattproof.ledger.store import Entry, Store
from wattproof.ledger.transaction import encode_payload, new_nonce

__all__ = ["add_commands", "which_ledger"]

Output = Annotated[Path, typer.Option("-o", "--output", help="The file to write. / 输出文件。")]
Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The ledger's folder. / 账本目录。")]

BAD_ID = ErrorCode(
    Malformed,
    "cli.transaction_id",
    en="“{text}” is not a transaction id: 64 hexadecimal digits.",
    zh="“{text}”不是交易编号：应为 64 位十六进制数字。",
)
NO_TRANSACTION = ErrorCode(
    NotFound,
    "cli.no_transaction",
    en="The ledger has no transaction {id}.",
    zh="账本中没有交易 {id}。",
)
BAD_LEDGER_ID = ErrorCode(
    Malformed,
    "cli.ledger_id",
    en="“{text}” is not a ledger's id: 64 hexadecimal digits.",
    zh="“{text}”不是账本编号：应为 64 位十六进制数字。",
)
BAD_JSON = ErrorCode(
    Malformed,
    "cli.body",
    en="{path} is not a transaction in JSON (type, version, fields): {reason}.",
    zh="{path} 不是 JSON 格式的交易（type、version、fields）：{reason}。",
)


def add_commands(app: typer.Typer, host: Host) -> None:
    """Hang the commands into the application."""
    for add in (_add_init, _add_serve, _add_submit, _add_sign, _add_prove, _add_verify):
        add(app, host)


def _add_init(app: typer.Typer, host: Host) -> None:
    @app.command()
    def init(
        folder: Folder,
        name: Annotated[str, typer.Option(help="The ledger's name. / 账本名称。")] = "wattproof",
        organisation: Annotated[
            str, typer.Option(help="Who opens it. / 创建机构。")
        ] = "Ledger operator",
        uscc: Annotated[
            str, typer.Option(help="Its unified social credit code. / 统一社会信用代码。")
        ] = "",
        zone: Annotated[str, typer.Option(help="Default time zone. / 默认时区。")] = DEFAULT_ZONE,
        as_json: JsonFlag = False,
    ) -> None:
        """Open a new ledger in DIR. / 新建账本。"""
        opening = Opening(name=name, organisation=organisation, uscc=uscc, zone=zone)
        made = host.create(host.folder(folder), opening)
        if as_json:
            show_json(made)
            return
        say(f"A new ledger in {folder}.", f"已在 {folder} 新建账本。")
        for key, value in made.items():
            say(f"  {key}: {value}", f"  {key}：{value}")


def _add_serve(app: typer.Typer, host: Host) -> None:
    @app.command()
    def serve(
        folder: Folder,
        address: Annotated[
            str, typer.Option("--host", help="Address to listen on. / 监听地址。")
        ] = "127.0.0.1",
        port: Annotated[int, typer.Option(min=0, max=65535, help="Port. / 端口。")] = 8000,
        mqtt: Annotated[
            str, typer.Option(help="A broker to listen on, mqtt://HOST:PORT. / 消息代理。")
        ] = "",
    ) -> None:
        """Serve the ledger in DIR: node and API. / 启动节点与接口服务。"""
        host.serve(host.folder(folder), address, port, mqtt=mqtt)


def _add_submit(app: typer.Typer, host: Host) -> None:
    @app.command()
    def submit(
        target: Annotated[
            str, typer.Argument(metavar="DIR|URL", help="A ledger's folder, or a node's address.")
        ],
        files: Annotated[
            list[Path], typer.Argument(metavar="FILE...", help="Signed transactions.")
        ],
        as_json: JsonFlag = False,
    ) -> None:
        """Submit signed transactions and wait until they are durable. / 提交已签名的交易。"""
        raws = [read_file(path, limit=1 << 20) for path in files]
        if target.startswith(("http://", "https://")):
            answers = submit_to_url(target, raws)
        else:
            with host.folder(Path(target)).write() as writer:
                answers = [_answer(answer) for answer in writer.engine.submit_many(raws)]
        refused = sum("error" in answer for answer in answers)
        if as_json:
            show_json(
                [{"file": str(path), **answer} for path, answer in zip(files, answers, strict=True)]
            )
        else:
            for path, answer in zip(files, answers, strict=True):
                _say_answer(path, answer)
        if refused:
            raise typer.Exit(EXIT_NO)


def _answer(answer: Receipt | WattProofError) -> dict[str, Any]:
    if isinstance(answer, Receipt):
        return answer.view()
    return {"error": {"code": answer.code, "en": answer.text("en"), "zh": answer.text("zh")}}


def _say_answer(path: Path, answer: dict[str, Any]) -> None:
    error = answer.get("error")
    if error is not None:
        say(f"{path}: {error['en']} [{error['code']}]", f"{path}：{error['zh']} [{error['code']}]")
        return
    again = "" if answer["first"] else " (accepted before)"
    again_zh = "" if answer["first"] else "（此前已接受）"
    say(
        f"{path}: entry {answer['index']}, {answer['id']}{again}",
        f"{path}：条目 {answer['index']}，{answer['id']}{again_zh}",
    )


class _BodyFile(msgspec.Struct, forbid_unknown_fields=True):
    type: str
    version: int
    fields: dict[str, Any]


def _add_sign(app: typer.Typer, host: Host) -> None:
    @app.command()
    def sign(
        folder: Annotated[
            Path, typer.Argument(metavar="DIR", help="The folder with the keys. / 密钥所在目录。")
        ],
        key: Annotated[str, typer.Argument(metavar="KEY", help="A key in the store. / 密钥名。")],
        file: Annotated[
            Path,
            typer.Argument(
                metavar="FILE", help="JSON (type, version, fields), or a payload from the console."
            ),
        ],
        output: Output,
        ledger_id: Annotated[
            str,
            typer.Option(help="The ledger that it is for, where DIR has keys only. / 账本编号。"),
        ] = "",
    ) -> None:
        """Sign a transaction with a key of the store, also where no ledger is. / 签名交易。"""
        payload = _payload(host, file)
        ledger = host.folder(folder)
        aad = which_ledger(ledger, ledger_id)
        output.write_bytes(cose.sign(payload, ledger.keys().get(key), aad=aad))
        say(f"Signed into {output}.", f"已签名并写入 {output}。")


def _payload(host: Host, file: Path) -> bytes:
    """What is to be signed: a payload as it is, or one made of JSON; checked for its form."""
    data = read_file(file, limit=1 << 20)
    if data[:1] >= b"\x80":  # a CBOR array; JSON in UTF-8 begins with a character of ASCII
        host.machine.codec.body_of(data)
        return data
    try:
        body_file = msgspec.json.decode(data, type=_BodyFile)
        body = host.machine.codec.from_json(
            body_file.type, body_file.version, fields=body_file.fields
        )
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise BAD_JSON(path=str(file), reason=str(error)) from None
    return encode_payload(body, nonce=new_nonce())


def which_ledger(ledger: LedgerFolder, text: str) -> bytes:
    """The id of the ledger to sign for: that of `text` (hex), else that of the one in the folder.

    Raises `Malformed`, or `Unavailable` where neither is given.
    """
    if not text:
        store = ledger.read()
        try:
            return store.entry(0).id
        finally:
            store.close()
    try:
        id_ = bytes.fromhex(text)
    except ValueError:
        id_ = b""
    if len(id_) != 32:
        raise BAD_LEDGER_ID(text=text[:80])
    return id_


def _add_prove(app: typer.Typer, host: Host) -> None:
    @app.command()
    def prove(
        folder: Folder,
        transaction_id: Annotated[
            str, typer.Argument(metavar="TXID", help="64 hex digits, or an entry's number.")
        ],
        output: Annotated[
            Path, typer.Option("-o", "--output", help="The proof file. / 证明文件。")
        ],
        as_json: JsonFlag = False,
    ) -> None:
        """Write the proof of one transaction, checkable without the ledger. / 导出交易证明。"""
        ledger = host.folder(folder)
        store = ledger.read()
        try:
            with store.snapshot():
                entry = _find_entry(store, transaction_id)
                data = make_proof(store, entry, log_key=ledger.keys().get(LOG_KEY))
        finally:
            store.close()
        output.write_bytes(data)
        if as_json:
            show_json({"file": str(output), "bytes": len(data), "entry": entry.index})
        else:
            say(
                f"Proof of entry {entry.index} in {output}.",
                f"条目 {entry.index} 的证明：{output}。",
            )


def _find_entry(store: Store, text: str) -> Entry:
    """The entry with this transaction id in hex, or at this index."""
    if text.isdecimal() and len(text) <= 18:
        found = store.entries(int(text), 1)
        if not found or found[0].index != int(text):
            raise NO_TRANSACTION(id=text)
        return found[0]
    try:
        wanted = bytes.fromhex(text)
    except ValueError:
        raise BAD_ID(text=text[:80]) from None
    if len(wanted) != 32:
        raise BAD_ID(text=text[:80])
    entry = store.find_entry(wanted)
    if entry is None:
        raise NO_TRANSACTION(id=text)
    return entry


def _add_verify(app: typer.Typer, host: Host) -> None:
    @app.command()
    def verify(
        file: Annotated[
            Path,
            typer.Argument(
                metavar="FILE", help="A proof, or a statement with its proofs. / 证明文件。"
            ),
        ],
        ledger: Annotated[
            str, typer.Option(help="Only accept a proof of the ledger with this id (hex).")
        ] = "",
        as_json: JsonFlag = False,
    ) -> None:
        """Check a proof, offline, and show every step. / 离线验证证明并显示每一步。"""
        data = read_file(file, limit=host.verify_bytes)
        try:
            expected = bytes.fromhex(ledger) if ledger else None
        except ValueError:
            raise BAD_ID(text=ledger[:80]) from None
        verdict = host.verify(data, ledger_id=expected)
        if as_json:
            show_json(verdict)
        else:
            for step in verdict.steps:
                mark = "ok " if step.ok else "NO "
                code = f" [{step.code}]" if step.code else ""
                say(f"{mark} {step.name}: {step.en}{code}", f"{mark} {step.name}：{step.zh}{code}")
            say(
                "The proof holds." if verdict.ok else "The proof does not hold.",
                "证明成立。" if verdict.ok else "证明不成立。",
            )
        if not verdict.ok:
            raise typer.Exit(EXIT_NO)
