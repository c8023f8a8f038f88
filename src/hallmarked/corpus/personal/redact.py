"""Take personal data and secrets out of texts and tables.

Modes: ``mask`` leaves so much that the kind can be seen, ``placeholder`` puts the kind in place of the value, and
``pseudonym`` puts the kind and a name that is the same wherever the same value stood, under the same key: HMAC-SHA-256
(RFC 2104) of kind and value, of which 64 bits are shown. Under another key nobody can link the two.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from enum import StrEnum

from hallmarked.core.errors import InputError
from hallmarked.corpus.personal.find import Detector, Search, detector_of
from hallmarked.corpus.personal.mask import mask
from hallmarked.corpus.personal.model import Span

KEY_BYTES = 32
"""Fewest bytes of a key (NIST SP 800-224: at least the strength of the hash)."""
REPLACED = re.compile(r"\[[A-Z][A-Z0-9-]{1,30}(?::[a-p]{16})?\]")
"""What placeholders and pseudonyms look like; nothing can be found in either."""
_ROUNDS = 8


class Mode(StrEnum):
    """What is put in place of a value."""

    MASK = "mask"
    PLACEHOLDER = "placeholder"
    PSEUDONYM = "pseudonym"


class Redactor:
    """Replaces what a detector finds.

    Redacting what was redacted changes nothing.

    Raises:
        InputError: When a pseudonym is asked for without a key of at least 32 bytes.
    """

    def __init__(self, mode: Mode | str = Mode.PLACEHOLDER, key: bytes = b"", detector: Detector | None = None) -> None:
        try:
            self.mode = Mode(mode)
        except ValueError:
            raise InputError(f"There is no way of redacting named {mode!r}: mask, placeholder or pseudonym") from None
        if self.mode is Mode.PSEUDONYM and len(key) < KEY_BYTES:
            raise InputError(f"Pseudonyms need a key of at least {KEY_BYTES} bytes")
        self._key = key
        self.detector = detector or detector_of(Search())

    def redact(self, text: str, hint: str = "") -> tuple[str, Counter[str]]:
        """Return a text without what was found in it, and how many values of each kind were replaced."""
        texts, counts = self.redact_all([text], hint)
        return texts[0] or "", counts[0] if counts else Counter()

    def redact_all(
        self, texts: Sequence[str | None], hint: str = ""
    ) -> tuple[list[str | None], dict[int, Counter[str]]]:
        """Redact many texts.

        Args:
            texts: The texts; None stays None.
            hint: What they are said to be, such as the name of their column.

        Returns:
            The texts, and the counts of those that changed, by number from 0.
        """
        done, counts = list(texts), dict[int, Counter[str]]()
        again = list(range(len(done)))
        # What stood beside a value that is gone may now be something that was not one: look until nothing is found.
        for _ in range(_ROUNDS):
            changed = []
            for place, found in self.detector.scan([done[number] for number in again], hint):
                number = again[place]
                text = done[number] or ""
                spans = _untouched(text, found)
                if spans:
                    done[number] = self._replace(text, spans)
                    counts.setdefault(number, Counter()).update(span.kind for span in spans)
                    changed.append(number)
            again = changed
            if not again:
                break
        return done, counts

    def _replace(self, text: str, spans: Iterable[Span]) -> str:
        pieces, at = [], 0
        for span in spans:
            pieces += [text[at : span.start], self.replacement(span.kind, text[span.start : span.end])]
            at = span.end
        return "".join([*pieces, text[at:]])

    def replacement(self, kind: str, value: str) -> str:
        """Return what is put in place of a value."""
        if self.mode is Mode.MASK:
            return mask(kind, value)
        if self.mode is Mode.PLACEHOLDER:
            return f"[{kind.upper()}]"
        message = f"{kind}\0{canonical(kind, value)}".encode("utf-8", "surrogatepass")
        digest = hmac.digest(self._key, message, hashlib.sha256)
        return f"[{kind.upper()}:{''.join(chr(97 + (byte >> 4)) + chr(97 + (byte & 15)) for byte in digest[:8])}]"


def canonical(kind: str, value: str) -> str:
    """Return the one way to write a value, so that it has one pseudonym however it is grouped or capitalised."""
    if kind in ("url", "credential", "private-key", "password", "crypto-wallet"):
        return value
    folded = value.casefold()
    if kind in ("email", "person-name", "ip-address", "birth-date", "coordinates"):
        return " ".join(folded.split())
    return "".join(c for c in folded if c.isalnum() or c == "+")


def _untouched(text: str, spans: Sequence[Span]) -> list[Span]:
    """Leave out what lies in a replacement."""
    replaced = [match.span() for match in REPLACED.finditer(text)]
    ends = [end for _, end in replaced]
    # Replacements are in order and apart: only the first that ends behind a span's beginning can be in its way.
    return [
        span
        for span in spans
        if (place := bisect_right(ends, span.start)) == len(replaced) or span.end <= replaced[place][0]
    ]
