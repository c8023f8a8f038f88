"""PyTorch's legacy (non-zip) files: five stacked pickles, then the raw storages.

Specification: ``torch.serialization._legacy_load``. The pickles are a magic number, a protocol version, facts about
the writing machine, the object, and the list of storage keys; each storage follows as a 64-bit number of elements and
its data, in the order of the keys, up to the end of the file.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hallmarked.core.errors import FormatError
from hallmarked.formats.blob import Blob, Budget
from hallmarked.formats.pickle.reader import Reader
from hallmarked.formats.pickle.stream import Evaluation, evaluate_next
from hallmarked.formats.pickle.tensor import StorageRef, read_storage, text_of
from hallmarked.formats.pickle.values import Value

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001
MAX_KEYS = 1_000_000


@dataclass(slots=True)
class LegacyFile:
    """A legacy file, as far as it could be followed."""

    evaluations: list[Evaluation] = field(default_factory=list)
    """The pickles in order: magic, protocol, system facts, object, keys."""
    storages: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Where the data of each storage lie: key to (offset, bytes)."""
    end: int = 0
    """Offset behind the last storage."""
    error: FormatError | None = None
    """Why it could not be followed to its end."""

    @property
    def root(self) -> Value:
        """The symbolic object; None when the file could not be followed that far."""
        return self.evaluations[3].root if len(self.evaluations) > 3 else None


def is_magic(evaluation: Evaluation) -> bool:
    """Say whether the first pickle of a file makes PyTorch read the rest as a legacy file."""
    return evaluation.error is None and type(evaluation.root) is int and evaluation.root == MAGIC


def evaluate_legacy(blob: Blob, budget: Budget) -> LegacyFile:
    """Evaluate a legacy file; never raises for its content, see ``LegacyFile.error``."""
    result = LegacyFile()
    with blob.open() as stream:
        reader = Reader(stream, blob.size)
        try:
            for _ in range(5):
                result.evaluations.append(evaluate_next(reader, budget))
                result.evaluations[-1].require()
            _check_header(result)
            _read_storages(result, reader)
        except FormatError as failure:
            result.error = failure
        result.end = reader.offset
    return result


def _check_header(result: LegacyFile) -> None:
    magic, protocol = (evaluation.root for evaluation in result.evaluations[:2])
    if type(magic) is not int or magic != MAGIC:
        raise FormatError("no magic number of a legacy PyTorch file", offset=0)
    if type(protocol) is not int or protocol != PROTOCOL:
        raise FormatError("unknown version of a legacy PyTorch file", offset=result.evaluations[1].start)


def _described(result: LegacyFile) -> dict[str, StorageRef]:
    found: dict[str, StorageRef] = {}
    for value in result.evaluations[3].trace.persistent:
        if type(value.pid) is tuple and value.pid and text_of(value.pid[0]) == "module":
            continue  # the source of a class, which old releases added
        storage = read_storage(value)
        first = found.setdefault(storage.key, storage)
        if (first.dtype, first.count) != (storage.dtype, storage.count):
            raise FormatError(f"storage {storage.key[:60]!r} is described in two ways", offset=value.offset)
    return found


def _read_storages(result: LegacyFile, reader: Reader) -> None:
    keys = result.evaluations[4].root
    if type(keys) is not list or len(keys) > MAX_KEYS:
        raise FormatError("the storage keys are not a list", offset=result.evaluations[4].start)
    described = _described(result)
    for value in keys:
        key = text_of(value)
        if key is None or key not in described or key in result.storages:
            raise FormatError("a storage key that the object does not refer to once", offset=reader.offset)
        count = int.from_bytes(reader.take(8), "little", signed=True)
        if count != described[key].count:
            raise FormatError(f"storage {key[:60]!r} has another size than the object says", offset=reader.offset - 8)
        result.storages[key] = (reader.offset, described[key].nbytes)
        reader.skip(described[key].nbytes)
    missing = sorted(set(described) - set(result.storages))
    if missing:
        raise FormatError(
            f"{len(missing)} storages are not in the file, e.g. {missing[0][:60]!r}", offset=reader.offset
        )
    if not reader.at_end:
        raise FormatError("bytes behind the last storage", offset=reader.offset)
