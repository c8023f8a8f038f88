"""Numpy and the standard library: npy, npz, arrays of objects, scalars, random generators, plain data."""

from __future__ import annotations

import collections
import datetime
import decimal
import fractions
import functools
import pathlib
import pickle
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

PROTOCOLS = (0, 2, 4, 5)


def _arrays() -> dict[str, np.ndarray[Any, Any]]:
    random = np.random.default_rng(7)
    return {
        "float64": random.normal(size=(8, 5)),
        "float32_fortran": np.asfortranarray(random.normal(size=(4, 6)).astype("f4")),
        "int_big_endian": np.arange(10, dtype=">i4"),
        "bool": random.normal(size=7) > 0,
        "complex": random.normal(size=3) + 1j,
        "unicode": np.array(["alpha", "βeta", "gamma"]),
        "bytes": np.array([b"one", b"three"]),
        "datetime": np.array(["2024-02-29", "2025-01-01"], dtype="datetime64[D]"),
        "structured": np.array(
            [(1, 2.5, b"x"), (2, 3.5, b"y")], dtype=[("id", "<i4"), ("value", "<f8"), ("tag", "S3")]
        ),
        "scalar": np.array(3.5),
        "empty": np.empty((0, 4)),
    }


def _objects() -> dict[str, Any]:
    return {
        "scalars": [
            np.float64(1.5),
            np.float32(2),
            np.int64(3),
            np.bool_(True),
            np.str_("x"),
            np.datetime64("2024-02-29"),
        ],
        "dtypes": [np.dtype("f4"), np.dtype([("a", "i2"), ("b", "S4")]), np.dtype("M8[ns]"), np.float32],
        "generator": np.random.default_rng(7),
        "random_state": np.random.RandomState(7),
        "seed_sequence": np.random.SeedSequence(7),
        "masked": np.ma.masked_array([1.0, 2.0, 3.0], mask=[False, True, False]),
        "history": {"loss": [0.5, 0.25], "best": np.float32(0.25), "weights": np.arange(6.0).reshape(2, 3)},
        "standard_library": {
            "counter": collections.Counter("abca"),
            "deque": collections.deque([1, 2], maxlen=3),
            "default": collections.defaultdict(list, a=[1]),
            "ordered": collections.OrderedDict(a=1),
            "when": datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.UTC),
            "day": datetime.date(2024, 2, 29),
            "span": datetime.timedelta(days=1),
            "decimal": decimal.Decimal("1.10"),
            "fraction": fractions.Fraction(1, 3),
            "uuid": uuid.UUID(int=7),
            "path": pathlib.PurePosixPath("a/b"),
            "complex": 1 + 2j,
            "range": range(5),
            "slice": slice(1, 2),
            "bytes": b"\x00\xff",
            "bytearray": bytearray(b"ab"),
            "set": {1, 2},
            "frozenset": frozenset({3}),
            "large": 2**80,
            "none": None,
        },
        "vocabulary": {f"word{i}": i for i in range(2000)},
        "pattern": re.compile(r"\w+"),
        "partial": functools.partial(int, base=2),
        "nested": [[[{"a": (1, (2, (3,)))}]] * 3],
    }


def write(folder: Path) -> Iterator[tuple[str, str]]:
    """Write the family's files and yield their names and kinds."""
    arrays, objects = _arrays(), _objects()
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
        yield f"{name}.npy", "data"
    np.savez(folder / "several.npz", **arrays)
    np.savez_compressed(folder / "several_compressed.npz", **arrays)
    yield from (("several.npz", "data"), ("several_compressed.npz", "data"))
    mixed = np.array([{"a": 1}, [2, 3], "four", None, 5.0], dtype=object)
    np.save(folder / "objects.npy", mixed)
    np.savez(folder / "objects.npz", labels=np.array(["a", "b"], dtype=object), values=np.arange(3))
    yield from (("objects.npy", "pickle"), ("objects.npz", "pickle"))
    for name, value in (objects | {"arrays": arrays}).items():
        for protocol in PROTOCOLS:
            path = folder / f"{name}.protocol{protocol}.pkl"
            path.write_bytes(pickle.dumps(value, protocol))
            yield path.name, "pickle"
    with (folder / "stacked.pkl").open("wb") as stream:
        for protocol in PROTOCOLS:
            pickle.dump({"protocol": protocol, "mean": np.arange(3.0)}, stream, protocol)
    yield "stacked.pkl", "pickle"
