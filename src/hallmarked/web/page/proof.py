"""The evidence of a revision: every statement, who signed it, where it stands in the ledger."""

from __future__ import annotations

from datetime import datetime

from starlette.requests import Request

from hallmarked.audit.report.dataset import DataSet
from hallmarked.hub.clock import now, to_datetime
from hallmarked.web.page import evidence
from hallmarked.web.page.repository import KINDS, Head, open_page, verify_commands
from hallmarked.web.render import Page, context


@context
class Evidence:
    """What was stated about a revision, and how to check it."""

    head: Head
    """What stands on top."""
    reports: tuple[evidence.Report, ...]
    """One for each check."""
    groups: tuple[evidence.Group, ...]
    """Everything that was found."""
    unknowns: tuple[evidence.Unknown, ...]
    """What could not be established."""
    outcome: str
    """What the hub's policy came to: ``pass``, ``fail`` or ``unknown``; empty before the first audit."""
    statements: int
    """How many statements there are."""
    entries: tuple[int, ...]
    """Their indexes in the ledger."""
    subject: tuple[tuple[str, str], ...]
    """Digests of what was looked at: algorithm and value."""
    made: datetime | None
    """When the audit was made."""
    commands: tuple[str, ...]
    """How to check it without believing this page."""
    holds: DataSet | None
    """What a data set holds, as its tables were counted; none when no rows were."""


def show_evidence(request: Request, kind: str) -> Evidence:
    """Make the evidence page."""
    with open_page(request, kind) as opened:
        seen = opened.seen
        audit = seen.audit if seen else None
        subjects = audit.statements[0].subjects if audit and audit.statements else ()
        return Evidence(
            opened.head,
            seen.reports if seen else (),
            evidence.group_findings(seen.findings) if seen else (),
            evidence.gap_rows(seen) if seen else (),
            audit.outcome if audit else "",
            len(audit.statements) if audit else 0,
            audit.entries if audit else (),
            tuple(subjects[0].digest.items()) if subjects else (),
            to_datetime(audit.created) if audit else None,
            verify_commands(request, opened),
            evidence.holds(seen, to_datetime(now()).date()) if seen else None,
        )


PAGES = (
    Page("/{owner}/{name}/evidence", "repository/evidence.html.j2", show_evidence, KINDS),
    Page("/{owner}/{name}/evidence/{revision}", "repository/evidence.html.j2", show_evidence, KINDS),
)
