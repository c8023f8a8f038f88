"""What the licence of a derivative must keep of the licence of its base.

Behavioural-use licences (the RAIL family, Llama, Gemma) ask that their use restrictions be passed on; share-alike
licences ask for the same terms; non-commercial ones exclude commercial use; no-derivatives ones exclude derivatives.
The traits of each licence are in ``licences.toml``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hallmarked.checks.licence.catalogue import Licence, of_repository
from hallmarked.checks.licence.terms import Terms
from hallmarked.core.evidence import Finding, Level, Location, Rule

DROPPED = Rule(
    "LIC007",
    Level.WARNING,
    "Use restrictions of the base model got lost",
    "Offer the derivative under the base model's licence, or under terms that carry the same restrictions.",
)
INCOMPATIBLE = Rule(
    "LIC008",
    Level.WARNING,
    "The licence does not keep what the base model's licence asks for",
    "Use the base model's licence or one it allows for derivatives, or ask its owner.",
)
UNJUDGED = Rule(
    "LIC011",
    Level.NOTE,
    "Whether a custom licence keeps the base model's terms cannot be judged here",
    "Have a person compare the two licences.",
)

BY_NAME = Rule(
    "LIC012",
    Level.NOTE,
    "The named base model usually asks for more than this licence gives",
    "Check the base model's licence; give the base with --base to have it compared.",
)


def compare(mine: Terms, theirs: Sequence[Licence], base: str, place: Location | None) -> Iterator[Finding]:
    """Yield what the licence of a derivative drops of its base's.

    Args:
        mine: What the derivative says.
        theirs: What applies to the base. Several licences are read as all applying.
        base: Name of the base, for people.
        place: Where the derivative declares its licence.
    """
    ours = mine.effective
    for licence in theirs:
        problem = _problem(ours, licence)
        if problem is None:
            continue
        rule, what = problem
        if mine.opaque:
            message = f"{base} is under {licence.id}; whether the custom licence here keeps its terms is for a person"
            yield Finding.of(UNJUDGED, message, place, base=licence.id)
            continue
        said = f"here it says {', '.join(own.id for own in ours)}" if ours else "no licence is given here"
        yield Finding.of(rule, f"{base} is under {licence.id}, {what}; {said}", place, base=licence.id)


def compare_names(mine: Terms, place: Location | None) -> Iterator[Finding]:
    """Yield base models that are only named, but known to come with restrictions this licence does not carry."""
    for name in mine.bases:
        licence = of_repository(name)
        problem = _problem(mine.effective, licence) if licence and not mine.opaque else None
        if licence and problem:
            said = f"here it says {', '.join(own.id for own in mine.effective) or 'nothing'}"
            message = f"Models of the name {name} are usually under {licence.id}, {problem[1]}; {said}"
            yield Finding.of(BY_NAME, message, place, base=licence.id)


def _problem(ours: Sequence[Licence], theirs: Licence) -> tuple[Rule, str] | None:
    """Return the rule that is broken and what the base asks for; ``None`` when our licence keeps it."""
    if any(own.id == theirs.id or theirs.stands_for(own.id) or own.stands_for(theirs.id) for own in ours):
        return None if "no-derivatives" not in theirs.traits else (INCOMPATIBLE, "which allows no derivatives")
    if "restricted" in theirs.traits:
        return DROPPED, "whose use restrictions every derivative must carry"
    if "no-derivatives" in theirs.traits:
        return INCOMPATIBLE, "which allows no derivatives"
    if "share-alike" in theirs.traits and not any(own.id in theirs.next for own in ours):
        return INCOMPATIBLE, "which asks derivatives to carry the same terms"
    if "noncommercial" in theirs.traits and not any("noncommercial" in own.traits for own in ours):
        return INCOMPATIBLE, "which excludes commercial use"
    return None
