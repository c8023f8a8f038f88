"""A witness on this machine: looks at other people's logs, remembers, and keeps proof when one contradicts itself."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from hallmarked.audit.remotelog import RemoteLog
from hallmarked.audit.site import Site
from hallmarked.audit.verify import BROKEN, HOLDS, OPEN
from hallmarked.core.errors import BackendError, Error, InputError, NotFound, VerificationError
from hallmarked.ledger.checkpoint import Checkpoint, read_checkpoint
from hallmarked.ledger.contradiction import Contradiction, sign_testimony, write_contradiction
from hallmarked.ledger.key import SigningKey, load_or_create_key
from hallmarked.ledger.merkle import prove_consistency
from hallmarked.ledger.note import NOTE_COSIGNATURE, NOTE_ED25519, NoteKey, read_note_key, split_note, valid_name
from hallmarked.ledger.publish import put_file
from hallmarked.ledger.sqlite import SqliteMemory
from hallmarked.ledger.store import Head
from hallmarked.ledger.strict import members, parse_json, write_json
from hallmarked.ledger.tile import TileTree, tile_path
from hallmarked.ledger.watch import Contradicted, Seen, Served, compare, follow, keep, open_checkpoint
from hallmarked.ledger.witness import Witness, WitnessRefusal

PLACES = ("", "/ledger")
"""Where below an address a log may be: at the address of a log, or of a hub."""
_LIST = "list of watched logs"


@dataclass(frozen=True, slots=True)
class Watched:
    """A log that is watched."""

    url: str
    """Its prefix: checkpoint and tiles lie below it."""
    keys: tuple[NoteKey, ...]

    @property
    def origin(self) -> str:
        """Its name."""
        return self.keys[0].name


@dataclass(frozen=True, slots=True)
class Look:
    """What came of looking at a log."""

    origin: str
    status: int
    """0 it continues what was seen, 1 it contradicts itself, 2 it could not be looked at."""
    sentence: str
    proof: Path | None = None
    """The file that shows others that it contradicts itself."""


class TileFolder:
    """The hashes of one log, as files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, level: int, index: int) -> bytes:
        """Return the hashes of a tile so far; empty when there are none.

        Raises:
            BackendError: When they cannot be read.
        """
        path = self._folder / tile_path(level, index)
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise BackendError(f"cannot read {path}: {error.strerror}") from error

    def put(self, tiles: Sequence[tuple[int, int, bytes]]) -> None:
        """Keep tiles, replacing narrower ones.

        Raises:
            BackendError: When they cannot be written.
        """
        for level, index, hashes in tiles:
            _put(self._folder / tile_path(level, index), hashes)


class Watcher:
    """A witness with its keys, its memory and the logs it watches. A context manager by :meth:`close`.

    Args:
        folder: Where all of it lies.
        passphrase: Opens its keys, or protects new ones.
        name: What a new witness is called; best an address without its scheme.

    Raises:
        InputError: When a key does not open, or the name cannot stand in a signature.
        BackendError: When the folder cannot be read or written.
    """

    def __init__(self, folder: Path, *, passphrase: str | None = None, name: str = "") -> None:
        if name and not valid_name(name):
            raise InputError(f"not a name for a witness: {name!r}; use something like witness.example.org")
        self.folder = folder
        self._key = load_or_create_key(folder / "witness.pem", passphrase)
        # A key that cosigns signs nothing else: https://c2sp.org/tlog-cosignature
        self._testimony: SigningKey = load_or_create_key(folder / "testimony.pem", passphrase)
        name = name or f"hallmarked.internal/witness/{self._key.keyid[:16]}"
        self._memory = SqliteMemory(folder / "memory.sqlite3", name)
        self.name = self._memory.origin
        self.key = NoteKey(self.name, self._key.public, NOTE_COSIGNATURE)

    def close(self) -> None:
        """Let go of the memory."""
        self._memory.close()

    def logs(self) -> list[Watched]:
        """Return the logs that are watched.

        Raises:
            BackendError: When the list is damaged.
        """
        path = self.folder / "logs.json"
        try:
            rows = parse_json(path.read_bytes(), _LIST)
            rows = [members(row, "url keys", link=_LIST) for row in members(rows, "logs", link=_LIST)["logs"]]
            return [Watched(row["url"], tuple(read_note_key(key) for key in row["keys"])) for row in rows]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise BackendError(f"cannot read {path}: {error.strerror}") from error
        except (VerificationError, TypeError) as error:
            raise BackendError(f"{path} is damaged: {error}") from error

    def add(self, url: str, keys: Sequence[NoteKey], now: datetime) -> Look:
        """Watch a log from now on, or let it use another key as well.

        Args:
            url: Address of the log or of its hub.
            keys: Its keys, from a source one trusts.
            now: The witness's own time.

        Raises:
            InputError: When the keys are not of one log.
            NotFound, Forbidden, BackendError: When no log can be reached there.
            VerificationError: When the log there is not signed by one of the keys.
        """
        if len({key.name for key in keys}) != 1 or any(key.kind != NOTE_ED25519 for key in keys):
            raise InputError("name the keys of one log, as its operator prints them: name+id+key")
        logs = {log.origin: log for log in self.logs()}
        known = logs.get(keys[0].name)
        every = tuple(dict.fromkeys((*(known.keys if known else ()), *keys)))
        watched = Watched(_find_log(url, every), every)
        look = self.look(watched, now)
        if look.status != OPEN:
            logs[watched.origin] = watched
            rows = [{"url": log.url, "keys": [str(key) for key in log.keys]} for log in logs.values()]
            _put(self.folder / "logs.json", write_json({"logs": rows}))
        return look

    def look(self, watched: Watched, now: datetime) -> Look:
        """Look at a log: remember and cosign what continues it, and keep proof of what does not."""
        try:
            return self._look(watched, now)
        except Contradicted as lie:
            return Look(watched.origin, BROKEN, str(lie), self._keep(watched, lie.proof))
        except WitnessRefusal as error:
            return Look(watched.origin, OPEN, f"{watched.origin} could not be looked at: {error}")
        except VerificationError as error:
            # Hashes that are not handed out may come later, so nobody is accused of anything yet.
            status = OPEN if error.link in {"tile", "memory"} else BROKEN
            return Look(watched.origin, status, f"{watched.origin} does not show that it continues: {error}")
        except Error as error:
            return Look(watched.origin, OPEN, f"{watched.origin} could not be looked at: {error}")

    def _look(self, watched: Watched, now: datetime) -> Look:
        log, tiles = RemoteLog(Site(watched.url)), TileFolder(self._place(watched.origin))
        last = self._memory.last(watched.origin)
        size = last.size if last else 0
        note = log.checkpoint()
        try:
            kept = _kept(last, note, watched, TileTree(size, tiles.get), log)
            seen = follow(last, note, watched.keys, kept, log.tree)
        except Contradicted as lie:
            if lie.proof is None and last is not None:
                proof = sign_testimony(last.note, note, str(lie), (self.name, self._testimony), now)
                raise Contradicted(str(lie), proof) from None
            raise
        self._remember(watched, seen, size, tiles, now)
        grown = seen.checkpoint.size - size
        news = f"{grown:,} more than before" if last and grown else ("as before" if last else "seen for the first time")
        return Look(watched.origin, HOLDS, f"{watched.origin} holds: {seen.checkpoint.size:,} entries, {news}")

    def _remember(self, watched: Watched, seen: Seen, size: int, tiles: TileFolder, now: datetime) -> None:
        tiles.put(seen.tiles)
        proof = prove_consistency(size, seen.checkpoint.size, seen.tree.node)
        witness = Witness(self.name, self._key, {watched.origin: watched.keys}, self._memory)
        line = witness.cosign(seen.note, size, proof, now)
        _put(self._place(watched.origin) / "checkpoint", (seen.note + line).encode())

    def checkpoint_file(self, origin: str) -> Path:
        """Return the file with the last checkpoint seen of a log, with this witness's cosignature."""
        return self._place(origin) / "checkpoint"

    def compare(self, notes: Sequence[str], keys: Sequence[NoteKey], url: str | None) -> list[Look]:
        """Hold checkpoints that different people saw against each other.

        Args:
            notes: The checkpoints.
            keys: The logs' keys, beside those of the logs that are watched.
            url: Where the log is, when it is not watched; needed when the checkpoints are of different sizes.
        """
        logs = {log.origin: log for log in self.logs()}
        groups: dict[str, list[str]] = {}
        for note in notes:
            groups.setdefault(read_checkpoint(split_note(note)[0]).origin, []).append(note)
        looks = []
        for origin, group in groups.items():
            known = logs.get(origin)
            ours = tuple(dict.fromkeys((*(known.keys if known else ()), *(key for key in keys if key.name == origin))))
            if not ours:
                raise InputError(f"name the key of {origin} with --key, or watch that log")
            looks.append(self._compare(Watched(url or (known.url if known else ""), ours), group))
        return looks

    def _compare(self, watched: Watched, notes: Sequence[str]) -> Look:
        origin = watched.origin
        if len(notes) < 2:
            return Look(origin, OPEN, f"there is only one checkpoint of {origin}, and nothing to compare it with")
        ordered = sorted(notes, key=lambda note: open_checkpoint(note, watched.keys).size)
        try:
            for first, second in pairwise(ordered):
                compare(first, second, watched.keys, self._served(watched, open_checkpoint(second, watched.keys)))
        except Contradicted as lie:
            return Look(origin, BROKEN, str(lie), self._keep(watched, lie.proof))
        except VerificationError as error:
            return Look(origin, OPEN, f"the checkpoints of {origin} could not be compared: {error}")
        return Look(origin, HOLDS, f"the {len(notes)} checkpoints of {origin} are of one history")

    def _served(self, watched: Watched, large: Checkpoint) -> Served:
        """Give the tree of a checkpoint: from what was kept, or else as it is served."""
        return lambda _size: self._tree(watched, large)

    def _tree(self, watched: Watched, large: Checkpoint) -> TileTree:
        last = self._memory.last(watched.origin)
        if last is not None and last.size >= large.size:
            kept = TileTree(large.size, TileFolder(self._place(watched.origin)).get)
            if kept.root() == large.root:
                return kept
        if not watched.url:
            raise VerificationError("they are of different sizes; say with --url where the log is", link="tile")
        return RemoteLog(Site(_find_log(watched.url, watched.keys))).tree(large.size)

    def _keep(self, watched: Watched, proof: Contradiction | None) -> Path | None:
        """Keep a proof under a name of its own: the same contradiction is kept once."""
        if proof is None:
            return None
        name = hashlib.sha256(f"{proof.kind}\n{proof.first}{proof.second}".encode()).hexdigest()[:16]
        path = self.folder / "contradictions" / f"{name}.json"
        if not path.exists():
            _put(path, write_contradiction(proof, watched.keys))
        return path

    def _place(self, origin: str) -> Path:
        return self.folder / hashlib.sha256(origin.encode()).hexdigest()[:16]


def _kept(last: Head | None, note: str, watched: Watched, kept: TileTree, log: RemoteLog) -> TileTree:
    """Return what was kept of a log; where it was lost, the log may still contradict itself without it."""
    try:
        return keep(last, kept, log.tree)
    except VerificationError:
        if last is not None:
            compare(last.note, note, watched.keys, log.tree)
        raise


def _find_log(url: str, keys: Sequence[NoteKey]) -> str:
    """Return the prefix below an address at which a log signed by one of these keys is."""
    problem: Error = NotFound(f"there is no log at {url}")
    for place in PLACES:
        site = Site(url.rstrip("/") + place)
        try:
            open_checkpoint(RemoteLog(site).checkpoint(), keys)
        except NotFound:
            continue
        except VerificationError as error:
            problem = VerificationError(f"the log at {site.url} is not the one of that key: {error}", link=error.link)
            continue
        return site.url
    raise problem


def _put(path: Path, data: bytes) -> None:
    try:
        put_file(path, data)
    except OSError as error:
        raise BackendError(f"cannot write {path}: {error.strerror or error}") from error
