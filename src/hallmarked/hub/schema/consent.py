"""Who allowed or refused what, and requests about personal data. No identifier stands here, nor can one be guessed.

Digests of identifiers are keyed, texts that people wrote are sealed; both keys lie outside of the database.
"""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, Index, Integer, Table, Text

from hallmarked.hub.schema.base import identity, metadata, moment, refers

consent_request = Table(
    "consent_request",
    metadata,
    identity(),
    Column("code", Text, nullable=False, unique=True),  # SHA-256 of the random code that whoever asked has
    Column("action", Text, nullable=False),  # opt-out, opt-in, partial; access, rectification, erasure, objection
    Column("uses", JSON, nullable=False, default=list),
    Column("sets", JSON, nullable=False, default=list),
    Column("representative", Boolean, nullable=False, default=False),
    Column("status", Text, nullable=False),  # see hub.consent.request.Status
    Column("policy", Text, nullable=False),
    Column("nonce", Text, nullable=False),  # with the key, makes the salt; emptied to forget
    Column("commitment", Text, nullable=False, unique=True),  # to the selectors, as the log has it
    Column("digest", Text, nullable=False),  # commitment to the whole request
    Column("entry", BigInteger, nullable=True),  # of the log; null until it is there
    Column("reason", Text, nullable=False, default=""),  # of a refusal, an extension or a decision
    Column("sealed", Text, nullable=False, default=""),  # what was written, and the identifiers; encrypted
    Column("answer", Text, nullable=False, default=""),  # rows that were found; encrypted
    moment("created"),
    moment("due"),
    moment("extended", nullable=True),
    moment("ended", nullable=True),
)
Index(None, consent_request.c.status, consent_request.c.due)

consent_selector = Table(
    "consent_selector",
    metadata,
    identity(),
    refers("request_id", "consent_request.id"),
    Column("kind", Text, nullable=False),
    Column("digest", Text, nullable=False),  # keyed
    Column("key", Text, nullable=False),  # id of the key it was made with
    Column("epoch", Text, nullable=False),  # of the key of private look-up
    Column("element", Text, nullable=False, default=""),  # evaluated for private look-up, under a key of its own
    Column("proof", Text, nullable=False, default=""),  # how it was established who asked; empty: not yet
    Column("proof_digest", Text, nullable=False, default=""),  # keyed digest of what was shown
    moment("proven", nullable=True),
)
Index(None, consent_selector.c.request_id)
Index(None, consent_selector.c.digest)

consent_code = Table(
    "consent_code",
    metadata,
    refers("selector_id", "consent_selector.id", primary_key=True),
    Column("digest", Text, nullable=False),  # keyed, of the code that was mailed
    Column("tries", Integer, nullable=False, default=0),
    moment("created"),
    moment("expires"),
)

consent_meter = Table(
    "consent_meter",
    metadata,
    Column("caller", Text, primary_key=True),  # keyed digest of an address or account, another one every day
    Column("day", Integer, nullable=False),
    Column("used", Integer, nullable=False, default=0),
)
Index(None, consent_meter.c.day)
