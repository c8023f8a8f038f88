"""Texts with duplicates that the tests know."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator, Sequence
from functools import partial

from hallmarked.corpus.duplicate.find import Duplicates, Limits, find_duplicates
from hallmarked.corpus.duplicate.sketch import Settings
from hallmarked.corpus.duplicate.state import Builder, State
from hallmarked.corpus.duplicate.whole import I64
from hallmarked.corpus.text.word import split

WORDS = [f"w{number}" for number in range(4000)]


def edited(words: Sequence[str], share: float, chance: random.Random) -> str:
    """Return a text in which a share of the words was changed, one at least."""
    result = list(words)
    for place in chance.sample(range(len(result)), max(1, round(share * len(result)))):
        result[place] = f"new{chance.randrange(10**9)}"
    return " ".join(result)


def make_texts(count: int, chance: random.Random, copies: int = 2) -> list[str]:
    """Return texts of 8 to 300 words with exact copies, copies in capitals and edited copies, in any order."""
    texts = []
    for _ in range(count):
        words = chance.choices(WORDS, k=chance.randrange(8, 300))
        texts.append(" ".join(words))
        texts += [edited(words, chance.uniform(0, 0.06), chance) for _ in range(chance.randrange(copies + 1))]
        if chance.random() < 0.1:
            texts += [texts[-1], texts[-1].upper()]
    chance.shuffle(texts)
    return texts


def jaccard(one: str, other: str, size: int = 5) -> float:
    """Return the Jaccard similarity of the sets of shingles of two texts, written plainly."""

    def shingles(text: str) -> set[tuple[str, ...]]:
        words = split(text)
        return (
            {tuple(words[start : start + size]) for start in range(max(1, len(words) - size + 1))} if words else set()
        )

    ones, others = shingles(one), shingles(other)
    return len(ones & others) / len(ones | others) if ones | others else 0.0


def load(data: bytes, settings: Settings | None = None) -> State:
    """Read a state back."""
    return State.load(partial(io.BytesIO, data), len(data), settings or Settings())


def find(parts: Sequence[Sequence[str]], settings: Settings | None = None, limits: Limits | None = None) -> Duplicates:
    """Find the duplicates among texts that lie in parts."""
    states = []
    for part in parts:
        builder = Builder(settings or Settings())
        builder.add(part)
        states.append(load(builder.dump(), settings))

    def read(index: int, rows: I64) -> Iterator[tuple[I64, list[str]]]:
        yield rows, [parts[index][row] for row in rows.tolist()]

    return find_duplicates(states, read, settings, limits)
