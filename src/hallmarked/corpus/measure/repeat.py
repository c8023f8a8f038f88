"""Texts that repeat themselves: the same words or lines again and again, as menus, lists and broken pages do.

After the rules on repetition in J. Rae and others, "Scaling language models: methods, analysis and insights from
training Gopher" (2021), appendix A1.1, which count characters; here words and lines are counted.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from hallmarked.corpus.text.shingle import Numbers, mix

WORDS = 5
"""Words of a run that may stand there again."""
MOST_WORDS = 0.15
"""Share of a text's words in such runs from which it repeats itself."""
MOST_LINES = 0.3
"""Share of a text's lines that stood there before from which it repeats itself."""
FEWEST_LINES = 4
"""Lines from which a text is judged by them."""
_OWNER = np.uint64(0x9E37_79B9_7F4A_7C15)


def repeated_words(words: npt.NDArray[np.int64], shingles: Numbers) -> npt.NDArray[np.int64]:
    """Count the words of each text that stand in a run of words that stood before in the same text.

    Args:
        words: How many words each text has.
        shingles: The runs of ``WORDS`` words of the same texts; of a text of fewer words one at most.
    """
    owners = shingles.owners
    keys = mix(shingles.values ^ mix(owners.astype(np.uint64) * _OWNER))
    again = _stood_before(keys)
    ends = np.cumsum(words)
    starts = (ends - words)[owners] + np.arange(len(keys)) - (shingles.ends - shingles.counts)[owners]
    change = np.zeros(int(words.sum()) + WORDS + 1, np.int64)
    np.add.at(change, starts[again], 1)
    np.add.at(change, starts[again] + WORDS, -1)
    covered = np.concatenate(([0], np.cumsum((np.cumsum(change) > 0)[: int(words.sum())])))
    counted: npt.NDArray[np.int64] = covered[ends] - covered[ends - words]
    return counted


def _stood_before(keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    """Return the places of the numbers that stand at an earlier place too.

    Only numbers that share their first bits with another are sorted; most share them with none.
    """
    bits = max(8, len(keys).bit_length() + 2)
    first = (keys >> np.uint64(64 - bits)).astype(np.int64)
    maybe = np.flatnonzero(np.bincount(first, minlength=1 << bits)[first] > 1)
    order = maybe[np.argsort(keys[maybe], kind="stable")]
    found: npt.NDArray[np.int64] = order[1:][keys[order][1:] == keys[order][:-1]]
    return found


def repeated_lines(texts: Sequence[str]) -> npt.NDArray[np.float64]:
    """Return the share of each text's lines that stood before in it; 0 where there are few lines."""
    shares = np.zeros(len(texts))
    for place, text in enumerate(texts):
        if text.count("\n") + 1 < FEWEST_LINES:
            continue
        lines = [line for each in text.split("\n") if (line := each.strip())]
        if len(lines) >= FEWEST_LINES:
            shares[place] = 1 - len(set(lines)) / len(lines)
    return shares
