"""Watch what a model writes, while it writes, for words it copies from a corpus.

The filter holds back the word that is being written, since the next piece may go on with it. All else it hands on at
once, so that it can stand between a model and whoever reads.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from hallmarked.core.errors import InputError
from hallmarked.corpus.search.model import Searchable
from hallmarked.corpus.search.word import LEAST_WORDS, UNSPACED, Word, words

LONGEST_CHUNK = 512
"""Characters without white space from which a word is taken to have ended."""
_OPEN = re.compile(r"\S*\Z")
_UNSPACED = re.compile(f"[{UNSPACED}](?=[{UNSPACED}])")


@dataclass(frozen=True, slots=True)
class Copy:
    """Words of an output that stand in the corpus."""

    start: int
    stop: int
    """From where to where, characters of the whole output."""
    words: int


@dataclass(slots=True)
class OutputFilter:
    """Tells when an output copies a passage, and where it has to end when it must not.

    >>> watch = OutputFilter(index, most=25)  # doctest: +SKIP
    >>> for piece in model.stream(prompt):  # doctest: +SKIP
    ...     print(watch.feed(piece), end="")
    ...     if watch.stopped:
    ...         break
    >>> print(watch.finish())  # doctest: +SKIP
    """

    corpus: Searchable
    most: int = 25
    """Words of a passage that may be written; one more is a copy."""
    truncate: bool = True
    """End the output before the word that makes it a copy; else only say what was copied."""
    stopped: bool = field(default=False, init=False)
    """Whether the output was ended."""
    copies: list[Copy] = field(default_factory=list, init=False)
    """What was copied so far, more than ``most`` words each; the last one may still grow."""
    _held: str = field(default="", init=False)
    _done: int = field(default=0, init=False)
    _run: list[Word] = field(default_factory=list, init=False)
    """The last words, as far as the corpus has them one after another; those of the last ``most`` when it has not."""
    _copying: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        if self.most < LEAST_WORDS - 1:
            raise InputError(f"shorter runs than {LEAST_WORDS} words are common phrases, not copies")

    def feed(self, piece: str) -> str:
        """Take the next piece of an output, and return what may be shown of it and of what was held back."""
        if self.stopped:
            return ""
        self._held += piece
        open_ = _OPEN.search(self._held)
        assert open_ is not None
        end = open_.start()
        chunk = open_.group()
        inner = [found.end() for found in _UNSPACED.finditer(chunk)]
        if inner:
            end += inner[-1]
        elif len(chunk) > LONGEST_CHUNK:
            end = len(self._held)
        return self._take(end)

    def finish(self) -> str:
        """Say that the output has ended, and return what was held back of it and may be shown."""
        return "" if self.stopped else self._take(len(self._held))

    def _take(self, end: int) -> str:
        text, self._held = self._held[:end], self._held[end:]
        for word in words(text):
            if self._copies(Word(self._done + word.start, self._done + word.stop, word.folded)) and self.truncate:
                self.stopped, self._held = True, ""
                text = text[: word.start]
                break
        self._done += len(text)
        return text

    def _copies(self, word: Word) -> bool:
        """Take a word, and say whether it makes the last ones a copy."""
        run = [*self._run, word]
        if self._copying and not self._has(run):
            self._copying = False
            run = run[-self.most - 1 :]
        if not self._copying:
            run = run[-self.most - 1 :]
            if len(run) <= self.most or not self._has(run):
                self._run = run
                return False
            self._copying = True
            self.copies.append(Copy(run[0].start, word.stop, len(run)))
        else:
            self.copies[-1] = Copy(run[0].start, word.stop, len(run))
        self._run = run
        return True

    def _has(self, run: list[Word]) -> bool:
        return self.corpus.holds([word.folded for word in run])
