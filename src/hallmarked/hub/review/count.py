"""What happened in the registry and on the hub, counted from its public log as anybody can count it again."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from sqlalchemy import Connection

from hallmarked.cards.governance.count import CONSENT, MODERATION, Counts, Tally, as_attestation
from hallmarked.core.errors import Forbidden, NotFound
from hallmarked.core.evidence import Statement, Subject
from hallmarked.hub.clock import now, to_datetime
from hallmarked.hub.hub import Hub
from hallmarked.hub.journal import Journal
from hallmarked.hub.repository.repository import Repository
from hallmarked.hub.review.attested import Attested, gather
from hallmarked.ledger.dsse import read_envelope
from hallmarked.ledger.leaf import Leaf
from hallmarked.ledger.statement import read_statement
from hallmarked.ledger.strict import parse_json

MOST = 50_000
"""Entries of the log that are read at once; a long log is counted in several steps, and says so until it is done."""
_COUNTED = frozenset({CONSENT, MODERATION})


@dataclass(frozen=True, slots=True)
class Counted:
    """Counts of a log, and how far it was read."""

    counts: Counts
    entries: int
    """Entries that were read, from the first on."""
    size: int
    """Entries the log has."""

    @property
    def whole(self) -> bool:
        """Whether all of the log was read; else the counts are too low."""
        return self.entries == self.size


class Reckoner:
    """Counts what was added to a hub's log since the last time. May be shared between threads."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._lock = threading.Lock()
        self._tally = Tally()
        self._entries = 0

    def count(self) -> Counted:
        """Count, reading on from where the last call ended.

        Raises:
            BackendError: When the log is damaged.
        """
        with self._lock:
            size = self._journal.size
            if size > self._entries:
                # NOTE: others bring statements too, of whatever type; of what happened here only the hub tells.
                own = self._journal.own_keys(self._journal.trusted())
                for index, leaf in self._journal.leaves(self._entries, min(size - self._entries, MOST)):
                    if leaf.predicate_type in _COUNTED and leaf.kid in own:
                        self._add(index, leaf)
                    self._entries = index + 1
            return Counted(self._tally.counts(), self._entries, size)

    def _add(self, index: int, leaf: Leaf) -> None:
        if leaf.blinds:  # nobody else could count it
            return
        try:
            envelope = read_envelope(parse_json(self._journal.envelope(index), "envelope"))
        except (Forbidden, NotFound):
            return
        self._tally.add(Statement.from_dict(read_statement(envelope.payload)))


def count(hub: Hub) -> Counted:
    """Count what happened in a hub's registry and on the hub.

    Raises:
        BackendError: When the log is damaged.
    """
    reckoner: Reckoner = hub.kept.recall(("reckoner",), (), lambda: (Reckoner(hub.journal), 1))
    return reckoner.count()


def gather_counted(hub: Hub, db: Connection, repo: Repository, subject: Subject) -> Attested:
    """Return all that is stated about a repository, and with it what the hub counts now, for cards to show.

    While the log was not read to its end there are no counts.

    Raises:
        BackendError: When what was kept, or the log, cannot be read back.
    """
    attested, counted, time = gather(hub, db, repo), count(hub), to_datetime(now())
    if not counted.whole:
        return attested

    def add() -> tuple[Attested, int]:
        made = as_attestation(counted.counts, subject, time, hub.journal.origin)
        return Attested((*attested.attestations, made), {}), len(attested.attestations) + 1

    key = ("counted", repo.id, *sorted(subject.digest.items()))
    found: Attested = hub.kept.recall(key, (attested, counted.counts, time.date()), add)
    return found
