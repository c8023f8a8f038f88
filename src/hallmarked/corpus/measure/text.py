"""What texts hold: how much, in which languages and scripts, how varied, and how much they repeat themselves."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hallmarked.corpus.measure.cross import LONGEST, MOST_LABELS, MOST_SLICES, names_of
from hallmarked.corpus.measure.language import chosen, language_of
from hallmarked.corpus.measure.repeat import MOST_LINES, MOST_WORDS, WORDS, repeated_lines, repeated_words
from hallmarked.corpus.measure.segment import characters, segment
from hallmarked.corpus.measure.spread import Spread
from hallmarked.corpus.measure.vocabulary import Vocabulary
from hallmarked.corpus.table.model import Piece, Skipped
from hallmarked.corpus.text.column import documents
from hallmarked.corpus.text.shingle import Numbers, Shingler

TERMS = ""
"""Stands for the column in slices that are made by words of the text and not by a column."""

Flags = npt.NDArray[np.bool_]
Slice = tuple[str, str]
"""A column and one of its values."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is looked at, and how."""

    texts: tuple[str, ...] = ()
    """Columns that hold the texts."""
    slices: tuple[str, ...] = ()
    """Columns whose values divide the rows."""
    label: str = ""
    terms: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Words that stand for a group, by group."""
    halvings: int = 0
    """The language is found of one text in two to this."""


@dataclass(slots=True)
class Amount:
    """How much text there is in some rows."""

    rows: int = 0
    texts: int = 0
    """Rows whose text is not empty."""
    bytes: int = 0
    """In UTF-8."""
    characters: int = 0
    words: Spread = field(default_factory=Spread)
    """Words of each text."""
    again: int = 0
    """Words in runs that stood before in the same text."""
    repetitive: int = 0
    """Texts that repeat themselves, in words or in lines."""
    damaged: int = 0
    """Texts with characters that commonly are damage."""
    languages: Counter[str] = field(default_factory=Counter)
    """Texts of the sample by language."""

    def merge(self, other: Amount) -> None:
        """Take what is known of other rows."""
        for name in _COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.words.merge(other.words)
        self.languages = self.languages + other.languages

    def to_json(self) -> dict[str, Any]:
        """Write it as JSON."""
        counts = {name: getattr(self, name) for name in _COUNTS}
        return {**counts, "words": self.words.to_json(), "languages": dict(self.languages)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Amount:
        """Read what :meth:`to_json` wrote."""
        return cls(**{**data, "words": Spread.from_json(data["words"]), "languages": Counter(data["languages"])})


_COUNTS = ("rows", "texts", "bytes", "characters", "again", "repetitive", "damaged")


@dataclass(frozen=True, slots=True)
class _Facts:
    """What is known of each row of a batch."""

    bytes: npt.NDArray[np.int64]
    characters: npt.NDArray[np.int64]
    words: npt.NDArray[np.int64]
    again: npt.NDArray[np.int64]
    repetitive: Flags
    damaged: Flags
    languages: dict[int, str]

    def amount(self, rows: npt.NDArray[np.int64]) -> Amount:
        """Sum up some rows."""
        full = self.characters[rows] > 0
        found = Amount(
            rows=len(rows),
            texts=int(full.sum()),
            bytes=int(self.bytes[rows].sum()),
            characters=int(self.characters[rows].sum()),
            again=int(self.again[rows].sum()),
            repetitive=int(self.repetitive[rows].sum()),
            damaged=int(self.damaged[rows].sum()),
            languages=Counter(self.languages[row] for row in rows.tolist() if row in self.languages),
        )
        found.words.add_array(self.words[rows][full].astype(np.float64))
        return found


@dataclass(slots=True)
class Texts:
    """What is known of the texts of some rows. Measures of parts merge into that of the whole."""

    plan: Plan = Plan()
    skipped: int = 0
    """Rows that could not be read."""
    lost: list[str] = field(default_factory=list)
    """Why rows whose number is not known could not be read."""
    whole: Amount = field(default_factory=Amount)
    slices: dict[Slice, Amount] = field(default_factory=dict)
    crowded: set[str] = field(default_factory=set)
    """Columns with too many or too long values to divide the rows by."""
    kinds: Counter[str] = field(default_factory=Counter)
    """Characters by kind, see ``segment.Characters.names``."""
    vocabulary: Vocabulary = field(default_factory=Vocabulary)
    labels: Counter[str] | None = field(default_factory=Counter)
    """Rows of each label, of those that have a text; None when there are too many labels, or too long ones."""
    pairs: Counter[Slice] = field(default_factory=Counter)
    """Rows of each group of terms and each label."""

    def take(self, pieces: Iterable[Piece]) -> None:
        """Measure what a reader yields of one part."""
        for piece in pieces:
            if not isinstance(piece, Skipped):
                self._add(piece)
            elif piece.rows is None:
                self.lost.append(piece.reason)
            else:
                self.skipped += piece.rows

    def _add(self, batch: pa.RecordBatch) -> None:
        texts = documents(batch, self.plan.texts)
        facts, words = self._facts(texts)
        self.whole.merge(facts.amount(np.arange(len(texts))))
        for name in self.plan.slices:
            if name not in self.crowded:
                self._slice(name, names_of(batch, name), facts)
        if self.plan.terms:
            self._terms(words, names_of(batch, self.plan.label), facts)
        self._bound()

    def _facts(self, texts: Sequence[str]) -> tuple[_Facts, Numbers]:
        shingler, names = Shingler(WORDS), characters().names
        none = np.zeros(0, np.int64)
        values, ends, again, lengths, damaged = (
            [none.astype(np.uint64)],
            [none],
            [none],
            [none],
            [none.astype(np.bool_)],
        )
        for block in segment(texts):
            words = shingler.words_of([block.words])
            again.append(repeated_words(words.counts, shingler.shingles(words)))
            ends.append(words.ends + sum(map(len, values)))
            values.append(words.values)
            lengths.append(block.lengths)
            damaged.append(block.damaged)
            self.kinds += Counter({name: n for name, n in zip(names, block.kinds.tolist(), strict=True) if n})
        words = Numbers(np.concatenate(values), np.concatenate(ends))
        self.vocabulary.add(words.values)
        stood, lines = np.concatenate(again), repeated_lines(texts)
        filled = [row for row in chosen(texts, self.plan.halvings).tolist() if texts[row]]
        facts = _Facts(
            bytes=np.fromiter((len(text.encode("utf-8", "surrogatepass")) for text in texts), np.int64, len(texts)),
            characters=np.concatenate(lengths),
            words=words.counts,
            again=stood,
            repetitive=(stood > MOST_WORDS * words.counts) | (lines > MOST_LINES),
            damaged=np.concatenate(damaged),
            languages={row: language_of(texts[row]) for row in filled},
        )
        return facts, words

    def _slice(self, name: str, values: pa.Array, facts: _Facts) -> None:
        found = values.dictionary_encode()
        codes = np.asarray(found.indices.fill_null(-1))
        names = found.dictionary.to_pylist()
        if len(names) > MOST_SLICES or any(len(value) > LONGEST for value in names):
            self.crowded.add(name)
            return
        for code, value in enumerate(names):
            amount = facts.amount(np.flatnonzero(codes == code))
            self.slices.setdefault((name, value), Amount()).merge(amount)

    def _terms(self, words: Numbers, labels: pa.Array, facts: _Facts) -> None:
        """Find the rows that have a word of a group, and which labels they have."""
        said = np.asarray(facts.characters > 0) & np.asarray(labels.is_valid())
        names = labels.to_pylist()
        if self.labels is not None:
            self.labels += Counter(names[row] for row in np.flatnonzero(said).tolist())
        for group, terms in self.plan.terms.items():
            hashes = np.unique(hash_terms(terms))
            rows = np.unique(words.owners[np.isin(words.values, hashes)])
            self.slices.setdefault((TERMS, group), Amount()).merge(facts.amount(rows))
            self.pairs += Counter((group, names[row]) for row in rows.tolist() if said[row])

    def lose(self, reason: str) -> None:
        """Take that a part could not be read, nor how many rows it has."""
        self.lost.append(reason)

    def merge(self, other: Texts) -> None:
        """Take what is known of other rows."""
        self.skipped += other.skipped
        self.lost += other.lost
        self.whole.merge(other.whole)
        self.crowded |= other.crowded
        for place, amount in other.slices.items():
            self.slices.setdefault(place, Amount()).merge(amount)
        self.kinds = self.kinds + other.kinds
        self.vocabulary.merge(other.vocabulary)
        self.labels = None if self.labels is None or other.labels is None else self.labels + other.labels
        self.pairs = self.pairs + other.pairs
        self._bound()

    def _bound(self) -> None:
        columns = Counter(column for column, _ in self.slices if column != TERMS)
        self.crowded |= {column for column, values in columns.items() if values > MOST_SLICES}
        self.slices = {place: amount for place, amount in self.slices.items() if place[0] not in self.crowded}
        if self.labels and (len(self.labels) > MOST_LABELS or any(len(label) > LONGEST for label in self.labels)):
            self.labels = None
        if self.labels is None:
            self.pairs = Counter()

    def dump(self) -> bytes:
        """Write it as JSON."""
        state = {
            "skipped": self.skipped,
            "lost": self.lost,
            "whole": self.whole.to_json(),
            "slices": [[*place, amount.to_json()] for place, amount in sorted(self.slices.items())],
            "crowded": sorted(self.crowded),
            "kinds": dict(sorted(self.kinds.items())),
            "vocabulary": self.vocabulary.to_json(),
            "labels": None if self.labels is None else dict(sorted(self.labels.items())),
            "pairs": [[*pair, count] for pair, count in sorted(self.pairs.items())],
        }
        return json.dumps(state).encode()

    @classmethod
    def load(cls, data: bytes) -> Texts:
        """Read what :meth:`dump` wrote."""
        state = json.loads(data)
        return cls(
            skipped=state["skipped"],
            lost=state["lost"],
            whole=Amount.from_json(state["whole"]),
            slices={(column, value): Amount.from_json(amount) for column, value, amount in state["slices"]},
            crowded=set(state["crowded"]),
            kinds=Counter(state["kinds"]),
            vocabulary=Vocabulary.from_json(state["vocabulary"]),
            labels=None if state["labels"] is None else Counter(state["labels"]),
            pairs=Counter({(group, label): count for group, label, count in state["pairs"]}),
        )


def hash_terms(terms: Iterable[str]) -> npt.NDArray[np.uint64]:
    """Return the hashes of words, as those of texts are."""
    return Shingler(WORDS).words_of(block.words for block in segment(list(terms))).values
