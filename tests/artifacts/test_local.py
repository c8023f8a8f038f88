"""Folders and files: everything is covered by the digest or listed as omitted."""

from __future__ import annotations

import hashlib
import os
import socket
from pathlib import Path

import pytest

from hallmarked.artifacts.source import describe, from_description, open_artifact
from hallmarked.core.errors import BackendError, InputError, NotFound


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "model"
    (root / "weights").mkdir(parents=True)
    (root / "README.md").write_text("hello\n")
    (root / "config.json").write_text("{}")
    (root / "weights/model.safetensors").write_text("abc")
    return root


def test_folder(folder: Path) -> None:
    """A folder's subject is the dirHash over all its files, in bytewise order."""
    artifact = open_artifact(folder)
    assert [file.path for file in artifact.files] == ["README.md", "config.json", "weights/model.safetensors"]
    assert artifact.subject.digest == {"dirHash": "861c4a4cb7fd60f7bc98298b7aaa4c638a4d8c7a3b19b5c07360a0733097b84d"}
    with artifact.open("config.json") as stream:
        assert stream.read() == b"{}"


def test_single_file(folder: Path) -> None:
    """A single file's subject is its SHA-256."""
    artifact = open_artifact(folder / "config.json")
    assert artifact.subject.digest == {"sha256": hashlib.sha256(b"{}").hexdigest()}


def test_described_artifact_is_the_same(folder: Path) -> None:
    """Another process that gets the description opens the same artifact, base included."""
    artifact = from_description(describe(open_artifact(folder, base=folder / "config.json")))
    assert artifact.subject == open_artifact(folder).subject
    assert artifact.base is not None
    assert artifact.base.name == "config.json"


def test_links(folder: Path, tmp_path: Path) -> None:
    """A link to a file inside is its content; links that leave, circle or lead to folders are omitted with a reason."""
    (tmp_path / "secret").write_text("s")
    (folder / "copy.json").symlink_to("config.json")
    (folder / "out").symlink_to(tmp_path / "secret")
    (folder / "loop").symlink_to("loop")
    (folder / "up").symlink_to("..")
    (folder / "sub").symlink_to("weights")
    artifact = open_artifact(folder)
    assert artifact.digests()["copy.json"] == artifact.digests()["config.json"]
    assert {omission.path: omission.reason for omission in artifact.omitted} == {
        "loop": "link that leads nowhere or in a circle",
        "out": "link that leaves the folder",
        "sub": "link to a folder",
        "up": "link that leaves the folder",
    }


def test_client_cache(folder: Path, tmp_path: Path) -> None:
    """A snapshot in a client's download cache, which links to blobs beside it, is read through its links."""
    blobs, snapshot = tmp_path / "m/blobs", tmp_path / "m/snapshots/abc"
    blobs.mkdir(parents=True)
    snapshot.mkdir(parents=True)
    (blobs / "0123").write_text("{}")
    (snapshot / "config.json").symlink_to("../../blobs/0123")
    artifact = open_artifact(snapshot)
    assert [file.path for file in artifact.files] == ["config.json"]
    assert not artifact.omitted


def test_special_files_and_names(folder: Path) -> None:
    """Sockets, pipes and names that are not UTF-8 or hold a line break are omitted, and nothing hangs."""
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(folder)
        server.bind("sock")
        os.chdir(here)
    (folder / os.fsdecode(b"caf\xe9")).write_text("x")
    (folder / "two\nlines").write_text("x")
    reasons = {omission.path: omission.reason for omission in open_artifact(folder).omitted}
    assert reasons == {
        "pipe": "not a regular file (socket, pipe or device)",
        "sock": "not a regular file (socket, pipe or device)",
        "caf\\xe9": "name is not UTF-8",
        "two\nlines": "name holds a line break or a backslash",
    }


def test_version_control_is_left_out_by_name(folder: Path) -> None:
    """A .git folder does not change the digest, and is named."""
    before = open_artifact(folder).subject
    (folder / ".git").mkdir()
    (folder / ".git/config").write_text("x")
    artifact = open_artifact(folder)
    assert artifact.subject == before
    assert artifact.excluded == [".git"]


@pytest.mark.parametrize("kind", ["missing", "device"])
def test_nothing_to_open(kind: str, tmp_path: Path) -> None:
    """A missing path or a device is refused in one sentence."""
    with pytest.raises(InputError):
        open_artifact({"missing": tmp_path / "none", "device": Path("/dev/null")}[kind])


def test_change_while_reading(folder: Path) -> None:
    """A file that is written to, added or replaced after listing is noticed."""
    artifact = open_artifact(folder)
    artifact.confirm_unchanged()
    (folder / "config.json").write_text("[]")
    with pytest.raises(InputError, match="changed while it was read"):
        artifact.confirm_unchanged()
    artifact = open_artifact(folder)
    (folder / "new").write_text("")
    with pytest.raises(InputError, match="files were added"):
        artifact.confirm_unchanged()
    (folder / "README.md").unlink()
    os.mkfifo(folder / "README.md")
    with pytest.raises(BackendError, match="changed while it was read"):
        artifact.open("README.md")


def test_unknown_path(folder: Path) -> None:
    """Only listed files can be opened, so no path leads outside."""
    with pytest.raises(NotFound):
        open_artifact(folder).open("../model/config.json")
