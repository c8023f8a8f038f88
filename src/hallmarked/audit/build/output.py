"""Write what the confined processes hand back into the folder of the new version; nothing of it is parsed here."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from hallmarked.core.check import Learned
from hallmarked.core.errors import BackendError, FormatError
from hallmarked.corpus.proof.identifier import SIZE
from hallmarked.transforms.dataset.packet import Received, receive

DATA, CHANGES = "data", "changes.gz"


@dataclass(slots=True)
class Output:
    """The files of a version while they are written."""

    folder: Path
    ending: str
    digests: dict[str, str] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    groups: dict[str, dict[str, Counter[str]]] = field(default_factory=dict)
    """Rows by group column, its value, and what became of them."""
    changed: int = 0
    """Rows that were redacted."""
    redacted: Counter[str] = field(default_factory=Counter)
    """How many values of each kind were replaced."""
    _shards: list[tuple[Path, str, int]] = field(default_factory=list)
    _changes: BinaryIO | None = None
    _changes_digest: hashlib._Hash = field(default_factory=hashlib.sha256)

    def begin(self) -> None:
        """Make the folder for rows, and the file that accounts for changes."""
        (self.folder / DATA).mkdir()
        self._changes = (self.folder / CHANGES).open("wb")

    def take(self, learned: Learned) -> Received:
        """Write what came of a part, and return how many rows were written.

        Raises:
            FormatError: When it does not fit together.
        """
        received = receive(learned)
        counts = received.head.get("shards")
        places = [place for place in received.places if place[0] == "shard"]
        if not isinstance(counts, list) or len(counts) != len(places):
            raise FormatError("a process sent other files than it told of")
        for place, rows in zip(places, counts, strict=True):
            if not isinstance(rows, int) or isinstance(rows, bool) or rows <= 0:
                raise FormatError("a process sent a file without rows")
            path = self.folder / DATA / f"draft-{len(self._shards):08}"
            digest = hashlib.sha256()
            with path.open("wb") as out:
                received.copy(place, _both(out, digest))
            self._shards.append((path, digest.hexdigest(), rows))
        assert self._changes is not None
        for place in received.places:
            if place[0] == "changes":
                received.copy(place, _both(self._changes, self._changes_digest))
        self._count(received)
        return received

    def _count(self, received: Received) -> None:
        try:
            self.changed += int(received.head["changed"])
            self.redacted.update({str(kind): int(count) for kind, count in received.head["redacted"].items()})
            for column, values in received.head["groups"].items():
                for value, counts in values.items():
                    known = self.groups.setdefault(str(column), {}).setdefault(str(value), Counter())
                    known.update({str(reason): int(count) for reason, count in counts.items()})
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise FormatError("a process sent something that is no account") from error

    def finish(self) -> None:
        """Give the files their names, which say how many there are."""
        assert self._changes is not None
        self._changes.close()
        self.digests[CHANGES] = self._changes_digest.hexdigest()
        for number, (path, digest, rows) in enumerate(self._shards):
            name = f"{DATA}/train-{number:05}-of-{len(self._shards):05}.{self.ending}"
            os.rename(path, self.folder / name)
            self.digests[name], self.rows[name] = digest, rows
        if not self._shards:
            (self.folder / DATA).rmdir()

    def add(self, name: str, data: bytes) -> None:
        """Write a file."""
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        self.digests[name] = hashlib.sha256(data).hexdigest()


class _Both:
    def __init__(self, out: BinaryIO, digest: hashlib._Hash) -> None:
        self._out, self._digest = out, digest

    def __call__(self, data: bytes) -> None:
        self._out.write(data)
        self._digest.update(data)


def _both(out: BinaryIO, digest: hashlib._Hash) -> _Both:
    """Return what writes bytes and hashes them."""
    return _Both(out, digest)


def digests_in(received: Received, name: str) -> Iterable[bytes]:
    """Return the digests that a packet holds under a name."""
    data = received.blob(name, SIZE)
    return (data[at : at + SIZE] for at in range(0, len(data), SIZE))


def sync(folder: Path, names: Sequence[str]) -> None:
    """Bring files to the disk, so that a version that is there after a power failure is whole.

    Raises:
        BackendError: When one cannot be written.
    """
    try:
        for name in names:
            descriptor = os.open(folder / name, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
    except OSError as error:
        raise BackendError(f"cannot write {folder / name}: {(error.strerror or str(error)).lower()}") from error
