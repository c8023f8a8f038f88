"""Invented words, items made of them, and copies with words changed."""

from __future__ import annotations

import random

import pyarrow as pa

from hallmarked.corpus.leak.index import Index, build_index
from hallmarked.corpus.leak.item import Benchmark, BenchmarkItem
from hallmarked.corpus.leak.scan import Match, scan

SYLLABLES = [first + vowel for first in "bdfgklmnprstvz" for vowel in "aeiou"]


class Writer:
    """Writes texts of invented words, some of which are much more frequent than others."""

    def __init__(self, seed: int, words: int = 2_000) -> None:
        self.random = random.Random(seed)
        self.words = ["".join(self.random.choices(SYLLABLES, k=self.random.randint(1, 4))) for _ in range(words)]
        self.weights = [1 / (rank + 1) for rank in range(words)]

    def text(self, count: int) -> str:
        """Return a text of so many words."""
        return " ".join(self.random.choices(self.words, self.weights, k=count))

    def edit(self, text: str, share: float) -> str:
        """Return a text with that share of its words exchanged for others, exactly."""
        words = text.split()
        for place in self.random.sample(range(len(words)), round(share * len(words))):
            words[place] = self.random.choice(self.words)
        return " ".join(words)


def benchmark(questions: list[str], answers: list[str] | None = None, name: str = "test") -> Benchmark:
    """Make a benchmark of questions."""
    answers = answers or [""] * len(questions)
    items = [BenchmarkItem(str(n), q, a) for n, (q, a) in enumerate(zip(questions, answers, strict=True), 1)]
    return Benchmark(name, items, "made up")


def found(index: Index, texts: list[str]) -> list[tuple[int, Match]]:
    """Return the text of each match and the match."""
    scanned = scan(index, pa.array(texts, pa.large_string()))
    return [(match.text, match) for each in scanned for match in each.matches]


def index_of(questions: list[str], answers: list[str] | None = None) -> Index:
    """Index questions."""
    return build_index([benchmark(questions, answers)])
