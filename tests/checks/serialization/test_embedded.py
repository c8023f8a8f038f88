"""Pickles inside of other formats."""

from __future__ import annotations

import pickle

from hallmarked.checks.serialization.embedded import may_be_pickle, pickle_inside
from hallmarked.formats.blob import Blob


def test_what_may_be_a_pickle() -> None:
    """Whole pickles and streams that break off behind a call count; sentences do not."""
    assert all(may_be_pickle(pickle.dumps([1, "a"], protocol)) for protocol in range(6))
    assert may_be_pickle(b"cos\nsystem\n(S'id'\ntR\xff.")
    assert may_be_pickle(b"N0cos\nsystem\n(S'id'\ntR.\0\0")
    for text in (b"A sentence.", b"1.0.", b"cost is\nhigh.", b"In a word.", b"]", b"", b"....", b"Keras.\n\n."):
        assert not may_be_pickle(text), text


def test_long_values_are_cut_out() -> None:
    """A binary pickle inside of a blob becomes a blob of its own, one level deeper."""
    value = pickle.dumps(list(range(100)), protocol=4)
    blob = Blob.of_bytes("file", b"abc" + value + b"xyz", depth=1)
    found = pickle_inside(blob, 3, len(value), "at 3")
    assert found is not None
    assert (found.path, found.depth, found.open().read()) == ("file!at 3", 2, value)
    assert pickle_inside(blob, 4, len(value), "x") is None
    assert pickle_inside(blob, 3, 3, "x") is None
