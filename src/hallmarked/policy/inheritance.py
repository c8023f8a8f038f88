"""Contexts that extend others: a child may add or tighten, never loosen.

What a parent asks for stays in force beside what its child makes of it. So no mistake in telling tighter from laxer
could make a child pass what its parent does not; an attempt to loosen is refused all the same, because whoever wrote
it believes that it holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from hallmarked.core.errors import InputError
from hallmarked.core.evidence import Level
from hallmarked.policy.context import RISKS, Context, Demand
from hallmarked.policy.harm import Harms
from hallmarked.policy.requirement import THIRD_PARTY, TRUSTED, Operator, Requirement, decimal

_LIMITS = ({Operator.LESS, Operator.AT_MOST}, {Operator.MORE, Operator.AT_LEAST})
_STRICT = {Operator.LESS, Operator.MORE}
_LISTS = {Operator.EQUAL, Operator.IN}


@dataclass(frozen=True, slots=True)
class Draft:
    """A context as it stands in a file. What it does not say is None."""

    name: str
    place: str
    title: Mapping[str, str]
    risk: str | None
    extends: tuple[str, ...]
    fail_on: Level | None
    checks: tuple[str, ...]
    may_be_unknown: tuple[str, ...] | None
    waived_by: tuple[str, ...] | None
    demands: tuple[Demand, ...]
    places: Mapping[str, str]
    """File and line of each key."""


def resolve(drafts: Mapping[str, Draft], harms: Harms, known: Mapping[str, Context]) -> dict[str, Context]:
    """Make contexts of drafts, with everything they take over.

    Args:
        drafts: By name.
        harms: The definitions they may refer to.
        known: Contexts of other files, which drafts may extend.

    Raises:
        InputError: When a context extends itself, one that is not there, or asks for less than one it extends.
    """
    made: dict[str, Context] = dict(known)
    for name in drafts:
        for each in _in_order(name, drafts, made):
            made[each.name] = _merge(each, [made[parent] for parent in each.extends], harms)
    return {name: made[name] for name in drafts}


def _in_order(name: str, drafts: Mapping[str, Draft], made: Mapping[str, Context]) -> list[Draft]:
    """Return what has to be made for a context, parents first."""
    order: list[Draft] = []
    done = set(made)
    waiting = [(name, iter(drafts[name].extends))] if name not in done else []
    while waiting:
        current, parents = waiting[-1]
        parent = next((each for each in parents if each not in done), None)
        if parent is None:
            order.append(drafts[current])
            done.add(current)
            waiting.pop()
            continue
        chain = [each for each, _ in waiting]
        place = drafts[current].places.get("extends", drafts[current].place)
        if parent in chain:
            circle = " → ".join((*chain[chain.index(parent) :], parent))
            raise InputError(f"{place}: contexts extend each other in a circle: {circle}")
        if parent not in drafts:
            raise InputError(f"{place}: {current} extends {parent!r}, and there is no such context")
        waiting.append((parent, iter(drafts[parent].extends)))
    return order


def _merge(draft: Draft, parents: Sequence[Context], harms: Harms) -> Context:
    demands = _demands(draft, parents)
    used = {each.harm for demand in demands for each in (demand, *demand.beside) if each.harm}
    if missing := sorted(used - harms.keys()):
        place = next(demand.place for demand in demands if demand.harm in missing)
        raise InputError(f"{place}: no harm is called {missing[0]}; there are: {', '.join(harms) or 'none'}")
    _check_thresholds(demands, harms)
    context = Context(
        draft.name,
        draft.title,
        _fail_on(draft, parents),
        tuple(dict.fromkeys((*(check for parent in parents for check in parent.required), *draft.checks))),
        _narrowed(draft, "may_be_unknown", [parent.may_be_unknown for parent in parents]),
        demands,
        _risk(draft, parents),
        draft.extends,
        _narrowed(draft, "waived_by", [parent.waived_by for parent in parents]),
        {name: harms[name] for name in sorted(used)},
        draft.place,
    )
    if not context.required and not context.demands:
        raise InputError(f"{draft.place}: {draft.name} asks for nothing, and whatever asks for nothing lets all pass")
    return context


def _check_thresholds(demands: Iterable[Demand], harms: Harms) -> None:
    for demand in demands:
        for version in harms[demand.harm] if demand.threshold else ():
            if demand.threshold not in version.thresholds:
                raise InputError(
                    f"{demand.place}: version {version.id} of {demand.harm} has no threshold {demand.threshold}"
                )


def _fail_on(draft: Draft, parents: Sequence[Context]) -> Level:
    strictest = min((parent.fail_on for parent in parents), key=lambda level: level.rank, default=Level.ERROR)
    if draft.fail_on is not None and parents and draft.fail_on.rank > strictest.rank:
        _refuse(draft, "fail_on", f"fail_on = {draft.fail_on}", f"{strictest} already fails a context it extends")
    return draft.fail_on or strictest


def _risk(draft: Draft, parents: Sequence[Context]) -> str:
    highest = max((parent.risk for parent in parents), key=RISKS.index, default=RISKS[0])
    if draft.risk is not None and RISKS.index(draft.risk) < RISKS.index(highest):
        _refuse(draft, "risk", f"risk = {draft.risk}", f"a context it extends is of {highest} risk")
    return draft.risk or highest


def _narrowed(draft: Draft, key: str, allowed: Sequence[tuple[str, ...] | None]) -> tuple[str, ...]:
    """Return what a context leaves open: nothing that a parent does not."""
    own: tuple[str, ...] | None = getattr(draft, key)
    given = [set(each) for each in allowed if each is not None]
    common = set.intersection(*given) if given else None
    if own is not None and common is not None and (more := [each for each in own if each not in common]):
        _refuse(draft, key, f"{key} = {', '.join(own)}", f"a context it extends does not allow {more[0]} there")
    return own if own is not None else tuple(sorted(common or ()))


def _refuse(draft: Draft, key: str, said: str, why: str) -> None:
    place = draft.places.get(key, draft.place)
    raise InputError(f"{place}: {draft.name} may tighten and not loosen, and {said} would loosen: {why}")


def _demands(draft: Draft, parents: Sequence[Context]) -> tuple[Demand, ...]:
    """Return what is asked for, by parents first; what several ask for under one id holds side by side."""
    merged: dict[str, Demand] = {}
    for parent in parents:
        for demand in parent.demands:
            merged[demand.requirement.id] = _add(merged.get(demand.requirement.id), demand)
    for demand in draft.demands:
        before = merged.get(demand.requirement.id)
        if before is not None:
            for other in (before, *before.beside):
                if why := loosens(other, demand):
                    raise InputError(
                        f"{demand.place}: {draft.name} may tighten and not loosen {demand.requirement.id} of "
                        f"{other.context}: {why}"
                    )
        merged[demand.requirement.id] = _over(demand, before)
    return tuple(merged.values())


def _add(one: Demand | None, other: Demand) -> Demand:
    if one is None:
        return other
    seen = (one, *one.beside)
    added = [each for each in (replace(other, beside=()), *other.beside) if not _among(each, seen)]
    return replace(one, beside=(*one.beside, *added))


def _among(demand: Demand, seen: Iterable[Demand]) -> bool:
    return any(replace(demand, beside=()) == replace(each, beside=()) for each in seen)


def _over(demand: Demand, before: Demand | None) -> Demand:
    if before is None:
        return demand
    return replace(
        demand,
        why=demand.why or before.why,
        maps_to=tuple(dict.fromkeys((*before.maps_to, *demand.maps_to))),
        harm=demand.harm or before.harm,
        beside=(replace(before, beside=()), *before.beside),
    )


def loosens(parent: Demand, child: Demand) -> str:
    """Say how a requirement asks for less than another one of the same id; empty when it asks for the same or more."""
    old, new = parent.requirement, child.requirement
    if (new.path, new.slice, new.check) != (old.path, old.slice, old.check):
        return f"it is about {old.path}, in the same part and by the same check; give something else an id of its own"
    if (parent.threshold or child.threshold) and (parent.harm, parent.threshold) != (child.harm, child.threshold):
        return "its value is a threshold of a harm, and has to stay that one"
    if new.min_n < old.min_n:
        return f"min_n is {new.min_n}, and was {old.min_n}"
    if old.max_age is not None and (new.max_age is None or new.max_age > old.max_age):
        return "max_age may not be longer" if new.max_age is not None else "max_age is missing"
    if not _fewer(new.by, old.by):
        return f"by is {', '.join(new.by)}, and was {', '.join(old.by)}"
    return "" if child.threshold or _implies(new, old) else f"{_shown(new)} does not imply {_shown(old)}"


def _shown(asked: Requirement) -> str:
    value = asked.value if isinstance(asked.value, str) else ", ".join(asked.value)
    return f"{asked.op} {value}".strip()


def _fewer(new: Sequence[str], old: Sequence[str]) -> bool:
    """Say whether everybody of one list is covered by another."""
    return bool(new) and all(
        role in old or TRUSTED in old or (THIRD_PARTY in old and role not in {"maker", TRUSTED}) for role in new
    )


def _implies(new: Requirement, old: Requirement) -> bool:
    """Say whether every value that satisfies one requirement satisfies the other."""
    for limit in _LIMITS:
        if old.op in limit:
            return new.op in limit and _is_farther(new, old)
    if old.op is Operator.UNEQUAL:
        if new.op is Operator.UNEQUAL:
            return any(_is_same(old.value, value) for value in _values(new))
        return new.op in _LISTS and not any(_is_same(old.value, value) for value in _values(new))
    if old.op in _LISTS:
        return new.op in _LISTS and all(any(_is_same(value, one) for one in _values(old)) for value in _values(new))
    return new.op is old.op


def _is_farther(new: Requirement, old: Requirement) -> bool:
    one, other = (decimal(each.value if isinstance(each.value, str) else "") for each in (new, old))
    if one is None or other is None:
        return False
    if one == other:
        return new.op is old.op or new.op in _STRICT
    return (one > other) == (old.op in _LIMITS[1])


def _values(asked: Requirement) -> tuple[str, ...]:
    return asked.value if isinstance(asked.value, tuple) else (asked.value,)


def _is_same(one: object, other: str) -> bool:
    if one == other:
        return True
    number = decimal(one) if isinstance(one, str) else None
    return number is not None and number == decimal(other)
