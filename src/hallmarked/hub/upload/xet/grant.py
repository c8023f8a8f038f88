"""Short-lived tokens with which a client sends xorbs and shards; they say for whom and for which repository."""

from __future__ import annotations

from dataclasses import dataclass

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from hallmarked.hub.clock import now
from hallmarked.hub.error import NotSignedIn

SECONDS = 900
"""How long a token holds. Clients ask for the next one by themselves, a while before."""
_USE = "xet-write"


@dataclass(frozen=True, slots=True)
class Grant:
    """Leave to upload."""

    account_id: str
    repository_id: str
    expires: int
    """Seconds since the epoch."""


def encode_grant(secret: bytes, grant: Grant) -> str:
    """Write a grant as a signed token."""
    claims = {"use": _USE, "sub": grant.account_id, "repo": grant.repository_id, "exp": grant.expires}
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(secret))


def decode_grant(secret: bytes, token: str) -> Grant:
    """Read a token.

    Raises:
        NotSignedIn: When it is not one of this hub's, or not valid any more.
    """
    try:
        claims = jwt.decode(token, OctKey.import_key(secret), algorithms=["HS256"]).claims
    except (JoseError, ValueError) as error:
        raise NotSignedIn("this upload token is not valid") from error
    if claims.get("use") != _USE:
        raise NotSignedIn("this token is not for uploads")
    if claims["exp"] <= now() // 1000:
        raise NotSignedIn("this upload token is not valid any more; ask for a new one")
    return Grant(claims["sub"], claims["repo"], claims["exp"])
