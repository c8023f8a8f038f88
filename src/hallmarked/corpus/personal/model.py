"""What is found in a text: a place and a kind. What stood there is never carried along."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Strength(IntEnum):
    """What speaks for a find."""

    LIKELY = 1
    """Its shape, and words beside it or a rule of the kind; a person may well see that it is something else."""
    CHECKED = 2
    """A check digit, a checksum or a structure that chance seldom meets."""


@dataclass(frozen=True, slots=True)
class Span:
    """One find."""

    start: int
    """Characters before it."""
    end: int
    """Characters up to its end."""
    kind: str
    """See :mod:`hallmarked.corpus.personal.kind`."""
    strength: Strength
