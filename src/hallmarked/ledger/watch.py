"""Follow somebody else's log: accept what continues it, and make proof of what does not.

A watcher keeps every hash of the log, so that it can prove a contradiction also when the log has forgotten what it
signed. Specification of the tree: https://www.rfc-editor.org/rfc/rfc6962#section-2.1.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn

from hallmarked.core.errors import BackendError, LimitExceeded, VerificationError
from hallmarked.ledger.checkpoint import Checkpoint, read_checkpoint
from hallmarked.ledger.contradiction import Contradiction, Kind
from hallmarked.ledger.merkle import prove_roots, roots_from_consistency
from hallmarked.ledger.note import NOTE_ED25519, NoteKey, open_note
from hallmarked.ledger.store import Head
from hallmarked.ledger.tile import HASH, WIDTH, TileTree

MOST_NEW = 1 << 22
"""Entries by which a log may grow between two looks."""
Served = Callable[[int], TileTree]
"""Gives the tree of so many entries as the log serves it now; what it reads proves nothing alone."""


class Contradicted(VerificationError):
    """A log contradicts itself.

    Args:
        message: How.
        proof: What proves it; None when the log only shows that it cannot be trusted.
    """

    def __init__(self, message: str, proof: Contradiction | None = None) -> None:
        super().__init__(message, link="consistency")
        self.proof = proof


@dataclass(frozen=True, slots=True)
class Seen:
    """A checkpoint that continues what was seen before."""

    checkpoint: Checkpoint
    note: str
    tiles: Sequence[tuple[int, int, bytes]]
    """Level, index and hashes of the tiles that are new or wider; to be kept before the checkpoint is."""
    tree: TileTree
    """The whole tree, of kept and new hashes."""


def open_checkpoint(note: str, keys: Sequence[NoteKey]) -> Checkpoint:
    """Verify a checkpoint of a log that is watched.

    Raises:
        VerificationError: When none of the keys signed it under the log's own name.
    """
    text, signed = open_note(note, keys)
    stated = read_checkpoint(text)
    if not any(key.kind == NOTE_ED25519 and key.name == stated.origin for key in signed):
        raise VerificationError("the checkpoint is not signed by the log's key", link="log-signature")
    return stated


def follow(last: Head | None, note: str, keys: Sequence[NoteKey], kept: TileTree, served: Served) -> Seen:
    """Hold a log's newest checkpoint against everything that was seen of it.

    Args:
        last: The checkpoint seen last.
        note: The checkpoint the log shows now.
        keys: The log's keys.
        kept: The tree of what was seen, see :func:`keep`.
        served: The log as it is served now.

    Raises:
        Contradicted: When the log contradicts itself, with the proof when there can be one.
        VerificationError: When the checkpoint is not the log's.
        LimitExceeded: When the log has grown by more than can be looked at.
    """
    new = open_checkpoint(note, keys)
    size = last.size if last else 0
    if last is not None and new.size == size and new.root != last.root:
        raise Contradicted(
            f"{new.origin} shows two different histories of {size:,} entries",
            Contradiction(Kind.SPLIT, last.note, note),
        )
    if last is not None and new.size < size:
        _refuse_less(last, note, new, kept)
    if new.size - size > MOST_NEW:
        raise LimitExceeded(f"{new.origin} claims {new.size - size:,} new entries, which is more than can be looked at")
    if new.size > size:
        _extend(kept, new.size, served)
        if kept.root() != new.root:
            _refuse_other(last, note, new, served)
    return Seen(new, note, kept.take_changed(), kept)


def compare(first: str, second: str, keys: Sequence[NoteKey], served: Served) -> None:
    """Hold two checkpoints of one log, seen by different people, against each other.

    Args:
        first: One of them.
        second: The other one.
        keys: The log's keys.
        served: The log as anybody has it that leads to the larger one.

    Raises:
        Contradicted: When they cannot both be true.
        VerificationError: When one is not the log's, or nothing shows whether they agree.
    """
    notes = sorted((first, second), key=lambda note: open_checkpoint(note, keys).size)
    small, large = (open_checkpoint(note, keys) for note in notes)
    if small.origin != large.origin:
        raise VerificationError("the checkpoints are of different logs", link="checkpoint")
    if small.size == large.size:
        if small.root != large.root:
            raise Contradicted(
                f"{small.origin} showed two different histories of {small.size:,} entries",
                Contradiction(Kind.SPLIT, first, second),
            )
        return
    proof = _fork(notes[0], small, notes[1], large, served) if small.size else None
    if proof is not None:
        raise Contradicted(
            f"{small.origin} showed a history of {large.size:,} entries that does not continue the one of "
            f"{small.size:,} it showed to somebody else",
            proof,
        )


def keep(last: Head | None, kept: TileTree, served: Served) -> TileTree:
    """Return the tree of what was seen; what was kept of it and is lost or damaged is fetched again.

    Args:
        last: The checkpoint seen last.
        kept: The tree of that size, as it was kept.
        served: The log as it is served now.

    Raises:
        VerificationError: When what is lost is not handed out again; that accuses nobody.
    """
    if last is None:
        return kept
    with contextlib.suppress(BackendError):
        if kept.root() == last.root:
            return kept
    again = TileTree(0, lambda _level, _index: b"")
    _extend(again, last.size, served)
    if again.root() != last.root:
        raise VerificationError("what was kept of it is damaged, and it does not hand that out again", link="memory")
    return again


def _extend(kept: TileTree, size: int, served: Served) -> None:
    """Append the leaf hashes that the log serves beyond those kept."""
    tree = served(size)
    while kept.size < size:
        index, place = divmod(kept.size, WIDTH)
        hashes = tree.hashes(0, index)
        for start in range(place * HASH, len(hashes), HASH):
            kept.append(hashes[start : start + HASH])


def _fork(
    small_note: str, small: Checkpoint, large_note: str, large: Checkpoint, served: Served
) -> Contradiction | None:
    """Return the proof that the larger history does not begin with the smaller one; None when it does.

    Raises:
        VerificationError: When what is served does not lead to the larger checkpoint.
    """
    hashes = prove_roots(small.size, large.size, served(large.size).node)
    before, after = roots_from_consistency(small.size, large.size, hashes)
    if after != large.root:
        raise VerificationError(
            f"nobody shows the history of {large.size:,} entries that {large.origin} signed", link="tile"
        )
    return Contradiction(Kind.FORK, small_note, large_note, tuple(hashes)) if before != small.root else None


def _refuse_less(last: Head, note: str, new: Checkpoint, kept: TileTree) -> NoReturn:
    """Refuse a log that has become smaller."""
    seen = Checkpoint(new.origin, last.size, last.root)
    proof = _fork(note, new, last.note, seen, lambda _size: kept) if new.size else None
    if proof is not None:
        raise Contradicted(
            f"{new.origin} took back entries and rewrote others: it now shows {new.size:,} entries that are not the "
            f"first ones of the {last.size:,} it showed before",
            proof,
        )
    raise Contradicted(f"{new.origin} took back entries: it showed {last.size:,} before and now shows {new.size:,}")


def _refuse_other(last: Head | None, note: str, new: Checkpoint, served: Served) -> NoReturn:
    """Refuse a log whose new checkpoint does not follow from what was kept and what it serves."""
    if last is not None and last.size:
        proof = None
        with contextlib.suppress(VerificationError):  # then it serves hashes of no history it signed
            proof = _fork(last.note, Checkpoint(new.origin, last.size, last.root), note, new, served)
        if proof is not None:
            raise Contradicted(
                f"{new.origin} rewrote its history: the {new.size:,} entries it shows now do not begin with the "
                f"{last.size:,} it showed before",
                proof,
            )
    raise Contradicted(f"{new.origin} serves hashes that do not give the checkpoint it signed")
