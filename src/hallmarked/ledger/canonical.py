"""Write statements and leaves as RFC 8785 canonical JSON, so that equal content has equal bytes.

Specification: https://www.rfc-editor.org/rfc/rfc8785. Nothing is ever re-canonicalised to verify it: verifiers read the
bytes as they were signed.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import rfc8785

from hallmarked.core.errors import InputError, VerificationError
from hallmarked.core.evidence import Statement
from hallmarked.ledger.dsse import Envelope
from hallmarked.ledger.leaf import MAX_LEAF
from hallmarked.ledger.statement import list_digests, read_statement
from hallmarked.ledger.strict import format_time, parse_json

MAX_LISTED = 24
"""A leaf lists at most so many digests; statements about more files say how many were left out."""


def canonical_bytes(value: Any) -> bytes:
    """Return the one RFC 8785 encoding of a JSON value.

    Raises:
        InputError: When it holds something JSON cannot carry without loss, such as NaN or an integer above 2^53.
    """
    data = _write(value)
    try:
        parse_json(data, "value")
    except VerificationError as error:
        raise InputError(f"cannot be written as canonical JSON: {error}") from None
    return data


def statement_bytes(statement: Statement) -> bytes:
    """Return the bytes of a statement that get signed.

    Raises:
        InputError: When the statement cannot be written, or nobody could verify it later.
    """
    data = _write(statement.to_dict())
    try:
        read_statement(data)
    except VerificationError as error:
        raise InputError(f"not a statement that can be verified: {error}") from None
    return data


def _write(value: Any) -> bytes:
    # What this returns must still be parsed: a double like 5.9e16 is written with all its digits, and would come back
    # as another number.
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError) as error:
        raise InputError(f"cannot be written as canonical JSON: {error}") from None


def leaf_bytes(
    envelope: Envelope, statement: Mapping[str, Any], time: datetime, *, blind_secret: bytes | None = None
) -> bytes:
    """Return the leaf record of an envelope.

    Args:
        envelope: What the leaf stands for.
        statement: The JSON object in its payload.
        time: When it is logged.
        blind_secret: Hide the subjects and the predicate type from those who do not know this secret.

    Raises:
        InputError: When the record would be larger than 4 KiB or the time has no time zone.
    """
    digests = list_digests(statement)
    listed = digests[:MAX_LISTED]
    while True:
        record: dict[str, Any] = {
            "env": f"sha256:{envelope.digest}",
            "kid": envelope.keyid,
            "t": format_time(time),
            "v": 1,
        }
        if blind_secret is None:
            record |= {"pt": statement["predicateType"], "sub": listed}
        else:
            record["blind"] = [blind(blind_secret, digest) for digest in listed]
        if len(listed) < len(digests):
            record["more"] = len(digests) - len(listed)
        data = canonical_bytes(record)
        if len(data) <= MAX_LEAF:
            return data
        if len(listed) == 1:
            raise InputError("the statement's predicate type or digest is too long for the log")
        listed = listed[: len(listed) // 2]


def blind(secret: bytes, digest: str) -> str:
    """Return what stands in a blinded leaf for ``algorithm:hex``; without the secret it means nothing."""
    return hmac.digest(secret, digest.encode(), "sha256").hex()
