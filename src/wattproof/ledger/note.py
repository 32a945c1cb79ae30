"""Text that several keys may sign: the C2SP signed note, with Ed25519.

    text, one line or more
                                                                    <- a blank line
    — name base64(4 bytes of key id || 64 bytes of signature)       <- one line a signer

The signature covers the text with its last newline, in UTF-8. The key id is the first four bytes of
SHA-256(name || 0x0A || 0x01 || public key). Signatures of unknown keys are passed over, so that
others may co-sign a note without asking its readers; a known key's bad signature spoils the note.

Only one way of writing each thing is taken: standard base64 with its padding and no stray bits,
newlines and no other control character.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Final

import msgspec

from wattproof.core.errors import ErrorCode, Malformed, OverLimit, Unauthorised
from wattproof.keys.ed25519 import SigningKey, check_public, verify

__all__ = [
    "BAD_KEY_NAME",
    "BAD_NOTE",
    "BAD_SIGNATURE",
    "BAD_SIGNATURE_LINE",
    "BAD_VERIFIER_KEY",
    "MAX_NOTE_BYTES",
    "MAX_SIGNATURES",
    "NOTE_TOO_LONG",
    "UNSIGNED",
    "Note",
    "NoteSignature",
    "base64_bytes",
    "base64_text",
    "cosign_note",
    "encode_vkey",
    "key_id",
    "open_note",
    "parse_note",
    "parse_vkey",
    "sign_note",
]

MAX_NOTE_BYTES: Final = 262_144
MAX_SIGNATURES: Final = 64
"""More than the 16 that the specification demands of every reader."""

_ED25519: Final = b"\x01"  # the signature type
_KEY_ID_BYTES: Final = 4
_NOT_TEXT: Final = re.compile("[\x00-\x09\x0b-\x1f\ud800-\udfff]")

BAD_NOTE: Final = ErrorCode(
    Malformed,
    "ledger.note.form",
    en="This is not a signed note: lines of text without control characters, a blank line, and "
    "signature lines.",
    zh="这不是签名文书：应为不含控制字符的文本行、一个空行和若干签名行。",
)
NOTE_TOO_LONG: Final = ErrorCode(
    OverLimit,
    "ledger.note.too_long",
    en="The note has more than {max_bytes} bytes or {max_signatures} signatures.",
    zh="文书超过 {max_bytes} 字节或 {max_signatures} 个签名。",
)
BAD_SIGNATURE_LINE: Final = ErrorCode(
    Malformed,
    "ledger.note.signature_line",
    en="Signature line {number} is not an em dash, a name and a signature in base64.",
    zh="第 {number} 行签名应由破折号、名称和 base64 签名组成。",
)
BAD_KEY_NAME: Final = ErrorCode(
    Malformed,
    "ledger.note.key_name",
    en="A signer's name may be neither empty nor hold a space, a plus sign or a control character.",
    zh="签名者名称不得为空，也不得含空格、加号或控制字符。",
)
BAD_VERIFIER_KEY: Final = ErrorCode(
    Malformed,
    "ledger.note.verifier_key",
    en="This is not a verifier key: a name, its key id and an Ed25519 key, joined by plus signs.",
    zh="这不是验证公钥：应为以加号相连的名称、密钥编号和 Ed25519 公钥。",
)
BAD_SIGNATURE: Final = ErrorCode(
    Unauthorised,
    "ledger.note.signature",
    en="The signature of {name} does not belong to this text.",
    zh="{name} 的签名与文本不符。",
)
UNSIGNED: Final = ErrorCode(
    Unauthorised,
    "ledger.note.unsigned",
    en="The text carries no signature of {names}.",
    zh="文本没有 {names} 的签名。",
)


class NoteSignature(msgspec.Struct, frozen=True, kw_only=True):
    """One signature line: who, by which key (4 bytes), and the signature's bytes, unverified."""

    name: str
    key_id: bytes
    signature: bytes

    @property
    def line(self) -> str:
        """The line as it stands in a note, with its newline."""
        return f"— {self.name} {base64_text(self.key_id + self.signature)}\n"


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """A note taken apart: the signed `body` with its last newline, and the `signatures`."""

    body: str
    signatures: tuple[NoteSignature, ...]

    @property
    def text(self) -> str:
        """The note as it is sent and stored."""
        return f"{self.body}\n{''.join(item.line for item in self.signatures)}"


def base64_text(data: bytes) -> str:
    """`data` in standard base64 with padding (RFC 4648 section 4)."""
    return b64encode(data).decode("ascii")


def base64_bytes(text: str) -> bytes | None:
    """What `text` says in base64, or None if that would not be written in exactly this way."""
    try:
        data = b64decode(text.encode("ascii"), validate=True)
    except ValueError:
        return None
    return data if base64_text(data) == text else None


def key_id(name: str, public: bytes) -> bytes:
    """The 4 bytes by which a signature line names an Ed25519 key."""
    return sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:_KEY_ID_BYTES]


def sign_note(body: str, key: SigningKey, *, name: str) -> str:
    """A note over `body`, which must end in a newline, with one signature.

    Raises `BAD_NOTE`, `BAD_KEY_NAME`.
    """
    if not body.endswith("\n") or _NOT_TEXT.search(body):
        raise BAD_NOTE()
    return Note(body=body, signatures=(_signature(body, key, name=name),)).text


def cosign_note(text: str, key: SigningKey, *, name: str) -> str:
    """The note with one signature more, after those it has; unchanged if it has that one.

    The signatures already there are not verified: who co-signs answers for the text alone.
    Raises `BAD_NOTE`, `BAD_SIGNATURE_LINE`, `BAD_KEY_NAME`, `NOTE_TOO_LONG`.
    """
    note = parse_note(text)
    added = _signature(note.body, key, name=name)
    if added in note.signatures:
        return text
    longer = Note(body=note.body, signatures=(*note.signatures, added))
    return parse_note(longer.text).text


def parse_note(text: str) -> Note:
    """The note taken apart, nothing verified.

    Raises `BAD_NOTE`, `BAD_SIGNATURE_LINE`, `BAD_KEY_NAME`, `NOTE_TOO_LONG`.
    """
    if len(text) > MAX_NOTE_BYTES:
        raise NOTE_TOO_LONG(max_bytes=MAX_NOTE_BYTES, max_signatures=MAX_SIGNATURES)
    blank = text.rfind("\n\n")
    if blank < 0 or not text.endswith("\n") or _NOT_TEXT.search(text):
        raise BAD_NOTE()
    lines = text[blank + 2 : -1].split("\n")
    if lines == [""]:
        raise BAD_NOTE()
    if len(lines) > MAX_SIGNATURES or len(text.encode()) > MAX_NOTE_BYTES:
        raise NOTE_TOO_LONG(max_bytes=MAX_NOTE_BYTES, max_signatures=MAX_SIGNATURES)
    signatures = tuple(_parse_line(line, number) for number, line in enumerate(lines, start=1))
    return Note(body=text[: blank + 1], signatures=signatures)


def open_note(text: str, verifiers: Mapping[str, bytes]) -> tuple[str, tuple[str, ...]]:
    """The body, and the names of those in `verifiers` (name to public key) who signed it.

    At least one of them must have, and none of their signatures may be wrong. Raises what
    `parse_note` raises, `BAD_SIGNATURE` and `UNSIGNED`.
    """
    note = parse_note(text)
    message = note.body.encode()
    verified: dict[str, None] = {}
    for item in note.signatures:
        public = verifiers.get(item.name)
        if public is None or item.key_id != key_id(item.name, public):
            continue
        if not verify(public, message, item.signature):
            raise BAD_SIGNATURE(name=item.name)
        verified[item.name] = None
    if not verified:
        raise UNSIGNED(names=", ".join(verifiers))
    return note.body, tuple(verified)


def encode_vkey(name: str, public: bytes) -> str:
    """A signer's name and public key as one word, to be put in settings or on a web page.

    Raises `BAD_KEY_NAME`.
    """
    _check_name(name)
    return f"{name}+{key_id(name, public).hex()}+{base64_text(_ED25519 + public)}"


def parse_vkey(text: str) -> tuple[str, bytes]:
    """The name and the 32-byte public key of a verifier key.

    Raises `BAD_VERIFIER_KEY`, `BAD_KEY_NAME`, and what `check_public` raises for a weak key.
    """
    name, _, rest = text.partition("+")
    _check_name(name)
    encoded = base64_bytes(rest[9:])
    if encoded is None or encoded[:1] != _ED25519:
        raise BAD_VERIFIER_KEY()
    public = encoded[1:]
    check_public(public)
    if encode_vkey(name, public) != text:  # another key id, or another way of writing it
        raise BAD_VERIFIER_KEY()
    return name, public


def _signature(body: str, key: SigningKey, *, name: str) -> NoteSignature:
    _check_name(name)
    return NoteSignature(
        name=name, key_id=key_id(name, key.public), signature=key.sign(body.encode())
    )


def _parse_line(line: str, number: int) -> NoteSignature:
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    data = base64_bytes(encoded)
    if dash != "—" or data is None or len(data) <= _KEY_ID_BYTES:
        raise BAD_SIGNATURE_LINE(number=number)
    _check_name(name)
    return NoteSignature(name=name, key_id=data[:_KEY_ID_BYTES], signature=data[_KEY_ID_BYTES:])


def _check_name(name: str) -> None:
    if not name or "+" in name or _NOT_TEXT.search(name) or any(map(str.isspace, name)):
        raise BAD_KEY_NAME()
