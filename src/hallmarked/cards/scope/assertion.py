"""A scope as assertions that an evaluator can run who has nothing but the scope file.

Each assertion says which clause it tests, what to measure and what has to hold. ``run`` holds results against them, by
the same evaluator that judges claims, gates and profiles.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from hallmarked.cards.known import know
from hallmarked.cards.scope.scope import Clause, Scope
from hallmarked.cards.scope.standing import Stood, stand
from hallmarked.core.evidence import Attestation, Statement, Subject
from hallmarked.policy.requirement import Requirement

FORMAT = "urn:hallmarked:scope-assertions:v1"
_ASK = {
    "uses": "use",
    "users": "user",
    "languages": "language",
    "inputs": "input",
    "out_of_scope": "out-of-scope",
    "refusals": "refusal",
    "floors": "floor",
}


def to_assertions(scope: Scope) -> dict[str, Any]:
    """Return the assertions of a scope as JSON.

    ``measure`` names the metric, the part of the data and the least number of examples; ``assert`` the comparison. Of a
    value with a 95 % interval the bound on the unsafe side is compared; an interval that spans the threshold, or fewer
    examples than asked for, settles nothing. Prompts have to be refused, all of them.
    What no program can test is listed in ``by_hand``.
    """
    made = {clause.reference: list(_assertions(clause)) for clause in scope.clauses}
    return {
        "format": FORMAT,
        "scope": {"version": scope.version, "digest": {"sha256": scope.digest}},
        "assertions": [assertion for assertions in made.values() for assertion in assertions],
        "by_hand": [
            {"clause": clause.reference, "kind": _ASK[clause.group], "text": dict(clause.text)}
            for clause in scope.clauses
            if not made[clause.reference]
        ],
    }


def _assertions(clause: Clause) -> Iterator[dict[str, Any]]:
    said: dict[str, Any] = {"clause": clause.reference, "kind": _ASK[clause.group]}
    if clause.text:
        said["text"] = dict(clause.text)
    if clause.requirement is not None:
        yield said | _measured(clause.requirement)
    if clause.prompts:
        yield said | {"prompts": list(clause.prompts), "assert": {"every_output": "refuses"}}
    if clause.language:
        yield said | {"input": {"language": clause.language}, "assert": {"every_output": "answers"}}
    if clause.modality:
        given = {"modality": clause.modality, "limit": {unit: int(most) for unit, most in clause.limit.items()}}
        yield said | {"input": given, "assert": {"every_output": "answers"}}


def _measured(asked: Requirement) -> dict[str, Any]:
    compared = {"op": asked.op.value}
    value = asked.value if isinstance(asked.value, str) else list(asked.value)
    measure: dict[str, Any] = {
        "metric": asked.path,
        "slice": asked.slice if isinstance(asked.slice, str) else dict(asked.slice),
    }
    if asked.min_n:
        measure["min_n"] = asked.min_n
    if asked.max_age is not None:
        measure["max_age_days"] = asked.max_age.days
    if asked.by:
        measure["by"] = list(asked.by)
    if asked.check:
        measure["check"] = asked.check
    return {"measure": measure, "assert": compared | ({"value": value} if value else {})}


def run(scope: Scope, measurements: Sequence[Mapping[str, Any]]) -> tuple[Stood, ...]:
    """Hold an evaluator's own results against a scope.

    Args:
        scope: The scope.
        measurements: Rows with ``metric``, ``value`` and, where they have them, ``n``, ``interval`` and ``slice``, as
            in the statement of a result.
    """
    now = datetime.now(UTC)
    statement = Statement((Subject("", {}),), "", {"measurements": list(measurements)})
    return stand(scope, know([Attestation(statement, "", now, "auditor")]), now)
