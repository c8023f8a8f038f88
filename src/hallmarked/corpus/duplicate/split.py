"""Splits of a data set: the rows that are learned from, and those that are held out to measure with."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from hallmarked.corpus.duplicate.find import Duplicates
from hallmarked.corpus.duplicate.state import MOST_SPLITS
from hallmarked.corpus.duplicate.whole import U32, Whole

Codes = npt.NDArray[np.uint8]

NAMES: Mapping[str, str] = {
    "train": "train",
    "training": "train",
    "test": "test",
    "testing": "test",
    "eval": "test",
    "evaluation": "test",
    "valid": "validation",
    "validation": "validation",
    "val": "validation",
    "dev": "validation",
}
"""Words in names of files and folders by which loaders find splits, and the split."""
LONGEST = 60
_WORD = re.compile(r"[a-z]+")


def split_of(path: str) -> str:
    """Return the split to which a file belongs: by its name, else by its nearest folder that tells, else empty."""
    for name in reversed(path.lower().split("/")):
        found = {NAMES[word] for word in _WORD.findall(name) if word in NAMES}
        if found:
            return found.pop() if len(found) == 1 else ""
    return ""


def canonical(name: str) -> str:
    """Return the name of a split that a row declares in the form of ``NAMES``."""
    name = name.strip().lower()[:LONGEST]
    return NAMES.get(name, name)


def assign(whole: Whole, paths: Sequence[str], order: Sequence[str]) -> tuple[list[str], Codes]:
    """Say to which split every row belongs.

    Args:
        whole: All rows; a row that declares its split itself belongs to that one.
        paths: The path of the file of each part.
        order: Splits that come first, in this order; others follow by name.

    Returns:
        The splits that there are, and of each row one more than the index of its split; 0 for none.
    """
    by_path = [split_of(path) for path in paths]
    found = {name for state in whole.states for name in state.splits} | set(by_path) - {""}
    names = sorted(found, key=lambda name: (order.index(name) if name in order else len(order), name))[:MOST_SPLITS]
    numbers = {name: number + 1 for number, name in enumerate(names)}
    codes = np.zeros(whole.rows, np.uint8)
    for start, path_split, state in zip(whole.starts.tolist(), by_path, whole.states, strict=False):
        table = [numbers.get(path_split, 0), *(numbers.get(name, 0) for name in state.splits)]
        codes[start : start + state.rows] = np.array(table, np.uint8)[state.codes()]
    return names, codes


def rows_of(codes: Codes, split: int) -> int:
    """Return how many rows a split has, given its index."""
    return int(np.count_nonzero(codes == split + 1))


def shared(found: Duplicates, codes: Codes, count: int) -> dict[tuple[int, int], U32]:
    """Return the rows of each split that have a duplicate in another one.

    Args:
        found: The duplicates.
        codes: Of each row, one more than the number of its split; 0 for none.
        count: How many splits there are.

    Returns:
        By the pair of splits (of the rows, of their duplicates) the rows, ascending; only where there are any.
    """
    masks = np.zeros(len(found.kept), np.uint32)
    there = np.flatnonzero(codes)
    bits = np.uint32(1) << (codes[there] - 1).astype(np.uint32)
    np.bitwise_or.at(masks, found.kept[there], bits)
    result: dict[tuple[int, int], U32] = {}
    for one in range(count):
        rows = np.flatnonzero(codes == one + 1).astype(np.uint32)
        reached = masks[found.kept[rows]]
        for other in range(count):
            hit = rows[(reached >> np.uint32(other) & np.uint32(1)).astype(bool)]
            if one != other and len(hit):
                result[one, other] = hit
    return result
