"""Writes refused.json: encodings that are not the one way, each with the reason for its refusal.

The bytes are put together by hand, from RFC 8949 and RFC 9052. Run it as a script to write the
file anew, after envelopes.json, from which it takes the envelope that it spoils.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

__all__ = ["refused_vectors"]

HERE = Path(__file__).parent

CBOR_REFUSED = [
    ("nothing", "", "truncated"),
    ("23 in two bytes", "1817", "not_shortest"),
    ("255 in three bytes", "1900ff", "not_shortest"),
    ("65535 in five bytes", "1a0000ffff", "not_shortest"),
    ("2^32 - 1 in nine bytes", "1b00000000ffffffff", "not_shortest"),
    ("-1 in two bytes", "3800", "not_shortest"),
    ("byte string, length in two bytes", "580161", "not_shortest"),
    ("text, length in three bytes", "79000161", "not_shortest"),
    ("array, length in two bytes", "980101", "not_shortest"),
    ("typed array, tag in three bytes", "d9004041ff", "not_shortest"),
    ("typed array, length in two bytes", "d8405801ff", "not_shortest"),
    ("2^63", "1b8000000000000000", "int_range"),
    ("-2^63 - 1", "3b8000000000000000", "int_range"),
    ("2^64 - 1", "1bffffffffffffffff", "int_range"),
    ("positive bignum", "c249010000000000000000", "not_in_profile"),
    ("bignum of a small number", "c24101", "not_in_profile"),
    ("negative bignum", "c349010000000000000000", "not_in_profile"),
    ("byte string of indefinite length", "5f4101ff", "indefinite"),
    ("text of indefinite length", "7f6161ff", "indefinite"),
    ("array of indefinite length", "9f01ff", "indefinite"),
    ("map of indefinite length", "bfff", "indefinite"),
    ("typed array of indefinite length", "d8405f4101ff", "indefinite"),
    ("break alone", "ff", "indefinite"),
    ("empty map", "a0", "not_in_profile"),
    ("map", "a10102", "not_in_profile"),
    ("map in an array", "81a10102", "not_in_profile"),
    ("half float 1.0", "f93c00", "not_in_profile"),
    ("single float", "fa3f800000", "not_in_profile"),
    ("double float", "fb3ff199999999999a", "not_in_profile"),
    ("half NaN", "f97e00", "not_in_profile"),
    ("undefined", "f7", "not_in_profile"),
    ("simple value 0", "e0", "not_in_profile"),
    ("simple value 19", "f3", "not_in_profile"),
    ("simple value 32", "f820", "not_in_profile"),
    ("false in two bytes", "f814", "not_in_profile"),
    ("reserved info 28", "1c", "not_in_profile"),
    ("reserved info 29 in a byte string", "5d", "not_in_profile"),
    ("reserved info 30 in an array", "9e", "not_in_profile"),
    ("integer of indefinite length", "1f", "not_in_profile"),
    ("date tag", "c074323031332d30332d32315432303a30343a30305a", "not_in_profile"),
    ("epoch tag", "c101", "not_in_profile"),
    ("self-described tag", "d9d9f701", "not_in_profile"),
    ("shareable tag", "d81c01", "not_in_profile"),
    ("reference tag", "d81d00", "not_in_profile"),
    ("set tag", "d9010280", "not_in_profile"),
    ("a tag twice", "d840d84041ff", "typed_array"),
    ("big-endian typed array", "d841420100", "not_in_profile"),
    ("signed typed array", "d84841ff", "not_in_profile"),
    ("clamped typed array", "d84441ff", "not_in_profile"),
    ("typed array of a number", "d84001", "typed_array"),
    ("typed array of an array", "d8408101", "typed_array"),
    ("half an element of 2 bytes", "d84543010203", "typed_array"),
    ("half an element of 4 bytes", "d846420102", "typed_array"),
    ("half an element of 8 bytes", "d8474401020304", "typed_array"),
    ("2-byte elements below 256", "d84542ff00", "typed_array_width"),
    ("4-byte elements below 65536", "d84644ffff0000", "typed_array_width"),
    ("8-byte elements below 2^32", "d84748ffffffff00000000", "typed_array_width"),
    ("empty typed array of width 2", "d84540", "typed_array_width"),
    ("empty typed array of width 8", "d84740", "typed_array_width"),
    ("lone continuation byte", "6180", "not_utf8"),
    ("overlong NUL", "62c080", "not_utf8"),
    ("surrogate in a text", "63eda080", "not_utf8"),
    ("beyond U+10FFFF", "64f4908080", "not_utf8"),
    ("text cut inside a character", "61e4", "not_utf8"),
    ("a byte after the value", "0000", "trailing"),
    ("a value after the array", "80f6", "trailing"),
    ("nine arrays deep", "81" * 8 + "80", "too_deep"),
    ("head cut", "19", "truncated"),
    ("long head cut", "1b00000001", "truncated"),
    ("byte string cut", "4201", "truncated"),
    ("text cut", "6261", "truncated"),
    ("array cut", "8201", "truncated"),
    ("typed array cut", "d8454201", "truncated"),
    ("typed array without content", "d845", "truncated"),
    ("byte string of 2^63 bytes", "5b7fffffffffffffff00", "truncated"),
    ("array of 2^32 values", "9b000000010000000000", "truncated"),
]


def envelope_mutations() -> list[tuple[str, bytes, str]]:
    """Ways to write an envelope that are not the one way."""
    envelopes = json.loads((HERE / "envelopes.json").read_text(encoding="utf-8"))
    base = bytes.fromhex(envelopes["cases"][0]["transaction"])
    head, kid, tail = base[:10], base[10:42], base[43:]
    payload, signature = tail[2:-66], tail[-64:]
    body = b"\xa0" + tail
    two, four = len(payload).to_bytes(2, "big"), len(payload).to_bytes(4, "big")
    open_, end = b"\xd2\x84", b"\x58\x40" + signature
    before = head + kid + b"\xa0"
    return [
        ("nothing", b"", "truncated"),
        ("only the opening", base[:2], "truncated"),
        ("cut in the key", base[:30], "truncated"),
        ("cut before the payload", base[:43], "truncated"),
        ("cut in the payload", base[:50], "truncated"),
        ("last byte missing", base[:-1], "truncated"),
        ("a byte more", base + b"\0", "trailing"),
        ("not tagged", base[1:], "not_sign1"),
        ("tag in two bytes", b"\xd8\x12" + base[1:], "not_sign1"),
        ("COSE_Mac0 tag", b"\xd1" + base[1:], "not_sign1"),
        ("tagged twice", b"\xd2" + base, "not_sign1"),
        ("array of indefinite length", b"\xd2\x9f" + base[2:] + b"\xff", "not_sign1"),
        ("array of five", b"\xd2\x85" + base[2:] + b"\xf6", "not_sign1"),
        ("protected length in three bytes", open_ + b"\x59\x00" + base[3:], "protected"),
        ("protected header as a map", open_ + base[4:], "protected"),
        (
            "protected map sorted otherwise",
            open_ + b"\x58\x26\xa2\x04\x58\x20" + kid + b"\x01\x32" + body,
            "protected",
        ),
        (
            "protected with a third entry",
            open_ + b"\x58\x28\xa3" + head[5:] + kid + b"\x03\x00" + body,
            "protected",
        ),
        (
            "key id of 31 bytes",
            open_ + b"\x58\x25" + head[4:9] + b"\x1f" + kid[1:] + body,
            "protected",
        ),
        (
            "algorithm in two bytes",
            open_ + b"\x58\x27\xa2\x01\x38\x12" + head[7:] + kid + body,
            "protected",
        ),
        ("algorithm -7 (ES256)", base[:6] + b"\x26" + base[7:], "algorithm"),
        ("algorithm 1", base[:6] + b"\x01" + base[7:], "algorithm"),
        ("key id unprotected too", head + kid + b"\xa1\x04\x41\x00" + tail, "unprotected"),
        ("unprotected of indefinite length", head + kid + b"\xbf\xff" + tail, "unprotected"),
        ("payload detached", before + b"\xf6" + end, "payload"),
        ("payload as an array", before + payload + end, "payload"),
        ("payload of indefinite length", before + b"\x5f" + tail[:-66] + b"\xff" + end, "payload"),
        ("payload length in three bytes", before + b"\x59" + two + payload + end, "payload"),
        ("payload length in five bytes", before + b"\x5a" + four + payload + end, "payload"),
        ("short payload, length in two bytes", before + b"\x58\x01\x00" + end, "payload"),
        ("signature of 63 bytes", base[:-66] + b"\x58\x3f" + signature[1:], "signature"),
        ("signature of 65 bytes", base[:-66] + b"\x58\x41" + signature + b"\0", "signature"),
        ("signature length in three bytes", base[:-66] + b"\x59\x00\x40" + signature, "signature"),
        ("signature as a text", base[:-66] + b"\x78\x40" + signature, "signature"),
        ("signature missing", base[:-66], "truncated"),
    ]


def refused_vectors() -> Any:
    return {
        "about": "Encodings that are refused, with the code's last word; see docs/wire-format.md",
        "cbor": [{"name": n, "data": d, "why": w} for n, d, w in CBOR_REFUSED],
        "cose": [{"name": n, "data": d.hex(), "why": w} for n, d, w in envelope_mutations()],
    }


def main() -> None:
    text = json.dumps(refused_vectors(), ensure_ascii=False, indent=1)
    (HERE / "refused.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
