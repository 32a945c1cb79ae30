"""Proofs by the holders of a ledger's keys: fitting throughout, and odd in one place each."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any

from tests.console.forge import Forge, note_by, signed
from tests.console.proofs import Case
from tests.ledger.growing import KEY, LEDGER_ID, LOG, OTHER

from wattproof.keys import cbor, cose
from wattproof.ledger.note import base64_text, cosign_note, key_id
from wattproof.ledger.proof import verify_proof
from wattproof.ledger.receipt import open_receipt

__all__ = ["IDENTITY", "by_key_holders"]

GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493
IDENTITY = b"\x01".ljust(32, b"\0")
"""A public key of order 1: with itself as R and S = 0 it signs everything."""

Parts = dict[str, dict[str, Any]]


def _item(at: int, value: Any) -> Callable[[list[Any]], list[Any]]:
    return lambda items: [*items[:at], value, *items[at + 1 :]]


def _replace(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    return lambda data: data.replace(old, new, 1)


def _text(old: str, new: str) -> Callable[[str], str]:
    return lambda text: text.replace(old, new, 1)


def _larger_s(raw: bytes) -> bytes:
    """The same signature with S + L, which older libraries take."""
    s = int.from_bytes(raw[-32:], "little") + GROUP_ORDER
    return raw[:-32] + s.to_bytes(32, "little")


def _over_the_limit(raw: bytes) -> bytes:
    """Rightly signed, and larger than any transaction may be; `raw` is what fits."""
    payload = cbor.encode(["t", bytes(61_400)])
    protected = raw[4:42]
    signature = KEY.sign(
        cose.sig_structure(protected, payload=payload, aad=bytes.fromhex(_FORGED_ID))
    )
    head = b"\x59" + len(payload).to_bytes(2, "big")
    return raw[:43] + head + payload + b"\x58\x40" + signature


def _nested(depth: int) -> Any:
    return 1 if depth == 0 else [_nested(depth - 1)]


def _remade(**changed: Any) -> Callable[[bytes], bytes]:
    def remake(raw: bytes) -> bytes:
        receipt = open_receipt(raw)
        parts = {"size": 2, "index": 1, "path": list(receipt.path), **changed}
        proof = cbor.encode(cbor.encode(list(parts.values())))
        return raw[:53] + proof + raw[-67:]

    return remake


def _line(text: str) -> Callable[[str], str]:
    """Another signature line in place of the log's."""
    return lambda note: note.split("\n\n")[0] + "\n\n" + text


def _under_the_logs_name(note: str) -> str:
    """A second signature that claims to be of the log's key, and is not."""
    name, key_and_signature = note.split("\n")[-2].split(" ")[1:]
    data = base64.b64decode(key_and_signature)
    return note + f"— {name} {base64_text(data[:4] + bytes(64))}\n"


def _of_another_key_id(note: str) -> str:
    """The log's own signature, said to be by another key of the same name."""
    body = note.split("\n\n")[0] + "\n"
    return f"{body}\n— {body.split(chr(10))[0]} {base64_text(bytes(4) + LOG.sign(body.encode()))}\n"


def _by_another_key(note: str) -> str:
    body = note.split("\n\n")[0] + "\n"
    return note_by(body, body.split("\n")[0], OTHER)


def _checkpoint_of_order_1(note: str) -> str:
    body = note.split("\n\n")[0] + "\n"
    name = body.split("\n")[0]
    return f"{body}\n— {name} {base64_text(key_id(name, IDENTITY) + IDENTITY + bytes(32))}\n"


_FORGED_ID = verify_proof(Forge().proof()).ledger_id
SOME = base64_text(bytes(68))
FOUNDER = ["f", "", "", KEY.public, []]

PAYLOADS: dict[str, Any] = {
    "empty array": [],
    "a number": 5,
    "an empty payload": b"",
    "of extremes": [
        "t",
        -(2**63),
        2**63 - 1,
        2**53,
        -(2**53) - 1,
        23,
        24,
        255,
        256,
        65535,
        65536,
        2**32,
        "é—𝄞",
    ],
    "deepest": ["t", _nested(7)],
    "too deep": cbor.encode(["t", _nested(7)]).replace(b"\x81", b"\x81\x81", 1),
    "typed arrays": ["t", *map(cbor.UintArray.from_ints, ([], [1], [256], [2**16], [2**64 - 1]))],
    "wide array": bytes.fromhex("81d845420100"),
    "uneven array": bytes.fromhex("81d84543ffffff"),
    "wide empty array": bytes.fromhex("81d84540"),
    "widest too wide": bytes.fromhex("81d84748ffffffff00000000"),
    "long number": bytes.fromhex("811817"),
    "long length": bytes.fromhex("98016161"),
    "map": b"\x81\xa0",
    "float": bytes.fromhex("81f93c00"),
    "undefined": b"\x81\xf7",
    "tag": b"\x81\xc1\x00",
    "indefinite": bytes.fromhex("9f01ff"),
    "trailing": b"\x80\x00",
    "cut": b"\x82\x00",
    "not UTF-8": bytes.fromhex("8161ff"),
    "surrogate": bytes.fromhex("8163eda080"),
    "a long count": bytes.fromhex("9bffffffffffffffff"),
    "an integer too large": bytes.fromhex("811b8000000000000000"),
    "a negative too large": bytes.fromhex("813b8000000000000000"),
    "byte order mark": ["\ufefft"],
    "23 bytes": cbor.encode(bytes(22)),
    "24 bytes": cbor.encode(bytes(23)),
    "255 bytes": cbor.encode(bytes(253)),
    "256 bytes": cbor.encode(bytes(254)),
    "large": ["t", bytes(61_000)],
}

BODIES: dict[str, Any] = {
    "size 02": _text("\n2\n", "\n02\n"),
    "size +2": _text("\n2\n", "\n+2\n"),
    "size in other digits": _text("\n2\n", "\n２\n"),
    "no size": _text("\n2\n", "\n\n"),
    "unknown lines": lambda body: body + "witness me\n",
    "two app lines": lambda body: body + "app y 2\n",
    "no app line": _text("app x 1\n", ""),
    "an empty line": lambda body: body + "\nmore\n",
    "a tab": lambda body: body + "a\tb\n",
    "line separator": lambda body: body + "a\u2028b\n",
    "a long line": lambda body: body + "x" * 3000 + "\n",
    "too long a line": lambda body: body + "x" * 4000 + "\n",
    "delete character": lambda body: body + "\x7f\n",
    "root short": lambda body: body.replace(body.split("\n")[2], base64_text(bytes(31))),
    "root another": lambda body: body.replace(body.split("\n")[2], base64_text(bytes(32))),
    "root without padding": lambda body: body.replace("=\n", "\n", 1),
    "origin alone": lambda body: body.split("\n")[0] + "\n",
}

GENESIS: Parts = {
    "no name": {"name": ""},
    "longest name": {"name": "\N{ROCKET}" * 200},
    "name too long": {"name": "é" * 201},
    "name a number": {"name": 7},
    "longest zone": {"zone": "z" * 64},
    "zone too long": {"zone": "z" * 65},
    "zone null": {"zone": None},
    "other profile": {"profile": "ed25519/1"},
    "log key as text": {"log_key": base64_text(LOG.public)},
    "log key short": {"log_key": LOG.public[:31]},
    "log key another": {"log_key": OTHER.public},
    "log key of order 1": {
        "log_key": IDENTITY,
        "receipt": lambda raw: raw[:10] + IDENTITY + raw[42:-64] + IDENTITY + bytes(32),
        "checkpoint": _checkpoint_of_order_1,
    },
    "founder as number": {"founder": 1},
    "founder of four": {"founder": FOUNDER[:4]},
    "founder with odd role": {"founder": [*FOUNDER[:4], [1]]},
    "founder with a text as roles": {"founder": [*FOUNDER[:4], "abc"]},
    "founder with 64 roles": {"founder": [*FOUNDER[:4], ["r"] * 64]},
    "founder with 65 roles": {"founder": [*FOUNDER[:4], ["r"] * 65]},
    "no founders": {"founders": []},
    "128 founders": {"founders": [FOUNDER] * 128},
    "129 founders": {"founders": [FOUNDER] * 129},
    "founders as typed array": {"founders": cbor.UintArray.from_ints([1])},
    "registrar long": {"registrar": "r" * 201},
    "version 2": {"genesis": _item(1, 2)},
    "version true": {"genesis": _item(1, True)},
    "type other": {"genesis": _item(0, "ledger.other")},
    "nonce short": {"genesis": _item(2, bytes(15))},
    "nonce as text": {"genesis": _item(2, "n" * 16)},
    "a field more": {"genesis": lambda values: [*values, None]},
    "a field less": {"genesis": lambda values: values[:-1]},
    "no array": {"genesis": "ledger.genesis"},
    "signed for a ledger": {"genesis_raw": lambda raw: signed(cose.parse(raw).payload, LEDGER_ID)},
    "cut": {"genesis_raw": lambda raw: raw[:-1]},
}

TRANSACTION: Parts = {
    **{f"payload {what}": {"payload": payload} for what, payload in PAYLOADS.items()},
    "signed for another ledger": {"raw": signed(["t", 1, bytes(16)], LEDGER_ID)},
    "signed by another key": {"raw": _replace(KEY.public, OTHER.public)},
    "algorithm -8, signature of -19": {"raw": _replace(b"\xa2\x01\x32", b"\xa2\x01\x27")},
    "S + L": {"raw": _larger_s},
    "key of order 1": {"raw": lambda raw: raw[:10] + IDENTITY + raw[42:-64] + IDENTITY + bytes(32)},
    "key not canonical": {"raw": lambda raw: raw[:10] + b"\xff" * 32 + raw[42:]},
    "key off the curve": {"raw": lambda raw: raw[:10] + b"\x02".ljust(32, b"\0") + raw[42:]},
    "payload with longer head": {"raw": lambda raw: raw[:43] + b"\x59\x00" + raw[44:]},
    "unprotected header": {"raw": lambda raw: raw[:42] + b"\xa1\x01\x02" + raw[43:]},
    "unprotected header unsigned": {"raw": lambda raw: raw[:42] + b"\xa1" + raw[43:]},
    "over the limit": {"raw": _over_the_limit},
    "no tag": {"raw": lambda raw: raw[1:]},
    "bytes behind": {"raw": lambda raw: raw + b"\0"},
    "too large": {"raw": lambda raw: raw + bytes(61_440)},
    "height 2^53": {"height": 2**53},
    "height 24": {"height": 24},
    "time 0": {"time_ms": 0},
}

RECEIPT: Parts = {
    "algorithm -8": {"alg": cose.ALG_EDDSA},
    "index 0": {"receipt": _remade(index=0)},
    "index true": {"receipt": _remade(index=True)},
    "size true": {"receipt": _remade(size=True)},
    "size 1": {"receipt": _remade(size=1, index=0)},
    "size 3": {"receipt": _remade(size=3)},
    "size 2^62": {"receipt": _remade(size=2**62)},
    "size 2^62 + 1": {"receipt": _remade(size=2**62 + 1)},
    "index negative": {"receipt": _remade(index=-1)},
    "index beyond": {"receipt": _remade(index=2)},
    "index text": {"receipt": _remade(index="1")},
    "empty path": {"receipt": _remade(path=[])},
    "path of null": {"receipt": _remade(path=[None])},
    "short hash": {"receipt": _remade(path=[bytes(31)])},
    "path too long": {"receipt": _remade(path=[bytes(32), bytes(32)])},
    "path no array": {"receipt": _remade(path=bytes(32))},
    "one more part": {"receipt": _remade(more=1)},
    "longer head": {"receipt": lambda raw: raw[:53] + b"\x59\x00" + raw[54:]},
    "another hash": {"receipt": _replace(b"\x19\x01\x8b\x01", b"\x19\x01\x8b\x02")},
    "payload attached": {"receipt": lambda raw: raw[:-67] + b"\x40" + raw[-66:]},
    "of another key": {"receipt": _replace(LOG.public, OTHER.public)},
    "S + L": {"receipt": _larger_s},
    "too long": {"receipt": lambda raw: raw + bytes(4096)},
}

CHECKPOINT: Parts = {
    **{what: {"body": change} for what, change in BODIES.items()},
    "another size": {"size": 3},
    "another origin": {"origin": "wattproof/other"},
    "of another key": {"checkpoint": lambda note: note.split("\n\n")[0] + "\n\n— a " + SOME + "\n"},
    "with a witness": {"checkpoint": lambda note: cosign_note(note, OTHER, name="witness")},
    "of a witness alone": {
        "checkpoint": lambda note: note_by(note.split("\n\n")[0] + "\n", "w", OTHER)
    },
    "of another key id": {"checkpoint": _of_another_key_id},
    "of another key by the log's name": {"checkpoint": _by_another_key},
    "a line of dashes": {"checkpoint": _line("--- a b\n")},
    "hyphen for the dash": {"checkpoint": _line(f"- a {SOME}\n")},
    "no name": {"checkpoint": _line(f"—  {SOME}\n")},
    "plus in a name": {"checkpoint": _line(f"— a+b {SOME}\n")},
    "no-break space in a name": {"checkpoint": _line(f"— a\u00a0b {SOME}\n")},
    "next line in a name": {"checkpoint": _line(f"— a\u0085b {SOME}\n")},
    "line separator in a name": {"checkpoint": _line(f"— a\u2028b {SOME}\n")},
    "zero width in a name": {"checkpoint": _line(f"— a\ufeff\u200b\u180eb {SOME}\n")},
    "signature of 4 bytes": {"checkpoint": _line(f"— a {base64_text(bytes(4))}\n")},
    "signature of 5 bytes": {"checkpoint": _line(f"— a {base64_text(bytes(5))}\n")},
    "signature with a space": {"checkpoint": _line(f"— a {SOME} \n")},
    "signature without padding": {"checkpoint": _line(f"— a {SOME.rstrip('=')}\n")},
    "a second of the log, bad": {"checkpoint": _under_the_logs_name},
    "no newline at the end": {"checkpoint": lambda note: note[:-1]},
    "two newlines at the end": {"checkpoint": lambda note: note + "\n"},
    "no signature": {"checkpoint": lambda note: note.split("\n\n")[0] + "\n\n"},
    "no blank line": {"checkpoint": lambda note: note.replace("\n\n", "\n")},
    "empty": {"checkpoint": ""},
}


def by_key_holders() -> Iterator[Case]:
    """What only the holders of the keys could have made, all of it fitting, some of it allowed."""
    everything: dict[str, dict[str, Any]] = {
        "nothing odd": {},
        **{f"genesis: {what}": parts for what, parts in GENESIS.items()},
        **{f"transaction: {what}": parts for what, parts in TRANSACTION.items()},
        **{f"receipt: {what}": parts for what, parts in RECEIPT.items()},
        **{f"checkpoint: {what}": parts for what, parts in CHECKPOINT.items()},
    }
    for what, parts in everything.items():
        yield Case(what=what, data=Forge(**parts).proof())
