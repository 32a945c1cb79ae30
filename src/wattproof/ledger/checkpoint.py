"""The signed head of the log: C2SP tlog-checkpoint.

    example.org/ledger              origin: which log
    20852163                        size: how many entries
    CsUYapGGPo4dkMgIAU...           root of the Merkle tree of that size, in base64
    app 47DEQpj8HBSa+/T... 5120     extension lines, here ours: app hash in base64, height

    — example.org/ledger Az3grlgt...

It is a `ledger.note` whose key name is the origin. Our extension line binds the state to the log:
the app hash and the height of the block that brought the log to this size; whoever re-executes
these `size` entries must come to the same hash.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from wattproof.core.errors import ErrorCode, Malformed
from wattproof.keys.ed25519 import SigningKey
from wattproof.ledger.merkle import EMPTY_ROOT, HASH_BYTES, MAX_SIZE
from wattproof.ledger.note import base64_bytes, base64_text, open_note, sign_note

__all__ = [
    "BAD_APP_LINE",
    "BAD_LINES",
    "BAD_ROOT",
    "BAD_SIZE",
    "OTHER_LOG",
    "Checkpoint",
    "app_extension",
    "app_of",
    "encode_body",
    "open_checkpoint",
    "parse_body",
    "sign_checkpoint",
]

_APP: Final = "app "
_CONTROL: Final = re.compile("[\x00-\x1f\ud800-\udfff]")
_DECIMAL: Final = re.compile("0|[1-9][0-9]{0,18}")

BAD_LINES: Final = ErrorCode(
    Malformed,
    "ledger.checkpoint.lines",
    en="A checkpoint has an origin, a size, a root hash and perhaps further lines, none empty.",
    zh="检查点应有来源、规模、根哈希，其后可有扩展行，各行均不得为空。",
)
BAD_SIZE: Final = ErrorCode(
    Malformed,
    "ledger.checkpoint.size",
    en="“{text}” is not the size of a log: a decimal number without leading zeros.",
    zh="“{text}”不是日志规模：应为不带前导零的十进制数。",
)
BAD_ROOT: Final = ErrorCode(
    Malformed,
    "ledger.checkpoint.root",
    en="The root hash is not that of a log of {size} entries: 32 bytes in base64.",
    zh="根哈希不是 {size} 条记录的日志的根：应为 32 字节的 base64。",
)
BAD_APP_LINE: Final = ErrorCode(
    Malformed,
    "ledger.checkpoint.app",
    en="The checkpoint does not have one line “app”, with the app hash in base64 and a height.",
    zh="检查点应恰有一行“app”，含 base64 的应用哈希和高度。",
)
OTHER_LOG: Final = ErrorCode(
    Malformed,
    "ledger.checkpoint.other_log",
    en="The checkpoint is one of the log “{found}”, not of “{expected}”.",
    zh="检查点属于日志“{found}”，而不是“{expected}”。",
)


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """What a log's signer vouches for: its first `size` entries have the Merkle root `root`."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()


def encode_body(checkpoint: Checkpoint) -> str:
    """The text that is signed, with its last newline.

    Raises `BAD_LINES`, `BAD_SIZE`, `BAD_ROOT` for what no reader would take.
    """
    lines = (checkpoint.origin, *checkpoint.extensions)
    if not all(lines) or any(_CONTROL.search(line) for line in lines):
        raise BAD_LINES()
    if not 0 <= checkpoint.size <= MAX_SIZE:
        raise BAD_SIZE(text=checkpoint.size)
    if not _fits(checkpoint.root, checkpoint.size):
        raise BAD_ROOT(size=checkpoint.size)
    head = (checkpoint.origin, str(checkpoint.size), base64_text(checkpoint.root))
    return "".join(f"{line}\n" for line in (*head, *checkpoint.extensions))


def parse_body(body: str) -> Checkpoint:
    """The checkpoint that a note's body states. Raises `BAD_LINES`, `BAD_SIZE`, `BAD_ROOT`."""
    lines = body.split("\n")
    if len(lines) < 4 or lines.pop() or not all(lines) or any(map(_CONTROL.search, lines)):
        raise BAD_LINES()
    origin, size_text, root_text, *extensions = lines
    if _DECIMAL.fullmatch(size_text) is None or int(size_text) > MAX_SIZE:
        raise BAD_SIZE(text=size_text[:40])
    size = int(size_text)
    root = base64_bytes(root_text)
    if root is None or not _fits(root, size):
        raise BAD_ROOT(size=size)
    return Checkpoint(origin=origin, size=size, root=root, extensions=tuple(extensions))


def sign_checkpoint(checkpoint: Checkpoint, key: SigningKey, name: str) -> str:
    """The checkpoint as a note with one signature; `cosign_note` adds others.

    Whoever calls must never sign two checkpoints of one log that are not prefixes of each other.
    """
    return sign_note(encode_body(checkpoint), key, name=name)


def open_checkpoint(
    text: str, *, name: str, public: bytes, origin: str | None = None
) -> Checkpoint:
    """The checkpoint in a note that the key `public` signed under `name`.

    The log must be `origin`, which is the same as `name` unless given: else one key's checkpoint of
    one log could pass for another's. Raises what `open_note` and `parse_body` raise, `OTHER_LOG`.
    """
    body, _ = open_note(text, {name: public})
    checkpoint = parse_body(body)
    expected = name if origin is None else origin
    if checkpoint.origin != expected:
        raise OTHER_LOG(found=checkpoint.origin, expected=expected)
    return checkpoint


def app_extension(*, app_hash: bytes, height: int) -> str:
    """Our extension line: the 32-byte hash of the state after the block of `height`."""
    assert len(app_hash) == HASH_BYTES, len(app_hash)
    assert 0 <= height <= MAX_SIZE, height
    return f"{_APP}{base64_text(app_hash)} {height}"


def app_of(checkpoint: Checkpoint) -> tuple[bytes, int]:
    """The app hash and the height in the checkpoint's one `app` line. Raises `BAD_APP_LINE`."""
    found = [line for line in checkpoint.extensions if line.startswith(_APP)]
    if len(found) != 1:
        raise BAD_APP_LINE()
    encoded, _, height = found[0].removeprefix(_APP).partition(" ")
    app_hash = base64_bytes(encoded)
    if app_hash is None or len(app_hash) != HASH_BYTES or _DECIMAL.fullmatch(height) is None:
        raise BAD_APP_LINE()
    return app_hash, int(height)


def _fits(root: bytes, size: int) -> bool:
    return len(root) == HASH_BYTES and (size > 0 or root == EMPTY_ROOT)
