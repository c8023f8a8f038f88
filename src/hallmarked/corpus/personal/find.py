"""Find personal data and secrets in many texts at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from hallmarked.core.errors import InputError
from hallmarked.corpus.personal.contact import CONTACTS
from hallmarked.corpus.personal.detail import DETAILS
from hallmarked.corpus.personal.finance import FINANCE
from hallmarked.corpus.personal.gate import open_gate
from hallmarked.corpus.personal.kind import DEFAULT, KINDS, NAME
from hallmarked.corpus.personal.model import Span
from hallmarked.corpus.personal.national import NATIONALS
from hallmarked.corpus.personal.network import NETWORK
from hallmarked.corpus.personal.numbering import REGIONS
from hallmarked.corpus.personal.phone import phones
from hallmarked.corpus.personal.recogniser import Hit, Recogniser
from hallmarked.corpus.personal.secret import SECRETS
from hallmarked.corpus.personal.wallet import WALLETS

BATCH = 4 << 20
"""Bytes of text that are looked at in one pass."""
_LEAST = frozenset({"url"})
"""Kinds that give way to what is found within them."""


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
        self._gates: list[list[tuple[int, int]]] = []
        expressions: dict[str, int] = {}
        for number, recogniser in enumerate(self._recognisers):
            for gate, expression in enumerate(recogniser.gates):
                place = expressions.setdefault(expression, len(expressions))
                if place == len(self._gates):
                    self._gates.append([])
                self._gates[place].append((number, gate))
        self._gate = open_gate(list(expressions), self.search.engine)

    @property
    def kinds(self) -> frozenset[str]:
        """What is looked for."""
        return self.search.kinds - (frozenset() if self.search.names else frozenset({NAME}))

    def find(self, text: str, hint: str = "") -> list[Span]:
        """Return what is in a text, in order, without overlaps.

        Args:
            text: The text.
            hint: What the text is said to be, like the name of its column; its words count as if they stood beside.
        """
        return next((spans for _, spans in self.scan([text], hint)), [])

    def scan(self, texts: Iterable[str | None], hint: str = "") -> Iterator[tuple[int, list[Span]]]:
        """Yield the number of each text in which something is, from 0, and what ``find`` would return."""
        for first, batch in _batched(texts):
            found = self._found(batch, hint)
            for number in sorted(found):
                spans = resolved(found[number])
                if spans:
                    yield first + number, spans

    def _found(self, batch: Sequence[str | None], hint: str) -> dict[int, list[Span]]:
        found: dict[int, list[Span]] = defaultdict(list)
        hits = self._hits(batch, hint)
        for number, by_recogniser in hits.items():
            text = batch[number]
            assert text is not None
            for place, at in by_recogniser.items():
                spans = self._recognisers[place].spans(text, at, hint)
                found[number] += [span for span in spans if span.kind in self.search.kinds]
        if self.search.names is not None and NAME in self.search.kinds:
            for number, places in enumerate(self.search.names.names([text or "" for text in batch])):
                found[number] += [Span(start, end, NAME, KINDS[NAME].strength) for start, end in places]
        return found

    def _hits(self, batch: Sequence[str | None], hint: str) -> dict[int, dict[int, list[Hit]]]:
        """Return the hits by text and recogniser."""
        encoded = [(text or "").encode("utf-8", "surrogatepass") for text in batch]
        hits: dict[int, dict[int, list[Hit]]] = {}
        hinted = self._hinted(hint)
        if hinted:
            hits = {number: {place: [] for place in hinted} for number, text in enumerate(batch) if text}
        # A line's end before, between and after the texts, so that no expression needs to know of beginnings and ends.
        joined = b"\n".join([b"", *encoded, b""])
        walk = _Walk(encoded)
        for expression, end in self._gate.hits(joined):
            number, at = walk.to(end)
            by_recogniser = hits.setdefault(number, {})
            for place, gate in self._gates[expression]:
                by_recogniser.setdefault(place, []).append(Hit(gate, at))
        return hits

    def _hinted(self, hint: str) -> list[int]:
        """Return the recognisers that look everywhere, since the hint is of their kind."""
        return [place for place, each in enumerate(self._recognisers) if hint and each.takes(hint)]


@dataclass(slots=True)
class _Walk:
    """Turns bytes of the joined texts, in rising order, into a text and characters in it."""

    encoded: Sequence[bytes]
    number: int = 0
    begin: int = 1
    """Where the text begins in the joined bytes."""
    seen: int = 0
    """Bytes of the text that were counted."""
    characters: int = 0
    plain: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self.plain = bool(self.encoded) and self.encoded[0].isascii()

    def to(self, end: int) -> tuple[int, int]:
        """Return the number of the text in which a byte is, and the characters before it."""
        while self.number + 1 < len(self.encoded) and end > self.begin + len(self.encoded[self.number]) + 1:
            self.begin += len(self.encoded[self.number]) + 1
            self.number += 1
            self.seen = self.characters = 0
            self.plain = self.encoded[self.number].isascii()
        data = self.encoded[self.number]
        at = max(0, min(end - self.begin, len(data)))
        if self.plain:
            return self.number, at
        self.characters += len(data[self.seen : at]) - _continuations(data[self.seen : at])
        self.seen = max(at, self.seen)
        return self.number, self.characters


_CONTINUATION = bytes(range(0x80, 0xC0))


def _continuations(data: bytes) -> int:
    """Count the bytes that are not the first of a character."""
    return len(data) - len(data.translate(None, _CONTINUATION))


def _batched(texts: Iterable[str | None]) -> Iterator[tuple[int, list[str | None]]]:
    batch: list[str | None] = []
    first = size = 0
    for text in texts:
        batch.append(text)
        size += len(text or "") + 1
        if size >= BATCH:
            yield first, batch
            first += len(batch)
            batch, size = [], 0
    if batch:
        yield first, batch


def resolved(spans: Iterable[Span]) -> list[Span]:
    """Leave of those that overlap the longest, then the strongest, then the first; web addresses give way to all."""
    taken: list[Span] = []
    ordered = sorted(set(spans), key=lambda s: (s.kind in _LEAST, s.start - s.end, -s.strength, s.start, s.kind))
    for span in ordered:
        if all(span.end <= other.start or other.end <= span.start for other in taken):
            taken.append(span)
    return sorted(taken, key=lambda s: s.start)


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
