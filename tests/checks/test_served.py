"""A check reads what lies elsewhere by asking the process that started it, and can ask for nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hallmarked.artifacts.remote.address import parse_address
from hallmarked.artifacts.remote.artifact import RemoteArtifact
from hallmarked.artifacts.remote.listing import Listing, RemoteFile
from hallmarked.checks import registry
from hallmarked.checks.runner import Result, run_isolated
from hallmarked.core.errors import BackendError
from hallmarked.core.evidence import Outcome
from hallmarked.core.sandbox import Limits
from tests.artifacts.remote.endpoint import COMMIT, blob
from tests.checks.test_runner import HOSTILE

TEXT = b"0123456789" * 1000
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="isolation of this kind exists on Linux")


def run(act: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, fails: bool = False, seconds: int = 20) -> Result:
    """Run a check that does something with an artifact of one file, which this process serves."""
    script = tmp_path / "worker.py"
    script.write_text(HOSTILE.format(act=act, root=str(Path(registry.__file__).parents[2])))
    start = subprocess.Popen

    def popen(command: list[str], **options: object) -> subprocess.Popen[bytes]:
        return start([command[0], "-B", str(script)], **options)  # type: ignore[call-overload,no-any-return]

    def fetch(_file: RemoteFile, begin: int, size: int) -> bytes:
        if fails:
            raise BackendError("the hub went away")
        return TEXT[begin : begin + size]

    monkeypatch.setattr(subprocess, "Popen", popen)
    listing = Listing((RemoteFile("a.txt", len(TEXT), blob(TEXT), None),), ())
    served = RemoteArtifact("https://hub.example", parse_address(f"acme/tiny@{COMMIT}"), "main", listing, fetch)
    try:
        return run_isolated("hostile", "1", served.describe(), Limits(wall_seconds=seconds), served.serve)
    finally:
        served.close()


def test_files_are_read_without_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The child has no network and gets exactly the bytes it asks for."""
    act = "f = artifact.open('a.txt'); f.seek(5); yield Finding('TST002', Level.NOTE, f.read(7).decode())"
    result = run(act, tmp_path, monkeypatch)
    assert [finding.message for finding in result.findings] == ["seen before", "5678901"]
    assert "no-network" in result.isolation
    assert result.outcome is Outcome.PASS


def test_what_cannot_be_fetched_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason reaches the check, and so the result."""
    result = run("artifact.open('a.txt').read()", tmp_path, monkeypatch, fails=True)
    assert result.outcome is Outcome.UNKNOWN
    assert "the hub went away" in result.reason


@pytest.mark.parametrize(
    "wanted", ["[1, 0, 1]", "[0, -1, 1]", "[0, 0, 1 << 40]", "['/etc/passwd', 0, 1]", "[True, 0, 1]"]
)
def test_a_hijacked_check_gets_nothing_else(wanted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other files, other places, paths and huge sizes are refused; the process that serves stays as it is."""
    act = f"worker.ask(*{wanted})"
    result = run(act, tmp_path, monkeypatch)
    assert result.outcome is Outcome.UNKNOWN
    assert "the check asked for" in result.reason


@pytest.mark.parametrize("body", ["null", "[]", '{"a": 1}', "[0, 0]", '"0"', "[0, 0, 1, 2]"], ids=range(6))
def test_questions_that_are_none_end_the_check(body: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no question at all is not answered."""
    message = f'{{"kind": "read", "body": {body}}}'
    result = run(f"sys.stdout.write({message!r} + chr(10)); sys.stdout.flush()", tmp_path, monkeypatch)
    assert "not a result" in result.reason


def test_a_check_that_asks_and_does_not_listen_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pipe fills up, and the time limit ends it all the same."""
    act = "while True: worker.send('read', [0, 0, 10000])"
    result = run(act, tmp_path, monkeypatch, seconds=2)
    assert result.outcome is Outcome.UNKNOWN
    assert "ended after 2 s" in result.reason
