"""Archives through the whole check: readings that disagree, members that hide, limits, and ordinary ones."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import struct
import tarfile
import zipfile
import zlib

import pytest
import zstandard

from hallmarked.core.evidence import Outcome
from hallmarked.formats.archive.compressed import CODECS
from hallmarked.formats.blob import Limits
from tests.checks.serialization.routing import (
    EVIL,
    EVIL4,
    PLAIN,
    check,
    errors,
    formats,
    rules,
    tarred,
    torch_zip,
    verdicts,
    zipped,
)


def patched(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


def central(data: bytes) -> int:
    return data.index(b"PK\x01\x02")


# -- zip -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_ordinary_archives_are_proven(method: int) -> None:
    """Plain members in any method give a proven archive without a finding."""
    result = check(zipped({"a.pkl": PLAIN, "b.txt": b"words " * 99, "c/d.pkl": PLAIN}, method))
    assert (result.outcome, result.findings) == (Outcome.PASS, [])
    assert verdicts(result) == {"file!a.pkl": "proven", "file!c/d.pkl": "proven", "file": "proven"}


def test_archives_in_archives_are_ordinary() -> None:
    """The directory of an archive that is a member does not compete with the directory of the whole."""
    result = check(zipped({"a": zipped({"b": PLAIN}), "c": zipped({"d": PLAIN})}))
    assert (result.outcome, result.findings) == (Outcome.PASS, [])


@pytest.mark.parametrize("extra", [b"#", b"prefix", EVIL, bytes(2000)])
def test_bytes_around_an_archive_are_reported(extra: bytes) -> None:
    """What lies in front of an archive or behind it makes it malformed; its members are still examined."""
    for data in (extra + zipped({"m": EVIL}), zipped({"m": EVIL}) + extra):
        result = check(data)
        assert "ZIP004" in rules(result)
        assert verdicts(result)["file"] == "malformed"
        assert result.outcome is Outcome.FAIL


def test_wrong_checksums_are_reported_and_the_member_examined() -> None:
    """Content that does not have its checksum is what lenient readers load, so it is examined all the same."""
    data = zipped({"m": EVIL, "n": PLAIN})
    result = check(patched(data, central(data) + 16, b"\1\2\3\4"))
    assert {"ZIP001", "ZIP002"} <= rules(result)
    assert result.outcome is Outcome.FAIL
    both = patched(patched(data, central(data) + 16, b"\1\2\3\4"), 14, b"\1\2\3\4")
    assert "ZIP002" in rules(check(both))
    assert check(both).outcome is Outcome.FAIL


def test_members_of_one_name_are_all_examined() -> None:
    """Readers pick different members of one name, so all are examined and the archive is malformed."""
    for first, second in ((EVIL, PLAIN), (PLAIN, EVIL)):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("data.pkl", first)
            with pytest.warns(UserWarning, match="Duplicate"):
                archive.writestr("data.pkl", second)
        result = check(buffer.getvalue())
        assert "ZIP001" in rules(result)
        assert verdicts(result)["file"] == "malformed"
        assert result.outcome is Outcome.FAIL


def test_encrypted_members_are_a_gap() -> None:
    """What is encrypted could not be looked into, and the outcome says so."""
    data = zipped({"m": bytes(range(100))})
    locked = patched(patched(data, 6, b"\1"), central(data) + 8, b"\1")
    locked = patched(locked, locked.index(bytes(range(100))), bytes(reversed(range(100))))
    result = check(locked)
    assert "ZIP009" in rules(result)
    assert result.outcome is Outcome.UNKNOWN
    assert verdicts(result)["file"] != "proven"


def test_a_flag_of_encryption_hides_nothing() -> None:
    """A member that is flagged as encrypted but plain is examined: some readers ignore the flag."""
    data = zipped({"m": EVIL})
    result = check(patched(patched(data, 6, b"\1"), central(data) + 8, b"\1"))
    assert "ZIP001" in rules(result)
    assert result.outcome is Outcome.FAIL


def test_local_and_central_headers_that_disagree_are_read_both_ways() -> None:
    """Names and sizes that differ between the two headers make the archive malformed; both readings are examined."""
    data = zipped({"README": EVIL, "b": PLAIN})
    renamed = check(patched(data, 30, b"model_"))
    assert "ZIP001" in rules(renamed)
    assert {"file!README", "file!model_"} <= verdicts(renamed).keys()
    assert renamed.outcome is Outcome.FAIL
    longer = PLAIN + EVIL
    whole = zipped({"a": longer})
    short = patched(whole, central(whole) + 20, struct.pack("<II", len(PLAIN), len(PLAIN)))
    result = check(short)
    assert "ZIP001" in rules(result)
    assert result.outcome is Outcome.FAIL


def test_members_without_an_entry_in_the_directory_are_found() -> None:
    """A member that only readers of local headers see is examined."""
    hidden = zipped({"hidden": EVIL})
    hidden = hidden[: central(hidden)]
    data = zipped({"a": PLAIN})
    at = central(data)
    end = data.rindex(b"PK\x05\x06")
    spliced = data[:at] + hidden + data[at:end]
    spliced += patched(data[end:], 16, struct.pack("<I", at + len(hidden)))
    result = check(spliced)
    assert "ZIP001" in rules(result)
    assert result.outcome is Outcome.FAIL


@pytest.mark.parametrize("name", ["../a", "a/../../b", "..\\a", "/../a"])
def test_names_that_lead_out_are_errors(name: str) -> None:
    """A member that would be written outside of the folder is an error."""
    assert "ZIP005" in errors(check(zipped({name: b"text"})))
    assert "ZIP005" in errors(check(tarred({name: b"text"})))


def test_names_that_systems_understand_differently_are_warnings() -> None:
    """Absolute names and names that differ in case are reported, not graded as an attack."""
    for names in (("/etc/motd",), ("C:\\x",), ("a", "A")):
        result = check(zipped(dict.fromkeys(names, b"text")))
        assert rules(result) & {"ZIP006"}, names
        assert not errors(result)


def test_cut_archives_are_followed_as_far_as_they_go() -> None:
    """Without its end an archive is malformed, and the members that are left are examined."""
    data = zipped({"a": EVIL, "b": b"text " * 50})
    result = check(data[: data.index(b"text") + 10])
    assert verdicts(result)["file"] == "malformed"
    assert result.outcome is Outcome.FAIL


# -- bombs ---------------------------------------------------------------------------------------------------------


def test_too_many_members_are_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """An archive with more members than anybody needs is stopped and said to be."""
    monkeypatch.setattr(Limits.__init__, "__defaults__", _with(members=10))
    result = check(zipped({str(n): b"text" for n in range(20)}))
    assert "SER004" in rules(result)
    assert verdicts(result)["file"] == "malformed"
    assert result.outcome is Outcome.UNKNOWN


def _with(**changes: int) -> tuple[object, ...]:
    names = Limits.__match_args__
    defaults = Limits.__init__.__defaults__
    assert defaults is not None
    return tuple(changes.get(name, value) for name, value in zip(names, defaults, strict=True))


# -- tar -----------------------------------------------------------------------------------------------------------


def test_ordinary_tars_are_proven() -> None:
    """Members of a tar archive are examined; plain ones give a proven archive."""
    result = check(tarred({"a.pkl": PLAIN, "b/c.txt": b"words"}))
    assert (result.outcome, result.findings, verdicts(result)["file"]) == (Outcome.PASS, [], "proven")


@pytest.mark.parametrize(
    ("kind", "target", "rule", "is_error"),
    [
        (tarfile.SYMTYPE, "other", "ZIP007", False),
        (tarfile.SYMTYPE, "../../etc", "ZIP005", True),
        (tarfile.SYMTYPE, "/etc/passwd", "ZIP005", True),
        (tarfile.LNKTYPE, "/etc/passwd", "ZIP005", True),
        (tarfile.CHRTYPE, "", "ZIP008", True),
        (tarfile.BLKTYPE, "", "ZIP008", True),
        (tarfile.FIFOTYPE, "", "ZIP008", True),
    ],
)
def test_special_members_of_tars(kind: bytes, target: str, rule: str, *, is_error: bool) -> None:
    """Links out of the folder and devices are errors; links within are notes."""
    info = tarfile.TarInfo("special")
    info.type, info.linkname = kind, target
    result = check(tarred({"special": info, "a.pkl": PLAIN}))
    assert rule in rules(result)
    assert bool(errors(result)) is is_error


def test_damaged_tars_are_malformed() -> None:
    """A header that is broken or content that ends early makes the archive malformed, never proven."""
    data = tarred({"a": EVIL, "b": PLAIN})
    for broken in (data[:700], patched(data, 1024 + 148, b"9999999"), data[:1500]):
        result = check(broken)
        assert verdicts(result)["file"] == "malformed"
        assert result.outcome is Outcome.FAIL


def test_bytes_behind_the_end_of_a_tar_are_reported() -> None:
    """What follows the end of the archive is seen."""
    result = check(tarred({"a": PLAIN}) + EVIL4 * 30)
    assert verdicts(result)["file"] == "malformed"


# -- compressed files ----------------------------------------------------------------------------------------------

COMPRESSORS = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
    "zlib": zlib.compress,
    "zstd": zstandard.compress,
}


@pytest.mark.parametrize("codec", CODECS)
def test_compressed_files_are_as_good_as_their_content(codec: str) -> None:
    """Content is examined behind every codec; damage and trailing bytes are malformed."""
    compress = COMPRESSORS[codec]
    good = check(compress(PLAIN))
    assert (good.outcome, verdicts(good)["file"], formats(good)["file"]) == (Outcome.PASS, "proven", codec)
    assert check(compress(EVIL)).outcome is Outcome.FAIL
    trailing = check(compress(EVIL) + b"more")
    assert (trailing.outcome, verdicts(trailing)["file"]) == (Outcome.FAIL, "malformed")
    noise = random.Random(3).randbytes(3000)
    cut = check(compress(PLAIN + noise)[:2000])
    assert (cut.outcome is not Outcome.PASS, verdicts(cut)["file"]) == (True, "malformed")
    if codec != "bzip2":  # of a block that is cut, nothing can be decoded
        assert check(compress(EVIL + noise)[:2000]).outcome is Outcome.FAIL


# -- 7z ------------------------------------------------------------------------------------------------------------


def seven_zip(content: bytes, *, method: bytes = b"\x00") -> bytes:
    """Write an archive of one member, stored or under a method of that id."""

    def number(value: int) -> bytes:
        assert value < 0x4000
        return bytes([value]) if value < 0x80 else bytes([0x80 | value >> 8, value & 0xFF])

    name = "m".encode("utf-16-le") + b"\0\0"
    header = b"\x01\x04"
    header += b"\x06\x00\x01\x09" + number(len(content)) + b"\x00"
    header += b"\x07\x0b\x01\x00\x01" + bytes([len(method)]) + method + b"\x0c" + number(len(content)) + b"\x00"
    header += b"\x08\x0a\x01" + struct.pack("<I", zlib.crc32(content)) + b"\x00\x00"
    header += b"\x05\x01\x11" + number(len(name) + 1) + b"\x00" + name + b"\x00\x00"
    start = struct.pack("<QQI", len(content), len(header), zlib.crc32(header))
    return b"7z\xbc\xaf\x27\x1c\x00\x04" + struct.pack("<I", zlib.crc32(start)) + start + content + header


def test_7z_archives_are_looked_into() -> None:
    """Members of a 7z archive are examined; what cannot be decoded is a gap."""
    assert verdicts(check(seven_zip(PLAIN))) == {"file!m": "proven", "file": "proven"}
    assert check(seven_zip(EVIL)).outcome is Outcome.FAIL
    locked = check(seven_zip(EVIL, method=b"\x06\xf1\x07\x01"))
    assert locked.outcome is Outcome.UNKNOWN
    assert verdicts(locked)["file"] != "proven"


def test_layouts_are_named() -> None:
    """An archive of a known kind says which it is."""
    layouts = [m.value for m in check(torch_zip()).measurements if m.metric == "archive.layout"]
    assert layouts == ["torch"]
