"""A revision on a hub is read by ranges, and the evidence says exactly what was seen."""

from __future__ import annotations

import hashlib
import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallmarked.artifacts.remote.address import parse_address
from hallmarked.artifacts.remote.artifact import RemoteArtifact
from hallmarked.artifacts.remote.cache import BLOCK, SMALL, BlockCache
from hallmarked.artifacts.remote.listing import Listing, RemoteFile
from hallmarked.artifacts.source import from_description
from hallmarked.core.errors import BackendError, Error, InputError, NotFound

from .endpoint import COMMIT, blob

LARGE = random.Random(1).randbytes(3 * SMALL + 777)
SMALL_TEXT = b"# Tiny\n"


def remote(path: str, content: bytes, *, large: bool = False) -> RemoteFile:
    return RemoteFile(path, len(content), blob(content), hashlib.sha256(content).hexdigest() if large else None)


class Source:
    """Gives ranges, and remembers them."""

    def __init__(self, contents: dict[str, bytes]) -> None:
        self.contents, self.asked = contents, list[tuple[str, int, int]]()

    def __call__(self, file: RemoteFile, start: int, size: int) -> bytes:
        self.asked.append((file.path, start, size))
        return self.contents[file.path][start : start + size]


def artifact(source: Source, *, most: int = 1 << 30) -> RemoteArtifact:
    files = (remote("README.md", SMALL_TEXT), remote("model.bin", LARGE, large=True))
    address = parse_address(f"acme/tiny@{COMMIT}")
    return RemoteArtifact("https://hub.example", address, "main", Listing(files, ()), source, most=most)


@given(st.lists(st.tuples(st.integers(0, len(LARGE) + 5), st.integers(0, 5 * BLOCK)), max_size=12))
def test_any_reads_give_the_files_bytes_and_record_them(reads: list[tuple[int, int]]) -> None:
    """Whatever is read in whatever order is what the file holds, no byte is fetched twice, and the record is exact."""
    source = Source({"model.bin": LARGE})
    cache = BlockCache([remote("model.bin", LARGE, large=True)], source, 1 << 30)
    try:
        seen = set[int]()
        for start, size in reads:
            assert cache.read(0, start, size) == LARGE[start : start + size]
            seen |= set(range(start, min(start + size, len(LARGE))))
        fetched = [byte for _, start, size in source.asked for byte in range(start, start + size)]
        assert len(fetched) == len(set(fetched)) == cache.fetched
        found = cache.seen(0)
        assert (found is None) == (not seen)
        if found is not None:
            assert {byte for start, end in found.ranges for byte in range(start, end)} == seen
            bytes_read = b"".join(LARGE[start:end] for start, end in found.ranges)
            assert found.sha256 == hashlib.sha256(bytes_read).hexdigest()
    finally:
        cache.close()


def test_reading_in_order_takes_few_requests() -> None:
    """Blocks are fetched more at a time while a file is read from front to back."""
    source = Source({"model.bin": LARGE})
    cache = BlockCache([remote("model.bin", LARGE, large=True)], source, 1 << 30)
    try:
        read = b"".join(cache.read(0, start, 5000) for start in range(0, len(LARGE), 5000))
        assert read == LARGE
        assert len(source.asked) < 12
        assert cache.sha256(0) == hashlib.sha256(LARGE).hexdigest()
    finally:
        cache.close()


def test_the_evidence_tells_what_was_seen_from_what_is_stated() -> None:
    """A small file was read whole and has its digest; of a large one the ranges are listed, and what is stated."""
    seen = artifact(Source({"README.md": SMALL_TEXT, "model.bin": LARGE}))
    try:
        assert seen.serve(0, 0, 3) == b"# T"
        assert seen.serve(1, 0, 100) + seen.serve(1, 5000, 8) == LARGE[:100] + LARGE[5000:5008]
        seen.confirm_unchanged()
        assert seen.subject.digest == {"gitCommit": COMMIT}
        covered = json.loads(json.dumps(seen.coverage()))
        assert covered["files"] == {"README.md": hashlib.sha256(SMALL_TEXT).hexdigest()}
        assert covered["partial"] == {
            "model.bin": {
                "size": len(LARGE),
                "stated": {"sha256": hashlib.sha256(LARGE).hexdigest()},
                "read": {
                    "ranges": [[0, 100], [5000, 5008]],
                    "sha256": hashlib.sha256(LARGE[:100] + LARGE[5000:5008]).hexdigest(),
                },
            }
        }
        assert covered["source"]["endpoint"] == "https://hub.example"
        assert "1 of 2 files were read whole" in seen.origin
    finally:
        seen.close()


def test_a_file_that_is_not_what_the_list_says_fails_the_audit() -> None:
    """An endpoint that lists one file and serves another is found out, whatever the check does with the bytes."""
    seen = artifact(Source({"README.md": b"# Evil\n", "model.bin": LARGE}))
    try:
        with pytest.raises(InputError, match=r"README\.md holds other bytes"):
            seen.serve(0, 0, 3)
        with pytest.raises(InputError, match=r"README\.md holds other bytes"):
            seen.confirm_unchanged()
    finally:
        seen.close()


def test_a_large_file_read_whole_is_verified_too() -> None:
    """When all parts of a large file were read, its digest is compared with the stated one."""
    seen = artifact(Source({"README.md": SMALL_TEXT, "model.bin": LARGE[:-1] + b"!"}))
    try:
        for start in range(0, len(LARGE), 1 << 20):
            seen.serve(1, start, 1 << 20)
        with pytest.raises(InputError, match=r"model\.bin holds other bytes"):
            seen.confirm_unchanged()
    finally:
        seen.close()


@pytest.mark.parametrize(
    "wanted",
    [
        (2, 0, 1),
        (-1, 0, 1),
        (0, -1, 4),
        (0, 0, -4),
        (0, 0, 1 << 30),
        (True, 0, 1),
        (0.0, 0, 1),
        ("0", 0, 1),
        (None, 0, 1),
    ],
    ids=range(9),
)
def test_a_hijacked_check_gets_nothing_but_ranges_of_these_files(wanted: tuple[object, object, object]) -> None:
    """Other files, negative places, huge sizes and things that are no numbers are refused."""
    source = Source({"README.md": SMALL_TEXT, "model.bin": LARGE})
    seen = artifact(source)
    try:
        with pytest.raises(InputError):
            seen.serve(*wanted)  # type: ignore[arg-type]
        assert source.asked == []
    finally:
        seen.close()


def test_what_may_be_fetched_is_bounded() -> None:
    """A check that reads on and on is told that it went too far."""
    seen = artifact(Source({"README.md": SMALL_TEXT, "model.bin": LARGE}), most=SMALL)
    try:
        with pytest.raises(BackendError, match="more than 1 MiB would have to be fetched"):
            seen.serve(1, 0, 2 * SMALL)
        seen.confirm_unchanged()  # the audit goes on; that check stays unknown
    finally:
        seen.close()


def test_a_check_sees_the_files_as_if_they_were_here() -> None:
    """Inside of a check's process files are opened, sought and read as usual."""
    source = Source({"README.md": SMALL_TEXT, "model.bin": LARGE})
    seen = artifact(source)
    try:
        inside = from_description(json.loads(json.dumps(seen.describe())), seen.serve)
        assert [(file.path, file.size) for file in inside.files] == [("README.md", 7), ("model.bin", len(LARGE))]
        assert inside.subject == seen.subject
        with inside.open("model.bin") as stream:
            stream.seek(-9, 2)
            assert stream.read() == LARGE[-9:]
            assert stream.read(1) == b""
            stream.seek(12345)
            assert (stream.read(5), stream.tell()) == (LARGE[12345:12350], 12350)
        with pytest.raises(NotFound):
            inside.open("other")
        with pytest.raises(BackendError):
            inside.digests()
    finally:
        seen.close()


def test_without_somebody_who_gives_bytes_nothing_is_opened(tmp_path: Path) -> None:
    """A description of a remote revision is of no use in a process that nobody serves."""
    seen = artifact(Source({}))
    try:
        with pytest.raises(Error):
            from_description(seen.describe())
    finally:
        seen.close()
