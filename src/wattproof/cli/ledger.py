"""The commands that need no capability: init, serve, submit, sign, prove, verify, audit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from wattproof.cli.host import Host, Opening
from wattproof.cli.output import EXIT_NO, JsonFlag, progress, say, show_json
from wattproof.cli.remote import submit_to_url
from wattproof.core.errors import ErrorCode, Malformed, NotFound, Unavailable, WattProofError
from wattproof.core.periods import DEFAULT_ZONE
from wattproof.engines.folder import LOG_KEY, LedgerFolder
from wattproof.keys import cose
from wattproof.ledger.chain import Receipt
from wattproof.ledger.fsck import AuditReport, audit
from wattproof.ledger.proof import MAX_PROOF_BYTES, make_proof, verify_proof
from wattproof.ledger.state import Reading
from wattproof.ledger.store import Entry, Store
from wattproof.ledger.transaction import encode_payload, new_nonce

__all__ = ["add_commands", "read_file"]

Output = Annotated[Path, typer.Option("-o", "--output", help="The file to write. / 输出文件。")]
Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The ledger's folder. / 账本目录。")]

NO_FILE = ErrorCode(
    Unavailable, "cli.no_file", en="There is no file {path}.", zh="文件 {path} 不存在。"
)
FILE_TOO_LARGE = ErrorCode(
    Malformed,
    "cli.file_too_large",
    en="{path} has more than {limit} bytes.",
    zh="{path} 超过 {limit} 字节。",
)
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
    for add in (_add_init, _add_serve, _add_submit, _add_sign, _add_prove, _add_verify, _add_audit):
        add(app, host)


def read_file(path: Path, *, limit: int) -> bytes:
    """A file's bytes; `Unavailable` where there is none, `Malformed` beyond `limit` bytes."""
    if not path.is_file():
        raise NO_FILE(path=str(path))
    if path.stat().st_size > limit:
        raise FILE_TOO_LARGE(path=str(path), limit=limit)
    return path.read_bytes()


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
    ) -> None:
        """Serve the ledger in DIR: node and API. / 启动节点与接口服务。"""
        host.serve(host.folder(folder), address, port)


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
        id_ = _hex_id(ledger_id) if ledger_id else _ledger_id(ledger)
        output.write_bytes(cose.sign(payload, ledger.keys().get(key), aad=id_))
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


def _hex_id(text: str) -> bytes:
    try:
        id_ = bytes.fromhex(text)
    except ValueError:
        id_ = b""
    if len(id_) != 32:
        raise BAD_LEDGER_ID(text=text[:80])
    return id_


def _ledger_id(ledger: LedgerFolder) -> bytes:
    store = ledger.read()
    try:
        return store.entry(0).id
    finally:
        store.close()


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


def _add_verify(app: typer.Typer, host: Host) -> None:  # noqa: ARG001
    @app.command()
    def verify(
        file: Annotated[Path, typer.Argument(metavar="FILE", help="A proof file. / 证明文件。")],
        ledger: Annotated[
            str, typer.Option(help="Only accept a proof of the ledger with this id (hex).")
        ] = "",
        as_json: JsonFlag = False,
    ) -> None:
        """Check a proof, offline, and show every step. / 离线验证证明并显示每一步。"""
        data = read_file(file, limit=MAX_PROOF_BYTES)
        try:
            expected = bytes.fromhex(ledger) if ledger else None
        except ValueError:
            raise BAD_ID(text=ledger[:80]) from None
        verdict = verify_proof(data, ledger_id=expected)
        if as_json:
            show_json(verdict)
        else:
            for step in verdict.steps:
                mark = "ok " if step.ok else "NO "
                say(f"{mark} {step.name}: {step.en}", f"{mark} {step.name}：{step.zh}")
            say(
                "The proof holds." if verdict.ok else "The proof does not hold.",
                "证明成立。" if verdict.ok else "证明不成立。",
            )
        if not verdict.ok:
            raise typer.Exit(EXIT_NO)


def _add_audit(app: typer.Typer, host: Host) -> None:
    @app.command(name="audit")
    def audit_command(folder: Folder, as_json: JsonFlag = False) -> None:
        """Replay the whole ledger and check every stored byte. / 重放并核对整个账本。"""
        report, conservation = _audit(host, host.folder(folder))
        if as_json:
            show_json(_audit_json(report, conservation))
        else:
            _say_audit(report, conservation)
        if not report.ok:
            raise typer.Exit(EXIT_NO)


def _audit(host: Host, ledger: LedgerFolder) -> tuple[AuditReport, dict[str, Any]]:
    store = ledger.read()
    conservation: dict[str, Any] = {}

    def finish(reading: Reading) -> None:
        conservation.update(host.conservation(reading))

    verifiers = []

    def check_many(ledger_id: bytes) -> Callable[[Any], Any]:
        verifiers.append(ledger.verifier(ledger_id))
        return verifiers[-1].check_many

    try:
        with progress("Replaying", "重放") as told:
            report = audit(store, host.machine, check_many=check_many, progress=told, finish=finish)
    finally:
        for verifier in verifiers:
            verifier.close()
        store.close()
    return report, conservation


def _audit_json(report: AuditReport, conservation: dict[str, Any]) -> dict[str, Any]:
    document: dict[str, Any] = {
        "ok": report.ok,
        "entries": report.entries,
        "root": report.root,
        "signatures": report.signatures,
        "conservation": conservation,
        "seconds": report.seconds,
    }
    if report.first_break is not None:
        document["first_break"] = report.first_break
    return document


def _say_audit(report: AuditReport, conservation: dict[str, Any]) -> None:
    if report.first_break is not None:
        found = report.first_break
        say(f"First break: {found.why} [{found.code}]", f"首个断点：{found.why_zh} [{found.code}]")
        return
    say(
        f"The ledger holds: {report.entries} entries, {report.signatures} signatures verified, "
        f"root {report.root}, in {report.seconds} s.",
        f"账本完好：{report.entries} 条记录，验证签名 {report.signatures} 个，"
        f"根 {report.root}，用时 {report.seconds} 秒。",
    )
    for asset, balance in conservation.items():
        say(f"  {asset}: {balance}", f"  {asset}：{balance}")
    if not conservation:
        say("  The book has no assets.", "  账簿中没有资产。")
