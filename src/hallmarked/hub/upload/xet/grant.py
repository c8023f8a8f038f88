"""Short-lived tokens with which a client sends xorbs and shards; they say for whom and for which repository."""

from __future__ import annotations

from dataclasses import dataclass

from hallmarked.core.errors import Forbidden
from hallmarked.hub.clock import now
from hallmarked.hub.error import NotSignedIn
from hallmarked.hub.ticket import issue_ticket, read_ticket

SECONDS = 900
"""How long a token holds. Clients ask for the next one by themselves, a while before."""
_PURPOSE = "xet-write"


@dataclass(frozen=True, slots=True)
class Grant:
    """Leave to upload."""

    account_id: str
    repository_id: str
    expires: int
    """Seconds since the epoch."""


def encode_grant(secret: bytes, grant: Grant) -> str:
    """Write a grant as a signed token."""
    facts = {"sub": grant.account_id, "repo": grant.repository_id}
    return issue_ticket(secret, _PURPOSE, facts, seconds=grant.expires - now() // 1000)


def decode_grant(secret: bytes, token: str) -> Grant:
    """Read a token.

    Raises:
        NotSignedIn: When it is not one of this hub's, or not valid any more.
    """
    try:
        facts = read_ticket(secret, _PURPOSE, token)
    except Forbidden as error:
        raise NotSignedIn("this upload token is not valid (any more); ask for a new one") from error
    return Grant(facts["sub"], facts["repo"], facts["exp"])
