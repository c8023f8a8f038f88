"""What is asked, in words, and what would meet it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from hallmarked.core.text import name_part
from hallmarked.policy.decide import Ruling
from hallmarked.policy.requirement import THIRD_PARTY, TRUSTED, WORST, Operator, Outcome, Requirement

_PEOPLE = {
    "auditor": "an auditor",
    "hub": "the hub",
    "maker": "the maker",
    "community": "somebody of the community",
    THIRD_PARTY: "somebody other than the maker",
    TRUSTED: "somebody who is trusted",
}


def describe(asked: Requirement, threshold: str = "") -> str:
    """Say in a sentence what is asked.

    Args:
        asked: The requirement.
        threshold: What stands in place of a value that is not known yet.
    """
    value = threshold or (asked.value if isinstance(asked.value, str) else ", ".join(asked.value))
    words = [asked.path, *_part(asked), "is", asked.op.say(value)]
    conditions = []
    if asked.op is Operator.ABSENT:
        conditions.append(f"by the check {asked.check}, which came to its end")
    if asked.min_n:
        conditions.append(f"from looking at {asked.min_n:,} or more")
    if asked.max_age is not None:
        conditions.append(f"at most {_length(asked.max_age)} old")
    if asked.by and TRUSTED not in asked.by:
        conditions.append(f"stated by {who(asked.by)}")
    return ", ".join([" ".join(words), *conditions])


def remedy(ruling: Ruling, waived_by: Sequence[str] = ()) -> str:
    """Say what would meet a requirement that is not met; empty when it is met.

    Args:
        ruling: What it came to.
        waived_by: Roles whose waivers count in the context.
    """
    asked = ruling.judged.requirement
    if ruling.outcome is Outcome.MET:
        return ""
    if ruling.demand is None:
        steps = {
            Outcome.FAILS: "look at the findings, and make a revision without them",
            Outcome.MISSING: "run the check where it can see everything, or accept what is unknown",
        }
    else:
        steps = {
            Outcome.FAILS: f"make a revision of which this can be stated: {describe(asked)}",
            Outcome.MISSING: f"have this stated about these bytes: {describe(asked)}",
            Outcome.WRONG_ATTESTER: f"have it stated by {who(asked.by)}",
            Outcome.UNDERPOWERED: f"look at more, so that this can be told: {describe(asked)}",
        }
    steps[Outcome.STALE] = "look again at these bytes, and have it stated anew"
    steps[Outcome.DISPUTED] = "settle the dispute with whoever raised it"
    if ruling.outcome is Outcome.WAIVED and ruling.excuse is not None:
        return f"meet it before the waiver ends on {ruling.excuse.waiver.until:%Y-%m-%d}"
    waiver = f"; or have {who(waived_by)} waive it for a time" if waived_by else ""
    return steps.get(ruling.outcome, f"have this stated: {describe(asked)}") + waiver


def who(roles: Sequence[str]) -> str:
    """Name roles."""
    return " or ".join(_PEOPLE.get(role, role) for role in roles)


def _part(asked: Requirement) -> list[str]:
    if asked.slice == WORST:
        return ["in the worst part"]
    if isinstance(asked.slice, str) or not asked.slice:
        return []
    return ["for " + name_part(asked.slice)]


def _length(length: timedelta) -> str:
    count, word = (length.days, "day") if length.days else (int(length.total_seconds() // 3600), "hour")
    return f"{count:,} {word}{'' if count == 1 else 's'}"
