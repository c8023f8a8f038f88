"""Who there is: users, organisations, their members, and how they prove who they are."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Index, Table, Text

from hallmarked.hub.schema.base import identity, metadata, moment, refers

account = Table(
    "account",
    metadata,
    identity(),
    Column("kind", Text, nullable=False),  # user, organisation
    Column("name", Text, nullable=False),  # as it is written
    Column("key", Text, nullable=False, unique=True),  # as it is found: lower case
    Column("full_name", Text, nullable=False, default=""),
    Column("email", Text, nullable=False, default=""),
    Column("password", Text, nullable=False, default=""),  # argon2 encoded hash; empty: cannot sign in by password
    Column("language", Text, nullable=False, default=""),
    Column("administrator", Boolean, nullable=False, default=False),
    Column("private_by_default", Boolean, nullable=False, default=False),  # new repositories of an organisation
    moment("created"),
    moment("disabled", nullable=True),
)

membership = Table(
    "membership",
    metadata,
    refers("organisation_id", "account.id", primary_key=True),
    refers("account_id", "account.id", primary_key=True),
    Column("role", Text, nullable=False),  # see hub.access.Role
    moment("created"),
)
Index(None, membership.c.account_id)

token = Table(
    "token",
    metadata,
    identity(),
    refers("account_id", "account.id"),
    Column("digest", Text, nullable=False, unique=True),  # SHA-256 of the token: a token is random, so no slow hash
    Column("name", Text, nullable=False),
    Column("scope", Text, nullable=False),  # read, write
    Column("repositories", JSON, nullable=True),  # ids of the only ones it is for; null: all of its owner's
    Column("hint", Text, nullable=False, default=""),  # its last characters, to tell tokens apart
    moment("created"),
    moment("expires", nullable=True),
    moment("last_used", nullable=True),
)
Index(None, token.c.account_id)

session = Table(
    "session",
    metadata,
    identity(),
    Column("digest", Text, nullable=False, unique=True),  # SHA-256 of the cookie's value
    refers("account_id", "account.id"),
    Column("agent", Text, nullable=False, default=""),  # the browser, as it names itself
    moment("created"),
    moment("last_used", nullable=True),  # about
    moment("expires"),
)
Index(None, session.c.account_id)
