"""Programs elsewhere that are told what happens to repositories, and what they still have to be told."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, ForeignKey, Index, Table, Text

from hallmarked.hub.schema.base import identity, metadata, moment, refers

webhook = Table(
    "webhook",
    metadata,
    identity(),
    refers("account_id", "account.id"),
    Column("url", Text, nullable=False),
    Column("secret", Text, nullable=False),  # in clear, since messages are signed with it; empty: they are not
    Column("domains", JSON, nullable=False),  # repo, discussion
    Column("watched", JSON, nullable=False),  # as its owner wrote it
    Column("disabled", Boolean, nullable=False, default=False),
    Column("failures", BigInteger, nullable=False, default=0),  # messages in a row that never arrived
    moment("created"),
)
Index(None, webhook.c.account_id)

webhook_target = Table(
    "webhook_target",
    metadata,
    Column("webhook_id", Text, ForeignKey("webhook.id", ondelete="CASCADE"), primary_key=True),
    Column("target", Text, primary_key=True),  # "model:owner/name" or "account:owner", in lower case
)
Index(None, webhook_target.c.target)

webhook_delivery = Table(
    "webhook_delivery",
    metadata,
    identity(),
    Column("webhook_id", Text, ForeignKey("webhook.id", ondelete="CASCADE"), nullable=False),
    refers("repository_id", "repository.id"),
    Column("payload", JSON, nullable=False),
    Column("state", Text, nullable=False),  # waiting, done, failed, dropped
    Column("attempts", BigInteger, nullable=False, default=0),
    Column("answer", Text, nullable=False, default=""),  # to the last attempt, one sentence
    moment("due"),
    moment("created"),
)
Index(None, webhook_delivery.c.state, webhook_delivery.c.due)
Index(None, webhook_delivery.c.webhook_id, webhook_delivery.c.created)
