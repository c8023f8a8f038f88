"""A small client of the Hub protocol, for reading: https://huggingface.co/docs/hub/api.

An endpoint is believed in nothing that costs: every answer has a limit, every redirect to another origin loses the
token, and whatever is wrong ends in one sentence that says what to do.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, NoReturn, TypeVar
from urllib.parse import quote

import httpx

from hallmarked.artifacts.remote.address import Address
from hallmarked.artifacts.remote.answer import Refusal, TryAgain, explain
from hallmarked.artifacts.remote.listing import Listing, read_listing
from hallmarked.artifacts.remote.token import Login
from hallmarked.core.errors import BackendError, Forbidden, InputError

MOST_JSON = 32 << 20
MOST_LISTED = 256 << 20
"""Bytes of all pages of a listing."""
MOST_PAGES = 1000
MOST_HOPS = 5
MOST_PLACES = 4096
MOST_SKIPPED = 16 << 20
"""Bytes that are thrown away where an endpoint gives small files only whole."""
CHUNK = 1 << 20
SLOWEST = 16 << 10
"""Bytes per second below which an endpoint is not worth waiting for."""
_COMMIT = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")
_RANGE = re.compile(r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19}|\*)")
_NEXT = re.compile(r'<([^<>]{1,8192})>\s*;\s*rel="?next"?')
Value = TypeVar("Value")

_REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True, slots=True)
class Revision:
    """What an endpoint says about one revision."""

    commit: str
    """Git's id of the commit."""
    private: bool
    gated: bool


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to try."""

    attempts: int = 4
    first_delay: float = 0.5
    """Seconds; doubles each time."""
    seconds: float = 30.0
    """For the beginning of an answer, and for each part of it."""
    sleep: Callable[[float], None] = time.sleep


class HubClient:
    """Reads from one endpoint. May be shared between threads, unless its transport may not.

    Args:
        login: Where, and as whom.
        transport: What carries the requests; by default a plain one that heeds proxy settings.
        patience: How long to try.

    Raises:
        InputError: When the endpoint is not a web address.
    """

    def __init__(
        self, login: Login, *, transport: httpx.BaseTransport | None = None, patience: Patience | None = None
    ) -> None:
        self.login, self.patience = login, patience or Patience()
        self._base = _endpoint(login.endpoint)
        self._places: dict[str, httpx.URL] = {}
        self._lock = threading.Lock()
        headers = {"User-Agent": "hallmarked", "Accept-Encoding": "identity"}
        self._http = httpx.Client(
            transport=transport, timeout=self.patience.seconds, follow_redirects=False, headers=headers
        )

    @property
    def endpoint(self) -> str:
        """The address asked, for people."""
        return self.login.endpoint

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def __enter__(self) -> HubClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def revision(self, address: Address) -> Revision:
        """Find the commit a revision stands for now.

        Raises:
            NotFound: When there is no such repository or revision.
            Forbidden: When the endpoint does not let us see it.
            BackendError: When the endpoint cannot be reached, or is not a hub.
        """
        told, _, _ = self._json(address, f"{address.api}/revision/{address.quoted_revision}")
        commit = told.get("sha") if isinstance(told, dict) else None
        if not isinstance(commit, str) or not _COMMIT.fullmatch(commit):
            raise BackendError(f"{self.endpoint} does not speak the Hub protocol: it names no commit")
        return Revision(commit, bool(told.get("private")), bool(told.get("gated")))

    def files(self, address: Address) -> Listing:
        """List all files of a revision.

        Raises:
            NotFound: When there is no such repository or revision.
            Forbidden: When the endpoint does not let us see it.
            InputError: When there are more files than can be handled.
            BackendError: When the endpoint cannot be reached, or is not a hub.
        """
        return read_listing(self._entries(address), self.endpoint)

    def _entries(self, address: Address) -> Iterator[Any]:
        page, left = f"{address.api}/tree/{address.quoted_revision}?recursive=true", MOST_LISTED
        for _ in range(MOST_PAGES):
            entries, further, size = self._json(address, page)
            left -= size
            if left < 0:
                raise InputError(f"the list of {address}'s files is longer than {MOST_LISTED >> 20} MiB")
            if not isinstance(entries, list):
                raise BackendError(f"{self.endpoint} does not speak the Hub protocol: its listing is not a list")
            yield from entries
            if further is None:
                return
            page = further
        raise InputError(f"{address} is listed on more than {MOST_PAGES:,} pages")

    def refs(self, address: Address) -> dict[str, str]:
        """Return the commit of every branch and tag, by its full name (``refs/heads/main``).

        Raises:
            NotFound: When there is no such repository.
            Forbidden: When the endpoint does not let us see it.
            BackendError: When the endpoint cannot be reached, or is not a hub.
        """
        told, _, _ = self._json(address, f"{address.api}/refs")
        found = {}
        for group in ("branches", "tags"):
            rows = told.get(group, []) if isinstance(told, dict) else None
            for row in rows if isinstance(rows, list) else [None]:
                ref, commit = (row.get("ref"), row.get("targetCommit")) if isinstance(row, dict) else (None, None)
                if not isinstance(ref, str) or not isinstance(commit, str) or not _COMMIT.fullmatch(commit):
                    raise BackendError(f"{self.endpoint} does not speak the Hub protocol: a branch has no commit")
                found[ref] = commit
        return found

    def read(self, address: Address, path: str, start: int, size: int) -> bytes:
        """Read a range of a file, whole or not at all.

        Args:
            address: The repository, with a commit as revision.
            path: The file.
            start: First byte.
            size: Number of bytes, which all have to be there.

        Raises:
            NotFound: When there is no such file.
            Forbidden: When the endpoint does not give it to us.
            BackendError: When the bytes cannot be had.
        """
        if not size:
            return b""

        def attempt() -> bytes:
            with self._get_range(address, path, start, size) as chunks:
                return b"".join(chunks)

        return self._retried(attempt)

    @contextmanager
    def stream(self, address: Address, path: str, start: int, size: int) -> Iterator[Iterator[bytes]]:
        """Give the bytes of a range as they arrive; the caller goes on from where it broke.

        Raises:
            NotFound: When there is no such file.
            Forbidden: When the endpoint does not give it to us.
            BackendError: When the bytes cannot be had, or stop before their end.
        """
        with self._get_range(address, path, start, size) as chunks:
            yield chunks

    @contextmanager
    def _get_range(self, address: Address, path: str, start: int, size: int) -> Iterator[Iterator[bytes]]:
        target = f"{address.page}/resolve/{address.quoted_revision}/{quote(path)}"
        headers = {"Range": f"bytes={start}-{start + size - 1}"}
        known = self._places.get(target)
        response = self._open(known or self._join(target), headers)
        if known is not None and response.status_code >= 400:  # an address that was signed for some time
            response.close()
            self._places.pop(target, None)
            response = self._open(self._join(target), headers)
        try:
            if response.status_code not in (200, 206):
                self._refuse(address, response, path)
            if response.url != self._join(target):
                self._remember(target, response.url)
            yield self._body(response, path, start, size)
        finally:
            response.close()

    def _remember(self, target: str, place: httpx.URL) -> None:
        with self._lock:
            if len(self._places) >= MOST_PLACES:
                self._places.clear()
            self._places[target] = place

    def _body(self, response: httpx.Response, path: str, start: int, size: int) -> Iterator[bytes]:
        """Give exactly the bytes that were asked for."""
        if response.headers.get("content-encoding", "identity") != "identity":
            raise BackendError(f"{self.endpoint} does not give {path} as it is")
        if response.status_code == 206:
            told = _RANGE.fullmatch(response.headers.get("content-range", ""))
            if told is None or (int(told[1]), int(told[2])) != (start, start + size - 1):
                raise BackendError(f"{self.endpoint} gives another part of {path} than was asked for")
        elif start > MOST_SKIPPED:
            raise BackendError(f"{self.endpoint} cannot give a part of {path}, so it would have to be fetched whole")
        skip, left = start if response.status_code == 200 else 0, size
        end = time.monotonic() + self.patience.seconds + (skip + size) / SLOWEST
        try:
            for chunk in response.iter_raw(CHUNK):
                if time.monotonic() > end:
                    raise BackendError(f"{self.endpoint} takes too long to give {path}")
                part = chunk[skip : skip + left]
                skip, left = max(0, skip - len(chunk)), left - len(part)
                yield part
                if not left:
                    return
        except httpx.HTTPError as error:
            raise TryAgain(f"{self.endpoint} broke off while it gave {path}") from error
        raise TryAgain(f"{self.endpoint} gave less of {path} than it lists")

    def _json(self, address: Address, target: str) -> tuple[Any, str | None, int]:
        """Ask for JSON; return it with the address of the next page, if there is one, and its size in bytes."""

        def attempt() -> tuple[Any, str | None, int]:
            url = self._join(target)
            if _origin(url) != _origin(self._base):
                raise BackendError(f"{self.endpoint} continues its listing at another host, which is not followed")
            response = self._open(url, {"Accept": "application/json"})
            try:
                if response.status_code != 200:
                    self._refuse(address, response)
                body = self._small_body(response)
            finally:
                response.close()
            further = _NEXT.search(response.headers.get("link", ""))
            return self._decode(body), further[1] if further else None, len(body)

        return self._retried(attempt)

    def _decode(self, body: bytes) -> Any:
        try:
            return json.loads(body)
        except (ValueError, RecursionError) as error:
            raise BackendError(f"{self.endpoint} does not speak the Hub protocol: its answer is not JSON") from error

    def _refuse(self, address: Address, response: httpx.Response, path: str = "") -> NoReturn:
        headers = {name.lower(): value for name, value in response.headers.items()}
        refusal = Refusal(response.status_code, headers, self._small_body(response))
        token = self.login.token is not None
        if refusal.status == 401 and token and refusal.code != "GatedRepo" and not self._knows_token():
            raise Forbidden(f"{self.endpoint} does not accept the token: it is wrong, expired or was withdrawn")
        raise explain(refusal, self.endpoint, address, path, token=token)

    def _knows_token(self) -> bool:
        response = self._open(self._join("/api/whoami-v2"), {})
        response.close()
        return response.status_code == 200

    def _small_body(self, response: httpx.Response) -> bytes:
        """Read an answer that has to fit into memory."""
        if response.headers.get("content-encoding", "identity") != "identity":
            raise BackendError(
                f"{self.endpoint} sends what cannot be read: it is encoded though that was not asked for"
            )
        data, end = bytearray(), time.monotonic() + 4 * self.patience.seconds
        try:
            for chunk in response.iter_raw():
                data += chunk
                if len(data) > MOST_JSON or time.monotonic() > end:
                    raise BackendError(f"{self.endpoint} answers with too much, or too slowly")
        except httpx.HTTPError as error:
            raise TryAgain(f"{self.endpoint} broke off its answer") from error
        return bytes(data)

    def _open(self, url: httpx.URL, headers: dict[str, str]) -> httpx.Response:
        """Send one request and follow redirects; the token stays with its origin."""
        for _ in range(MOST_HOPS + 1):
            sent = dict(headers)
            if self.login.token and _origin(url) == _origin(self._base):
                sent["Authorization"] = f"Bearer {self.login.token}"
            try:
                response = self._http.send(self._http.build_request("GET", url, headers=sent), stream=True)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise TryAgain(f"{self.endpoint} cannot be reached: {_reason(error)}") from error
            place = response.headers.get("location")
            if response.status_code not in _REDIRECTS or place is None:
                return response
            response.close()
            url = self._follow(url, place)
        raise BackendError(f"{self.endpoint} redirects more than {MOST_HOPS} times")

    def _follow(self, url: httpx.URL, place: str) -> httpx.URL:
        try:
            target = url.join(place)
        except httpx.InvalidURL as error:
            raise BackendError(f"{self.endpoint} redirects to something that is not an address") from error
        if target.scheme not in ("http", "https") or (url.scheme == "https" and target.scheme == "http"):
            raise Forbidden(f"{self.endpoint} redirects to an address that is not encrypted, which is not followed")
        return target

    def _retried(self, attempt: Callable[[], Value]) -> Value:
        delay = self.patience.first_delay
        for left in range(self.patience.attempts - 1, -1, -1):
            try:
                return attempt()
            except TryAgain as error:
                if not left:
                    raise
                self.patience.sleep(max(delay, error.after))
                delay *= 2
        raise AssertionError("unreachable")

    def _join(self, target: str) -> httpx.URL:
        try:
            if target.startswith("/"):
                return httpx.URL(f"{self.login.endpoint}{target}")
            return self._base.join(target)
        except httpx.InvalidURL as error:
            raise BackendError(f"{self.endpoint} names an address that cannot be used") from error


def _endpoint(text: str) -> httpx.URL:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise InputError(f"{text!r} is not the address of a hub; write for example https://hub.example") from error
    if url.scheme not in ("http", "https") or not url.raw_host or url.query or url.fragment:
        raise InputError(f"{text!r} is not the address of a hub; write for example https://hub.example")
    if url.userinfo:
        raise InputError("the address of a hub holds a name or password; give a token in HF_TOKEN instead")
    return url


def _origin(url: httpx.URL) -> tuple[str, bytes, int | None]:
    return url.scheme, url.raw_host, url.port


def _reason(error: Exception) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    return " ".join(str(error).split())[:200] or "the connection broke"
