"""What the audits of revisions found, and what people decided about them."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Index, Table, Text

from hallmarked.hub.schema.base import identity, metadata, moment, refers

audit = Table(
    "audit",
    metadata,
    identity(),
    refers("repository_id", "repository.id"),
    Column("revision", Text, nullable=False),
    Column("rule_set", Text, nullable=False),  # digest
    Column("outcome", Text, nullable=False),  # pass, fail, unknown
    Column("statements", JSON, nullable=False),  # the statements' JSON, in order; the signed ones are in the ledger
    Column("entries", JSON, nullable=False),  # their indexes in the ledger
    Column("ids", JSON, nullable=False, default=list),  # digests of what was signed, see hub.review.attested
    Column("files", JSON, nullable=False, default=dict),  # what clients are told of single files, see hub.review
    moment("created"),
)
Index(None, audit.c.repository_id, audit.c.revision, audit.c.created)
Index(None, audit.c.revision)

draft = Table(
    "draft",
    metadata,
    Column("id", Text, primary_key=True),  # of the audit it becomes
    refers("repository_id", "repository.id"),
    Column("revision", Text, nullable=False),
    Column("rule_set", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("statements", JSON, nullable=False),  # what is about to be signed and logged, so that it is logged once
    Column("start", BigInteger, nullable=False),  # size of the log before
    moment("created"),
)

look = Table(
    "look",
    metadata,
    # What a check said of one file. Never used for another repository: nobody shall learn who else has a file, nor what
    # somebody made a check say of it.
    refers("repository_id", "repository.id", primary_key=True),
    Column("sha256", Text, primary_key=True),  # of the file
    Column("path", Text, primary_key=True),
    Column("check_id", Text, primary_key=True),
    Column("rules", Text, nullable=False),  # digest of all else that it depends on, see hub.job.reuse
    Column("items", JSON, nullable=False),
    Column("data", JSON, nullable=False),  # what the check needs of it at its end
    moment("used"),
)
Index(None, look.c.sha256)
Index(None, look.c.repository_id, look.c.used)

decision = Table(
    "decision",
    metadata,
    identity(),
    refers("repository_id", "repository.id"),
    Column("revision", Text, nullable=False),
    Column("kind", Text, nullable=False),  # hold, propose-release, release, appeal, …
    refers("account_id", "account.id", nullable=True),  # None: the hub itself, by policy
    Column("reason", Text, nullable=False),
    Column("data", JSON, nullable=False, default=dict),
    Column("entry", BigInteger, nullable=True),  # index of its statement of reasons in the ledger, once it is there
    moment("created"),
)
Index(None, decision.c.entry)
Index(None, decision.c.repository_id, decision.c.revision, decision.c.created)
Index(None, decision.c.created)

judgement = Table(
    "judgement",
    metadata,
    # The last decision about a revision in a context. What it rests on is in its statement, a row of the evidence.
    refers("repository_id", "repository.id", primary_key=True),
    Column("revision", Text, primary_key=True),
    Column("context", Text, primary_key=True),
    Column("outcome", Text, nullable=False),  # pass, fail, unknown
    Column("digest", Text, nullable=False),  # of everything that was decided but the time
    Column("policy", Text, nullable=False),  # digest of the context as it was
    Column("entry", BigInteger, nullable=False),  # of its statement in the ledger
    moment("until", nullable=True),  # when it may change although nothing new is stated
    moment("created"),
)
Index(None, judgement.c.until)

event = Table(
    "event",
    metadata,
    identity(),
    Column("tag", Text, nullable=False),  # subject:part:action, see hub.event
    refers("account_id", "account.id", nullable=True),
    Column("subject", Text, nullable=False),  # what it was done to
    Column("data", JSON, nullable=False, default=dict),
    Column("entry", BigInteger, nullable=True),  # index in the ledger, once it is there
    moment("created"),
)
Index(None, event.c.entry)
