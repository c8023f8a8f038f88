"""A packed folder is seen as the folder it holds, and stays the archive that evidence is bound to."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from hallmarked.artifacts.local import LocalArtifact
from hallmarked.artifacts.packed import PackedArtifact
from hallmarked.artifacts.source import describe, from_description
from hallmarked.core.errors import BackendError, NotFound

FILES = {"README.md": b"# model\n", "weights/a.bin": b"abc" * 100}


def pack(path: Path, files: dict[str, bytes]) -> Path:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in files.items():
                archive.writestr(name, data)
    else:
        with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as tar:
            for name, data in files.items():
                info = tarfile.TarInfo(name)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
    return path


def opened(path: Path) -> LocalArtifact | PackedArtifact:
    artifact = from_description(describe(LocalArtifact(path)))
    assert isinstance(artifact, LocalArtifact | PackedArtifact)
    return artifact


@pytest.mark.parametrize("name", ["m.zip", "m.tar", "m.tar.gz"])
@pytest.mark.parametrize("top", ["", "m/"])
def test_folder_inside(name: str, top: str, tmp_path: Path) -> None:
    """Members appear as files, without the one folder around them; the subject is the archive's digest."""
    path = pack(tmp_path / name, {top + file: data for file, data in FILES.items()})
    artifact = opened(path)
    assert isinstance(artifact, PackedArtifact)
    assert {file.path: file.size for file in artifact.files} == {file: len(data) for file, data in FILES.items()}
    for file, data in FILES.items():
        with artifact.open(file) as stream:
            assert stream.read() == data
    assert artifact.subject.digest == {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    assert artifact.container is not None
    with artifact.open(artifact.container.path) as stream:
        assert stream.read() == path.read_bytes()


@pytest.mark.parametrize(
    "files",
    [
        {"a/data.pkl": b"", "a/version": b"3"},
        {"a/archive_format": b"pt2", "a/models/model.json": b"{}"},
        {"config.json": b"{}", "model.weights.h5": b""},
        {"x.npy": b""},
    ],
    ids=["torch", "torch export", "keras", "npz"],
)
def test_one_file_of_a_library(files: dict[str, bytes], tmp_path: Path) -> None:
    """An archive that a library loads as a whole is a file, not a folder."""
    assert isinstance(opened(pack(tmp_path / "m.zip", files)), LocalArtifact)


@pytest.mark.parametrize("hidden", ["data/data.pkl", "assets/schema.json", "parts/model.weights.h5"])
def test_a_member_further_down_makes_no_library_file(hidden: str, tmp_path: Path) -> None:
    """A folder stays a folder whatever lies in its subfolders: its code and its card are to be seen."""
    path = pack(tmp_path / "m.zip", {hidden: b"", "modeling.py": b"x = 1", "README.md": b"# Heron"})
    assert {file.path for file in opened(path).files} == {hidden, "modeling.py", "README.md"}


def test_not_an_archive(tmp_path: Path) -> None:
    """Any other file stays a file."""
    (tmp_path / "a").write_bytes(b"PK\x03\x04 but no archive")
    assert isinstance(opened(tmp_path / "a"), LocalArtifact)


def test_members_that_escape(tmp_path: Path) -> None:
    """A member whose name leads out is listed as omitted and cannot be opened."""
    artifact = opened(pack(tmp_path / "m.zip", {**FILES, "../evil": b"x"}))
    assert isinstance(artifact, PackedArtifact)
    assert [omission.path for omission in artifact.omitted] == ["../evil"]
    with pytest.raises(NotFound):
        artifact.open("../evil")


def test_damaged_member(tmp_path: Path) -> None:
    """A member that cannot be unpacked says so instead of giving other bytes."""
    path = pack(tmp_path / "m.zip", {**FILES, "big": bytes(range(256)) * 400})
    data = bytearray(path.read_bytes())
    at = data.index(b"big") + 40
    data[at : at + 8] = b"\xff" * 8
    path.write_bytes(data)
    with pytest.raises(BackendError, match="cannot be unpacked"):
        opened(path).open("big")
