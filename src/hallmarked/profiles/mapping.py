"""How the controls of one edition of a framework became those of another.

Publishers seldom say. A map is a judgement of ours, and the file it is read from says how it was made.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from hallmarked.profiles.framework import Control, Framework
from hallmarked.profiles.language import Text


class Relation(StrEnum):
    """What became of a control."""

    SAME = "same"
    """The same id asks the same, in the same or nearly the same words."""
    MOVED = "moved"
    """Asked in the same or nearly the same words under another id."""
    REWORDED = "reworded"
    """Asked in other words, wider or narrower."""
    MERGED = "merged"
    """Several became one."""
    SPLIT = "split"
    """One became several."""
    DROPPED = "dropped"
    """Nothing in the later edition asks it."""


@dataclass(frozen=True, slots=True)
class Link:
    """What became of one control."""

    source: str
    """Its id in the earlier edition."""
    relation: Relation
    targets: tuple[str, ...] = ()
    """Ids in the later edition."""


@dataclass(frozen=True, slots=True)
class Namesake:
    """A control of another edition that has the same id and asks something else."""

    edition: str
    control: Control


@dataclass(frozen=True, slots=True)
class EditionMap:
    """What became of every control of an edition."""

    framework: str
    source: str
    """The earlier edition."""
    target: str
    """The later edition."""
    method: Text
    """How the map was made, and by whom."""
    links: Mapping[str, Link]
    """By id in the earlier edition."""

    def forward(self, control_id: str) -> Link:
        """Return what became of a control of the earlier edition."""
        return self.links[control_id]

    def backward(self, control_id: str) -> tuple[Link, ...]:
        """Return what a control of the later edition came from; nothing when it is new."""
        return tuple(link for link in self.links.values() if control_id in link.targets)

    def related(self, edition: str, control_id: str) -> tuple[str, ...]:
        """Return the ids in the other edition that a control became or came from."""
        if edition == self.source:
            return self.links[control_id].targets
        return tuple(link.source for link in self.backward(control_id))


def read_map(data: bytes) -> EditionMap:
    """Read a map between editions that comes with the program."""
    table = tomllib.loads(data.decode("utf-8"))
    head = table["map"]
    links = {row["id"]: Link(row["id"], Relation(row["relation"]), tuple(row.get("to", ()))) for row in table["link"]}
    return EditionMap(head["framework"], head["source"], head["target"], head["method"], links)


def namesakes(framework: Framework, other: Framework, between: EditionMap) -> Mapping[str, Namesake]:
    """Return the ids of an edition that mean something else in another one, with what they mean there.

    Args:
        framework: The edition that is shown.
        other: The other edition.
        between: The map between the two.
    """
    known = {control.id: control for control in other.controls}
    return {
        control.id: Namesake(other.edition, known[control.id])
        for control in framework.controls
        if control.id in known and control.id not in between.related(framework.edition, control.id)
    }


def unmapped(framework: Framework, between: EditionMap) -> Sequence[Control]:
    """Return the controls of the later edition that came from none of the earlier one."""
    reached = {target for link in between.links.values() for target in link.targets}
    return [control for control in framework.controls if control.id not in reached]
