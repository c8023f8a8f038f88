"""What others state about revisions, and what was done about it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Table, Text, UniqueConstraint

from hallmarked.hub.schema.base import identity, metadata, moment, refers

evidence = Table(
    "evidence",
    metadata,
    identity(),
    refers("repository_id", "repository.id"),
    Column("revision", Text, nullable=False),  # the commit it is about
    Column("statement", Text, nullable=False),  # sha256:…, the digest of the payload
    Column("payload", LargeBinary, nullable=False),  # the statement as it was signed
    Column("predicate_type", Text, nullable=False),
    Column("keyid", Text, nullable=False),  # of who signed
    Column("role", Text, nullable=False),  # as what the signer counted when it came
    Column("signer", Text, nullable=False),  # who that is, as the hub's trust file names them
    Column("entry", BigInteger, nullable=False),  # its place in the hub's ledger
    Column("receipt", BigInteger, nullable=True),  # place of the hub's statement that it came; none for the hub's own
    refers("account_id", "account.id", nullable=True),  # who brought it; None: the hub itself
    moment("stated"),  # when the signer's log says it was logged; never later than created
    moment("created"),  # when it came
    moment("removed", nullable=True),  # by moderation alone
    Column("reason", Text, nullable=False, default=""),  # why
    UniqueConstraint("repository_id", "statement", "keyid"),
)
Index(None, evidence.c.repository_id, evidence.c.revision)
Index(None, evidence.c.repository_id, evidence.c.created)
Index(None, evidence.c.entry)
Index(None, evidence.c.receipt)
