"""A model is not a system: what a card of the one may not say, and what a card of the other must.

Guardrails, filters, moderation and protecting prompts stand before or behind a model; whoever takes the model alone
does not get them. So a model card cannot claim them, and a system card has to say exactly what the system is made of.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hallmarked.checks.documentation.declared import KEY, LineOf, components, declared_kind, digests, section
from hallmarked.checks.documentation.guardrail import find_guardrails, is_system_path
from hallmarked.core.evidence import Finding, Level, Location, Rule
from hallmarked.formats.readme import Readme

MISPLACED = Rule(
    "DOC010",
    Level.ERROR,
    "A model card claims what only a system can have",
    "Move the sentence to the card of the system that has the guardrail, or say “kind: system” and name its parts.",
)
UNNAMED = Rule(
    "DOC011",
    Level.ERROR,
    "A system card does not say exactly which models it is made of",
    "Name each model under “components” with its digest, so that evidence about the model counts for the system.",
)
UNTOLD = Rule(
    "DOC012",
    Level.WARNING,
    "A system card leaves out what a part of the system is",
    "Name the part under “components”, with its digest where it has one; write “name: none” when there is none.",
)
RULES = (MISPLACED, UNNAMED, UNTOLD)

PARTS = ("model", "dataset", "guardrail", "prompt", "software", "hardware")
"""Kinds of parts that a system card names."""
BY_DIGEST = ("dataset", "guardrail", "prompt")
"""Kinds of parts, beside models, that are made of bytes which somebody could look at."""
NONE = "none"
"""Name of a part that the system does not have."""
MAX_FINDINGS = 20
"""Sentences named per card."""


def look(path: str, content: Readme, kind: str, line_of: LineOf) -> Iterator[Finding]:
    """Yield what is wrong with a card because a model is not a system.

    Args:
        path: Path of the card.
        content: The card.
        kind: What it is about, as declared or guessed.
        line_of: Gives the line of a node of its metadata.
    """
    if kind == "model":
        yield from _misplaced(path, content, line_of)
    elif kind == "system":
        yield from _parts(path, content, line_of)


def _misplaced(path: str, content: Readme, line_of: LineOf) -> Iterator[Finding]:
    # Whoever wrote “kind: model” knows the difference; an old card may only be badly worded.
    level = Level.ERROR if declared_kind(content.data) == "model" else Level.WARNING
    rows = section(content.data).get("claims")
    for index, row in enumerate(rows if isinstance(rows, list) else ()):
        claimed = row.get("path") if isinstance(row, Mapping) else None
        if isinstance(claimed, str) and is_system_path(claimed):
            line = line_of((KEY, "claims", index))
            message = f"{path}, line {line}: the claim about {claimed[:100]} belongs on the card of a system"
            yield Finding.of(MISPLACED, message, Location(path, line=line))
    for count, said in enumerate(find_guardrails(content.sections)):
        if count == MAX_FINDINGS:
            message = f"{path} says more about guardrails than is listed here"
            yield Finding.of(MISPLACED, message, Location(path, line=said.line), level=level)
            return
        message = f"{path}, line {said.line}: a model by itself has no “{said.thing}”; that is part of a system"
        yield Finding.of(MISPLACED, message, Location(path, line=said.line), level=level, text=said.sentence[:240])


def _parts(path: str, content: Readme, line_of: LineOf) -> Iterator[Finding]:
    rows = components(content.data)
    for index, row in enumerate(rows):
        kind, name = row.get("kind"), row.get("name")
        if name == NONE or kind not in ("model", *BY_DIGEST) or digests(row):
            continue
        line = line_of((KEY, "components", index))
        shown = name[:100] if isinstance(name, str) else "a part without a name"
        message = f"{path}, line {line}: {shown} ({kind}) has no digest, so that nobody can tell which one is meant"
        yield Finding.of(UNNAMED if kind == "model" else UNTOLD, message, Location(path, line=line))
    named = {row.get("kind") for row in rows}
    line = line_of((KEY, "components"))
    if "model" not in named:
        message = f"{path} is the card of a system and names no model that it is made of"
        yield Finding.of(UNNAMED, message, Location(path, line=line))
    for kind in PARTS:
        if kind != "model" and kind not in named:
            message = f"{path} is the card of a system and says nothing about its parts of the kind {kind}"
            yield Finding.of(UNTOLD, message, Location(path, line=line))
