"""The findings as SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0/)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from hallmarked import __version__
from hallmarked.audit.report import view
from hallmarked.audit.report.report import Report
from hallmarked.core.evidence import Finding, Location

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def render(report: Report) -> str:
    """Return the findings as a SARIF log; what could not be established becomes a notification."""
    seen = report.examination
    groups = view.groups(seen.results, seen.rules)
    used = {group.rule.id: group.rule for group in groups}
    positions = {rule: index for index, rule in enumerate(used)}
    rules = [
        {
            "id": rule.id,
            "shortDescription": {"text": rule.title},
            "help": {"text": rule.help or rule.title},
            "defaultConfiguration": {"level": rule.level.value},
        }
        for rule in used.values()
    ]
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "hallmarked",
                "semanticVersion": __version__,
                "rules": rules,
                "properties": {"ruleSet": seen.rule_set},
            }
        },
        "results": [_result(finding, positions) for group in groups for finding in group.findings],
        "invocations": [
            {
                "executionSuccessful": not any(result.broke for result in seen.results),
                "toolExecutionNotifications": [
                    {
                        "level": "warning",
                        "message": {"text": f"{check}: {gap.reason}"},
                        "locations": [_location(gap.location)] if gap.location else [],
                    }
                    for check, gap in view.gaps(seen.results)
                ],
            }
        ],
        "properties": {"subject": {"name": seen.subject.name, "digest": dict(seen.subject.digest)}},
    }
    return view.json_text({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _result(finding: Finding, positions: dict[str, int]) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": positions[finding.rule],
        "level": finding.level.value,
        "message": {"text": finding.message},
    }
    if finding.location:
        result["locations"] = [_location(finding.location)]
    if finding.data:
        result["properties"] = dict(finding.data)
    return result


def _location(location: Location) -> dict[str, Any]:
    """Point at the file on disk; a member of a container is named beside it."""
    outer, _, inner = location.path.partition("!")
    physical: dict[str, Any] = {"artifactLocation": {"uri": quote(outer)}}
    if location.line is not None:
        physical["region"] = {"startLine": max(1, location.line)}
    elif location.offset is not None and not inner:
        physical["region"] = {"byteOffset": location.offset}
    found: dict[str, Any] = {"physicalLocation": physical}
    if inner:
        found["logicalLocations"] = [{"fullyQualifiedName": str(location), "kind": "member"}]
    return found
