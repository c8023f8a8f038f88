"""How the clauses of a scope stand against evidence, and where what was measured deviates from them.

A deviation is a flaw (R68): valid evidence that lies on the wrong side wholly. What settles nothing (an interval that
spans the floor, too few examples) is told of as that, and is no deviation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from hallmarked.cards.held import hold
from hallmarked.cards.known import Known
from hallmarked.cards.record import Evidence
from hallmarked.cards.scope.rule import DEVIATION
from hallmarked.cards.scope.scope import Clause, Scope
from hallmarked.cards.status import Standing, Status
from hallmarked.core.evidence import Finding, Location

SAID = Standing(Status.SELF_ASSERTED, "its maker says so; nothing is asked that could be measured")


@dataclass(frozen=True, slots=True)
class Stood:
    """A clause and how it stands."""

    clause: Clause
    standings: tuple[Standing, ...]
    """Every way in which it stands, the worst first."""
    evidence: tuple[Evidence, ...] = ()
    """What was compared with it."""

    @property
    def status(self) -> Status:
        """How it stands: of several ways, the worst."""
        return self.standings[0].status

    @property
    def deviates(self) -> bool:
        """Whether valid evidence says that the promise is not kept, whoever contests that."""
        return any(one.status is Status.CONTRADICTED for one in self.standings)


def stand(scope: Scope, known: Known, time: datetime) -> tuple[Stood, ...]:
    """Say how each clause stands, in the order of the file.

    Args:
        scope: The scope.
        known: What is stated about the thing it belongs to.
        time: When it is judged.
    """
    return tuple(_stand(clause, known, time) for clause in scope.clauses)


def _stand(clause: Clause, known: Known, time: datetime) -> Stood:
    if clause.requirement is None:
        return Stood(clause, (SAID,))
    standings, judged = hold(clause.requirement, known, time, clause.id)
    return Stood(clause, standings, tuple(map(Evidence.of_fact, judged.facts)))


def deviations(scope: Scope, stood: Sequence[Stood]) -> Iterator[Finding]:
    """Yield a finding for each clause that what was measured deviates from.

    Args:
        scope: The scope.
        stood: How its clauses stand.
    """
    for one in stood:
        if not one.deviates:
            continue
        reason = next(each.reason for each in one.standings if each.status is Status.CONTRADICTED)
        place = Location(scope.file, line=one.clause.line)
        statement = next((item.statement for item in one.evidence), "")
        message = f"{one.clause.reference}: {reason}"
        yield Finding.of(DEVIATION, message, place, clause=one.clause.reference, statement=statement)
