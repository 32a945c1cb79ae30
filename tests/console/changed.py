"""Proofs that somebody changed who holds no key."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from random import Random

from tests.console.forge import Forge
from tests.console.proofs import SIZES, Case, Members, members_of, proof, written

from wattproof.ledger.note import base64_text

__all__ = ["mixed_up", "random_changes", "wrong_form"]

BYTE_MEMBERS = ("genesis", "receipt", "transaction")


def random_changes(count: int, *, seed: int) -> Iterator[Case]:
    """One bit of a byte member, or one byte of the file, is another."""
    random = Random(seed)
    for number in range(count):
        data = proof(random.choice(SIZES[1:]), random.randrange(3))
        members = members_of(data)
        member = random.choice((*BYTE_MEMBERS, "height", "time_ms", "checkpoint", "file"))
        if member in BYTE_MEMBERS:
            changed = bytearray(base64.b64decode(members[member]))
            at = random.randrange(len(changed))
            changed[at] ^= 1 << random.randrange(8)
            data = written(members, **{member: base64_text(bytes(changed))})
        elif member == "checkpoint":
            text = members[member]
            at = random.randrange(len(text))
            other = random.choice("aZ0+/= \n—")
            data = written(members, checkpoint=text[:at] + other + text[at + random.randrange(2) :])
        elif member == "file":
            at = random.randrange(len(data))
            data = data[:at] + random.randbytes(random.randrange(3)) + data[at + 1 :]
        else:
            data = written(members, **{member: members[member] + random.choice((-1, 1, 1000))})
        yield Case(what=f"random change {number} of {member}", data=data)


def wrong_form() -> Iterator[Case]:
    """The same proof, written differently, and what is no proof at all."""
    good = proof(7, 3)
    members = members_of(good)
    text = good.decode()
    backwards = dict(reversed(members.items()))
    for what, changed in {
        "spaces": json.dumps(members, ensure_ascii=False).encode() + b"\n",
        "another order": json.dumps(backwards, ensure_ascii=False, separators=(",", ":")).encode()
        + b"\n",
        "no newline": good[:-1],
        "two newlines": good + b"\n",
        "carriage return": good[:-1] + b"\r\n",
        "byte order mark": b"\xef\xbb\xbf" + good,
        "escaped": text.replace("—", "\\u2014").encode(),
        "one more member": written(members, note=""),
        "the prototype": good.replace(b'{"checkpoint"', b'{"__proto__":{},"checkpoint"'),
        "twice the same member": good.replace(b'"height"', b'"height":1,"height"'),
        "a member less": written({name: members[name] for name in members if name != "height"}),
        "another format": written(members, format="wattproof-proof/2"),
        "a list": b"[]\n",
        "null": b"null\n",
        "nothing": b"",
        "not UTF-8": good.replace(b"wattproof/", b"wattpr\xff\xff/", 1),
        "too long": good[:-2] + b" " * (1 << 20) + b"}\n",
        "too long a transaction": written(members, transaction=base64_text(bytes(1 << 20))),
        "deep": b"[" * 100_000,
        "height as float": good.replace(b'"height":', b'"height":1.0,"h":', 1),
        "height with exponent": _with_number(members, "height", "1e1"),
        "height as decimal": _with_number(members, "height", "2.0"),
        "height minus zero": _with_number(members, "height", "-0"),
        "height 2^53": _with_number(members, "height", str(2**53)),
        "height 2^53 + 2": _with_number(members, "height", str(2**53 + 2)),
        "height endless": _with_number(members, "height", "1" + "0" * 400),
        "height negative": written(members, height=-1),
        "height true": written(members, height=True),
        "height as text": written(members, height="2"),
        "time null": written(members, time_ms=None),
        "lone surrogate": good.replace(b"wattproof/", b"\\ud800/", 1),
        "long checkpoint": written(members, checkpoint="—" * 4097),
        "longest checkpoint": written(members, checkpoint="\N{ROCKET}" * 4096),
        "control in checkpoint": written(members, checkpoint="".join(map(chr, range(256)))),
    }.items():
        yield Case(what=what, data=changed)
    for member in BYTE_MEMBERS:
        value = members[member]
        for what, other in {
            "empty": "", "stray bits": "QR==", "no padding": value.rstrip("=") + "A",
            "space": " " + value, "newline": value + "\n", "url alphabet": "-_" + value[2:],
            "not ASCII": "é" + value, "number": 5,
        }.items():  # fmt: skip
            yield Case(what=f"{member}: {what}", data=written(members, **{member: other}))


def _with_number(members: Members, member: str, text: str) -> bytes:
    return written(members, **{member: "NUMBER"}).replace(b'"NUMBER"', text.encode())


def mixed_up() -> Iterator[Case]:
    """Members of one proof in another, every one of them true in its place."""
    good = members_of(proof(7, 3))
    for what, other in {
        "another entry": proof(7, 4),
        "another size": proof(300, 3),
        "another ledger": Forge().proof(),
    }.items():
        for member, value in members_of(other).items():
            if value != good[member]:
                yield Case(what=f"{member} of {what}", data=written(good, **{member: value}))
    yield Case(what="other ledger asked for", data=proof(7, 3), ledger_id=bytes(32))
