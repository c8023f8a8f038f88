"""What the registry gives out: the signed list for builds, the list for private look-up, answers to blinded ones."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from hallmarked.core.errors import BackendError, InputError
from hallmarked.corpus.consent.blind import Evaluation, evaluate, rekey
from hallmarked.corpus.consent.key import RegistryKey
from hallmarked.corpus.consent.list import Heading, write_list
from hallmarked.corpus.consent.lookup import Buckets, make_buckets, make_line
from hallmarked.corpus.consent.record import Entry, Mode, Scope, Use
from hallmarked.corpus.consent.selector import Kind
from hallmarked.corpus.consent.sketch import read_sketch
from hallmarked.hub.clock import to_datetime
from hallmarked.hub.consent.key import Keys, epoch_of, open_keys, renew_keys
from hallmarked.hub.consent.meter import Allowance, take
from hallmarked.hub.consent.request import MODES, Status
from hallmarked.hub.hub import Hub
from hallmarked.hub.schema.consent import consent_request, consent_selector

GUESSES = "at most {allowed} identifiers can be looked up a day; each is a guess"


def list_entries(db: Connection, keys: Keys) -> Iterator[Entry]:
    """Yield what counts now: proven selectors of requests that were not withdrawn.

    Raises:
        BackendError: When a digest was made with a key that is gone.
    """
    for row in db.execute(_counting()):
        scope = Scope(Mode(row.action), frozenset(map(Use, row.uses)), frozenset(row.sets))
        digest = _current_digest(keys.digest, row)
        yield Entry(Kind(row.kind), digest, scope, row.commitment, row.proof, to_datetime(row.proven))


def export_list(hub: Hub) -> bytes:
    """Return the signed list of consents for builds. It holds keyed digests; matching needs the key too.

    Raises:
        BackendError: When the database cannot be read, or a key is missing.
    """
    keys, size = open_keys(hub.settings), hub.journal.size
    with hub.database.read() as db:
        entries = list(list_entries(db, keys))
    heading = Heading(hub.journal.origin, datetime.now(UTC), hub.settings.consent.policy, size)
    return write_list(entries, heading, keys.digest, hub.journal.signer)


def renew(hub: Hub) -> Keys:
    """Renew both keys. What can open entries in the log is forgotten: it was made with the key that is replaced.

    Raises:
        BackendError: When a key or the database cannot be written.
    """
    keys = renew_keys(hub.settings)
    with hub.database.write() as db:
        db.execute(update(consent_request).values(nonce=""))
        for row in db.execute(select(consent_selector)).all():
            values = {"digest": _current_digest(keys.digest, row).hex(), "key": keys.digest.id}
            values |= {"element": _current_element(keys, row).hex(), "epoch": keys.epoch}
            db.execute(update(consent_selector).where(consent_selector.c.id == row.id).values(**values))
    return keys


@dataclass(frozen=True, slots=True)
class Published:
    """The list for private look-up under one key."""

    epoch: str
    public: bytes
    buckets: Buckets


class Index:
    """Makes the list for private look-up, and keeps it until something changes. May be shared between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._state: object = None
        self._published: Published | None = None

    def get(self, hub: Hub) -> Published:
        """Return the list as it is now.

        Raises:
            BackendError: When the database cannot be read, or a key is missing.
        """
        keys = open_keys(hub.settings)
        with self._lock, hub.database.read() as db:
            state = (keys.epoch, *_state(db))
            if self._published is None or state != self._state:
                lines = (
                    make_line(_current_element(keys, row), Mode(row.action))
                    for row in db.execute(_counting().where(consent_selector.c.element != ""))
                )
                self._published = Published(keys.epoch, keys.public, make_buckets(lines, keys.filler))
                self._state = state
            return self._published


def answer(hub: Hub, callers: Sequence[str], epoch: str, elements: Sequence[bytes]) -> Evaluation:
    """Evaluate blinded identifiers; each is one guess, so they are counted.

    Args:
        hub: Where.
        callers: The account and the network that ask.
        epoch: Name of the key that the asker expects.
        elements: What was blinded.

    Raises:
        InputError: When the key was renewed meanwhile, or one is no element.
        TooMany: When a caller has no guesses left today.
    """
    keys = open_keys(hub.settings)
    if epoch != keys.epoch:
        raise InputError("the registry's key was renewed; fetch its list again")
    with hub.database.write() as db:
        for caller in callers:
            take(db, keys.caller, caller, Allowance(len(elements), hub.settings.consent.lookups, GUESSES))
    return evaluate(keys.lookup, elements)


def _counting() -> Any:
    columns = (consent_request.c.action, consent_request.c.uses, consent_request.c.sets, consent_request.c.commitment)
    return (
        select(consent_selector, *columns)
        .join(consent_request, consent_request.c.id == consent_selector.c.request_id)
        .where(
            consent_request.c.status == Status.ACTIVE,
            consent_request.c.action.in_(MODES),
            consent_selector.c.proven.is_not(None),
        )
        .order_by(consent_selector.c.id)
    )


def _state(db: Connection) -> tuple[Any, ...]:
    counting = _counting().subquery()
    return tuple(db.execute(select(func.count(), func.max(counting.c.proven), func.min(counting.c.id))).one())


def _current_digest(key: RegistryKey, row: Row[Any]) -> bytes:
    """Return the digest of a selector under all layers of the key."""
    digest, similar = bytes.fromhex(row.digest), row.kind == Kind.SIMILAR
    depths = {RegistryKey(key.layers[:depth]).id: depth for depth in range(1, len(key.layers) + 1)}
    if row.key not in depths:
        raise BackendError("a digest was made with a key of the registry that is not there; restore its key file")
    for depth in range(depths[row.key] + 1, len(key.layers) + 1):
        layer = RegistryKey(key.layers[:depth])
        digest = read_sketch(digest).cover(layer).to_bytes() if similar else layer.cover(digest)
    return digest


def _current_element(keys: Keys, row: Row[Any]) -> bytes:
    """Return the element of a selector under the current key of private look-up; empty when it has none."""
    element = bytes.fromhex(row.element)
    if not element or row.epoch == keys.epoch:
        return element
    old = next((secret for secret in keys.lookups if epoch_of(secret) == row.epoch), None)
    if old is None:
        raise BackendError("an element was made with a key of private look-up that is not there; restore its key file")
    return rekey(old, keys.lookup, element)
