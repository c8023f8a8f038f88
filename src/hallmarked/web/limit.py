"""How often somebody may ask.

Counted in windows of a minute, in the memory of each process: a hub with several processes allows as many times more.
The headers are those of draft-ietf-httpapi-ratelimit-headers, as far as the ecosystem's clients read them.
"""

from __future__ import annotations

import ipaddress
import threading
import time
from collections import OrderedDict
from functools import lru_cache

from starlette.requests import HTTPConnection

from hallmarked.hub.account.secret import digest_secret
from hallmarked.hub.error import TooMany
from hallmarked.hub.setting import Limit

WINDOW = 60
"""Seconds."""
MOST = 50_000
"""Callers that are remembered at once; those who were quiet the longest are forgotten first."""
FILINGS = 20
"""Requests that one address files with the registry of consents in a window."""
WHOLE = 10
"""How many times more wrong passwords one account gets from all addresses together, and one address as wrong tokens."""


class Limits:
    """Counts requests. May be shared between threads.

    Args:
        limit: How many are allowed.
    """

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self._lock = threading.Lock()
        self._counts: OrderedDict[tuple[str, str], tuple[int, int]] = OrderedDict()

    def take(self, kind: str, caller: str, allowed: int) -> None:
        """Count one request.

        Args:
            kind: What sort of request.
            caller: Who asks.
            allowed: How many such requests a caller has in a window; 0 for any number.

        Raises:
            TooMany: When there were as many already.
        """
        self._count(kind, caller, allowed, 1)

    def check(self, kind: str, caller: str, allowed: int) -> None:
        """Refuse when a caller has none left, without counting.

        Raises:
            TooMany: When there were as many already.
        """
        self._count(kind, caller, allowed, 0)

    def take_request(self, connection: HTTPConnection, *, changes: bool) -> None:
        """Count a request by the address it comes from, and by the account it says it is for.

        Raises:
            TooMany: When there were too many.
        """
        kind, allowed = ("change", self.limit.changes) if changes else ("read", self.limit.reads)
        credential = connection.headers.get("authorization", "")
        address = address_of(connection)
        # NOTE: the address comes first: who has used it up leaves no traces of made-up tokens behind, for which the
        # counts of others would be forgotten
        if credential:
            self.check("token", address, self.limit.sign_ins * WHOLE)
        self.take(kind, address, allowed)
        if credential:
            self.take(kind, digest_secret(credential), allowed)

    def take_wrong_token(self, connection: HTTPConnection) -> None:
        """Count a token that is not valid; the next request with any token is refused when there were too many."""
        try:
            self.take("token", address_of(connection), self.limit.sign_ins * WHOLE)
        except TooMany:
            return

    def take_sign_in(self, connection: HTTPConnection, name: str = "") -> None:
        """Count an attempt to sign in.

        Args:
            connection: Where it comes from.
            name: Whose account is tried; empty when that is not said here, so that nobody can use it up for others.

        Raises:
            TooMany: When there were too many, from this address or for this account.
        """
        allowed = self.limit.sign_ins
        self.take("sign-in", address_of(connection), allowed)
        if name:
            self.take("sign-in-name", name[:200].lower(), allowed * WHOLE)

    def take_filing(self, connection: HTTPConnection) -> None:
        """Count a request that somebody files with the registry of consents, which needs no account.

        Raises:
            TooMany: When there were too many from this address.
        """
        self.take("consent", address_of(connection), FILINGS)

    def take_code(self, connection: HTTPConnection) -> None:
        """Count an attempt to open such a request by its code.

        Raises:
            TooMany: When there were too many from this address.
        """
        self.take("consent-code", address_of(connection), FILINGS * 3)

    def _count(self, kind: str, caller: str, allowed: int, more: int) -> None:
        if not allowed:
            return
        window, passed = divmod(int(time.monotonic()), WINDOW)
        with self._lock:
            then, count = self._counts.pop((kind, caller), (window, 0))
            count = count if then == window else 0
            refused = count >= allowed
            if not refused:
                count += more
            self._counts[kind, caller] = (window, count)
            while len(self._counts) > MOST:
                self._counts.popitem(last=False)
        if refused:
            seconds = WINDOW - passed
            raise TooMany(f"too many requests; try again in {seconds} seconds", seconds, allowed, WINDOW)


def address_of(connection: HTTPConnection) -> str:
    """Return where a request comes from, as it is counted: an IPv6 network of one customer counts as one."""
    return _network_of(connection.client.host if connection.client else "")


@lru_cache(4_096)
def _network_of(host: str) -> str:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.version == 6:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return host
