"""What outsiders may ask an index of masked texts, and how much they are told.

The rules: a question is a passage, not a name or a number; nothing is counted exactly; and what is shown beside the
asker's own words is short and was masked before it was indexed. They bound what one question tells: whether a passage
of at least eight words (or 40 characters) occurs, and up to ``CONTEXT`` words before and after it. Names of people are
not masked, since they cannot be found without a model; so a question that holds a name tells whether *that passage*
occurs. How many questions somebody asks is for whoever serves them to limit.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hallmarked.core.errors import InputError
from hallmarked.corpus.search.index import Hit, Index
from hallmarked.corpus.search.mask import detector, mask_texts
from hallmarked.corpus.search.model import Attribution
from hallmarked.corpus.search.word import IS_UNSPACED, LEAST_WORDS, Word, words

LEAST_CHARACTERS = 40
"""Letters and digits of a question that has fewer words."""
MOST_CHARACTERS = 200_000
SHORT_CHARACTERS = 4_000
"""Of a question that is no work."""
WORK_WORDS = 64
"""Words from which a text is a work: personal data in it are passed over, since it is not about them."""
WORK_PASSAGE = 25
"""Words from which a passage of a work is told: it must not be a list of many short questions."""
FEW = 5
"""Counts below this are not told."""
CONTEXT = 6
"""Words that are shown before and after the asker's own."""
SHOWN = 3
"""Snippets for one passage."""
DIGITS = 7
"""Digits in a row, however they are spaced or spelled, that may be a person's number."""
ELLIPSIS = "…"
_SPELLED = {
    word: digit
    for digit, spelled in enumerate(
        (
            "zero cero null zéro oh", "one uno una eins un", "two dos zwei deux", "three tres drei trois",
            "four cuatro vier quatre", "five cinco fünf cinq", "six seis sechs", "seven siete sieben sept",
            "eight ocho acht huit", "nine nueve neun neuf",
        )
    )
    for word in spelled.split()
}  # fmt: skip
"""Digits as words in English, Spanish, German and French."""
_SIGNS = {"at": "@", "arroba": "@", "dot": ".", "punto": ".", "punkt": ".", "point": "."}
_WILD = re.compile(r"(?<![*\w])\w+\*(?!\*)|(?<!\S)\*\w+(?![\w*])|\.\*|\][*+]|\w%\w|(?<!\S)%\w")
"""Parts of words, regular expressions, and patterns of databases; not emphasis, nor percentages."""
_DIGIT_GAP = re.compile(r"(?<=\d)[\s.()/_,:–—-]{1,3}(?=\d)")
_RUN = re.compile(rf"\d{{{DIGITS},}}")
_LETTERED = re.compile(r"(?<!\S)(?:\S{1,2}\s+){5,}\S{1,2}(?!\S)")


@dataclass(frozen=True, slots=True)
class Question:
    """A text that somebody may ask about."""

    text: str
    """Without the personal data that were in it."""
    words: int
    least: int
    """Words from which a passage of it counts."""
    is_work: bool


@dataclass(frozen=True, slots=True)
class Snippet:
    """The asker's words where they stand in a data set, with a few beside them."""

    before: str
    match: str
    after: str
    source: str
    licence: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What an outsider is told of one data set."""

    found: bool
    share: float
    """Share of the question's words that occur as passages, rounded up to a twentieth."""
    longest: int
    """Words of the longest passage."""
    documents: int
    """In how many documents the longest passage is, rounded; 0 when it is none, or fewer than ``FEW``."""
    snippets: Sequence[Snippet]


def check_question(text: str) -> Question:
    """Accept a question, or say why not.

    Raises:
        InputError: When it is too short or too long, has wildcards, or is shaped like somebody's personal data.
    """
    if len(text) > MOST_CHARACTERS:
        raise InputError(f"a question has at most {MOST_CHARACTERS:,} characters")
    masked = mask_texts([text])[0]
    found = list(words(masked))
    least = least_words(found)
    if len(found) >= WORK_WORDS * least // LEAST_WORDS:
        return Question(masked, len(found), WORK_PASSAGE * least // LEAST_WORDS, is_work=True)
    if len(text) > SHORT_CHARACTERS:
        raise InputError(f"a question of fewer than {WORK_WORDS} words has at most {SHORT_CHARACTERS:,} characters")
    characters = sum(len(word.folded) for word in found)
    if masked != text or _is_personal(text):
        raise InputError(
            "this looks like somebody's personal data; leave out addresses and numbers, and ask for the words around"
        )
    if _WILD.search(text):
        raise InputError("wildcards are not understood here; enter the words themselves")
    if len(found) < least and characters < LEAST_CHARACTERS:
        raise InputError(f"enter at least {LEAST_WORDS} words in a row, or {LEAST_CHARACTERS} letters")
    if len(found) < LEAST_WORDS and _is_name(text):
        raise InputError("this looks like a name or an address; enter a sentence of the text that you look for")
    return Question(masked, len(found), min(least, len(found)), is_work=False)


def least_words(found: Sequence[Word]) -> int:
    """Return from how many words on a passage counts: twice as many where most words are single characters."""
    single = sum(IS_UNSPACED.match(word.folded) is not None for word in found)
    return LEAST_WORDS * 2 if 2 * single > len(found) else LEAST_WORDS


def answer(index: Index, question: Question) -> Answer:
    """Say what an outsider is told of a data set.

    Args:
        index: Of the data set, masked.
        question: What was asked.

    Raises:
        InputError: When the index was made of texts that were not masked.
    """
    if not index.options.masked:
        raise InputError("this index holds texts as they were written; only one of masked texts answers outsiders")
    found = index.attribute(question.text, question.least, most=1)
    if not found.passages:
        return Answer(found=False, share=0.0, longest=0, documents=0, snippets=())
    longest = max(found.passages, key=lambda passage: (passage.words, -passage.first))
    passage = question.text[longest.start : longest.stop]
    snippets = tuple(_snippet(hit) for hit in index.hits(passage, SHOWN))
    return Answer(True, rounded_share(found), longest.words, rounded_count(longest.documents), snippets)


def rounded_count(count: int) -> int:
    """Round a count down so that one document more or less cannot be seen; 0 stands for fewer than ``FEW``."""
    if count < FEW:
        return 0
    step = FEW
    while step * 20 <= count:
        step *= 10 if str(step)[0] == "5" else 2
    return count // step * step


def rounded_share(found: Attribution) -> float:
    """Round a share up to a twentieth."""
    return -(-found.copied * 20 // max(1, found.words)) / 20


def _snippet(hit: Hit) -> Snippet:
    before = _last_words(hit.text[: hit.start])
    after = _first_words(hit.text[hit.stop :])
    return Snippet(before, _shortened(hit.text[hit.start : hit.stop]), after, hit.place.source, hit.place.licence)


def _last_words(text: str) -> str:
    """Return the last words of what stands before, with what is between them."""
    near = text[-CONTEXT * 40 :]
    found = list(words(near))
    if len(near) < len(text) and found and found[0].start == 0:
        found = found[1:]  # its beginning was cut off
    if len(found) > CONTEXT or len(near) < len(text):
        start = found[-CONTEXT:][0].start if found else len(near)
        return f"{ELLIPSIS} {near[start:]}"
    return near


def _first_words(text: str) -> str:
    near = text[: CONTEXT * 40]
    found = list(words(near))
    if len(near) < len(text) and found and found[-1].stop == len(near):
        found = found[:-1]
    if len(found) > CONTEXT or len(near) < len(text):
        stop = found[:CONTEXT][-1].stop if found else 0
        return f"{near[:stop]} {ELLIPSIS}"
    return near


def _shortened(text: str) -> str:
    """Leave out the middle of a long passage: the asker knows it."""
    found = list(words(text))
    if len(found) <= 4 * CONTEXT:
        return text
    return f"{text[: found[CONTEXT - 1].stop]} {ELLIPSIS} {text[found[-CONTEXT].start :]}"


def _is_personal(text: str) -> bool:
    """Say whether a short text, read as people disguise addresses and numbers, is shaped like personal data."""
    plain = " ".join(unicodedata.normalize("NFKC", text).split())
    return any(_has_number(form) or detector().find(form) for form in _forms(plain))


def _forms(text: str) -> Iterator[str]:
    """Yield a text as it may be meant: with digits and signs for words, and without spaces between letters."""
    yield text
    tokens = re.findall(r"[^\W\d_]+|\d+|\s+|.", text)
    digits = "".join(str(_SPELLED.get(token.lower(), token)) for token in tokens)
    yield digits
    signs = "".join(_SIGNS.get(token.lower(), token) for token in tokens)
    yield re.sub(r"\s*[(\[{<]?\s*([@.])\s*[)\]}>]?\s*", r"\1", signs)
    yield _LETTERED.sub(lambda run: re.sub(r"\s+", "", run.group()), text)
    yield _LETTERED.sub(lambda run: re.sub(r"\s+", "", run.group()), signs)


def _has_number(text: str) -> bool:
    return _RUN.search(_DIGIT_GAP.sub("", text)) is not None


def _is_name(text: str) -> bool:
    """Say whether most words begin with a capital letter or have digits, as in names and addresses."""
    shown = [text[word.start : word.stop] for word in words(text)]
    marked = [word for word in shown if word[:1].isupper() or any(map(str.isdigit, word))]
    return 2 * len(marked) > len(shown)
