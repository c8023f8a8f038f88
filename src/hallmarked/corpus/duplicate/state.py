"""What is kept of the texts of a part: fixed widths, column by column, so that one column can be read without others.

Layout, all numbers little-endian: ``MAGIC``, the length of a JSON object (4 bytes), the object, then one array behind
the other:

============ ======================== =====================================================================
``raw``      rows x 16 bytes          BLAKE2b-128 (RFC 7693) of the text as UTF-8; zeros when it has no words
``folded``   rows x 16 bytes          the same of the folded text, see ``text.normal``; of the text when words are not
                                      asked for
``sizes``    rows x 4 bytes           bytes of the text
``counts``   rows x 4 bytes           its words, repeated ones too; where words do not matter, 1 if it has any
``splits``   rows x 1 byte            number of its split in the object's ``splits``, plus one; 0 for none
``numbers``  runs x 2 x 8 bytes       rows that nobody could read: the first, from 0 in the part, and how many
``sketched`` sketches x 4 bytes       the row of each sketch, ascending
``prints``   sketches x numbers       lowest bytes of the sketch's numbers
``bands``    bands x sketches x 4     a number per band, band by band
``names``    names x 8 bytes          names of passages, see ``passage``, when they are asked for
``named``    names x 4 bytes          the row of each name, ascending
============ ======================== =====================================================================

A text of so few shingles that one more or less makes it another text has no sketch: it has no near duplicates but
those with the same words, which ``folded`` tells.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from hallmarked.core.errors import FormatError
from hallmarked.corpus.duplicate.name import names_of
from hallmarked.corpus.duplicate.sketch import Settings, Sketcher, bands_of, prints_of
from hallmarked.corpus.text.normal import Folded, fold_all
from hallmarked.corpus.text.shingle import Numbers

MAGIC = b"HMDUPL1\n"
DIGEST = 16
SAME, WORDS, NEAR = 1, 2, 3
"""Kinds of duplicates: the same text, the same words, nearly the same text."""
MOST_ROWS = 6_000_000
"""Rows of a part; what stands behind them is not looked at, and that is said."""
MOST_SKETCHES = 1_200_000
"""Texts of a part that are sketched; others are compared for equal words only, and that is said."""
MOST_NAMES = 8_000_000
"""Names of passages of a part; passages with other names are passed over, and that is said."""
MOST_RUNS = 1 << 16
"""Places with unreadable rows that are told apart; behind them the numbers of rows are not exact."""
MOST_SPLITS = 32
_HEAD = struct.Struct("<8sI")
_COUNTS = ("rows", "sketches", "names", "left", "bare", "unnamed", "runs", "depth")
_FARTHEST = 1 << 40
_MOST_HEAD = 1 << 20

Bytes = npt.NDArray[np.uint8]
Array = npt.NDArray[Any]


@dataclass(slots=True)
class Builder:
    """Collects what is kept of the texts of a part."""

    settings: Settings = field(default_factory=Settings)
    depth: int = NEAR
    """Which duplicates will be asked for: what they do not need is not computed."""
    passages: bool = False
    """Whether passages that return in several texts will be asked for."""
    rows: int = 0
    left: int = 0
    """Rows behind the bound."""
    bare: int = 0
    """Texts that should have been sketched but were too many."""
    unnamed: int = 0
    """Names of passages that were too many."""
    sketches: int = 0
    names: int = 0
    broken: str = ""
    """Why some rows could not be read, when nobody knows how many; empty otherwise."""
    splits: list[str] = field(default_factory=list)
    _runs: list[list[int]] = field(default_factory=list)
    _columns: dict[str, list[Array]] = field(default_factory=dict)
    _sketcher: Sketcher | None = None

    def add(self, texts: Sequence[str], splits: Sequence[str] | None = None) -> None:
        """Take the texts of the next rows, and to which split each belongs by its own word."""
        room = MOST_ROWS - self.rows
        self.left += max(0, len(texts) - room)
        texts = texts[: max(0, room)]
        if not texts:
            return
        encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
        self._sketcher = self._sketcher or Sketcher(self.settings)
        if self.depth == SAME:
            blank = np.array([not text or text.isspace() for text in texts])
            self._put("counts", (~blank).astype(np.uint32))
        else:
            blank = self._add_folded(texts, self._sketcher)
        self._put("raw", np.where(blank[:, None], np.uint8(0), _digests(encoded)))
        self._put("sizes", np.array([len(data) for data in encoded], np.uint32))
        self._put("splits", self._codes(splits, len(texts)))
        self.rows += len(texts)

    def _add_folded(self, texts: Sequence[str], sketcher: Sketcher) -> npt.NDArray[np.bool_]:
        """Keep what is needed of the words of texts, and say which have none."""
        blank = np.zeros(len(texts), bool)
        at = 0
        for block in fold_all(texts):
            size = len(block.ends)
            folded = list(block.texts())
            blank[at : at + size] = [not data for data in folded]
            self._put("folded", _digests(folded))
            if self.depth == NEAR:
                self._add_sketches(block, at, sketcher)
            else:
                self._put("counts", (~blank[at : at + size]).astype(np.uint32))
            at += size
        return blank

    def _add_sketches(self, block: Folded, at: int, sketcher: Sketcher) -> None:
        words = sketcher.shingler.words_of([block])
        shingles = sketcher.shingler.shingles(words)
        if self.passages:
            self._add_names(words, at)
        self._put("counts", words.counts.astype(np.uint32))
        wanted = np.flatnonzero(shingles.counts >= least_shingles(self.settings))
        self.bare += max(0, len(wanted) - (MOST_SKETCHES - self.sketches))
        wanted = wanted[: MOST_SKETCHES - self.sketches]
        if len(wanted):
            sketches = sketcher.of_shingles(shingles.take(wanted))
            self.sketches += len(wanted)
            self._put("sketched", (wanted + self.rows + at).astype(np.uint32))
            self._put("prints", prints_of(sketches))
            self._put("bands", bands_of(sketches, self.settings))

    def _add_names(self, words: Numbers, at: int) -> None:
        owners, names = names_of(words)
        room = max(0, MOST_NAMES - self.names)
        self.unnamed += max(0, len(names) - room)
        self._put("names", names[:room])
        self._put("named", (owners[:room] + self.rows + at).astype(np.uint32))
        self.names += len(names[:room])

    def skip(self, row: int, rows: int) -> None:
        """Take note of rows that could not be read, from 0 at the beginning of the part."""
        if self._runs and (sum(self._runs[-1]) == row or len(self._runs) >= MOST_RUNS):
            self._runs[-1][1] += rows
        else:
            self._runs.append([row, rows])

    def dump(self) -> bytes:
        """Return all of it as bytes."""
        head = {
            "settings": asdict(self.settings),
            "depth": self.depth,
            "rows": self.rows,
            "sketches": self.sketches,
            "runs": len(self._runs),
            "left": self.left,
            "bare": self.bare,
            "names": self.names,
            "unnamed": self.unnamed,
            "broken": self.broken,
            "splits": self.splits,
        }
        written = json.dumps(head, sort_keys=True).encode()
        columns = self._columns
        pieces: list[bytes | memoryview] = [_HEAD.pack(MAGIC, len(written)), written]
        for name in ("raw", "folded" if self.depth > SAME else "raw", "sizes", "counts", "splits"):
            pieces += [_little(array) for array in columns.get(name, ())]
        pieces.append(np.array(self._runs, "<i8").tobytes())
        for name in ("sketched", "prints"):
            pieces += [_little(array) for array in columns.get(name, ())]
        for band in range(self.settings.bands):
            pieces += [_little(array[band]) for array in columns.get("bands", ())]
        for name in ("names", "named"):
            pieces += [_little(array) for array in columns.get(name, ())]
        return b"".join(pieces)

    def _put(self, name: str, array: Array) -> None:
        self._columns.setdefault(name, []).append(array)

    def _codes(self, splits: Sequence[str] | None, count: int) -> Bytes:
        if splits is None:
            return np.zeros(count, np.uint8)
        for name in sorted(set(splits) - set(self.splits)):
            if name and len(self.splits) < MOST_SPLITS:
                self.splits.append(name)
        codes = {name: number + 1 for number, name in enumerate(self.splits)}
        return np.array([codes.get(name, 0) for name in splits[:count]], np.uint8)


def least_shingles(settings: Settings) -> int:
    """Return the shingles from which a set can resemble a different one as much as the threshold says."""
    count = 1
    while count / (count + 1) < settings.threshold:
        count += 1
    return count


def _digests(texts: Sequence[bytes | memoryview]) -> Bytes:
    joined = b"".join([hashlib.blake2b(text, digest_size=DIGEST).digest() for text in texts])
    return np.frombuffer(joined, np.uint8).reshape(-1, DIGEST)


def _little(array: Array) -> memoryview:
    return np.ascontiguousarray(array, array.dtype.newbyteorder("<")).data


@dataclass(frozen=True, slots=True)
class State:
    """What was kept of a part, read piece by piece."""

    open: Callable[[], BinaryIO]
    rows: int
    sketches: int
    left: int
    bare: int
    names: int
    unnamed: int
    broken: str
    splits: tuple[str, ...]
    runs: int
    start: int
    """Where the arrays begin."""
    settings: Settings
    depth: int

    @classmethod
    def load(cls, open_: Callable[[], BinaryIO], size: int, settings: Settings) -> State:
        """Read the head, and see that the rest is there.

        Raises:
            FormatError: When it is not what :meth:`Builder.dump` writes, or was made with other settings.
        """
        with open_() as stream:
            head = stream.read(_HEAD.size)
            if len(head) < _HEAD.size or not head.startswith(MAGIC):
                raise FormatError("what was learned of texts is not in the known form")
            length = min(_HEAD.unpack(head)[1], _MOST_HEAD)
            written = stream.read(length)
        try:
            found = json.loads(written)
            splits = tuple(str(name) for name in found["splits"])
            counts = {name: int(found[name]) for name in _COUNTS}
            broken = str(found["broken"])
            same = found["settings"] == asdict(settings)
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            raise FormatError("what was learned of texts has no readable head") from error
        if not same or min(counts.values()) < 0 or len(splits) > MOST_SPLITS:
            raise FormatError("what was learned of texts was learned with other settings")
        state = cls(open_, **counts, broken=broken, splits=splits, start=_HEAD.size + length, settings=settings)
        if state.rows > MOST_ROWS or state.sketches > min(state.rows, MOST_SKETCHES) or state._end != size:
            raise FormatError("what was learned of texts has another length than its head says")
        return state

    def raw(self, start: int, stop: int) -> Bytes:
        """Return the digests of some rows' texts: rows by 16."""
        return self._read(start * DIGEST, stop * DIGEST, "u1").reshape(-1, DIGEST)

    def folded(self, start: int, stop: int) -> Bytes:
        """Return the digests of some rows' folded texts: rows by 16."""
        base = self.rows * DIGEST
        return self._read(base + start * DIGEST, base + stop * DIGEST, "u1").reshape(-1, DIGEST)

    def sizes(self) -> Array:
        """Return the bytes of each text."""
        return self._column(2 * DIGEST, 4, "<u4")

    def counts(self) -> Array:
        """Return the words of each text, at least as many as its shingles."""
        return self._column(2 * DIGEST + 4, 4, "<u4")

    def codes(self) -> Array:
        """Return the number of each row's split: 0 for none, else one more than its index in ``splits``."""
        return np.minimum(self._column(2 * DIGEST + 8, 1, "u1"), len(self.splits)).astype(np.uint8)

    def numbers(self) -> tuple[Array, int]:
        """Return the number of each row in the part, from 0, unreadable ones counted, and how many there are in all."""
        base = self.rows * (2 * DIGEST + 9)
        runs = self._read(base, base + self.runs * 16, "<i8").reshape(-1, 2)
        runs = np.clip(runs, 0, _FARTHEST)
        runs = runs[np.argsort(runs[:, 0], kind="stable")]
        before = np.concatenate((np.zeros(1, np.int64), np.cumsum(runs[:, 1])))
        rows = np.arange(self.rows, dtype=np.int64)
        # A run that begins at line p has p - (unreadable ones before it) readable rows before it.
        shift = before[np.searchsorted(runs[:, 0] - before[:-1], rows, "right")]
        return rows + shift, self.rows + int(before[-1])

    def sketched(self) -> Array:
        """Return the row of each sketch."""
        rows = self._read(self._sketch_base, self._sketch_base + 4 * self.sketches, "<u4")
        if len(rows) and (rows[-1] >= self.rows or (rows[1:] <= rows[:-1]).any()):
            raise FormatError("what was learned of texts names rows that are not there")
        return rows

    def prints(self, start: int, stop: int) -> Bytes:
        """Return prints of some sketches."""
        size = self.settings.size
        base = self._sketch_base + 4 * self.sketches
        return self._read(base + start * size, base + stop * size, "u1").reshape(-1, size)

    def band(self, number: int) -> Array:
        """Return one number per sketch for a band."""
        base = self._sketch_base + (4 + self.settings.size + 4 * number) * self.sketches
        return self._read(base, base + 4 * self.sketches, "<u4")

    def named(self) -> tuple[npt.NDArray[np.uint64], Array]:
        """Return the names of passages, and the row of each."""
        base = self._sketch_base + self._sketch_size
        names = self._read(base, base + 8 * self.names, "<u8")
        rows = self._read(base + 8 * self.names, base + 12 * self.names, "<u4").astype(np.int64)
        if len(rows) and rows.max() >= self.rows:
            raise FormatError("what was learned of texts names rows that are not there")
        return names.astype(np.uint64), rows

    @property
    def _sketch_base(self) -> int:
        return self.rows * (2 * DIGEST + 9) + 16 * self.runs

    @property
    def _sketch_size(self) -> int:
        return (4 + self.settings.size + 4 * self.settings.bands) * self.sketches

    @property
    def _end(self) -> int:
        return self.start + self._sketch_base + self._sketch_size + 12 * self.names

    def _column(self, before: int, width: int, kind: str) -> Array:
        return self._read(self.rows * before, self.rows * (before + width), kind)

    def _read(self, start: int, stop: int, kind: str) -> Array:
        with self.open() as stream:
            stream.seek(self.start + start)
            data = stream.read(stop - start)
        if len(data) != stop - start:
            raise FormatError("what was learned of texts ends early")
        return np.frombuffer(data, kind)
