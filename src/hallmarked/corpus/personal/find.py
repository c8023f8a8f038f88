"""Find personal data and secrets in many texts at once."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Protocol

from hallmarked.core.errors import InputError
from hallmarked.corpus.personal.contact import CONTACTS
from hallmarked.corpus.personal.detail import DETAILS
from hallmarked.corpus.personal.finance import FINANCE
from hallmarked.corpus.personal.gate import open_gate
from hallmarked.corpus.personal.kind import DEFAULT, KINDS, NAME
from hallmarked.corpus.personal.model import Span, Strength
from hallmarked.corpus.personal.national import NATIONALS
from hallmarked.corpus.personal.network import NETWORK
from hallmarked.corpus.personal.numbering import REGIONS
from hallmarked.corpus.personal.phone import phones
from hallmarked.corpus.personal.recogniser import CLOSE, Hit, Recogniser
from hallmarked.corpus.personal.secret import SECRETS
from hallmarked.corpus.personal.wallet import WALLETS

BATCH = 4 << 20
"""Bytes of text that are looked at in one pass."""
_LEAST = frozenset({"url", "date"})
"""Kinds that give way to whatever else is found there."""


class NameModel(Protocol):
    """A model that finds names of people; any that is given the same text twice must find the same."""

    @property
    def name(self) -> str:
        """What it is, with its version; it goes into the evidence."""

    def names(self, texts: Sequence[str]) -> Sequence[Sequence[tuple[int, int]]]:
        """Return for each text where names begin and end, in characters."""


@dataclass(frozen=True, slots=True)
class Search:
    """What to look for, and how."""

    kinds: frozenset[str] = DEFAULT
    """See ``kind``."""
    regions: tuple[str, ...] = REGIONS
    """Where telephone numbers without a country code are from."""
    engine: str = ""
    """``hyperscan`` or ``re2``; the first that is there when empty. What is found does not depend on it."""
    names: NameModel | None = None


class Detector:
    """Finds personal data and secrets.

    Raises:
        InputError: When asked for a kind that it does not know, or for names without a model.
    """

    def __init__(self, search: Search | None = None) -> None:
        self.search = search or Search()
        unknown = self.search.kinds - KINDS.keys()
        if unknown:
            raise InputError(f"There is no kind of personal data named {min(unknown)!r}")
        self._recognisers = [each for each in _recognisers(self.search) if each.kinds & self.search.kinds]
        users: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for place, recogniser in enumerate(self._recognisers):
            for number, expression in enumerate(recogniser.gates):
                users[expression].append((place, number))
        self._users = list(users.values())
        exact = [any(self._recognisers[place].exact for place, _ in each) for each in self._users]
        self._close = [0 if each else CLOSE for each in exact]
        self._gate = open_gate(list(users), self.search.engine)

    @property
    def kinds(self) -> frozenset[str]:
        """What is looked for."""
        return self.search.kinds - (frozenset() if self.search.names else frozenset({NAME}))

    def takes(self, hint: str) -> bool:
        """Say whether the name of a column speaks for a kind, so that numbers in it are worth a look too."""
        return any(each.takes(hint) for each in self._recognisers)

    def find(self, text: str, hint: str = "") -> list[Span]:
        """Return what is in a text, in order, without overlaps.

        Args:
            text: The text.
            hint: What the text is said to be, like the name of its column; its words count as if they stood beside.
        """
        return next((spans for _, spans in self.scan([text], hint)), [])

    def scan(self, texts: Iterable[str | None], hint: str = "") -> Iterator[tuple[int, list[Span]]]:
        """Yield the number of each text in which something is, from 0, and what ``find`` would return."""
        first = 0
        for batch in _batched(texts):
            encoded = [text.encode("utf-8", "surrogatepass") if text else b"" for text in batch]
            begins = list(accumulate((len(text) + 1 for text in encoded), initial=1))
            for number, spans in self._scan(Joined(b"\n".join([b"", *encoded, b""]), begins), hint):
                yield first + number, spans
            first += len(batch)

    def scan_joined(self, joined: Joined, hint: str = "") -> Iterator[tuple[int, list[Span]]]:
        """Do as ``scan`` does with texts that lie in one piece, of which those without a hit are never decoded."""
        return self._scan(joined, hint)

    def _scan(self, joined: Joined, hint: str) -> Iterator[tuple[int, list[Span]]]:
        hinted = [place for place, each in enumerate(self._recognisers) if hint and each.takes(hint)]
        everywhere = hinted or self.search.names is not None
        hits, users = self._by_text(joined), self._users
        for number in range(len(joined)) if everywhere else sorted(hits):
            text = joined.text(number)
            by_recogniser: dict[int, list[Hit]] = {place: [] for place in hinted}
            for at, expression in joined.placed(number, hits.get(number, [])):
                for place, gate in users[expression]:
                    by_recogniser.setdefault(place, []).append((gate, at))
            spans = list(self._spans(text, by_recogniser, hint))
            if spans:
                yield number, resolved(spans)

    def _spans(self, text: str, hits: Mapping[int, Sequence[Hit]], hint: str) -> Iterator[Span]:
        for place, at in hits.items():
            for span in self._recognisers[place].spans(text, at, hint):
                if span.kind in self.search.kinds:
                    yield span
        if self.search.names is not None and NAME in self.search.kinds and text:
            for start, end in self.search.names.names([text])[0]:
                yield Span(start, end, NAME, Strength.LIKELY)

    def _by_text(self, joined: Joined) -> dict[int, list[tuple[int, int]]]:
        """Return the hits by text, without those that another one of the same expression is close before."""
        hits: dict[int, list[tuple[int, int]]] = {}
        close, limit = self._close, 0
        for hit in self._gate.hits(joined.data):
            end, expression = hit
            if end > limit:
                number = joined.number_at(end)
                limit = joined.begins[number + 1]
                of_text = hits.setdefault(number, [])
                following: dict[int, int] = {}
            if end >= following.get(expression, 0):
                following[expression] = end + close[expression]
                of_text.append(hit)
        return hits


@dataclass(frozen=True, slots=True)
class Joined:
    """Texts in one piece."""

    data: bytes
    """A line's end, and the texts in UTF-8, each with a line's end after it, so that no expression needs to know of
    beginnings and ends."""
    begins: Sequence[int]
    """Where each text begins, and where another one would."""
    errors: str = "surrogatepass"
    """What is done about bytes that are not UTF-8."""

    def __len__(self) -> int:
        return len(self.begins) - 1

    def number_at(self, end: int) -> int:
        """Return the number of the text in which a match ended; the line's end after it counts."""
        return max(0, bisect_left(self.begins, end) - 1)

    def text(self, number: int) -> str:
        """Return a text."""
        return self.data[self.begins[number] : self.begins[number + 1] - 1].decode("utf-8", self.errors)

    def placed(self, number: int, hits: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        """Return for each hit in a text the characters up to its end, and its expression."""
        begin, stop = self.begins[number], self.begins[number + 1] - 1
        if self.data[begin:stop].isascii():
            return [(end - begin, expression) for end, expression in hits]
        seen, characters, placed = begin, 0, []
        for end, expression in hits:
            at = max(begin, min(end, stop))
            if at > seen:
                characters += len(self.data[seen:at].translate(None, _CONTINUATION))
                seen = at
            placed.append((characters, expression))
        return placed


_CONTINUATION = bytes(range(0x80, 0xC0))
"""Bytes that are not the first of a character."""


def _batched(texts: Iterable[str | None]) -> Iterator[list[str | None]]:
    batch: list[str | None] = []
    size = 0
    for text in texts:
        batch.append(text)
        size += len(text or "") + 1
        if size >= BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def resolved(spans: Iterable[Span]) -> list[Span]:
    """Leave of those that overlap the longest, then the strongest, then the first.

    Web addresses and dates give way to all others; telephone numbers, which are proven least, to what is as long.
    """
    starts: list[int] = []
    taken: list[Span] = []
    for span in sorted(set(spans), key=_rank):
        place = bisect_left(starts, span.start)
        free = place == len(taken) or span.end <= starts[place]
        if free and (place == 0 or taken[place - 1].end <= span.start):
            starts.insert(place, span.start)
            taken.insert(place, span)
    return taken


def _rank(span: Span) -> tuple[bool, int, int, bool, int, str]:
    return span.kind in _LEAST, span.start - span.end, -span.strength, span.kind == "phone", span.start, span.kind


def _recognisers(search: Search) -> list[Recogniser]:
    shapes: tuple[Recogniser, ...] = (
        *CONTACTS,
        *FINANCE,
        *NETWORK,
        phones(search.regions),
        *WALLETS,
        *DETAILS,
        *SECRETS,
    )
    return [*shapes, *(national.shape() for national in NATIONALS)]


@lru_cache(4)
def detector_of(search: Search) -> Detector:
    """Return a detector, the same for the same search: compiling its expressions takes about half a second."""
    return Detector(search)
