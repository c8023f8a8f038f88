"""How hard a text is to read, by two formulae that need no syllables and no list of words.

LIX (C. H. Björnsson, Läsbarhet, 1968): words per sentence, plus words of more than six letters in a hundred.
ARI (R. J. Senter and E. A. Smith, Automated Readability Index, AMRL-TR-66-220, 1967): years of school in the United
States. Thresholds were found with Swedish and English; other languages have longer or shorter words, so that figures
of two languages are not to be compared.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from hallmarked.cards.language import primary, sets_words_apart

LONG = 6
"""A word of more letters is long."""
MOST_LIX, MOST_ARI, MOST_WORDS = 40.0, 9.0, 200
"""What a summary in plain language may come to."""

_WORD = re.compile(r"[^\W_]+(?:[.,:'’ʼ\-‐‑@/_][^\W_]+|[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670]+)*")
"""Letters and digits, and what joins them inside a word, a number or an address."""
_END = re.compile(r"[.!?…。！？؟۔।։]+[\"'”’»)\]]*(?=\s|$)|(?<=[。！？])|\n\s*\n")
_BEGIN = re.compile(r"[\s\"'“‘«¿¡(\[]*(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Readability:
    """What was counted in a text, and what it comes to."""

    language: str
    """Language tag (BCP 47) of the text; empty when nobody says."""
    words: int
    sentences: int
    characters: int
    """All but white space, as a typewriter counts strokes."""
    long_words: int

    @property
    def measurable(self) -> bool:
        """Whether the formulae mean anything: there are words, and the language sets them apart."""
        return bool(self.words) and sets_words_apart(self.language)

    @property
    def lix(self) -> float | None:
        """Words per sentence + 100 × long words per word, to one decimal; None when it means nothing."""
        if not self.measurable:
            return None
        return round(self.words / self.sentences + 100 * self.long_words / self.words, 1)

    @property
    def ari(self) -> float | None:
        """4.71 × characters per word + 0.5 × words per sentence - 21.43, to one decimal; None when it means nothing."""
        if not self.measurable:
            return None
        return round(4.71 * self.characters / self.words + 0.5 * self.words / self.sentences - 21.43, 1)

    @property
    def plain(self) -> bool | None:
        """Whether it is as easy as a summary in plain language has to be; None when that cannot be measured."""
        lix, ari = self.lix, self.ari
        return None if lix is None or ari is None else lix <= MOST_LIX or ari <= MOST_ARI


def measure(text: str, language: str = "") -> Readability:
    """Count words and sentences of a plain text.

    A sentence ends with a mark of its script that is followed by white space and no small letter, or with an empty
    line, so that headings and entries of lists are sentences of their own. A word joined by hyphens, points or an
    apostrophe is one.

    Args:
        text: Without markup.
        language: Its language tag.
    """
    words = characters = long_words = sentences = 0
    for sentence in split_sentences(text):
        found = _WORD.findall(sentence)
        if not found:
            continue
        sentences += 1
        words += len(found)
        characters += sum(map(len, sentence.split()))
        long_words += sum(_letters(word) > LONG for word in found)
    return Readability(primary(language) if language else "", words, sentences, characters, long_words)


def split_sentences(text: str) -> list[str]:
    """Cut a plain text into sentences; a full stop before a small letter belongs to an abbreviation."""
    found, start = [], 0
    for end in _END.finditer(text):
        begin = _BEGIN.match(text, end.end())
        if "\n\n" not in end.group() and end.group().strip("\n") and begin and begin.group(1).islower():
            continue
        found.append(text[start : end.end()].strip())
        start = end.end()
    found.append(text[start:].strip())
    return [sentence for sentence in found if sentence]


def _letters(word: str) -> int:
    """Count letters and digits, not what joins them, nor marks above and below them."""
    return sum(1 for character in word if unicodedata.category(character)[0] in "LN")
