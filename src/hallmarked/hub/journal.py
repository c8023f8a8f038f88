"""The hub's ledger: the one place that signs and logs for it, and all that others read of it.

Shared by the threads of a process; any number of processes may have one open at once. What threads hand in together is
committed together, and what one call hands in is in the log wholly or not at all.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from types import TracebackType

from hallmarked.core.errors import BackendError, Forbidden, InputError, NotFound, VerificationError
from hallmarked.core.evidence import Statement
from hallmarked.ledger.bundle import export_bundle
from hallmarked.ledger.canonical import statement_bytes
from hallmarked.ledger.check import LogReport
from hallmarked.ledger.dsse import Envelope, read_envelope
from hallmarked.ledger.key import SigningKey
from hallmarked.ledger.leaf import Leaf, read_leaf
from hallmarked.ledger.ledger import KeyReplaced, Ledger, read_log, read_trust
from hallmarked.ledger.log import Entry, Log, Receipt
from hallmarked.ledger.note import NoteKey
from hallmarked.ledger.statement import list_digests
from hallmarked.ledger.strict import parse_json
from hallmarked.ledger.tile import WIDTH, write_entries
from hallmarked.ledger.trust import Role, Trust, dump_trust
from hallmarked.ledger.writer import GroupWriter

FOLDER = "ledger"
"""The folder with the keys and, unless a database has it, the log; inside of the hub's data folder."""
PREFIX = "ledger"
"""Where the log is served, below the hub's address."""


class Journal:
    """The hub's ledger. A context manager; use :meth:`open`.

    Args:
        reopen: Opens the ledger; called again when its keys were replaced.
        reader: Opens the same log over a connection of its own, so that readers do not wait for writers.
    """

    def __init__(self, reopen: Callable[[], Ledger], reader: Callable[[], Log]) -> None:
        self._reopen = reopen
        self._lock = threading.Lock()
        self._ledger = reopen()
        try:
            self._reader = reader()
        except BaseException:
            self._ledger.close()
            raise
        self._writer = GroupWriter(self._ledger.log)
        self._retired: list[tuple[Ledger, GroupWriter]] = []

    @classmethod
    def open(
        cls, folder: Path, *, url: str | None = None, name: str = "", address: str = "", passphrase: str | None = None
    ) -> Journal:
        """Open the hub's ledger, or make it.

        Args:
            folder: Holds the keys; all processes of a hub use the same ones.
            url: The PostgreSQL database that has the log; a file in the folder has it without.
            name: What a new hub is called in its trust file.
            address: Where a new hub is reached; its log is named after that.
            passphrase: Opens the keys, or protects new ones.

        Raises:
            InputError: When a key does not open, or something else is where the log should be.
            BackendError: When the log cannot be read or written, or is damaged.
        """
        host = address.partition("://")[2].strip("/")
        origin = f"{host}/{PREFIX}" if host else ""

        def ledger() -> Ledger:
            return Ledger.open(folder, passphrase=passphrase, name=name, role=Role.HUB, url=url, origin=origin)

        return cls(ledger, lambda: read_log(folder, url))

    @property
    def origin(self) -> str:
        """Name of the log."""
        return self._reader.origin

    @property
    def keyid(self) -> str:
        """Id of the key that signs statements."""
        return self._ledger.key.keyid

    @property
    def signer(self) -> SigningKey:
        """The key that signs statements, for files that are signed and not logged."""
        return self._current()[0].key

    @property
    def size(self) -> int:
        """How many entries the log has."""
        return self._reader.size

    def attest(self, statements: Sequence[Statement], *, hidden: bool = False) -> list[Receipt]:
        """Sign statements and log them; when this returns they are durable, and before that nobody can read them.

        Args:
            statements: What was seen.
            hidden: Let the log's public part say nothing of what they are about: they are of a repository that is not
                public, or name people.

        Raises:
            InputError: When a statement cannot be written as canonical JSON.
            BackendError: When the log cannot be written; then nothing was logged.
        """
        if not statements:
            return []
        # The secret is forgotten: nobody needs to find the subjects in the leaf, and so nobody ever can.
        secret = secrets.token_bytes(32) if hidden else None
        ledger, writer = self._current()
        try:
            entries = ledger.prepare(statements, time=datetime.now(UTC), blind_secret=secret)
        except KeyReplaced:
            ledger, writer = self._renew(ledger)
            entries = ledger.prepare(statements, time=datetime.now(UTC), blind_secret=secret)
        return writer.append(entries)

    def adopt(self, signed: Sequence[tuple[Envelope, bytes]], *, hidden: bool = False) -> list[Receipt]:
        """Log statements that others signed, each with the raw public key it was signed with; all or none.

        Args:
            signed: What they signed.
            hidden: As for :meth:`attest`.

        Raises:
            VerificationError: When a signature is not by that key, or something signed is no statement.
            InputError: When something is too long for the log.
            BackendError: When the log cannot be written; then nothing was logged.
        """
        secret = secrets.token_bytes(32) if hidden else None
        time = datetime.now(UTC)
        entries = [Entry.of(envelope, public, time, blind_secret=secret) for envelope, public in signed]
        return self._current()[1].append(entries) if entries else []

    def trusted(self) -> Trust:
        """Return whose statements count here, and as what: the hub's own keys, and those its operator added.

        Raises:
            InputError: When the trust file cannot be used.
            BackendError: When it cannot be read.
        """
        return read_trust(self._ledger.folder)

    def own_keys(self, trust: Trust) -> frozenset[str]:
        """Return the ids of the keys of a trust file that are, or were, this hub's: one that took over keeps the name.

        Args:
            trust: What :meth:`trusted` returned.
        """
        current = trust.find(self.keyid)
        names = {(Role.LOG, self.origin), (Role.HUB, current.name if current else None)}
        return frozenset(key.keyid for key in trust.keys if (key.role, key.name) in names) | {self.keyid}

    def _current(self) -> tuple[Ledger, GroupWriter]:
        with self._lock:
            return self._ledger, self._writer

    def _renew(self, seen: Ledger) -> tuple[Ledger, GroupWriter]:
        """Open the ledger again with the keys there are now, unless another thread has done so since."""
        with self._lock:
            if self._ledger is seen:
                ledger = self._reopen()
                # Somebody may be about to use the old writer, so it is closed with everything else.
                self._retired.append((seen, self._writer))
                self._ledger, self._writer = ledger, GroupWriter(ledger.log)
            return self._ledger, self._writer

    def find(self, digests: Iterable[str]) -> list[int]:
        """Return the entries whose statements are about one of these digests (``algorithm:hex``), in order.

        Raises:
            BackendError: When the log is damaged.
        """
        return sorted({index for digest in digests for index in self._reader.find(digest)})

    def locate(self, statements: Sequence[Statement], start: int = 0) -> list[int]:
        """Return where statements lie that were handed in together; empty when they are not in the log.

        Args:
            statements: All of one call of :meth:`attest`.
            start: The first entry that can be one of them.

        Raises:
            BackendError: When the log is damaged.
        """
        wanted = [statement_bytes(statement) for statement in statements]
        places: dict[bytes, int] = {}
        for index in self.find(dict.fromkeys(d for s in statements for d in list_digests(s.to_dict()))):
            stored = self._envelope(self._leaf(index)) if index >= start else None
            if stored is not None:
                payload = read_envelope(parse_json(stored, "envelope")).payload
                places.setdefault(payload, index)
        return [places[payload] for payload in wanted] if all(payload in places for payload in wanted) else []

    def holds(self, statements: Sequence[Statement], entries: Sequence[int]) -> bool:
        """Say whether these entries are these statements, byte by byte; one that was erased counts as held.

        Raises:
            BackendError: When the log is damaged.
        """
        if len(statements) != len(entries) or any(not 0 <= index < self.size for index in entries):
            return False
        for statement, index in zip(statements, entries, strict=True):
            stored = self._envelope(self._leaf(index))
            if stored is not None:
                payload = read_envelope(parse_json(stored, "envelope")).payload
                if payload != statement_bytes(statement):
                    return False
        return True

    def payload(self, index: int) -> bytes | None:
        """Return what was signed at an entry, whoever may know of it; None when it was erased.

        Raises:
            BackendError: When the log is damaged, or has no such entry.
        """
        if not 0 <= index < self.size:
            raise BackendError(f"the log {self.origin} has no entry {index}")
        stored = self._envelope(self._leaf(index))
        return None if stored is None else read_envelope(parse_json(stored, "envelope")).payload

    def stands(self, index: int, statement: Statement, *, hidden: bool) -> bool:
        """Say whether an entry is this statement, as it would be logged now: with this key, and hidden or not.

        Raises:
            BackendError: When the log is damaged.
        """
        if not self.holds([statement], [index]):
            return False
        leaf = self._leaf(index)
        return bool(leaf.blinds) == hidden and leaf.kid == self.keyid

    def bundle(self, digests: Iterable[str]) -> bytes:
        """Return everything that was stated about these digests, as :meth:`export` does.

        NOTE: two repositories may have the same commit. Who answers somebody about one of them exports its own entries.

        Raises:
            NotFound: When there is nothing.
            BackendError: When the log is damaged.
        """
        return self.export(self.find(digests))

    def export(self, indexes: Iterable[int]) -> bytes:
        """Return these entries as one file that verifies offline; what was erased is left out.

        Raises:
            NotFound: When there are none, or all were erased.
            InputError: When there is no such entry.
            BackendError: When the log is damaged.
        """
        leaves = {index: self._leaf(index) for index in indexes}
        kept = [index for index, leaf in leaves.items() if self._envelope(leaf) is not None]
        if not kept:
            raise NotFound("there is no evidence about this")
        trust = self.trusted()
        # The keys of others are put in only where they are needed.
        used = {leaves[index].kid for index in kept} | self.own_keys(trust)
        return export_bundle(self._reader, kept, Trust(tuple(key for key in trust.keys if key.keyid in used)))

    def leaves(self, start: int, count: int) -> list[tuple[int, Leaf]]:
        """Return index and record of some entries, from one on.

        Raises:
            BackendError: When the log is damaged.
        """
        return list(islice(self._reader.leaves(start), count))

    def checkpoint(self) -> str:
        """Return the newest checkpoint: a signed note.

        Raises:
            BackendError: When the log is damaged.
        """
        return self._reader.checkpoint()

    def tile(self, level: int | None, index: int, width: int = WIDTH) -> bytes:
        """Return a tile of the log as it is served.

        Args:
            level: Height of the tile; None for a bundle of entries.
            index: Number of the tile at that level.
            width: How many hashes or entries it has.

        Raises:
            NotFound: When the log has no such tile yet.
            BackendError: When the log is damaged.
        """
        try:
            if level is not None:
                return self._reader.tile(level, index, width)
            start = index * WIDTH
            if start + width > self._reader.size:
                raise NotFound("the log does not have so many entries")
            return write_entries(self._reader.leaf(number) for number in range(start, start + width))
        except InputError as error:
            raise NotFound(str(error)) from None

    def entry(self, index: int) -> Leaf:
        """Return what the log's public part says of an entry.

        Raises:
            NotFound: When there is no such entry.
            BackendError: When the log is damaged.
        """
        if not 0 <= index < self._reader.size:
            raise NotFound(f"the log has no entry {index}")
        return self._leaf(index)

    def envelope(self, index: int) -> bytes:
        """Return the signed statement of an entry, for anybody.

        Raises:
            NotFound: When there is no such entry, or its statement was erased.
            Forbidden: When the entry hides what it is about.
            BackendError: When the log is damaged.
        """
        if index >= self._reader.size:
            raise NotFound(f"the log has no entry {index}")
        leaf = self._leaf(index)
        if leaf.blinds:
            raise Forbidden(f"entry {index} is about something that is not public")
        stored = self._envelope(leaf)
        if stored is None:
            raise NotFound(f"the statement of entry {index} was erased; its place in the log remains")
        return stored

    def erase(self, index: int) -> None:
        """Erase the statement of an entry; its leaf, and every proof, stay valid.

        Raises:
            NotFound: When there is no such entry.
            BackendError: When its bytes may still be on disk; try again.
        """
        try:
            leaf = self._leaf(index)
        except InputError as error:
            raise NotFound(str(error)) from None
        self._ledger.log.erase(leaf.env)

    def verifier_key(self) -> str:
        """Return the key of the log's checkpoints, as witnesses want it (``name+id+key``)."""
        return str(NoteKey(self.origin, self._reader.keys[-1].public))

    def trust(self) -> bytes:
        """Return the hub's keys as a trust file that its signing key signed."""
        ledger, _ = self._current()
        keys = read_trust(ledger.folder)
        known = keys.find(ledger.key.keyid)
        if known is None or known.refuses(datetime.now(UTC)):
            ledger, _ = self._renew(ledger)
        return dump_trust(keys, ledger.key)

    def check(self) -> LogReport:
        """Recompute the whole log and report every fault."""
        return self._reader.check()

    def close(self) -> None:
        """Log what is waiting, and let go of the log."""
        for ledger, writer in (*self._retired, (self._ledger, self._writer)):
            writer.close()
            ledger.close()
        self._reader.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _leaf(self, index: int) -> Leaf:
        try:
            return read_leaf(self._reader.leaf(index))
        except VerificationError as error:
            raise BackendError(f"the log {self.origin} is damaged at entry {index}: {error}") from error

    def _envelope(self, leaf: Leaf) -> bytes | None:
        try:
            return self._reader.envelope(leaf.env)
        except NotFound as error:
            raise BackendError(f"the log {self.origin} is damaged: {error}") from error
