"""Joblib files: a pickle that is interrupted by raw array data.

Specification: ``joblib/numpy_pickle.py`` (https://joblib.readthedocs.io). Right after the BUILD that completes a
``NumpyArrayWrapper``, the reader takes the array from the file and puts it in the wrapper's place:

* data type without objects: when the wrapper has ``numpy_array_alignment_bytes``, one byte with the length of the
  padding and the padding; then ``prod(shape) * itemsize`` bytes;
* data type with objects: a pickle of its own, read by a new unpickler.
"""

from __future__ import annotations

from hallmarked.core.errors import FormatError
from hallmarked.formats.blob import Budget
from hallmarked.formats.pickle.dtype import DType, element_count, read_dtype
from hallmarked.formats.pickle.machine import Machine
from hallmarked.formats.pickle.reader import UNFRAMED, Reader
from hallmarked.formats.pickle.stream import Evaluation, evaluate_next
from hallmarked.formats.pickle.values import Array, Call, Dict, Span, Value

WRAPPERS = frozenset(
    {("joblib.numpy_pickle", "NumpyArrayWrapper"), ("sklearn.externals.joblib.numpy_pickle", "NumpyArrayWrapper")}
)
"""Classes whose completed instances joblib replaces by an array."""

_ALIGNMENT = "numpy_array_alignment_bytes"
_ATTRIBUTES = frozenset({"subclass", "shape", "order", "dtype", "allow_mmap", _ALIGNMENT})
"""What a wrapper has. Anything else could take the place of a method, and then nobody knows where the array ends."""


class JoblibReading:
    """Evaluates pickles the way joblib's reader does, and counts the arrays it took from between the instructions."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.arrays = 0

    def evaluate_next(self, reader: Reader) -> Evaluation:
        """Evaluate the pickle at the position of a reader and leave the reader behind it."""
        return evaluate_next(reader, self.budget, after_build=self._after_build)

    def _after_build(self, machine: Machine, wrapper: Call) -> None:
        if wrapper.instance_of() not in WRAPPERS:
            return
        self.arrays += 1
        reader = machine.reader
        if reader.frame_end != UNFRAMED:
            # The reader takes array data from behind the frame, wherever the instructions are.
            if reader.offset != reader.frame_end:
                raise FormatError("array data inside of a frame", offset=reader.offset)
            reader.frame_end = UNFRAMED
        state = _state(wrapper)
        dtype = read_dtype(state.get("dtype"))
        count = element_count(state.get("shape"))
        data: Value = self._read_objects(machine) if dtype.has_object else _read_raw(reader, state, dtype, count)
        machine.stack[-1] = Array(wrapper, data)
        machine.reframed = True

    def _read_objects(self, machine: Machine) -> Value:
        inner = evaluate_next(machine.reader, self.budget)
        machine.trace.absorb(inner.trace)
        return inner.require()


def _state(wrapper: Call) -> Dict:
    if len(wrapper.states) != 1 or not isinstance(wrapper.states[0], Dict):
        raise FormatError("an array wrapper with a state of unknown form", offset=wrapper.offset)
    state = wrapper.states[0]
    keys = state.items[::2]
    if not all(type(key) is str and key in _ATTRIBUTES for key in keys) or len(set(keys)) != len(keys):
        raise FormatError("an array wrapper with a state of unknown form", offset=wrapper.offset)
    return state


def _read_raw(reader: Reader, state: Dict, dtype: DType, count: int) -> Span:
    alignment = state.get(_ALIGNMENT)
    if alignment is not None:
        if type(alignment) is not int or not 1 <= alignment <= 128:
            raise FormatError("an array alignment that is not a small number", offset=reader.offset)
        # The padding is at most one alignment long and filled with 0xff, which no plain pickle reader gets past.
        length = reader.take(1)[0]
        if length > alignment or reader.take(length) != b"\xff" * length:
            raise FormatError("padding before array data that joblib does not write", offset=reader.offset)
    start, length = reader.offset, count * dtype.itemsize
    reader.skip(length)
    return Span("array", start, length)
