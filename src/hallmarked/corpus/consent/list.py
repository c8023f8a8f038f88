"""The list of consents: a file that a registry signs, and how rows of a data set are matched with it.

The first line is a DSSE envelope with Ed25519 over the heading, which names SHA-256 of all that follows; then comes one
entry in each line. The list holds keyed digests: matching needs the registry's key, which is not in it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from hallmarked.core.errors import InputError, VerificationError
from hallmarked.corpus.consent.key import RegistryKey
from hallmarked.corpus.consent.match import Decision, Match, Matcher, Row
from hallmarked.corpus.consent.record import Entry, Use, read_entry
from hallmarked.corpus.consent.selector import RULES
from hallmarked.ledger.dsse import read_envelope, sign_envelope, verify_envelope
from hallmarked.ledger.key import SigningKey
from hallmarked.ledger.strict import fail, format_time, members, parse_json, parse_time
from hallmarked.ledger.trust import SIGNER_ROLES, Trust

LIST_TYPE = "application/vnd.hallmarked.consent-list.v1+json"
LINK = "consent list"
MAX_LIST = 1 << 32
"""Bytes of a list."""


@dataclass(frozen=True, slots=True)
class Heading:
    """What is said of a list as a whole."""

    registry: str
    """Name of the registry: the origin of its log."""
    issued: datetime
    policy: str
    """Version of the registry's policy."""
    log_size: int = 0
    """Entries of the log that it takes into account."""


@dataclass(frozen=True, slots=True)
class ConsentList:
    """A list whose signature was verified, ready for matching."""

    heading: Heading
    entries: tuple[Entry, ...]
    sha256: str
    """Of the file, for statements about what was built with it."""
    _matcher: Matcher = field(repr=False)

    @classmethod
    def load(cls, data: bytes, key: RegistryKey, trust: Trust) -> ConsentList:
        """Verify and read a list.

        Args:
            data: The file.
            key: The registry's key, under which its digests were made.
            trust: Whose signature counts.

        Raises:
            VerificationError: When it is not well-formed, or not signed by a key that counts.
            InputError: When the key is not the one it was made with.
        """
        heading, row, body = _open(data, trust)
        if row["key"] != key.id:
            raise InputError("the consent list was made with another key of the registry than the one given")
        lines = body.split(b"\n")[:-1]
        entries = tuple(read_entry(parse_json(line, LINK)) for line in lines)
        if len(entries) != row["entries"]:
            fail(LINK, "the consent list has another number of entries than it says")
        return cls(heading, entries, hashlib.sha256(data).hexdigest(), Matcher(key, entries))

    @classmethod
    def of(cls, entries: Iterable[Entry], key: RegistryKey, heading: Heading) -> ConsentList:
        """Put a list together in memory, where it needs no signature."""
        made = tuple(entries)
        return cls(heading, made, "", Matcher(key, made))

    def decide(self, row: Row, use: Use = Use.TRAINING, into: str = "") -> Decision:
        """Say whether a row may be used.

        Args:
            row: What is known of it.
            use: What for.
            into: Name of the data set that is being made; without it, a consent that names some decides nothing.
        """
        return self._matcher.decide(row, use, into.lower())

    def decide_all(self, rows: Iterable[Row], use: Use = Use.TRAINING, into: str = "") -> Iterator[Decision]:
        """Say of many rows, in their order, whether each may be used."""
        into = into.lower()
        decide = self._matcher.decide
        return (decide(row, use, into) for row in rows)

    def match(self, row: Row) -> Sequence[Match]:
        """List every entry that is about a row, with what it was matched by."""
        return self._matcher.match(row)


def write_list(entries: Sequence[Entry], heading: Heading, key: RegistryKey, signer: SigningKey) -> bytes:
    """Write and sign a list; the order of the entries says nothing of when they came."""
    lines = sorted(json.dumps(entry.to_json(), sort_keys=True, separators=(",", ":")) for entry in entries)
    body = "".join(f"{line}\n" for line in lines).encode()
    head = {
        "registry": heading.registry,
        "issued": format_time(heading.issued),
        "policy": heading.policy,
        "logSize": heading.log_size,
        "rules": RULES,
        "key": key.id,
        "entries": len(lines),
        "sha256": hashlib.sha256(body).hexdigest(),
    }
    payload = json.dumps(head, sort_keys=True).encode()
    return sign_envelope(payload, signer, payload_type=LIST_TYPE).to_json() + b"\n" + body


def _open(data: bytes, trust: Trust) -> tuple[Heading, dict[str, object], bytes]:
    """Verify the heading and that it stands over this body."""
    if len(data) > MAX_LIST:
        fail(LINK, "the consent list is too large")
    first, _, body = data.partition(b"\n")
    envelope = read_envelope(parse_json(first, LINK), payload_type=LIST_TYPE)
    signer = trust.find(envelope.keyid)
    if signer is None or signer.role not in SIGNER_ROLES:
        raise VerificationError("the consent list is signed by a key that you do not trust", link="trust")
    verify_envelope(envelope, signer.public)
    row = members(
        parse_json(envelope.payload, LINK), "registry issued policy logSize rules key entries sha256", link=LINK
    )
    issued = parse_time(row["issued"], LINK)
    if why := signer.refuses(issued):
        raise VerificationError(f"the consent list cannot be believed: {why}", link="trust")
    if row["rules"] != RULES:
        fail(LINK, "the consent list was made with rules that this program does not know")
    if row["sha256"] != hashlib.sha256(body).hexdigest():
        fail(LINK, "the entries of the consent list were changed")
    if body and not body.endswith(b"\n"):
        fail(LINK, "the consent list is cut off")
    if (
        not isinstance(row["logSize"], int)
        or not isinstance(row["registry"], str)
        or not isinstance(row["policy"], str)
    ):
        fail(LINK, "the heading of the consent list is not well-formed")
    return Heading(row["registry"], issued, row["policy"], row["logSize"]), row, body
