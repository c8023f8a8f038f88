"""Trust files: whose keys count, as what, and when.

Modelled on the delegations of https://theupdateframework.github.io/specification/latest/, without its metadata.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from hallmarked.core.errors import InputError
from hallmarked.ledger.dsse import read_envelope, sign_envelope, verify_envelope
from hallmarked.ledger.key import SPKI_PREFIX, SigningKey, key_id
from hallmarked.ledger.strict import b64decode, fail, format_time, members, parse_json, parse_time, write_json

TRUST_TYPE = "application/vnd.hallmarked.trust.v1+json"


class Role(StrEnum):
    """What a key may be used for. One key has one role."""

    MAKER = "maker"
    HUB = "hub"
    AUDITOR = "auditor"
    COMMUNITY = "community"
    LOG = "log"
    WITNESS = "witness"


SIGNER_ROLES = frozenset({Role.MAKER, Role.HUB, Role.AUDITOR, Role.COMMUNITY})
"""Roles that sign statements."""


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """One key of a trust file."""

    public: bytes
    """The 32 bytes of the Ed25519 key."""
    role: Role
    name: str
    """Who holds it; for a log or witness the key name in its note signatures (a log's origin)."""
    not_before: datetime | None = None
    not_after: datetime | None = None
    revoked: datetime | None = None
    reason: str = ""
    """Why it was revoked."""

    @property
    def keyid(self) -> str:
        """The key's id."""
        return key_id(self.public)

    def refuses(self, time: datetime) -> str:
        """Say why this key does not speak for something logged at ``time``; empty when it does."""
        if self.not_before is not None and time < self.not_before:
            return f"the key of {self.name} is valid only from {self.not_before:%Y-%m-%dT%H:%M:%SZ}"
        if self.not_after is not None and time > self.not_after:
            return f"the key of {self.name} was valid only until {self.not_after:%Y-%m-%dT%H:%M:%SZ}"
        if self.revoked is not None and time >= self.revoked:
            return f"the key of {self.name} was revoked at {self.revoked:%Y-%m-%dT%H:%M:%SZ}: {self.reason}"
        return ""


@dataclass(frozen=True, slots=True)
class Trust:
    """The keys somebody decided to trust. An empty one trusts nobody."""

    keys: tuple[TrustedKey, ...] = ()

    def find(self, keyid: str) -> TrustedKey | None:
        """Return the key with this id."""
        return next((key for key in self.keys if key.keyid == keyid), None)


def read_key(value: Any, link: str) -> TrustedKey:
    """Read one key of a trust file or of a bundle's list of keys.

    Raises:
        VerificationError: When it is not well-formed.
    """
    row = members(value, "keyid name publicKey role", "notAfter notBefore reason revoked", link=link)
    public = b64decode(row["publicKey"], link)
    if len(public) != 44 or not public.startswith(SPKI_PREFIX) or row["keyid"] != key_id(public[12:]):
        fail(link, f"the {link} has a key that is not Ed25519 or does not have the id it is listed under")
    if row["role"] not in list(Role) or not isinstance(row["name"], str) or not isinstance(row.get("reason", ""), str):
        fail(link, f"the {link} has a key with an unknown role or a name that is not text")
    before, after, revoked = (
        parse_time(row[field], link) if field in row else None for field in ("notBefore", "notAfter", "revoked")
    )
    return TrustedKey(public[12:], Role(row["role"]), row["name"], before, after, revoked, row.get("reason", ""))


def write_key(key: TrustedKey) -> dict[str, str]:
    """Return the JSON object of a key, as :func:`read_key` reads it."""
    row = {
        "keyid": key.keyid,
        "name": key.name,
        "publicKey": base64.b64encode(SPKI_PREFIX + key.public).decode(),
        "role": key.role.value,
    }
    times = {"notBefore": key.not_before, "notAfter": key.not_after, "revoked": key.revoked}
    row |= {field: format_time(time) for field, time in times.items() if time is not None}
    return row | ({"reason": key.reason} if key.reason else {})


def read_keys(values: Any, link: str) -> tuple[TrustedKey, ...]:
    """Read a list of keys in which each key stands once: one key has one role.

    Raises:
        VerificationError: When it is not such a list.
    """
    if not isinstance(values, list):
        fail(link, f"the {link} must have a list of keys")
    keys = tuple(read_key(value, link) for value in values)
    if len({key.public for key in keys}) < len(keys):
        fail(link, f"the {link} lists a key twice")
    return keys


def load_trust(data: bytes, root_key: bytes | None = None) -> Trust:
    """Read a trust file.

    Args:
        data: Its bytes: plain, or in a DSSE envelope.
        root_key: The raw public key that must have signed it; without one the caller vouches for the file.

    Raises:
        VerificationError: When it is malformed or not signed by the root key (``link`` is ``trust``).
    """
    value = parse_json(data, "trust")
    signed = isinstance(value, dict) and "payload" in value
    if root_key is not None and not signed:
        fail("trust", "the trust file is not signed by the root key")
    if signed:
        envelope = read_envelope(value, payload_type=TRUST_TYPE)
        if root_key is not None:
            verify_envelope(envelope, root_key)
        value = parse_json(envelope.payload, "trust")
    row = members(value, "keys mediaType", link="trust")
    if row["mediaType"] != TRUST_TYPE:
        fail("trust", f"the trust file is not of type {TRUST_TYPE}")
    return Trust(read_keys(row["keys"], "trust"))


def dump_trust(trust: Trust, root_key: SigningKey | None = None) -> bytes:
    """Write a trust file, signed when a root key is given."""
    value = {"keys": [write_key(key) for key in trust.keys], "mediaType": TRUST_TYPE}
    data = write_json(value)
    return data if root_key is None else sign_envelope(data, root_key, payload_type=TRUST_TYPE).to_json()


def rotate(trust: Trust, old: str, public: bytes, at: datetime) -> Trust:
    """Let a new key take over an old one's role and name: the old one's window ends where the new one's begins.

    Raises:
        InputError: When the old key is not listed, has ended already, or the new one is listed already.
    """
    key = _current(trust, old)
    if trust.find(key_id(public)) is not None:
        raise InputError("the new key is in the trust file already")
    if key.not_after is not None and key.not_after < at:
        raise InputError(f"the key {old} is not valid any more")
    ended = replace(key, not_after=at)
    new = TrustedKey(public, key.role, key.name, not_before=at)
    return Trust((*_replace(trust.keys, ended), new))


def extend(trust: Trust, keys: Iterable[TrustedKey]) -> Trust:
    """Trust further keys; those listed already as the same stay as they are.

    Raises:
        InputError: When a key is listed already as something else: one key has one role.
    """
    made = list(trust.keys)
    for key in keys:
        known = Trust(tuple(made)).find(key.keyid)
        if known is None:
            made.append(key)
        elif (known.role, known.name) != (key.role, key.name) or known.revoked is not None:
            ended = ", and was revoked" if known.revoked is not None else ""
            raise InputError(f"the key {key.keyid} is in the trust file as {known.name} ({known.role}) already{ended}")
    return Trust(tuple(made))


def revoke(trust: Trust, keyid: str, at: datetime, reason: str) -> Trust:
    """Say that nothing logged at or after a time counts as signed by a key.

    Raises:
        InputError: When the key is not listed, was revoked before, or no reason is given.
    """
    key = _current(trust, keyid)
    if not reason:
        raise InputError("a revocation needs a reason")
    return Trust(tuple(_replace(trust.keys, replace(key, revoked=at, reason=reason))))


def _current(trust: Trust, keyid: str) -> TrustedKey:
    key = trust.find(keyid)
    if key is None:
        raise InputError(f"the key {keyid} is not in the trust file")
    if key.revoked is not None:
        raise InputError(f"the key {keyid} was revoked already")
    return key


def _replace(keys: Iterable[TrustedKey], new: TrustedKey) -> list[TrustedKey]:
    return [new if key.public == new.public else key for key in keys]
