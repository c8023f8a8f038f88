"""A profile for programs: one JSON object."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hallmarked.core.evidence import Subject
from hallmarked.policy.fact import Fact
from hallmarked.profiles.mapping import Namesake
from hallmarked.profiles.profile import Profile, Row


def to_document(
    profile: Profile, subject: Subject, time: datetime, namesakes: Mapping[str, Namesake] | None = None
) -> dict[str, Any]:
    """Return a profile as a JSON object, with every sentence in every language it has.

    Args:
        profile: What is shown.
        subject: The artifact it was answered for.
        time: When.
        namesakes: Ids that mean something else in another edition.
    """
    framework = profile.framework
    alike = namesakes or {}
    document: dict[str, Any] = {
        "framework": framework.id,
        "edition": framework.edition,
        "title": dict(framework.title),
        "source": framework.source,
        "published": framework.date,
        "digest": {"sha256": framework.digest},
        "subject": {"name": subject.name, "digest": dict(subject.digest)},
        "time": time.isoformat(),
        "audience": profile.audience,
        "counts": {"total": len(profile.rows), **profile.counts},
        "controls": [_row(profile, row, alike.get(row.control.id)) for row in profile.rows],
        "withheld": [
            {"id": framework.reference(each.control), "audience": list(each.audience)} for each in profile.withheld
        ],
    }
    if framework.note:
        document["note"] = dict(framework.note)
    return document


def _row(profile: Profile, row: Row, namesake: Namesake | None) -> dict[str, Any]:
    control, framework = row.control, profile.framework
    document: dict[str, Any] = {
        "id": framework.reference(control),
        "group": control.group,
        "tags": list(control.tags),
        "page": control.page,
        "summary": dict(control.summary),
        "state": row.state,
        "why": dict(row.why),
        "restsOn": list(row.rests_on),
        "facts": [_fact(fact) for fact in row.facts],
        "audience": sorted(control.audience),
    }
    if control.printed_id:
        document["printedId"] = control.printed_id
    if namesake is not None:
        meant = f"{framework.id}/{namesake.edition}#{control.id}"
        document["sameIdElsewhere"] = {"id": meant, "summary": dict(namesake.control.summary)}
    return document


def _fact(fact: Fact) -> dict[str, Any]:
    shown: dict[str, Any] = {"path": fact.path, "value": fact.value, "statement": fact.source.id}
    if fact.slice:
        shown["slice"] = dict(fact.slice)
    if fact.n is not None:
        shown["n"] = fact.n
    if fact.interval is not None:
        shown["interval"] = list(fact.interval)
    if fact.unit:
        shown["unit"] = fact.unit
    return shown
