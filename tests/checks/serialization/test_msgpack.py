"""Examining MessagePack files."""

from __future__ import annotations

import contextlib
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.checks.serialization.contract import FileVerdict
from hallmarked.checks.serialization.msgpack import examine_msgpack
from hallmarked.core.errors import FormatError
from tests.checks.serialization.examining import blobs, examine, rules, verdict

msgpack = pytest.importorskip("msgpack")


def flax_array(array: np.ndarray, name: str = "") -> object:
    """An array as Flax stores it."""
    payload = (array.shape, name or array.dtype.name, array.tobytes())
    return msgpack.ExtType(1, msgpack.packb(payload, use_bin_type=True))


def test_parameters_of_flax_are_proven() -> None:
    """Nested parameters with arrays, numbers and complex numbers need no word."""
    tree = {
        "params": {"dense": {"kernel": flax_array(np.ones((64, 64), "f4")), "bias": flax_array(np.zeros(3, "i8"))}},
        "step": 3,
        "scalar": msgpack.ExtType(3, msgpack.packb(((), "float32", bytes(4)))),
        "complex": msgpack.ExtType(2, msgpack.packb((1.0, 2.0))),
        "half": flax_array(np.zeros(4, "u2"), "bfloat16"),
        "empty": flax_array(np.zeros((0, 3), "f4")),
        "time": msgpack.Timestamp(1),
    }
    assert examine(examine_msgpack, msgpack.packb(tree)) == []


@pytest.mark.parametrize(
    "extension",
    [
        msgpack.ExtType(42, b"x"),
        msgpack.ExtType(1, b"\xc1"),
        msgpack.ExtType(1, msgpack.packb(((2, 2), "float32", bytes(15)))),
        msgpack.ExtType(1, msgpack.packb(((2**40, 2**40), "float32", b""))),
        msgpack.ExtType(1, msgpack.packb(((1,), "object", bytes(8)))),
        msgpack.ExtType(1, msgpack.packb(((-1,), "int8", b""))),
        msgpack.ExtType(2, msgpack.packb(("a", "b"))),
    ],
)
def test_extensions_that_are_not_vetted_leave_a_gap(extension: object) -> None:
    """Unknown extension types, and arrays whose parts disagree, cannot be vouched for."""
    seen = examine(examine_msgpack, msgpack.packb({"a": [extension]}))
    assert rules(seen) == ["MSG001"]
    assert verdict(seen) == FileVerdict.UNPROVEN


def test_pickles_are_handed_on() -> None:
    """Short and long pickles inside of binary values are routed."""
    short, long = pickle.dumps({"a": 1}, 0), pickle.dumps(list(range(10_000)), 4)
    seen = examine(examine_msgpack, msgpack.packb({"nd": True, "kind": b"O", "data": short, "more": long}))
    assert sorted(blobs(seen).values()) == sorted([short, long])


def test_several_values_are_noted() -> None:
    """Values one after the other are worth a note; nothing at all is malformed."""
    assert rules(examine(examine_msgpack, b"\x01\x02")) == ["MSG002"]
    with pytest.raises(FormatError):
        examine(examine_msgpack, b"")


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_any_extension_gets_an_answer(payload: bytes) -> None:
    """Extensions with any payload are judged, never anything else."""
    for code in (1, 2, 3):
        with contextlib.suppress(FormatError):
            examine(examine_msgpack, msgpack.packb([msgpack.ExtType(code, payload)]))
