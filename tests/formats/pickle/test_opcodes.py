"""Each instruction of the machine, and each place where two unpicklers would disagree."""

from __future__ import annotations

import pickletools
import struct
from typing import Any

import pytest

from hallmarked.core.errors import LimitExceeded
from hallmarked.formats.pickle.machine import HANDLERS, MAX_MARKS
from hallmarked.formats.pickle.stream import MAX_TUPLE_DEPTH
from hallmarked.formats.pickle.values import ByteString, Call, Dict, Global, OutOfBand, Persistent, Set, Span
from tests.formats.pickle.test_stream import run

INLINE = {0x8C, 0x94, 0x4B, 0x4D, 0x4A, 0x68, 0x71, 0x72, 0x6A, 0x47, 0x86}


def test_every_instruction_of_the_language_is_known() -> None:
    """The machine executes exactly the instructions that pickletools lists, none else."""
    known = {code for code, handler in enumerate(HANDLERS) if handler is not None} | INLINE
    assert known == {ord(op.code) for op in pickletools.opcodes}
    assert all(HANDLERS[code] is None for code in INLINE)


@pytest.mark.parametrize(
    ("stream", "value"),
    [
        (b"N.", None),
        (b"\x88.", True),
        (b"\x89.", False),
        (b"I01\n.", True),
        (b"I00\n.", False),
        (b"I-17\n.", -17),
        (b"L123456789012345678901L\n.", 123456789012345678901),
        (b"K\xff.", 255),
        (b"M\x01\x02.", 513),
        (b"J\xff\xff\xff\xff.", -1),
        (b"\x8a\x02\x00\x80.", -32768),
        (b"\x8a\x00.", 0),
        (b"\x8b\x01\x00\x00\x00\x05.", 5),
        (b"F1.5\n.", 1.5),
        (b"Finf\n.", float("inf")),
        (b"G\x3f\xf8\x00\x00\x00\x00\x00\x00.", 1.5),
        (b"S'a\\x41\\n'\n.", "aA\n"),
        (b'S"a"\n.', "a"),
        (b"T\x02\x00\x00\x00ab.", "ab"),
        (b"U\x01a.", "a"),
        (b"V\\u00fc\xfc\n.", "üü"),
        (b"X\x02\x00\x00\x00\xc3\xbc.", "ü"),
        (b"\x8c\x03\xed\xa0\x80.", "\ud800"),
        (b"\x8d\x01\x00\x00\x00\x00\x00\x00\x00a.", "a"),
        (b"C\x01\xff.", b"\xff"),
        (b"B\x01\x00\x00\x00\xff.", b"\xff"),
        (b"\x8e\x01\x00\x00\x00\x00\x00\x00\x00\xff.", b"\xff"),
        (b").", ()),
        (b"K\x01\x85.", (1,)),
        (b"K\x01K\x02\x86.", (1, 2)),
        (b"K\x01K\x02K\x03\x87.", (1, 2, 3)),
        (b"(K\x01K\x02t.", (1, 2)),
        (b"].", []),
        (b"(K\x01l.", [1]),
        (b"]K\x01a.", [1]),
        (b"](K\x01K\x02e.", [1, 2]),
        (b"K\x01K\x020.", 1),
        (b"K\x01(K\x021.", 1),
        (b"K\x01(0.", 1),
        (b"K\x012\x86.", (1, 1)),
        (b"K\x07q\x050h\x05.", 7),
        (b"K\x07r\x05\x00\x00\x000j\x05\x00\x00\x00.", 7),
        (b"K\x07p9\n0g9\n.", 7),
        (b"\x80\x05K\x07\x940h\x00.", 7),
    ],
)
def test_instructions_that_push_constants(stream: bytes, value: Any) -> None:
    """Constants and plain containers have the value that Python gives them."""
    result = run(stream)
    assert result.error is None
    assert result.root == value
    assert type(result.root) is type(value)
    assert result.end == len(stream)


def test_memoize_counts_entries_and_put_may_leave_gaps() -> None:
    """MEMOIZE stores under the number of entries, whatever indexes PUT used."""
    assert run(b"\x80\x04K\x01q\x09K\x02\x94h\x01\x86.").root == (2, 2)


def test_dictionaries_and_sets_keep_their_items() -> None:
    """DICT, SETITEM(S), ADDITEMS and FROZENSET keep items in order, repeats included."""
    root = run(b"(K\x01K\x02dK\x01K\x03s(K\x04K\x05u.").root
    assert isinstance(root, Dict)
    assert list(root.pairs()) == [(1, 2), (1, 3), (4, 5)]
    for stream, frozen in ((b"\x8f(K\x01K\x01\x90.", False), (b"(K\x01K\x01\x91.", True)):
        made = run(stream).root
        assert isinstance(made, Set)
        assert (made.items, made.frozen) == ([1, 1], frozen)


@pytest.mark.parametrize(
    ("stream", "kind", "args"),
    [
        (b"cm\nn\n(K\x01tR.", "reduce", (1,)),
        (b"cm\nn\n)\x81.", "newobj", ()),
        (b"cm\nn\n)}\x92.", "newobj_ex", ()),
        (b"(K\x01im\nn\n.", "inst", (1,)),
        (b"(cm\nn\nK\x01o.", "obj", (1,)),
        (b"\x80\x04\x8c\x01m\x8c\x01n\x93)R.", "reduce", ()),
    ],
)
def test_calls_stay_symbols(stream: bytes, kind: str, args: tuple[Any, ...]) -> None:
    """Every way to call something gives a symbolic call with target, arguments and offset."""
    result = run(stream)
    call = result.root
    assert isinstance(call, Call)
    assert (call.kind, call.target(), call.args) == (kind, ("m", "n"), args)
    assert result.trace.calls == [call]
    assert result.trace.globals == [call.func]


def test_what_is_done_to_an_instance_is_kept() -> None:
    """BUILD, APPEND, SETITEM and ADDITEMS on an instance are recorded on it."""
    call = run(b"cm\nn\n)\x81}b(K\x01e(K\x02K\x03u(K\x04\x90K\x05aK\x06K\x07s.").root
    assert isinstance(call, Call)
    assert len(call.states) == 1
    assert (call.appended, call.items, call.added) == ([1, 5], [2, 3, 6, 7], [4])


def test_persistent_ids_buffers_and_extensions() -> None:
    """Objects from outside of the stream are symbols, and listed."""
    assert isinstance(run(b"Pid\n.").root, Persistent)
    assert run(b"K\x01Q.").root.pid == 1
    buffer = run(b"\x80\x05\x97\x98.")
    assert isinstance(buffer.root, OutOfBand)
    assert buffer.trace.out_of_band == [2]
    for stream in (b"\x82\x01.", b"\x83\x01\x00.", b"\x84\x01\x00\x00\x00."):
        assert run(stream).trace.unknown[0].offset == 0


def test_python2_strings_that_are_not_ascii_are_neither_text_nor_bytes() -> None:
    """Their meaning depends on the reader's encoding, so they cannot name an import."""
    assert isinstance(run(b"U\x01\xff.").root, ByteString)
    result = run(b"\x80\x04U\x01\xffU\x01n\x93.")
    assert not result.trace.globals
    assert result.trace.unknown


def test_python2_names_are_mapped_below_protocol_3() -> None:
    """The mapping depends on the protocol announced so far, as in the unpickler."""
    found = run(b"\x80\x02c__builtin__\neval\n.").root
    assert found.readings == (("__builtin__", "eval"), ("builtins", "eval"))
    assert run(b"\x80\x02cUserDict\nUserDict\n.").root.resolved == ("collections", "UserDict")
    assert run(b"\x80\x03c__builtin__\neval\n.").root.readings == (("__builtin__", "eval"),)
    assert run(b"\x80\x04\x80\x02c__builtin__\neval\n.").root.resolved == ("builtins", "eval")


DISAGREEMENTS = {
    "octal number": b"I010\n.",
    "minus zero that is False": b"I-0\n.",
    "number with spaces": b"I 1\n.",
    "number with underscore": b"I1_0\n.",
    "number with carriage return": b"I1\r\n.",
    "hexadecimal long": b"L0x10\n.",
    "float with NUL": b"F1.0\x00x\n.",
    "float with underscore": b"F1_0.0\n.",
    "overflowing float": b"F1e999\n.",
    "unquoted string": b"Sab\n.",
    "half quoted string": b"S'ab\n.",
    "line without newline": b"Vab",
    "import without newline": b"cos\nsystem",
    "import with empty name": b"cos\n\n.",
    "instance outside of ASCII": b"(im\n\xc3\xbc\n.",
    "memo index with sign": b"K\x01p+1\n.",
    "negative memo index": b"K\x01p-1\n.",
    "huge memo index": b"K\x01r\xff\xff\xff\xff.",
    "unset memo entry": b"h\x00.",
    "negative length of a Python 2 string": b"T\xff\xff\xff\xff" + b"a" * 10 + b".",
    "negative length of an integer": b"\x8b\xff\xff\xff\xff.",
    "arguments that are a list": b"cm\nn\n]R.",
    "arguments that are text": b"cm\nn\nVab\nR.",
    "call of a number": b"K\x01)R.",
    "keyword arguments that are no dict": b"cm\nn\n))\x92.",
    "protocol 6": b"\x80\x06N.",
    "unknown instruction": b"\xffN.",
    "odd number of items": b"(K\x01d.",
    "odd number of items to set": b"}(K\x01u.",
    "append to a tuple": b")K\x01a.",
    "state for a number": b"K\x01}b.",
    "state for a list": b"]}b.",
    "no mark": b"K\x01t.",
    "empty stack": b".",
    "value below a mark": b"K\x01(.",
    "pop of nothing": b"0.",
    "import whose name is a number": b"\x80\x04K\x01K\x02\x93.",
    "extension code 0": b"\x82\x00.",
    "unhashable key": b"}]K\x01s.",
    "unhashable member": b"(]\x91.",
    "text that is not UTF-8": b"\x8c\x01\xff.",
    "read-only text": b"Va\n\x98.",
}


@pytest.mark.parametrize("name", DISAGREEMENTS)
def test_disagreements_are_errors(name: str) -> None:
    """A stream that some unpickler refuses, or that two read differently, is an error."""
    assert run(DISAGREEMENTS[name]).error is not None


def framed(content: bytes, length: int | None = None) -> bytes:
    return b"\x95" + struct.pack("<Q", len(content) if length is None else length) + content


@pytest.mark.parametrize(
    ("stream", "good"),
    [
        (b"\x80\x04" + framed(b"K\x01."), True),
        (b"\x80\x04" + framed(b"K\x01") + framed(b"."), True),
        (b"\x80\x04" + framed(b"K\x01") + b"0K\x02.", True),
        (b"\x80\x04" + framed(b"K\x01.", 100), False),
        (b"\x80\x04" + framed(b"K\x01.N"), False),
        (b"\x80\x04" + framed(b"K\x01.", 1), False),
        (b"\x80\x04" + framed(b"\x8c\x05hello.", 4), False),
        (b"\x80\x04" + framed(b"\x8c\x05hello.", 1), False),
        (b"\x80\x04" + framed(b"Vab\n.", 2), False),
        (b"\x80\x04" + framed(framed(b"K\x01.")), False),
        (b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\xff.", False),
    ],
)
def test_frames(stream: bytes, good: bool) -> None:
    """Frames follow each other, lie in the file, hold whole instructions and end at STOP or before."""
    assert (run(stream).error is None) is good


def test_what_came_before_an_error_is_kept() -> None:
    """The trace keeps imports and calls that a reader has made before it fails."""
    result = run(b"cos\nsystem\nVls\n\x85R\xff\xff")
    assert result.error is not None
    assert result.trace.calls[0].target() == ("os", "system")


def test_budgets() -> None:
    """Instructions, marks, memo, tuple depth and unfolded size are limited."""
    assert isinstance(run(b"N0" * 100 + b"N.", opcodes=100).error, LimitExceeded)
    assert isinstance(run(b"(" * (MAX_MARKS + 1) + b".").error, LimitExceeded)
    assert isinstance(run(b")" + b"\x85" * (MAX_TUPLE_DEPTH + 1) + b".").error, LimitExceeded)
    bomb = b"]" + b"".join(b"q%c0](h%ch%ce" % (n, n, n) for n in range(60)) + b"."
    assert isinstance(run(bomb).error, LimitExceeded)
    fine = b"]" + b"".join(b"q%c0](h%ch%ce" % (n, n, n) for n in range(20)) + b"."
    assert run(fine).error is None


def test_announced_lengths_are_checked_before_anything_is_allocated() -> None:
    """A length beyond the end of the file is an error at once."""
    for code, width in ((b"B", 4), (b"\x8e", 8), (b"\x96", 8), (b"X", 4), (b"\x8d", 8), (b"\x8b", 4)):
        assert run(code + b"\xff" * (width - 1) + b"\x7f" + b"abc.").error is not None


def test_long_text_must_be_utf8() -> None:
    """Text that is left in the file is still checked."""
    good = b"X" + struct.pack("<I", 100_000) + b"\xc3\xbc" * 50_000 + b"."
    root = run(good).root
    assert isinstance(root, Span)
    assert (root.kind, root.offset, root.length) == ("str", 5, 100_000)
    assert run(good.replace(b"\xc3\xbc.", b"\xc3\xff.")).error is not None


def test_cycles_are_followed_once() -> None:
    """An object that contains itself is measured and does not loop."""
    result = run(b"]q\x00h\x00a.")
    assert result.error is None
    assert result.root[0] is result.root


def test_overwriting_foreign_objects_is_recorded() -> None:
    """States and items for an import are listed as misuse, and the run goes on."""
    result = run(b"cm\nn\n}bN}K\x01K\x02s0cm\nn\n(K\x01e0.")
    assert [offset for _, offset in result.trace.misuses][:1] == [6]
    assert len(result.trace.misuses) == 2
    assert isinstance(result.trace.globals[0], Global)
