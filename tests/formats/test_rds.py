"""The walk over R's serialized objects."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.core.errors import FormatError, LimitExceeded
from hallmarked.formats.blob import Blob, Budget, Limits
from hallmarked.formats.rds import Item, read_rds
from tests.formats import r_writer as r


def read(data: bytes, **limits: int) -> list[Item]:
    return list(read_rds(Blob.of_bytes("x", data), Budget(stored=len(data), limits=Limits(**limits))))


def kinds(root: bytes) -> list[tuple[str, str]]:
    return [(item.kind, item.name) for item in read(r.file(root))]


FRAME = r.pairs(("names", r.text("a", "b")), ("class", r.text("data.frame")))
DATA = r.vector(r.reals(1.5, 2), r.text("x", "y"), r.integers(1, -(2**31)), attributes=FRAME)


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("workspace", [False, True])
def test_data_yields_nothing(version: int, workspace: bool) -> None:
    """Vectors, lists and attributes are plain data, in both versions, alone and in a workspace."""
    root = r.pairs(("frame", DATA), ("again", r.number(255 | 1 << 8))) if workspace else DATA
    assert read(r.file(root, version, workspace)) == []


def test_the_native_form_is_read() -> None:
    """The little-endian form holds the same."""
    data = b"B\n" + struct.pack("<8i", 2, 0x40300, 0x20300, 13, 2, 5, 6, 0)
    assert [item.kind for item in read(data)] == ["trailing"]
    assert read(data[:-4]) == []


def test_what_is_more_than_data_is_yielded() -> None:
    """Functions, calls, environments, pointers, names of packages and compact vectors come out with their names."""
    assert kinds(r.call("system", r.text("id"))) == [("call", "system")]
    assert kinds(r.closure(r.call("{"))) == [("closure", ""), ("call", "{")]
    assert kinds(r.item(8, r.number(3), b"abs")) == [("builtin", "abs")]
    assert kinds(r.item(22, r.NIL, r.NIL)) == [("pointer", "")]
    assert kinds(r.item(249, r.number(0, 1), r.chars("stats"))) == [("namespace", "stats")]
    assert kinds(r.item(247, r.number(0, 1), r.chars("hook"))) == [("persistent", "hook")]
    info = r.item(2, r.symbol("compact_intseq"), r.item(2, r.symbol("base"), r.item(2, r.integers(13), r.NIL)))
    assert kinds(r.item(238, info, r.reals(3, 1, 1), r.NIL)) == [("altrep", "compact_intseq")]
    assert kinds(r.item(25, FRAME, flags=0x200)) == []


def test_promises_know_where_they_stand() -> None:
    """A promise is told apart by whether it was evaluated and whether it stands in an environment."""
    expression = r.call("system", r.text("id"))

    def found(root: bytes) -> list[tuple[str, bool]]:
        return [(item.kind, item.in_environment) for item in read(r.file(root)) if "promise" in item.kind]

    assert found(r.promise(expression)) == [("promise", False)]
    assert found(r.vector(r.promise(expression))) == [("promise", False)]
    assert found(r.pairs(("x", r.promise(expression)))) == [("promise", False)]
    assert found(r.environment(("x", r.promise(expression)))) == [("promise", True)]
    assert found(r.environment(("x", r.promise(expression, r.integers(1), r.NIL)))) == [("kept promise", True)]
    assert found(r.environment(("x", r.vector(r.pairs(("y", r.promise(expression))))))) == [("promise", False)]
    hashed = r.item(4, r.number(0), r.GLOBAL, r.NIL, r.vector(r.pairs(("x", r.promise(expression)))), r.NIL)
    assert found(hashed) == [("promise", True)]


def test_active_bindings_are_seen() -> None:
    """A binding that is a function in disguise is marked in its cell."""
    cell = r.item(2, r.symbol("x"), r.closure(r.call("f")), r.NIL, flags=0x400 | 1 << 27)
    found = read(r.file(r.item(4, r.number(0), r.GLOBAL, cell, r.NIL, r.NIL)))
    assert ("active binding", True) in [(item.kind, item.in_environment) for item in found]


def test_byte_code_is_walked() -> None:
    """Calls inside of byte code are found, also behind shared and nested parts."""
    end = r.in_code(r.NIL)
    plain = r.number(6) + r.NIL + r.in_code(r.symbol("system")) + end
    shared = r.number(244, 0, 6) + r.NIL + r.in_code(r.symbol("unlink")) + r.number(2) + r.NIL + plain + end
    attributed = r.number(240) + r.NIL + r.NIL + r.in_code(r.symbol("pipe")) + end
    nested = r.number(21) + r.integers(7) + r.number(1) + attributed
    code = r.integers(1, 2) + r.number(4) + r.in_code(r.reals(1)) + shared + r.number(243, 0) + nested
    found = kinds(r.closure(r.item(21, r.number(1), code)))
    assert sorted(found) == [
        ("bytecode", ""),
        ("call", "pipe"),
        ("call", "system"),
        ("call", "unlink"),
        ("closure", ""),
    ]


def test_references_repeat_names() -> None:
    """A function that is named by reference is still named."""
    again = r.item(6, r.number(255 | 1 << 8), r.NIL)
    assert kinds(r.vector(r.call("system"), again)) == [("call", "system"), ("call", "system")]


@pytest.mark.parametrize(
    "data",
    [
        *(
            b"",
            b"X\n",
            b"A\n2\n",
            b"RDX9\nX\n",
            b"RDX2\nA\n",
            r.file(b""),
            r.file(r.NIL, version=4),
            r.file(r.item(99)),
        ),
        *(r.file(r.number(255 | 5 << 8)), r.file(r.item(13, r.number(2**31 - 1))), r.file(r.item(13, r.number(-7)))),
        *(r.file(r.item(19, r.number(2**31 - 1))), r.file(r.item(24, r.number(-1, 2**31 - 1, -1)))),
        *(r.file(DATA)[:-1], r.file(r.item(249, r.number(1, 1), r.chars("x")))),
    ],
)
def test_broken_files_are_refused(data: bytes) -> None:
    """Cut files, other forms and versions, lengths beyond the end and dangling references are refused."""
    with pytest.raises(FormatError):
        read(data)


def test_limits_hold() -> None:
    """Depth and number of parts are bounded; a long list is not deep."""
    with pytest.raises(LimitExceeded):
        read(r.file(b"\0\0\0\x13\0\0\0\x01" * 20_000))
    with pytest.raises(LimitExceeded):
        read(r.file(r.vector(*[r.NIL] * 100)), nodes=99)
    assert read(r.file(r.item(2, r.NIL) * 30_000 + r.NIL)) == []


SAMPLE = r.file(r.vector(r.environment(("x", r.promise(r.call("f")))), DATA, r.closure(r.call("g")), attributes=FRAME))


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.tuples(st.integers(0, len(SAMPLE) - 1), st.integers(0, 255)), max_size=3), st.integers(0, len(SAMPLE))
)
def test_mutated_files_fail_only_with_format_errors(changes: list[tuple[int, int]], size: int) -> None:
    """Whatever is changed or cut, reading ends with an answer or a format error."""
    data = bytearray(SAMPLE)
    for at, value in changes:
        data[at] = value
    for part in (data, data[:size]):
        with contextlib.suppress(FormatError):
            read(bytes(part))


@settings(deadline=None)
@given(st.lists(st.sampled_from([*range(10), 13, 16, 17, 19, 21, 22, 25, *range(238, 256), 512, 1024]), max_size=40))
def test_arbitrary_words_fail_only_with_format_errors(words: list[int]) -> None:
    """Any sequence of types is read or refused, never anything else."""
    with contextlib.suppress(FormatError):
        read(r.file(r.number(*words)))
