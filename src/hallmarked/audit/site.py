"""Fetch small files from a web site the user named: bounded in size and time, and from no other host.

Standard library only, so that whoever verifies needs nothing more than the core package.
"""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any, NoReturn
from urllib.parse import urlsplit

from hallmarked import __version__
from hallmarked.core.errors import BackendError, Forbidden, InputError, NotFound
from hallmarked.core.text import clean

PATIENCE = 30.0
"""Seconds to wait for the next bytes."""
DEADLINE = 300.0
"""Seconds for one file."""
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Answer:
    """A file and what the site says about it."""

    data: bytes
    headers: Mapping[str, str]
    """By lower-case name."""


class Site:
    """A web site.

    Args:
        url: Its address; what is fetched lies below it.
        token: Sent as a bearer token, to this site alone.

    Raises:
        InputError: When it is not an address of the web.
    """

    def __init__(self, url: str, *, token: str | None = None) -> None:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise InputError(f"{url!r} is not an address of the web") from None
        plain = not any(character.isspace() or character < " " for character in url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0 or not plain:
            raise InputError(f"{url!r} is not an address like https://hub.example.org")
        if parts.username is not None or parts.query or parts.fragment:
            raise InputError("the address must not hold a user, a question mark or a number sign")
        self.url, self.host = url.rstrip("/"), parts.netloc
        self._headers = {"User-Agent": f"hallmarked/{__version__}", "Accept-Encoding": "identity"}
        self._token = token
        self._opener = urllib.request.build_opener(_SameSite(parts.scheme, parts.netloc))

    def get(self, path: str, limit: int) -> Answer:
        """Fetch a file.

        Args:
            path: Below the site's address, beginning with a slash, with everything escaped.
            limit: The most bytes it may have.

        Raises:
            NotFound: When the site does not have it.
            Forbidden: When the site wants to know who asks, or does not let them have it.
            BackendError: When the site cannot be reached, takes too long or sends too much.
        """
        request = urllib.request.Request(self.url + path, headers=self._headers)  # noqa: S310 -- checked above
        if self._token:
            request.add_unredirected_header("Authorization", f"Bearer {self._token}")
        try:
            with self._opener.open(request, timeout=PATIENCE) as answer:
                return Answer(
                    self._read(answer, limit), {name.lower(): value for name, value in answer.headers.items()}
                )
        except urllib.error.HTTPError as error:
            with error:
                self._refuse(error)
        except TimeoutError:
            raise BackendError(f"{self.host} did not answer in time") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise BackendError(f"cannot reach {self.host}: {_why(error)}") from None

    def _read(self, answer: Any, limit: int) -> bytes:
        parts, size, end = [], 0, time.monotonic() + DEADLINE
        while part := answer.read(min(_CHUNK, limit + 1 - size)):
            parts.append(part)
            size += len(part)
            if size > limit:
                raise BackendError(f"{self.host} sent more than {limit:,} bytes, which is not what was asked for")
            if time.monotonic() > end:
                raise BackendError(f"{self.host} did not answer in time")
        stated = answer.headers.get("Content-Length")
        if stated is not None and stated != str(size):
            raise BackendError(f"{self.host} broke off in the middle of its answer")
        return b"".join(parts)

    def _refuse(self, error: urllib.error.HTTPError) -> NoReturn:
        said = clean(error.headers.get("X-Error-Message", ""))[:300]
        if error.code in {404, 410}:
            raise NotFound(f"{self.host} does not have it{f': {said}' if said else ''}") from None
        if error.code in {401, 403}:
            raise Forbidden(f"{self.host} does not let you have it{f': {said}' if said else ''}") from None
        raise BackendError(f"{self.host} answered with status {error.code}{f': {said}' if said else ''}") from None


class _SameSite(urllib.request.HTTPRedirectHandler):
    """Follows a redirect within the site, and nowhere else."""

    def __init__(self, scheme: str, host: str) -> None:
        self._scheme, self._host = scheme, host

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        """Return the request to follow with."""
        parts = urlsplit(newurl)
        if (parts.scheme, parts.netloc) != (self._scheme, self._host):
            where = clean(parts.netloc)[:100]
            raise BackendError(f"{self._host} sends us to another site, {where}, which is not followed")
        following = super().redirect_request(req, fp, code, msg, headers, newurl)
        token = req.get_header("Authorization")
        if following is not None and token:
            following.add_unredirected_header("Authorization", token)
        return following


def _why(error: Exception) -> str:
    reason = getattr(error, "reason", error)
    text = getattr(reason, "strerror", None) or str(reason) or type(error).__name__
    return clean(" ".join(str(text).split()))[:200].lower()
