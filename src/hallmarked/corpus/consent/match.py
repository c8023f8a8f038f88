"""Match rows of a data set with consents; where several are about a row, the most restrictive one counts.

Selectors of a place (account, repository, domain, address) and of content are different promises. A place that opted
out says nothing about a copy under another owner; content that opted out is found under every owner.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from hallmarked.core.errors import InputError
from hallmarked.corpus.consent.key import RegistryKey
from hallmarked.corpus.consent.record import Entry, Mode, Said, Use
from hallmarked.corpus.consent.selector import (
    LONGEST,
    Kind,
    account_of,
    domain_and_above,
    file_digest,
    normal_account,
    normal_content,
    normal_domain,
    normal_repository,
    normal_text,
    normal_url,
    text_digest,
    url_and_above,
)
from hallmarked.corpus.consent.sketch import THRESHOLD, Sketch, key_bands, key_values, read_sketch, sign_text

REMEMBERED = 1 << 17
"""Names whose entries are kept in mind; rows of one place mostly stand together."""
_AUTHORITY = re.compile(r"(?:[^/?#]*://|//)?[^/?#]*")
"""What of an address comes before its path: rows of one site have it in common, so it is worth remembering."""
_ORDER = {Said.DENIED: 0, Said.PARTIAL: 1, Said.ALLOWED: 2, Said.NONE: 3}


@dataclass(frozen=True, slots=True)
class Row:
    """What is known of a row; what is empty is not known."""

    account: str = ""
    repository: str = ""
    domain: str = ""
    url: str = ""
    text: str = ""
    """Its text."""
    data: bytes = b""
    """The bytes of its file: a picture, a recording."""
    digests: tuple[str, ...] = ()
    """Digests of content that were made before, as selectors write them."""
    texts: tuple[str, ...] = ()
    """Its texts one by one, when it has several: a work may be one of them. Each is compared, and ``text`` too."""


@dataclass(frozen=True, slots=True)
class Match:
    """An entry that is about a row."""

    entry: Entry
    resemblance: float = 1.0
    """How much alike the texts are; an estimate."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What all consents together say about a row and a use."""

    said: Said
    kind: Kind | None = None
    """By what the row was recognised."""
    mode: Mode | None = None
    commitment: str = ""
    """Which request decided; names nobody."""
    unread: tuple[Kind, ...] = ()
    """What of the row could not be read, so that consents by it could not be found."""

    def may_use(self, *, opt_in: bool = False) -> bool:
        """Say whether the row may go into a build.

        Args:
            opt_in: Whether the build takes only what somebody allowed, instead of all that nobody refused.
        """
        return self.said is Said.ALLOWED or (self.said is Said.NONE and not opt_in)


class Matcher:
    """An index of entries by their digests."""

    def __init__(self, key: RegistryKey, entries: Iterable[Entry]) -> None:
        self._key = key
        self._exact: dict[tuple[Kind, bytes], list[Entry]] = {}
        self._sketches: list[tuple[Sketch, Entry]] = []
        self._bands: dict[bytes, list[int]] = {}
        kinds = set()
        for entry in entries:
            kinds.add(entry.kind)
            if entry.kind is Kind.SIMILAR:
                self._add_sketch(entry)
            else:
                self._exact.setdefault((entry.kind, entry.digest), []).append(entry)
        self._kinds = kinds
        self._known: dict[tuple[Kind, str], tuple[tuple[Entry, ...], bool]] = {}

    def _add_sketch(self, entry: Entry) -> None:
        sketch = read_sketch(entry.digest)
        for band in sketch.bands:
            self._bands.setdefault(band, []).append(len(self._sketches))
        self._sketches.append((sketch, entry))

    def match(self, row: Row) -> Sequence[Match]:
        """List every entry that is about a row."""
        return self._match(row)[0]

    def decide(self, row: Row, use: Use, into: str) -> Decision:
        """Say what all entries about a row mean for a use."""
        matches, unread = self._match(row)
        said = [(match.entry.scope.say(use, into), match.entry) for match in matches]
        said = [item for item in said if item[0] is not Said.NONE]
        if not said:
            return Decision(Said.NONE, unread=unread)
        result, entry = min(
            said, key=lambda item: (_ORDER[item[0]], list(Kind).index(item[1].kind), item[1].commitment)
        )
        return Decision(result, entry.kind, entry.scope.mode, entry.commitment, unread)

    def _match(self, row: Row) -> tuple[list[Match], tuple[Kind, ...]]:
        found, unread = [], []
        for kind, value in _places(row):
            if kind not in self._kinds:
                continue
            entries, readable = self._look_up(kind, value)
            found += [Match(entry) for entry in entries]
            if not readable:
                unread.append(kind)
        if Kind.CONTENT in self._kinds:
            for digest in _contents(row):
                found += [Match(entry) for entry in self._find(Kind.CONTENT, [digest])]
        if self._sketches:
            found += (match for text in _texts(row) for match in self._find_similar(text))
        return found, tuple(unread)

    def _look_up(self, kind: Kind, value: str) -> tuple[tuple[Entry, ...], bool]:
        """Return the entries about a place, and whether it could be read."""
        if len(value) > LONGEST:
            return (), False
        known = self._known.get((kind, value))
        if known is None:
            try:
                known = tuple(self._find(kind, _COVERING[kind](value))), True
            except InputError:
                known = (), False
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[kind, value] = known
        return known

    def _find(self, kind: Kind, values: Iterable[str]) -> Iterator[Entry]:
        label = kind.value.encode()
        for value in values:
            yield from self._exact.get((kind, self._key.digest(label, value.encode("utf-8", "surrogatepass"))), ())

    def _find_similar(self, text: str) -> Iterator[Match]:
        signature = sign_text(normal_text(text))
        if signature is None:
            return
        bands = key_bands(self._key, signature)
        candidates = sorted({number for band in bands for number in self._bands.get(band, ())})
        if not candidates:
            return
        values = key_values(self._key, signature)
        for number in candidates:
            sketch, entry = self._sketches[number]
            resemblance = sketch.resemblance(values)
            if resemblance >= THRESHOLD:
                yield Match(entry, resemblance)


def _places(row: Row) -> Iterator[tuple[Kind, str]]:
    if row.account:
        yield Kind.ACCOUNT, row.account
    if row.repository:
        yield Kind.REPOSITORY, row.repository
        if not row.account:
            yield from _owner(row.repository)
    if row.url:
        yield Kind.URL, row.url
    if row.domain:
        yield Kind.DOMAIN, row.domain
    elif row.url:
        yield Kind.DOMAIN, _AUTHORITY.match(row.url)[0]  # type: ignore[index]  # it matches every text


def _owner(repository: str) -> Iterator[tuple[Kind, str]]:
    try:
        yield Kind.ACCOUNT, account_of(normal_repository(repository))
    except InputError:
        return  # the repository itself is reported as unread


def _above(domain: str) -> list[str]:
    """List the domains that cover a domain, or the host of the beginning of an address."""
    if "/" in domain or ":" in domain:
        domain = normal_url(domain).partition(":")[0]
    return domain_and_above(normal_domain(domain))


def _texts(row: Row) -> list[str]:
    return [text for text in dict.fromkeys((row.text, *row.texts)) if text]


def _contents(row: Row) -> Iterator[str]:
    yield from map(text_digest, _texts(row))
    if row.data:
        yield file_digest(row.data)
    for digest in row.digests:
        yield normal_content(digest)


_COVERING: dict[Kind, Callable[[str], list[str]]] = {
    Kind.ACCOUNT: lambda value: [normal_account(value)],
    Kind.REPOSITORY: lambda value: [normal_repository(value)],
    Kind.DOMAIN: _above,
    Kind.URL: lambda value: url_and_above(normal_url(value)),
}
