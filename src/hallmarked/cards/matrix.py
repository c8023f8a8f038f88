"""What is not evaluated: what contexts, scopes, claims and templates ask to be measured, against what is there.

One cell for each metric and part. It says whether that was measured at all, on these bytes, recently and at enough
examples, by somebody whose word counts; not whether the value is good enough, which claims and decisions say.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from hallmarked.cards.claim import Claim
from hallmarked.cards.held import is_own_word
from hallmarked.cards.known import Known
from hallmarked.cards.template.template import Template
from hallmarked.policy.context import Context
from hallmarked.policy.fact import check_of
from hallmarked.policy.requirement import WORST, Judged, Operator, Outcome, Requirement, judge

Part = tuple[tuple[str, str], ...]
"""Names and values of a part of the data, sorted; empty for the whole."""


class State(StrEnum):
    """What is there for a cell, in the order in which people should look at them."""

    NOT_EVALUATED = "not-evaluated"
    """Nobody whose word counts measured it."""
    STALE = "stale"
    """It was measured on other bytes, or too long ago."""
    UNDERPOWERED = "underpowered"
    """It was measured at too few examples, or too roughly, to tell."""
    EVALUATED = "evaluated"
    """It was measured."""

    @property
    def rank(self) -> int:
        """Place in that order."""
        return list(State).index(self)


_STATES: Mapping[Outcome, State] = {
    Outcome.MET: State.EVALUATED,
    Outcome.FAILS: State.EVALUATED,
    Outcome.DISPUTED: State.EVALUATED,
    Outcome.STALE: State.STALE,
    Outcome.UNDERPOWERED: State.UNDERPOWERED,
    Outcome.MISSING: State.NOT_EVALUATED,
    Outcome.WRONG_ATTESTER: State.NOT_EVALUATED,
}


@dataclass(frozen=True, slots=True)
class Ask:
    """Something that has to be measured, and who asks for it."""

    requirement: Requirement
    by: str
    """For people: ``context hospital_triage``, ``scope#floor-recall``, ``the card``, ``template model/high@1``."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One metric for one part."""

    path: str
    slice: Mapping[str, str] | str
    """The part; empty for the whole, ``worst`` where all parts that there are have to be measured."""
    state: State
    reason: str
    """One sentence."""
    asked_by: tuple[str, ...]
    parts: tuple[tuple[Part, State], ...] = ()
    """Of ``worst``: the parts that somebody measured."""
    statements: tuple[str, ...] = ()
    """Where to check."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """What is asked for, against what is there."""

    cells: tuple[Cell, ...]
    """By metric, the whole before its parts."""

    @property
    def counts(self) -> dict[State, int]:
        """How many cells are in each state."""
        counts = Counter(cell.state for cell in self.cells)
        return {state: counts[state] for state in State if counts[state]}

    @property
    def gaps(self) -> tuple[Cell, ...]:
        """The cells that are not evaluated, or not any more, or too roughly."""
        return tuple(cell for cell in self.cells if cell.state is not State.EVALUATED)


def compare(asks: Iterable[Ask], known: Known, time: datetime) -> Matrix:
    """Say for everything that is asked for what is there.

    What several ask for is one cell, in the state of the one that asks for most.

    Args:
        asks: What has to be measured.
        known: What is stated.
        time: When it is judged.
    """
    rows: defaultdict[tuple[str, Part | str], list[Ask]] = defaultdict(list)
    for ask in asks:
        part = ask.requirement.slice
        rows[ask.requirement.path, part if isinstance(part, str) else tuple(sorted(part.items()))].append(ask)
    return Matrix(tuple(_cell(rows[key], known, time) for key in sorted(rows, key=_order)))


def _order(key: tuple[str, Part | str]) -> tuple[str, bool, str]:
    path, part = key
    return path, bool(part), str(part)


def _cell(asks: Sequence[Ask], known: Known, time: datetime) -> Cell:
    judged = [_state(ask.requirement, known, time) for ask in asks]
    state, reason, used = min(judged, key=lambda each: each[0].rank)
    asked = asks[0].requirement
    parts = tuple(_measured_parts(asked, known, time)) if asked.slice == WORST else ()
    return Cell(
        asked.path,
        asked.slice,
        state,
        reason,
        tuple(dict.fromkeys(ask.by for ask in asks)),
        parts,
        tuple(dict.fromkeys(name for name in used.evidence if name)),
    )


def _state(asked: Requirement, known: Known, time: datetime) -> tuple[State, str, Judged]:
    judged = judge(_whole(asked, known), known.facts, time)
    state = _STATES.get(judged.outcome, State.NOT_EVALUATED)
    if judged.facts and state in {State.EVALUATED, State.UNDERPOWERED}:
        newest = max(fact.source.time for fact in judged.facts)
        if judged.outcome is Outcome.MET and is_own_word(judged):
            return State.NOT_EVALUATED, f"{judged.reason}, and nobody but its maker says so", judged
        if asked.max_age is not None and time - newest > asked.max_age:
            return State.STALE, f"{judged.reason}; it was measured {(time - newest).days} days ago", judged
        if reason := next(filter(None, (known.superseded(fact.source) for fact in judged.facts)), ""):
            return State.STALE, reason, judged
    return state, judged.reason, judged


def _whole(asked: Requirement, known: Known) -> Requirement:
    """Ask for the whole where only presence is asked for: a part of it does not fill its cell.

    What a check says is no part: the slice of a licence or an architecture tells where it stands.
    """
    found = known.facts.find(asked.path)
    if asked.op is not Operator.PRESENT or asked.slice or any(check_of(fact.source.statement) for fact in found):
        return asked
    values = tuple(dict.fromkeys(fact.value for fact in found if not fact.slice))
    return replace(asked, op=Operator.IN, value=values)


def _measured_parts(asked: Requirement, known: Known, time: datetime) -> Iterator[tuple[Part, State]]:
    places = dict.fromkeys(fact.place for fact in known.facts.find(asked.path) if fact.slice)
    for place in sorted(places):
        yield place, _state(replace(asked, slice=dict(place)), known, time)[0]


def of_context(context: Context) -> Iterator[Ask]:
    """Yield what a context asks to be measured."""
    for demand in context.demands:
        for each in (demand, *demand.beside):
            yield Ask(each.requirement, f"context {context.name}")


def of_claims(claims: Iterable[Claim]) -> Iterator[Ask]:
    """Yield what a card claims, and so has to be measured."""
    for claim in claims:
        if claim.requirement is not None:
            yield Ask(claim.requirement, claim.id if claim.kind == "scope" else "the card")


def of_template(template: Template, claims: Iterable[Claim]) -> Iterator[Ask]:
    """Yield what a template asks the card to claim, and the card does not.

    A template names how the path of a claim begins (``eval``); what a card claims under it stands for it.
    """
    claimed = [claim.requirement.path for claim in claims if claim.requirement is not None]
    for asked in template.asked:
        if asked.what == "claim" and not any(path == asked.id or path.startswith(f"{asked.id}.") for path in claimed):
            yield Ask(Requirement(asked.id, asked.id, Operator.PRESENT), f"template {template.id}")


def to_json(matrix: Matrix) -> dict[str, Any]:
    """Write a matrix as JSON."""
    return {
        "counts": {state.value: count for state, count in matrix.counts.items()},
        "cells": [
            {
                "path": cell.path,
                "slice": cell.slice if isinstance(cell.slice, str) else dict(cell.slice),
                "state": cell.state.value,
                "reason": cell.reason,
                "asked_by": list(cell.asked_by),
                "parts": [{"slice": dict(part), "state": state.value} for part, state in cell.parts],
                "statements": list(cell.statements),
            }
            for cell in matrix.cells
        ],
    }
