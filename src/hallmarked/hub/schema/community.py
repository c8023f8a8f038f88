"""What people say about a repository."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, Index, Table, Text

from hallmarked.hub.schema.base import identity, metadata, moment, refers

discussion = Table(
    "discussion",
    metadata,
    refers("repository_id", "repository.id", primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("title", Text, nullable=False),
    refers("account_id", "account.id", nullable=True),
    Column("status", Text, nullable=False),  # draft, open, closed, merged
    Column("pull_request", Boolean, nullable=False),
    Column("target", Text, nullable=False, default=""),  # branch a pull request is for, in full
    Column("base", Text, nullable=False, default=""),  # commit a pull request started from
    Column("merged", Text, nullable=False, default=""),  # commit it was merged as
    moment("created"),
)

discussion_event = Table(
    "discussion_event",
    metadata,
    identity(),
    refers("repository_id", "repository.id"),
    Column("number", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),  # comment, status-change, title-change, commit
    refers("account_id", "account.id", nullable=True),
    Column("data", JSON, nullable=False),
    moment("created"),
)
Index(None, discussion_event.c.repository_id, discussion_event.c.number, discussion_event.c.created)

like = Table(
    "liked",
    metadata,
    refers("repository_id", "repository.id", primary_key=True),
    refers("account_id", "account.id", primary_key=True),
    moment("created"),
)
