"""The walk over HDF5 files."""

from __future__ import annotations

import contextlib
import functools
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.core.errors import FormatError, LimitExceeded
from hallmarked.formats.blob import Blob, Budget, Limits
from hallmarked.formats.hdf5.file import Attribute, Dataset, Link, Part, Unread, read_hdf5

h5py = pytest.importorskip("h5py")

VERSIONS = ["earliest", "v108", "v110", "latest"]


@functools.cache
def sample(version: str, user_block: int = 0) -> bytes:
    """A file with every construct that the reader follows."""
    stream = io.BytesIO()
    with h5py.File(stream, "w", libver=version, userblock_size=user_block) as file:
        file.attrs["text"] = "variable ü"
        file.attrs["fixed"] = np.bytes_("abc")
        file.attrs["numbers"] = [1, 2, 3]
        file.attrs["texts"] = np.array(["x", "yy"], dtype=object)
        file.attrs["nothing"] = h5py.Empty("f")
        group = file.create_group("g/h")
        for i in range(30):
            group.attrs[f"a{i}"] = f"value {i}" * (i + 1)
        for i in range(50):
            group.create_dataset(f"d{i}", data=np.arange(i))
        file["soft"], file["external"] = h5py.SoftLink("/g/h"), h5py.ExternalLink("other.h5", "/x")
        file["hard"] = group
        square = np.zeros((100, 100))
        file.create_dataset("chunks", data=square, chunks=(10, 10), compression="gzip", shuffle=True)
        file.create_dataset("one chunk", data=square, chunks=(100, 100), compression="lzf")
        file.create_dataset("growing", data=square, chunks=(10, 10), maxshape=(None, 100))
        file.create_dataset("never", shape=(1000, 1000, 1000), dtype="f4")
        file["type"] = np.dtype("f4")
        file.create_dataset("typed", data=np.zeros(3, "f4"), dtype=file["type"])
        file.create_dataset("elsewhere", shape=(10,), dtype="f4", external=[("raw.bin", 5, 40)])
        layout = h5py.VirtualLayout(shape=(4, 50), dtype="i4")
        for n in range(4):
            layout[n] = h5py.VirtualSource(f"{n}.h5", "data", shape=(100,))[::2]
        file.create_virtual_dataset("virtual", layout)
    return stream.getvalue()


def read(data: bytes, **limits: int) -> list[Part]:
    return list(read_hdf5(Blob.of_bytes("x", data), Budget(stored=len(data), limits=Limits(**limits))))


@pytest.mark.parametrize("user_block", [0, 1024])
@pytest.mark.parametrize("version", VERSIONS)
def test_everything_that_the_library_wrote_is_found(version: str, user_block: int) -> None:
    """Attributes, datasets and links of old and new files come out as h5py wrote them."""
    parts = read(sample(version, user_block))
    assert not [part for part in parts if isinstance(part, Unread)]
    assert sorted(str(part) for part in parts if isinstance(part, Link)) == [
        "Link(path='/external', kind='external', target='/x', file='other.h5')",
        "Link(path='/soft', kind='soft', target='/g/h', file='')",
    ]
    attributes = {(part.path, part.name): part for part in parts if isinstance(part, Attribute)}
    assert len(attributes) == 35
    assert attributes["/", "text"].text == "variable ü".encode()
    assert attributes["/", "fixed"].text == b"abc"
    assert attributes["/", "texts"].values == (b"x", b"yy")
    assert attributes["/", "numbers"].shape == (3,)
    assert attributes["/", "nothing"].shape is None
    values = {part.text for part in attributes.values() if part.name.startswith("a")}
    assert values == {(f"value {i}" * (i + 1)).encode() for i in range(30)}
    datasets = {part.path: part for part in parts if isinstance(part, Dataset)}
    assert len([path for path in datasets if path.startswith(("/g/h/", "/hard/"))]) == 50
    assert datasets["/never"].unfolded == 4_000_000_000
    assert datasets["/never"].stored == 0
    assert (datasets["/typed"].stored, datasets["/one chunk"].unfolded) == (12, 80_000)
    assert [step.id for step in datasets["/chunks"].filters] == [2, 1]
    assert [(part.file, part.offset, part.size) for part in datasets["/elsewhere"].external] == [("raw.bin", 5, 40)]
    assert datasets["/virtual"].sources == ("0.h5", "1.h5", "2.h5", "3.h5")


def test_stored_bytes_of_chunks_are_what_the_library_says() -> None:
    """The sizes in the chunk index add up to the storage size that h5py reports."""
    data = sample("earliest")
    datasets = {part.path: part for part in read(data) if isinstance(part, Dataset)}
    with h5py.File(io.BytesIO(data)) as file:
        for name in ("chunks", "one chunk", "growing"):
            assert datasets[f"/{name}"].stored == file[name].id.get_storage_size()


@pytest.mark.parametrize("version", ["earliest", "latest"])
def test_large_groups_are_walked_to_the_end(version: str) -> None:
    """Groups whose index has several levels lose no member."""
    stream = io.BytesIO()
    with h5py.File(stream, "w", libver=version) as file:
        for i in range(3_000):
            file[f"a long name for link number {i}"] = h5py.SoftLink(f"/{i}")
    assert {part.target for part in read(stream.getvalue()) if isinstance(part, Link)} == {
        f"/{i}" for i in range(3_000)
    }


def test_cycles_of_groups_end() -> None:
    """A group that contains itself is walked once."""
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file.create_group("a")
        file["a/b"] = file["a"]
        file["a"].attrs["x"] = "y"
    assert len(read(stream.getvalue())) == 1


def test_data_outside_of_the_file_is_refused() -> None:
    """A file that was cut off, or whose array points behind its end, is malformed."""
    data = sample("earliest")
    for size in (0, 7, 8, 100, len(data) // 2, len(data) - 1):
        with pytest.raises(FormatError):
            read(data[:size])


def test_limits_hold() -> None:
    """The number of objects and messages is bounded."""
    with pytest.raises(LimitExceeded):
        read(sample("earliest"), nodes=100)


@settings(deadline=None, max_examples=150)
@given(
    st.sampled_from(["earliest", "latest"]), st.lists(st.tuples(st.integers(0, 6_000), st.integers(0, 255)), max_size=4)
)
def test_mutated_files_fail_only_with_format_errors(version: str, changes: list[tuple[int, int]]) -> None:
    """Whatever is changed in the metadata, reading ends with an answer or a format error."""
    data = bytearray(sample(version))
    for at, value in changes:
        data[at] = value
    with contextlib.suppress(FormatError):
        read(bytes(data), nodes=200_000)


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_arbitrary_bytes_fail_only_with_format_errors(tail: bytes) -> None:
    """Anything behind a signature is read or refused."""
    with contextlib.suppress(FormatError):
        read(b"\x89HDF\r\n\x1a\n" + tail)
