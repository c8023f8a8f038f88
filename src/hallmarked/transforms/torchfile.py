"""Open the files that ``torch.save`` writes, down to where the bytes of each storage lie. Nothing is loaded.

Layouts (``torch/serialization.py`` in https://github.com/pytorch/pytorch): a zip archive with ``<name>/data.pkl`` and
one member ``<name>/data/<key>`` per storage; before version 1.6 five pickles (magic number, protocol, system facts,
the object, the keys) followed by the storages, each after its number of elements.
"""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from hallmarked.core.artifact import Artifact
from hallmarked.core.errors import FormatError
from hallmarked.formats.archive.model import FATAL, Entry
from hallmarked.formats.archive.zip import read_zip
from hallmarked.formats.blob import Blob, Budget
from hallmarked.formats.pickle.stream import Evaluation, evaluate
from hallmarked.formats.pickle.tensor import StorageRef, read_storage
from hallmarked.formats.pickle.torchfile import evaluate_legacy, is_magic
from hallmarked.formats.pickle.values import Dict, Value
from hallmarked.transforms.bytecopy import CHUNK

ZIP_SIGNATURE = b"PK\x03\x04"

Place = tuple[int, int]
"""An open file, and an offset in it."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """An opened file."""

    root: Value
    """The symbolic object."""
    places: Mapping[str, Place]
    """Where the bytes of each storage start, by its key."""


class Source:
    """A file of an artifact, open for reading byte ranges; close it, or use it in a ``with`` statement.

    Args:
        artifact: Where the file lies.
        path: Its path.
        size: Its size in bytes.
        folder: Where bytes that lie nowhere plainly (compressed, in memory) may be put for a while.
    """

    def __init__(self, artifact: Artifact, path: str, size: int, folder: Path) -> None:
        self.blob = Blob(path, size, lambda: artifact.open(path))
        self._folder, self._closing = folder, ExitStack()
        stream = self._closing.enter_context(artifact.open(path))
        try:
            self.descriptor = stream.fileno()
        except (OSError, io.UnsupportedOperation):
            self.descriptor, _ = self.spool(self.blob)
        self._state = _state(self.descriptor)

    def __enter__(self) -> Source:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.close()

    def confirm_unchanged(self) -> None:
        """Make sure that nothing was written to the file since it was opened.

        Raises:
            FormatError: When something was.
        """
        if _state(self.descriptor) != self._state:
            raise FormatError("it changed while it was read")

    def spool(self, blob: Blob) -> Place:
        """Copy a blob to a file without a name."""
        target = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 -- closed with the source
        self._closing.callback(target.close)
        with blob.open() as stream:
            while part := stream.read(CHUNK):
                target.write(part)
        target.flush()
        return target.fileno(), 0


def _state(descriptor: int) -> tuple[int, int, int]:
    info = os.fstat(descriptor)
    return info.st_size, info.st_mtime_ns, info.st_ctime_ns


def read_checkpoint(source: Source, budget: Budget) -> Checkpoint:
    """Read the object and find the storages of a file in either layout.

    Raises:
        FormatError: When it is not such a file, or readers would disagree about it.
    """
    if source.blob.head(4) == ZIP_SIGNATURE:
        return _read_zip(source, budget)
    return _read_legacy(source, budget)


def is_checkpoint(blob: Blob, budget: Budget) -> bool:
    """Say whether a file looks like one that ``torch.save`` wrote, by its first bytes and names."""
    if blob.head(4) == ZIP_SIGNATURE:
        try:
            return any(
                entry.name.count("/") == 1 and entry.name.endswith("/data.pkl")
                for entry in read_zip(blob, budget).entries
            )
        except FormatError:
            # Whoever reads on will learn what is wrong with it; passing it over in silence would look like success.
            return _first_member(blob).endswith(b"/data.pkl")
    first = evaluate(Blob.of_bytes(blob.path, blob.head(64)), budget)
    return is_magic(first)


def _first_member(blob: Blob) -> bytes:
    """Return the name in the first local header of a zip archive, which ``torch.save`` gives to the object."""
    header = blob.head(30 + 1024)
    return header[30 : 30 + int.from_bytes(header[26:28], "little")]


def _storages(evaluation: Evaluation) -> dict[str, StorageRef]:
    """Return every storage that the object refers to."""
    found: dict[str, StorageRef] = {}
    for persistent in evaluation.trace.persistent:
        storage = read_storage(persistent)
        first = found.setdefault(storage.key, storage)
        if (first.dtype, first.count) != (storage.dtype, storage.count):
            raise FormatError(f"storage {storage.key} is described in two ways", offset=persistent.offset)
    return found


def _read_zip(source: Source, budget: Budget) -> Checkpoint:
    listing = read_zip(source.blob, budget)
    if listing.irregularities:
        raise FormatError(f"its archive is irregular: {listing.irregularities[0].message}")
    members = {entry.name: entry for entry in listing.entries}
    pickles = [name for name in members if name.count("/") == 1 and name.endswith("/data.pkl")]
    prefix = pickles[0].removesuffix("data.pkl") if len(pickles) == 1 else ""
    if not prefix or any(not name.startswith(prefix) for name in members):
        raise FormatError("it is a zip archive, but not one that torch.save writes")
    if f"{prefix}constants.pkl" in members:
        raise FormatError("it is a TorchScript program, not weights")
    if (order := members.get(f"{prefix}byteorder")) and _content(order).read_all(budget).strip() != b"little":
        raise FormatError("its numbers are not little-endian")
    evaluation = evaluate(_content(members[pickles[0]]), budget)
    root = evaluation.require()
    if evaluation.end != members[pickles[0]].size:
        raise FormatError("more follows the pickle of the object", offset=evaluation.end)
    places: dict[str, Place] = {}
    for key, storage in _storages(evaluation).items():
        member = members.get(f"{prefix}data/{key}")
        if member is None or member.size != storage.nbytes:
            size = f"has {member.size:,} bytes" if member else "is missing"
            raise FormatError(f"storage {key} should have {storage.nbytes:,} bytes and {size}")
        places[key] = source.spool(_content(member)) if member.at is None else (source.descriptor, member.at)
    return Checkpoint(root, places)


def _content(entry: Entry) -> Blob:
    """Return what a member of an archive holds.

    Raises:
        FormatError: When it cannot be read, or not in the same way by every reader.
    """
    if entry.expand is None:
        raise FormatError(f"its member {entry.name} cannot be read: {entry.unreadable}")
    expanded = entry.expand()
    fatal = [problem for problem in expanded.check() if problem.kind in FATAL]
    if fatal:
        raise FormatError(f"its member {entry.name} is irregular: {fatal[0].message}")
    return expanded.blob


def _read_legacy(source: Source, budget: Budget) -> Checkpoint:
    legacy = evaluate_legacy(source.blob, budget)
    if not legacy.evaluations or not is_magic(legacy.evaluations[0]):
        raise FormatError("it is not a file that torch.save writes", offset=0)
    if legacy.error is not None:
        raise legacy.error
    facts = legacy.evaluations[2].root
    if not isinstance(facts, Dict) or facts.get("little_endian") is not True:
        raise FormatError("its numbers are not little-endian")
    return Checkpoint(legacy.root, {key: (source.descriptor, offset) for key, (offset, _) in legacy.storages.items()})
