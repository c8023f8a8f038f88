"""The report as JSON: the in-toto statements that were signed, and nothing else."""

from __future__ import annotations

from hallmarked.audit.report import view
from hallmarked.audit.report.report import Report


def render(report: Report) -> str:
    """Return a JSON array of in-toto statements."""
    return view.json_text([statement.to_dict() for statement in report.statements])
