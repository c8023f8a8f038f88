"""The pickle machine on symbols: every instruction of protocols 0 to 5, as CPython 3.11 defines them.

Two standard unpicklers exist, one in C (``_pickle``) and one in Python (``pickle.py``). Where they would disagree
about a stream, it is a ``FormatError`` here: its meaning depends on who reads it. That covers frames, text forms of
numbers, argument tuples, states and missing newlines; the comments at each place say which.

Specification: https://docs.python.org/3.11/library/pickle.html and the comments of
https://docs.python.org/3.11/library/pickletools.html
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable

from hallmarked.core.errors import FormatError, LimitExceeded
from hallmarked.formats.blob import Budget
from hallmarked.formats.pickle.reader import MARGIN, UNFRAMED, Reader
from hallmarked.formats.pickle.values import Call, Global, Persistent, Unknown, Value

LONG_TEXT = 24
"""Constants of at least this many bytes are listed in the trace, so that their content can be looked at."""
MAX_MARKS = 100_000
"""Open marks; real picklers nest no deeper than their recursion limit."""
MEMO_SLACK = 1 << 20
"""How far a memo index may lie beyond the number of instructions; C readers allocate up to the index."""


class Trace:
    """What a stream made its reader do, in order, whether or not it could be followed to its end."""

    __slots__ = (
        "calls",
        "constants",
        "globals",
        "misuses",
        "opcodes",
        "out_of_band",
        "persistent",
        "protocol",
        "unknown",
    )

    def __init__(self) -> None:
        self.globals: list[Global] = []
        """Every import, with its offset."""
        self.calls: list[Call] = []
        """Every call, whatever became of its result."""
        self.persistent: list[Persistent] = []
        """Every persistent id."""
        self.unknown: list[Unknown] = []
        """Values the stream alone does not determine."""
        self.misuses: list[tuple[str, int]] = []
        """Instructions on a target that no pickler would use them on (what, offset)."""
        self.out_of_band: list[int] = []
        """Offsets at which a buffer from outside of the stream is used."""
        self.constants: array[int] = array("Q")
        """Offset, length, offset, length, … of long text and bytes constants."""
        self.opcodes = 0
        """Instructions executed."""
        self.protocol = 0
        """Highest protocol announced."""

    def absorb(self, other: Trace) -> None:
        """Append what another pickle within this one did."""
        for name in ("globals", "calls", "persistent", "unknown", "misuses", "out_of_band", "constants"):
            getattr(self, name).extend(getattr(other, name))
        self.opcodes += other.opcodes
        self.protocol = max(self.protocol, other.protocol)


Handler = Callable[["Machine", int], None]


class Machine:
    """One run over one pickle.

    Args:
        reader: Positioned at the first instruction; left behind STOP.
        budget: Account of the file.
        trace: Where to record; may be shared by several machines.
        memo: Entries that are set already, when the reader keeps its memo between loads.
    """

    def __init__(self, reader: Reader, budget: Budget, trace: Trace, memo: dict[int, Value] | None = None) -> None:
        self.reader, self.budget, self.trace = reader, budget, trace
        self.memo: dict[int, Value] = {} if memo is None else memo
        self.stack: list[Value] = []
        self.metastack: list[list[Value]] = []
        self.protocol = 0
        self.stopped = False
        self.reframed = False
        self.strict_names = False
        """Treat an import whose name is computed as the error it is when no call returns text."""
        self.after_build: Callable[[Machine, Call], None] | None = None
        """Called when a state was given to an instance on top of the stack; may replace it and consume bytes."""

    def run(self) -> Value:
        """Execute up to STOP and return the symbolic object.

        Raises:
            FormatError: When a reader would fail, or two readers would disagree; the trace keeps what came before.
        """
        reader, at = self.reader, self.reader.offset
        try:
            while not self.stopped:
                self._loop(self._segment())
            at = reader.offset
            if reader.frame_end not in (UNFRAMED, at):
                raise FormatError("the stream stops before the end of its frame", offset=at)
            reader.frame_end = UNFRAMED
            return self.stack.pop()
        except IndexError as error:
            raise FormatError("an instruction finds too little on the stack", offset=reader.offset) from error
        except KeyError as error:
            raise FormatError("an instruction reads a memo entry that is not set", offset=reader.offset) from error
        except UnicodeDecodeError as error:
            raise FormatError("text in the wrong encoding", offset=reader.offset) from error
        except struct.error as error:
            raise FormatError("the stream ends inside of an argument", offset=reader.offset) from error

    def _segment(self) -> int:
        """Prepare the window for a run of instructions; return where in it the run has to pause."""
        reader = self.reader
        if reader.offset >= reader.frame_end:
            if reader.offset > reader.frame_end:
                raise FormatError("an argument crosses the end of its frame", offset=reader.frame_end)
            reader.frame_end = UNFRAMED
        reader.fill(MARGIN + 1)
        have = len(reader.data)
        if reader.pos >= have:
            raise FormatError("the stream ends before STOP", offset=reader.size)
        last = reader.base + have >= reader.size
        return min(have if last else have - MARGIN, reader.frame_end - reader.base)

    def _loop(self, limit: int) -> None:  # noqa: C901, PLR0912, PLR0915 -- one flat loop: a call per instruction halves its speed
        """Execute instructions up to ``limit``: the frequent ones here, the others through ``HANDLERS``.

        Arguments may be read past the end of the data here; ``_segment`` notices before anything else is executed.
        """
        reader, memo, constants = self.reader, self.memo, self.trace.constants
        data, pos, base, stack = reader.data, reader.pos, reader.base, self.stack
        handlers, from_bytes, count = HANDLERS, int.from_bytes, 0
        try:
            while pos < limit:
                op = data[pos]
                pos += 1
                count += 1
                if op == 0x8C:  # SHORT_BINUNICODE
                    start = pos + 1
                    pos = start + data[pos]
                    stack.append(data[start:pos].decode("utf-8", "surrogatepass"))
                    if pos - start >= LONG_TEXT:
                        constants.append(base + start)
                        constants.append(pos - start)
                elif op == 0x94:  # MEMOIZE
                    memo[len(memo)] = stack[-1]
                elif op == 0x4B:  # BININT1
                    stack.append(data[pos])
                    pos += 1
                elif op == 0x4D:  # BININT2
                    stack.append(data[pos] | data[pos + 1] << 8)
                    pos += 2
                elif op == 0x4A:  # BININT
                    stack.append(from_bytes(data[pos : pos + 4], "little", signed=True))
                    pos += 4
                elif op == 0x68:  # BINGET
                    stack.append(memo[data[pos]])
                    pos += 1
                elif op == 0x71:  # BINPUT
                    memo[data[pos]] = stack[-1]
                    pos += 1
                elif op == 0x6A:  # LONG_BINGET
                    stack.append(memo[from_bytes(data[pos : pos + 4], "little")])
                    pos += 4
                elif op == 0x72:  # LONG_BINPUT
                    reader.pos = pos
                    self.put(from_bytes(data[pos : pos + 4], "little"))
                    pos += 4
                elif op == 0x58 and not (data[pos + 1] | data[pos + 2] | data[pos + 3]):  # BINUNICODE, short
                    start = pos + 4
                    pos = start + data[pos]
                    stack.append(data[start:pos].decode("utf-8", "surrogatepass"))
                    if pos - start >= LONG_TEXT:
                        constants.append(base + start)
                        constants.append(pos - start)
                elif op == 0x47:  # BINFLOAT
                    stack.append(_float64(data, pos)[0])
                    pos += 8
                elif op == 0x86:  # TUPLE2
                    second = stack.pop()
                    stack[-1] = (stack[-1], second)
                else:
                    if pos > len(data):
                        break
                    handler = handlers[op]
                    if handler is None:
                        raise FormatError(f"no instruction has the code 0x{op:02x}", offset=base + pos - 1)
                    reader.pos = pos
                    handler(self, base + pos - 1)
                    pos, stack = reader.pos, self.stack
                    if self.stopped or self.reframed or reader.data is not data:
                        self.reframed = False
                        break
        finally:
            reader.pos = pos
            self.trace.opcodes += count
        if reader.offset > reader.size:
            raise FormatError("the stream ends inside of an argument", offset=reader.size)
        self.budget.spend("opcodes", count)

    def pop_mark(self) -> list[Value]:
        """Return what was pushed since the last mark and go back to the stack below."""
        items = self.stack
        self.stack = self.metastack.pop()
        return items

    def mark(self) -> None:
        """Start a new part of the stack.

        Raises:
            LimitExceeded: When too many are open.
        """
        if len(self.metastack) >= MAX_MARKS:
            raise LimitExceeded(f"more than {MAX_MARKS:,} open marks", offset=self.reader.offset)
        self.metastack.append(self.stack)
        self.stack = []

    def put(self, index: int) -> None:
        """Store the top of the stack in the memo.

        Raises:
            LimitExceeded: When the index would make a C reader allocate far beyond the size of the stream.
        """
        reader = self.reader
        if index > reader.base + reader.pos + MEMO_SLACK:
            raise LimitExceeded(f"memo index {index:,} is far beyond the length of the stream", offset=reader.offset)
        self.memo[index] = self.stack[-1]

    def call(self, call: Call) -> None:
        """Record a call and push its result."""
        self.trace.calls.append(call)
        self.stack.append(call)

    def import_name(self, module: str, name: str, at: int) -> None:
        """Record an import and push it."""
        found = Global(module, name, at, self.protocol)
        self.trace.globals.append(found)
        self.stack.append(found)

    def unknown(self, reason: str, at: int) -> None:
        """Record and push a value that the stream does not determine."""
        value = Unknown(reason, at)
        self.trace.unknown.append(value)
        self.stack.append(value)

    def misuse(self, what: str, at: int) -> None:
        """Record an instruction on a target it is not meant for."""
        self.trace.misuses.append((what, at))


_float64 = struct.Struct(">d").unpack_from

HANDLERS: list[Handler | None] = [None] * 256
"""What to do for each code that ``Machine._loop`` does not do itself; filled by ``opcodes``."""
