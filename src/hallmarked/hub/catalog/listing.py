"""Keep the index of repositories in step: every change to it is part of the transaction that changes the repository."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from hallmarked.hub.catalog.search import HIDDEN, label_id, prefixes, split_words
from hallmarked.hub.catalog.tag import GROUPS, groups_of, tags_of, values_of
from hallmarked.hub.database import add_new
from hallmarked.hub.schema.account import account
from hallmarked.hub.schema.repository import repository
from hallmarked.hub.schema.search import SORTS, label, posting

DERIVED = frozenset({"", "author", "word", "gate", "tag", *GROUPS})
"""Groups that follow from the repository itself; the others are set by :func:`set_labels`."""
MAX_VALUES = 50
"""Labels that may be set of one group."""


def refresh(db: Connection, repository_id: str) -> None:
    """Bring the index up to what a repository is now.

    Args:
        db: A writing transaction, which changed the repository.
        repository_id: Which one.
    """
    row = _read(db, repository_id)
    if row.deleted is not None:
        db.execute(delete(posting).where(posting.c.repository_id == repository_id))
        return
    known = _labels(db, repository_id)
    derived = {one for one, group in known.items() if group in DERIVED}
    _replace(db, row, derived, _derive(row))
    touch(db, [repository_id])


def touch(db: Connection, ids: Sequence[str]) -> None:
    """Bring the keys that listings are sorted by up to date, and who sees the repositories; nothing else changed."""
    for repository_id in ids:
        row = _read(db, repository_id)
        db.execute(update(posting).where(posting.c.repository_id == repository_id).values(**_keys(row)))


def set_labels(db: Connection, repository_id: str, group: str, values: Iterable[str]) -> None:
    """Say what a repository is found by, apart from what it says of itself; replaces what was said of that group.

    Args:
        db: A writing transaction.
        repository_id: Which one.
        group: For example ``finding`` or ``claim``; none of :data:`DERIVED`.
        values: For example the levels of what was found.
    """
    assert group not in DERIVED
    row = _read(db, repository_id)
    if row.deleted is not None:
        return
    wanted = [(group, value) for value in list(dict.fromkeys(values))[:MAX_VALUES]]
    known = {one for one, its in _labels(db, repository_id).items() if its == group}
    _replace(db, row, known, wanted)


def _read(db: Connection, repository_id: str) -> Row[Any]:
    owner = account.c
    return db.execute(
        select(repository, owner.name.label("owner"), owner.disabled.label("owner_disabled"))
        .join(account, owner.id == repository.c.owner_id)
        .where(repository.c.id == repository_id)
    ).one()


def _replace(db: Connection, row: Row[Any], known: set[int], wanted: Sequence[tuple[str, str]]) -> None:
    labels = {label_id(row.kind, group, value): (group, value.lower()) for group, value in wanted}
    if gone := known - labels.keys():
        db.execute(delete(posting).where(posting.c.repository_id == row.id, posting.c.label.in_(gone)))
    new = sorted(labels.keys() - known)  # in one order everywhere, so that two writers never wait for each other
    add_new(
        db,
        label,
        [{"id": one, "kind": row.kind, "group": labels[one][0], "value": labels[one][1]} for one in new],
    )
    keys = _keys(row)
    add_new(db, posting, [{"repository_id": row.id, "label": one, **keys} for one in new])


def _labels(db: Connection, repository_id: str) -> Mapping[int, str]:
    """Return what a repository is found by: labels and their groups."""
    rows = db.execute(
        select(posting.c.label, label.c.group)
        .join(label, label.c.id == posting.c.label)
        .where(posting.c.repository_id == repository_id)
    )
    return {row.label: row.group for row in rows}


def _derive(row: Row[Any]) -> Sequence[tuple[str, str]]:
    card = row.card if isinstance(row.card, dict) else {}
    titles = [text for field in ("pretty_name", "model_name", "title") for text in values_of(card.get(field))]
    words = split_words(" ".join([row.owner, row.name, *titles]))
    return [
        ("", ""),
        ("author", row.owner),
        ("gate", row.gate or "no"),
        *([("gate", "yes")] if row.gate else []),
        *(("word", prefix) for word in words for prefix in prefixes(word)),
        *(("tag", tag) for tag in tags_of(row.kind, card, gate=row.gate)),
        *((group, value) for group, values in groups_of(row.kind, card).items() for value in values),
    ]


def _keys(row: Row[Any]) -> dict[str, Any]:
    hidden = row.disabled or row.owner_disabled is not None
    audience = HIDDEN if hidden else row.owner_id if row.visibility == "private" else ""
    return {"audience": audience, **{name: getattr(row, name) for name in SORTS}}
