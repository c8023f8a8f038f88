"""What signals are read from, and what they come to.

A source is kept as it was received, so that whoever has the snapshot comes to the same verdict. Nothing is fetched.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib.resources import files
from urllib.parse import urlsplit

EDITION = "1"
"""Raised when the same snapshot may give another verdict."""
MOST_BYTES = 4 << 20
"""Longest source that is read; a longer one is not understood."""


class Decision(StrEnum):
    """Whether something may be used to train models, as far as machine-readable signals say."""

    ALLOWED = "allowed"
    """No source that was read objects."""
    UNKNOWN = "unknown"
    """A source could not be read or understood, or leaves it to people."""
    DENIED = "denied"

    @property
    def rank(self) -> int:
        """Order decisions: ``allowed`` < ``unknown`` < ``denied``; the most restrictive wins."""
        return list(Decision).index(self)


class Kind(StrEnum):
    """Where a signal stands."""

    ROBOTS = "robots.txt"
    """RFC 9309, with ``Content-Usage`` and ``Content-Signal``."""
    HEADERS = "headers"
    """Of the HTTP response: ``X-Robots-Tag``, ``Content-Usage``, ``Content-Signal``, ``tdm-reservation``."""
    HTML = "html"
    """``<meta>`` of the page."""
    AI_TXT = "ai.txt"
    TDMREP = "tdmrep.json"
    """``/.well-known/tdmrep.json`` of the site."""
    CREDENTIALS = "c2pa"
    """Content credentials of the file: the manifest store as JSON, see ``media``."""
    LICENCE = "licence"
    """An id or address of a licence."""


@dataclass(frozen=True, slots=True)
class Source:
    """A source of signals, as it was received."""

    kind: Kind
    data: bytes
    status: int = 200
    """HTTP status it came with. 404 and 410 say that there is none; others than 2xx that it could not be read."""
    failure: str = ""
    """Why it could not be read, when it could not."""

    @property
    def absent(self) -> bool:
        """Whether the site said that it has no such thing."""
        return self.status in (404, 410) and not self.failure

    @property
    def digest(self) -> str:
        """SHA-256 of the bytes, in lower-case hex."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A page or file, and all sources of signals about it, at one moment."""

    url: str
    sources: tuple[Source, ...]
    media: str = ""
    """``text`` or ``image`` when that is what is used of it; signals about other media do not count then."""


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that a source says of the page."""

    decision: Decision
    words: str
    """One sentence."""


@dataclass(frozen=True, slots=True)
class Reason:
    """What a source says, and which one."""

    kind: Kind
    decision: Decision
    words: str
    digest: str
    """SHA-256 of the source."""


@cache
def training_crawlers() -> tuple[str, ...]:
    """Return the names of crawlers that are known to collect for training."""
    text = files("hallmarked.corpus.signal").joinpath("crawler.txt").read_text("utf-8")
    return tuple(line for line in text.splitlines() if line and not line.startswith("#"))


@dataclass(frozen=True, slots=True)
class Crawlers:
    """For whom signals are read that name crawlers."""

    own: tuple[str, ...] = ()
    """Names under which the content was, or would be, fetched."""
    training: tuple[str, ...] = field(default_factory=training_crawlers)
    """Crawlers that collect for training; who refuses one of these refuses training."""

    @property
    def names(self) -> tuple[str, ...]:
        """All of them, in small letters."""
        return tuple(dict.fromkeys(name.lower() for name in (*self.own, *self.training)))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What all sources together come to."""

    url: str
    decision: Decision
    reasons: tuple[Reason, ...]
    """The most restrictive first."""
    digest: str
    """SHA-256 of what it follows from: address, sources, crawlers and edition. The same digest, the same verdict."""


def digest_of(snapshot: Snapshot, crawlers: Crawlers) -> str:
    """Return the digest of all that a verdict follows from; the order of the sources does not count."""
    sources = sorted([source.kind.value, source.status, source.failure, source.digest] for source in snapshot.sources)
    known = [EDITION, snapshot.url, snapshot.media, sources, sorted(crawlers.names)]
    return hashlib.sha256(json.dumps(known, ensure_ascii=False).encode()).hexdigest()


def path_of(url: str) -> str:
    """Return path and query of an address, as rules of a site see it.

    Raises:
        ValueError: When it is no address.
    """
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def text_of(data: bytes) -> str:
    """Return the text of a source; bytes that are not UTF-8 are replaced, as RFC 9309 reads them."""
    return data.decode("utf-8-sig", "replace")


def worst(decisions: Sequence[Decision]) -> Decision:
    """Return the most restrictive decision; ``allowed`` when there is none."""
    return max(decisions, key=lambda decision: decision.rank, default=Decision.ALLOWED)
