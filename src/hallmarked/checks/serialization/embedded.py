"""Recognise pickles that lie inside of values of other formats, where some reader may unpickle them."""

from __future__ import annotations

import pickletools

from hallmarked.formats.blob import Blob

_SHORTEST_PICKLE = 4
_CALLS = frozenset({"REDUCE", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "BUILD"})


def pickle_inside(blob: Blob, offset: int, size: int, name: str) -> Blob | None:
    """Return a value of a file as a blob of its own when it begins and ends as binary pickles do.

    Raises:
        FormatError: When the value does not lie inside of the file.
    """
    part = blob.window(offset, size, name)
    if size < _SHORTEST_PICKLE:
        return None
    head = part.head(2)
    if head[0] != 0x80 or not 2 <= head[1] <= 5 or part.tail(1) != b".":
        return None
    return Blob(part.path, part.size, part.opener, blob.depth + 1)


def may_be_pickle(value: bytes) -> bool:
    """Say whether a value reads as a pickle: text that merely ends in a full stop does not.

    PyTables tries to unpickle every value that ends in one, so a stream that breaks off behind a call counts as well.
    """
    value = value.rstrip(b"\0")
    if len(value) < _SHORTEST_PICKLE or not value.endswith(b"."):
        return False
    called, first = False, True
    try:
        for opcode, _, _ in pickletools.genops(value):
            # A stream begins by putting something on the empty stack.
            if first and opcode.stack_before:
                return False
            first = False
            called = called or opcode.name in _CALLS
    except (ValueError, OverflowError, AttributeError, IndexError):
        return called
    return True
