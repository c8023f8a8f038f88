from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable

import pytest

from hallmarked.core.evidence import Level
from tests.checks.serialization.test_check import EVIL, one, tarred, zipped


def damaged(data: bytes, old: bytes, new: bytes, count: int = 1) -> bytes:
    assert old in data
    return data.replace(old, new, count)


@pytest.mark.parametrize(
    ("rule", "level", "data"),
    [
        ("ZIP001", Level.WARNING, damaged(zipped({"data.pkl": b"N."}), b"data.pkl", b"safe.txt")),
        ("ZIP002", Level.WARNING, damaged(zipped({"m": b"content"}), b"content", b"c0ntent")),
        ("ZIP003", Level.WARNING, gzip.compress(EVIL)[:-6]),
        ("ZIP004", Level.WARNING, zipped({"m": b"content"}) + b"more"),
        ("ZIP005", Level.ERROR, zipped({"../up": b"x"})),
        ("ZIP006", Level.WARNING, zipped({"Model": b"x", "model": b"y"})),
        ("ZIP010", Level.NOTE, zipped({"m": b"content"}).replace(struct.pack("<I", zlib.crc32(b"content")), bytes(4))),
    ],
    ids=["conflict", "checksum", "truncated", "foreign", "escape", "name", "no-checksum"],
)
def test_irregularities_become_findings(rule: str, level: Level, data: bytes) -> None:
    """Each kind of irregularity has a rule of its own, at the level that it deserves."""
    assert [finding.level for finding in one(data).findings if finding.rule == rule] == [level]


@pytest.mark.parametrize(
    ("target", "rule", "level"), [("other", "ZIP007", Level.NOTE), ("../../x", "ZIP005", Level.ERROR)]
)
def test_links_are_graded(target: str, rule: str, level: Level) -> None:
    """A link inside is noted; one that leads out is an error, in zip and in tar."""
    zip_buffer, tar_buffer = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(zip_buffer, "w") as archive:
        info = zipfile.ZipInfo("d/link")
        info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, target)
    with tarfile.open(fileobj=tar_buffer, mode="w") as tar:
        member = tarfile.TarInfo("d/link")
        member.type, member.linkname = tarfile.SYMTYPE, target
        tar.addfile(member)
    for data in (zip_buffer.getvalue(), tar_buffer.getvalue()):
        assert [(f.rule, f.level) for f in one(data).findings if f.rule.startswith("ZIP")] == [(rule, level)]


def test_encrypted_members_are_a_gap_and_no_error() -> None:
    """What cannot be looked into is unknown, not hostile."""
    data = bytearray(zipped({"m": b"x" * 40}))
    for at, value in ((6, 1), (data.index(b"PK\x01\x02") + 8, 1), (14, 9), (data.index(b"PK\x01\x02") + 16, 9)):
        data[at] = value
    seen = one(bytes(data))
    assert (seen.rules, seen.verdicts, seen.errors) == ({"ZIP009"}, {"f": "unproven"}, [])
    assert "encrypted" in seen.gaps[0].reason


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress, zlib.compress])
def test_compressed_files_are_looked_into(compress: Callable[[bytes], bytes]) -> None:
    """The content of a compressed file is examined like a file."""
    assert one(compress(EVIL)).errors
    assert one(compress(b"\x80\x04N.")).verdicts == {"f!content": "proven", "f": "proven"}


def test_content_before_a_cut_is_examined() -> None:
    """A reader may act on what comes before the place where the data is damaged, so it is examined."""
    seen = one(gzip.compress(EVIL + bytes(range(256)) * 9)[:-9])
    assert seen.errors
    assert seen.verdicts["f"] == "malformed"


def test_wrong_checksums_do_not_hide_content() -> None:
    """Programs that skip checksums load the content, so it is examined."""
    seen = one(damaged(zipped({"m": EVIL}), b"'id'", b"'ls'"))
    assert seen.errors
    assert seen.verdicts["f"] == "malformed"


def test_both_names_of_a_member_count() -> None:
    """A layout is recognised by the names that either kind of reader sees."""
    data = damaged(zipped({"m/data.pkl": EVIL}), b"m/data.pkl", b"m/read.txt")
    assert one(data).errors


def test_zip_and_tar_are_proven_when_nothing_is_wrong() -> None:
    """An ordinary archive of text is proven."""
    for data in (zipped({"a": b"text"}), tarred({"a": b"text"})):
        seen = one(data)
        assert (seen.verdicts, seen.findings, seen.gaps) == ({"f": "proven"}, [], [])
