"""Take personal data out of texts before anything else is done with them.

What is found is replaced as a whole and always by the same characters, so that neither a snippet that is cut later nor
its length can say anything of it, and no word is indexed that stood there.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from hallmarked.corpus.personal.find import Detector
from hallmarked.corpus.search.word import MASK

EDITION = "personal-data-1"
"""Raised when other things are taken out; an index names the edition that masked it."""
_ROUNDS = 8


@lru_cache(1)
def detector() -> Detector:
    """Return what finds personal data; made once in each process."""
    return Detector()


def mask_texts(texts: Sequence[str]) -> list[str]:
    """Return texts in which :data:`~hallmarked.corpus.search.word.MASK` stands for each find."""
    done, again = list(texts), list(range(len(texts)))
    # What stood beside a value that is gone may now be something that was not one: look until nothing is found.
    for _ in range(_ROUNDS):
        changed = []
        for place, spans in detector().scan([done[number] for number in again]):
            number, at, pieces = again[place], 0, []
            for span in spans:
                pieces += [done[number][at : span.start], MASK]
                at = span.end
            done[number] = "".join([*pieces, done[number][at:]])
            changed.append(number)
        again = changed
        if not again:
            break
    return done
