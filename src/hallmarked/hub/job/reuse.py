"""What checks said of single files of a repository, so that nobody has to look twice.

What a check of single files says follows from a file's path and bytes, the rules, the tool and its settings, and, of a
scanner, its signatures. All of that is in the key under which it is remembered; anything else makes the check look
again. A revision that changes one file then costs the checks that file, and its statements are those that a look at all
files would have given.

Remembered is only for the repository itself. Whoever sends the same file to another one must not learn, by how soon the
answer comes, that somebody has it in private; and should a hostile file ever take over the process that looks at it,
what that process says is believed of no other repository.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy import Connection, delete, select, update

from hallmarked.checks import registry
from hallmarked.checks.earlier import Earlier, Look
from hallmarked.checks.ruleset import tool_digest
from hallmarked.checks.runner import Result, read_item, write_item
from hallmarked.core.check import Extent, FileCheck
from hallmarked.core.sandbox import Limits
from hallmarked.hub.clock import now
from hallmarked.hub.database import Database, add_or_renew, in_parts
from hallmarked.hub.repository.revision import Entry
from hallmarked.hub.schema.review import look

OURS = "hallmarked"
LEAST = 16 << 10
"""Bytes: to look at a smaller file again costs less than to remember what was said of it."""
LONGEST = 1 << 16
"""Characters that one check may have said of a file; what is longer is not remembered."""
MOST = 200_000
"""Rows of one repository; those that were not used for longest go first."""
DAY = 24 * 3600 * 1000
UNUSED = 90 * DAY
"""Milliseconds after which what nobody asked for is forgotten."""


def single_checks() -> dict[str, tuple[FileCheck, str]]:
    """Return our checks of single files with their editions; when another package's rules change we do not know."""
    found = {}
    for name in registry.available():
        check, origin = registry.load(name)
        if origin.package == OURS and check.extent is Extent.FILE:
            single = cast("FileCheck", check)
            found[name] = single, single.edition()
    return found


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered of one repository's files, and how that is kept.

    Args:
        repository_id: Of which one.
        limits: What each check may use: one that had less memory may have said something else.
        least: Bytes from which files are remembered.
        checks: Those of single files, each with its edition when this began.
    """

    repository_id: str
    limits: Limits
    least: int = LEAST
    checks: Mapping[str, tuple[FileCheck, str]] = field(default_factory=single_checks)

    def recall(self, db: Connection, entries: Sequence[Entry]) -> dict[str, Earlier]:
        """Return by check what is known of these files; every check of single files is in it."""
        rules = {name: self._rules(name, edition) for name, (_, edition) in self.checks.items()}
        looks: dict[str, dict[str, Look]] = {name: {} for name in rules}
        paths: dict[str, set[str]] = {}
        for entry in entries:
            if entry.size >= self.least:
                paths.setdefault(entry.sha256, set()).add(entry.path)
        for digests in in_parts(paths):
            where = (look.c.repository_id == self.repository_id, look.c.sha256.in_(digests))
            for row in db.execute(select(look).where(*where)):
                if row.path in paths[row.sha256] and rules.get(row.check_id) == row.rules:
                    items = tuple(read_item(body) for body in row.items)
                    looks[row.check_id][row.path] = Look(items, row.data)
        return {name: Earlier(edition, looks[name]) for name, (_, edition) in self.checks.items()}

    def settled(self, earlier: Mapping[str, Earlier]) -> set[str]:
        """Return the files whose bytes no check of single files asks for any more."""
        asking = [
            known.looks.keys()
            for name, known in earlier.items()
            if known.edition or not self.checks[name][0].needs_socket  # a scanner that does not answer asks for none
        ]
        return set[str]().union(*asking[:1]).intersection(*asking[1:])

    def keep(self, database: Database, entries: Sequence[Entry], results: Sequence[Result]) -> None:
        """Remember what was newly said, and that what was known is still of use.

        Raises:
            BackendError: When it cannot be written.
        """
        files = {entry.path: entry.sha256 for entry in entries if entry.size >= self.least}
        rows = list(self._rows(files, results))[:MOST]
        for page in in_parts(rows):
            with database.write() as db:
                for row in page:
                    add_or_renew(db, look, row, ("rules", "items", "data", "used"))
        mine, time = look.c.repository_id == self.repository_id, now()
        with database.write() as db:
            for digests in in_parts(set(files.values())):
                stale = (mine, look.c.sha256.in_(digests), look.c.used < time - DAY)
                db.execute(update(look).where(*stale).values(used=time))
            last = select(look.c.used).where(mine).order_by(look.c.used.desc()).offset(MOST).limit(1)
            if (limit := db.execute(last).scalar()) is not None:
                db.execute(delete(look).where(mine, look.c.used <= limit))

    def _rows(self, files: Mapping[str, str], results: Sequence[Result]) -> Iterator[dict[str, Any]]:
        for result in results:
            for path, said in result.looks.items():
                items = [write_item(item) for item in said.items]
                if path in files and len(json.dumps([items, said.data])) <= LONGEST:
                    yield {
                        "repository_id": self.repository_id, "sha256": files[path], "path": path,
                        "check_id": result.check, "rules": self._rules(result.check, result.edition),
                        "items": items, "data": said.data, "used": now(),
                    }  # fmt: skip

    def _rules(self, name: str, edition: str) -> str:
        version = self.checks[name][0].version
        known = [tool_digest(), name, version, edition, self.limits.memory_bytes]
        return hashlib.sha256(json.dumps(known).encode()).hexdigest()


def forget(db: Connection, sha256: str) -> None:
    """Forget what was said of a file that goes."""
    db.execute(delete(look).where(look.c.sha256 == sha256))


def forget_unused(db: Connection) -> int:
    """Forget what nobody asked for in a long time, and say of how many files and checks that was."""
    return db.execute(delete(look).where(look.c.used < now() - UNUSED)).rowcount
