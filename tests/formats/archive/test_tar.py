from __future__ import annotations

import io
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.core.errors import FormatError, LimitExceeded
from hallmarked.formats.archive.model import FATAL, Defect, Listing
from hallmarked.formats.archive.tar import read_tar
from hallmarked.formats.blob import Blob, Budget, Limits

CONTENT = {"model_config.yaml": b"target: x\n", "weights.ckpt": bytes(range(256)) * 5, "empty": b""}


def add(archive: tarfile.TarFile, name: str, data: bytes = b"", **fields: object) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for field, value in fields.items():
        setattr(info, field, value)
    archive.addfile(info, io.BytesIO(data))


def build(members: dict[str, bytes] | None = None, kind: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=kind) as archive:
        for name, data in (CONTENT if members is None else members).items():
            add(archive, name, data)
    return buffer.getvalue()


def single(name: str, **fields: object) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        add(archive, name, **fields)  # type: ignore[arg-type]
    return buffer.getvalue()


def read(data: bytes, **limits: int) -> Listing:
    return read_tar(Blob.of_bytes("x.tar", data), Budget(len(data), Limits(**limits)))


def contents(data: bytes) -> dict[str, bytes]:
    result = {}
    for entry in read(data).entries:
        if entry.expand is not None:
            with entry.expand().blob.open() as stream:
                result[entry.name] = stream.read()
    return result


def kinds(data: bytes) -> set[Defect]:
    return {problem.kind for problem in read(data).irregularities}


@pytest.mark.parametrize("kind", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_reads_what_was_written(kind: int) -> None:
    """Every dialect of the standard library gives back each member, without a complaint."""
    members = {**CONTENT, "folder/" + "n" * 90: b"long", ("d" * 60 + "/") * 3 + "deep": b"longer"}
    if kind != tarfile.USTAR_FORMAT:
        members |= {"x" * 300: b"longest", "caf\u00e9": b"accent"}
    data = build(members, kind)
    assert contents(data) == members
    assert not kinds(data)


def test_members_are_blobs_one_level_deeper() -> None:
    """A member is named after its container and knows how deep it lies."""
    entry = read(build()).entries[0]
    assert entry.expand is not None
    blob = entry.expand().blob
    assert (blob.path, blob.depth) == ("x.tar!model_config.yaml", 1)


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"type": tarfile.SYMTYPE, "linkname": "other"}, Defect.LINK),
        ({"type": tarfile.SYMTYPE, "linkname": "../../x"}, Defect.ESCAPE),
        ({"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"}, Defect.ESCAPE),
        ({"type": tarfile.LNKTYPE, "linkname": "../x"}, Defect.ESCAPE),
        ({"type": tarfile.LNKTYPE, "linkname": "folder/y"}, Defect.LINK),
        ({"type": tarfile.CHRTYPE}, Defect.DEVICE),
        ({"type": tarfile.FIFOTYPE}, Defect.DEVICE),
    ],
)
def test_special_members_are_reported(fields: dict[str, object], kind: Defect) -> None:
    """Links, devices and pipes are reported; links that lead out are escapes."""
    assert kinds(single("folder/x", **fields)) == {kind}


@pytest.mark.parametrize(
    ("name", "kind"), [("../up", Defect.ESCAPE), ("a/../../up", Defect.ESCAPE), ("/etc/x", Defect.NAME)]
)
def test_names_that_lead_elsewhere_are_reported(name: str, kind: Defect) -> None:
    """A name that leads out of the folder is an escape, an absolute one is reported."""
    assert kinds(build({name: b"1"})) == {kind}


def test_a_pax_name_replaces_the_header_name() -> None:
    """The name that counts is the one of the extended header, and it is checked like any other."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        add(archive, "harmless", b"1", pax_headers={"path": "../outside"})
    assert "../outside" in contents(buffer.getvalue())
    assert Defect.ESCAPE in kinds(buffer.getvalue())


def test_a_pax_size_that_differs_shows_both_readings() -> None:
    """Readers that ignore the extended size see other members behind it: both are listed."""
    inner = build({"hidden.pkl": b"evil"})[: 512 * 2]
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        add(archive, "cover", inner, pax_headers={"size": str(len(inner))})
        add(archive, "last", b"end")
    data = bytearray(buffer.getvalue())
    at = data.index(b"cover" + bytes(10))
    data[at + 124 : at + 136] = b"00000000000\0"
    header = bytes(data[at : at + 148]) + b" " * 8 + bytes(data[at + 156 : at + 512])
    data[at + 148 : at + 156] = b"%06o\0 " % sum(header)
    assert {"cover", "hidden.pkl", "last"} <= contents(bytes(data)).keys()
    assert Defect.CONFLICT in kinds(bytes(data))


def test_members_behind_the_end_are_found() -> None:
    """Some readers go on behind the end marker: what lies there is listed and reported."""
    data = build({"a": b"1"}) + build({"b": b"2"})
    assert contents(data) == {"a": b"1", "b": b"2"}
    assert kinds(data) == {Defect.FOREIGN}


def test_repeated_names_are_a_conflict() -> None:
    """Two members of one name: which one counts depends on the reader."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        add(archive, "m", b"1")
        add(archive, "m", b"2")
    assert kinds(buffer.getvalue()) == {Defect.CONFLICT}


def test_sparse_members_are_unreadable() -> None:
    """A sparse file is not put together, and says so."""
    (entry,) = read(single("s", type=tarfile.GNUTYPE_SPARSE)).entries
    assert entry.expand is None
    assert "sparse" in entry.unreadable


def test_cut_archives_are_never_clean() -> None:
    """Whatever is cut off before the end marker is complete, the archive is refused or reported."""
    data = build({"a": b"x" * 700, "b": b"y" * 600})
    members = -(-len(data.rstrip(b"\0")) // 512) * 512
    for size in range(1, members + 1024, 7):
        try:
            found = kinds(data[:size])
        except FormatError:
            continue
        assert found & FATAL, size


def test_too_many_members_are_refused() -> None:
    """The number of members is limited."""
    with pytest.raises(LimitExceeded):
        read(build({str(n): b"" for n in range(20)}), members=10)


def drain(data: bytes) -> None:
    """Read everything there is; only format errors may come out."""
    try:
        for entry in read(data, members=500).entries[:50]:
            if entry.expand is not None:
                with entry.expand().blob.open() as stream:
                    stream.read()
    except FormatError:
        pass


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=1200))
def test_arbitrary_bytes_raise_only_format_errors(data: bytes) -> None:
    """No bytes make the reader raise anything else."""
    drain(data)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]),
    st.lists(st.tuples(st.integers(0, 10_000), st.binary(min_size=1, max_size=4)), max_size=5),
    st.booleans(),
    st.integers(0, 10_000),
)
def test_mutated_archives_raise_only_format_errors(
    kind: int, changes: list[tuple[int, bytes]], repair: bool, cut: int
) -> None:
    """No damage to a valid archive makes the reader raise anything else, whether or not checksums are repaired."""
    data = bytearray(build({"d/" + "x" * 99: b"long name", "caf\u00e9": b"y" * 600}, kind))
    for place, value in changes:
        at = place % (len(data) - 4)
        data[at : at + len(value)] = value
    if repair:
        for at in range(0, len(data), 512):
            block = bytes(data[at : at + 512])
            if block.strip(b"\0") and len(block) == 512:
                total = sum(block[:148]) + 8 * 32 + sum(block[156:])
                data[at + 148 : at + 156] = b"%06o\0 " % total
    drain(bytes(data))
    drain(bytes(data[: cut % len(data)]))
