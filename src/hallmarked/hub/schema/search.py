"""The index that listings and search read: what repositories are found by, each with every key they are sorted by."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Table, Text

from hallmarked.hub.schema.base import metadata, refers

label = Table(
    "label",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),  # from its text, see hub.search
    Column("kind", Text, nullable=False),  # of repository: model, dataset, system
    Column("group", Text, nullable=False),  # what it says: task, licence, tag, finding, …
    Column("value", Text, nullable=False),
)
Index(None, label.c.kind, label.c.group, label.c.value)

SORTS = ("modified", "created", "downloads", "likes", "trending")

posting = Table(
    "posting",
    metadata,
    refers("repository_id", "repository.id", primary_key=True),
    Column("label", BigInteger, primary_key=True, autoincrement=False),
    Column("audience", Text, nullable=False),  # empty: everybody; else the account whose members see it
    *(Column(name, BigInteger, nullable=False) for name in SORTS),
    sqlite_with_rowid=False,
)
for _name in SORTS:
    Index(f"ix_posting_{_name}", posting.c.label, posting.c.audience, posting.c[_name], posting.c.repository_id)
