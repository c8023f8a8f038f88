"""What changed between two versions of a card, in words.

A claim that asks for less than before is named as loosened, whatever else changed: that is what a reader has to know.
Whether a value that would have failed now passes is found with the evaluator that judges claims.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from hallmarked.cards.document.conflict import candidates, holds
from hallmarked.cards.document.declared import KEY, Component, DeclaredClaim
from hallmarked.cards.document.document import Document
from hallmarked.checks.documentation.sections import content, normalise
from hallmarked.core.text import name_part
from hallmarked.policy.requirement import THIRD_PARTY, WORST, Operator


class Way(StrEnum):
    """How something changed; the earlier, the more a reader should look at it."""

    LOOSENED = "loosened"
    REMOVED = "removed"
    CHANGED = "changed"
    TIGHTENED = "tightened"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference."""

    what: str
    """``claim``, ``component``, ``metadata`` or ``section``."""
    id: str
    way: Way
    sentence: str
    line: int | None
    """Where it stands in the new card; of what is gone, in the old one."""


def compare(old: Document, new: Document) -> tuple[Change, ...]:
    """Return what changed from one card to another: claims first, loosened ones in front."""
    order = list(Way)
    claims = sorted(_claims(old, new), key=lambda change: order.index(change.way))
    return (*claims, *_components(old, new), *_metadata(old, new), *_sections(old, new))


def said(claim: DeclaredClaim) -> str:
    """Write what a claim asks for in one line."""
    value = claim.value if isinstance(claim.value, str) else ", ".join(claim.value)
    part = f" of the {WORST} part" if claim.slice == WORST else ""
    if isinstance(claim.slice, Mapping) and claim.slice:
        part = " of " + name_part(claim.slice)
    return " ".join(f"{claim.path}{part} {claim.op} {value}".split())


def _claims(old: Document, new: Document) -> Iterator[Change]:
    before, after = ({claim.id: claim for claim in each.declared.claims} for each in (old, new))
    for name, claim in before.items():
        if name not in after:
            yield Change("claim", name, Way.REMOVED, f"the claim {name} ({said(claim)}) is no longer made", claim.line)
        elif parts := list(_changed(claim, after[name])):
            ways = [way for way, _ in parts]
            way = next((each for each in (Way.LOOSENED, Way.CHANGED, Way.TIGHTENED) if each in ways), Way.CHANGED)
            words = "; ".join(f"{sentence}{'' if each is way else f' ({each})'}" for each, sentence in parts)
            yield Change("claim", name, way, f"the claim {name} is {way}: {words}", after[name].line)
    for name, claim in after.items():
        if name not in before:
            yield Change("claim", name, Way.ADDED, f"the claim {name} ({said(claim)}) is new", claim.line)


def _changed(old: DeclaredClaim, new: DeclaredClaim) -> Iterator[tuple[Way, str]]:
    if said(old) != said(new):
        yield _threshold(old, new), f"{said(new)} instead of {said(old)}"
    if old.min_n != new.min_n:
        way = Way.LOOSENED if new.min_n < old.min_n else Way.TIGHTENED
        yield way, f"{new.min_n:,} must have been looked at instead of {old.min_n:,}"
    if old.max_age != new.max_age:
        looser = new.max_age is None or (old.max_age is not None and new.max_age > old.max_age)
        ages = ["any age" if age is None else f"{age.days} days" for age in (new.max_age, old.max_age)]
        yield (Way.LOOSENED if looser else Way.TIGHTENED), f"evidence may be of {ages[0]} instead of {ages[1]}"
    if set(old.by) != set(new.by):
        who = [" or ".join(by) if by else "anybody" for by in (new.by, old.by)]
        yield _heard(old.by, new.by), f"the word of {who[0]} counts instead of {who[1]}"
    if old.check != new.check:
        yield Way.CHANGED, f"the check {new.check} must have looked instead of {old.check}"
    if set(old.audience) != set(new.audience):
        yield Way.CHANGED, f"it is written for {', '.join(new.audience)} instead of {', '.join(old.audience)}"
    for tag in sorted({*old.text, *new.text}):
        if old.text.get(tag) != new.text.get(tag):
            yield Way.CHANGED, f"its text in {tag} is another one"


def _threshold(old: DeclaredClaim, new: DeclaredClaim) -> Way:
    """Say whether values pass now that did not before, or the other way round."""
    if old.path != new.path or Operator.ABSENT in {old.op, new.op}:
        return Way.CHANGED
    if old.slice != new.slice:
        same = _values(old, new)
        if old.slice == WORST and not same[1]:
            return Way.LOOSENED
        return Way.TIGHTENED if new.slice == WORST and not same[0] else Way.CHANGED
    more, fewer = _values(old, new)
    if more == fewer:
        return Way.CHANGED
    return Way.LOOSENED if more else Way.TIGHTENED


def _values(old: DeclaredClaim, new: DeclaredClaim) -> tuple[bool, bool]:
    """Say whether some value passes only now, and whether some passed only before."""
    tried = [(holds(old, value), holds(new, value)) for value in candidates(old, new)]
    return any(now and not then for then, now in tried), any(then and not now for then, now in tried)


def _heard(old: Sequence[str], new: Sequence[str]) -> Way:
    """Compare who counts: fewer is tighter."""
    everybody = {"", "maker", "hub", "auditor", "community"}

    def heard(by: Sequence[str]) -> set[str]:
        others = everybody - {"", "maker"} if THIRD_PARTY in by else set()
        return (set(by) - {THIRD_PARTY}) | others if by else everybody

    before, after = heard(old), heard(new)
    if after < before:
        return Way.TIGHTENED
    return Way.LOOSENED if after > before else Way.CHANGED


def _components(old: Document, new: Document) -> Iterator[Change]:
    def named(document: Document) -> dict[str, Component]:
        return {f"{each.kind} {each.name}": each for each in document.declared.components}

    before, after = named(old), named(new)
    for name in sorted({*before, *after}):
        if name not in after:
            yield Change("component", name, Way.REMOVED, f"{name} is no longer part of it", before[name].line)
        elif name not in before:
            yield Change("component", name, Way.ADDED, f"{name} is a new part of it", after[name].line)
        elif before[name].digest != after[name].digest:
            sentence = f"{name} is another version: {_digest(after[name])} instead of {_digest(before[name])}"
            yield Change("component", name, Way.CHANGED, sentence, after[name].line)


def _digest(component: Component) -> str:
    return ", ".join(f"{key} {value[:12]}" for key, value in sorted(component.digest.items())) or "no digest"


def _metadata(old: Document, new: Document) -> Iterator[Change]:
    before, after = _flat(old.data), _flat(new.data)
    for key in dict.fromkeys((*before, *after)):
        name = ".".join(key)
        if key not in after:
            yield Change("metadata", name, Way.REMOVED, f"{name} is gone; it was {before[key]}", old.line_of(key))
        elif key not in before:
            yield Change("metadata", name, Way.ADDED, f"{name} is new: {after[key]}", new.line_of(key))
        elif before[key] != after[key]:
            sentence = f"{name} is {after[key]} instead of {before[key]}"
            yield Change("metadata", name, Way.CHANGED, sentence, new.line_of(key))


def _flat(data: Mapping[str, object]) -> dict[tuple[str, ...], str]:
    """Return top-level fields, and what stands under ``hallmarked`` besides claims and components, as shown."""
    fields: dict[tuple[str, ...], str] = {(key,): _shown(value) for key, value in data.items() if key != KEY}
    section = data.get(KEY)
    if isinstance(section, Mapping):
        rest = {str(key): value for key, value in section.items() if key not in ("claims", "components")}
        fields |= {(KEY, key): _shown(value) for key, value in rest.items()}
    return fields


def _shown(value: object) -> str:
    if isinstance(value, list) and all(isinstance(item, str | int | float) for item in value):
        text = ", ".join(map(str, value)) or "an empty list"
    elif value is None:
        text = "empty"
    else:
        text = str(value)
    line = " ".join(text[:4_000].split())
    # NOTE: what is cut must still tell two long values apart.
    return line if len(line) <= 120 else f"{line[:100]}… ({len(text):,} characters, {_hash(text)})"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def _sections(old: Document, new: Document) -> Iterator[Change]:
    before, after = _texts(old), _texts(new)
    for key in dict.fromkeys((*before, *after)):
        title = (after.get(key) or before[key])[0] or "(before the first heading)"
        then, now = before.get(key), after.get(key)
        if now is None and then is not None:
            yield Change("section", title, Way.REMOVED, f"the section “{title}” is gone", then[1])
        elif then is None and now is not None:
            yield Change("section", title, Way.ADDED, f"the section “{title}” is new", now[1])
        elif then is not None and now is not None and then[2] != now[2]:
            filled = [content(text) for text in (then[2], now[2])]
            words = {(False, True): "is filled in now", (True, False): "says nothing any more"}
            sentence = f"the section “{title}” {words.get((filled[0], filled[1]), 'says something else')}"
            yield Change("section", title, Way.REMOVED if filled == [True, False] else Way.CHANGED, sentence, now[1])


def _texts(document: Document) -> dict[tuple[str, int], tuple[str, int, str]]:
    """Return title, line and text of each section, by normalised title and how often it occurred before."""
    found: dict[tuple[str, int], tuple[str, int, str]] = {}
    heads = {section.line: section for section in document.sections if section.level}
    counts: dict[str, int] = {}
    key = ("", 0)
    for block in document.blocks():
        if block.line in heads and heads[block.line].title == block.section:
            name = normalise(heads.pop(block.line).title)
            counts[name] = counts.get(name, -1) + 1
            key = (name, counts[name])
        title, line, text = found.get(key, (block.section, block.line, ""))
        found[key] = (title, line, text + block.text)
    return {key: (title, line, _below(text, title)) for key, (title, line, text) in found.items()}


def _below(text: str, title: str) -> str:
    """Return the text under a heading, without blank lines around it; line ends do not matter."""
    lines = text.splitlines()
    if title and lines:
        lines = lines[1:]
    return "\n".join(line.rstrip() for line in lines).strip()
