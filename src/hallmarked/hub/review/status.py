"""Whether others may get a revision, and what they are told about its files: what the audit's statements mean here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from sqlalchemy import Connection, select, update

from hallmarked.checks.runner import PREDICATE_TYPE, items
from hallmarked.core.evidence import Finding, Gap, Level, Location, Statement
from hallmarked.hub.repository.revision import Revision
from hallmarked.hub.schema.repository import revision
from hallmarked.hub.schema.review import audit

NO_FINDING = "safe"
"""What clients call a file about which every check came to its end without a finding. No other word counts as that."""
QUEUED, UNKNOWN = "queued", "unknown"
WORDS = {Level.ERROR: "unsafe", Level.WARNING: "suspicious", Level.NOTE: "caution"}
"""What clients are told of a file by the level of its worst finding; these words are the ecosystem's, not ours."""
SCANNER, LOADER = "malware", "serialization"
"""The checks whose result clients are told separately."""
_WORST = (NO_FINDING, WORDS[Level.NOTE], UNKNOWN, WORDS[Level.WARNING], WORDS[Level.ERROR])


@dataclass(frozen=True, slots=True)
class Found:
    """A finding or a gap at its place in a file."""

    check: str
    item: Finding | Gap


@dataclass(slots=True)
class Files:
    """What the statements of one audit say about single files, and about all of them."""

    by_path: dict[str, list[Found]] = field(default_factory=lambda: defaultdict(list))
    """By the file's path in the revision, whatever is inside of it."""
    overall: list[Found] = field(default_factory=list)
    """What is about no single file."""
    checks: set[str] = field(default_factory=set)
    """Those that made a statement."""
    broken: set[str] = field(default_factory=set)
    """Those that did not come to their end."""


def set_state(db: Connection, repository_id: str, oid: str, state: str, reason: str) -> None:
    """Change what others may do with a revision.

    Args:
        db: A writing transaction.
        repository_id: Of which repository.
        oid: The commit.
        state: ``checking``, ``available``, ``held`` or ``unknown``.
        reason: Why, in one sentence; empty when it is available.
    """
    where = (revision.c.repository_id == repository_id, revision.c.oid == oid)
    db.execute(update(revision).where(*where).values(state=state, reason=reason))


def sort_findings(statements: Sequence[Statement]) -> Files:
    """Sort what checks saw by file."""
    files, known = Files(), _paths(statements)
    for statement in statements:
        if statement.predicate_type != PREDICATE_TYPE:
            continue
        check = check_of(statement)
        files.checks.add(check)
        gaps = statement.predicate.get("gaps", ())
        reason = str(statement.predicate.get("reason", ""))
        if reason and not (gaps and reason.startswith(str(gaps[0].get("reason")))):
            files.broken.add(check)
        for item in items(statement):
            if isinstance(item, Finding | Gap):
                places = _places(item.location, known)
                for place in places:
                    files.by_path[place].append(Found(check, item))
                if not places:
                    files.overall.append(Found(check, item))
    return files


def summarise(statements: Sequence[Statement]) -> dict[str, Any]:
    """Say what clients are told of each file: a pure function of statements, kept beside them because it is short.

    Returns:
        ``rest``: what is told of a file that is not listed, and ``files``: of those about which more was said. Each is
        a list of three words: of all checks, of the search for malware, of what loading it would do.
    """
    files = sort_findings(statements)
    whole = {found.check for found in files.overall if isinstance(found.item, Gap)} | files.broken
    rest = [
        _word([], bool(whole) or not files.checks),
        *(_word([], name in whole or name not in files.checks) for name in (SCANNER, LOADER)),
    ]
    listed = {}
    for path, found in files.by_path.items():
        words = [
            _worse(rest[0], _word(found, False)),
            *(
                _worse(rest[number], _word([one for one in found if one.check == name], False))
                for number, name in enumerate((SCANNER, LOADER), 1)
            ),
        ]
        if words != rest:
            listed[path] = words
    return {"rest": rest, "files": listed}


def file_status(
    db: Connection, repository_id: str, at: Revision, paths: Sequence[str]
) -> Mapping[str, Mapping[str, Any]]:
    """Say what clients are told of files, as ``securityFileStatus`` of each path.

    Only ``status: safe`` counts for them as no finding, and only that is said when there is none.
    """
    told = _told(db, repository_id, at)
    return {path: _status(told["files"].get(path, told["rest"])) for path in paths}


def repo_status(db: Connection, repository_id: str, at: Revision) -> Mapping[str, Any]:
    """Say what clients are told of a revision, as ``securityRepoStatus``."""
    told = _told(db, repository_id, at)
    issues = [{"path": path, "level": words[0]} for path, words in told["files"].items()]
    return {
        "scansDone": at.audited,
        "filesWithIssues": sorted(issues, key=lambda issue: str(issue["path"])),
        "state": at.state,
        "reason": at.reason,
    }


def warning_of(at: Revision) -> str | None:
    """Return what clients should be warned of, for ``X-HF-Warning``; None when there is nothing."""
    said = {
        "checking": "this revision is still being checked",
        "held": f"this revision is held back: {at.reason}",
        "unknown": f"this revision could not be checked completely: {at.reason}",
    }.get(at.state)
    return f"scan; {said}" if said else None


def _told(db: Connection, repository_id: str, at: Revision) -> dict[str, Any]:
    made = audit.c
    found = db.execute(
        select(made.files)
        .where(made.repository_id == repository_id, made.revision == at.oid)
        .order_by(made.created.desc(), made.id.desc())
        .limit(1)
    ).scalar()
    word = UNKNOWN if at.audited else QUEUED
    return dict(found) if found else {"rest": [word] * 3, "files": {}}


def _status(words: Sequence[str]) -> dict[str, Any]:
    whole, scanner, loader = words
    return {"status": whole, "avScan": {"status": scanner}, "pickleImportScan": {"status": loader}}


def _word(found: Sequence[Found], unfinished: bool) -> str:
    word = UNKNOWN if unfinished else NO_FINDING
    for one in found:
        word = _worse(word, UNKNOWN if isinstance(one.item, Gap) else WORDS[one.item.level])
    return word


def _worse(one: str, other: str) -> str:
    return max(one, other, key=_WORST.index)


def check_of(statement: Statement) -> str:
    """Return the id of the check that made a statement; empty for statements of other kinds."""
    rows: Iterator[str] = (str(row.get("name", "")) for row in statement.predicate.get("configuration", ()))
    return next(rows, "").rpartition("/")[2]


def _paths(statements: Sequence[Statement]) -> set[str]:
    """Return the files that the statements are about; one of them lists all."""
    return {path for statement in statements for path in statement.predicate.get("files", ())}


def _places(location: Location | None, known: Collection[str]) -> list[str]:
    """Return the files that a place may be in.

    Members of containers are joined by ``!``, which may also be part of a name: where both can be meant, both are.
    """
    parts = location.path.split("!") if location else []
    return [path for path in accumulate(parts, "{}!{}".format) if path in known]
