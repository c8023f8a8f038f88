"""Examine pickles: plain, stacked, joblib and PyTorch's legacy files, and the object member of PyTorch archives.

Sound in one direction: a stream is proven only when every reader we model (CPython's two unpicklers, ``torch.load``
restricted or not, joblib) calls nothing but vetted functions with arguments of a safe kind. Which layout a file has is
decided by its content; where several readers would read it differently, all readings are judged.

Specification: https://docs.python.org/3.11/library/pickle.html
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field

from hallmarked.checks.serialization import pickle_content, pickle_rules
from hallmarked.checks.serialization.contract import Known, Seen
from hallmarked.checks.serialization.pickle_vet import Vet, shown
from hallmarked.core.errors import FormatError
from hallmarked.core.evidence import Finding, Gap, Location, Measurement
from hallmarked.formats.archive.zip_headers import LOCAL_SIGNATURE
from hallmarked.formats.blob import Blob, Budget
from hallmarked.formats.pickle.joblib import JoblibReading
from hallmarked.formats.pickle.machine import Trace
from hallmarked.formats.pickle.reader import Reader
from hallmarked.formats.pickle.stream import Evaluation, evaluate_all
from hallmarked.formats.pickle.torchfile import LegacyFile, evaluate_legacy, is_magic

RULES = pickle_rules.ALL
"""Rules that findings of this module cite."""
MAX_PICKLES = 10_000
"""Pickles stacked in one file."""
MAX_LISTED = 20_000
"""Characters of the list of imports."""


def examine_pickle(blob: Blob, budget: Budget) -> Iterator[Seen]:
    """Examine a file that starts with a pickle.

    Raises:
        FormatError: When it cannot be followed to its end; what was seen before that has been yielded.
    """
    state = _Examination(blob, budget)
    error = yield from state.run()
    if state.legacy:
        yield from _examine_legacy(blob, budget, evaluate_legacy(blob, budget))
        return
    yield from _measurements(blob, state.total)
    if error is not None:
        raise error


def examine_torch_object(blob: Blob, budget: Budget, storages: Mapping[str, int]) -> Iterator[Seen]:
    """Examine ``data.pkl`` of a PyTorch archive.

    Args:
        blob: The member.
        budget: Account of the file.
        storages: Size in bytes of each member below ``data/``, by its name there.

    Raises:
        FormatError: When it cannot be followed to its end; what was seen before that has been yielded.
    """
    total, error, said = Trace(), None, set[tuple[str, str]]()
    for number, result in enumerate(evaluate_all(blob, budget)):
        total.absorb(result.trace)
        if number == 0:
            yield from _judge(blob, budget, result, storages, said)
            error = result.error
            continue
        yield from _trailing(blob, result)
        if (result.error is not None and not result.trace.globals) or number >= MAX_PICKLES:
            break
        yield from _judge(blob, budget, result, storages, said)
    yield from _measurements(blob, total)
    if error is not None:
        raise error


def _judge(
    blob: Blob, budget: Budget, result: Evaluation, storages: Mapping[str, int] | None, said: set[tuple[str, str]]
) -> Iterator[Seen]:
    vet = Vet(blob, budget, result.trace, result.root, storages, said)
    yield from vet.run()
    for inner in vet.blobs:
        # torch.load unpickles whatever is not a zip archive, whether or not it looks like a pickle
        archive = inner.head(4) == LOCAL_SIGNATURE
        yield inner if archive else Known(inner, "pickle", examine_pickle)
    yield from pickle_content.look(blob, result.trace, vet.loaded)
    if result.error is not None:
        text = f"The pickle cannot be followed beyond byte {result.end:,}: {result.error}."
        yield Finding.of(pickle_rules.BROKEN, text, Location(blob.path, result.error.offset))


@dataclass(slots=True)
class _Examination:
    """All readings of a file that is neither a legacy file nor part of an archive."""

    blob: Blob
    budget: Budget
    total: Trace = field(default_factory=Trace)
    legacy: bool = False
    """Whether the first pickle makes PyTorch read the rest as a legacy file; then nothing else was judged."""
    said: set[tuple[str, str]] = field(default_factory=set)

    def run(self) -> Generator[Seen, None, FormatError | None]:
        """Judge all pickles as joblib reads them, which is as anybody does unless arrays stand between them."""
        reading, count, blob = JoblibReading(self.budget), 0, self.blob
        error = None
        with blob.open() as stream:
            reader = Reader(stream, blob.size)
            while error is None and not (count and reader.at_end):
                result = reading.evaluate_next(reader)
                if count == 0 and is_magic(result):
                    self.legacy = True
                    return None
                count += 1
                self.total.absorb(result.trace)
                if count > 1 and result.error is not None and not result.trace.globals:
                    yield from _trailing(blob, result)
                    break
                if count > MAX_PICKLES:
                    yield Gap(f"more than {MAX_PICKLES:,} pickles in one file", Location(blob.path, result.start))
                    break
                yield from _judge(blob, self.budget, result, None, self.said)
                error = result.error
        yield from self._other_readings(reading.arrays > 0, count > 1)
        return error

    def _other_readings(self, arrays: bool, stacked: bool) -> Iterator[Seen]:
        """Judge the readings that differ from joblib's: without its arrays, and with a memo kept between pickles.

        Where these readings fail, a reader fails; only what they call before that counts.
        """
        readings = ([False] if arrays else []) + ([True] if stacked else [])
        for shared_memo in readings:
            for number, result in enumerate(
                evaluate_all(self.blob, self.budget, shared_memo=shared_memo, strict_names=True)
            ):
                if number >= MAX_PICKLES:
                    break
                yield from Vet(self.blob, self.budget, result.trace, result.root, None, self.said).run()


def _trailing(blob: Blob, result: Evaluation) -> Iterator[Seen]:
    count = blob.size - result.start
    text = f"{count:,} bytes follow the end of the pickle and are no pickle that can be followed"
    if result.error is None:
        text = "another pickle follows the object, which PyTorch does not read"
    yield Finding.of(pickle_rules.TRAILING, f"{text[0].upper()}{text[1:]}.", Location(blob.path, result.start))
    yield Gap(f"pickle: {text}", Location(blob.path, result.start))


def _examine_legacy(blob: Blob, budget: Budget, file: LegacyFile) -> Iterator[Seen]:
    storages = {key: size for key, (_, size) in file.storages.items()}
    total, said = Trace(), set[tuple[str, str]]()
    for number, result in enumerate(file.evaluations):
        total.absorb(result.trace)
        described = storages if number == 3 and file.error is None else None
        yield from _judge(blob, budget, result, described, said)
    yield from _measurements(blob, total)
    if file.error is not None:
        if all(result.error is None for result in file.evaluations):
            text = f"The file cannot be followed beyond byte {file.end:,}: {file.error}."
            yield Finding.of(pickle_rules.BROKEN, text, Location(blob.path, file.error.offset))
        raise file.error


def _measurements(blob: Blob, trace: Trace) -> Iterator[Measurement]:
    """Count the instructions; list the imports, sorted, cut at a bounded length."""
    labels = sorted({shown(found.label).replace(" ", "_") for found in trace.globals})
    text = " ".join(labels)
    if len(text) > MAX_LISTED:
        text = f"{text[:MAX_LISTED].rpartition(' ')[0]} …"
    yield Measurement("pickle.globals", text, n=len(labels), slice={"path": blob.path})
    yield Measurement("pickle.opcodes", str(trace.opcodes), slice={"path": blob.path})
