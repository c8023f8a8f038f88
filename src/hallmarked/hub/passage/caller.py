"""How often somebody may ask, and how many versions of one sentence.

Whoever knows a sentence and not the name in it could put one name after the other into it. Each question that is
answered has at least eight words, so beside a name stand three words of the sentence, before it or behind it. So it is
counted for each caller how many different words were asked beside the same three words. In a work, of which passages
of :data:`~hallmarked.corpus.search.ask.WORK_PASSAGE` words are told, it is eight words instead of three.

What is kept are digests under a key that nobody ever sees, in the memory of each process, and only until the hour
ends: then the key is thrown away, and with it what the digests could say.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from hallmarked.core.errors import InputError
from hallmarked.corpus.search.ask import Question
from hallmarked.corpus.search.word import words
from hallmarked.hub.error import TooMany

HOUR = 3600
"""Seconds."""
VERSIONS = 5
"""Different words that may be asked beside the same words."""
NEAR, FAR = 3, 8
"""Words that count as the same place: in a short question, in a work."""
MOST_CALLERS = 20_000
DIGEST = 16
T = TypeVar("T")


@dataclass(slots=True)
class _Caller:
    asked: int = 0
    beside: dict[bytes, set[bytes]] = field(default_factory=dict)


class Callers:
    """Counts questions. May be shared between threads.

    Args:
        allowed: Questions an hour of each caller.
    """

    def __init__(self, allowed: int) -> None:
        self._allowed = allowed
        self._lock = threading.Lock()
        self._hour, self._key = -1, b""
        self._callers: OrderedDict[bytes, _Caller] = OrderedDict()

    def take(self, callers: Sequence[str], question: Question) -> None:
        """Count a question.

        Args:
            callers: Who asks, in all the ways that are counted: the account, the address.
            question: What is asked.

        Raises:
            TooMany: When they have asked too often, or for too many versions of a sentence.
        InputError: When nobody may ask at all.
        """
        if not self._allowed:
            raise InputError("on this hub nobody can look for passages")
        hour, passed = divmod(int(time.monotonic()), HOUR)
        seconds = HOUR - passed
        with self._lock:
            if hour != self._hour:
                self._hour, self._key = hour, secrets.token_bytes(32)
                self._callers.clear()
            known = [self._find(name) for name in callers]
            if any(caller.asked >= self._allowed for caller in known):
                raise TooMany(
                    f"you have asked {self._allowed} times; ask again in {seconds // 60 + 1} minutes",
                    seconds, self._allowed, HOUR,
                )  # fmt: skip
            for caller in known:
                caller.asked += 1
            if not question.is_work:
                for caller in known:
                    _count_versions(caller.beside, self._hidden(question.text), seconds)
        if question.is_work:  # each may hold few versions, and the number of questions is limited
            _count_versions({}, neighbours(question.text, FAR), seconds)

    def _find(self, name: str) -> _Caller:
        digest = self._digest(name)
        caller = self._callers.pop(digest, None) or _Caller()
        self._callers[digest] = caller
        while len(self._callers) > MOST_CALLERS:
            self._callers.popitem(last=False)
        return caller

    def _hidden(self, text: str) -> Iterator[tuple[bytes, bytes]]:
        return ((self._digest(place), self._digest(word)) for place, word in neighbours(text, NEAR))

    def _digest(self, text: str) -> bytes:
        return hashlib.blake2b(text.encode("utf-8", "replace"), key=self._key, digest_size=DIGEST).digest()


def _count_versions(beside: dict[T, set[T]], found: Iterable[tuple[T, T]], seconds: int) -> None:
    """Count different words beside the same words.

    Raises:
        TooMany: When there are too many.
    """
    for place, word in found:
        versions = beside.setdefault(place, set())
        versions.add(word)
        if len(versions) > VERSIONS:
            raise TooMany("this asks for many versions of the same sentence; that is not answered here", seconds)


def neighbours(text: str, size: int) -> Iterator[tuple[str, str]]:
    """Yield words that stand together, and the word before and the word after them."""
    found = [word.folded for word in words(text)]
    for at in range(len(found) - size):
        yield f"> {' '.join(found[at : at + size])}", found[at + size]
        yield f"< {' '.join(found[at + 1 : at + 1 + size])}", found[at]
