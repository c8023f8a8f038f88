"""Tell things apart by their digests, whatever they are called.

A statement that gives one thing two digests (a folder's and a commit's) ties these together for all others. One that
ties a thing to two different digests of the same kind contradicts itself or another one: it is noted, and not believed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hallmarked.core.evidence import Attestation, Subject

TYING = frozenset({"maker", "hub", "auditor"})
"""Roles whose word counts that two digests are of one thing. With anybody's, what is signed about one model could be
passed off as said about another."""
SHOWN = 12
"""Characters of a digest that are shown to people."""


@dataclass(frozen=True, slots=True)
class Clash:
    """A statement that would make two things one."""

    subject: Subject
    source: Attestation


class Things:
    """What is known by digest."""

    def __init__(self) -> None:
        self.clashes: list[Clash] = []
        self._above: dict[str, str] = {}
        self._digests: dict[str, dict[str, str]] = {}
        self._names: dict[str, dict[str, None]] = {}

    def add(self, subject: Subject, source: Attestation | None = None) -> str:
        """Note a thing, and return what it is known by for now; see :meth:`find`.

        Args:
            subject: The thing.
            source: Who says so; None for what is at hand.
        """
        rows = _rows(subject.digest)
        if not rows:
            return ""
        if source is not None and source.role not in TYING and len(rows) > 1:
            known = self.find(subject)
            return known or self.add(Subject(subject.name, dict([rows[0].split(":", 1)])))
        roots = list(dict.fromkeys(self._root(row) for row in rows if row in self._above))
        merged: dict[str, str] = {}
        clash = False
        for digest in [dict(row.split(":", 1) for row in rows), *(self._digests[root] for root in roots)]:
            clash = clash or any(merged.get(name, value) != value for name, value in digest.items())
            merged |= digest
        if clash:
            if source is not None:
                self.clashes.append(Clash(subject, source))
            self._name(roots[0], subject.name)
            return roots[0]
        root = roots[0] if roots else rows[0]
        for row in {*rows, *roots}:
            self._above[row] = root
        self._digests[root] = merged
        for other in roots[1:]:
            for name in self._names.pop(other, {}):
                self._name(root, name)
        self._name(root, subject.name)
        return root

    def find(self, subject: Subject) -> str:
        """Return what a thing is known by; empty when nothing was noted about any of its digests."""
        return next((self._root(row) for row in _rows(subject.digest) if row in self._above), "")

    def digest(self, key: str) -> Mapping[str, str]:
        """Return every digest of a thing."""
        return self._digests.get(key, {})

    def names(self, key: str) -> tuple[str, ...]:
        """Return what a thing was called, first what it was called first."""
        return tuple(self._names.get(key, {}))

    def _name(self, key: str, name: str) -> None:
        names = self._names.setdefault(key, {})
        if name and len(names) < 10:
            names.setdefault(name)

    def _root(self, row: str) -> str:
        path = []
        while self._above[row] != row:
            path.append(row)
            row = self._above[row]
        for step in path:
            self._above[step] = row
        return row


def _rows(digest: Mapping[str, str]) -> list[str]:
    """Return a digest set as texts, in an order that does not depend on how it was written."""
    known = {"dirHash" if name == "dirHash1" else name: str(value) for name, value in digest.items()}
    return [f"{name}:{value}" for name, value in sorted(known.items())]


def by_trust(attestations: Iterable[Attestation]) -> list[Attestation]:
    """Order statements: first those of people who are known, each group oldest first."""
    return sorted(attestations, key=lambda one: (not one.role, one.time))


def short(digest: Mapping[str, str]) -> str:
    """Return a digest as people see it."""
    return next((f"{name} {value[:SHOWN]}…" for name, value in sorted(digest.items())), "no digest")
