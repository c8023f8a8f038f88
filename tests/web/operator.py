"""An operator who rewrites the log of their own hub and signs it again with the hub's own key."""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from hallmarked.ledger.checkpoint import Checkpoint
from hallmarked.ledger.key import load_key
from hallmarked.ledger.ledger import LOG, LOG_KEY
from hallmarked.ledger.merkle import leaf_hash
from hallmarked.ledger.note import sign_note
from hallmarked.ledger.place import open_store
from hallmarked.ledger.store import Head
from hallmarked.ledger.tile import TileTree
from tests.ledger.place import Place


class Operator:
    """Has the database and the keys.

    Args:
        folder: With the keys and, unless a database has it, the log.
        url: That database.
    """

    def __init__(self, folder: Path, url: str | None = None) -> None:
        self.place = Place(url or folder / LOG)
        self._key = load_key(folder / LOG_KEY)

    def leaves(self) -> list[bytes]:
        rows: list[tuple[bytes]] = self.place.edit("SELECT record FROM leaf ORDER BY idx")
        return [bytes(row[0]) for row in rows]

    def rewrite(self, leaves: Sequence[bytes]) -> None:
        """Make the log consist of these entries, and sign that."""
        tree = TileTree(0, lambda _level, _index: b"")
        for leaf in leaves:
            tree.append(leaf_hash(leaf))
        tiles, root = tree.take_changed(), None
        with closing(open_store(self.place.where)) as store:
            whole = TileTree(len(leaves), lambda level, index: {(a, b): c for a, b, c in tiles}[level, index])
            root = whole.root()
            for table in ("leaf", "tile", "checkpoint", "subject"):
                self.place.edit(f"DELETE FROM {table}")
            with store.write():
                store.add_entries(0, leaves, [])
                store.put_tiles(tiles)
                note = sign_note(str(Checkpoint(store.origin, len(leaves), root)), store.origin, self._key)
                store.add_head(Head(len(leaves), root, note))


def mutate(leaves: Sequence[bytes], dice: random.Random) -> tuple[str, list[bytes]]:
    """Edit, delete, reorder or truncate entries at random, and now and then log others afterwards."""
    forged, place, other = list(leaves), dice.randrange(len(leaves)), dice.randrange(len(leaves))
    act = dice.choice(["edit", "delete", "reorder", "truncate"])
    match act:
        case "edit":
            forged[place] = forged[place].replace(b'"v":1', b'"v":%d' % dice.randrange(2, 10**9))
        case "delete":
            del forged[place]
        case "reorder":
            forged.insert(other, forged.pop(place))
        case "truncate":
            forged = forged[:place]
    forged += [dice.randbytes(40) for _ in range(dice.choice([0, 0, 1, 3, 9]))]
    return act, forged
