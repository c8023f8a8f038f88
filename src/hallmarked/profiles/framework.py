"""One edition of a framework as data: what it asks, and what would answer each thing it asks.

A control of an edition is named ``FRAMEWORK/EDITION#CONTROL``, such as
``nist-ai-600-1/final-2024-07#GV-1.6-001``. The edition is never left out: frameworks use the same id for different
things in different editions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from hallmarked.core.errors import InputError, NotFound
from hallmarked.policy.requirement import Requirement
from hallmarked.profiles.language import Text

_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
NAME = re.compile(_NAME)
"""What ids of frameworks, editions, controls, groups, tags and answers look like."""
_REFERENCE = re.compile(rf"({_NAME})(?:/({_NAME}))?#({_NAME})")


class Audience(StrEnum):
    """Who may see an answer."""

    PUBLIC = "public"
    PROVIDER = "provider"
    """Whoever builds on it downstream."""
    AUTHORITY = "authority"
    AI_OFFICE = "ai-office"


@dataclass(frozen=True, slots=True)
class Answer:
    """What would answer a control; many controls share one."""

    id: str
    evidence: Sequence[Requirement] = ()
    """All of them met by statements make a control *evidenced*."""
    any_of: Sequence[Requirement] = ()
    """One of them has to be met beside those; for what different evaluations measure under different names."""
    documents: Sequence[Sequence[Requirement]] = ()
    """Any of them, with all its parts met, makes a control *documented*: written down, and measured by nothing."""
    organisational: bool = False
    """Whether only people can show it, so that without a record it is not a gap in the evidence."""
    unless: Sequence[str] = ()
    """Ids of conditions under which it does not apply."""
    shows: Text = field(default_factory=dict)
    """What the evidence shows when it is there."""
    needs: Text = field(default_factory=dict)
    """What would answer it, and why nothing does."""


@dataclass(frozen=True, slots=True)
class Condition:
    """When a control does not apply."""

    id: str
    when: Sequence[Requirement]
    """Any of them met means that it does not apply. Missing evidence never does."""
    reason: Text


@dataclass(frozen=True, slots=True)
class Group:
    """A heading under which controls stand."""

    id: str
    title: Text
    function: str = ""
    """The part of the framework it belongs to, such as ``GOVERN``."""


@dataclass(frozen=True, slots=True)
class Control:
    """One thing that an edition asks."""

    id: str
    group: str
    answer: str
    """Id of the answer."""
    summary: Text
    """What is asked, in our own words."""
    tags: Sequence[str] = ()
    """Risks it is about, or other subjects the framework sorts by."""
    page: int | None = None
    printed_id: str = ""
    """The id as it is printed, where it differs."""
    audience: frozenset[Audience] = frozenset(Audience)
    """Who may see the answer; by default everybody."""
    unless: Sequence[str] = ()
    """Further conditions, beside those of the answer."""


@dataclass(frozen=True, slots=True)
class Framework:
    """An edition of a framework."""

    id: str
    edition: str
    title: Text
    source: str
    """Where the original is found."""
    date: str
    """When the edition was published, ISO 8601."""
    controls: Sequence[Control]
    answers: Mapping[str, Answer]
    conditions: Mapping[str, Condition] = field(default_factory=dict)
    groups: Mapping[str, Group] = field(default_factory=dict)
    tags: Mapping[str, Text] = field(default_factory=dict)
    note: Text = field(default_factory=dict)
    """What readers should know of the summaries."""
    digest: str = ""
    """SHA-256 of the files it was read from."""

    @property
    def name(self) -> str:
        """Return the id with the edition."""
        return f"{self.id}/{self.edition}"

    def control(self, control_id: str) -> Control:
        """Return a control by its id.

        Raises:
            NotFound: When the edition has none of that id.
        """
        for control in self.controls:
            if control.id == control_id:
                return control
        raise NotFound(f"{self.name} has no control {control_id}")

    def reference(self, control: Control) -> str:
        """Return the name of a control with its framework and edition."""
        return f"{self.name}#{control.id}"


@dataclass(frozen=True, slots=True)
class Reference:
    """The name of a control."""

    framework: str
    edition: str
    control: str

    def __str__(self) -> str:
        return f"{self.framework}/{self.edition}#{self.control}"


def parse_reference(text: str, editions: Mapping[str, Sequence[str]]) -> Reference:
    """Read the name of a control, which must carry the edition.

    Args:
        text: Such as ``nist-ai-600-1/final-2024-07#GV-1.6-001``.
        editions: The editions of each framework that is known.

    Raises:
        InputError: When it is no reference, names no edition, or one that is not known.
    """
    match = _REFERENCE.fullmatch(text)
    if match is None:
        raise InputError(f"“{text[:120]}” is no reference to a control; write FRAMEWORK/EDITION#CONTROL")
    framework, edition, control = match.groups()
    known = editions.get(framework)
    if known is None:
        raise InputError(f"“{text}” names a framework that is not known; there are: {', '.join(sorted(editions))}")
    if not edition:
        choices = " or ".join(f"{framework}/{each}#{control}" for each in known)
        raise InputError(
            f"“{text}” names no edition, and one id can mean different things in two editions; write {choices}"
        )
    if edition not in known:
        raise InputError(f"“{text}” names an edition that is not known; there are: {', '.join(known)}")
    return Reference(framework, edition, control)
