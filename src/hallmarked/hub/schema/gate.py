"""Who asked for access to what, and what was decided."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Index, Table, Text, UniqueConstraint

from hallmarked.hub.schema.base import identity, metadata, moment, refers

access_request = Table(
    "access_request",
    metadata,
    identity(),
    refers("repository_id", "repository.id"),
    refers("account_id", "account.id"),
    Column("status", Text, nullable=False),  # pending, accepted, rejected
    Column("answers", JSON, nullable=False, default=dict),  # to the repository's questions
    Column("reason", Text, nullable=False, default=""),  # of a rejection
    refers("decided_by", "account.id", nullable=True),
    moment("created"),
    moment("decided", nullable=True),
    moment("expires", nullable=True),
    UniqueConstraint("repository_id", "account_id"),
)
Index(None, access_request.c.repository_id, access_request.c.status)
