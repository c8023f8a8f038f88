"""Copy a log to another place, entry by entry: the same entries, keys and checkpoints, so the same proofs."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from hallmarked.core.errors import BackendError, InputError, VerificationError
from hallmarked.ledger.leaf import read_leaf
from hallmarked.ledger.merkle import leaf_hash
from hallmarked.ledger.place import open_store
from hallmarked.ledger.store import Store
from hallmarked.ledger.tile import TileTree

BATCH = 512


def copy_log(source: Path | str, target: Path | str) -> int:
    """Copy a log into a place that has none.

    Args:
        source: A file, or the URL of a PostgreSQL database.
        target: Likewise.

    Returns:
        How many entries it has.

    Raises:
        InputError: When there is a log at the target already.
        BackendError: When something cannot be read or written, or the log is damaged.
    """
    with closing(open_store(source)) as old, closing(open_store(target, old.origin)) as new:
        if new.head() is not None or new.leaf(0) is not None:
            raise InputError("there is a log already where this one should go")
        try:
            with old.read(), new.write():
                return _copy(old, new)
        except VerificationError as error:
            raise BackendError(f"the log {old.origin} is damaged: {error}") from error


def _copy(old: Store, new: Store) -> int:
    tree = TileTree(0, new.tile)
    erased: list[str] = []
    leaves: list[bytes] = []
    envelopes: dict[str, bytes] = {}
    for _, leaf in old.leaves():
        tree.append(leaf_hash(leaf))
        name = read_leaf(leaf).env
        stored = old.envelope(name)
        if stored is None:
            erased.append(name)
        envelopes[name] = stored or b""
        leaves.append(leaf)
        if len(leaves) == BATCH:
            new.add_entries(tree.size - len(leaves), leaves, list(envelopes.items()))
            leaves, envelopes = [], {}
    new.add_entries(tree.size - len(leaves), leaves, list(envelopes.items()))
    new.put_tiles(tree.take_changed())
    for use in ("log", "signer"):
        for public in old.keys(use):
            new.add_key(use, public)
    for head in old.heads():
        new.add_head(head)
    for name in dict.fromkeys(erased):
        new.erase(name)
    return tree.size
