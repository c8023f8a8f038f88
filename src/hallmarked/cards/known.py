"""What is known about one artifact, indexed once and shared by everything that derives something from it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from hallmarked.cards.record import Record
from hallmarked.core.evidence import Attestation, Statement, Subject
from hallmarked.policy.fact import CHECK_PREFIX, Fact, Facts, rows

OWNING = ("maker", "hub")
"""Roles that may take a claim back: whoever made it, or the hub where they are signed in."""
RESULTS = "eval."
"""First part of the paths of results of evaluations."""
_NOT_WORD = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Edition:
    """Which checks are in use now: what an older one stated has been superseded."""

    versions: Mapping[str, str] = field(default_factory=dict)
    """Version by id of the check; checks that are not listed are not compared."""
    rule_set: str = ""
    """Digest of the rules; empty when it does not matter."""

    def outdated(self, statement: Statement) -> str:
        """Say in a sentence why a check's statement has been superseded; empty when it has not, or is none."""
        for row in rows(statement.predicate.get("configuration")):
            name, notes, digest = row.get("name"), row.get("annotations"), row.get("digest")
            if not isinstance(name, str) or not name.startswith(CHECK_PREFIX):
                continue
            check = name.removeprefix(CHECK_PREFIX)
            version = notes.get("version") if isinstance(notes, Mapping) else None
            if check in self.versions and isinstance(version, str) and version != self.versions[check]:
                return f"the check {check} was version {version} then, and is {self.versions[check]} now; audit again"
            rules = digest.get("sha256") if isinstance(digest, Mapping) else None
            if self.rule_set and rules != self.rule_set:
                return f"the check {check} followed other rules then than now; audit again"
        return ""


@dataclass(frozen=True, slots=True)
class Known:
    """Statements about one artifact, ready to be asked."""

    facts: Facts
    undisputed: Facts
    """The same facts as if nobody contested any."""
    record: Record
    withdrawals: Mapping[str, Fact]
    """What the owner took back, by id, kind or path of the claim."""
    results: Mapping[str, tuple[str, ...]]
    """Paths of results, by the name of the metric without case and punctuation."""
    current: Subject | None
    edition: Edition

    def superseded(self, source: Attestation) -> str:
        """Say why a statement has been superseded; empty when it has not."""
        return self.edition.outdated(source.statement)


def know(
    attestations: Iterable[Attestation],
    current: Subject | None = None,
    *,
    edition: Edition | None = None,
    facts: Facts | None = None,
) -> Known:
    """Index statements.

    Args:
        attestations: What was stated, with who signed it and when, in any order.
        current: The artifact as it is now. Without it every statement counts as being about it.
        edition: Which checks are in use now; by default none is taken for superseded.
        facts: The same statements, where somebody has indexed them already.
    """
    ordered = sorted(attestations, key=lambda one: one.time)
    facts = facts if facts is not None else Facts(ordered, current)
    withdrawals = {
        fact.slice["claim"]: fact
        for fact in facts.find("record.withdrawal")
        if fact.source.role in OWNING and fact.current and "claim" in fact.slice
    }
    results: defaultdict[str, list[str]] = defaultdict(list)
    for path in facts.paths():
        if path.startswith(RESULTS):
            results[squeeze(path.removeprefix(RESULTS))].append(path)
    named = {name: tuple(paths) for name, paths in results.items()}
    edition = edition or Edition()
    record = Record(ordered, current, edition.outdated)
    return Known(facts, facts.undisputed(), record, withdrawals, named, current, edition)


def squeeze(name: str) -> str:
    """Return a name without case, spaces and punctuation, so that “Exact Match” is ``exact_match``."""
    return _NOT_WORD.sub("", name.casefold())
