"""What is known of single files need not be established again, and the result is the same as if it had been."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.artifacts.source import describe, open_artifact
from hallmarked.checks import registry
from hallmarked.checks.earlier import Earlier, Look
from hallmarked.checks.malware import MalwareCheck
from hallmarked.checks.runner import Result, run, run_isolated
from hallmarked.core.check import Check, Extent
from hallmarked.core.errors import BackendError
from hallmarked.core.sandbox import Limits
from tests.checks.test_malware import FakeDaemon
from tests.support import MemoryArtifact

CHECKS = {name: registry.load(name)[0] for name in registry.available()}
SINGLE = {name: check for name, check in CHECKS.items() if check.extent is Extent.FILE}


def zipped(members: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return buffer.getvalue()


def message(number: int, data: bytes) -> bytes:
    """Write a field of a Protocol Buffers message."""
    return bytes([number << 3 | 2, len(data)]) + data


def template(text: str) -> bytes:
    return json.dumps({"chat_template": text}).encode()


HEADER = json.dumps({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
_PLACE = message(1, b"location") + message(2, b"data.bin")
EXTERNAL = b"\x08\x08" + message(7, message(5, b"\x10\x01" + message(8, b"w") + message(13, _PLACE) + b"\x70\x01"))
"""An ONNX graph whose one tensor lies in ``data.bin``."""
CONTENTS = [
    b"# Nothing here",
    b"---\nlicense: mit\n---\n# A card\n",
    b"cos\nsystem\n(S'true'\ntR.",
    b"aws_secret = 'AKIAQWERTYUIOPASDFGH'\npassword = 'hunter2hunter2'",
    len(HEADER).to_bytes(8, "little") + HEADER + bytes(8),
    template("{% for message in messages %}{{ message.content }}{% endfor %}"),
    template("{% for message in messages %}{{ message.content.__class__ }}{% endfor %}"),
    template("{% for message in messages %}"),
    b"import os\nos.system('id')\n",
    zipped({"a.pkl": b"cos\nsystem\n(S'true'\ntR.", "b.txt": b"text"}),
    EXTERNAL,
    bytes(range(256)) * 4,
    b"",
]
PATHS = [
    "README.md",
    "model.pkl",
    "a/config.json",
    "tokenizer_config.json",
    "chat_template.jinja",
    "m.onnx",
    "data.bin",
]


class Counting(MemoryArtifact):
    """Remembers which files were opened, and loses some."""

    def __init__(self, contents: Mapping[str, bytes | str], lost: str = "") -> None:
        super().__init__(contents)
        self.opened: set[str] = set()
        self._lost = lost

    def open(self, path: str) -> BinaryIO:
        self.opened.add(path)
        if path == self._lost:
            raise BackendError("the disk is away")
        return super().open(path)


def seen(result: Result) -> dict[str, object]:
    return result.to_statement(MemoryArtifact({}).subject, "0").to_dict()


def test_every_check_says_what_it_is_about() -> None:
    """A check of single files can leave out those that are known; the others look at all files again."""
    assert sorted(SINGLE) == ["malware", "secrets", "serialization", "templates"]
    for check in CHECKS.values():
        assert isinstance(check.extent, Extent)
        assert (check.extent is Extent.FILE) == hasattr(check, "look")


edits = st.lists(
    st.tuples(st.sampled_from(PATHS), st.none() | st.sampled_from(CONTENTS)), min_size=1, max_size=4
)  # fmt: skip


@pytest.mark.parametrize("name", sorted(SINGLE))
@settings(max_examples=40, deadline=None)
@given(history=st.lists(edits, min_size=1, max_size=4))
def test_what_is_known_changes_no_result(name: str, history: list[list[tuple[str, bytes | None]]]) -> None:
    """However files come, change, move and go, a run that is told what is known says what a run that is not says."""
    check: Check = SINGLE[name]
    known: dict[tuple[str, str], Look] = {}
    contents: dict[str, bytes | str] = {}
    for step in history:
        for path, data in step:
            if data is None:
                contents.pop(path, None)
            else:
                contents[path] = data
        artifact = Counting(contents)
        digests = artifact.digests()
        usable = {path: known[path, digest] for path, digest in digests.items() if (path, digest) in known}
        some = run(check, artifact, Earlier("", usable))
        assert not artifact.opened & usable.keys()
        assert seen(some) == seen(run(check, artifact))
        assert some.applied == bool(contents)
        known |= {(path, digests[path]): look for path, look in some.looks.items()}


def test_what_hangs_on_other_files_is_not_kept() -> None:
    """A graph whose numbers lie in another file is looked at again: that file may be gone."""
    check = SINGLE["serialization"]
    both = run(check, MemoryArtifact({"m.onnx": EXTERNAL, "data.bin": bytes(8), "a.txt": b"text"}), Earlier())
    assert "SER006" not in {finding.rule for finding in both.findings}
    assert "m.onnx" not in both.looks
    assert {"a.txt", "data.bin"} <= both.looks.keys()
    alone = run(check, MemoryArtifact({"m.onnx": EXTERNAL, "a.txt": b"text"}), Earlier("", both.looks))
    assert "SER006" in {finding.rule for finding in alone.findings}


@pytest.mark.parametrize("name", sorted(SINGLE))
def test_what_could_not_be_read_is_not_kept(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that could not be read is unknown this time and is tried again the next time."""
    monkeypatch.setenv("HALLMARKED_CLAMD", f"unix:{tmp_path}/clamd")
    FakeDaemon(tmp_path / "clamd", {}).start()
    files: dict[str, bytes | str] = {"a.txt": b"one", "b.txt": b"two", "c.txt": b"three"}
    first = run(SINGLE[name], Counting(files, lost="b.txt"), Earlier())
    assert first.looks.keys() == {"a.txt", "c.txt"}
    assert [gap.location.path for gap in first.gaps if gap.location] == ["b.txt"]
    whole = run(SINGLE[name], MemoryArtifact(files))
    assert seen(run(SINGLE[name], MemoryArtifact(files), Earlier(first.edition, first.looks))) == seen(whole)


def test_signatures_are_part_of_what_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the same signatures a file is handed to the scanner once; with new ones, again."""
    monkeypatch.setenv("HALLMARKED_CLAMD", f"unix:{tmp_path}/clamd")
    daemon = FakeDaemon(tmp_path / "clamd", {b"bad": "stream: Win.Test.X-1 FOUND"})
    daemon.start()
    files: dict[str, bytes | str] = {"a.bin": b"bad", "b.bin": b"good"}
    first = run(MalwareCheck(), MemoryArtifact(files), Earlier())
    assert first.looks.keys() == files.keys()
    assert "27000" in first.edition
    again = run(MalwareCheck(), MemoryArtifact(files), Earlier(first.edition, first.looks))
    assert seen(again) == seen(first)
    assert len(daemon.streams) == 2
    daemon.version = "ClamAV 1.4.3/27001/Fri Jan  2 10:00:00 2026"
    daemon.answers[b"good"] = "stream: Win.Test.Y-1 FOUND"
    newer = run(MalwareCheck(), MemoryArtifact(files), Earlier(first.edition, first.looks))
    assert len(daemon.streams) == 4
    assert len(newer.findings) == 2
    assert "27001" in newer.edition


def test_signatures_that_change_meanwhile_leave_nothing_to_keep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was scanned while the scanner took up new signatures may be of either; nothing of it is kept."""
    monkeypatch.setenv("HALLMARKED_CLAMD", f"unix:{tmp_path}/clamd")
    daemon = FakeDaemon(tmp_path / "clamd", {})
    daemon.start()

    class Slow(MemoryArtifact):
        def open(self, path: str) -> BinaryIO:
            daemon.version = "ClamAV 1.4.3/27001/Fri Jan  2 10:00:00 2026"
            return super().open(path)

    assert not run(MalwareCheck(), Slow({"a.bin": b"x"}), Earlier()).looks


@pytest.mark.skipif(sys.platform != "linux", reason="isolation of this kind exists on Linux")
@pytest.mark.parametrize("name", ["secrets", "serialization", "templates"])
def test_a_process_of_its_own_tells_the_same(name: str, tmp_path: Path) -> None:
    """What a check's process says of single files comes back, and taken up by another one it gives the same result."""
    for number, data in enumerate(CONTENTS):
        (tmp_path / f"{number}.bin").write_bytes(data)
    artifact = open_artifact(tmp_path)
    check = SINGLE[name]
    first = run_isolated(name, check.version, describe(artifact), Limits(), earlier=Earlier())
    assert first.looks == run(check, artifact, Earlier()).looks
    (tmp_path / "1.bin").write_bytes(b"changed")
    artifact = open_artifact(tmp_path)
    rest = {path: look for path, look in first.looks.items() if path != "1.bin"}
    again = run_isolated(name, check.version, describe(artifact), Limits(), earlier=Earlier("", rest))
    assert seen(again) == seen(run(check, artifact))
    assert again.looks.keys() == {"1.bin"}
