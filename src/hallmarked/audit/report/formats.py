"""The formats a report comes in, by the name the command line uses."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hallmarked.audit.report import html, sarif, statements, text
from hallmarked.audit.report.report import Report

RENDERERS: Mapping[str, Callable[[Report], str]] = {
    "text": text.render,
    "json": statements.render,
    "sarif": sarif.render,
    "html": html.render,
}

FILES: Mapping[str, str] = {"report.html": "html", "report.json": "json", "report.sarif": "sarif"}
"""What is written beside the evidence: file name → format."""
