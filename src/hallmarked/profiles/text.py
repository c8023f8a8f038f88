"""A profile for a terminal: counts first, then every control."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from itertools import groupby

from hallmarked.core.text import clean
from hallmarked.profiles.language import pick, say
from hallmarked.profiles.page import Shown
from hallmarked.profiles.profile import Profile, Row, State

MARKS = {
    State.EVIDENCED: "✔",
    State.DOCUMENTED: "≡",
    State.ORGANISATIONAL: "○",
    State.NOT_APPLICABLE: "–",
    State.OPEN: "?",
}
WIDTH = 100

Paint = Callable[[str, str], str]
"""Colours a text for a state, or leaves it alone."""


def plain(text: str, state: str) -> str:
    """Leave a text as it is."""
    del state
    return text


def render_text(profile: Profile, shown: Shown, *, paint: Paint = plain, states: frozenset[State] | None = None) -> str:
    """Return a profile as text.

    Args:
        profile: The controls and their states.
        shown: For what, when and in which language.
        paint: How to colour a text, given a state.
        states: Which states to list; all when None. The counts are always of all.
    """
    return "\n".join([*_head(profile, shown, paint), *_groups(profile, shown, paint, states), *_end(profile, shown)])


def _head(profile: Profile, shown: Shown, paint: Paint) -> Iterator[str]:
    framework, language = profile.framework, shown.language
    yield clean(f"{pick(framework.title, language)}  {framework.name}")
    day = shown.time.date().isoformat()
    yield clean(pick(say("page-about", name=shown.subject.name, date=day), language))
    yield ""
    for state, count in profile.counts.items():
        word = pick(say(f"state-{state}"), language)
        about = pick(say(f"about-{state}"), language)
        yield f"{paint(f'{MARKS[state]} {word:<16}', state)}{count:>5}  {about}"
    yield ""


def _groups(profile: Profile, shown: Shown, paint: Paint, states: frozenset[State] | None) -> Iterator[str]:
    framework, language = profile.framework, shown.language
    listed = [row for row in profile.rows if states is None or row.state in states]
    for name, rows in groupby(listed, key=lambda row: row.control.group):
        yield clean(f"{name}  {pick(framework.groups[name].title, language)}")
        for row in rows:
            yield from _row(row, shown, paint)
        yield ""


def _row(row: Row, shown: Shown, paint: Paint) -> Iterator[str]:
    language, control = shown.language, row.control
    word = pick(say(f"state-{row.state}"), language)
    yield f"  {paint(f'{MARKS[row.state]} {word}', row.state)}  {control.id}"
    yield from _wrapped(pick(control.summary, language))
    yield from _wrapped("→ " + pick(row.why, language))
    if alike := shown.namesakes.get(control.id):
        said = pick(say("page-namesake", edition=alike.edition), language)
        yield from _wrapped(f"! {said} {pick(alike.control.summary, language)}")


def _wrapped(text: str) -> Iterator[str]:
    return (f"      {line}" for line in textwrap.wrap(clean(text), WIDTH - 6, break_long_words=False))


def _end(profile: Profile, shown: Shown) -> Iterator[str]:
    if profile.audience is None:
        return
    yield pick(say("page-withheld"), shown.language)
    for each in profile.withheld:
        yield f"  {each.control.id}  {clean(pick(each.control.summary, shown.language))}"
    if not profile.withheld:
        yield f"  {pick(say('page-withheld-none'), shown.language)}"
    yield ""
