"""Profiles: what each control of a framework comes to for a revision, never blank."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import groupby

from starlette.requests import Request

from hallmarked.core.errors import InputError, NotFound
from hallmarked.hub.clock import now, to_datetime
from hallmarked.hub.review.attested import list_places
from hallmarked.profiles.framework import Audience
from hallmarked.profiles.language import say
from hallmarked.profiles.mapping import Namesake
from hallmarked.profiles.profile import Profile as Answered
from hallmarked.profiles.profile import Row, State, build_profile, select
from hallmarked.profiles.registry import editions, load, namesakes_of
from hallmarked.profiles.run.pack import Pack, load_pack, shipped
from hallmarked.profiles.run.render import review_lines
from hallmarked.profiles.run.review import review
from hallmarked.web.address import param
from hallmarked.web.page.repository import KINDS, Head, Opened, open_page
from hallmarked.web.render import Page, context

LANGUAGES = ("en", "es")
"""Languages that the rules of training runs are written in."""
MOST_STATEMENTS = 5
"""Statements named beside one control."""
Text = Mapping[str, str]


@context
class Count:
    """How many controls have a state."""

    state: str
    """``evidenced``, ``documented``, ``organisational``, ``not-applicable`` or ``open``."""
    word: Text
    """What it is called, by language."""
    about: Text
    """What it means, by language."""
    count: int
    """How many."""


@context
class Hidden:
    """A control whose answer the reader may not see here."""

    id: str
    """Its id in the edition."""
    summary: Text
    """What is asked, in our own words, by language."""
    who: tuple[Text, ...]
    """Who may, by language."""


@context
class Listed:
    """An edition of a framework, and what it comes to."""

    name: str
    """``FRAMEWORK/EDITION``."""
    title: Text
    """What it is called, by language."""
    published: str
    """When the edition was published."""
    counts: tuple[Count, ...]
    """How many controls have each state."""


@context
class Run:
    """A training run that was planned, and where it stands."""

    statement: str
    """Id of the statement that holds the plan."""
    entry: int | None
    """Its place in the ledger."""
    late: bool
    """Whether the plan was logged after the first step."""
    timing: Text
    """When it was logged, as a sentence, by language."""
    lines: Mapping[str, tuple[str, ...]]
    """What was planned, what changed, and what it comes to under each pack of rules, by language."""


@context
class Profiles:
    """The frameworks that a revision can be held against."""

    head: Head
    """What stands on top."""
    profiles: tuple[Listed, ...]
    """Every edition."""
    runs: tuple[Run, ...]
    """Training runs that were planned, the oldest plan first."""
    problem: str
    """Why the runs cannot be shown; empty when they are."""


@context
class Answer:
    """A control, and what it comes to."""

    id: str
    """Its id in the edition."""
    reference: str
    """Its id with framework and edition."""
    summary: Text
    """What is asked, in our own words, by language."""
    state: str
    """What it comes to."""
    word: Text
    """What that is called, by language."""
    why: Text
    """Why, by language."""
    statements: tuple[tuple[str, int | None], ...]
    """What it rests on: id of the statement, and its place in the ledger."""
    elsewhere: str
    """When the same id means something else in another edition: that control; empty otherwise."""
    elsewhere_summary: Text
    """What it means there."""


@context
class Part:
    """A heading and the controls below it."""

    id: str
    """Its id."""
    title: Text
    """What it is called, by language."""
    answers: tuple[Answer, ...]
    """Its controls."""


@context
class Profile:
    """An edition of a framework, answered for a revision."""

    head: Head
    """What stands on top."""
    name: str
    """``FRAMEWORK/EDITION``."""
    title: Text
    """What it is called, by language."""
    source: str
    """Where the original is found."""
    published: str
    """When the edition was published."""
    note: Text
    """What readers should know of the summaries, by language."""
    digest: str
    """SHA-256 of what is asked."""
    counts: tuple[Count, ...]
    """How many controls have each state."""
    shown: str
    """The state that is shown alone; empty for all."""
    audience: str
    """Whom the answers are for; empty for whoever looks after the repository, who sees all."""
    audiences: tuple[tuple[str, Text], ...]
    """Whom the reader may show it for; empty for readers who may not choose."""
    withheld: tuple[Hidden, ...]
    """Controls whose answers are not for them."""
    parts: tuple[Part, ...]
    """What is shown, by heading."""


def show_profiles(request: Request, kind: str) -> Profiles:
    """List the frameworks there are, with what each comes to."""
    with open_page(request, kind) as opened:
        time = to_datetime(now())
        listed = []
        for framework, names in editions().items():
            for edition in names:
                known = load(f"{framework}/{edition}")
                profile = build_profile(known, opened.known.facts, time, _audience(request, opened))
                listed.append(Listed(known.name, dict(known.title), known.date, _counts(profile)))
        try:
            runs, problem = tuple(_runs(opened)), ""
        except InputError as error:  # whoever states a plan whose numbers make no sense takes only the runs away
            runs, problem = (), str(error)
        return Profiles(opened.head, tuple(listed), runs, problem)


def _runs(opened: Opened) -> Iterator[Run]:
    places = list_places(opened.hub, opened.db, opened.repo)
    for one in review(opened.stated, _packs(), to_datetime(now())):
        name = one.plan.source.id
        lines = {language: tuple(review_lines(one, language)) for language in LANGUAGES}
        yield Run(name, places.get(name), one.is_late, dict(one.timing_text), lines)


@cache
def _packs() -> Sequence[Pack]:
    return tuple(map(load_pack, shipped()))


def show_profile(request: Request, kind: str) -> Profile:
    """Answer one edition of a framework.

    Raises:
        NotFound: When there is no such edition.
    """
    with open_page(request, kind, name="main") as opened:
        framework = load(_named(request))
        audience = _audience(request, opened)
        whole = build_profile(framework, opened.known.facts, to_datetime(now()), audience)
        wanted = request.query_params.get("state", "")
        chosen = select(whole, states={State(wanted)}) if wanted in set(State) else whole
        places = list_places(opened.hub, opened.db, opened.repo)
        alike = namesakes_of(framework)
        parts = []
        for group, rows in groupby(chosen.rows, lambda row: row.control.group):
            answers = tuple(_answer(chosen, row, places, alike) for row in rows)
            parts.append(Part(group, dict(framework.groups[group].title), answers))
        return Profile(
            opened.head,
            framework.name,
            dict(framework.title),
            framework.source,
            framework.date,
            dict(framework.note),
            framework.digest,
            _counts(whole),
            wanted if wanted in set(State) else "",
            audience or "",
            tuple((each.value, dict(say(f"audience-{each}"))) for each in Audience) if _may_choose(opened) else (),
            tuple(
                Hidden(
                    each.control.id,
                    dict(each.control.summary),
                    tuple(dict(say(f"audience-{who}")) for who in each.audience),
                )
                for each in whole.withheld
            ),
            tuple(parts),
        )


def _may_choose(opened: Opened) -> bool:
    return opened.head.may_manage or opened.head.may_review


def _audience(request: Request, opened: Opened) -> Audience | None:
    """Return whom a profile is for: the public, unless somebody who looks after the repository asks for more."""
    asked = request.query_params.get("for", "")
    if not _may_choose(opened):
        return Audience.PUBLIC
    return Audience(asked) if asked in set(Audience) else None


def _named(request: Request) -> str:
    """Return the edition that the address names.

    Raises:
        NotFound: When there is none of that name.
    """
    framework, edition = param(request, "framework"), param(request, "edition")
    if edition not in editions().get(framework, ()):
        raise NotFound("there is no such edition of a framework")
    return f"{framework}/{edition}"


def _counts(profile: Answered) -> tuple[Count, ...]:
    return tuple(
        Count(state.value, dict(say(f"state-{state}")), dict(say(f"about-{state}")), count)
        for state, count in profile.counts.items()
    )


def _answer(profile: Answered, row: Row, places: Mapping[str, int], alike: Mapping[str, Namesake]) -> Answer:
    control = row.control
    namesake = alike.get(control.id)
    return Answer(
        control.id,
        profile.framework.reference(control),
        dict(control.summary),
        row.state.value,
        dict(say(f"state-{row.state}")),
        dict(row.why),
        tuple((name, places.get(name)) for name in row.rests_on[:MOST_STATEMENTS]),
        f"{profile.framework.id}/{namesake.edition}#{control.id}" if namesake else "",
        dict(namesake.control.summary) if namesake else {},
    )


PAGES = (
    Page("/{owner}/{name}/profiles", "repository/profiles.html.j2", show_profiles, KINDS),
    Page("/{owner}/{name}/profiles/{framework}/{edition}", "repository/profile.html.j2", show_profile, KINDS),
)
