"""What every renderer for people shows, worked out once."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hallmarked.checks.runner import Result
from hallmarked.core.evidence import Finding, Gap, Level, Measurement, Outcome, Rule, Verdict
from hallmarked.core.text import is_invisible

WORDS = {Outcome.PASS: "no error", Outcome.FAIL: "errors", Outcome.UNKNOWN: "unknown"}
"""How an outcome is called in front of people; never "safe"."""

FACTS = {
    "model.architecture": "Architecture",
    "model.type": "Model type",
    "model.library": "Library",
    "parameters.total": "Parameters",
    "tensors.total": "Tensors",
    "base.tensors.identical": "Tensors identical to the base model",
    "rows.total": "Rows",
    "rows.repeated": "Rows that are copies",
    "licence.declared": "Licence declared",
    "licence.text": "Licence text found",
    "files.total": "Files",
    "bytes.total": "Bytes",
}
"""Measurements worth showing at a glance, and their labels."""


@dataclass(frozen=True, slots=True)
class Group:
    """Findings of one rule at one level."""

    rule: Rule
    level: Level
    check: str
    findings: Sequence[Finding]


@dataclass(frozen=True, slots=True)
class FileRow:
    """One file or member that has a format worth naming."""

    path: str
    format: str
    verdict: str


@dataclass(frozen=True, slots=True)
class Fact:
    """One measured value."""

    label: str
    value: str
    where: str


def groups(results: Sequence[Result], rules: Mapping[str, Rule]) -> list[Group]:
    """Group findings by level (highest first), then rule."""
    found: defaultdict[tuple[Level, str], list[Finding]] = defaultdict(list)
    check_of: dict[str, str] = {}
    for result in results:
        for finding in result.findings:
            found[finding.level, finding.rule].append(finding)
            check_of[finding.rule] = result.check
    ordered = sorted(found.items(), key=lambda item: (-item[0][0].rank, item[0][1]))
    return [
        Group(rules.get(rule) or Rule(rule, level, rule, ""), level, check_of[rule], findings)
        for (level, rule), findings in ordered
    ]


def files(results: Sequence[Result]) -> list[FileRow]:
    """List the files the serialization check examined, worst verdict first."""
    rank = {"malformed": 0, "unproven": 1, "not-examined": 2, "proven": 3}
    format_of: dict[str, str] = {}
    verdict_of: dict[str, str] = {}
    for result in results:
        for measurement in result.measurements:
            path = measurement.slice.get("path", "")
            if measurement.metric == "file.format":
                format_of[path] = measurement.value
            elif measurement.metric == "file.verdict":
                verdict_of[path] = measurement.value
    rows = [FileRow(path, format_of.get(path, ""), verdict) for path, verdict in verdict_of.items()]
    return sorted(rows, key=lambda row: (rank.get(row.verdict, 0), row.path))


def facts(results: Sequence[Result]) -> list[Fact]:
    """Pick the measurements worth showing at a glance, each value once.

    What is known of the whole artifact is shown in place of what it was summed from.
    """
    found: defaultdict[str, list[Measurement]] = defaultdict(list)
    for result in results:
        for measurement in result.measurements:
            if measurement.value:
                found[measurement.metric].append(measurement)
    shown: dict[tuple[str, str], Fact] = {}
    for metric, label in FACTS.items():
        whole = [measurement for measurement in found[metric] if not measurement.slice]
        for measurement in whole or found[metric]:
            value = number(measurement.value)
            shown.setdefault((label, value), Fact(label, value, measurement.slice.get("path", "")))
    return list(shown.values())


def gaps(results: Sequence[Result]) -> list[tuple[str, Gap]]:
    """List what could not be established, with the check that tried; a broken check counts as one."""
    listed: list[tuple[str, Gap]] = []
    for result in results:
        if result.broke:
            listed.append((result.check, Gap(result.broke)))
        listed += [(result.check, gap) for gap in result.gaps]
    return listed


def unexplained(results: Sequence[Result]) -> tuple[list[tuple[str, Gap]], Counter[str]]:
    """Split the gaps: those to be listed, and how many places of each check a finding already speaks of.

    A check that warns of something it cannot vouch for leaves a gap in the same place; a reader needs one of the two.
    """
    told = {
        (result.check, finding.location)
        for result in results
        for finding in result.findings
        if finding.level is not Level.NOTE and finding.location is not None
    }
    listed = [(check, gap) for check, gap in gaps(results) if (check, gap.location) not in told]
    places = {(check, gap.location) for check, gap in gaps(results)} & told
    return listed, Counter(check for check, _ in places)


def number(text: str) -> str:
    """Group the digits of a whole number; leave anything else alone."""
    return f"{int(text):,}" if text.isascii() and text.isdigit() and len(text) < 20 else text


def size(count: int) -> str:
    """Write a number of bytes for people, with SI prefixes."""
    value, prefixes = float(count), iter(("", "k", "M", "G", "T", "P"))
    prefix = next(prefixes)
    while value >= 1000 and prefix != "P":
        value, prefix = value / 1000, next(prefixes)
    return f"{value:.3g} {prefix}B" if prefix else f"{count} bytes"


def json_text(value: Any) -> str:
    """Write JSON that people may print to a terminal: what does not show is escaped, which means the same."""
    text = json.dumps(value, indent=1, ensure_ascii=False)
    return _UNUSUAL.sub(lambda found: json.dumps(found[0])[1:-1] if is_invisible(found[0]) else found[0], text) + "\n"


_UNUSUAL = re.compile(r"[^\n\x20-\x7e]")


def plural(count: int, word: str) -> str:
    """Write a count with its noun."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def words(status: str) -> str:
    """Write a status for people: ``self-asserted`` → ``Self-asserted``."""
    return {"not-evaluated": "Not evaluated"}.get(status, status.capitalize())


def state(verdict: Verdict, results: Sequence[Result]) -> tuple[str, str]:
    """Return the verdict as a few words and as a sentence; what was accepted as unknown is said."""
    open_checks = sorted({check for check, _ in gaps(results)})
    if verdict.outcome is Outcome.PASS and open_checks:
        accepted = f"Nothing fails. What could not be established was accepted as it is: {', '.join(open_checks)}."
        return "No finding at the threshold, not everything established", accepted
    return {
        Outcome.PASS: (
            "No finding at the threshold",
            "Every check came to its end and none found anything that fails.",
        ),
        Outcome.FAIL: ("Something has to be looked at before this is used", "At least one check found what fails it."),
        Outcome.UNKNOWN: ("Not everything could be judged", "Nothing fails, but not everything could be established."),
    }[verdict.outcome]


def reasons(verdict: Verdict, results: Sequence[Result], told: Sequence[str] = ()) -> list[str]:
    """Return the reasons of a verdict, with those that only repeat the list of gaps in one line.

    Args:
        verdict: The verdict.
        results: What the checks saw.
        told: Reasons that are shown elsewhere, each with more about it; they are counted.
    """
    repeated = {f"{result.check}: {result.reason}": result.check for result in results if result.reason}
    shown = [reason for reason in verdict.reasons if reason not in repeated and reason not in told]
    unsettled = [repeated[reason] for reason in verdict.reasons if reason in repeated]
    if counted := sum(reason in told for reason in verdict.reasons):
        shown.append(f"{plural(counted, 'requirement')} of the context not met")
    return [*shown, f"not everything could be established by: {', '.join(unsettled)}"] if unsettled else shown


def isolation(results: Sequence[Result]) -> str:
    """Say in one sentence how the checks were kept from doing harm."""
    words = {
        "limits": "limits on time and memory",
        "no-writes": "no way to change files",
        "no-programs": "no way to start programs",
        "no-network": "no network",
    }
    held = set.intersection(*(set(result.isolation) for result in results)) if results else set()
    shown = [text for name, text in words.items() if name in held]
    if not shown:
        return "On this system the checks ran without isolation."
    missing = [text for name, text in words.items() if name not in held]
    sentence = f"Every check ran with {', '.join(shown)}."
    return f"{sentence} Not for every check: {', '.join(missing)}." if missing else sentence
