"""How people come in, and what they agreed to: single-use links, logins elsewhere, terms, messages to them."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Index, Table, Text

from hallmarked.hub.schema.base import identity, metadata, moment, refers

ticket = Table(
    "ticket",
    metadata,
    identity(),
    Column("digest", Text, nullable=False, unique=True),  # SHA-256 of what stands in the link
    Column("purpose", Text, nullable=False),  # setup, invitation
    refers("organisation_id", "account.id", nullable=True),
    Column("role", Text, nullable=False, default=""),  # what the one who comes becomes there
    Column("email", Text, nullable=False, default=""),  # whom it was meant for, as a reminder only
    refers("account_id", "account.id", nullable=True),  # who made it
    moment("created"),
    moment("expires"),
    moment("used", nullable=True),
)
Index(None, ticket.c.organisation_id)

login = Table(
    "login",
    metadata,
    Column("issuer", Text, primary_key=True),
    Column("subject", Text, primary_key=True),  # who somebody is at the issuer; never their e-mail address
    refers("account_id", "account.id"),
    moment("created"),
)
Index(None, login.c.account_id)

acceptance = Table(
    "acceptance",
    metadata,
    refers("account_id", "account.id", primary_key=True),
    Column("version", Text, primary_key=True),  # of the terms of service
    moment("created"),
)

notice = Table(
    "notice",
    metadata,
    identity(),
    refers("account_id", "account.id"),  # to whom
    Column("kind", Text, nullable=False),  # see hub.notice
    Column("text", Text, nullable=False),  # one sentence
    Column("address", Text, nullable=False, default=""),  # path of the page it is about
    Column("data", JSON, nullable=False, default=dict),
    moment("created"),
    moment("read", nullable=True),
)
Index(None, notice.c.account_id, notice.c.created)
