"""What tests of settlement's pages do over and over: fill in a form, sign what it leads to."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from typing import Any

import httpx
from tests.support.meters import packet_of
from tests.support.site import Client, Site

from wattproof.demo.meters import meter_key
from wattproof.identity.queries import device
from wattproof.keys import cose
from wattproof.ledger.store import Store
from wattproof.ledger.transaction import sign_transaction
from wattproof.metering.model import STREAMS
from wattproof.settlement.records import USAGE, Usage

__all__ = ["drafted", "refused", "report", "signed", "signed_outside", "text_of", "usage_of"]


def drafted(client: Client, path: str, **fields: Any) -> str:
    """Send a form, which must lead to what will be signed; the draft's path."""
    answer = client.form(path, **fields)
    assert answer.status_code == 303, text_of(answer.text)
    assert answer.headers["location"].startswith("/sign/"), answer.headers["location"]
    return answer.headers["location"]


def signed(client: Client, path: str, **fields: Any) -> str:
    """Send a form and sign what it leads to; what was shown before."""
    draft = drafted(client, path, **fields)
    shown = text_of(client.page(draft))
    answer = client.form(draft)
    assert answer.status_code == 303, text_of(answer.text)
    assert answer.headers["location"].startswith("/ledger/transactions/")
    return shown


def report(site: Site, meter: str, hours_wh: Iterable[int]) -> int:
    """The meter reports the next hours; when they end (Unix seconds)."""
    stream = site.writer.store.get(STREAMS, device(site.writer.store, meter).number)
    assert stream is not None, meter
    packet = packet_of(
        hours_wh,
        sequence=stream.next_sequence,
        start_s=stream.end_s,
        interval_s=3600,
        kind=stream.kind,
        opening=stream.register,
    )
    key = site.key_of(meter_key(meter))
    site.writer.engine.submit(sign_transaction(packet, key, ledger_id=site.writer.ledger_id))
    return stream.end_s + 3600 * len(packet.increments)


def signed_outside(site: Site, client: Client, party: str, path: str, **fields: Any) -> None:
    """The same for somebody whose key the console does not keep."""
    draft = drafted(client, path, **fields)
    payload = client.get(f"{draft}/payload").content
    raw = cose.sign(payload, site.key_of(party), aad=site.writer.ledger_id)
    answer = client.post(draft, data={"csrf": client.csrf}, files={"signed": ("tx", raw)})
    assert answer.status_code == 303, text_of(answer.text)


def refused(answer: httpx.Response, field: str, code: str) -> str:
    """The page of a form that was refused, which must say so at this field (or above it: "")."""
    assert answer.status_code >= 400, answer.status_code
    if field:
        found = re.search(rf'id="w-(?:[a-z-]*-)?{field}">(.*?)</div>', answer.text, re.DOTALL)
        assert found is not None, (field, text_of(answer.text))
        assert code in found[1], (code, found[1])
    else:
        assert code in answer.text, (code, text_of(answer.text))
    return answer.text


def text_of(page: str) -> str:
    """What a page says, without its marks."""
    body = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def usage_of(store: Store, meter: str) -> Usage:
    """What a meter trades."""
    found = store.get(USAGE, device(store, meter).number)
    assert found is not None, meter
    return found
