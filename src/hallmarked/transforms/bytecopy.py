"""Move byte ranges between files in little memory, and hash them.

``copy_file_range`` lets the kernel copy without passing bytes through this process, and on some file systems share
them; where it cannot, plain reads and writes do.
"""

from __future__ import annotations

import errno
import hashlib
import math
import os
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from hallmarked.core.errors import FormatError
from hallmarked.transforms.tensor import Tensor

CHUNK = 4 << 20
"""Bytes held at a time."""

GATHERED = 32 << 20
"""Bytes held at a time of a tensor whose elements are scattered: each such block may need a pass over its source."""
SPAN = 256 << 10
"""Bytes read at once to pick single elements out of them."""

_UNSUPPORTED = {errno.EXDEV, errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.EPERM}
Block = np.ndarray[Any, np.dtype[np.unsignedinteger[Any]]]
"""Elements as words of their size; what they mean does not matter here."""

_WORDS: dict[int, type[np.unsignedinteger[Any]]] = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}


def copy_range(source: int, start: int, target: int, at: int, count: int) -> None:
    """Copy ``count`` bytes from one open file to another.

    Raises:
        FormatError: When the source ends early.
    """
    done = _copy_in_kernel(source, start, target, at, count) if hasattr(os, "copy_file_range") else 0
    for block in read_range(source, start + done, count - done):
        write_all(target, block, at + done)
        done += len(block)


def _copy_in_kernel(source: int, start: int, target: int, at: int, count: int) -> int:
    """Copy as far as the kernel can do it, and return how far that was."""
    done = 0
    while done < count:
        try:
            step = os.copy_file_range(source, target, count - done, start + done, at + done)
        except OSError as error:
            if error.errno not in _UNSUPPORTED:
                raise
            break
        if not step:
            break
        done += step
    return done


def read_range(source: int, start: int, count: int) -> Iterator[memoryview]:
    """Iterate over ``count`` bytes of an open file; each block is valid until the next is asked for.

    Raises:
        FormatError: When the file ends early.
    """
    buffer = memoryview(bytearray(min(CHUNK, count)))
    while count:
        got = os.preadv(source, [buffer[: min(len(buffer), count)]], start)
        if not got:
            raise FormatError("the file ends inside of a tensor", offset=start)
        yield buffer[:got]
        start, count = start + got, count - got


def write_all(target: int, block: memoryview, at: int) -> None:
    """Write a block to an open file at an offset."""
    while block:
        done = os.pwrite(target, block, at)
        block, at = block[done:], at + done


def elements(source: int, base: int, tensor: Tensor) -> Iterator[memoryview]:
    """Iterate over a tensor's bytes in row order, whatever its strides; ``base`` is where its storage starts.

    Raises:
        FormatError: When the file ends inside of it.
    """
    if tensor.contiguous or not tensor.count:
        yield from read_range(source, base + tensor.start, tensor.size)
        return
    for offset, shape, strides in _blocks(tensor):
        block = np.empty(shape, _WORDS[tensor.dtype.size])
        _gather(source, base + offset * tensor.dtype.size, block, tuple(stride * block.itemsize for stride in strides))
        yield block.data.cast("B")


def _blocks(tensor: Tensor) -> Iterator[tuple[int, tuple[int, ...], tuple[int, ...]]]:
    """Cut a view into consecutive views of about ``GATHERED`` bytes: offset, shape and strides in elements."""
    shape = tuple(size for size, _ in tensor.steps)
    strides = tuple(stride for _, stride in tensor.steps)
    # The first dimension below which everything fits into one block; it is cut, those before it are walked through.
    cut = next(axis for axis in range(len(shape)) if math.prod(shape[axis + 1 :]) * tensor.dtype.size <= GATHERED)
    rows = max(1, GATHERED // (math.prod(shape[cut + 1 :]) * tensor.dtype.size))
    for index in product(*(range(size) for size in shape[:cut])):
        outer = tensor.offset + sum(i * stride for i, stride in zip(index, strides, strict=False))
        for row in range(0, shape[cut], rows):
            part = (min(rows, shape[cut] - row), *shape[cut + 1 :])
            yield outer + row * strides[cut], part, strides[cut:]


def _gather(source: int, start: int, block: Block, strides: tuple[int, ...]) -> None:
    """Fill a block from the elements of a view that starts at a byte of the file; strides count bytes.

    A view that is spread widely is halved along its longest stride, so that little beside its elements is read.
    """
    span = sum((size - 1) * stride for size, stride in zip(block.shape, strides, strict=True)) + block.itemsize
    if span <= SPAN:
        data = b"".join(bytes(part) for part in read_range(source, start, span))
        block[...] = np.ndarray(block.shape, block.dtype, data, 0, strides)
        return
    axis = max(range(block.ndim), key=lambda axis: (block.shape[axis] - 1) * strides[axis])
    half = block.shape[axis] // 2
    first, second = np.split(block, [half], axis)
    _gather(source, start, first, strides)
    _gather(source, start + half * strides[axis], second, strides)


def sha256(blocks: Iterator[memoryview]) -> str:
    """Return the digest of consecutive blocks as lower-case hex."""
    digest = hashlib.sha256()
    for block in blocks:
        digest.update(block)
    return digest.hexdigest()
