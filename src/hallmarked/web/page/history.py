"""Commits, what each changed, and what changed between two revisions: in the files and in the evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import islice

from starlette.requests import Request

from hallmarked.core.errors import Forbidden, InputError
from hallmarked.core.evidence import Finding
from hallmarked.hub.account.account import names_of
from hallmarked.hub.clock import to_datetime
from hallmarked.hub.error import Superseded
from hallmarked.hub.git.text import compare_lines
from hallmarked.hub.repository.revision import (
    Entry,
    Revision,
    find_revision,
    list_files,
    list_history,
    list_refs,
    read_text,
)
from hallmarked.hub.review.audited import find_audit
from hallmarked.web.address import param
from hallmarked.web.page import evidence
from hallmarked.web.page.file import text_lines
from hallmarked.web.page.repository import KINDS, Head, Opened, open_page
from hallmarked.web.render import Page, context

MOST_COMMITS = 50
"""Commits on one page."""
MOST_FILES = 200
"""Changed files on one page."""
MOST_BYTES = 200_000
"""Bytes of a text file whose lines are compared."""
MOST_LINES = 3_000
"""Lines of a comparison that are shown, of one file."""
MOST_SHOWN = 20_000
"""Lines of comparisons on one page, after which files are named only."""


@context
class Commit:
    """A commit in the history."""

    oid: str
    """Its id."""
    title: str
    """What it says."""
    author: str
    """Who made it; empty when the account is gone."""
    time: datetime
    """When."""
    state: str
    """State of the revision."""
    names: tuple[str, ...]
    """Branches and tags that lead to it."""


@context
class History:
    """The commits of a revision and before, newest first."""

    head: Head
    """What stands on top."""
    commits: tuple[Commit, ...]
    """One part of the list."""
    branches: tuple[str, ...]
    """Branches of the repository."""
    tags: tuple[str, ...]
    """Tags of the repository."""
    after: str
    """Commit to start the next part at; empty on the last part."""


@context
class Line:
    """A line of a comparison."""

    sign: str
    """``+`` for a new line, ``-`` for one that is gone, a space for one that stayed, ``@`` where lines are left out."""
    text: str
    """The line."""


@context
class Change:
    """What happened to one file."""

    path: str
    """The file."""
    kind: str
    """``added``, ``removed`` or ``changed``."""
    old_size: int
    """Bytes before."""
    new_size: int
    """Bytes after."""
    large: bool
    """Whether it is kept outside of the git tree."""
    lines: tuple[Line, ...] | None
    """What changed in it; none when it is not text, too large, or the reader may not get it."""
    cut: bool
    """Whether lines had to be left out."""


@context
class Moved:
    """Something that the evidence says differently."""

    what: str
    """The claim, check or measurement."""
    before: str
    """What was said of the old revision; empty when nothing was."""
    after: str
    """What is said of the new one; empty when nothing is."""


@context
class Difference:
    """What changed between two revisions."""

    head: Head
    """What stands on top: the newer revision."""
    old: str
    """Commit id of the older one; empty when there is none."""
    old_name: str
    """How the address names it."""
    message: str
    """Title of the newer commit."""
    author: str
    """Who made it."""
    files: tuple[Change, ...]
    """What happened to each file."""
    hidden: int
    """How many more files changed."""
    refused: str
    """Why lines are not shown; empty when they are."""
    compared: bool
    """Whether both revisions were audited, so that their evidence can be compared."""
    appeared: tuple[evidence.Group, ...]
    """Findings of the newer revision that the older did not have."""
    vanished: tuple[evidence.Group, ...]
    """Findings of the older revision that the newer does not have."""
    claims: tuple[Moved, ...]
    """Claims whose status is another."""
    checks: tuple[Moved, ...]
    """Checks that came to another outcome."""
    facts: tuple[Moved, ...]
    """Measurements that are different."""


def show_history(request: Request, kind: str) -> History:
    """Make the page of commits."""
    after = request.query_params.get("after", "")
    with open_page(request, kind) as opened:
        start = find_revision(opened.db, opened.repo, after) if after else opened.at
        found = list(islice(list_history(opened.db, opened.repo, start), MOST_COMMITS + 1))
        refs = list_refs(opened.db, opened.repo)
        names = names_of(opened.db, (each.account_id for each in found))
        led = {oid: tuple(ref.name.split("/", 2)[2] for ref in refs if ref.oid == oid) for oid in {r.oid for r in refs}}
        commits = tuple(
            Commit(each.oid, each.title, names.get(each.account_id or "", ""), to_datetime(each.created), each.state,
                   led.get(each.oid, ()))
            for each in found[:MOST_COMMITS]
        )  # fmt: skip
        return History(
            opened.head,
            commits,
            tuple(ref.name.removeprefix("refs/heads/") for ref in refs if ref.name.startswith("refs/heads/")),
            tuple(ref.name.removeprefix("refs/tags/") for ref in refs if ref.name.startswith("refs/tags/")),
            found[MOST_COMMITS].oid if len(found) > MOST_COMMITS else "",
        )


def show_commit(request: Request, kind: str) -> Difference:
    """Make the page of a commit: what it changed."""
    with open_page(request, kind) as opened:
        parent = opened.at.parent
        old = find_revision(opened.db, opened.repo, parent) if parent else None
        return _difference(opened, old, old.oid if old else "")


def show_comparison(request: Request, kind: str) -> Difference:
    """Make the page that compares two revisions.

    Raises:
        InputError: When the address does not name two revisions.
    """
    before, dots, after = param(request, "spec").partition("..")
    if not dots or not before or not after.strip("."):
        raise InputError("name two revisions, like compare/main~..v2 or compare/3f9c1e0..main")
    with open_page(request, kind, name=after.lstrip(".")) as opened:
        old = find_revision(opened.db, opened.repo, before)
        return _difference(opened, old, before)


def _difference(opened: Opened, old: Revision | None, name: str) -> Difference:
    db = opened.db
    before = {entry.path: entry for entry in list_files(db, old)} if old else {}
    after = {entry.path: entry for entry in list_files(db, opened.at)}
    paths = sorted(path for path in before | after if _oid(before, path) != _oid(after, path))
    changes, refused, shown = [], "", 0
    for path in paths[:MOST_FILES]:
        if shown > MOST_SHOWN:
            changes.append(_without_lines(before.get(path), after.get(path)))
            continue
        try:
            changes.append(_change(opened, old, before.get(path), after.get(path)))
            shown += len(changes[-1].lines or ())
        except (Forbidden, Superseded) as error:
            refused = str(error)
            changes.append(_without_lines(before.get(path), after.get(path)))
    audit = find_audit(db, opened.repo.id, old.oid) if old else None
    was, now = evidence.take_apart(audit) if audit else None, opened.seen
    author = names_of(db, [opened.at.account_id]).get(opened.at.account_id or "", "")
    return Difference(
        opened.head,
        old.oid if old else "",
        name,
        opened.at.title,
        author,
        tuple(changes),
        max(0, len(paths) - MOST_FILES),
        refused,
        was is not None and now is not None,
        evidence.group_findings(_only(now, was)) if now and was else (),
        evidence.group_findings(_only(was, now)) if now and was else (),
        _moved(_claims(was), _claims(now)) if now and was else (),
        _moved(_outcomes(was), _outcomes(now)) if now and was else (),
        _moved(_facts(was), _facts(now)) if now and was else (),
    )


def _oid(entries: Mapping[str, Entry], path: str) -> str:
    return entries[path].oid if path in entries else ""


def _without_lines(old: Entry | None, new: Entry | None) -> Change:
    entry = new or old
    assert entry is not None
    kind = "added" if old is None else "removed" if new is None else "changed"
    return Change(entry.path, kind, old.size if old else 0, new.size if new else 0, entry.large, None, False)


def _change(opened: Opened, old_at: Revision | None, old: Entry | None, new: Entry | None) -> Change:
    """Compare one file.

    Raises:
        Forbidden: When the reader may not get one of its versions.
    """
    bare = _without_lines(old, new)
    texts: list[list[str]] = []
    for at, entry in ((old_at, old), (opened.at, new)):
        if entry is None or at is None:
            texts.append([])
            continue
        opened.require_bytes(entry, at)
        if entry.large or entry.size > MOST_BYTES:
            return bare
        lines = text_lines(read_text(opened.db, entry))
        if lines is None or len(lines) > MOST_LINES:
            return bare
        texts.append(lines)
    shown = _compare(texts[0], texts[1])
    return Change(
        bare.path, bare.kind, bare.old_size, bare.new_size, False, shown[:MOST_LINES], len(shown) > MOST_LINES
    )


def _compare(old: Sequence[str], new: Sequence[str]) -> tuple[Line, ...]:
    """Compare two texts line by line; unchanged lines far from a change are left out."""
    lines = [Line(mark, text) for mark, text in compare_lines(old, new)]
    return tuple(lines[1:] if lines and lines[0].text.startswith(("@@ -1", "@@ -0,0")) else lines)


def _only(one: evidence.Seen, other: evidence.Seen) -> list[tuple[str, Finding]]:
    """Return the findings of one audit that another does not have, wherever in the file they stand."""
    known = {_identity(check, finding) for check, finding in other.findings}
    return [(check, finding) for check, finding in one.findings if _identity(check, finding) not in known]


def _identity(check: str, finding: Finding) -> tuple[str, str, str, str]:
    return check, finding.rule, finding.message, finding.location.path if finding.location else ""


def _claims(seen: evidence.Seen) -> dict[str, str]:
    return {claim.text: claim.status.value for claim in seen.claims}


def _outcomes(seen: evidence.Seen) -> dict[str, str]:
    return {report.check: report.outcome for report in seen.reports}


def _facts(seen: evidence.Seen) -> dict[str, str]:
    return {f"{fact.label} {fact.where}".strip(): fact.value for fact in evidence.facts(seen)}


def _moved(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Moved, ...]:
    return tuple(
        Moved(what, before.get(what, ""), after.get(what, ""))
        for what in dict.fromkeys([*before, *after])
        if before.get(what) != after.get(what)
    )


PAGES = (
    Page("/{owner}/{name}/commits/{revision}", "repository/history.html.j2", show_history, KINDS),
    Page("/{owner}/{name}/commit/{revision}", "repository/difference.html.j2", show_commit, KINDS),
    Page("/{owner}/{name}/compare/{spec}", "repository/difference.html.j2", show_comparison, KINDS),
)
