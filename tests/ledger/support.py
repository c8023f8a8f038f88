"""Fixed keys, clock and statements shared by the tests of the ledger."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hallmarked.core.evidence import Statement, Subject
from hallmarked.ledger.canonical import leaf_bytes, statement_bytes
from hallmarked.ledger.dsse import sign_envelope
from hallmarked.ledger.key import SigningKey
from hallmarked.ledger.log import Entry, Log
from hallmarked.ledger.place import open_store
from hallmarked.ledger.trust import Role, Trust, TrustedKey

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
DAY = timedelta(days=1)
ORIGIN = "log.example.org/one"
TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"


def make_key(seed: str) -> SigningKey:
    return SigningKey.of(Ed25519PrivateKey.from_private_bytes(hashlib.sha256(seed.encode()).digest()))


MAKER, LOG_KEY, WITNESS, STRANGER = (make_key(seed) for seed in ("maker", "log", "witness", "stranger"))
TRUST = Trust(
    (
        TrustedKey(MAKER.public, Role.MAKER, "Example Lab"),
        TrustedKey(LOG_KEY.public, Role.LOG, ORIGIN),
        TrustedKey(WITNESS.public, Role.WITNESS, "witness.example.net/w1"),
    )
)


def make_statement(number: int = 0, *, subject: str | None = None) -> Statement:
    digest = subject or hashlib.sha256(b"%d" % number).hexdigest()
    predicate = {
        "result": "PASSED",
        "configuration": [{"name": "serialization", "digest": {"sha256": "ab" * 32}}],
        "passedTests": ["serialization"],
    }
    return Statement((Subject(f"acme/model-{number}", {"dirHash": digest}),), TEST_RESULT, predicate)


def make_entry(number: int = 0, *, key: SigningKey = MAKER, time: datetime = NOW, secret: bytes | None = None) -> Entry:
    statement = make_statement(number)
    envelope = sign_envelope(statement_bytes(statement), key)
    return Entry(envelope, key.public, leaf_bytes(envelope, statement.to_dict(), time, blind_secret=secret))


def open_log(place: Path | str, key: SigningKey | None = LOG_KEY) -> Log:
    return Log(open_store(place, ORIGIN if key else None), key)


def fill_log(path: Path | str, numbers: Iterable[int]) -> Log:
    log = open_log(path)
    log.append([make_entry(number) for number in numbers])
    return log
