"""What an endpoint means by an answer that is not what was asked for.

The codes are those that the Hub's own client tests, in its order; other hubs send some of them, or none.
"""

from __future__ import annotations

import email.utils
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass

from hallmarked.artifacts.remote.address import Address
from hallmarked.core.errors import BackendError, Error, Forbidden, NotFound

MOST_WAIT = 60.0
_TEMPORARY = frozenset({408, 425, 429, 500, 502, 503, 504})


class TryAgain(BackendError):
    """Something failed that may work a moment later.

    Args:
        message: What failed.
        after: Seconds the endpoint asked us to wait.
    """

    def __init__(self, message: str, *, after: float = 0.0) -> None:
        super().__init__(message)
        self.after = after


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is an error."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def code(self) -> str:
        """The Hub's word for it; empty when there is none."""
        return self.headers.get("x-error-code", "")

    @property
    def message(self) -> str:
        """What the endpoint says, in one line; empty when it says nothing."""
        said: object = self.headers.get("x-error-message", "")
        told = self._told()
        if not said and isinstance(told, dict):
            said = told.get("error") or ""
        return " ".join(said.split())[:300].rstrip(".") if isinstance(said, str) else ""

    @property
    def is_of_a_hub(self) -> bool:
        """False when this came from something that does not speak the protocol, such as an ordinary web site."""
        return bool(self.code) or isinstance(self._told(), dict)

    def _told(self) -> object:
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


def explain(refusal: Refusal, endpoint: str, address: Address, path: str, *, token: bool) -> Error:
    """Say in one sentence what went wrong and what can be done.

    Args:
        refusal: What came back.
        endpoint: Who was asked.
        address: For which repository.
        path: For which file of it; empty when for none.
        token: Whether a token was sent.
    """
    said = f": {refusal.message}" if refusal.message else ""
    if refusal.status in _TEMPORARY:
        return TryAgain(f"{endpoint} answers with status {refusal.status}{said}", after=_wait(refusal.headers))
    known = {
        "RevisionNotFound": NotFound(f"{endpoint} has no revision {address.revision or 'main'} of {address.repo}"),
        "EntryNotFound": NotFound(f"{endpoint} has no file {path} in {address}"),
        "GatedRepo": Forbidden(_gated(address, endpoint, token=token)),
        "RepoNotFound": NotFound(_missing(address, endpoint, token=token)),
    }.get(refusal.code)
    if known is not None:
        return known
    if refusal.status == 403:
        return Forbidden(f"{endpoint} does not give out {address}{said}")
    if not refusal.is_of_a_hub and refusal.status != 401:
        return BackendError(f"{endpoint} does not speak the Hub protocol: it answers with status {refusal.status}")
    if refusal.status in (401, 404):
        return NotFound(_missing(address, endpoint, token=token))
    return BackendError(f"{endpoint} answers with status {refusal.status}{said}")


def _missing(address: Address, endpoint: str, *, token: bool) -> str:
    way = "the token gives no access to it" if token else "it needs a token (HF_TOKEN)"
    return f"{endpoint} has no {address.kind} {address.repo}, or {way}"


def _gated(address: Address, endpoint: str, *, token: bool) -> str:
    way = "with the account this token belongs to" if token else "and give that account's token (HF_TOKEN)"
    return f"{address.repo} is gated: ask for access at {endpoint}{address.page} {way}"


def _wait(headers: Mapping[str, str]) -> float:
    """Read ``Retry-After``, in seconds or as a date; bounded."""
    told = headers.get("retry-after", "")
    if told.isascii() and told.isdigit() and len(told) < 6:
        return min(float(told), MOST_WAIT)
    date = email.utils.parsedate_tz(told)
    if date is None:
        return 0.0
    try:
        return min(max(0.0, email.utils.mktime_tz(date) - time.time()), MOST_WAIT)
    except (ValueError, OverflowError):
        return 0.0
