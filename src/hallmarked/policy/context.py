"""A gate over check results: what must have run, which findings fail it, what may stay unknown."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.resources import files
from typing import Any

from hallmarked.core.errors import InputError
from hallmarked.core.evidence import Level, Outcome, Statement, Subject, Verdict

PREDICATE_TYPE = "https://in-toto.io/attestation/svr/v0.2"
VERIFIER = "urn:hallmarked:policy"
CHECK_PREFIX = "hallmarked/checks/"


@dataclass(frozen=True, slots=True)
class Context:
    """What one use demands of the evidence."""

    name: str
    title: str
    fail_on: Level
    required: Sequence[str]
    """Checks that must have run."""
    may_be_unknown: Sequence[str] | None
    """Checks whose outcome may be ``unknown``; ``None`` means any."""

    def adjusted(self, *, fail_on: Level | None = None, allow_unknown: bool = False) -> Context:
        """Return the context with the threshold or the treatment of ``unknown`` changed by the caller."""
        changed = replace(self, fail_on=fail_on or self.fail_on)
        return replace(changed, may_be_unknown=None) if allow_unknown else changed


def contexts(data: bytes | None = None) -> dict[str, Context]:
    """Read contexts from a TOML file, by default the ones shipped.

    Raises:
        InputError: When the file does not hold contexts.
    """
    if data is None:
        data = (files("hallmarked.policy") / "contexts.toml").read_bytes()
    try:
        table = tomllib.loads(data.decode())["contexts"]
        return {name: _context(name, body) for name, body in table.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError("this is not a file of contexts") from error


def _context(name: str, body: Mapping[str, Any]) -> Context:
    return Context(
        name,
        str(body["title"]),
        Level(body["fail_on"]),
        tuple(map(str, body["required"])),
        tuple(map(str, body["may_be_unknown"])),
    )


def decide(statements: Sequence[Statement], context: Context) -> Verdict:
    """Judge check results in a context.

    Failing comes first: a known error is not made uncertain by a check that could not finish.
    """
    failed: list[str] = []
    unknown: list[str] = []
    ran: dict[str, Statement] = {}
    for statement in statements:
        name = _check_name(statement)
        if name:
            ran[name] = statement
    for name, statement in ran.items():
        count = sum(Level(f["level"]).rank >= context.fail_on.rank for f in statement.predicate.get("findings", ()))
        if count:
            failed.append(f"{name}: {count} finding{'s' if count > 1 else ''} of level {context.fail_on} or higher")
            continue
        tolerated = context.may_be_unknown is None or name in context.may_be_unknown
        # NOTE: gaps count beside findings below the threshold, which a failing outcome would hide.
        if (statement.predicate.get("gaps") or statement.predicate.get("outcome") == "unknown") and not tolerated:
            unknown.append(f"{name}: {statement.predicate.get('reason', 'unknown')}")
    unknown += [f"{name}: did not run" for name in context.required if name not in ran]
    outcome = Outcome.FAIL if failed else Outcome.UNKNOWN if unknown else Outcome.PASS
    return Verdict(outcome, context.name, failed + unknown, {"sha256": _digest(context)})


def to_statement(verdict: Verdict, subject: Subject, time: datetime) -> Statement:
    """Write a verdict as a Simple Verification Result, extended with the outcome and the reasons.

    Args:
        verdict: The decision.
        subject: What was judged.
        time: When, UTC.
    """
    predicate: dict[str, Any] = {
        "verifier": {"id": VERIFIER, "policies": [{"name": verdict.context, "digest": dict(verdict.policy)}]},
        "timeCreated": time.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "properties": [f"HALLMARKED_{verdict.context.upper()}"] if verdict.outcome is Outcome.PASS else [],
        "outcome": verdict.outcome.value,
        "reasons": list(verdict.reasons),
    }
    return Statement((subject,), PREDICATE_TYPE, predicate)


def _check_name(statement: Statement) -> str | None:
    """Return the id of the check that made a statement; ``None`` for statements of other kinds."""
    for entry in statement.predicate.get("configuration", ()):
        name = str(entry.get("name", ""))
        if name.startswith(CHECK_PREFIX):
            return name.removeprefix(CHECK_PREFIX)
    return None


def _digest(context: Context) -> str:
    unknown = "any" if context.may_be_unknown is None else ",".join(context.may_be_unknown)
    text = f"{context.name}\n{context.fail_on}\n{','.join(context.required)}\n{unknown}\n"
    return hashlib.sha256(text.encode()).hexdigest()
