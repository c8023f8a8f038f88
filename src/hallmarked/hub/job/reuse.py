"""What an earlier audit said of the same files under the same rules, so that nobody has to look twice.

A check's result is a function of names, bytes and rules. So a revision with the same tree as one that was audited under
the same rules gets the same statements, about itself, with a note where they come from. Not so for a check that asks a
daemon, or one of another package, whose rules the digest of ours does not cover: these run again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, or_, select

from hallmarked.checks import registry
from hallmarked.core.evidence import Statement, Subject
from hallmarked.hub.repository.repository import Repository
from hallmarked.hub.repository.revision import Revision
from hallmarked.hub.review.finding import check_of, sort_findings
from hallmarked.hub.schema.repository import repository, revision
from hallmarked.hub.schema.review import audit

OURS = "hallmarked"


@dataclass(frozen=True, slots=True)
class Earlier:
    """What was said before, by check."""

    revision: str
    statements: Mapping[str, Statement]
    entries: Mapping[str, int]

    def about(self, subject: Subject) -> list[Statement]:
        """Say it about another subject, and where it comes from."""
        return [
            Statement(
                (subject,),
                found.predicate_type,
                {"reused": {"gitCommit": self.revision, "entry": self.entries[check]}, **found.predicate},
            )
            for check, found in self.statements.items()
        ]


def find_earlier(db: Connection, repo: Repository, at: Revision, rule_set: str) -> Earlier | None:
    """Find what was said of the same tree; None when nothing was.

    Only of the same repository, or a public one: evidence must not tell that somebody else has the same files in
    private.
    """
    made = audit.c
    visible = or_(repository.c.id == repo.id, (repository.c.visibility == "public") & repository.c.deleted.is_(None))
    row = db.execute(
        select(made.revision, made.statements, made.entries)
        .join(revision, (revision.c.repository_id == made.repository_id) & (revision.c.oid == made.revision))
        .join(repository, repository.c.id == made.repository_id)
        .where(revision.c.tree == at.tree, made.rule_set == rule_set, visible)
        .order_by(made.created.desc(), made.id.desc())
        .limit(1)
    ).first()
    if row is None:
        return None
    statements = [Statement.from_dict(body) for body in row.statements]
    again = repeatable()
    if again & sort_findings(statements).broken:
        return None  # what did not come to its end may do so now
    kept = {
        check_of(statement): (statement, entry)
        for statement, entry in zip(statements, row.entries, strict=True)
        if check_of(statement) in again
    }
    found = {check: statement for check, (statement, _) in kept.items()}
    return Earlier(row.revision, found, {check: entry for check, (_, entry) in kept.items()})


def repeatable() -> set[str]:
    """Return the checks whose result depends on nothing but names, bytes and our rules."""
    loaded = {name: registry.load(name) for name in registry.available()}
    return {name for name, (check, origin) in loaded.items() if origin.package == OURS and not check.needs_socket}


def remaining(earlier: Earlier | None) -> Sequence[str] | None:
    """Return the checks that still have to run; None for all.

    A check of ours that said nothing then had nothing to look at, and has nothing now.
    """
    if earlier is None:
        return None
    skipped = repeatable()
    return [name for name in registry.available() if name not in skipped]
