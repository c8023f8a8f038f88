"""Names of passages: few numbers per text by which equal runs of words are found.

Every passage of ``LENGTH`` words is named by the least number among the ``GRAM``-word runs in it (winnowing: Schleimer,
Wilkerson and Aiken, SIGMOD 2003). Neighbouring passages mostly have the same name, so few names are kept of a text; two
equal passages always have the same one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hallmarked.corpus.text.shingle import I64, U64, Numbers, mix

LENGTH = 50
"""Words of a passage."""
GRAM = 20
"""Words of the runs of which the least names a passage."""
_BASE = 0xD1342543DE82EF95
_INVERSE = pow(_BASE, -1, 1 << 64)


@dataclass(frozen=True, slots=True)
class Passages:
    """All passages of some texts, in order."""

    owners: I64
    """The text of each."""
    starts: I64
    """The word of the text at which it begins, from 0."""
    names: U64
    numbers: U64
    """Equal for equal passages."""


def passages_of(words: Numbers) -> Passages:
    """Return every run of ``LENGTH`` words of some texts."""
    counts = np.maximum(words.counts - LENGTH + 1, 0)
    owners = np.repeat(np.arange(len(counts)), counts)
    ends = np.cumsum(counts)
    starts = np.arange(len(owners)) - np.repeat(ends - counts, counts)
    places = starts + np.repeat(words.ends - words.counts, counts)
    if not len(places):
        nothing = np.zeros(0, np.uint64)
        return Passages(owners, starts, nothing, nothing)
    grams = _runs(words.values, GRAM)
    least = _least(grams, LENGTH - GRAM + 1)
    return Passages(owners, starts, least[places], _runs(words.values, LENGTH)[places])


def names_of(words: Numbers) -> tuple[I64, U64]:
    """Return the different names of the passages of some texts, each with its text; a name may come again."""
    found = passages_of(words)
    new = np.ones(len(found.names), bool)
    new[1:] = (found.names[1:] != found.names[:-1]) | (found.owners[1:] != found.owners[:-1])
    return found.owners[new], found.names[new]


def _runs(values: U64, size: int) -> U64:
    """Return a number for each run of ``size`` values: a polynomial modulo 2^64, mixed."""
    powers = np.full(len(values), _BASE, np.uint64)
    powers[0] = 1
    np.cumprod(powers, out=powers)
    sums = np.zeros(len(values) + 1, np.uint64)
    np.cumsum(values * powers, out=sums[1:])
    powers[:] = _INVERSE
    powers[0] = 1
    np.cumprod(powers, out=powers)
    return mix((sums[size:] - sums[:-size]) * powers[: len(values) - size + 1])


def _least(values: U64, width: int) -> U64:
    """Return the least of each ``width`` neighbours (van Herk 1992): three comparisons each, however wide."""
    blocks = -(-len(values) // width)
    padded = np.full(blocks * width, np.iinfo(np.uint64).max, np.uint64)
    padded[: len(values)] = values
    table = padded.reshape(blocks, width)
    forward = np.minimum.accumulate(table, axis=1).reshape(-1)
    backward = np.minimum.accumulate(table[:, ::-1], axis=1)[:, ::-1].reshape(-1)
    count = len(values) - width + 1
    least: U64 = np.minimum(backward[:count], forward[width - 1 : width - 1 + count])
    return least
