from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.core.errors import FormatError, LimitExceeded
from hallmarked.formats.archive.model import FATAL, Defect, Listing
from hallmarked.formats.archive.zip import read_zip
from hallmarked.formats.blob import Blob, Budget, Limits

CONTENT = {"a/data.pkl": b"\x80\x02N.", "a/data/0": bytes(range(256)) * 8, "readme": b"text " * 400}


def build(members: dict[str, bytes] | None = None, method: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in (CONTENT if members is None else members).items():
            archive.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), data, method)
    return buffer.getvalue()


def read(data: bytes, **limits: int) -> Listing:
    return read_zip(Blob.of_bytes("x.zip", data), Budget(len(data), Limits(**limits)))


def contents(data: bytes) -> dict[str, bytes]:
    result = {}
    for entry in read(data).entries:
        if entry.expand is not None:
            blob = entry.expand().blob
            with blob.open() as stream:
                result[entry.name] = stream.read()
    return result


def kinds(data: bytes) -> set[Defect]:
    listing = read(data)
    found = {problem.kind for problem in listing.irregularities}
    for entry in listing.entries:
        if entry.expand is not None:
            found |= {problem.kind for problem in entry.expand().check()}
    return found


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_reads_what_was_written(method: int) -> None:
    """Every method of the standard library gives back each member, without a complaint."""
    data = build(method=method)
    assert contents(data) == CONTENT
    assert not kinds(data)


def test_members_are_blobs_one_level_deeper() -> None:
    """A member is named after its container and knows how deep it lies."""
    entry = read(build()).entries[0]
    assert entry.expand is not None
    blob = entry.expand().blob
    assert (blob.path, blob.depth) == ("x.zip!a/data.pkl", 1)


def test_large_members_are_seekable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Content that is not kept in memory can be read at any place, forwards and backwards."""
    monkeypatch.setattr("hallmarked.formats.archive.stream.CACHE", 0)
    monkeypatch.setattr("hallmarked.formats.archive.stream.Cache.put", lambda *_: None)
    data = b"".join(struct.pack("<I", n) for n in range(1_000_000))
    entry = read(build({"n": data}, zipfile.ZIP_DEFLATED)).entries[0]
    assert entry.expand is not None
    with entry.expand().blob.open() as stream:
        for at in (3_999_996, 0, 2_000_000, 1_999_992, 4, 3_000_000):
            stream.seek(at)
            assert stream.read(4) == data[at : at + 4]


def test_streamed_archives_with_descriptors_are_ordinary() -> None:
    """A writer that cannot seek leaves sizes to the directory and a descriptor; nothing is wrong with that."""

    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.data = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: object) -> int:
            self.data += bytes(data)  # type: ignore[call-overload]
            return len(bytes(data))  # type: ignore[call-overload]

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[arg-type]
        for name, content in CONTENT.items():
            archive.writestr(name, content)
    assert contents(bytes(pipe.data)) == CONTENT
    assert not kinds(bytes(pipe.data))


def test_zip64_is_ordinary() -> None:
    """Sizes in zip64 fields are read there, in both headers."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive, archive.open("big", "w", force_zip64=True) as member:
        member.write(b"numbers" * 100)
    assert contents(buffer.getvalue()) == {"big": b"numbers" * 100}
    assert not kinds(buffer.getvalue())


def test_torch_archives_are_ordinary() -> None:
    """Archives written by PyTorch pad headers, defer sizes and use zip64 records; nothing is wrong with that."""
    torch = pytest.importorskip("torch")
    buffer = io.BytesIO()
    torch.save({"w": torch.arange(1000.0), "b": torch.zeros(3)}, buffer)
    data = buffer.getvalue()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert contents(data) == {name: archive.read(name) for name in archive.namelist()}
    assert not kinds(data)


def test_different_names_are_both_scanned() -> None:
    """When local header and directory name a member differently, it is listed under both names."""
    data = build({"data.pkl": b"one"}).replace(b"data.pkl", b"safe.txt", 1)
    assert Defect.CONFLICT in kinds(data)
    assert contents(data) == {"data.pkl": b"one", "safe.txt": b"one"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param(6, b"\x00\x08", id="flags"),
        pytest.param(8, b"\x08\x00", id="method"),
        pytest.param(14, b"\0\0\0\0", id="checksum"),
        pytest.param(18, b"\1\0\0\0", id="packed size"),
        pytest.param(22, b"\1\0\0\0", id="size"),
    ],
)
def test_headers_that_disagree_are_a_conflict(field: int, value: bytes) -> None:
    """Each field that decides about content must be equal in the local header and in the directory."""
    data = bytearray(build({"m": b"content"}))
    data[field : field + len(value)] = value
    assert Defect.CONFLICT in kinds(bytes(data))


def test_content_by_the_local_header_is_scanned_too() -> None:
    """When sizes differ, what a reader of local headers gets is offered besides."""
    data = bytearray(build({"m": b"content"}))
    data[18:26] = b"\4\0\0\0\4\0\0\0"
    assert b"cont" in contents(bytes(data)).values()


def test_hidden_member_is_found() -> None:
    """A member that only readers of local headers see is reported and offered."""
    inner = build({"hidden.pkl": b"evil"})
    hidden = inner[: inner.index(b"PK\x01\x02")]
    outer = build({"m": b"content"})
    at = outer.index(b"PK\x01\x02")
    data = bytearray(outer[:at] + hidden + outer[at:])
    end = data.rindex(b"PK\x05\x06")
    struct.pack_into("<I", data, end + 16, at + len(hidden))
    assert contents(bytes(data)) == {"m": b"content", "hidden.pkl": b"evil"}
    assert {Defect.CONFLICT, Defect.FOREIGN} <= kinds(bytes(data))


def test_second_directory_is_read() -> None:
    """An archive in the comment of another one is seen by readers that search forwards: both are listed."""
    data = bytearray(build({"m": b"one"}))
    second = build({"other": b"two"})
    struct.pack_into("<H", data, len(data) - 2, len(second))
    assert {"m", "other"} <= contents(bytes(data) + second).keys()
    assert Defect.CONFLICT in kinds(bytes(data) + second)


@pytest.mark.parametrize("where", ["before", "after"])
def test_foreign_bytes_are_reported(where: str) -> None:
    """Bytes in front of or behind an archive belong to no member."""
    data = build()
    assert Defect.FOREIGN in kinds(b"#!/bin/sh\n" * 3 + data if where == "before" else data + b"tail")


def test_repeated_names_are_a_conflict() -> None:
    """Two members of one name: some readers take the first, others the last; both are offered."""
    data = build({"data1": b"one", "data2": b"two"}).replace(b"data2", b"data1")
    assert Defect.CONFLICT in kinds(data)
    assert [entry.name for entry in read(data).entries] == ["data1", "data1"]


def test_names_that_differ_in_case_are_reported() -> None:
    """Some file systems take such members for one another."""
    assert kinds(build({"Model": b"1", "model": b"2"})) == {Defect.NAME}
    assert kinds(build({"caf\u00e9": b"1", "cafe\u0301": b"2"})) == {Defect.NAME}


@pytest.mark.parametrize("name", ["../up", "a/../../up", "..\\up", "a/b/../../../x", "C:..\\up"])
def test_names_that_lead_out_are_escapes(name: str) -> None:
    """A name that leads out of the folder is an escape, on any system."""
    placeholder = "x" * len(name)
    data = build({placeholder: b"1"}).replace(placeholder.encode(), name.encode())
    assert Defect.ESCAPE in kinds(data)


@pytest.mark.parametrize("name", ["/etc/passwd", "C:/x", "\\\\host\\x"])
def test_absolute_names_are_reported(name: str) -> None:
    """An absolute name is reported."""
    placeholder = "x" * len(name)
    assert Defect.NAME in kinds(build({placeholder: b"1"}).replace(placeholder.encode(), name.encode()))


@pytest.mark.parametrize(
    ("target", "kind"), [("other", Defect.LINK), ("../../etc/passwd", Defect.ESCAPE), ("/etc", Defect.ESCAPE)]
)
def test_links_are_reported(target: str, kind: Defect) -> None:
    """A link is reported; one that leads out is an escape."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        info = zipfile.ZipInfo("folder/link")
        info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, target)
    assert kinds(buffer.getvalue()) == {kind}


def test_wrong_checksum_is_reported_and_content_offered() -> None:
    """Readers that skip checksums load the content, so it is offered all the same."""
    data = bytearray(build({"m": b"content"}))
    data[data.index(b"content")] ^= 1
    assert kinds(bytes(data)) == {Defect.CHECKSUM}
    assert list(contents(bytes(data)).values()) == [b"bontent"]


def test_left_out_checksums_are_noted() -> None:
    """PyTorch can be told to write no checksums; that is not the same as a wrong one."""
    torch = pytest.importorskip("torch")
    buffer = io.BytesIO()
    before = torch.serialization.get_crc32_options()
    try:
        torch.serialization.set_crc32_options(False)
        torch.save({"w": torch.arange(9.0)}, buffer)
    finally:
        torch.serialization.set_crc32_options(before)
    assert kinds(buffer.getvalue()) == {Defect.UNCHECKED}


def test_an_archive_in_an_archive_is_ordinary() -> None:
    """The end record of a stored inner archive is content, not a second directory."""
    data = build({"inner.zip": build(), "last": b"PK\x05\x06"})
    assert not kinds(data)


def test_encrypted_members_are_unreadable() -> None:
    """A member that really is encrypted has no content here, and says why."""
    data = bytearray(build({"m": b"x" * 40}))
    for at in (6, data.index(b"PK\x01\x02") + 8):
        data[at] |= 1
    for at in (14, data.index(b"PK\x01\x02") + 16):
        data[at] ^= 0xFF  # of encrypted content, the checksum is that of the plain text
    (entry,) = read(bytes(data)).entries
    assert entry.expand is None
    assert entry.unreadable == "it is encrypted"


@pytest.mark.parametrize("flag", [0x01, 0x20, 0x40])
def test_a_flag_does_not_hide_plain_content(flag: int) -> None:
    """Content that is plain although a flag says otherwise is offered, and reported."""
    data = bytearray(build({"m": b"content"}))
    for at in (6, data.index(b"PK\x01\x02") + 8):
        data[at] |= flag
    assert contents(bytes(data)) == {"m": b"content"}
    assert Defect.CONFLICT in kinds(bytes(data))


def test_overlapping_members_are_a_conflict() -> None:
    """Two directory entries for the same bytes are how small archives unfold to huge ones."""
    one = build({"m": b"content"})
    start, end = one.index(b"PK\x01\x02"), one.index(b"PK\x05\x06")
    entry = one[start:end].replace(b"m", b"n")
    data = bytearray(one[:end] + entry + one[end:])
    at = data.rindex(b"PK\x05\x06")
    struct.pack_into("<HHI", data, at + 8, 2, 2, (end - start) * 2)
    assert Defect.CONFLICT in kinds(bytes(data))


def test_cut_archives_are_never_clean() -> None:
    """Whatever is cut off, the archive is refused or reported."""
    data = build(method=zipfile.ZIP_DEFLATED)
    for size in range(1, len(data)):
        try:
            found = kinds(data[:size])
        except FormatError:
            continue
        assert found & FATAL, size


def test_cut_torch_archive_still_shows_its_members() -> None:
    """Without a directory the members are found by their local headers."""
    torch = pytest.importorskip("torch")
    buffer = io.BytesIO()
    torch.save({"w": torch.arange(10.0)}, buffer)
    data = buffer.getvalue()
    found = contents(data[: data.index(b"PK\x01\x02")])
    assert any(name.endswith("data.pkl") and content.endswith(b".") for name, content in found.items())


def test_bombs_are_stopped() -> None:
    """Members that unfold to more than the budget allows are stopped while unfolding."""
    data = build({"zeros": bytes(1 << 20)}, zipfile.ZIP_DEFLATED)
    (entry,) = read(data, expansion_floor=1 << 19).entries
    assert entry.expand is not None
    with pytest.raises(LimitExceeded):
        entry.expand()


def test_too_many_members_are_refused() -> None:
    """The number of members is limited."""
    with pytest.raises(LimitExceeded):
        read(build({str(n): b"" for n in range(20)}), members=10)


def test_size_lies_do_not_hide_content() -> None:
    """A member that unfolds to more than it declares is offered whole, and reported."""
    data = bytearray(build({"m": b"content" * 99}, zipfile.ZIP_DEFLATED))
    for at in (22, data.index(b"PK\x01\x02") + 24):
        struct.pack_into("<I", data, at, 7)
    assert contents(bytes(data))["m"] == b"content" * 99
    assert Defect.CHECKSUM in kinds(bytes(data))


def drain(data: bytes) -> None:
    """Read everything there is; only format errors may come out."""
    try:
        listing = read(data, expansion_floor=1 << 22, members=500)
        for entry in listing.entries[:50]:
            if entry.expand is not None:
                with entry.expand().blob.open() as stream:
                    while stream.read(1 << 16):
                        pass
    except FormatError:
        pass


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=600))
def test_arbitrary_bytes_raise_only_format_errors(data: bytes) -> None:
    """No bytes make the reader raise anything else."""
    drain(data)
    drain(b"PK\x03\x04" + data + b"PK\x01\x02" + data + b"PK\x05\x06" + data)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]),
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=6),
    st.integers(0, 10_000),
)
def test_mutated_archives_raise_only_format_errors(method: int, changes: list[tuple[int, int]], cut: int) -> None:
    """No damage to a valid archive makes the reader raise anything else."""
    data = bytearray(build(method=method))
    for at, value in changes:
        data[at % len(data)] = value
    drain(bytes(data))
    drain(bytes(data[: cut % len(data)]))


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text("abcdef", min_size=1, max_size=6), st.binary(max_size=300), min_size=1, max_size=5))
def test_ordinary_archives_have_no_irregularity(members: dict[str, bytes]) -> None:
    """Whatever the standard library writes is read back in full, without a complaint."""
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        data = build(members, method)
        assert contents(data) == members
        assert not kinds(data)


def test_checksums_are_those_of_the_content() -> None:
    """What is offered has the checksum that the archive records."""
    with zipfile.ZipFile(io.BytesIO(build())) as archive:
        recorded = {info.filename: info.CRC for info in archive.infolist()}
    assert {name: zlib.crc32(data) for name, data in contents(build()).items()} == recorded
