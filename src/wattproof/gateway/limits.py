"""How much one client may submit: a token bucket a client, in integers."""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from typing import Final

import msgspec

from wattproof.gateway.errors import TOO_MANY

__all__ = ["MAX_CLIENTS", "Buckets", "RateLimit", "client_of"]

MAX_CLIENTS: Final = 10_000
"""Clients that are remembered at once; the one that was longest silent is forgotten first."""

NS: Final = 1_000_000_000


class RateLimit(msgspec.Struct, frozen=True, kw_only=True):
    """What one client may submit: `burst` transactions at once, `per_second` in the long run.

    A client is an IPv4 address or an IPv6 /64. `loopback` says whether clients on the same machine
    are limited too; by default they are not, so that imports, tests and agents beside the node run
    at full speed. Behind a proxy on the same machine, name it to `serve`, or all are loopback.
    """

    per_second: int = 500
    burst: int = 2_048
    loopback: bool = False


class Buckets:
    """The buckets of all clients under one `limit`; `clock_ns` never goes back."""

    def __init__(
        self, limit: RateLimit, *, clock_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        assert limit.per_second >= 1, limit
        assert limit.burst >= 1, limit
        self._limit = limit
        self._clock_ns = clock_ns
        self._full_ns: OrderedDict[str, int] = OrderedDict()

    def take(self, host: str | None, count: int) -> None:
        """Let a client submit `count` transactions, or raise `TOO_MANY` with the seconds to wait.

        A batch larger than the burst is let through when the bucket is full: it then waits longer.
        """
        client = client_of(host)
        if client is None and not self._limit.loopback:
            return
        key = client or "loopback"
        now = self._clock_ns()
        step_ns = NS // self._limit.per_second
        before = max(now, self._full_ns.pop(key, now))  # when the bucket would be full again
        after = before + count * step_ns
        excess_ns = after - now - self._limit.burst * step_ns
        if excess_ns > 0 and before > now:
            self._remember(key, before)
            raise TOO_MANY(
                seconds=-(-min(excess_ns, before - now) // NS), per_second=self._limit.per_second
            )
        self._remember(key, after)

    def _remember(self, key: str, full_ns: int) -> None:
        self._full_ns[key] = full_ns
        if len(self._full_ns) > MAX_CLIENTS:
            self._full_ns.popitem(last=False)


@lru_cache(MAX_CLIENTS)
def client_of(host: str | None) -> str | None:
    """Who a peer address counts as; None for this machine itself (or a socket without a name)."""
    if host is None:
        return None
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    mapped = getattr(address, "ipv4_mapped", None)
    if mapped is not None:
        address = mapped
    if address.is_loopback:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
