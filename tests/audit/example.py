"""A report with one of everything, some of it hostile text."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from hallmarked.audit.audit import judge
from hallmarked.audit.examine import Examination
from hallmarked.audit.report.report import Evidence, Report
from hallmarked.checks.runner import Result
from hallmarked.core.evidence import Finding, Gap, Level, Location, Measurement, Rule, Subject
from hallmarked.policy.file import contexts

HOSTILE = "<script>alert(1)</script>\x1b[2J\u202e\nx"
ERROR = Rule("TST001", Level.ERROR, "A file runs a program", "Do not load it.")
NOTE = Rule("TST002", Level.NOTE, "Something to know", "Nothing.")
ISOLATION = ("limits", "no-writes", "no-programs", "no-network")


def report() -> Report:
    results = [
        Result(
            "documentation",
            "1",
            findings=[Finding.of(NOTE, "a note", Location("README.md", line=3))],
            measurements=[
                Measurement(
                    "claim.license", "mit", slice={"path": "README.md", "line": "2", "text": f"license {HOSTILE}"}
                ),
                Measurement("claim.language", "en", slice={"path": "README.md", "line": "3", "text": "language: en"}),
            ],
            isolation=ISOLATION,
        ),
        Result("malware", "1", gaps=[Gap("no daemon answered")], isolation=ISOLATION[:3]),
        Result(
            "serialization",
            "1",
            findings=[
                Finding.of(ERROR, f"calls {HOSTILE}", Location(f"a {HOSTILE}.zip!b", 12), callee="os.system"),
                Finding.of(ERROR, "calls again", Location("c.pkl", 1)),
            ],
            measurements=[
                Measurement("file.format", "pickle", slice={"path": HOSTILE}),
                Measurement("file.verdict", "unproven", slice={"path": HOSTILE}),
                Measurement("file.format", "safetensors", slice={"path": "m"}),
                Measurement("file.verdict", "proven", slice={"path": "m"}),
            ],
            broke="the check broke: X",
            isolation=ISOLATION,
        ),
    ]
    subject = Subject(f"model {HOSTILE}", {"dirHash": "ab" * 32})
    examination = Examination(
        subject=subject,
        files=3,
        size=12_345,
        excluded=[".git"],
        results=results,
        inapplicable=["templates"],
        titles={name: f"{name}?" for name in ("documentation", "malware", "serialization", "templates")},
        rules={rule.id: rule for rule in (ERROR, NOTE)},
        origins={},
        rule_set="cd" * 32,
        statements=[result.to_statement(subject, "cd" * 32) for result in results],
    )
    judged = judge(examination, contexts()["default"], datetime(2026, 1, 2, 3, 4, tzinfo=UTC))
    return replace(judged, evidence=Evidence("ef" * 32, "log.example", ["hallmarked verify e m \\", "  --key ef"]))
