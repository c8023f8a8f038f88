"""Check a log from the ground up: recompute the tree and hold everything stored against it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from hallmarked.core.errors import BackendError, NotFound, VerificationError
from hallmarked.ledger.checkpoint import Checkpoint, read_checkpoint
from hallmarked.ledger.dsse import read_envelope, verify_envelope
from hallmarked.ledger.key import key_id
from hallmarked.ledger.leaf import match_leaf, read_leaf
from hallmarked.ledger.merkle import Frontier, leaf_hash
from hallmarked.ledger.note import NoteKey, open_note
from hallmarked.ledger.statement import list_digests, read_statement
from hallmarked.ledger.store import Head, Store
from hallmarked.ledger.strict import parse_json
from hallmarked.ledger.tile import TileTree


@dataclass(frozen=True, slots=True)
class LogReport:
    """What a check of a log found."""

    size: int
    """How many entries there are."""
    erased: int
    """How many of them have an envelope that was erased on purpose."""
    faults: tuple[str, ...]
    """One sentence each; empty when the log holds."""


def check_log(store: Store) -> LogReport:
    """Recompute the whole tree, and verify every checkpoint, envelope digest, signature and leaf."""
    checker = _Checker(store)
    with store.read():
        faults = list(checker.run())
    return LogReport(checker.frontier.size, checker.erased, tuple(faults))


class _Checker:
    """One pass over a log."""

    def __init__(self, store: Store) -> None:
        self.frontier = Frontier()
        self.erased = 0
        self._store = store
        self._tree = TileTree(0, lambda _level, _index: b"")

    def run(self) -> Iterator[str]:
        """Yield every fault."""
        try:
            yield from self._store.faults()
            self._keys = tuple(NoteKey(self._store.origin, public) for public in self._store.keys("log"))
            self._indexed = self._store.indexed()
            self._signers = {key_id(public): public for public in self._store.keys("signer")}
            yield from self._run()
        except BackendError as error:
            yield f"the log cannot be read any further: {error}"

    def _run(self) -> Iterator[str]:
        heads = self._store.heads()
        head, last = next(heads, None), 0
        for index, leaf in self._store.leaves():
            if index != self.frontier.size:
                yield f"entry {self.frontier.size} is missing; the next one is {index}"
                return
            while head is not None and head.size <= index:
                yield from self._check_head(head)
                last, head = head.size, next(heads, None)
            yield from (f"entry {index}: {fault}" for fault in self._check_entry(index, leaf))
            self.frontier.append(leaf_hash(leaf))
            self._tree.append(leaf_hash(leaf))
            if self.frontier.size % 1024 == 0:
                yield from self._check_tiles(full_only=True)
        while head is not None:
            yield from self._check_head(head)
            last, head = head.size, next(heads, None)
        if last < self.frontier.size:
            yield f"no checkpoint covers the entries from {last} on"
        yield from self._check_tiles()

    def _check_head(self, head: Head) -> Iterator[str]:
        if head.size != self.frontier.size:
            yield f"the checkpoint of size {head.size} is about more than the {self.frontier.size} entries there are"
            return
        try:
            text, signed = open_note(head.note, self._keys)
            stated = read_checkpoint(text)
        except VerificationError as error:
            yield f"the checkpoint of size {head.size}: {error}"
            return
        if not signed:
            yield f"the checkpoint of size {head.size} is not signed by a key of this log"
        if stated != Checkpoint(self._store.origin, head.size, head.root):
            yield f"the checkpoint of size {head.size} says something else than is stored with it"
        if self.frontier.root() != stated.root:
            yield f"the entries do not give the root of the checkpoint of size {head.size}"

    def _check_entry(self, index: int, data: bytes) -> Iterator[str]:
        try:
            leaf = read_leaf(data)
            yield from self._check_index(index, leaf.subjects)
            stored = self._store.envelope(leaf.env)
            if stored is None:
                self.erased += 1
                return
            envelope = read_envelope(parse_json(stored, "envelope"))
            if stored != envelope.to_json():
                yield "the envelope is not stored in its one form"
            if leaf.kid not in self._signers:
                yield "the key that signed it is not known"
                return
            verify_envelope(envelope, self._signers[leaf.kid])
            statement = read_statement(envelope.payload)
            match_leaf(leaf, envelope, statement)
            yield from self._check_index(index, set(list_digests(statement)) - set(leaf.subjects))
        except (VerificationError, NotFound) as error:
            yield str(error)

    def _check_index(self, index: int, digests: Iterable[str]) -> Iterator[str]:
        """Who looks for a digest must find all that was said about it."""
        if index < self._indexed and not all(self._store.is_listed(digest, index) for digest in digests):
            yield "the index does not lead from all its subjects to it"

    def _check_tiles(self, *, full_only: bool = False) -> Iterator[str]:
        for level, index, hashes in self._tree.take_changed(full_only=full_only):
            if self._store.tile(level, index) != hashes:
                yield f"tile {index} at level {level} differs from the entries"
