from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hallmarked.core.errors import FormatError, LimitExceeded
from hallmarked.formats.archive.model import FATAL, Defect, Listing
from hallmarked.formats.archive.sevenzip import read_7z
from hallmarked.formats.blob import Blob, Budget, Limits

py7zr = pytest.importorskip("py7zr")

CONTENT = {"folder/model.pkl": b"\x80\x02N." * 30, "weights": bytes(range(256)) * 40, "empty": b""}

FILTERS: dict[str, list[dict[str, Any]] | None] = {
    "default": None,
    "copy": [{"id": py7zr.FILTER_COPY}],
    "lzma": [{"id": py7zr.FILTER_LZMA}],
    "lzma2": [{"id": py7zr.FILTER_LZMA2, "preset": 1}],
    "bzip2": [{"id": py7zr.FILTER_BZIP2}],
    "deflate": [{"id": py7zr.FILTER_DEFLATE}],
    "delta": [{"id": py7zr.FILTER_DELTA, "dist": 4}, {"id": py7zr.FILTER_LZMA2, "preset": 1}],
}


def build(members: dict[str, bytes] | None = None, method: str = "default", **options: Any) -> bytes:
    buffer = io.BytesIO()
    with py7zr.SevenZipFile(buffer, "w", filters=FILTERS[method], **options) as archive:
        for name, data in (CONTENT if members is None else members).items():
            archive.writestr(data, name)
    return buffer.getvalue()


def read(data: bytes, **limits: int) -> Listing:
    return read_7z(Blob.of_bytes("x.7z", data), Budget(len(data), Limits(**limits)))


def contents(data: bytes) -> dict[str, bytes]:
    result = {}
    for entry in read(data).entries:
        assert entry.expand is not None, entry.unreadable
        with entry.expand().blob.open() as stream:
            result[entry.name] = stream.read()
    return result


def kinds(data: bytes) -> set[Defect]:
    listing = read(data)
    found = {problem.kind for problem in listing.irregularities}
    for entry in listing.entries:
        if entry.expand is not None:
            found |= {problem.kind for problem in entry.expand().irregularities}
    return found


@pytest.mark.parametrize("method", FILTERS)
def test_reads_what_was_written(method: str) -> None:
    """The usual methods give back each member, without a complaint."""
    data = build(method=method)
    assert contents(data) == CONTENT
    assert not kinds(data)


def test_plain_directories_are_read() -> None:
    """A directory that is not compressed is read as well."""
    buffer = io.BytesIO()
    with py7zr.SevenZipFile(buffer, "w") as archive:
        archive.set_encoded_header_mode(False)
        archive.writestr(b"content", "m")
    assert contents(buffer.getvalue()) == {"m": b"content"}


def test_encrypted_members_are_unreadable() -> None:
    """An encrypted member has no content here, and says why."""
    data = build({"m": b"secret"}, password="x")
    (entry,) = read(data).entries
    assert entry.expand is None
    assert entry.unreadable == "it is encrypted"


def test_encrypted_directories_are_refused() -> None:
    """When even the names are encrypted, nothing can be listed."""
    with pytest.raises(FormatError, match="encrypted"):
        read(build({"m": b"secret"}, password="x", header_encryption=True))


def test_foreign_bytes_are_reported() -> None:
    """Bytes behind the archive belong to no member."""
    assert kinds(build() + b"tail") == {Defect.FOREIGN}


def test_wrong_checksums_are_reported() -> None:
    """Stored content that was changed does not have its checksum any more."""
    data = bytearray(build({"m": b"content" * 9}, "copy"))
    data[40] ^= 1
    assert Defect.CHECKSUM in kinds(bytes(data))


def test_bombs_are_stopped() -> None:
    """Content beyond the budget is not unfolded."""
    (entry,) = read(build({"zeros": bytes(4 << 20)}), expansion_floor=1 << 20).entries
    assert entry.expand is not None
    with pytest.raises(LimitExceeded):
        entry.expand()


def test_too_many_members_are_refused() -> None:
    """The number of members is limited."""
    with pytest.raises(LimitExceeded):
        read(build({str(n): b"x" for n in range(20)}), members=10)


def test_cut_archives_are_never_clean() -> None:
    """Whatever is cut off, the archive is refused or reported."""
    data = build()
    for size in range(len(data)):
        try:
            assert kinds(data[:size]) & FATAL, size
        except FormatError:
            continue


def drain(data: bytes) -> None:
    """Read everything there is; only format errors may come out."""
    try:
        for entry in read(data, expansion_floor=1 << 22, members=500).entries[:50]:
            if entry.expand is not None:
                with entry.expand().blob.open() as stream:
                    stream.read()
    except FormatError:
        pass


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(["copy", "lzma", "lzma2", "bzip2", "default"]),
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=4),
    st.booleans(),
)
def test_mutated_archives_raise_only_format_errors(method: str, changes: list[tuple[int, int]], encoded: bool) -> None:
    """No damage to a valid archive makes the reader raise anything else, wherever it is."""
    buffer = io.BytesIO()
    with py7zr.SevenZipFile(buffer, "w", filters=FILTERS[method]) as archive:
        archive.set_encoded_header_mode(encoded)
        for name, content in CONTENT.items():
            archive.writestr(content, name)
    data = bytearray(buffer.getvalue())
    for at, value in changes:
        data[-1 - at % (len(data) - 32)] = value  # behind the start header, whose checksum would stop everything
    drain(bytes(data))


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_arbitrary_bytes_raise_only_format_errors(data: bytes) -> None:
    """No bytes make the reader raise anything else."""
    drain(b"7z\xbc\xaf\x27\x1c" + data)
