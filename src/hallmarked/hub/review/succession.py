"""Revisions that others took the place of, by what the repository itself says.

``superseded.toml`` on the main branch lists them::

    [[superseded]]
    revision = "v1"             # a tag, a branch or a commit
    by = "v2"                   # a revision of this repository, owner/name@revision, or an address
    reason = "Rows were removed on request."
    until = 2026-12-21          # the last day on which it can be downloaded

Whoever may commit to the main branch may say so, and takes it back by another commit. Who downloads such a revision is
told by headers (``Link`` with ``rel="successor-version"``, RFC 5829; ``Sunset``, RFC 8594) and, after the day, gets an
answer that it is gone (410).
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from hallmarked.core.errors import FormatError
from hallmarked.formats.toml import read_toml
from hallmarked.hub.error import RevisionNotFound, Superseded
from hallmarked.hub.repository.repository import MAIN, Repository
from hallmarked.hub.repository.revision import Revision, find_entries, find_revision, read_text
from hallmarked.hub.setting import Policy

PATH = "superseded.toml"
MOST_BYTES = 1 << 16
MOST_LISTED = 200
LONGEST = 300
"""Characters of what is said."""
REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Succession:
    """What took the place of a revision."""

    by: str
    reason: str = ""
    until: datetime.date | None = None
    """The last day on which the old one can be downloaded; for ever when none is said."""

    def is_over(self, now: datetime.datetime) -> bool:
        """Whether the day is past, in UTC."""
        return self.until is not None and now.date() > self.until

    def check(self, policy: Policy, now: datetime.datetime) -> None:
        """Refuse a download when the day is past and the hub does not let people have such revisions any more.

        Raises:
            Superseded: Then.
        """
        if policy.superseded == REFUSE and self.is_over(now):
            why = f" ({self.reason})" if self.reason else ""
            raise Superseded(f"this revision was taken back{why}; use {self.by} instead", self.by)


def find_succession(db: Connection, repo: Repository, at: Revision) -> Succession | None:
    """Return what took the place of a revision; None when nothing did, or nobody can read what is said."""
    newest, listed = _listed(db, repo)
    if at.oid == newest:
        return None
    return next((found for name, found in listed if _commit(db, repo, name) == at.oid), None)


def find_gone(db: Connection, repo: Repository, policy: Policy, now: datetime.datetime) -> set[str]:
    """Return the commits of a repository that nobody can download any more, since their day is past."""
    if policy.superseded != REFUSE:
        return set()
    newest, listed = _listed(db, repo)
    first: dict[str, Succession] = {}  # as for one revision, what is said of it first counts
    for name, found in listed:
        first.setdefault(_commit(db, repo, name), found)
    return {oid for oid, found in first.items() if oid not in ("", newest) and found.is_over(now)}


def _listed(db: Connection, repo: Repository) -> tuple[str, list[tuple[str, Succession]]]:
    """Return the newest commit of the main branch, and what it says of revisions, by their names."""
    try:
        main = find_revision(db, repo, MAIN)
    except RevisionNotFound:
        return "", []
    entry = find_entries(db, main, [PATH]).get(PATH)
    if entry is None or entry.folder or entry.large or entry.size > MOST_BYTES:
        return main.oid, []
    try:
        listed = read_toml(read_text(db, entry)).get("superseded", [])
    except FormatError:
        return main.oid, []
    read = [(each, _read(each)) for each in (listed[:MOST_LISTED] if isinstance(listed, list) else ())]
    return main.oid, [(str(each["revision"]), found) for each, found in read if found is not None]


def _read(each: Any) -> Succession | None:
    if not isinstance(each, dict) or not _is_text(each.get("revision")) or not _is_text(each.get("by")):
        return None
    until, reason = each.get("until"), each.get("reason", "")
    if isinstance(until, datetime.datetime):
        until = until.date()
    return Succession(
        each["by"], reason if _is_text(reason) else "", until if isinstance(until, datetime.date) else None
    )


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST and value.isprintable()


def _commit(db: Connection, repo: Repository, name: str) -> str:
    """Return the commit that a name means; empty when it means none."""
    try:
        return find_revision(db, repo, name).oid
    except RevisionNotFound:
        return ""
