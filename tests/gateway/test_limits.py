from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattproof.core.errors import WattProofError
from wattproof.gateway.limits import MAX_CLIENTS, NS, Buckets, RateLimit, client_of

PEER = "192.0.2.1"


class Clock:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now_ns = 1

    def __call__(self) -> int:
        return self.now_ns


def buckets(*, per_second: int, burst: int) -> tuple[Buckets, Clock]:
    clock = Clock()
    return Buckets(RateLimit(per_second=per_second, burst=burst), clock_ns=clock), clock


def refused(limited: Buckets, count: int = 1, host: str = PEER) -> int:
    """The seconds that a client is told to wait, which must be refused."""
    with pytest.raises(WattProofError) as caught:
        limited.take(host, count)
    assert caught.value.code == "gateway.rate"
    assert caught.value.http_status == 429
    seconds = caught.value.params["seconds"]
    assert isinstance(seconds, int)
    return seconds


def test_a_burst_then_the_rate() -> None:
    limited, clock = buckets(per_second=10, burst=3)
    for _ in range(3):
        limited.take(PEER, 1)
    assert refused(limited) == 1
    clock.now_ns += NS // 10
    limited.take(PEER, 1)
    refused(limited)
    clock.now_ns += 3600 * NS
    limited.take(PEER, 3)
    refused(limited)


def test_others_are_not_held_up() -> None:
    limited, _ = buckets(per_second=1, burst=1)
    limited.take(PEER, 1)
    refused(limited)
    limited.take("192.0.2.2", 1)


def test_a_batch_beyond_the_burst_goes_through_a_full_bucket_and_is_paid_for() -> None:
    limited, clock = buckets(per_second=100, burst=10)
    limited.take(PEER, 1000)
    assert refused(limited) == 10
    clock.now_ns += 10 * NS
    limited.take(PEER, 1)


def test_the_wait_that_is_told_is_enough() -> None:
    for count in (1, 5, 20, 200):
        limited, clock = buckets(per_second=7, burst=20)
        limited.take(PEER, 20)
        clock.now_ns += refused(limited, count) * NS
        limited.take(PEER, count)


@given(st.lists(st.tuples(st.integers(0, 3 * NS), st.integers(1, 30)), max_size=60))
def test_never_more_than_burst_and_rate(steps: list[tuple[int, int]]) -> None:
    limited, clock = buckets(per_second=10, burst=30)
    start, taken = clock.now_ns, 0
    for wait_ns, count in steps:
        clock.now_ns += wait_ns
        try:
            limited.take(PEER, count)
        except WattProofError:
            continue
        taken += count
        assert taken <= 30 + 10 * (clock.now_ns - start) / NS


def test_few_clients_are_remembered() -> None:
    limited, _ = buckets(per_second=1, burst=1)
    for number in range(MAX_CLIENTS + 10):
        limited.take(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", 1)
    assert len(limited._full_ns) == MAX_CLIENTS
    limited.take("10.0.0.0", 1)


@pytest.mark.parametrize("host", [None, "127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_this_machine_is_limited_only_if_asked(host: str | None) -> None:
    Buckets(RateLimit(per_second=1, burst=1)).take(host, 10_000)
    limited = Buckets(RateLimit(per_second=1, burst=1, loopback=True))
    limited.take(host, 1)
    with pytest.raises(WattProofError):
        limited.take(host, 1)


@pytest.mark.parametrize(
    ("host", "client"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
    ],
)
def test_who_counts_as_one_client(host: str, client: str) -> None:
    assert client_of(host) == client
