"""In which language a text is, by a model that comes with a library and needs no network.

py3langid (https://github.com/adbar/py3langid, after M. Lui and T. Baldwin, "langid.py: an off-the-shelf language
identification tool", ACL 2012) knows 140 languages by sequences of bytes. It looks at the beginning of a text, and says
``und`` where it is less sure than ``SURE``, and where there are no letters to go by.
"""

from __future__ import annotations

import io
import lzma
from array import array
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from importlib.resources import files

import numpy as np
import numpy.typing as npt
import xxhash
from py3langid.langid import MODEL_FILE, LanguageIdentifier

HEAD = 500
"""Characters that are looked at."""
SURE = 0.2
"""Least share of the probability that goes to the language it says."""
UNKNOWN = "und"
"""No language, or not to be known (ISO 639-2)."""


@cache
def _identifier() -> LanguageIdentifier:
    """Read the model as the library does, but in memory: it would write a file, which nothing here may do."""
    with (files("py3langid") / MODEL_FILE).open("rb") as packed, lzma.open(packed) as content:
        data = np.load(io.BytesIO(content.read()), allow_pickle=False)
    moves = {name: array(data[name].dtype.char, data[name].tobytes()) for name in ("nextmove", "nextmove_row")}
    return LanguageIdentifier(
        data["ptc"],
        data["pc"],
        data["classes"].tolist(),
        moves["nextmove"],
        data["out_feat"].tolist(),
        tk_row=moves["nextmove_row"],
        norm_probs=True,
        min_confidence=SURE,
    )


def method() -> str:
    """Return which model it is, for statements."""
    return f"py3langid {version('py3langid')}, first {HEAD:,} characters, at least {SURE:.0%} sure"


def language_of(text: str) -> str:
    """Return the language of a text, by its code of ISO 639."""
    head = text[:HEAD]
    if not any(character.isalpha() for character in head):
        return UNKNOWN
    language = str(_identifier().classify(head)[0])
    return UNKNOWN if language == "zxx" else language


def chosen(texts: Sequence[str], halvings: int) -> npt.NDArray[np.int64]:
    """Return which texts belong to a sample of one in two to the ``halvings``.

    They are chosen by a hash (XXH3) of the text, so that who divides them, and how, makes no difference. Copies are
    chosen together.
    """
    if not halvings:
        return np.arange(len(texts))
    hashes = (xxhash.xxh3_64_intdigest(text.encode("utf-8", "surrogatepass")) for text in texts)
    numbers = np.fromiter(hashes, np.uint64, len(texts))
    return np.flatnonzero(numbers >> np.uint64(64 - halvings) == 0)
