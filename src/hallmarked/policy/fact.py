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

import copy
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import NamedTuple

from hallmarked.core.evidence import Attestation, Outcome, Statement, Subject
from hallmarked.records.dispute import SETTLING

CHECK_PREFIX = "hallmarked/checks/"
CLAIMS_TYPE = "https://in-toto.io/attestation/scai/v0.3"
DISPUTE_TYPE = "urn:hallmarked:dispute:v1"
_RECORD = re.compile(r"urn:hallmarked:([a-z0-9-]{1,64}):v\d{1,4}")
_ARRAYS, _OBJECTS = (list, tuple), (dict, Mapping)
"""Types of JSON values. The first of each is the usual one, and is told much faster than the other."""
_CHECK = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
"""Ids of checks: without dots, so that no path below one check is the path of another."""
_DERIVED, _OF_CHECKS = ("check.", "finding.", "record."), ("card.",)
"""How paths begin under which nobody measures anything; and under which only checks do."""
_OF_HUBS = ("registry.",)
"""How paths begin under which only who keeps a registry counts, see ``cards.governance.count``."""
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


class _Entry(NamedTuple):
    """Something that is stated under a path, not looked into yet."""

    source: Attestation
    current: bool
    row: Mapping[str, object]


class Facts:
    """What is stated about one artifact, by path. Of two statements of one signer the later one counts.

    A check says all it has to say in one statement, so that a newer one replaces it whole; other measurements are
    replaced one by one, by path and slice.

    Args:
        attestations: Statements with who signed them and when, in any order.
        current: The bytes that are judged. Without it every statement counts as being about them.
    """

    def __init__(self, attestations: Iterable[Attestation], current: Subject | None = None) -> None:
        self._disputes: dict[str, list[Dispute]] = {}
        self._index: defaultdict[str, list[_Entry]] = defaultdict(list)
        self._found: dict[str, list[Fact]] = {}
        newest: dict[tuple[str, str, bool], Attestation] = {}
        disputes = []
        for one in attestations:
            statement = one.statement
            check, known = check_of(statement), is_about(statement, current)
            if check:
                name = (check, one.keyid, known)
                before = newest.get(name)
                if before is None or one.time > before.time or (one.time == before.time and one.id >= before.id):
                    newest[name] = one
            else:
                self._note(one, known)
                if statement.predicate_type == DISPUTE_TYPE:
                    disputes.append(one)
        for one in sorted(disputes, key=_when):
            self._note_dispute(one, current)
        self._checks = {check for check, _, _ in newest}
        for (check, _, known), one in newest.items():
            self._note_measured(one, known, _DERIVED)
            for path, value in _summarise(check, one):
                self._index[path].append(_Entry(one, known, {"value": value}))

    def find(self, path: str) -> list[Fact]:
        """Return what is stated under a path, oldest first."""
        if path not in self._found:
            self._found[path] = _newest(path, self._index.get(path, ()))
        return self._found[path][:]

    def paths(self) -> list[str]:
        """Return every path under which something is stated, sorted."""
        return sorted(self._index)

    def checks(self) -> list[str]:
        """Return the ids of the checks that something is stated by, sorted."""
        return sorted(self._checks)

    def disputed(self, *about: str) -> Dispute | None:
        """Return an open dispute about one of some paths or statements."""
        return next((dispute for each in about for dispute in self._disputes.get(each, ())), None)

    def undisputed(self) -> Facts:
        """Return the same facts as if nobody contested any."""
        made = copy.copy(self)
        made._disputes = {}
        return made

    def _note(self, one: Attestation, known: bool) -> None:
        """Index a statement that no check made, without looking into what it says under each path."""
        self._note_measured(one, known, _DERIVED + _OF_CHECKS)
        statement = one.statement
        if statement.predicate_type == CLAIMS_TYPE:
            for row in rows(statement.predicate.get("attributes")):
                said = row.get("conditions")
                if isinstance(said, Mapping) and isinstance(said.get("kind"), str):
                    values = {"value": str(said.get("status", "")), "slice": {"value": str(said.get("value", ""))}}
                    self._index[f"card.{said['kind']}"].append(_Entry(one, known, values))
        elif named := _RECORD.fullmatch(statement.predicate_type):
            texts = {str(key): value for key, value in statement.predicate.items() if isinstance(value, str)}
            self._index[f"record.{named.group(1)}"].append(_Entry(one, known, {"value": "present", "slice": texts}))

    def _note_measured(self, one: Attestation, known: bool, reserved: tuple[str, ...]) -> None:
        reserved += () if one.role == "hub" else _OF_HUBS
        for row in rows(one.statement.predicate.get("measurements")):
            metric = row.get("metric")
            if isinstance(metric, str) and isinstance(row.get("value"), str) and not metric.startswith(reserved):
                self._index[metric].append(_Entry(one, known, row))

    def _note_dispute(self, one: Attestation, current: Subject | None) -> None:
        if not one.role:  # strangers cannot hold up a decision
            return
        predicate = one.statement.predicate
        about, reason = (str(predicate.get(name, "")) for name in ("about", "reason"))
        settles = predicate.get("open") is False
        heard = settles and one.role in SETTLING  # a hub or an auditor settles what others opened; see records.dispute
        open_ = self._disputes.get(about, [])
        meant = [each for each in open_ if each.source.keyid == one.keyid or heard]
        if settles:  # what is said about something else settles nothing here
            meant = [each for each in meant if _speaks_of(one, each, current)]
        if meant:
            open_ = [each for each in open_ if each not in meant]
        if about and not settles:
            open_.append(Dispute(about, reason, one))
        self._disputes[about] = open_


def is_about(statement: Statement, subject: Subject | None) -> bool:
    """Say whether a statement is about exactly these bytes: digests of equal name agree, and there is one."""
    if subject is None:
        return True
    for other in statement.subjects:
        digests, agreed = other.digest, False
        for name, digest in subject.digest.items():  # no sets are made: this is asked of every statement there is
            if name in digests:
                agreed = digests[name] == digest
                if not agreed:
                    break
        if agreed:
            return True
    return False


def _speaks_of(one: Attestation, dispute: Dispute, current: Subject | None) -> bool:
    """Say whether a statement is about the bytes at hand, or about what was disputed."""
    statement, subjects = one.statement, dispute.source.statement.subjects
    return is_about(statement, current) or any(is_about(statement, subject) for subject in subjects)


def check_of(statement: Statement) -> str:
    """Return the id of the check that made a statement; empty for statements of other kinds."""
    configuration = statement.predicate.get("configuration")
    for row in configuration if isinstance(configuration, _ARRAYS) else ():
        name = row.get("name") if isinstance(row, _OBJECTS) else None
        if isinstance(name, str) and name.startswith(CHECK_PREFIX):
            return name[len(CHECK_PREFIX) :] if _CHECK.fullmatch(name, len(CHECK_PREFIX)) else ""
    return ""


_when = attrgetter("time", "id")
"""Orders statements by time, and those of one moment by id, so that it does not matter how they arrived."""


def _summarise(check: str, one: Attestation) -> Iterator[tuple[str, str]]:
    """Yield what follows from a check's report as a whole: paths and values."""
    predicate = one.statement.predicate
    stated, path = str(predicate.get("outcome")), f"check.{check}"
    outcome = stated if stated in _OUTCOMES else UNKNOWN
    yield path, outcome
    findings = list(rows(predicate.get("findings")))
    levels, rules = (Counter(str(row.get(name, "")) for row in findings) for name in ("level", "rule"))
    for level, plural in _COUNTED.items():
        yield f"{path}.{plural}", str(levels[level])
    gaps = sum(1 for _ in rows(predicate.get("gaps")))
    yield f"{path}.gaps", str(gaps)
    # NOTE: gaps count beside findings, which a failing outcome would hide.
    yield f"{path}.finished", UNKNOWN if gaps or outcome == UNKNOWN else "yes"
    for rule, count in rules.items():
        yield f"finding.{rule}", str(count)


def _newest(path: str, entries: Iterable[_Entry]) -> list[Fact]:
    """Make facts of what is stated under a path: of each signer the newest word about a part, oldest first."""
    found: dict[tuple[object, ...], dict[str, tuple[_Entry, dict[str, str]]]] = {}
    for entry in entries:
        where = entry.row.get("slice")
        parts = {str(key): str(part) for key, part in where.items()} if where and isinstance(where, _OBJECTS) else {}
        place = tuple(parts.items())
        name = (entry.source.keyid, entry.current, place if len(place) < 2 else tuple(sorted(place)))
        before = found.get(name)
        time = next(iter(before.values()))[0].source.time if before else None
        if before is None or time is None or entry.source.time > time:
            found[name] = {entry.source.id: (entry, parts)}
        elif entry.source.time == time:  # of one moment neither is the later word, and chance must not choose
            before[entry.source.id] = (entry, parts)
    facts = [_fact(path, entry, parts) for of in found.values() for entry, parts in of.values()]
    return sorted(facts, key=lambda fact: _when(fact.source))


def _fact(path: str, entry: _Entry, parts: Mapping[str, str]) -> Fact:
    row = entry.row
    n, unit = row.get("n"), row.get("unit")
    return Fact(
        path,
        str(row["value"]),
        entry.source,
        entry.current,
        parts,
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
    for item in value if isinstance(value, _ARRAYS) else ():
        if isinstance(item, _OBJECTS):
            yield item
