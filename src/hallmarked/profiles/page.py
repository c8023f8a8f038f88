"""A profile as one HTML file that asks nobody for anything, runs nothing, and prints.

The filters are radio buttons and style rules: without a script, and without the rules everything shows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib.resources import files
from itertools import groupby

import jinja2
from markupsafe import Markup

from hallmarked.cards.sheet import sheet
from hallmarked.cards.sheet.sheet import open_templates
from hallmarked.core.evidence import Subject
from hallmarked.profiles.framework import Audience
from hallmarked.profiles.language import Text, pick, say
from hallmarked.profiles.mapping import Namesake
from hallmarked.profiles.profile import Profile, Row, State

SHAPES = {
    State.EVIDENCED: "pass",
    State.DOCUMENTED: "written",
    State.ORGANISATIONAL: "people",
    State.NOT_APPLICABLE: "none",
    State.OPEN: "unknown",
}
"""Which mark stands for a state."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice of a filter."""

    id: str
    """Of its button; also the class of the controls it shows."""
    label: str
    count: int


@dataclass(frozen=True, slots=True)
class Filter:
    """Choices of which one holds."""

    id: str
    label: str
    choices: Sequence[Choice]


@dataclass(frozen=True, slots=True)
class StateRow:
    """A state, how many controls have it, and what it means."""

    state: str
    shape: str
    word: str
    count: int
    about: str


@dataclass(frozen=True, slots=True)
class ControlRow:
    """A control and what it comes to."""

    id: str
    reference: str
    classes: str
    state: str
    shape: str
    word: str
    summary: str
    language: str
    """Of the summary."""
    why: str
    notes: str
    """Page, printed form and tags."""
    rests_on: Sequence[str]
    namesake: str
    """That the same id means something else in another edition; empty when it does not."""
    namesake_summary: str


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A heading and the controls below it."""

    id: str
    title: str
    rows: Sequence[ControlRow]


@dataclass(frozen=True, slots=True)
class WithheldRow:
    """A control whose answer is not shown."""

    id: str
    summary: str
    who: str


@dataclass(frozen=True, slots=True)
class Page:
    """Everything the template may use."""

    language: str
    css: Markup
    marks: Markup
    title: str
    subject: str
    about: str
    """For what and when it was answered."""
    edition: str
    digest: str
    audience: str
    note: str
    states: Sequence[StateRow]
    filters: Sequence[Filter]
    groups: Sequence[GroupRow]
    withheld: Sequence[WithheldRow]
    restricted: bool
    """Whether it is for an audience that may not see everything."""
    command: str
    words: Mapping[str, str]
    """Labels of the page."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown beside a profile."""

    subject: Subject
    time: datetime
    language: str = "en"
    namesakes: Mapping[str, Namesake] = field(default_factory=dict)
    command: str = ""
    """The command that gives the same page."""


def render_page(profile: Profile, shown: Shown) -> str:
    """Return the page.

    Args:
        profile: The controls and their states.
        shown: For what, when and in which language.
    """
    return _template().render(page=_page(profile, shown))


def _page(profile: Profile, shown: Shown) -> Page:
    framework, language = profile.framework, shown.language
    filters = _filters(profile, language)
    audience = "" if profile.audience is None else _say("page-for", language, audience=_audience(profile.audience))
    day = shown.time.date().isoformat()
    return Page(
        language=language,
        css=Markup(sheet.style() + _resource("profile.css") + _rules(filters)),  # noqa: S704 -- our own
        marks=Markup(sheet.marks()),  # noqa: S704 -- our own file
        title=pick(framework.title, language),
        subject=shown.subject.name,
        about=_say("page-about", language, name=shown.subject.name, date=day),
        edition=_say("page-edition", language, edition=framework.edition, date=framework.date, source=framework.source),
        digest=" · ".join(f"{name} {value}" for name, value in shown.subject.digest.items()),
        audience=audience,
        note=pick(framework.note, language),
        states=_states(profile, language),
        filters=filters,
        groups=_groups(profile, shown),
        withheld=[
            WithheldRow(
                each.control.id,
                pick(each.control.summary, language),
                _say("page-withheld-who", language, audience=_audiences(each.audience)),
            )
            for each in profile.withheld
        ],
        restricted=profile.audience is not None,
        command=shown.command,
        words={key.removeprefix("page-"): _say(key, language) for key in _LABELS},
    )


_LABELS = (
    "page-profile", "page-skip", "page-counts", "page-filter", "page-all", "page-controls", "page-rests",
    "page-rests-nothing", "page-withheld", "page-withheld-none", "page-verify", "page-verify-text", "page-footer",
)  # fmt: skip


def _say(key: str, language: str, **values: Text | str) -> str:
    return pick(say(key, **values), language)


def _audience(audience: Audience) -> Text:
    return say(f"audience-{audience}")


def _audiences(listed: Sequence[Audience]) -> Text:
    texts = [_audience(each) for each in listed]
    return {language: ", ".join(pick(text, language) for text in texts) for language in ("en", "es")}


def _states(profile: Profile, language: str) -> list[StateRow]:
    return [
        StateRow(state, SHAPES[state], _say(f"state-{state}", language), count, _say(f"about-{state}", language))
        for state, count in profile.counts.items()
    ]


def _filters(profile: Profile, language: str) -> list[Filter]:
    """Return a filter for each thing that the controls differ in."""
    rows, framework = profile.rows, profile.framework
    functions = list(dict.fromkeys(_function(profile, row) for row in rows))
    tags = [tag for tag in framework.tags if any(tag in row.control.tags for row in rows)]
    made = [
        Filter(
            "s",
            _say("page-state", language),
            [Choice(f"s-{state}", _say(f"state-{state}", language), n) for state, n in profile.counts.items() if n],
        ),
        Filter(
            "f",
            _say("page-function", language),
            [
                Choice(f"f-{number}", name, sum(_function(profile, row) == name for row in rows))
                for number, name in enumerate(functions)
                if name
            ],
        ),
        Filter(
            "t",
            _say("page-tag", language),
            [
                Choice(f"t-{number}", pick(framework.tags[tag], language), sum(tag in r.control.tags for r in rows))
                for number, tag in enumerate(framework.tags)
                if tag in tags
            ],
        ),
    ]
    return [each for each in made if len(each.choices) > 1]


def _rules(filters: Sequence[Filter]) -> str:
    """Return the style rules that hide what is not chosen."""
    return "".join(
        f"body:has(#{choice.id}:checked) .control:not(.{choice.id}),"
        f"body:has(#{choice.id}:checked) .group:not(:has(.{choice.id})){{display:none}}\n"
        for each in filters
        for choice in each.choices
    )


def _function(profile: Profile, row: Row) -> str:
    return profile.framework.groups[row.control.group].function


def _groups(profile: Profile, shown: Shown) -> list[GroupRow]:
    framework, language = profile.framework, shown.language
    functions = list(dict.fromkeys(_function(profile, row) for row in profile.rows))
    tags = list(framework.tags)
    made = []
    for name, rows in groupby(profile.rows, key=lambda row: row.control.group):
        listed = [
            _control(
                profile,
                row,
                shown,
                " ".join(
                    [f"s-{row.state}", f"f-{functions.index(_function(profile, row))}"]
                    + [f"t-{tags.index(tag)}" for tag in row.control.tags]
                ),
            )
            for row in rows
        ]
        made.append(GroupRow(name, pick(framework.groups[name].title, language), listed))
    return made


def _control(profile: Profile, row: Row, shown: Shown, classes: str) -> ControlRow:
    control, framework, language = row.control, profile.framework, shown.language
    notes = [pick(framework.tags[tag], language) for tag in control.tags]
    if control.page is not None:
        notes.append(_say("page-page", language, page=str(control.page)))
    if control.printed_id:
        notes.append(_say("page-printed", language, printed=control.printed_id))
    alike = shown.namesakes.get(control.id)
    return ControlRow(
        id=control.id,
        reference=framework.reference(control),
        classes=classes,
        state=row.state,
        shape=SHAPES[row.state],
        word=_say(f"state-{row.state}", language),
        summary=pick(control.summary, language),
        language=language if language in control.summary else "en",
        why=pick(row.why, language),
        notes=" · ".join(notes),
        rests_on=row.rests_on,
        namesake=_say("page-namesake", language, edition=alike.edition) if alike else "",
        namesake_summary=pick(alike.control.summary, language) if alike else "",
    )


def _resource(name: str) -> str:
    return (files("hallmarked.profiles") / name).read_text(encoding="utf-8")


@cache
def _template() -> jinja2.Template:
    return open_templates("hallmarked.profiles").get_template("profile.html.j2")
