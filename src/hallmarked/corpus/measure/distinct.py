"""How many different things there are: exact up to a bound, beyond it from those whose hashes are smallest.

Z. Bar-Yossef and others, "Counting distinct elements in a data stream", RANDOM 2002 (the k smallest values of a hash).
What is kept does not depend on the order or the parts in which things came, and how often each kept thing occurs is
exact: one that belongs to the smallest of all belonged to the smallest of every part.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import xxhash

FEW = 2_048
"""Different values that are kept of a column."""
_HASHES = float(1 << 64)
_EXACT = 1 << 53
"""Whole numbers up to which a double holds all."""
_LEAST = -(1 << 63)


@dataclass(slots=True)
class Distinct:
    """What is known of how many different things there are."""

    most: int = FEW
    """Things that are kept."""
    hashes: npt.NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, np.uint64))
    """Their hashes, ascending."""
    counts: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    """How often each was there."""
    more: bool = False
    """Whether there are more than are kept."""
    total: int = 0
    """How many things were there, each as often as it was."""

    def add(self, hashes: npt.NDArray[np.uint64], counts: npt.NDArray[np.int64] | None = None) -> None:
        """Take things by their hashes, each once or as often as ``counts`` says."""
        if counts is None:
            hashes, counts = np.unique(hashes, return_counts=True)
        self.merge(Distinct(self.most, hashes, counts, total=int(counts.sum())))

    def merge(self, other: Distinct) -> None:
        """Take what is known of other things."""
        hashes, places = np.unique(np.concatenate([self.hashes, other.hashes]), return_inverse=True)
        counts = np.zeros(len(hashes), np.int64)
        np.add.at(counts, places, np.concatenate([self.counts, other.counts]))
        self.total += other.total
        self.more = self.more or other.more or len(hashes) > self.most
        self.hashes, self.counts = hashes[: self.most], counts[: self.most]

    @property
    def number(self) -> int:
        """How many different things there are; an estimate when there are more than are kept."""
        if not self.more:
            return len(self.hashes)
        return min(self.total, round((self.most - 1) * _HASHES / (float(self.hashes[-1]) + 1)))

    @property
    def interval(self) -> tuple[int, int] | None:
        """95 % interval of an estimate; None when the number is exact."""
        if not self.more:
            return None
        off = 1.96 / (self.most - 2) ** 0.5
        return round(self.number * (1 - off)), min(self.total, round(self.number * (1 + off)))

    @property
    def once(self) -> float:
        """Share of the different things that occur only once, in all or among those that are kept."""
        return float(np.mean(self.counts == 1)) if len(self.counts) else 0.0

    def to_json(self) -> dict[str, Any]:
        """Write it as JSON: hashes and counts as little-endian numbers in base 64."""
        return {
            "most": self.most,
            "more": self.more,
            "total": self.total,
            "hashes": base64.b64encode(self.hashes.astype("<u8").tobytes()).decode(),
            "counts": base64.b64encode(self.counts.astype("<i8").tobytes()).decode(),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Distinct:
        """Read what :meth:`to_json` wrote."""
        hashes = np.frombuffer(base64.b64decode(data["hashes"]), "<u8").astype(np.uint64)
        counts = np.frombuffer(base64.b64decode(data["counts"]), "<i8").astype(np.int64)
        return cls(data["most"], hashes, counts, data["more"], data["total"])


def hash_values(array: pa.Array) -> npt.NDArray[np.uint64]:
    """Return a hash of each value: of texts and bytes XXH3 (64 bits), of numbers, times and truth values a mix of bits.

    Args:
        array: Values without nulls, neither lists nor objects.
    """
    if pa.types.is_integer(array.type) or pa.types.is_boolean(array.type):
        return _mix(_bits(array))
    if pa.types.is_floating(array.type):
        return _mix(np.asarray(array.cast(pa.float64())).view(np.uint64))
    if pa.types.is_interval(array.type):
        array = pa.array([repr(value) for value in array.to_pylist()])
    elif pa.types.is_temporal(array.type) or pa.types.is_decimal(array.type):
        array = array.cast(pa.string())
    array = array.cast(pa.large_binary())
    return np.fromiter((xxhash.xxh3_64_intdigest(value) for value in array.to_pylist()), np.uint64, len(array))


def _bits(array: pa.Array) -> npt.NDArray[np.uint64]:
    """Return whole numbers as the bits of doubles where these hold them, so that 3 and 3.0 are the same."""
    whole = np.asarray(array.cast(pa.uint64() if array.type == pa.uint64() else pa.int64()))
    exact = (whole <= _EXACT) if whole.dtype == np.uint64 else (np.abs(whole) <= _EXACT) & (whole != _LEAST)
    return np.where(exact, whole.astype(np.float64).view(np.uint64), whole.astype(np.uint64))


def _mix(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Spread bits (the finaliser of SplitMix64: G. Steele and others, OOPSLA 2014); no two numbers fall together."""
    values = values + np.uint64(0x9E37_79B9_7F4A_7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58_476D_1CE4_E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D0_49BB_1331_11EB)
    mixed: npt.NDArray[np.uint64] = values ^ (values >> np.uint64(31))
    return mixed
