"""The state of a revision, and what clients are told of it and of its files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select, update

from hallmarked.core.evidence import Gap, Level, Statement
from hallmarked.hub.repository.revision import Revision
from hallmarked.hub.review.finding import Found, sort_findings
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


def set_state(db: Connection, repository_id: str, oid: str, state: str, reason: str, until: int | None = None) -> None:
    """Change what others may do with a revision.

    Args:
        db: A writing transaction.
        repository_id: Of which repository.
        oid: The commit.
        state: ``checking``, ``available``, ``held`` or ``unknown``.
        reason: Why, in one sentence; empty when it is available.
        until: When that has to be decided again, and it is available to nobody else until then; None for never.
    """
    where = (revision.c.repository_id == repository_id, revision.c.oid == oid)
    db.execute(update(revision).where(*where).values(state=state, reason=reason, until=until))


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
