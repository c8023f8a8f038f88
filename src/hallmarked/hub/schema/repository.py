"""Repositories, their branches and tags, and the state of each revision."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, ForeignKey, Index, Table, Text, UniqueConstraint

from hallmarked.hub.schema.base import identity, metadata, moment, refers

repository = Table(
    "repository",
    metadata,
    identity(),
    Column("kind", Text, nullable=False),  # model, dataset, system
    refers("owner_id", "account.id"),
    Column("name", Text, nullable=False),  # without the owner
    Column("key", Text, nullable=False),  # "owner/name" in lower case
    Column("visibility", Text, nullable=False),  # public, private
    Column("gate", Text, nullable=False, default=""),  # "", auto, manual
    Column("card", JSON, nullable=False, default=dict),  # front matter of the default branch's README
    Column("downloads", BigInteger, nullable=False, default=0),
    Column("likes", BigInteger, nullable=False, default=0),
    Column(
        "trending", BigInteger, nullable=False, default=0
    ),  # grows with recent interest, see hub.community.popularity
    moment("created"),
    moment("modified"),
    moment("deleted", nullable=True),  # restorable for a while
    Column("disabled", Text, nullable=False, default=""),  # why nobody but its owner sees it
    Column("contexts", JSON, nullable=False, default=list),  # in which it is judged besides those of the whole hub
    Column(
        "gates", JSON, nullable=False, default=list
    ),  # those of them in which it has to pass before others get files
    Column("next_number", BigInteger, nullable=False, default=1),  # of discussions
    UniqueConstraint("kind", "key"),
)
Index(None, repository.c.owner_id)
Index(None, repository.c.kind, repository.c.modified)

former_name = Table(
    "former_name",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    refers("repository_id", "repository.id"),
)

collaborator = Table(
    "collaborator",
    metadata,
    refers("repository_id", "repository.id", primary_key=True),
    refers("account_id", "account.id", primary_key=True),
    Column("role", Text, nullable=False),  # see hub.access.Role
    moment("created"),
)
Index(None, collaborator.c.account_id)

ref = Table(
    "ref",
    metadata,
    refers("repository_id", "repository.id", primary_key=True),
    Column("name", Text, primary_key=True),  # refs/heads/…, refs/tags/…, refs/pr/N
    Column("oid", Text, nullable=False),  # of a commit
    Column("message", Text, nullable=False, default=""),  # of a tag
)

revision = Table(
    "revision",
    metadata,
    refers("repository_id", "repository.id", primary_key=True),
    Column("oid", Text, ForeignKey("object.oid"), primary_key=True),  # a commit that this repository has
    Column("tree", Text, nullable=False),
    Column("parent", Text, nullable=False),  # empty for the first
    refers("account_id", "account.id", nullable=True),
    Column("title", Text, nullable=False),
    moment("created"),
    Column("state", Text, nullable=False),  # checking, available, held, unknown
    Column("reason", Text, nullable=False, default=""),  # of the state, one sentence
    Column("audited", Boolean, nullable=False, default=False),
    Column("rule_set", Text, nullable=False, default=""),  # digest of the rules of its last audit
    Column("signatures", BigInteger, nullable=False, default=0),  # version of the scanner's then; 0: none answered
    moment("settled", nullable=True),  # when its last audit came to its end
    Column("attempts", BigInteger, nullable=False, default=0),  # audits of it that began and did not end
    moment("until", nullable=True),  # when what makes it available runs out; none: it does not
    Column("digest", Text, nullable=False, default=""),  # dirHash of its files; empty until it was audited
)
Index(None, revision.c.state, revision.c.created)
Index(None, revision.c.rule_set)
Index(None, revision.c.signatures)
Index(None, revision.c.oid)
Index(None, revision.c.until)
Index(None, revision.c.repository_id, revision.c.digest)
