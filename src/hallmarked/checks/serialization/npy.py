"""NumPy array files: does the array fill the file, and does a pickle follow."""

from __future__ import annotations

from collections.abc import Iterator

from hallmarked.checks.serialization.contract import Known, Seen
from hallmarked.checks.serialization.pickle import examine_pickle
from hallmarked.core.evidence import Finding, Level, Location, Measurement, Rule
from hallmarked.formats.blob import Blob, Budget
from hallmarked.formats.npy import MAGIC, read_npy

NPY_OBJECTS = Rule(
    "NPY001",
    Level.NOTE,
    "The array holds Python objects, stored as a pickle",
    "Reading it needs allow_pickle=True, which runs the pickle; store numbers or texts instead.",
)
NPY_TRAILING = Rule(
    "NPY002",
    Level.WARNING,
    "Bytes follow the array",
    "NumPy does not read them, so they can carry hidden content: save the array again.",
)

RULES = (NPY_OBJECTS, NPY_TRAILING)


def examine_npy(blob: Blob, budget: Budget) -> Iterator[Seen]:
    """Examine an array file; of an array of objects, hand on the pickle that follows as ``…!pickle``.

    NOTE: a reader unpickles what follows such a header whatever it looks like, so it has to be judged as a pickle.

    Raises:
        FormatError: When the header is not one that NumPy writes, or the array does not fit into the file.
    """
    array = read_npy(blob, budget)
    rest = blob.size - array.data_offset
    if array.dtype.has_objects:
        message = f"{blob.path} holds Python objects as a pickle of {rest} bytes."
        yield Finding.of(NPY_OBJECTS, message, Location(blob.path, offset=array.data_offset))
        yield Known(blob.window(array.data_offset, rest, "pickle"), "pickle", examine_pickle)
        return
    rest -= array.nbytes
    if rest:
        following = blob.window(blob.size - rest, rest, "after")
        if following.head(len(MAGIC)) != MAGIC:  # saving several arrays into one file is ordinary
            message = f"{rest} bytes follow the array in {blob.path}."
            yield Finding.of(NPY_TRAILING, message, Location(blob.path, offset=blob.size - rest))
        yield following
    yield Measurement("array.bytes", str(array.nbytes), slice={"path": blob.path})
