"""Find repositories: listings and search whose cost grows with the page, not with the number of repositories.

An inverted index lies in two tables. A *label* is anything a repository is found by: its kind, its author, a licence, a
tag, the beginning of a word of its name. A *posting* joins a label and a repository and carries every key that listings
are sorted by, so that a page is read from one index in order. Of several labels the rarest leads; the others are looked
up for each repository it leads to. See :mod:`hallmarked.hub.catalog.listing` for how the index is kept.
"""

from __future__ import annotations

import hashlib
import heapq
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, exists, func, literal, or_, select, tuple_

from hallmarked.core.errors import InputError
from hallmarked.hub.access import Actor
from hallmarked.hub.schema.account import membership
from hallmarked.hub.schema.repository import collaborator
from hallmarked.hub.schema.search import SORTS, label, posting

MAX_PREFIX, MAX_WORDS, MAX_WORD = 16, 20, 96
"""Letters of a word by whose beginning it is found, words of a name, and letters of a word."""
MAX_LABELS = 20
"""Conditions of one search."""
MAX_COUNT = 1_000
"""Repositories of one page."""
RARE = 1_000
"""Postings after which a label counts as common."""
FIRST_LOOK, MOST_WORK = 250, 20_000
"""Postings looked at first, and at most, for one page; it may be shorter for it, and the next goes on from there."""
MAX_AUDIENCES = 100
"""Organisations whose private repositories are searched for one person."""
HIDDEN = "-"
"""Audience that nobody is."""
_WORD = re.compile(r"[a-z]+|[0-9]+|[^\W\d_a-z]+")
_PLACE = re.compile(r"(-?[0-9]{1,18}):([0-9a-f]{1,40})\Z")


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for."""

    kind: str
    """``model``, ``dataset`` or ``system``."""
    text: str = ""
    """Words; each has to be the beginning of a word of the name."""
    labels: tuple[tuple[str, str], ...] = ()
    """Group and value, for example ``("licence", "mit")``; all have to fit. See
    :data:`hallmarked.hub.catalog.tag.GROUPS`; also ``author``, ``tag``, ``gate`` (``auto``, ``manual``, ``yes``,
    ``no``) and what others set."""
    sort: str = "modified"
    """One of :data:`hallmarked.hub.schema.search.SORTS`; the greatest comes first."""
    after: str = ""
    """Where the page before this one ended."""
    count: int = 50


@dataclass(frozen=True, slots=True)
class Page:
    """Part of what was found."""

    ids: Sequence[str]
    """Of repositories, in order."""
    following: str
    """What to pass as ``after`` for the next page; empty when there is none."""


Place = tuple[int, str]
"""Sort key and id of a repository: where it stands in a listing."""


def search(db: Connection, actor: Actor, query: Query) -> Page:
    """Find the repositories that fit and that the actor may see.

    Raises:
        InputError: When the query asks for a sort or a place that there is not, or for too much.
    """
    if query.sort not in SORTS or not 0 < query.count <= MAX_COUNT:
        raise InputError(f"repositories are sorted by {', '.join(SORTS)}, at most {MAX_COUNT} at once")
    groups = [*query.labels, *(("word", word) for word in split_words(query.text))] or [("", "")]
    wanted = sorted({label_id(query.kind, group, value) for group, value in groups})
    if len(wanted) > MAX_LABELS:
        raise InputError(f"a search may have at most {MAX_LABELS} conditions")
    leader = min(wanted, key=lambda one: _frequency(db, one)) if len(wanted) > 1 else wanted[0]
    look = _Look(db, query, leader, [one for one in wanted if one != leader], _parse_place(query.after))
    audiences = _audiences(db, actor)
    # NOTE: to all but its own repositories, a token that is for some of them is a stranger
    parts = [look.read(audience) for audience in (audiences if actor.repositories is None else audiences[:1])]
    floor = max((stopped for _, stopped in parts if stopped is not None), default=None)
    streams = [places for places, _ in parts]
    if actor.account_id is not None:
        streams.append(look.read_inside(_inside(actor, audiences)))
    found = list(dict.fromkeys(heapq.merge(*streams, reverse=True)))
    if floor is not None:  # below it, one stream was not looked at
        found = [place for place in found if place >= floor]
    end = found[query.count - 1] if len(found) > query.count else floor
    return Page([place[1] for place in found[: query.count]], f"{end[0]}:{end[1]}" if end else "")


def list_values(db: Connection, kind: str, group: str, count: int = 200) -> Sequence[tuple[str, int]]:
    """List the values of a group that any public repository has or had, and how many have it, counted up to 1,000."""
    rows = db.execute(
        select(label.c.id, label.c.value)
        .where(label.c.kind == kind, label.c.group == group)
        .order_by(label.c.value)
        .limit(count)
    ).all()
    return [(row.value, number) for row in rows if (number := _frequency(db, row.id, public=True))]


def list_labels(
    db: Connection, kind: str, groups: Mapping[str, Sequence[str]], ids: Sequence[str]
) -> dict[str, set[tuple[str, str]]]:
    """Say which of some labels repositories have.

    Args:
        db: A transaction.
        kind: Of the repositories.
        groups: The values that are asked for, by group.
        ids: The repositories, as few as fit on a page.

    Returns:
        Groups and values by id of the repository; those that have none are left out.
    """
    wanted = {label_id(kind, group, value): (group, value) for group, values in groups.items() for value in values}
    where = (posting.c.repository_id.in_(ids), posting.c.label.in_(wanted))
    found: dict[str, set[tuple[str, str]]] = {}
    for row in db.execute(select(posting.c.repository_id, posting.c.label).where(*where)):
        found.setdefault(row.repository_id, set()).add(wanted[row.label])
    return found


def label_id(kind: str, group: str, value: str) -> int:
    """Return the number that stands for a label."""
    text = f"{kind}/{group}:{value.lower()}".encode("utf-8", "replace")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big", signed=True)


def split_words(text: str) -> list[str]:
    """Cut a text into the words it is found by: lower case, without accents."""
    plain = "".join(
        char for char in unicodedata.normalize("NFKD", text[:2_000]).lower() if not unicodedata.combining(char)
    )
    return list(dict.fromkeys(word[:MAX_WORD] for word in _WORD.findall(plain)))[:MAX_WORDS]


def prefixes(word: str) -> list[str]:
    """Return the beginnings by which a word is found, and the word."""
    return [*(word[:length] for length in range(1, min(len(word), MAX_PREFIX) + 1)), word]


@dataclass(frozen=True, slots=True)
class _Look:
    """One search, as it reads the postings of different audiences."""

    db: Connection
    query: Query
    leader: int
    others: Sequence[int]
    place: Place | None

    def read(self, audience: str) -> tuple[list[Place], Place | None]:
        """Return the first places that fit, and where the work ran out, if it did."""
        found: list[Place] = []
        place, look, done = self.place, FIRST_LOOK if self.others else self.query.count + 1, 0
        while len(found) <= self.query.count:
            where = [posting.c.label == self.leader, posting.c.audience == audience, *self._behind(place)]
            part = select(self._key, posting.c.repository_id).where(*where).order_by(*self._order)
            chunk = part.limit(look).subquery("chunk")
            fits = select(chunk).where(*(self._has(other, chunk.c.repository_id) for other in self.others))
            rows = self.db.execute(fits.limit(self.query.count + 1 - len(found)))
            found += [(row[0], row[1]) for row in rows]
            last = self.db.execute(part.offset(look - 1).limit(1)).first()
            if len(found) > self.query.count or last is None:
                break
            place, done = (last[0], last[1]), done + look
            if done >= MOST_WORK:
                return found, place
            look = min(4 * look, MOST_WORK)
        return found, None

    def read_inside(self, inside: ColumnElement[bool]) -> list[Place]:
        """Return the first places among private repositories that are found one by one."""
        where = [posting.c.label == self.leader, inside, posting.c.audience.not_in(("", HIDDEN))]
        where += [self._has(other, posting.c.repository_id) for other in self.others]
        part = select(self._key, posting.c.repository_id).where(*where, *self._behind(self.place))
        rows = self.db.execute(part.order_by(*self._order).limit(self.query.count + 1))
        return [(row[0], row[1]) for row in rows]

    @property
    def _key(self) -> ColumnElement[int]:
        return posting.c[self.query.sort]

    @property
    def _order(self) -> tuple[ColumnElement[int], ColumnElement[str]]:
        return self._key.desc(), posting.c.repository_id.desc()

    def _behind(self, place: Place | None) -> list[ColumnElement[bool]]:
        if place is None:
            return []
        return [tuple_(self._key, posting.c.repository_id) < tuple_(literal(place[0]), literal(place[1]))]

    @staticmethod
    def _has(other: int, repository_id: ColumnElement[str]) -> ColumnElement[bool]:
        also = posting.alias("also")
        return exists().where(also.c.repository_id == repository_id, also.c.label == other)


def _frequency(db: Connection, one: int, *, public: bool = False) -> int:
    """Count the postings of a label, up to those that make it a common one."""
    where = [posting.c.label == one, *([posting.c.audience == ""] if public else [])]
    few = select(posting.c.repository_id).where(*where).limit(RARE).subquery()
    return int(db.execute(select(func.count()).select_from(few)).scalar_one())


def _audiences(db: Connection, actor: Actor) -> Sequence[str]:
    if actor.account_id is None:
        return [""]
    rows = db.execute(
        select(membership.c.organisation_id).where(membership.c.account_id == actor.account_id).limit(MAX_AUDIENCES)
    )
    return ["", actor.account_id, *(row.organisation_id for row in rows)]


def _inside(actor: Actor, audiences: Sequence[str]) -> ColumnElement[bool]:
    """Say which private repositories are found for somebody one by one: those shared with them, or of their token."""
    mine = select(collaborator.c.repository_id).where(collaborator.c.account_id == actor.account_id)
    shared = posting.c.repository_id.in_(mine)
    if actor.repositories is None:
        return shared
    named = posting.c.repository_id.in_(sorted(actor.repositories))
    return and_(named, or_(shared, posting.c.audience.in_(audiences[1:])))


def _parse_place(text: str) -> Place | None:
    if not text:
        return None
    match = _PLACE.match(text)
    if match is None:
        raise InputError("that is not where a page ended; begin with the first one")
    return int(match[1]), match[2]
