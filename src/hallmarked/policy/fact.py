"""What statements say, as facts that a requirement can be held against.

A fact is one value under a dotted path, with who stated it, when, and about which bytes:

======================  ===============================================================================================
path                    value
======================  ===============================================================================================
the metric              what a check or an evaluation measured, e.g. ``parameters.total`` or ``eval.recall``
``check.ID``            outcome of a check: ``pass``, ``fail`` or ``unknown``
``check.ID.finished``   ``yes`` when it came to its end and could establish everything; ``unknown`` when not
``check.ID.errors``     number of its findings of level error; likewise ``warnings``, ``notes``, and ``gaps``
``finding.RULE``        number of findings of a rule, where there are any
``card.KIND``           status of a claim of a card, with ``value`` in the slice
``record.NAME``         ``present`` for a statement of type ``urn:hallmarked:NAME:v1``; its texts are the slice
======================  ===============================================================================================

Statements may come from anywhere, so members that are missing or of another type count as absent.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from hallmarked.core.evidence import Attestation, Outcome, Statement, Subject
from hallmarked.records.dispute import SETTLING

CHECK_PREFIX = "hallmarked/checks/"
CLAIMS_TYPE = "https://in-toto.io/attestation/scai/v0.3"
DISPUTE_TYPE = "urn:hallmarked:dispute:v1"
_RECORD = re.compile(r"urn:hallmarked:([a-z0-9-]{1,64}):v\d{1,4}")
_OUTCOMES = frozenset(outcome.value for outcome in Outcome)
UNKNOWN = Outcome.UNKNOWN.value
_COUNTED = {"error": "errors", "warning": "warnings", "note": "notes"}


@dataclass(frozen=True, slots=True)
class Fact:
    """One value that somebody stated."""

    path: str
    value: str
    source: Attestation
    """The statement, who signed it, and when."""
    current: bool
    """Whether the statement is about exactly the bytes that are judged."""
    slice: Mapping[str, str] = field(default_factory=dict)
    """The part it speaks about; empty means the whole."""
    n: int | None = None
    """How many things were counted or sampled."""
    interval: tuple[str, str] | None = None
    """95 % interval, as decimal text."""
    unit: str = ""

    @property
    def place(self) -> tuple[tuple[str, str], ...]:
        """The slice in an order that does not depend on how it was written."""
        return tuple(sorted(self.slice.items()))


@dataclass(frozen=True, slots=True)
class Dispute:
    """Somebody contests a claim or a statement, and nobody has settled it."""

    about: str
    """A path of facts, the id of a claim, or the id of a statement (``sha256:…``)."""
    reason: str
    source: Attestation


class Facts:
    """What is stated about one artifact, by path. Of two statements of one signer the later one counts.

    A check says all it has to say in one statement, so that a newer one replaces it whole; other measurements are
    replaced one by one, by path and slice.

    Args:
        attestations: Statements with who signed them and when, in any order.
        current: The bytes that are judged. Without it every statement counts as being about them.
    """

    def __init__(self, attestations: Iterable[Attestation], current: Subject | None = None) -> None:
        self.disputes: list[Dispute] = []
        self._facts: defaultdict[str, dict[tuple[object, ...], Fact]] = defaultdict(dict)
        newest: dict[tuple[str, str, bool], Attestation] = {}
        for one in sorted(attestations, key=lambda each: (each.time, each.id)):
            check, known = check_of(one.statement), is_about(one.statement, current)
            if check:
                newest[check, one.keyid, known] = one
            else:
                self._add(_facts_of(one, known))
            self._note_dispute(one)
        self._checks = {check for check, _, _ in newest}
        for (check, _, known), one in newest.items():
            self._add(_facts_of_check(check, one, known))

    def find(self, path: str) -> list[Fact]:
        """Return what is stated under a path, oldest first."""
        return sorted(self._facts.get(path, {}).values(), key=lambda fact: fact.source.time)

    def paths(self) -> list[str]:
        """Return every path under which something is stated, sorted."""
        return sorted(self._facts)

    def checks(self) -> list[str]:
        """Return the ids of the checks that something is stated by, sorted."""
        return sorted(self._checks)

    def disputed(self, *about: str) -> Dispute | None:
        """Return an open dispute about one of some paths or statements."""
        return next((dispute for dispute in self.disputes if dispute.about in about), None)

    def _add(self, facts: Iterable[Fact]) -> None:
        for fact in facts:
            self._facts[fact.path][fact.source.keyid, fact.current, fact.place] = fact

    def _note_dispute(self, one: Attestation) -> None:
        if one.statement.predicate_type != DISPUTE_TYPE or not one.role:  # strangers cannot hold up a decision
            return
        predicate = one.statement.predicate
        about, reason = (str(predicate.get(name, "")) for name in ("about", "reason"))
        settles = predicate.get("open") is False
        heard = settles and one.role in SETTLING  # a hub or an auditor settles what others opened; see records.dispute
        self.disputes = [
            each for each in self.disputes if each.about != about or (each.source.keyid != one.keyid and not heard)
        ]
        if about and not settles:
            self.disputes.append(Dispute(about, reason, one))


def is_about(statement: Statement, subject: Subject | None) -> bool:
    """Say whether a statement is about exactly these bytes: digests of equal name agree, and there is one."""
    if subject is None:
        return True
    return any(_same(subject.digest, other.digest) for other in statement.subjects)


def _same(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    shared = one.keys() & other.keys()
    return bool(shared) and all(one[name] == other[name] for name in shared)


def check_of(statement: Statement) -> str:
    """Return the id of the check that made a statement; empty for statements of other kinds."""
    for row in rows(statement.predicate.get("configuration")):
        name = row.get("name")
        if isinstance(name, str) and name.startswith(CHECK_PREFIX):
            return name.removeprefix(CHECK_PREFIX)
    return ""


def _facts_of_check(check: str, one: Attestation, current: bool) -> Iterator[Fact]:
    predicate = one.statement.predicate
    stated, path = str(predicate.get("outcome")), f"check.{check}"
    outcome = stated if stated in _OUTCOMES else UNKNOWN
    yield Fact(path, outcome, one, current)
    findings = list(rows(predicate.get("findings")))
    levels, rules = (Counter(str(row.get(name, "")) for row in findings) for name in ("level", "rule"))
    for level, plural in _COUNTED.items():
        yield Fact(f"{path}.{plural}", str(levels[level]), one, current)
    gaps = sum(1 for _ in rows(predicate.get("gaps")))
    yield Fact(f"{path}.gaps", str(gaps), one, current)
    # NOTE: gaps count beside findings, which a failing outcome would hide.
    yield Fact(f"{path}.finished", UNKNOWN if gaps or outcome == UNKNOWN else "yes", one, current)
    for rule, count in rules.items():
        yield Fact(f"finding.{rule}", str(count), one, current)
    yield from _measured(one, current)


def _facts_of(one: Attestation, current: bool) -> Iterator[Fact]:
    statement = one.statement
    yield from _measured(one, current)
    if statement.predicate_type == CLAIMS_TYPE:
        for row in rows(statement.predicate.get("attributes")):
            said = row.get("conditions")
            if isinstance(said, Mapping) and isinstance(said.get("kind"), str):
                slice_ = {"value": str(said.get("value", ""))}
                yield Fact(f"card.{said['kind']}", str(said.get("status", "")), one, current, slice_)
    elif named := _RECORD.fullmatch(statement.predicate_type):
        texts = {str(key): value for key, value in statement.predicate.items() if isinstance(value, str)}
        yield Fact(f"record.{named.group(1)}", "present", one, current, texts)


def _measured(one: Attestation, current: bool) -> Iterator[Fact]:
    for row in rows(one.statement.predicate.get("measurements")):
        metric, value, n = row.get("metric"), row.get("value"), row.get("n")
        if not isinstance(metric, str) or not isinstance(value, str):
            continue
        where, unit = row.get("slice"), row.get("unit")
        yield Fact(
            metric,
            value,
            one,
            current,
            {str(key): str(part) for key, part in where.items()} if isinstance(where, Mapping) else {},
            n if isinstance(n, int) and not isinstance(n, bool) else None,
            _interval(row.get("interval")),
            unit if isinstance(unit, str) else "",
        )


def _interval(value: object) -> tuple[str, str] | None:
    if isinstance(value, Sequence) and len(value) == 2 and all(isinstance(bound, str) for bound in value):
        return value[0], value[1]
    return None


def rows(value: object) -> Iterator[Mapping[str, object]]:
    """Yield the objects of a JSON array, passing over anything else."""
    for item in value if isinstance(value, list | tuple) else ():
        if isinstance(item, Mapping):
            yield item
