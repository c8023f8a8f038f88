"""Which licence may a data set have, given those of its sources, and what is in the way?

It compares what is written down, as the check ``licences`` does for models and their bases; it does not interpret law.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hallmarked.checks.licence.catalogue import resolve
from hallmarked.checks.licence.derive import compare
from hallmarked.checks.licence.terms import Declared, Terms


@dataclass(frozen=True, slots=True)
class Carried:
    """What follows from the licences of sources."""

    licence: str
    """The one that was stated, or the one of the sources' that keeps what all ask for, or all of theirs joined by
    AND when each goes on applying to its part; empty when none does."""
    missing: tuple[str, ...]
    """Sources of which nobody says under which licence they are, or with one that is not known."""
    conflicts: tuple[str, ...]
    """What stands in the way, in one sentence each."""


def carry(sources: Mapping[str, str], stated: str = "") -> Carried:
    """Carry the licences of sources over to what is made from them.

    Args:
        sources: Licence by name of the source; empty where nobody said one.
        stated: The licence that the result shall have.
    """
    missing = tuple(name for name, written in sources.items() if not resolve(written))
    if stated:
        return Carried(stated, missing, _conflicts(sources, stated))
    written = [each for each in dict.fromkeys(sources.values()) if resolve(each)]
    candidates = {each: _conflicts(sources, each) for each in written}
    fitting = [each for each, conflicts in candidates.items() if not conflicts]
    if fitting and not missing:
        strict = [each for each in fitting if any(found.traits for found in resolve(each))]
        # Licences that ask for nothing of what is made from them all go on applying, each to its part.
        return Carried(strict[0] if strict else " AND ".join(fitting), missing, ())
    if candidates and not fitting:
        together = ", ".join(sorted(candidates))
        return Carried("", missing, (f"no licence of the sources keeps what all of them ask for ({together})",))
    return Carried("", missing, ())


def _conflicts(sources: Mapping[str, str], stated: str) -> tuple[str, ...]:
    mine = Terms(declared=[Declared(stated, 0, resolve(stated))])
    return tuple(
        finding.message for name, written in sources.items() for finding in compare(mine, resolve(written), name, None)
    )
