"""Hold a card against a template: a checklist, not a sentence. Whether it blocks anything is for a policy to say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hallmarked.cards.document.declared import KEY, Kind, Tier
from hallmarked.cards.document.document import Document
from hallmarked.cards.document.rule import UNANSWERED
from hallmarked.cards.template.template import Asked, Template
from hallmarked.checks.documentation import sections
from hallmarked.core.evidence import Finding, Level, Location, Outcome, Verdict


@dataclass(frozen=True, slots=True)
class Item:
    """What a card has for one thing its template asks for."""

    asked: Asked
    filled: bool
    line: int | None
    """Where it is, or where its empty heading is; ``None`` when there is none."""


@dataclass(frozen=True, slots=True)
class Checklist:
    """A card held against one template."""

    template: str
    """Id, e.g. ``model/high@1``."""
    digest: str
    """SHA-256 of everything the template asks."""
    items: tuple[Item, ...]

    @property
    def open(self) -> tuple[Item, ...]:
        """What is asked for and not there, what matters most first."""
        missing = [item for item in self.items if not item.filled and item.asked.level is not None]
        return tuple(sorted(missing, key=lambda item: -(item.asked.level or Level.NOTE).rank))

    @property
    def outcome(self) -> Outcome:
        """``fail`` when something is missing that the template holds indispensable, else ``pass``."""
        failed = any(item.asked.level is Level.ERROR for item in self.open)
        return Outcome.FAIL if failed else Outcome.PASS

    def verdict(self) -> Verdict:
        """Return it as a verdict to sign, which names template and digest, so that later ones do not change it."""
        reasons = [f"{item.asked.what} {item.asked.id}: {item.asked.ask['en']}" for item in self.open]
        return Verdict(self.outcome, self.template, reasons, {"sha256": self.digest})

    def count(self, what: str) -> tuple[int, int]:
        """Return how many of one sort are filled, and how many are asked for."""
        items = [item for item in self.items if item.asked.what == what]
        return sum(item.filled for item in items), len(items)

    def findings(self, file: str) -> Iterator[Finding]:
        """Yield what is open as findings, at the template's levels."""
        for item in self.open:
            asked, title = item.asked, item.asked.title["en"]
            where = f"{file}, line {item.line}" if item.line else file
            named = {"section": f"nothing is written about “{title}”", "field": f"the metadata lack {asked.id}"}
            message = f"{where}: {named.get(asked.what, f'no claim is made about {asked.id}')}. {asked.ask['en']}"
            place = Location(file, line=item.line)
            yield Finding.of(UNANSWERED, message, place, level=asked.level, template=self.template, asked=asked.id)


def check(document: Document, template: Template) -> Checklist:
    """Hold a card against a template."""
    answered = {each.entry.id: each for each in sections.answers(template.matcher, document.sections)}
    items = []
    for asked in template.asked:
        if asked.what == "section":
            answer = answered[asked.id]
            items.append(Item(asked, answer.filled, answer.line))
        elif asked.what == "field":
            items.append(_field(document, asked))
        else:
            items.append(_claim(document, asked))
    return Checklist(template.id, template.digest, tuple(items))


def kind_and_tier(document: Document) -> tuple[Kind, Tier]:
    """Return what a card is about and how much depends on it: what it says itself, else what can be told from it."""
    declared = document.declared
    kind = declared.kind or Kind(sections.kind_of(document.data, document.sections))
    return kind, declared.tier or Tier.MINIMAL


def _field(document: Document, asked: Asked) -> Item:
    first, *rest = asked.id.split(".")
    data: object = document.data
    for step in (first, *rest)[:-1]:
        data = data.get(step) if isinstance(data, Mapping) else None
    last = (first, *rest)[-1]
    field = sections.Field(last, (last, *asked.names), "")
    found = sections.field_value(field, data) if isinstance(data, Mapping) else None
    if found is None:
        return Item(asked, False, None)
    return Item(asked, True, document.line_of((*(first, *rest)[:-1], found[0])))


def _claim(document: Document, asked: Asked) -> Item:
    for claim in document.declared.claims:
        if claim.path == asked.id or claim.path.startswith(asked.id + "."):
            return Item(asked, True, claim.line)
    line = document.line_of((KEY, "claims")) if document.declared.present else None
    return Item(asked, False, line)
