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
    order = np.argsort(keys, kind="stable")
    again = np.zeros(len(keys), np.int64)
    again[order[1:]] = keys[order][1:] == keys[order][:-1]
    ends = np.cumsum(words)
    starts = (ends - words)[owners] + np.arange(len(keys)) - (shingles.ends - shingles.counts)[owners]
    change = np.zeros(int(words.sum()) + WORDS + 1, np.int64)
    np.add.at(change, starts[again > 0], 1)
    np.add.at(change, starts[again > 0] + WORDS, -1)
    covered = np.concatenate(([0], np.cumsum((np.cumsum(change) > 0)[: int(words.sum())])))
    counted: npt.NDArray[np.int64] = covered[ends] - covered[ends - words]
    return counted


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
