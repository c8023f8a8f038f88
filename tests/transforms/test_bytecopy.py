"""Byte ranges arrive whole, whatever their strides and however they are copied."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.core.errors import FormatError
from hallmarked.transforms import bytecopy
from hallmarked.transforms.bytecopy import copy_range, elements, read_range, sha256
from hallmarked.transforms.tensor import DTYPES, Tensor

BY_SIZE = {1: "uint8", 2: "int16", 4: "float32", 8: "complex64"}


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bytecopy, "CHUNK", 64)
    monkeypatch.setattr(bytecopy, "GATHERED", 64)
    monkeypatch.setattr(bytecopy, "SPAN", 32)


@st.composite
def views(draw: st.DrawFn) -> Tensor:
    """A view with any small shape, strides (also 0 and overlapping) and offset."""
    shape = tuple(draw(st.lists(st.integers(0, 6), max_size=4)))
    strides = tuple(draw(st.integers(0, 40)) for _ in shape)
    size = draw(st.sampled_from(sorted(BY_SIZE)))
    return Tensor("0", DTYPES[BY_SIZE[size]], draw(st.integers(0, 20)), shape, strides)


def expected(data: bytes, base: int, view: Tensor) -> bytes:
    """What numpy says the elements are."""
    if not view.count:
        return b""
    steps = tuple(stride * view.dtype.size for stride in view.strides)
    return np.ndarray(view.shape, f"V{view.dtype.size}", data, base + view.start, steps).tobytes()


@pytest.mark.usefixtures("small_steps")
def test_every_view_is_gathered_in_row_order() -> None:
    """Blocks of any view, joined, are its elements as numpy reads them."""

    @settings(max_examples=200)
    @given(views(), st.integers(0, 9))
    def check(view: Tensor, base: int) -> None:
        data = np.random.default_rng(7).bytes(base + (20 + 4 * 5 * 40 + 1) * 8)
        with tempfile.TemporaryFile() as file:
            file.write(data)
            file.flush()
            joined = b"".join(bytes(block) for block in elements(file.fileno(), base, view))
        assert joined == expected(data, base, view)

    check()


def test_a_transposed_matrix_is_gathered_in_bounded_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No block is larger than the limit, and nothing is lost at their borders."""
    monkeypatch.setattr(bytecopy, "GATHERED", 1_000_003)
    matrix = np.arange(3000 * 1000, dtype="<f4").reshape(1000, 3000)
    path = tmp_path / "matrix"
    path.write_bytes(matrix.tobytes())
    view = Tensor("0", DTYPES["float32"], 0, (3000, 1000), (1, 3000))
    with path.open("rb") as file:
        blocks = [bytes(block) for block in elements(file.fileno(), 0, view)]
    assert max(map(len, blocks)) <= bytecopy.GATHERED
    assert b"".join(blocks) == matrix.T.tobytes()


def test_contiguous_means_in_order_and_without_gaps() -> None:
    """Dimensions of size one have strides that do not matter; empty views have nothing to be out of order."""
    dtype = DTYPES["float32"]
    assert Tensor("0", dtype, 3, (2, 1, 4), (4, 99, 1)).contiguous
    assert Tensor("0", dtype, 0, (), ()).contiguous
    assert Tensor("0", dtype, 0, (0, 5), (7, 7)).contiguous
    assert not Tensor("0", dtype, 0, (4, 2), (1, 4)).contiguous
    assert not Tensor("0", dtype, 0, (3,), (0,)).contiguous


def test_a_source_that_ends_early_is_an_error(tmp_path: Path) -> None:
    """Fewer bytes than announced never become a shorter tensor."""
    path = tmp_path / "short"
    path.write_bytes(b"x" * 10)
    with path.open("rb") as file, (tmp_path / "out").open("wb") as out:
        with pytest.raises(FormatError):
            list(read_range(file.fileno(), 4, 7))
        with pytest.raises(FormatError):
            copy_range(file.fileno(), 4, out.fileno(), 0, 7)
        with pytest.raises(FormatError):
            list(elements(file.fileno(), 0, Tensor("0", DTYPES["uint8"], 0, (6,), (2,))))


@pytest.mark.parametrize("limit", [0, 5, 1 << 20])
def test_copying_goes_on_where_the_kernel_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    """Whether the kernel copies nothing, a part or everything, the result is the same."""
    data = bytes(range(256)) * 100
    (tmp_path / "in").write_bytes(data)

    def partial(source: int, target: int, count: int, start: int, at: int) -> int:
        if start >= 7 + limit:
            raise OSError(errno.EXDEV, "another file system")
        return os.pwrite(target, os.pread(source, min(count, 5), start), at)

    monkeypatch.setattr(os, "copy_file_range", partial)
    with (tmp_path / "in").open("rb") as source, (tmp_path / "out").open("w+b") as target:
        copy_range(source.fileno(), 7, target.fileno(), 3, 20_000)
        assert os.pread(target.fileno(), 30_000, 3) == data[7:20_007]


def test_a_full_disk_is_not_mistaken_for_a_missing_feature(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors that say more than "not supported here" are passed on."""

    def full(*_: int) -> int:
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(os, "copy_file_range", full)
    (tmp_path / "in").write_bytes(b"x")
    with (
        (tmp_path / "in").open("rb") as source,
        (tmp_path / "out").open("wb") as target,
        pytest.raises(OSError, match="space"),
    ):
        copy_range(source.fileno(), 0, target.fileno(), 0, 1)


def test_a_digest_does_not_depend_on_the_blocks() -> None:
    """Many blocks and one give the same digest."""

    def cut(data: bytes, size: int) -> Iterator[memoryview]:
        return (memoryview(data[i : i + size]) for i in range(0, len(data), size))

    data = bytes(range(200))
    assert sha256(cut(data, 7)) == sha256(cut(data, 200))
