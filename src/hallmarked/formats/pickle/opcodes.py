"""Instructions of the pickle machine that are not in its inner loop.

Specification: https://docs.python.org/3.11/library/pickletools.html
"""

from __future__ import annotations

import codecs
import math
import re
from collections.abc import Callable

from hallmarked.core.errors import FormatError
from hallmarked.formats.pickle.machine import HANDLERS, LONG_TEXT, Handler, Machine
from hallmarked.formats.pickle.reader import UNFRAMED
from hallmarked.formats.pickle.values import (
    ByteString,
    Call,
    Dict,
    Global,
    OutOfBand,
    Persistent,
    Set,
    Span,
    Unknown,
    Value,
)

KEEP = 1 << 16
"""Constants longer than this many bytes stay in the file, as ``Span``."""
MAX_NAME = 4096
"""Bytes of a module or attribute name in the text instructions."""
MAX_DIGITS = 4300
"""Digits of a number in the text instructions; some Python releases refuse longer ones."""
HIGHEST_PROTOCOL = 5

# Both readers accept more than these forms, but not the same more: octal and underscores in the C reader's INT, spaces
# and underscores in Python's float(), a NUL that ends the C reader's number.
_INT = re.compile(rb"-?(?:0|[1-9][0-9]*)\Z")
_FLOAT = re.compile(rb"-?(?:[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?|inf|nan)\Z")
_INDEX = re.compile(rb"(?:0|[1-9][0-9]*)\Z")

_Open = Global | Persistent | Unknown | OutOfBand
"""Things whose methods we do not know."""


def opcode(code: int) -> Callable[[Handler], Handler]:
    """Register the function that executes an instruction."""

    def register(handler: Handler) -> Handler:
        assert HANDLERS[code] is None
        HANDLERS[code] = handler
        return handler

    return register


def constant(code: int, make: Callable[[], Value]) -> None:
    """Register an instruction without argument that pushes a fresh value."""
    HANDLERS[code] = lambda m, _at: m.stack.append(make())


constant(0x4E, lambda: None)  # NONE
constant(0x88, lambda: True)  # NEWTRUE
constant(0x89, lambda: False)  # NEWFALSE
constant(0x29, lambda: ())  # EMPTY_TUPLE
constant(0x5D, list)  # EMPTY_LIST
constant(0x7D, Dict)  # EMPTY_DICT
constant(0x8F, lambda: Set([], frozen=False))  # EMPTY_SET


# Structure of the stream.


@opcode(0x80)  # PROTO
def _proto(m: Machine, at: int) -> None:
    protocol = m.reader.take(1)[0]
    if protocol > HIGHEST_PROTOCOL:
        raise FormatError(f"unknown pickle protocol {protocol}", offset=at)
    m.protocol = protocol
    m.trace.protocol = max(m.trace.protocol, protocol)


@opcode(0x95)  # FRAME
def _frame(m: Machine, at: int) -> None:
    length = int.from_bytes(m.reader.take(8), "little")
    reader = m.reader
    # The C reader ignores frames, the Python one reads them ahead: they agree only on frames that follow each other.
    if reader.frame_end != UNFRAMED and reader.offset < reader.frame_end:
        raise FormatError("a frame starts inside of another", offset=at)
    if reader.offset + length > reader.size:
        raise FormatError(f"a frame of {length:,} bytes reaches beyond the end of the stream", offset=at)
    reader.frame_end = reader.offset + length
    m.reframed = True


@opcode(0x2E)  # STOP
def _stop(m: Machine, _at: int) -> None:
    m.stopped = True


@opcode(0x28)  # MARK
def _mark(m: Machine, _at: int) -> None:
    m.mark()


@opcode(0x30)  # POP
def _pop(m: Machine, _at: int) -> None:
    if m.stack:
        m.stack.pop()
    else:
        m.pop_mark()


@opcode(0x31)  # POP_MARK
def _pop_mark(m: Machine, _at: int) -> None:
    m.pop_mark()


@opcode(0x32)  # DUP
def _dup(m: Machine, _at: int) -> None:
    m.stack.append(m.stack[-1])


# Memo.


def _index(m: Machine, at: int) -> int:
    line = m.reader.line(MAX_NAME)
    if not _INDEX.match(line) or len(line) > 18:
        raise FormatError("a memo index that is not a plain number", offset=at)
    return int(line)


@opcode(0x67)  # GET
def _get(m: Machine, at: int) -> None:
    m.stack.append(m.memo[_index(m, at)])


@opcode(0x70)  # PUT
def _put(m: Machine, at: int) -> None:
    m.put(_index(m, at))


# Numbers.


@opcode(0x49)  # INT
def _int(m: Machine, at: int) -> None:
    line = m.reader.line(MAX_DIGITS + 2)
    if line in (b"00", b"01"):
        m.stack.append(line == b"01")
        return
    # "-0" has the length of "00", which makes it False for the C reader and 0 for the Python one.
    if not _INT.match(line) or line == b"-0" or len(line) > MAX_DIGITS:
        raise FormatError("an integer in a form that readers do not agree on", offset=at)
    m.stack.append(int(line))


@opcode(0x4C)  # LONG
def _long(m: Machine, at: int) -> None:
    line = m.reader.line(MAX_DIGITS + 2).removesuffix(b"L")
    if not _INT.match(line) or len(line) > MAX_DIGITS:
        raise FormatError("an integer in a form that readers do not agree on", offset=at)
    m.stack.append(int(line))


@opcode(0x8A)  # LONG1
def _long1(m: Machine, _at: int) -> None:
    m.stack.append(int.from_bytes(m.reader.take(m.reader.take(1)[0]), "little", signed=True))


@opcode(0x8B)  # LONG4
def _long4(m: Machine, at: int) -> None:
    length = int.from_bytes(m.reader.take(4), "little", signed=True)
    if length < 0:
        raise FormatError("an integer of negative length", offset=at)
    if length > KEEP:
        _span(m, "int", length)
    else:
        m.stack.append(int.from_bytes(m.reader.take(length), "little", signed=True))


@opcode(0x46)  # FLOAT
def _float(m: Machine, at: int) -> None:
    line = m.reader.line(MAX_DIGITS)
    value = float(line) if _FLOAT.match(line) else None
    if value is None or (math.isinf(value) and b"inf" not in line):
        raise FormatError("a number in a form that readers do not agree on", offset=at)
    m.stack.append(value)


# Text and bytes.


def _span(m: Machine, kind: str, length: int) -> None:
    start = m.reader.require(length)
    m.reader.skip(length)
    m.trace.constants.extend((start, length))
    m.stack.append(Span(kind, start, length))


def _note_constant(m: Machine, start: int, length: int) -> None:
    if length >= LONG_TEXT:
        m.trace.constants.extend((start, length))


def _length(m: Machine, width: int) -> int:
    length = int.from_bytes(m.reader.take(width), "little")
    m.reader.require(length)
    return length


def _push_bytes(m: Machine, length: int) -> None:
    if length > KEEP:
        _span(m, "bytes", length)
        return
    _note_constant(m, m.reader.offset, length)
    m.stack.append(m.reader.take(length))


def _push_text(m: Machine, length: int) -> None:
    start = m.reader.offset
    _note_constant(m, start, length)
    if length > KEEP:
        m.reader.check_text(length)
        m.stack.append(Span("str", start, length))
        return
    m.stack.append(m.reader.take(length).decode("utf-8", "surrogatepass"))


def _python2_text(raw: bytes) -> Value:
    # ASCII means the same under every encoding a reader may be told to use.
    return raw.decode("ascii") if raw.isascii() else ByteString(raw)


def _push_python2(m: Machine, length: int) -> None:
    if length > KEEP:
        _span(m, "bytes", length)
        return
    _note_constant(m, m.reader.offset, length)
    m.stack.append(_python2_text(m.reader.take(length)))


@opcode(0x53)  # STRING
def _string(m: Machine, at: int) -> None:
    start = m.reader.offset
    line = m.reader.line(m.budget.limits.text)
    if len(line) < 2 or line[0] != line[-1] or line[0] not in b"\"'":
        raise FormatError("a string that is not quoted", offset=at)
    _note_constant(m, start + 1, len(line) - 2)
    try:
        raw = codecs.escape_decode(line[1:-1])[0]
    except ValueError as error:
        raise FormatError("a string with a broken escape", offset=at) from error
    assert isinstance(raw, bytes)
    m.stack.append(_python2_text(raw))


@opcode(0x54)  # BINSTRING
def _binstring(m: Machine, at: int) -> None:
    length = _length(m, 4)
    if length >= 1 << 31:  # signed for the Python reader, unsigned for the C reader
        raise FormatError("a string length that readers do not agree on", offset=at)
    _push_python2(m, length)


@opcode(0x55)  # SHORT_BINSTRING
def _short_binstring(m: Machine, _at: int) -> None:
    _push_python2(m, _length(m, 1))


@opcode(0x56)  # UNICODE
def _unicode(m: Machine, _at: int) -> None:
    start = m.reader.offset
    line = m.reader.line(m.budget.limits.text)
    _note_constant(m, start, len(line))
    m.stack.append(line.decode("raw-unicode-escape"))


@opcode(0x58)  # BINUNICODE
def _binunicode(m: Machine, _at: int) -> None:
    _push_text(m, _length(m, 4))


@opcode(0x8D)  # BINUNICODE8
def _binunicode8(m: Machine, _at: int) -> None:
    _push_text(m, _length(m, 8))


@opcode(0x43)  # SHORT_BINBYTES
def _short_binbytes(m: Machine, _at: int) -> None:
    _push_bytes(m, _length(m, 1))


@opcode(0x42)  # BINBYTES
def _binbytes(m: Machine, _at: int) -> None:
    _push_bytes(m, _length(m, 4))


@opcode(0x8E)  # BINBYTES8
def _binbytes8(m: Machine, _at: int) -> None:
    _push_bytes(m, _length(m, 8))


@opcode(0x96)  # BYTEARRAY8
def _bytearray8(m: Machine, _at: int) -> None:
    _span(m, "bytearray", _length(m, 8))


@opcode(0x97)  # NEXT_BUFFER
def _next_buffer(m: Machine, at: int) -> None:
    m.trace.out_of_band.append(at)
    m.stack.append(OutOfBand(at))


@opcode(0x98)  # READONLY_BUFFER
def _readonly_buffer(m: Machine, at: int) -> None:
    top = m.stack[-1]
    if not (
        type(top) is bytes
        or isinstance(top, OutOfBand)
        or (isinstance(top, Span) and top.kind in ("bytes", "bytearray"))
    ):
        raise FormatError("something that is not a buffer is made read-only", offset=at)


# Containers.


@opcode(0x85)  # TUPLE1
def _tuple1(m: Machine, _at: int) -> None:
    m.stack[-1] = (m.stack[-1],)


@opcode(0x87)  # TUPLE3
def _tuple3(m: Machine, _at: int) -> None:
    third, second = m.stack.pop(), m.stack.pop()
    m.stack[-1] = (m.stack[-1], second, third)


@opcode(0x74)  # TUPLE
def _tuple(m: Machine, _at: int) -> None:
    items = m.pop_mark()
    m.stack.append(tuple(items))


@opcode(0x6C)  # LIST
def _list(m: Machine, _at: int) -> None:
    items = m.pop_mark()
    m.stack.append(items)


@opcode(0x64)  # DICT
def _dict(m: Machine, at: int) -> None:
    items = m.pop_mark()
    _even(items, at)
    m.stack.append(Dict(items))


@opcode(0x91)  # FROZENSET
def _frozenset(m: Machine, _at: int) -> None:
    items = m.pop_mark()
    m.stack.append(Set(items, frozen=True))


def _even(items: list[Value], at: int) -> None:
    if len(items) % 2:
        raise FormatError("a key without a value", offset=at)


def _add(m: Machine, target: Value, what: str, items: list[Value], at: int) -> None:
    """Do what APPEND(S), SETITEM(S) and ADDITEMS do; they call a method when the target is not the plain container."""
    if isinstance(target, Call):
        getattr(target, what).extend(items)
    elif isinstance(target, _Open):
        m.misuse(f"values are {what.replace('items', 'set')} on something that is not a container", at)
    else:
        raise FormatError("values are put into something that is no container of that kind", offset=at)


def _append_all(m: Machine, items: list[Value], at: int) -> None:
    target = m.stack[-1]
    if type(target) is list:
        target.extend(items)
    else:
        _add(m, target, "appended", items, at)


def _set_all(m: Machine, items: list[Value], at: int) -> None:
    _even(items, at)
    target = m.stack[-1]
    if isinstance(target, Dict):
        target.items.extend(items)
    else:
        _add(m, target, "items", items, at)


@opcode(0x61)  # APPEND
def _append(m: Machine, at: int) -> None:
    _append_all(m, [m.stack.pop()], at)


@opcode(0x65)  # APPENDS
def _appends(m: Machine, at: int) -> None:
    _append_all(m, m.pop_mark(), at)


@opcode(0x73)  # SETITEM
def _setitem(m: Machine, at: int) -> None:
    value, key = m.stack.pop(), m.stack.pop()
    _set_all(m, [key, value], at)


@opcode(0x75)  # SETITEMS
def _setitems(m: Machine, at: int) -> None:
    _set_all(m, m.pop_mark(), at)


@opcode(0x90)  # ADDITEMS
def _additems(m: Machine, at: int) -> None:
    items = m.pop_mark()
    target = m.stack[-1]
    if isinstance(target, Set) and not target.frozen:
        target.items.extend(items)
    else:
        _add(m, target, "added", items, at)


# Imports, calls, states.


@opcode(0x63)  # GLOBAL
def _global(m: Machine, at: int) -> None:
    module, name = _name(m, "utf-8"), _name(m, "utf-8")
    m.import_name(module, name, at)


def _name(m: Machine, encoding: str) -> str:
    start, line = m.reader.offset, m.reader.line(MAX_NAME)
    if not line:  # the C reader calls this truncated
        raise FormatError("an import with an empty name", offset=start)
    return line.decode(encoding)


@opcode(0x93)  # STACK_GLOBAL
def _stack_global(m: Machine, at: int) -> None:
    name, module = m.stack.pop(), m.stack.pop()
    if type(name) is str and type(module) is str:
        m.import_name(module, name, at)
    elif not m.strict_names and all(
        type(part) is str or isinstance(part, _Open | Call | Span | ByteString) for part in (name, module)
    ):
        m.unknown("an import whose name is computed", at)
    else:
        raise FormatError("an import whose name is not text", offset=at)


@opcode(0x82)  # EXT1
def _ext1(m: Machine, at: int) -> None:
    _extension(m, m.reader.take(1)[0], at)


@opcode(0x83)  # EXT2
def _ext2(m: Machine, at: int) -> None:
    _extension(m, int.from_bytes(m.reader.take(2), "little"), at)


@opcode(0x84)  # EXT4
def _ext4(m: Machine, at: int) -> None:
    _extension(m, int.from_bytes(m.reader.take(4), "little", signed=True), at)


def _extension(m: Machine, code: int, at: int) -> None:
    if code <= 0:
        raise FormatError(f"extension code {code}", offset=at)
    m.unknown(f"entry {code} of the reader's extension registry", at)


@opcode(0x50)  # PERSID
def _persid(m: Machine, at: int) -> None:
    _persistent(m, m.reader.line(MAX_NAME).decode("ascii"), at)


@opcode(0x51)  # BINPERSID
def _binpersid(m: Machine, at: int) -> None:
    _persistent(m, m.stack.pop(), at)


def _persistent(m: Machine, pid: Value, at: int) -> None:
    value = Persistent(pid, at)
    m.trace.persistent.append(value)
    m.stack.append(value)


@opcode(0x52)  # REDUCE
def _reduce(m: Machine, at: int) -> None:
    args, func = m.stack.pop(), m.stack.pop()
    _call(m, Call("reduce", func, args, at))


def _call(m: Machine, call: Call) -> None:
    at = call.offset
    if not isinstance(call.func, _Open | Call):
        raise FormatError("a call of something that cannot be called", offset=at)
    m.call(call)
    # The C reader insists on a tuple, the Python one unpacks anything.
    if type(call.args) is not tuple:
        raise FormatError("arguments of a call that are not a plain tuple", offset=at)


@opcode(0x81)  # NEWOBJ
def _newobj(m: Machine, at: int) -> None:
    args, cls = m.stack.pop(), m.stack.pop()
    _call(m, Call("newobj", cls, args, at))


@opcode(0x92)  # NEWOBJ_EX
def _newobj_ex(m: Machine, at: int) -> None:
    kwargs, args, cls = m.stack.pop(), m.stack.pop(), m.stack.pop()
    _call(m, Call("newobj_ex", cls, args, at, kwargs))
    if not isinstance(kwargs, Dict):
        raise FormatError("keyword arguments of a call that are not a plain dict", offset=at)


@opcode(0x69)  # INST
def _inst(m: Machine, at: int) -> None:
    module, name = _name(m, "ascii"), _name(m, "ascii")
    m.import_name(module, name, at)
    cls = m.stack.pop()
    args = m.pop_mark()
    _call(m, Call("inst", cls, tuple(args), at))


@opcode(0x6F)  # OBJ
def _obj(m: Machine, at: int) -> None:
    args = m.pop_mark()
    cls = args.pop(0)
    _call(m, Call("obj", cls, tuple(args), at))


@opcode(0x62)  # BUILD
def _build(m: Machine, at: int) -> None:
    state = m.stack.pop()
    target = m.stack[-1]
    if isinstance(target, Call):
        target.build(state)
        if m.after_build is not None:
            m.after_build(m, target)
    elif isinstance(target, _Open):
        name = f" {target.label}" if isinstance(target, Global) else ""
        m.misuse(f"a state is written into{name or ' something'}, which this stream did not create", at)
    else:
        raise FormatError("a state for something that has none", offset=at)
