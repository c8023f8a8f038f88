"""Could a pickle reader start on these bytes, and get anywhere?

Pickles of protocol 0 and 1 have no signature, and every text that starts with ``c``, ``(`` or ``V`` begins with a
valid instruction. So the instructions are walked, as data, with the height of the stack, until it is clear that an
unpickler would either give up at once or do something.

Instruction set: https://github.com/python/cpython/blob/main/Lib/pickletools.py
"""

from __future__ import annotations

import io
import pickletools
import re
from enum import IntEnum
from typing import BinaryIO

from hallmarked.formats.blob import Blob

WALK = 20_000
"""Instructions looked at. What lives that long is a pickle."""
LINE = 1 << 30
"""Longest argument that ends with a newline."""
KEPT = 1 << 16
"""Bytes of such an argument that are looked at."""


class Evidence(IntEnum):
    """How sure it is that bytes are a pickle."""

    NONE = 0
    WEAK = 1
    """It begins with the signature of protocol 2 and later, or ends in the middle of something like a pickle."""
    STRONG = 2
    """An unpickler would import or call something, or load a complete object."""


_CODES = {ord(op.code): op for op in pickletools.opcodes}
_LENGTHS = {
    pickletools.TAKEN_FROM_ARGUMENT1: 1,
    pickletools.TAKEN_FROM_ARGUMENT4: 4,
    pickletools.TAKEN_FROM_ARGUMENT4U: 4,
    pickletools.TAKEN_FROM_ARGUMENT8U: 8,
}
_CALLS = frozenset(
    ord(op.code) for op in pickletools.opcodes if op.name in {"REDUCE", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "BUILD"}
)
_TEXTUAL = frozenset(b"cVPFIL")
"""Instructions that whole lines of ordinary text may look like."""
_STRINGS = frozenset(ord(op.code) for op in pickletools.opcodes if op.name.endswith(("UNICODE", "UNICODE8", "STRING")))
_COUNTED = frozenset(ord(op.code) for op in pickletools.opcodes if op.arg and op.arg.n in _LENGTHS)
_LOOKUPS = frozenset(b"ghj")
_MARK = pickletools.markobject
_INTEGER = re.compile(rb"\s*[+-]?(?:0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|[0-9][0-9_]*)L?\s*")
_FLOAT = re.compile(
    rb"\s*[+-]?(?:(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:e[+-]?[0-9_]+)?|inf(?:inity)?|nan)\s*", re.IGNORECASE
)
_NAME = re.compile(rb"[A-Za-z_][\w.]+\n[A-Za-z_][\w.]+\n")
_POWERFUL = frozenset(
    b"__builtin__ builtins asyncio bdb code codecs commands cProfile ctypes functools http importlib io marshal nt"
    b" ntpath operator os pickle pip platform posix posixpath profile pty runpy shutil socket ssl subprocess sys"
    b" tempfile timeit torch types urllib webbrowser".split()
)
"""Modules that make two lines of text look less like words and more like the beginning of a harmful pickle."""


def pickle_evidence(blob: Blob, head: bytes, *, text: bool, numbers: bool = False) -> Evidence:
    """Say whether bytes are a pickle.

    Args:
        blob: The bytes.
        head: Their beginning.
        text: Whether they read as plain text, which asks for more evidence.
        numbers: Whether they are said to be raw numbers, among which anything short occurs by accident.
    """
    if not head or head[0] not in _CODES:
        return Evidence.NONE
    signed = len(head) > 1 and head[0] == 0x80 and head[1] <= 5
    first = _CODES[head[0]]
    if not signed and first.stack_before:
        return Evidence.NONE
    with blob.open() as stream:
        evidence = _Walk(stream, blob.size, text, numbers).run()
    return max(evidence, Evidence.WEAK if signed else Evidence.NONE)


class _Walk:
    """Follows the instructions with the height of the stack only."""

    def __init__(self, stream: BinaryIO, size: int, text: bool, numbers: bool) -> None:
        self.stream, self.size, self.text, self.numbers = stream, size, text, numbers
        self.height, self.marks = 0, list[int]()
        self.kinds: set[int] = set()
        self.strings, self.memo, self.callable, self.powerful = 0, False, False, False

    def run(self) -> Evidence:
        for _ in range(WALK):
            data = self.stream.read(1)
            if not data:
                return self._cut_off()
            code = data[0]
            if code not in _CODES or not self._underfoot(code):
                return self._fallen()
            argument = self._argument(_CODES[code])
            if argument is None:
                return self._cut_off() if self.stream.tell() >= self.size else self._fallen()
            if self._acts(code, argument):
                return Evidence.STRONG
            if code == ord(".") and not self._next_pickle():
                # one counted string and a full stop: text gets there by accident, and nothing would come of it
                short = self.numbers and len(self.kinds) < 4
                return Evidence.NONE if short or (self.text and self.kinds <= _COUNTED) else Evidence.STRONG
            self.kinds.add(code)
        return Evidence.STRONG if self.kinds - _TEXTUAL else Evidence.WEAK

    def _underfoot(self, code: int) -> bool:
        """Apply an instruction to the height of the stack; false when an unpickler would fail for want of operands."""
        op = _CODES[code]
        floor = self.marks[-1] if self.marks else 0
        if op.name == "MARK":
            self.marks.append(self.height)
        elif op.name == "POP" and self.marks and floor == self.height:
            self.marks.pop()
        elif _MARK in op.stack_before:
            # everything above the mark goes, and what the instruction wants below it must be there
            below = op.stack_before.index(_MARK)
            if not self.marks or floor < below:
                return False
            self.height = self.marks.pop() + len(op.stack_after) - below
        elif op.name in {"PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"}:
            self.memo = True
            return self.height > floor
        else:
            self.height += len(op.stack_after) - len(op.stack_before)
            return self.height - len(op.stack_after) >= floor and (self.memo or code not in _LOOKUPS)
        return True

    def _argument(self, op: pickletools.OpcodeInfo) -> bytes | None:
        """Read or skip an argument; nothing when it is not there or cannot be one."""
        count = op.arg.n if op.arg else 0
        if count == pickletools.UP_TO_NEWLINE:
            lines = [self._line() for _ in range(2 if op.name in {"GLOBAL", "INST"} else 1)]
            whole = all(line.endswith(b"\n") for line in lines) and _plausible(op.name, [line[:-1] for line in lines])
            return b"".join(lines) if whole else None
        if count in _LENGTHS:
            prefix = self.stream.read(_LENGTHS[count])
            length = int.from_bytes(prefix, "little")
            cut = len(prefix) < _LENGTHS[count] or length > self.size - self.stream.tell()
            self.stream.seek(0 if cut else length, io.SEEK_END if cut else io.SEEK_CUR)
            return None if cut else b""
        data = self.stream.read(count)
        return data if len(data) == count else None

    def _line(self) -> bytes:
        """Read up to a newline; of a very long line, return its beginning and the newline."""
        line = self.stream.readline(KEPT)
        if len(line) < KEPT or line.endswith(b"\n"):
            return line
        end, length = line[-2:], len(line)
        while not end.endswith(b"\n") and length < LINE and (more := self.stream.readline(KEPT)):
            end, length = (end + more)[-2:], length + len(more)
        return line + end

    def _acts(self, code: int, argument: bytes) -> bool:
        """Say whether an instruction settles the matter: it imports something, or calls what was looked up."""
        if code in b"ci":
            self.callable = True
            self.powerful |= argument.split(b"\n", 1)[0].split(b".", 1)[0] in _POWERFUL
            # a short line ends up among raw numbers now and then, but hardly one that names a module
            named = not self.numbers or _NAME.match(argument) is not None
            return named and (not self.text or code == ord("i"))
        if code in _STRINGS or code in _LOOKUPS:
            self.strings += 1
        # An extension code or a persistent id gives something only in a reader that knows it; then it can be called.
        self.callable |= not self.numbers and _CODES[code].name in {"EXT1", "EXT2", "EXT4", "PERSID", "BINPERSID"}
        if _CODES[code].name == "STACK_GLOBAL":
            return self.strings >= 2
        return code in _CALLS and self.callable

    def _next_pickle(self) -> bool:
        """Say whether more follows a complete pickle; a reader may load several in a row."""
        at = self.stream.tell()
        rest = self.stream.read(16)
        self.stream.seek(at)
        self.height, self.marks = 0, []
        return len(rest) == 16 or bool(rest.strip(b"\r\n\0 "))

    def _cut_off(self) -> Evidence:
        """Judge bytes that end before STOP."""
        return Evidence.WEAK if self.powerful or len(self.kinds - _TEXTUAL) >= 3 else Evidence.NONE

    def _fallen(self) -> Evidence:
        """Judge bytes on which an unpickler fails."""
        return Evidence.WEAK if len(self.kinds - _TEXTUAL - {ord(".")}) >= 4 else Evidence.NONE


def _plausible(name: str, lines: list[bytes]) -> bool:
    """Say whether an unpickler would accept the text arguments of an instruction."""
    if name in {"GLOBAL", "INST"}:
        module = lines[0]
        return bool(module) and not any(byte < 0x20 for byte in module) and _decodes(module)
    if name == "STRING":
        line = lines[0].strip()
        return len(line) >= 2 and line[0] == line[-1] and line[0] in b"\"'"
    # numbers as C and Python write them; the unpickler in C stops at a zero byte
    if name in {"INT", "LONG", "PUT", "GET"}:
        return _INTEGER.fullmatch(lines[0].partition(b"\0")[0]) is not None
    if name == "FLOAT":
        return _FLOAT.fullmatch(lines[0].partition(b"\0")[0]) is not None
    # a text may hold any byte; an identifier is text
    return name == "UNICODE" or _decodes(lines[0])


def _decodes(data: bytes) -> bool:
    try:
        data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True
