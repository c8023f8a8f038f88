"""What a change of policies means: which requirements, and which decisions, have to be looked at again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from hallmarked.core.evidence import Attestation
from hallmarked.policy.context import Context, Demand
from hallmarked.policy.fact import rows
from hallmarked.policy.file import Policy
from hallmarked.policy.harm import in_force
from hallmarked.policy.statement import PREDICATE_TYPE


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is not as it was."""

    context: str
    """The context it concerns; empty when it concerns none."""
    requirement: str
    """The requirement, by id; empty when it concerns the context as a whole."""
    sentence: str
    """What changed."""


def compare(old: Policy, new: Policy, time: datetime) -> list[Change]:
    """Say what has to be looked at again when one policy takes the place of another.

    Args:
        old: The policy so far.
        new: The policy from now on.
        time: The moment whose definitions of harms are compared.
    """
    changes = [*_harms(old, new, time)]
    for name in sorted({*old.contexts, *new.contexts}):
        one, other = old.contexts.get(name), new.contexts.get(name)
        if one is None or other is None:
            changes.append(Change(name, "", "the context is new" if one is None else "the context is gone"))
        elif one.digest != other.digest:
            changes += _context(one, other)
    return changes


def reexamine(stated: Iterable[Attestation], new: Policy, time: datetime) -> Iterator[tuple[Attestation, str]]:
    """Find the decisions that another policy, or other definitions of harms, would be the base of today.

    Args:
        stated: Statements, decisions among them.
        new: The policy that holds now.
        time: Now.

    Yields:
        Each such decision, with why it has to be looked at again.
    """
    for one in stated:
        predicate = one.statement.predicate
        verifier = predicate.get("verifier")
        if one.statement.predicate_type != PREDICATE_TYPE or not isinstance(verifier, dict):
            continue
        for policy in rows(verifier.get("policies")):
            name, digest = policy.get("name"), policy.get("digest")
            context = new.contexts.get(name) if isinstance(name, str) else None
            if context is None:
                continue
            cited = {str(row.get("harm")): str(row.get("version")) for row in rows(predicate.get("harms"))}
            why = _differs(context, digest.get("sha256") if isinstance(digest, dict) else "", cited, time)
            if why:
                yield one, why


def _differs(context: Context, digest: object, cited: dict[str, str], time: datetime) -> str:
    for harm in context.harms:
        version = in_force(context.harms, harm, time)
        now = version.id if version is not None else ""
        if cited.get(harm, "") != now:
            before = f"version {cited[harm]}" if harm in cited else "no version"
            return f"it was decided by {before} of {harm}; now {f'version {now}' if now else 'none'} is in force"
    return "" if digest == context.digest else f"the context {context.name} has changed since"


def _harms(old: Policy, new: Policy, time: datetime) -> Iterator[Change]:
    for harm in sorted({*old.harms, *new.harms}):
        one, other = in_force(old.harms, harm, time), in_force(new.harms, harm, time)
        before, after = (f"version {each.id}" if each else "no version" for each in (one, other))
        if (one.digest if one else "") == (other.digest if other else ""):
            continue
        said = f"of {harm} {before} was in force, and now {after} is"
        if one and other and one.id == other.id:
            said = f"{before} of {harm} says something else than before; a version is ended, never changed"
        users = [
            (context.name, demand.requirement.id)
            for context in new.contexts.values()
            for demand in context.demands
            if harm in {each.harm for each in (demand, *demand.beside)}
        ]
        for name, id_ in users or [("", "")]:
            yield Change(name, id_, said)


def _context(one: Context, other: Context) -> Iterator[Change]:
    for key, before, after in (
        ("fail_on", one.fail_on, other.fail_on),
        ("checks", one.required, other.required),
        ("may_be_unknown", one.may_be_unknown, other.may_be_unknown),
        ("waived_by", one.waived_by, other.waived_by),
        ("risk", one.risk, other.risk),
        ("extends", one.extends, other.extends),
    ):
        if before != after:
            yield Change(one.name, "", f"{key} was {_shown(before)}, and is {_shown(after)}")
    before_by, after_by = ({demand.requirement.id: demand for demand in each.demands} for each in (one, other))
    for id_ in sorted({*before_by, *after_by}):
        if id_ not in before_by or id_ not in after_by:
            yield Change(one.name, id_, "is new" if id_ not in before_by else "is not asked for any more")
        elif before_by[id_] != after_by[id_]:
            yield Change(one.name, id_, _difference(before_by[id_], after_by[id_]))


def _difference(one: Demand, other: Demand) -> str:
    before, after = one.to_dict(), other.to_dict()
    keys = sorted(key for key in {*before, *after} if before.get(key) != after.get(key))
    return "; ".join(f"{key} was {_shown(before.get(key))}, and is {_shown(after.get(key))}" for key in keys)


def _shown(value: object) -> str:
    if isinstance(value, tuple | list):
        return ", ".join(map(str, value)) or "nobody's or nothing"
    return str(value) if value not in (None, "") else "nothing"
