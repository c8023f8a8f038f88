"""Which repositories may be searched for passages by outsiders, and the index of each."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Table, Text

from hallmarked.hub.schema.base import metadata, moment, refers

passage_index = Table(
    "passage_index",
    metadata,
    refers("repository_id", "repository.id", primary_key=True),
    Column("revision", Text, nullable=False, default=""),  # the commit that is indexed; empty: none is
    Column("folder", Text, nullable=False, default=""),  # name of the index's folder; empty: there is none
    Column("documents", BigInteger, nullable=False, default=0),
    Column("missing", BigInteger, nullable=False, default=0),  # rows or parts that could not be read
    Column("tried", Text, nullable=False, default=""),  # the commit of which an index was begun last
    Column("reason", Text, nullable=False, default=""),  # why that has none; empty when it has one, or is being made
    moment("claimed", nullable=True),  # when a process began to make one
    moment("created"),
)
Index(None, passage_index.c.claimed)
