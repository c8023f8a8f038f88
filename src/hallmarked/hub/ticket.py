"""Tickets: facts that the hub gives out under its signature, and believes again for a short while.

So nothing has to be kept for an address that clients use without a token, for an upload by Xet, or for a browser that
signs in elsewhere. A ticket is good for one purpose; it is a JSON Web Token (RFC 7519) signed with the hub's secret.
"""

from __future__ import annotations

from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from hallmarked.core.errors import Forbidden
from hallmarked.hub.clock import now

MAX_TICKET = 4_096
"""Characters; ours have a few hundred, and a path of a page."""


def issue_ticket(secret: bytes, purpose: str, facts: dict[str, Any], *, seconds: int) -> str:
    """Write a ticket.

    Args:
        secret: The hub's.
        purpose: What it is for.
        facts: What it is good for; JSON.
        seconds: How long.
    """
    claims = {**facts, "aud": purpose, "exp": now() // 1000 + seconds}
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(secret))


def read_ticket(secret: bytes, purpose: str, text: str) -> dict[str, Any]:
    """Return the facts of a ticket.

    Raises:
        Forbidden: When it is not ours, for something else, or too old.
    """
    try:
        if len(text) > MAX_TICKET:
            raise ValueError
        claims = dict(jwt.decode(text, OctKey.import_key(secret), algorithms=["HS256"]).claims)
        good = claims["aud"] == purpose and claims["exp"] > now() // 1000
    except (JoseError, ValueError, LookupError, TypeError) as error:
        raise Forbidden("this address is not valid; ask for a new one") from error
    if not good:
        raise Forbidden("this address is not valid any more; ask for a new one")
    return claims
