"""Under which licence is this offered, and does that agree with its texts and with what it was made from?

This reads what is written. It says where statements disagree or restrictions get lost; it does not interpret law.

Measurements:

======================  ===============================================================================================
``licence.declared``    id from the metadata; slice ``path``, ``line``, ``written``; ``spdx`` where an expression exists
``licence.text``        id recognised in a licence file, or ``unrecognised``; slice ``path`` and ``how`` (``text`` or
                        ``notice``)
``licence.base``        id that applies to what this artifact was made from; slice ``from`` (``declared`` or ``text``)
``licence.restricted``  ``yes`` or ``no``: the terms forbid uses or limit them to non-commercial or research use; slice
                        ``licence``
======================  ===============================================================================================
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hallmarked.checks.documentation.claims import local_target
from hallmarked.checks.licence.catalogue import Licence, catalogue, spdx_symbols
from hallmarked.checks.licence.derive import BY_NAME, DROPPED, INCOMPATIBLE, UNJUDGED, compare, compare_names
from hallmarked.checks.licence.terms import Declared, Terms, gather
from hallmarked.core.artifact import Artifact
from hallmarked.core.check import Extent
from hallmarked.core.evidence import Finding, Gap, Item, Level, Location, Measurement, Rule

NONE = Rule(
    "LIC001",
    Level.WARNING,
    "There is no licence",
    "Choose a licence, name its id under “license” in the card's metadata and add its text as LICENSE. "
    "Without one nobody may use, change or share this.",
)
UNKNOWN_ID = Rule(
    "LIC002",
    Level.WARNING,
    "The licence id means nothing to programs",
    "Use an id from the Hub's list, or “other” with license_name and license_link.",
)
UNNAMED = Rule(
    "LIC003",
    Level.WARNING,
    "A custom licence is not given",
    "Add license_name, and license_link to a LICENSE file in the repository or a web address.",
)
CONFLICT = Rule(
    "LIC004",
    Level.WARNING,
    "The declared licence is not the one in the licence file",
    "Make the metadata and the licence file say the same; whoever relies on one of them may break the other.",
)
UNRECOGNISED = Rule(
    "LIC005",
    Level.NOTE,
    "A licence text is not one this check knows",
    "Have a person read it. If it is a standard licence with changes, name it as a licence of its own.",
)
SEVERAL = Rule(
    "LIC006",
    Level.NOTE,
    "There are several licences",
    "Say in the card which licence applies to which part, such as code, weights and data.",
)
VAGUE = Rule(
    "LIC009",
    Level.NOTE,
    "The licence id leaves the version open",
    "Use the id of the exact licence, such as cc-by-4.0 instead of cc.",
)
DEAD_LINK = Rule(
    "LIC010",
    Level.WARNING,
    "The licence link leads to no file",
    "Add the file, or correct license_link.",
)


class LicenceCheck:
    """Is there a licence, is it the one in the files, and does it keep what the base model asks for?"""

    id = "licences"
    version = "2"
    title = "Is there a licence, is it the one in the files, and does it keep what the base model asks for?"
    rules = (
        NONE, UNKNOWN_ID, UNNAMED, CONFLICT, UNRECOGNISED, SEVERAL, DROPPED, INCOMPATIBLE, VAGUE, DEAD_LINK, UNJUDGED,
        BY_NAME,
    )  # fmt: skip
    needs_socket = False
    extent = Extent.ARTIFACT

    def applies(self, artifact: Artifact) -> bool:
        """Apply to everything that has files."""
        return bool(artifact.files)

    def run(self, artifact: Artifact) -> Iterator[Item]:
        """Read the licence of the artifact, then that of its base when there is one."""
        terms = gather(artifact)
        yield from terms.gaps
        yield from _measure(terms)
        if terms.says_nothing and not terms.gaps:
            level = Level.NOTE if len(artifact.files) == 1 else Level.WARNING
            yield Finding.of(NONE, "Neither the card's metadata nor a file names a licence", level=level)
        for declared in terms.declared:
            yield from _declared(terms, declared)
        yield from _texts(terms)
        paths = {file.path for file in artifact.files}
        linked = local_target(terms.card, terms.link) if terms.link else None
        if linked is not None and linked not in paths:
            place = Location(terms.card)
            yield Finding.of(DEAD_LINK, f"license_link in {terms.card} leads to {linked}, which is not there", place)
        if artifact.base is not None:
            yield from _base(terms, artifact.base)
        else:
            yield from compare_names(terms, Location(terms.card) if terms.card else None)


def _measure(terms: Terms) -> Iterator[Item]:
    for item in terms.declared:
        place = {"path": terms.card, "line": str(item.line), "written": item.written}
        for licence in item.licences:
            spdx = {"spdx": licence.spdx} if licence.spdx else {}
            yield Measurement("licence.declared", licence.id, slice=place | spdx)
        if not item.licences:
            symbols = spdx_symbols(item.written)
            yield Measurement("licence.declared", " ".join(symbols) or "unknown id", slice=place)
    for path, found in terms.texts.items():
        for recognised in found:
            yield Measurement("licence.text", recognised.id, slice={"path": path, "how": recognised.how})
        if not found:
            yield Measurement("licence.text", "unrecognised", slice={"path": path})
    for name in dict.fromkeys([*terms.given, *terms.found]):
        limits = catalogue()[name].traits & {"restricted", "noncommercial"}
        yield Measurement("licence.restricted", "yes" if limits else "no", slice={"licence": name})


def _declared(terms: Terms, item: Declared) -> Iterator[Finding]:
    """Judge one id of the metadata by itself."""
    place = Location(terms.card, line=item.line)
    shown = item.written[:80]
    for licence in item.licences:
        if licence.id == "other":
            missing = [key for key, value in (("license_name", terms.name), ("license_link", terms.link)) if not value]
            if "license_name" in missing or (missing and not terms.texts):
                message = f"{terms.card} declares “other” without {' and '.join(missing)}"
                yield Finding.of(UNNAMED, f"{message}{'' if terms.texts else ' and without a LICENSE file'}", place)
        elif licence.id == "unknown":
            yield Finding.of(NONE, f"{terms.card} declares the licence “unknown”, which permits nothing", place)
        elif licence.covers:
            yield Finding.of(VAGUE, f"{terms.card} declares “{shown}”, a family of licences", place)
    if not item.licences or item.written.casefold() not in catalogue():
        known = item.licences or spdx_symbols(item.written)
        level = Level.NOTE if known else Level.WARNING
        better = f"; the Hub's id is {item.licences[0].id}" if len(item.licences) == 1 and item.licences[0].hub else ""
        yield Finding.of(
            UNKNOWN_ID,
            f"{terms.card} declares “{shown}”, which is not an id of the Hub's list{better}",
            place,
            level=level,
        )


def _texts(terms: Terms) -> Iterator[Finding]:
    """Compare licence files with the metadata and with each other."""
    for path, found in terms.texts.items():
        if not found:
            yield Finding.of(UNRECOGNISED, f"{path} holds no licence text this check knows", Location(path))
    given = [catalogue()[name] for name in terms.given]
    if given and terms.found and not any(licence.stands_for(name) for licence in given for name in terms.found):
        declared = _names(given)
        for path, found in terms.texts.items():
            if found:
                text = _names([catalogue()[item.id] for item in found])
                message = f"{terms.card} declares {declared}, but {path} is {text}"
                yield Finding.of(CONFLICT, message, Location(path), declared=declared, text=text)
    elif len(terms.found) > 1 or len(terms.given) > 1:
        every = _names([catalogue()[name] for name in dict.fromkeys([*terms.given, *terms.found])])
        yield Finding.of(SEVERAL, f"Several licences are given: {every}", Location(next(iter(terms.texts), terms.card)))


def _base(terms: Terms, base: Artifact) -> Iterator[Item]:
    """Compare with the licence of what this artifact was made from."""
    theirs = gather(base)
    for licence in theirs.effective:
        origin = "declared" if licence.id in theirs.given else "text"
        yield Measurement("licence.base", licence.id, slice={"from": origin, "base": base.name})
    if theirs.gaps or not theirs.effective:
        reason = theirs.gaps[0].reason if theirs.gaps else "it names no licence this check knows"
        yield Gap(f"the licence of the base {base.name} could not be established: {reason}")
    place = Location(terms.card) if terms.card else None
    yield from compare(terms, theirs.effective, base.name, place)


def _names(licences: Sequence[Licence]) -> str:
    return ", ".join(licence.id for licence in licences)
