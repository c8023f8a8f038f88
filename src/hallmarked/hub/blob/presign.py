"""Presigned addresses with a file name in them.

AWS Signature Version 4 in the query string, as described under "Authenticating Requests: Using Query Parameters" in
the Amazon S3 API reference (https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html). The object
storage library signs addresses too, but cannot add the parameter by which the storage is told the name to save under.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlsplit


@dataclass(frozen=True, slots=True)
class Credentials:
    """What signs requests to object storage."""

    key_id: str
    """Public name of the key."""
    secret: str
    """The key itself."""
    region: str
    """Region the storage claims to be in; part of the signature."""
    token: str | None = None
    """Session token of temporary credentials."""

    def __repr__(self) -> str:
        """Name the key without showing it."""
        return f"Credentials({self.key_id!r})"


def presign(
    url: str, credentials: Credentials, *, expires: timedelta, filename: str, now: datetime | None = None
) -> str:
    """Return an address at which anyone can GET the object until it expires.

    Args:
        url: Address of the object without a query, its path percent-encoded.
        credentials: Who signs.
        expires: How long it holds; storages refuse more than seven days.
        filename: Name under which browsers save it.
        now: Time of signing; None is this moment.
    """
    parts = urlsplit(url)
    stamp = (now or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{stamp[:8]}/{credentials.region}/s3/aws4_request"
    query = {
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"{credentials.key_id}/{scope}",
        "X-Amz-Date": stamp,
        "X-Amz-Expires": str(int(expires.total_seconds())),
        "X-Amz-SignedHeaders": "host",
        "response-content-disposition": disposition(filename),
    }
    if credentials.token:
        query["X-Amz-Security-Token"] = credentials.token
    line = "&".join(f"{quote(name, safe='')}={quote(query[name], safe='')}" for name in sorted(query))
    request = f"GET\n{parts.path}\n{line}\nhost:{parts.netloc}\n\nhost\nUNSIGNED-PAYLOAD"
    message = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = f"AWS4{credentials.secret}".encode()
    for step in (*scope.split("/"), message):
        key = hmac.digest(key, step.encode(), "sha256")
    return f"{parts.scheme}://{parts.netloc}{parts.path}?{line}&X-Amz-Signature={key.hex()}"


def disposition(filename: str, kind: str = "attachment") -> str:
    """Return a ``Content-Disposition`` value that names the file in ASCII only (RFC 6266, RFC 8187).

    A name that is not plain goes into ``filename*`` percent-encoded, so that no quote, line break or other character
    of it can mean anything in a header.
    """
    name = filename.rpartition("/")[2] or "file"
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "-_. ()+") else "_" for c in name)
    value = f'{kind}; filename="{plain}"'
    encoded = name.encode("utf-8", "replace")
    return value if plain == name else f"{value}; filename*=UTF-8''{quote(encoded, safe='')}"
