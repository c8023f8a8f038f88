"""The report as JSON: the in-toto statements that were signed, and nothing else."""

from __future__ import annotations

import json

from hallmarked.audit.report.report import Report


def render(report: Report) -> str:
    """Return a JSON array of in-toto statements."""
    return json.dumps([statement.to_dict() for statement in report.statements], indent=1, ensure_ascii=False) + "\n"
