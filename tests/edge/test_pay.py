"""A node pays out of its wallet: by hand, under the ledger's own rules, and what goes wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from tests.edge.paying import Paying, payment
from tests.support.beside_meter import INTERVAL_S, NOON_S
from tests.support.memory_ledger import key_of
from tests.support.refusals import refused

from wattproof.edge.link import Answer
from wattproof.edge.packets import Pay
from wattproof.edge.pay import MAX_WAITING, pay
from wattproof.edge.payments import MAX_KEPT
from wattproof.edge.sender import Sender
from wattproof.identity.model import SuspendDevice
from wattproof.keys import cose
from wattproof.settlement.model import FreezeWallet, LimitWallet, UnfreezeWallet


def test_money_moves_from_the_wallet_to_the_account(make: Any) -> None:
    node = make(fen=5_000)
    made = node.pay(1_250, memo="key deposit")
    assert (made.state, made.fen, made.target) == ("waiting", 1_250, "landlord")
    node.send()
    assert (node.purses.left, node.purses.got) == (3_750, 1_250)
    now = payment(node)
    assert (now.state, now.entry, now.id) == ("paid", node.purses.ledger.size - 1, made.id)
    assert node.queue.refused() == []


def test_a_lost_answer_and_a_power_cut_pay_once(make: Any) -> None:
    node = make(fen=5_000)
    node.pay(1_250)
    node.pay(1_250)  # another one, of the same amount
    node.link.lose = True
    node.send()
    assert node.purses.got == 1_250  # taken, but the node does not know
    node.restart()
    node.link.lose = False
    node.send()
    assert (node.purses.got, node.queue.length) == (2_500, 0)
    assert [each.state for each in node.queue.payments.last(9)] == ["paid", "paid"]


def test_payments_go_in_order_with_packets(make: Any) -> None:
    node = make(readings=1)
    node.link.cut = True
    node.live(0, 2, amount=10)
    node.pay(1)
    node.live(3, 4, amount=10)
    assert [item.what for item in node.queue.first(9)] == [
        "packet 1", "packet 2", "packet 3", "pay 0.01 CNY landlord", "packet 4", "packet 5",
    ]  # fmt: skip
    node.link.cut = False
    node.send()
    assert payment(node).entry == node.purses.ledger.size - 3


def starve(node: Paying) -> str:
    node.pay(5_001)
    return "book.overdraft"


def freeze(node: Paying) -> str:
    node.purses.ledger.submit(FreezeWallet(device="m1", reason="lost"), key_of("bank"))
    node.pay(1)
    return "settlement.wallet_frozen"


def limit(node: Paying) -> str:
    body = LimitWallet(device="m1", whose="device", fen_per_day=100)
    node.purses.ledger.submit(body, key_of("importer"))
    node.pay(101)
    return "settlement.wallet_limit"


def stray(node: Paying) -> str:
    node.pay(1, "nobody")
    return "book.account.unknown"


@pytest.mark.parametrize("trouble", [starve, freeze, limit, stray])
def test_a_refusal_is_kept_and_holds_up_nothing(make: Any, trouble: Any) -> None:
    node = make(fen=5_000, readings=1)
    node.live(0, 1, amount=10)
    node.link.cut = True
    code = trouble(node)
    node.live(2, 3, amount=10)
    node.link.cut = False
    node.send()
    assert node.purses.stream().total == 30
    assert node.purses.got == 0
    (kept,) = node.queue.refused()
    assert (kept.code, kept.what.split()[0]) == (code, "pay")
    last = payment(node)
    assert (last.state, last.code, last.en, last.zh) == ("refused", code, kept.en, kept.zh)
    assert last.en
    assert last.zh
    assert node.codes() == {}


def test_a_person_puts_the_cause_right_and_sends_again(make: Any) -> None:
    node = make(fen=5_000)
    code = freeze(node)
    node.send()
    node.purses.ledger.submit(UnfreezeWallet(device="m1"), key_of("bank"))
    (kept,) = node.queue.refused()
    assert (kept.code, node.queue.send_again(kept.position)) == (code, True)
    assert payment(node).state == "waiting"
    node.send()
    assert (payment(node).state, payment(node).code, node.purses.got) == ("paid", "", 1)


def test_a_person_gives_a_payment_up(make: Any) -> None:
    node = make(fen=5_000)
    starve(node)
    node.send()
    (kept,) = node.queue.refused()
    assert node.queue.forget_refused(kept.position)
    assert payment(node).state == "forgotten"
    assert not node.queue.send_again(kept.position)
    node.send()
    assert node.purses.got == 0


def test_a_suspended_device_pays_when_it_may_again(make: Any) -> None:
    from wattproof.identity.model import ReinstateDevice

    node = make()
    node.purses.ledger.submit(SuspendDevice(device="m1", reason="check"), key_of("importer"))
    node.pay(7)
    node.send()
    assert node.codes() == {"payment": "identity.device.suspended"}
    node.purses.ledger.submit(ReinstateDevice(device="m1"), key_of("importer"))
    node.send()
    assert (node.purses.got, node.codes(), node.queue.refused()) == (7, {}, [])


class Stumbling:
    """A host that breaks down over each payment and takes everything else."""

    def __init__(self, node: Paying) -> None:
        self.node = node
        self.tried = 0

    def send(self, raws: Sequence[bytes]) -> list[Answer]:
        if any(b"settlement.wallet.pay" in cose.parse(raw).payload for raw in raws):
            self.tried += 1
            assert len(raws) == 1
            return [Answer(code="core.broken", en="Broken.", zh="故障。", status=500)]
        return self.node.link.send(raws)

    def close(self) -> None:
        """Nothing is held."""


def test_a_payment_that_is_put_off_does_not_hold_up_readings(make: Any) -> None:
    node = make(readings=1)
    node.live(0, 0)
    link = Stumbling(node)
    sender = Sender(node.queue, link, clock=lambda: node.time.now_s, batch=8)
    node.pay(7)
    node.pay(8)
    for number in range(1, 6):
        node.meter.count(10)
        node.quarter(number)
        while sender.once() == 0:
            pass
    assert node.purses.stream().total == 50
    assert (node.codes(), node.queue.length) == ({"payment": "core.broken"}, 2)
    assert link.tried >= 5
    node.send()
    assert (node.purses.got, node.codes()) == (15, {})


def test_waiting_payments_take_no_room_from_readings(make: Any) -> None:
    node = make(capacity=3, readings=1)
    node.link.cut = True
    node.live(0, 0)
    for _ in range(MAX_WAITING):
        node.pay(1)
    refused("edge.pay.full", lambda: node.pay(1))
    assert node.queue.room == 2
    node.live(1, 2, amount=10)
    assert (node.queue.room, node.queue.length) == (0, MAX_WAITING + 3)
    node.link.cut = False
    node.send()
    assert (node.purses.got, node.purses.stream().total) == (MAX_WAITING, 20)


def test_what_was_settled_is_forgotten_in_the_end(make: Any) -> None:
    node = make()
    node.pay(1)
    node.send()
    with node.queue.changing():
        first = payment(node)
        for _ in range(MAX_KEPT):
            node.queue.payments.keep(first, id_=None)
    assert node.queue.payments.with_id(bytes.fromhex(first.id)) is None
    assert len(node.queue.payments.last(2 * MAX_KEPT)) == MAX_KEPT


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"target": ""}, "edge.pay.target"),
        ({"to_device": "m2"}, "edge.pay.target"),
        ({"target": "", "to_device": "m1"}, "edge.pay.target"),
        ({"target": "my account"}, "core.id"),
        ({"asset": "¥"}, "core.id"),
        ({"memo": "x" * 129}, "edge.pay.memo"),
    ],
)
def test_what_cannot_be_paid_is_not_signed(make: Any, wrong: dict[str, str], code: str) -> None:
    node = make()
    fields = {"target": "landlord", "to_device": "", "asset": "CNY", "memo": "", **wrong}
    what = Pay(fen=1, **fields)
    refused(code, lambda: pay(node.queue, node.config, node.key, what, now_s=NOON_S))
    assert (node.queue.length, node.queue.payments.last(1)) == (0, [])


def test_the_display_shows_the_last_payment(make: Any) -> None:
    from wattproof.edge.display import line_of

    node = make(fen=100)
    node.live(0, 1, amount=250)
    reading = node.queue.reading()
    assert reading is not None

    def line(lang: Any = "en") -> str:
        return line_of(
            reading, quantity="electricity.import", zone="UTC", lang=lang, payment=payment(node)
        )

    node.pay(100)
    assert line().endswith(" | 1.00 CNY landlord: waiting to be sent")
    node.send()
    assert line().endswith(" | 1.00 CNY landlord: paid")
    node.pay(1)
    node.at(INTERVAL_S + 60)
    node.send()
    assert line("zh").endswith(" | 0.01 元 landlord: 被拒绝 [book.overdraft]")
