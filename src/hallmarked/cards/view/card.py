"""A card as a reader sees it: a pure function of the card, its translations, what is stated, and the time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hallmarked.cards.block import Block
from hallmarked.cards.document.document import Document
from hallmarked.cards.known import Known
from hallmarked.cards.language import direction, primary
from hallmarked.cards.readability import Readability, measure
from hallmarked.cards.status import Status
from hallmarked.cards.translation import (
    Passage,
    Progress,
    State,
    Translation,
    align,
    blocks_of,
    progress,
    source_language,
)
from hallmarked.cards.view.limitation import Limitation, limitations, section_of
from hallmarked.cards.view.line import ClaimLine, claim_lines, order, stated_line
from hallmarked.cards.view.plain import Summary, plain, summary
from hallmarked.core.evidence import Subject


class Look(StrEnum):
    """How a card is shown."""

    TECHNICAL = "technical"
    """All of it."""
    PLAIN = "plain"
    """In plain language."""
    PAGE = "page"
    """On one page."""


@dataclass(frozen=True, slots=True)
class Offered:
    """A language that the prose of a card can be read in."""

    language: str
    machine: str
    """Name of the program that translated; empty for what people wrote."""
    progress: Progress | None
    """How far the translation follows the card; None for the card itself."""


@dataclass(frozen=True, slots=True)
class CardView:
    """A card as a reader sees it."""

    name: str
    title: str
    """Its first heading; its name when it has none."""
    look: Look
    language: str
    """Language tag of the prose, where it is translated."""
    direction: str
    """``ltr`` or ``rtl``."""
    digest: Mapping[str, str]
    """Names the bytes it is about."""
    time: datetime
    """When it was made: what is stale depends on it."""
    claims: tuple[ClaimLine, ...]
    """What the card declares, those to look at first in front."""
    counts: Mapping[Status, int]
    places: Mapping[str, ClaimLine]
    """What is shown in each place of the prose, by the place as written."""
    passages: tuple[Passage, ...]
    """The prose, block by block."""
    summary: Summary | None
    """The summary in plain language that its author wrote."""
    limitations: tuple[Limitation, ...]
    readability: Readability
    """Of what this look shows of the prose."""
    offered: tuple[Offered, ...]
    """Languages the prose can be read in, the card's own first."""
    problems: tuple[str, ...]
    """What is in the way of reading the card."""

    @property
    def offer(self) -> Offered:
        """The language that is shown."""
        return next((each for each in self.offered if each.language == self.language), self.offered[0])

    def section(self, subject: str) -> tuple[Passage, ...]:
        """Return what stands under a heading for a subject, such as ``use`` or ``contact``; nothing when none does."""
        blocks = [passage.block for passage in self.passages]
        found = section_of(blocks, subject, self.language)
        kept = set(map(id, found.blocks)) if found else set()
        return tuple(passage for passage in self.passages if id(passage.block) in kept)


def make_view(
    document: Document,
    known: Known,
    subject: Subject,
    time: datetime,
    *,
    look: Look = Look.TECHNICAL,
    language: str = "",
    translations: Sequence[Translation] = (),
) -> CardView:
    """Show a card.

    Args:
        document: The card.
        known: What is stated about it.
        subject: The bytes it is about.
        time: When it is shown.
        look: How.
        language: Language of the prose; by default, and where there is no translation, the card's own.
        translations: The translations there are.

    Raises:
        LimitExceeded: When its text is too long.
    """
    own, source = source_language(document.data), blocks_of(document)
    chosen = (
        _choose(language, translations)
        if primary(language) != primary(own) or language in _tags(translations)
        else None
    )
    passages = align(source, chosen, own) if chosen else tuple(Passage(block, own, State.SOURCE) for block in source)
    shown = chosen.language if chosen else own
    blocks = [passage.block for passage in passages]
    claims = claim_lines(document.declared, known, time, language or shown)
    limits = limitations(blocks, shown, [passage.language for passage in passages])
    written = summary(blocks, shown, limits)
    text = plain(written.blocks) if look is not Look.TECHNICAL and written else plain(blocks)
    return CardView(
        subject.name,
        next((block.text for block in blocks if block.kind == "heading" and block.text), subject.name),
        look,
        shown,
        direction(shown),
        dict(subject.digest),
        time,
        claims,
        order(claims),
        _places(document, claims, known, time),
        passages,
        written,
        limits,
        measure(text, shown),
        _offered(source, own, translations),
        tuple(finding.message for finding in document.findings),
    )


def _tags(translations: Sequence[Translation]) -> set[str]:
    return {each.language for each in translations}


def _choose(language: str, translations: Sequence[Translation]) -> Translation | None:
    """Return the translation into a language, else into another form of it; None when there is none."""
    exact = [each for each in translations if each.language.lower() == language.lower()]
    near = [each for each in translations if language and primary(each.language) == primary(language)]
    return next(iter(exact + near), None)


def _places(document: Document, claims: Sequence[ClaimLine], known: Known, time: datetime) -> Mapping[str, ClaimLine]:
    by_id = {line.id: line for line in claims}
    found: dict[str, ClaimLine] = {}
    for place in document.placeholders:
        named = place.claim(document.declared)
        if place.name and place.written not in found:
            found[place.written] = by_id[named.id] if named else stated_line(place, known, time)
    return found


def _offered(source: Sequence[Block], own: str, translations: Sequence[Translation]) -> tuple[Offered, ...]:
    others = [Offered(each.language, each.machine, progress(align(source, each, own))) for each in translations]
    return (Offered(own, "", None), *others)
