"""What a framework's controls come to for one artifact: a pure function of what is stated.

Every control has exactly one state and one sentence that says why. Of several things that could be said, the order is:
it does not apply; evidence says otherwise, or is disputed; evidence shows it; somebody documented it; only people can
show it; it is open.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from hallmarked.core.evidence import Outcome as Verdict
from hallmarked.policy.fact import Fact, Facts
from hallmarked.policy.requirement import Judged, Outcome, Requirement, judge
from hallmarked.profiles.framework import Answer, Audience, Control, Framework
from hallmarked.profiles.language import Text, pick, say

RECORD = "record.control"
"""Facts of signed records in which somebody answers a control."""
MOST_FACTS = 3
"""Facts named in one sentence."""
MOST_TEXT = 600


class State(StrEnum):
    """What a control comes to."""

    EVIDENCED = "evidenced"
    """Statements by checks or evaluations show it."""
    DOCUMENTED = "documented"
    """Somebody wrote it down, on the card or in a signed record."""
    ORGANISATIONAL = "organisational"
    """Only people can show it."""
    NOT_APPLICABLE = "not-applicable"
    OPEN = "open"
    """Evidence could answer it, and none does."""


@dataclass(frozen=True, slots=True)
class Row:
    """A control and what it comes to."""

    control: Control
    state: State
    why: Text
    """One sentence."""
    rests_on: tuple[str, ...] = ()
    """Ids of the statements it rests on."""
    facts: tuple[Fact, ...] = ()
    """What decided."""


@dataclass(frozen=True, slots=True)
class Withheld:
    """A control whose answer the audience may not see."""

    control: Control
    audience: tuple[Audience, ...]
    """Who may."""


@dataclass(frozen=True, slots=True)
class Profile:
    """An edition of a framework, answered for one artifact."""

    framework: Framework
    rows: tuple[Row, ...]
    audience: Audience | None = None
    """Whom it is for; None for whoever may see everything."""
    withheld: tuple[Withheld, ...] = ()

    @property
    def counts(self) -> Mapping[State, int]:
        """Count the controls of each state; states that none has are 0."""
        counted = Counter(row.state for row in self.rows)
        return {state: counted[state] for state in State}

    def row(self, control_id: str) -> Row | None:
        """Return the row of a control; None when it is withheld or there is none."""
        return next((row for row in self.rows if row.control.id == control_id), None)


def build_profile(framework: Framework, facts: Facts, time: datetime, audience: Audience | None = None) -> Profile:
    """Answer every control of an edition.

    Args:
        framework: The edition.
        facts: What is stated about the artifact.
        time: When it is asked; decides what is too old.
        audience: Whom it is for. What they may not see is listed as withheld, without its answer.
    """
    conditions = {name: _holds(condition.when, facts, time) for name, condition in framework.conditions.items()}
    records = _records(framework, facts)
    settled: dict[str, _Settled] = {}
    rows: list[Row] = []
    withheld: list[Withheld] = []
    for control in framework.controls:
        if audience is not None and audience not in control.audience:
            withheld.append(Withheld(control, tuple(sorted(control.audience))))
            continue
        answer = framework.answers[control.answer]
        excluded = _excluded(framework, (*control.unless, *answer.unless), conditions)
        if excluded is None and answer.id not in settled:
            settled[answer.id] = _settle(answer, facts, time)
        found = excluded or settled[answer.id]
        record = records.get(control.id)
        if record is not None and found.answerable:
            rows.append(_recorded(control, record, found))
        else:
            rows.append(Row(control, found.state, found.why, _ids(found.judged), _facts_of(found.judged)))
    return Profile(framework, tuple(rows), audience, tuple(withheld))


def select(
    profile: Profile,
    *,
    states: Collection[State] | None = None,
    tags: Collection[str] = (),
    functions: Collection[str] = (),
) -> Profile:
    """Keep the rows somebody asked for; of an empty collection, or None, all.

    Args:
        profile: All rows.
        states: States to keep.
        tags: Risks or subjects of which a control has one.
        functions: Parts of the framework.
    """
    groups = profile.framework.groups

    def wanted(control: Control) -> bool:
        tagged = not tags or bool(set(tags) & set(control.tags))
        return tagged and (not functions or groups[control.group].function in functions)

    rows = tuple(row for row in profile.rows if wanted(row.control) and (not states or row.state in states))
    withheld = tuple(each for each in profile.withheld if wanted(each.control))
    return replace(profile, rows=rows, withheld=withheld)


@dataclass(frozen=True, slots=True)
class _Settled:
    """What evidence makes of an answer, whichever control asks."""

    state: State
    why: Text
    judged: tuple[Judged, ...] = ()
    answerable: bool = False
    """Whether a signed record may answer instead: not where evidence shows it, or says otherwise."""


def _excluded(framework: Framework, unless: Sequence[str], conditions: Mapping[str, Judged | None]) -> _Settled | None:
    for name in unless:
        judged = conditions[name]
        if judged is not None:
            why = say("not-applicable", reason=framework.conditions[name].reason, facts=_named((judged,)))
            return _Settled(State.NOT_APPLICABLE, why, (judged,))
    return None


def _settle(answer: Answer, facts: Facts, time: datetime) -> _Settled:
    judged = tuple(judge(requirement, facts, time) for requirement in answer.evidence)
    if answer.any_of:
        judged += (_best([judge(requirement, facts, time) for requirement in answer.any_of]),)
    if judged and all(one.outcome is Outcome.MET for one in judged):
        return _Settled(State.EVIDENCED, say("evidenced", shows=answer.shows, facts=_named(judged)), judged)
    seen = sorted(
        (one for one in judged if one.facts and one.outcome is not Outcome.MET), key=lambda one: one.outcome.rank
    )
    against = bool(seen) and seen[0].outcome in {Outcome.FAILS, Outcome.DISPUTED} and not _unfinished(seen[0])
    documents = () if against else next(filter(None, (_all(each, facts, time) for each in answer.documents)), ())
    if documents:
        return _Settled(State.DOCUMENTED, say("documented", facts=_named(documents)), documents)
    if answer.organisational and not against:
        return _Settled(State.ORGANISATIONAL, say("organisational", needs=answer.needs), answerable=True)
    if seen:
        how = "unfinished" if _unfinished(seen[0]) else seen[0].outcome
        why = say(f"open-{how}", needs=answer.needs, facts=_named(seen[:1]))
        return _Settled(State.OPEN, why, (seen[0],), answerable=not against)
    return _Settled(State.OPEN, say("open", needs=answer.needs), answerable=True)


def _best(judged: Sequence[Judged]) -> Judged:
    """Return the first of several that is met; else one that somebody stated something about, worst first."""
    met = [one for one in judged if one.outcome is Outcome.MET]
    stated = sorted((one for one in judged if one.facts), key=lambda one: one.outcome.rank)
    return [*met, *stated, *judged][0]


def _unfinished(judged: Judged) -> bool:
    """Say whether all that speaks against a requirement is that a check did not come to its end."""
    return all(fact.path.startswith("check.") and fact.value == Verdict.UNKNOWN for fact in judged.facts)


def _holds(requirements: Sequence[Requirement], facts: Facts, time: datetime) -> Judged | None:
    """Return the first requirement that is met."""
    for requirement in requirements:
        judged = judge(requirement, facts, time)
        if judged.outcome is Outcome.MET:
            return judged
    return None


def _all(requirements: Sequence[Requirement], facts: Facts, time: datetime) -> tuple[Judged, ...]:
    """Return what requirements came to when all are met, otherwise nothing."""
    judged = tuple(judge(requirement, facts, time) for requirement in requirements)
    return judged if all(one.outcome is Outcome.MET for one in judged) else ()


def _records(framework: Framework, facts: Facts) -> dict[str, Fact]:
    """Return the newest answer to each control of an edition that somebody signed whom somebody here trusts."""
    known = {framework.reference(control): control.id for control in framework.controls}
    found: dict[str, Fact] = {}
    for fact in facts.find(RECORD):
        control = known.get(fact.slice.get("control", ""))
        if control and fact.slice.get("state") in _RECORDED and fact.current and fact.source.role:
            found[control] = fact
    return found


_RECORDED = {
    "documented": State.DOCUMENTED,
    "not-applicable": State.NOT_APPLICABLE,
    "organisational": None,
    "planned": None,
}
"""What a record's state makes of a control; None leaves it as it is, and the record is told beside it."""


def _recorded(control: Control, fact: Fact, found: _Settled) -> Row:
    said = fact.slice
    texts = (said.get("where", ""), said.get("reason", ""))
    words = " · ".join(text.strip()[:MOST_TEXT] for text in texts if text.strip())
    values: dict[str, Text | str] = {
        "by": said.get("by", "")[:200] or fact.source.signer,
        "signer": fact.source.signer or say("unnamed-signer"),
        "text": words or say("no-text"),
        "needs": found.why,
    }
    state = _RECORDED[said["state"]] or found.state
    why = say(f"record-{said['state']}", **values)
    return Row(control, state, why, (*_ids(found.judged), fact.source.id), (*_facts_of(found.judged), fact))


def _facts_of(judged: Sequence[Judged]) -> tuple[Fact, ...]:
    return tuple(fact for one in judged for fact in one.facts)


def _ids(judged: Sequence[Judged]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for one in judged for name in one.evidence))


def _named(judged: Sequence[Judged]) -> Text:
    """Name what decided: paths and values, the same in every language but for the words between them."""
    facts = list(
        dict.fromkeys((fact.path, fact.place, fact.value, fact.n, fact.unit) for one in judged for fact in one.facts)
    )
    shown = [_fact(*fact) for fact in facts[:MOST_FACTS]]
    joined = {language: "; ".join(pick(each, language) for each in shown) for language in ("en", "es")}
    hidden = len(facts) - len(shown)
    return say("more", facts=joined, count=str(hidden)) if hidden else joined


def _fact(path: str, place: tuple[tuple[str, str], ...], value: str, n: int | None, unit: str) -> Text:
    """Name a fact: in words where it is one that everybody meets, else by its path."""
    where = dict(place)
    if path == "card.section.filled" and where.get("section"):
        return say("fact-section", section=where["section"][:80])
    if path == "scope.digest":
        return say("fact-scope")
    if path.startswith("record."):
        return say("fact-record", name=path.removeprefix("record.")[:80])
    if path.startswith("check.") and path.count(".") == 1 and value in set(Verdict):
        return say(f"fact-check-{value}", name=path.removeprefix("check.")[:80])
    part = ", ".join(f"{name} {text[:80]}" for name, text in place)
    named = f"{path} ({part})" if part else path
    measured = f"{value[:80]} {unit}".strip()
    if n is None:
        return {"en": f"{named} = {measured}"}
    return {language: f"{named} = {text}" for language, text in say("of", value=measured, n=f"{n:,}").items()}
