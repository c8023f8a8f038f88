"""Git objects and large files, each kept once for all repositories. Nothing is ever served by these ids alone."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, LargeBinary, Table, Text

from hallmarked.hub.schema.base import metadata, moment, refers

object_ = Table(
    "object",
    metadata,
    Column("oid", Text, primary_key=True),  # SHA-1 as git computes it
    Column("kind", Text, nullable=False),  # commit, tree, blob, tag
    Column("data", LargeBinary, nullable=False),  # without git's header
)

content = Table(
    "content",
    metadata,
    Column("oid", Text, primary_key=True),  # of the git blob in the tree: the file itself, or its pointer
    Column("size", BigInteger, nullable=False),  # of the file, bytes
    Column("sha256", Text, nullable=False),  # of the file
    Column("large", Boolean, nullable=False),  # the git blob is a pointer, the bytes are in the blob store
    Column("passive", Boolean, nullable=False),  # of a kind that no loader runs code from, judged by its first bytes
)

blob = Table(
    "blob",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("passive", Boolean, nullable=False),
    Column("stored", Boolean, nullable=False, default=True),  # False: its bytes may be gone, see hub.garbage
    moment("created"),  # when its bytes came, the last time
)

usage = Table(
    "usage",
    metadata,
    refers("repository_id", "repository.id", primary_key=True),
    Column("sha256", Text, ForeignKey("blob.sha256"), primary_key=True),
)
Index(None, usage.c.sha256)

possession = Table(
    "possession",
    metadata,
    refers("account_id", "account.id", primary_key=True),
    Column("sha256", Text, ForeignKey("blob.sha256", ondelete="CASCADE"), primary_key=True),  # who sent these bytes
    moment("created"),
)
