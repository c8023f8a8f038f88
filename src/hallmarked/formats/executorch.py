"""ExecuTorch programs (https://github.com/pytorch/executorch/blob/main/schema/program.fbs).

A program is a FlatBuffer, followed by segments with weights and with programs for backends. The extended header says
where the one ends and the others begin (``schema/extended_header.h``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from hallmarked.core.errors import FormatError
from hallmarked.formats.blob import Blob, Budget
from hallmarked.formats.flatbuffer import FlatBuffer, Table

_EXTENDED = b"eh00"
_TENSOR = 5
_KERNEL, _DELEGATE, _MOVE, _JUMP, _FREE = range(1, 6)
_FIRST = {_KERNEL: "operators", _DELEGATE: "delegates", _MOVE: "values", _JUMP: "values", _FREE: "values"}
"""What the first argument of each kind of instruction counts through."""


@dataclass(slots=True)
class _Limits:
    values: int
    operators: int
    delegates: int


@dataclass(slots=True)
class Program:
    """What a program says."""

    version: int
    methods: list[str] = field(default_factory=list)
    operators: set[str] = field(default_factory=set)
    delegates: list[str] = field(default_factory=list)
    """Backends whose own programs are inside, one entry each."""
    segments: list[tuple[int, int]] = field(default_factory=list)
    """Begin and size of each segment in the file."""
    external: int = 0
    """Tensors whose data is in another file that the caller chooses."""


def is_executorch(blob: Blob) -> bool:
    """Say whether a blob has the identifier of an ExecuTorch program."""
    head = blob.head(8)
    return head[4:6] == b"ET" and head[6:8].isdigit()


def read_executorch(blob: Blob, budget: Budget) -> Program:
    """Read and check a program.

    Raises:
        FormatError: When something points outside or an index names nothing.
        LimitExceeded: When it has more parts than the budget allows.
    """
    if not is_executorch(blob):
        raise FormatError("no ET12 identifier", offset=4)
    head = blob.head(32)
    size, base = blob.size, blob.size
    if head[8:12] == _EXTENDED:
        length = int.from_bytes(head[12:16], "little")
        size, base = int.from_bytes(head[16:24], "little"), int.from_bytes(head[24:32], "little")
        if length < 24 or len(head) < 32 or not 32 <= size <= blob.size or base > blob.size or (base and base < size):
            raise FormatError("extended header does not fit the file", offset=8)
    with blob.open() as stream:
        return _Reader(FlatBuffer(stream, size, budget), base, blob.size).read()


class _Reader:
    def __init__(self, buffer: FlatBuffer, base: int, size: int) -> None:
        self._buffer, self._base, self._file_size = buffer, base, size

    def read(self) -> Program:
        root = self._buffer.root()
        program = Program(root.number(0, 4))
        for segment in root.tables(4):
            offset, size = segment.number(0, 8), segment.number(1, 8)
            if self._base + offset + size > self._file_size:
                raise FormatError("segment lies outside of the file", offset=segment.at)
            program.segments.append((self._base + offset, size))
        # Vectors of bytes are checked to lie inside by being asked for.
        inline = sum(data.vector(0, 1).count >= 0 for data in root.tables(3))
        constants = sum(data.vector(0, 1).count >= 0 for data in root.tables(2))
        constant_segment = root.table(5)
        if constant_segment is not None:
            constants = max(constants, self._offsets(constant_segment, program))
        for mutable in root.tables(6):
            self._offsets(mutable, program)
        for named in root.tables(7):
            named.text(0)
            _below(named.number(1, 4), len(program.segments), "segments", named)
        for plan in root.tables(1):
            self._plan(plan, program, inline, constants)
        return program

    def _offsets(self, table: Table, program: Program) -> int:
        index, count = table.number(0, 4), 0
        for offset in table.numbers(1, 8):
            count += 1
            _below(index, len(program.segments), "segments", table)
            if offset > program.segments[index][1]:
                raise FormatError("data lies outside of its segment", offset=table.at)
        return count

    def _plan(self, plan: Table, program: Program, inline: int, constants: int) -> None:
        program.methods.append(plan.text(0))
        values = 0
        for value in plan.tables(2):
            values += 1
            content = value.table(1)
            if value.number(0, 1) == _TENSOR and content is not None:
                program.external += _check_tensor(content, constants)
        operators = [_operator(operator) for operator in plan.tables(6)]
        program.operators.update(operators)
        limits = _Limits(values, len(operators), 0)
        for delegate in plan.tables(7):
            limits.delegates += 1
            program.delegates.append(delegate.text(0))
            processed = delegate.table(1)
            if processed is not None:
                limit = len(program.segments) if processed.number(0, 1) == 1 else inline
                _below(processed.number(1, 4), limit, "delegate data", delegate)
        for slot in (3, 4):
            for index in plan.numbers(slot, 4, signed=True):
                _below(index, values, "values", plan)
        for chain in plan.tables(5):
            self._chain(chain, limits)

    def _chain(self, chain: Table, limits: _Limits) -> None:
        total = chain.vector(2, 4).count
        for instruction in chain.tables(2):
            kind, call = instruction.number(0, 1), instruction.table(1)
            if call is None or kind not in _FIRST:
                raise FormatError(f"instruction of the unknown kind {kind}", offset=instruction.at)
            _below(call.number(0, 4, signed=True), getattr(limits, _FIRST[kind]), _FIRST[kind], call)
            if kind in (_KERNEL, _DELEGATE):
                for index in call.numbers(1, 4, signed=True):
                    _below(index, limits.values, "values", call)
            elif kind == _MOVE:
                _below(call.number(1, 4, signed=True), limits.values, "values", call)
            elif kind == _JUMP:  # may jump to just after the last instruction
                _below(call.number(1, 4, signed=True), total + 1, "instructions", call)


def _operator(operator: Table) -> str:
    name, overload = operator.text(0), operator.text(1)
    return f"{name}.{overload}" if overload else name


def _check_tensor(tensor: Table, constants: int) -> bool:
    """Return whether the data of a tensor is in another file."""
    if any(size < 0 for size in tensor.numbers(2, 4, signed=True)):
        raise FormatError("tensor with a negative size", offset=tensor.at)
    extra = tensor.table(9)
    if extra is not None and extra.number(2, 1) == 1:
        return True
    index = tensor.number(5, 4)
    if index and tensor.table(6) is None:  # a constant; others get their memory from the runtime
        _below(index, constants, "constants", tensor)
    return False


def _below(index: int, limit: int, what: str, table: Table) -> None:
    if not 0 <= index < limit:
        raise FormatError(f"{index} is not among the {limit} {what}", offset=table.at)


def backends(program: Program) -> Iterator[tuple[str, int]]:
    """Return each backend with the number of its programs, in the order of their names."""
    for name in sorted(set(program.delegates)):
        yield name, program.delegates.count(name)
