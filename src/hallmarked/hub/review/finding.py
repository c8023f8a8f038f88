"""What the statements of an audit say about single files of a revision."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from hallmarked.checks.runner import PREDICATE_TYPE, items
from hallmarked.core.evidence import Finding, Gap, Location, Statement


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
