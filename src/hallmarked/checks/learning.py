"""What a check learns from one part, as the task of an engine."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, cast

from hallmarked.checks.registry import load
from hallmarked.checks.ruleset import rule_set_digest
from hallmarked.core.artifact import Artifact
from hallmarked.core.check import Part, PartCheck
from hallmarked.core.errors import BackendError

TASK = "hallmarked.checks.learning:learn"


def options_of(check_id: str) -> Mapping[str, Any]:
    """Return the options of the task for a check: which, and by which rules."""
    return {"check": check_id, "rules": rule_set_digest()}


def learn(artifact: Artifact, part: Part, options: Mapping[str, Any]) -> bytes:
    """Let a check learn from a part.

    Raises:
        BackendError: When this machine has other rules than the one that asks: their results do not go together.
    """
    if options["rules"] != rule_set_digest():
        raise BackendError("the machine that looked at this part has another version of hallmarked")
    return _check(options["check"]).learn(artifact, part)


@cache
def _check(check_id: str) -> PartCheck:
    return cast("PartCheck", load(check_id)[0])
