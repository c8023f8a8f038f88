"""Test files of policies: given facts, and what each requirement has to come to. See docs/how-to/contexts.md."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from importlib.resources import files
from typing import Any

from hallmarked.core.evidence import Attestation, Level, Statement, Subject
from hallmarked.core.evidence import Outcome as Overall
from hallmarked.ledger.trust import SIGNER_ROLES
from hallmarked.policy.context import Context
from hallmarked.policy.decide import Decision, decide
from hallmarked.policy.fact import CHECK_PREFIX, CLAIMS_TYPE, Facts
from hallmarked.policy.requirement import Outcome
from hallmarked.policy.table import Source, Table
from hallmarked.records.waiver import Waiver

_CASE = ("name", "context", "time", "outcome", "expect", "given", "waiver")
_GIVEN = ("claim", "value", "n", "interval", "slice", "by", "age", "elsewhere", "findings", "level")
_WAIVER = ("requirement", "by", "until", "reason")
_AGE = re.compile(r"(\d{1,5})([hd])")
_HERE, _ELSEWHERE = (Subject("given", {"sha256": digit * 64}) for digit in "01")
_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
_ROLES = {role.value: role.value for role in sorted(SIGNER_ROLES)} | {"stranger": ""}
_OUTCOMES = {outcome.value: outcome for outcome in Outcome}
_OVERALL = {outcome.value: outcome for outcome in Overall}
_LEVELS = {level.value: level for level in Level}


@dataclass(frozen=True, slots=True)
class Case:
    """Given facts, and what is expected of them."""

    name: str
    context: Context
    time: datetime
    stated: tuple[Attestation, ...]
    outcome: Overall | None
    """Of the whole decision; None when the case does not say."""
    expected: Mapping[str, Outcome]
    """By id of requirement."""
    place: str
    """File and line."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a case came to."""

    case: Case
    decision: Decision
    differences: tuple[str, ...]
    """A sentence for each thing that came out otherwise than expected; empty when none did."""


def shipped_trials() -> list[Source]:
    """Return the test files of the contexts that are shipped."""
    found = sorted((files("hallmarked.policy") / "examples").iterdir(), key=lambda each: each.name)
    return [Source(each.read_bytes(), each.name) for each in found if each.name.endswith(".toml")]


def read_trial(source: Source, contexts: Mapping[str, Context]) -> list[Case]:
    """Read a test file.

    Args:
        source: The file.
        contexts: Those that it may test.

    Raises:
        InputError: When it is not well-formed, or tests nothing; the message names the line.
    """
    root = source.table(("case",))
    cases = [_case(row, contexts) for row in root.rows("case", _CASE)]
    if not cases:
        root.fail("", "this file tests nothing: it has no [[case]]")
    return cases


def run(case: Case) -> Result:
    """Decide a case, and compare."""
    decision = decide(Facts(case.stated, _HERE), case.context, case.time)
    found = {ruling.id: ruling for ruling in decision.rulings}
    differences = [
        f"{id_} was expected to be {expected}, and is {found[id_].outcome}: {found[id_].judged.reason}"
        for id_, expected in case.expected.items()
        if found[id_].outcome is not expected
    ]
    if case.outcome is not None and decision.outcome is not case.outcome:
        why = "; ".join(decision.reasons) or "everything is met"
        differences.append(f"the decision was expected to be {case.outcome}, and is {decision.outcome}: {why}")
    return Result(case, decision, tuple(differences))


def _case(row: Table, contexts: Mapping[str, Context]) -> Case:
    name, at = row.text("context"), _moment(row, "time")
    if name not in contexts:
        row.fail("context", f"no context is called {name}; there are: {', '.join(contexts)}")
    expected = {id_: _word(row, id_, word) for id_, word in row.words("expect").items()}
    known = {demand.requirement.id for demand in contexts[name].demands} | {
        f"check.{check}" for check in contexts[name].required
    }
    for id_ in expected:
        if id_ not in known:
            row.fail("expect", f"{name} has no requirement {id_}; there are: {', '.join(sorted(known))}")
    if not expected and "outcome" not in row:
        row.fail("", "this case expects nothing: give outcome or expect")
    stated = [_given(each, at, number) for number, each in enumerate(row.rows("given", _GIVEN))]
    stated += [_waiver(each, at, name, number) for number, each in enumerate(row.rows("waiver", _WAIVER))]
    overall = row.choice("outcome", _OVERALL, Overall.UNKNOWN) if "outcome" in row else None
    return Case(row.text("name"), contexts[name], at, tuple(stated), overall, expected, row.place)


def _word(row: Table, id_: str, word: str) -> Outcome:
    return _OUTCOMES.get(word) or row.fail("expect", f"{id_} = {word!r}; there are: {', '.join(_OUTCOMES)}")


def _given(row: Table, at: datetime, number: int) -> Attestation:
    path = row.text("claim")
    age = _AGE.fullmatch(row.text("age", "0d")) or row.fail("age", "age has to be hours or days, such as 30d")
    length = timedelta(hours=int(age[1])) if age[2] == "h" else timedelta(days=int(age[1]))
    role = row.choice("by", _ROLES, "maker")
    subject = _ELSEWHERE if row.values.get("elsewhere") is True else _HERE
    statement = Statement((subject,), *_predicate(row, path))
    one = _attestation(statement, at - length, role, f"given {number}")
    # A check says all it has to say in one statement; here each row is one, so that none must replace another.
    return replace(one, keyid=f"{role} {number}") if path.startswith("card.") else one


def _predicate(row: Table, path: str) -> tuple[str, dict[str, Any]]:
    family, _, rest = path.partition(".")
    if family == "check":
        level = row.choice("level", _LEVELS, Level.ERROR)
        findings = [{"rule": rule, "level": level.value, "message": "given"} for rule in row.texts("findings")]
        made = {"name": f"{CHECK_PREFIX}{rest}"}
        return _RESULT, {"configuration": [made], "outcome": row.text("value"), "findings": findings}
    if family == "card":
        said = {"kind": rest, "status": row.text("value"), "value": row.words("slice").get("value", "")}
        if "section" not in row.words("slice"):
            return CLAIMS_TYPE, {"attributes": [{"conditions": said}]}
    if family in {"finding", "record"}:
        row.fail("claim", f"give {'the check with its findings' if family == 'finding' else 'a waiver'} instead")
    measured: dict[str, Any] = {"metric": path, "value": row.text("value"), "slice": row.words("slice")}
    measured |= {key: row.values[key] for key in ("n", "interval") if key in row}
    by = {"configuration": [{"name": f"{CHECK_PREFIX}documentation"}], "outcome": "pass"} if family == "card" else {}
    return _RESULT, {**by, "measurements": [measured]}


def _waiver(row: Table, at: datetime, context: str, number: int) -> Attestation:
    role = row.choice("by", _ROLES, "auditor")
    said = {"context": context, "requirement": row.text("requirement"), "by": "somebody", "reason": row.text("reason")}
    waiver = Waiver.of({**said, "until": _moment(row, "until").strftime("%Y-%m-%d")})
    statement = Statement((_HERE,), Waiver.predicate_type(), waiver.predicate())
    return _attestation(statement, at, role, f"waiver {number}")


def _attestation(statement: Statement, at: datetime, role: str, name: str) -> Attestation:
    id_ = f"sha256:{hashlib.sha256(name.encode()).hexdigest()}"
    return Attestation(statement, id_, at, role, role or "a stranger", role)


def _moment(row: Table, key: str) -> datetime:
    value = row.values.get(key)
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    if not isinstance(value, date):
        row.fail(key, f"{key} has to be a day such as 2026-01-31")
    return datetime.combine(value, time(), UTC)


def run_all(sources: list[Source], contexts: Mapping[str, Context]) -> Iterator[Result]:
    """Read test files and run their cases.

    Raises:
        InputError: When a file is not well-formed.
    """
    for case in [case for source in sources for case in read_trial(source, contexts)]:
        yield run(case)
