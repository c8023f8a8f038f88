"""The append-only log: entries in, receipts out, and a checkpoint signed over every commit.

Specifications: https://www.rfc-editor.org/rfc/rfc6962#section-2.1, https://c2sp.org/tlog-checkpoint.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from hallmarked.core.errors import BackendError, InputError, NotFound, VerificationError
from hallmarked.ledger.canonical import leaf_bytes
from hallmarked.ledger.check import LogReport, check_log
from hallmarked.ledger.checkpoint import Checkpoint, read_checkpoint
from hallmarked.ledger.dsse import Envelope, read_envelope, verify_envelope
from hallmarked.ledger.key import SigningKey
from hallmarked.ledger.leaf import Leaf, read_leaf
from hallmarked.ledger.merkle import leaf_hash, prove_consistency, prove_inclusion, root_from_inclusion
from hallmarked.ledger.note import NoteKey, open_note, sign_note
from hallmarked.ledger.proof import Proof
from hallmarked.ledger.statement import list_digests, read_statement
from hallmarked.ledger.store import Head, Store
from hallmarked.ledger.strict import parse_json
from hallmarked.ledger.tile import TileTree


def read_digests(envelope: bytes) -> list[str]:
    """Return the digests of the statement in a stored envelope, as ``algorithm:hex``.

    Raises:
        VerificationError: When it is malformed.
    """
    return list_digests(read_statement(read_envelope(parse_json(envelope, "envelope")).payload))


@dataclass(frozen=True, slots=True)
class Entry:
    """A signed envelope that is ready to be logged."""

    envelope: Envelope
    public: bytes
    """The raw public key that signed it."""
    leaf: bytes

    @classmethod
    def of(cls, envelope: Envelope, public: bytes, time: datetime, *, blind_secret: bytes | None = None) -> Entry:
        """Check an envelope and write its leaf.

        Raises:
            VerificationError: When the signature is not by that key or the payload is no statement.
            InputError: When the leaf would be too large.
        """
        verify_envelope(envelope, public)
        statement = read_statement(envelope.payload)
        return cls(envelope, public, leaf_bytes(envelope, statement, time, blind_secret=blind_secret))


@dataclass(frozen=True, slots=True)
class Receipt:
    """Says that an entry is in the log for good."""

    index: int
    leaf: bytes
    envelope: str
    """SHA-256 of the envelope."""
    checkpoint: str
    """The signed note over the log as it was after this entry's commit."""


class Log:
    """An append-only log.

    Args:
        store: Where its rows are.
        key: Signs checkpoints; None opens the log for reading only.

    Raises:
        InputError: When the key is not one of this log's.
        BackendError: When the store is damaged.
    """

    def __init__(self, store: Store, key: SigningKey | None = None) -> None:
        self._store, self._key = store, key
        self.origin = store.origin
        self._tree: TileTree | None = None
        if key is not None and store.head() is None:
            self._start(key)
        if key is not None and key.public not in store.keys("log"):
            raise InputError(f"the key {key.keyid[:16]}… is not the one that signs the log {self.origin}")

    @property
    def keys(self) -> tuple[NoteKey, ...]:
        """The keys that signed this log's checkpoints, oldest first."""
        return tuple(NoteKey(self.origin, public) for public in self._store.keys("log"))

    @property
    def keyid(self) -> str:
        """Id of the key that signs checkpoints; empty when the log was opened for reading only."""
        return self._key.keyid if self._key else ""

    def checkpoint(self, size: int | None = None) -> str:
        """Return a checkpoint as a signed note: the newest, or the one over so many entries.

        Raises:
            InputError: When none was signed at that size.
        """
        head = self._head() if size is None else next((h for h in self._store.heads() if h.size == size), None)
        if head is None:
            raise InputError(f"the log {self.origin} signed no checkpoint over {size} entries")
        return head.note

    def read_checkpoint(self, note: str) -> Checkpoint:
        """Verify a checkpoint of this log and return what it says.

        Raises:
            BackendError: When it is damaged.
        """
        try:
            text, signed = open_note(note, self.keys)
            stated = read_checkpoint(text)
        except VerificationError as error:
            raise BackendError(f"the log {self.origin} is damaged: {error}") from error
        if not signed or stated.origin != self.origin:
            raise BackendError(f"the log {self.origin} is damaged: it did not sign its checkpoint")
        return stated

    @property
    def size(self) -> int:
        """How many entries the log has."""
        return self._head().size

    def append(self, entries: Sequence[Entry]) -> list[Receipt]:
        """Log entries in one transaction; when this returns they are durable.

        Raises:
            InputError: When the log was opened for reading only.
            BackendError: When the store fails or does not hold what was signed last; then nothing was logged.
        """
        if self._key is None:
            raise InputError("the log was opened for reading only")
        if not entries:
            return []
        with self._store.write():
            tree, self._tree = self._tree, None  # a failure on the way leaves no half-grown tree behind
            head = self._head()
            tree = self._grown_from(head, tree)
            for entry in entries:
                tree.append(leaf_hash(entry.leaf))
            envelopes = {entry.envelope.digest: entry.envelope.to_json() for entry in entries}
            self._store.add_entries(head.size, [entry.leaf for entry in entries], list(envelopes.items()))
            for public in {entry.public for entry in entries}:
                self._store.add_key("signer", public)
            self._store.put_tiles(tree.take_changed())
            self._index([entry.leaf for entry in entries], envelopes, head.size)
            # Signed here, but seen by nobody before the transaction is durable.
            new = self._sign(tree.size, tree.root())
            self._store.add_head(new)
        self._tree = tree
        return [
            Receipt(index, entry.leaf, entry.envelope.digest, new.note)
            for index, entry in enumerate(entries, head.size)
        ]

    def rotate_key(self, key: SigningKey) -> None:
        """Sign checkpoints with another key from now on.

        Raises:
            InputError: When the log was opened for reading only.
        """
        if self._key is None:
            raise InputError("the log was opened for reading only")
        with self._store.write():
            self._store.add_key("log", key.public)
        self._key = key

    def add_cosignature(self, line: str, keys: Sequence[NoteKey]) -> None:
        """Add a witness's signature line to the newest checkpoint.

        Args:
            line: What the witness answered.
            keys: The witness's keys.

        Raises:
            VerificationError: When it does not sign the newest checkpoint with one of those keys.
        """
        with self._store.write():
            head = self._head()
            _, signed = open_note(head.note + line, keys)
            if not signed:
                raise VerificationError("the cosignature is not by a known witness", link="witness")
            self._store.replace_note(head.size, head.note + line)

    def leaf(self, index: int) -> bytes:
        """Return the record of an entry.

        Raises:
            InputError: When there is no such entry.
            BackendError: When the log has lost it.
        """
        size = self.size
        if not 0 <= index < size:
            raise InputError(f"the log of size {size} has no entry {index}")
        data = self._store.leaf(index)
        if data is None:
            raise BackendError(f"the log {self.origin} is damaged: it has lost entry {index}")
        return data

    def envelope(self, digest: str) -> bytes | None:
        """Return an envelope by its SHA-256; None when it was erased.

        Raises:
            NotFound: When it never was there.
        """
        return self._store.envelope(digest)

    def leaves(self, start: int = 0) -> Iterator[tuple[int, Leaf]]:
        """Yield index and record of each entry from an index on.

        Raises:
            BackendError: When a record is damaged or lost.
        """
        for index in range(max(start, 0), self.size):
            try:
                yield index, read_leaf(self.leaf(index))
            except VerificationError as error:
                raise BackendError(f"the log {self.origin} is damaged at entry {index}: {error}") from error

    def find(self, digest: str) -> list[int]:
        """Return the entries whose statement is about a digest (``algorithm:hex``, or the hex alone).

        Raises:
            BackendError: When the log is damaged.
        """
        name, _, value = digest.rpartition(":")

        def matches(listed: str) -> bool:
            return listed == digest if name else listed.rpartition(":")[2] == value

        start = self._store.indexed()
        found = set(self._store.find(digest))
        # What no index covers yet was written by an earlier version, and is read through.
        found |= {index for index, leaf in self.leaves(start) if any(map(matches, self._digests(leaf)))}
        return sorted(found)

    def _index(self, leaves: Sequence[bytes], envelopes: Mapping[str, bytes], size: int) -> None:
        """Put entries from ``size`` on into the index of subjects, and those before it that are not in it yet."""
        backlog = list(self.leaves(self._store.indexed()))
        rows = [(digest, index) for index, leaf in backlog for digest in self._digests(leaf)]
        for index, data in enumerate(leaves, size):
            with contextlib.suppress(VerificationError):  # nobody finds a record that nobody can read
                leaf = read_leaf(data)
                rows += [(digest, index) for digest in self._digests(leaf, envelopes.get(leaf.env))]
        self._store.add_subjects(rows, size + len(leaves))

    def _digests(self, leaf: Leaf, stored: bytes | None = None) -> Sequence[str]:
        """Return all digests of a statement: the leaf's, or the envelope's where the leaf has not all of them."""
        if leaf.subjects and not leaf.more:
            return leaf.subjects
        try:
            stored = stored or self._store.envelope(leaf.env)
            return leaf.subjects if stored is None else read_digests(stored)
        except (VerificationError, NotFound) as error:
            raise BackendError(f"the log {self.origin} is damaged: {error}") from error

    def receipt(self, index: int) -> Receipt:
        """Return the receipt of an entry again, with the newest checkpoint.

        Raises:
            InputError: When there is no such entry.
        """
        head, leaf = self._head(), self.leaf(index)
        return Receipt(index, leaf, self._envelope_of(index, leaf), head.note)

    def prove(self, indexes: Sequence[int]) -> list[tuple[bytes, bytes | None, Proof]]:
        """Return leaf, envelope (None when erased) and proof of entries, all against one checkpoint.

        Raises:
            InputError: When an entry does not exist.
        """
        with self._store.read():
            head = self._head()
            tree = TileTree(head.size, self._store.tile)
            rows = []
            for index in indexes:
                path = tuple(prove_inclusion(index, head.size, tree.node))
                leaf = self._store.leaf(index)
                if leaf is None:
                    raise BackendError(f"the log has lost entry {index}")
                rows.append((leaf, self._store.envelope(self._envelope_of(index, leaf)), Proof(index, path, head.note)))
        return rows

    def prove_entry(self, index: int) -> Proof:
        """Return the proof of one entry with its record inside, after verifying it.

        Raises:
            InputError: When there is no such entry.
            BackendError: When the log is damaged.
        """
        leaf, _, proof = self.prove([index])[0]
        stated = self.read_checkpoint(proof.checkpoint)
        if root_from_inclusion(index, stated.size, leaf_hash(leaf), proof.path) != stated.root:
            raise BackendError(f"the log {self.origin} is damaged: entry {index} does not lead to its checkpoint")
        return replace(proof, extra=leaf)

    def prove_consistency(self, old: int, new: int | None = None) -> list[bytes]:
        """Prove that the log of size ``new`` (the newest by default) begins with the one of size ``old``.

        Raises:
            InputError: When the log is smaller than that.
        """
        size = self.size
        new = size if new is None else new
        if new > size:
            raise InputError(f"the log has only {size} entries")
        return prove_consistency(old, new, TileTree(size, self._store.tile).node)

    def tile(self, level: int, index: int, width: int) -> bytes:
        """Return the hashes of a tile as it is served.

        Raises:
            InputError: When the log has no such tile.
        """
        data = self._store.tile(level, index)[: width * 32]
        if len(data) < width * 32 or width < 1 or index * 256 + width > self.size >> 8 * level:
            raise InputError(f"the log has no tile {index} of width {width} at level {level}")
        return data

    def check(self) -> LogReport:
        """Recompute everything and report every fault."""
        return check_log(self._store)

    def erase(self, digest: str) -> None:
        """Erase an envelope. Its leaf, and every proof, stay valid.

        Raises:
            NotFound: When there is no such envelope.
        """
        self._store.erase(digest, self._unlisted(digest))

    def _unlisted(self, digest: str) -> list[tuple[str, int]]:
        """Return the rows of the index of subjects that tell what only this envelope tells."""
        stored, rows = self._store.envelope(digest), list[tuple[str, int]]()
        with contextlib.suppress(VerificationError, BackendError):  # what is damaged is erased like anything else
            for subject in read_digests(stored) if stored is not None else ():
                for index in self._store.find(subject):
                    leaf = read_leaf(self.leaf(index))
                    if leaf.env == digest and subject not in leaf.subjects:
                        rows.append((subject, index))
        return rows

    def close(self) -> None:
        """Let go of the store."""
        self._store.close()

    def _start(self, key: SigningKey) -> None:
        with self._store.write():
            if self._store.head() is None:
                if self._store.keys("log") or self._store.leaf(0) is not None:
                    raise BackendError(f"the log {self.origin} is damaged: it has lost its checkpoints")
                self._store.add_key("log", key.public)
                self._key = key
                self._store.add_head(self._sign(0, TileTree(0, self._store.tile).root()))

    def _head(self) -> Head:
        head = self._store.head()
        if head is None:
            raise BackendError(f"the log {self.origin} is damaged: it has no checkpoint")
        return head

    def _envelope_of(self, index: int, leaf: bytes) -> str:
        try:
            return read_leaf(leaf).env
        except VerificationError as error:
            raise BackendError(f"the log {self.origin} is damaged at entry {index}: {error}") from error

    def _grown_from(self, head: Head, tree: TileTree | None) -> TileTree:
        """Return the tree as of the last checkpoint, and make sure that it is what was signed."""
        if tree is None or tree.size != head.size:
            tree = TileTree(head.size, self._store.tile)
            if self.read_checkpoint(head.note) != Checkpoint(self.origin, head.size, head.root):
                raise BackendError(f"the log {self.origin} is damaged: its last checkpoint says something else")
            if self._store.leaf(head.size) is not None:
                raise BackendError(f"the log {self.origin} is damaged: it has entries that no checkpoint covers")
        if tree.root() != head.root:
            raise BackendError(
                f"the log {self.origin} is damaged: refusing to sign something else than was signed before"
            )
        return tree

    def _sign(self, size: int, root: bytes) -> Head:
        assert self._key is not None
        return Head(size, root, sign_note(str(Checkpoint(self.origin, size, root)), self.origin, self._key))
