"""The command line watches a hub's log."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from hallmarked.audit.witness import Watcher
from hallmarked.core.errors import InputError, NotFound
from hallmarked.hub.journal import Journal
from hallmarked.ledger.ledger import read_log
from hallmarked.ledger.note import open_note, read_note_key
from hallmarked.ledger.tile import read_tile_path
from hallmarked.ledger.trust import Role, Trust, TrustedKey, dump_trust, load_trust
from tests.cli.support import Shell
from tests.ledger.support import make_statement
from tests.serving import serve
from tests.web.operator import Operator

pytestmark = pytest.mark.enable_socket


@contextmanager
def as_served(log: Journal, change: Callable[[str, bytes], bytes] = lambda _path, data: data) -> Iterator[str]:
    """Serve a log's files as a hub does, each as a function changes it."""

    def answer(path: str) -> tuple[int, dict[str, str], bytes]:
        path, data = path.removeprefix("/ledger"), b""
        if path == "/checkpoint":
            data = log.checkpoint().encode()
        elif path.startswith("/tile/"):
            with contextlib.suppress(InputError, NotFound):
                data = log.tile(*read_tile_path(path[1:]))
        return (200, {}, change(path, data)) if data else (404, {}, b"")

    with serve(answer) as url:
        yield f"{url}/ledger"


@dataclass(frozen=True)
class Hub:
    """As much of a hub as a witness sees; tests/web has a whole one."""

    url: str
    folder: Path
    journal: Journal


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    folder = tmp_path / "ledger"
    with Journal.open(folder) as journal, as_served(journal) as url:
        journal.attest([make_statement(number) for number in range(5)])
        yield Hub(url, folder, journal)


@pytest.fixture
def key(hub: Hub) -> str:
    return hub.journal.verifier_key()


@contextmanager
def second_history(hub: Hub, folder: Path, numbers: range) -> Iterator[Journal]:
    """Make another history under the hub's own keys and name."""
    folder.mkdir()
    for name in ("log.pem", "maker.pem", "trust.json"):
        (folder / name).write_bytes((hub.folder / name).read_bytes())
        (folder / name).chmod(0o600)
    with Journal.open(folder) as journal:
        journal.attest([make_statement(number) for number in numbers])
        yield journal


def test_growing_log(shell: Shell, hub: Hub, key: str) -> None:
    """A log that only grows is followed, over tile borders too, and its checkpoint is cosigned each time."""
    added = shell("witness", "add", hub.url, "--key", key, "--name", "witness.example.org")
    assert (added.status, "5 entries, seen for the first time" in added.out) == (0, True)
    assert "this witness is witness.example.org+" in added.err
    assert "5 entries, as before" in shell("witness", "check").out
    for count, total in ((251, 256), (1, 257), (600, 857)):
        hub.journal.attest([make_statement(number) for number in range(count)])
        done = shell("witness", "run", "--once")
        assert (done.status, f"{total:,} entries, {count:,} more than before" in done.out) == (0, True)
    origin, url, file = shell("witness", "list").out.split()
    assert (origin, url) == (hub.journal.origin, hub.url)
    text, signed = open_note(Path(file).read_text(), [read_note_key(key), read_note_key(added.err.split()[-1])])
    assert (text.split("\n")[1], len(signed)) == ("857", 2)


def test_cosignature_is_a_witness_for_verify(shell: Shell, hub: Hub, key: str, tmp_path: Path) -> None:
    """What the witness signs counts as a witness when evidence is verified."""
    shell("witness", "add", hub.url, "--key", key)
    file = shell("witness", "list").out.split()[-1]
    line = Path(file).read_text().splitlines(keepends=True)[-1]
    with closing(Watcher(shell.home / "witness")) as watcher:
        witness = watcher.key
    with closing(read_log(hub.folder)) as log:
        log.add_cosignature(line, [witness])
    (tmp_path / "evidence.json").write_bytes(hub.journal.export([1]))
    trusted = Trust((*load_trust(hub.journal.trust()).keys, TrustedKey(witness.public, Role.WITNESS, witness.name)))
    (tmp_path / "trust.json").write_bytes(dump_trust(trusted))
    verify = ["verify", tmp_path / "evidence.json", "--trust", tmp_path / "trust.json", "--witnesses"]
    assert "✔ Trusted" in shell(*verify, 1).out
    assert "1 of 2 required witnesses" in shell(*verify, 2).refused(status=1)


def test_operator_who_lies(shell: Shell, hub: Hub, key: str) -> None:
    """A rewritten log is said in plain words with status 1, and anybody can judge the file that is kept."""
    shell("witness", "add", hub.url, "--key", key)
    operator = Operator(hub.folder)
    leaves = operator.leaves()
    operator.rewrite([*leaves[:4], leaves[0], leaves[1]])
    for verb in (["check"], ["run", "--once"], ["run"]):
        done = shell("witness", *verb)
        assert (done.status, "rewrote its history" in done.out) == (1, True)
    (file,) = (shell.home / "witness" / "contradictions").iterdir()
    judged = shell("witness", "judge", file, "--key", key)
    assert (judged.status, judged.out.startswith("✖ Proven: ")) == (1, True)
    assert "name the one you know" in shell("witness", "judge", file).out
    assert shell("witness", "judge", file).status == 2
    operator.rewrite(leaves)
    assert shell("witness", "check").status == 0
    operator.rewrite(leaves[:3])
    assert "took back entries: it showed 5 before and now shows 3" in shell("witness", "check").out
    (other,) = set((shell.home / "witness" / "contradictions").iterdir()) - {file}
    judged = shell("witness", "judge", other, "--key", key)
    assert (judged.status, "? Not proven" in judged.out) == (2, True)


def test_split_view(shell: Shell, hub: Hub, key: str, tmp_path: Path) -> None:
    """Two witnesses who were shown different histories find out when they compare their checkpoints."""
    files = []
    with second_history(hub, tmp_path / "second", range(1, 9)) as second:
        for number, journal in enumerate((hub.journal, second)):
            shell.set(HALLMARKED_HOME=str(tmp_path / f"home{number}"))
            with as_served(journal) as url:
                assert shell("witness", "add", url, "--key", key).status == 0
            files.append(shell("witness", "list").out.split()[-1])
        with as_served(hub.journal) as url:  # the second one's witness looks at it through somebody else's eyes
            assert shell("witness", "compare", *files).status == 1
            assert "does not continue" in shell("witness", "compare", *files).out
        (proof,) = (tmp_path / "home1" / "witness" / "contradictions").iterdir()
        assert shell("witness", "judge", proof, "--key", key).status == 1
        hub.journal.attest([make_statement(number) for number in range(50, 53)])
        shell.set(HALLMARKED_HOME=str(tmp_path / "home2"))
        with as_served(hub.journal) as url:
            shell("witness", "add", url, "--key", key)
        files[0] = shell("witness", "list").out.split()[-1]
        assert "two different histories of 8 entries" in shell("witness", "compare", *files).out


def test_checkpoints_of_one_history(shell: Shell, hub: Hub, key: str, tmp_path: Path) -> None:
    """Older and newer checkpoints of an honest log agree, also for somebody who watches nothing."""
    journal, files = hub.journal, []
    for number in range(4):
        (tmp_path / f"c{number}").write_text(journal.checkpoint())
        files.append(tmp_path / f"c{number}")
        journal.attest([make_statement(number)])
    assert "name the key" in shell("witness", "compare", *files).refused()
    assert shell("witness", "compare", *files, "--key", key, "--url", hub.url).status == 0
    unknown = shell("witness", "compare", *files, "--key", key)
    assert (unknown.status, "say with --url" in unknown.out) == (2, True)
    assert shell("witness", "compare", files[0], "--key", key).status == 2
    (tmp_path / "c0").write_text("nonsense")
    assert shell("witness", "compare", *files, "--key", key).status == 1


def test_strangers(shell: Shell, hub: Hub, key: str) -> None:
    """A log of another key, no key, and something that is no log are not watched."""
    name, _, rest = key.partition("+")
    assert "name the log's key" in shell("witness", "add", hub.url).refused()
    assert "not a verifier key" in shell("witness", "add", hub.url, "--key", "ab").refused(status=1)
    other = f"other.{name}+{rest}"
    assert "does not have the id" in shell("witness", "add", hub.url, "--key", other).refused(status=1)
    assert "no log is watched yet" in shell("witness", "check").refused()
    with serve(lambda _path: (200, {}, b"<html>")) as url:
        assert "not the one of that key" in shell("witness", "add", url, "--key", key).refused(status=1)
    with serve(lambda _path: (404, {}, b"")) as url:
        assert "there is no log at" in shell("witness", "add", url, "--key", key).refused()
    assert "cannot reach" in shell("witness", "add", url, "--key", key).refused()


def test_log_that_cannot_be_looked_at(shell: Shell, hub: Hub, key: str) -> None:
    """A log that is down, or holds back its hashes, accuses nobody; hashes that are made up do."""
    shell("witness", "add", hub.url, "--key", key)
    hub.journal.attest([make_statement(9)])
    changes: dict[str, Callable[[str, bytes], bytes]] = {
        "tile": lambda path, data: b"" if "/tile/" in path else data,
        "key": lambda path, data: data.replace(b"\n6\n", b"\n7\n"),
        "lie": lambda path, data: bytes(len(data)) if "/tile/" in path else data,
    }
    said = {}
    for name, change in changes.items():
        with as_served(hub.journal, change) as url:
            rows = {"logs": [{"url": url, "keys": [key]}]}
            (shell.home / "witness" / "logs.json").write_text(json.dumps(rows))
            said[name] = shell("witness", "check")
    down = shell("witness", "check")
    assert (down.status, "could not be looked at: cannot reach" in down.out) == (2, True)
    assert (said["tile"].status, "does not hand out all hashes" in said["tile"].out) == (2, True)
    assert (said["key"].status, "is not valid" in said["key"].out) == (1, True)
    assert (said["lie"].status, "serves hashes that do not give the checkpoint" in said["lie"].out) == (1, True)


def test_log_that_claims_to_be_endless(shell: Shell, hub: Hub, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that claims to have grown beyond measure is not followed for ever."""
    monkeypatch.setattr("hallmarked.ledger.watch.MOST_NEW", 4)
    done = shell("witness", "add", hub.url, "--key", key)
    assert (done.status, "claims 5 new entries, which is more than can be looked at" in done.out) == (2, True)
    assert shell("witness", "list").out == ""


@pytest.mark.parametrize("grow", [False, True])
@pytest.mark.parametrize("damage", ["changed", "lost"])
def test_damaged_memory(shell: Shell, hub: Hub, key: str, damage: str, grow: bool) -> None:
    """A witness whose kept hashes were damaged gets them again, and never accuses a log for its own fault."""
    shell("witness", "add", hub.url, "--key", key)
    (tile,) = (shell.home / "witness").glob("*/tile/0/000")

    def harm() -> None:
        tile.write_bytes(bytes(160))
        if damage == "lost":
            tile.unlink()

    harm()
    if grow:
        hub.journal.attest([make_statement(9)])
    done = shell("witness", "check")
    assert (done.status, "holds" in done.out) == (0, True)
    assert tile.read_bytes() == hub.journal.tile(0, 0, 6 if grow else 5)
    harm()
    operator = Operator(hub.folder)
    leaves = operator.leaves()
    operator.rewrite(leaves[:2])
    assert shell("witness", "check").status == 2
    assert not list((shell.home / "witness").glob("contradictions/*"))
    operator.rewrite([*leaves[::-1], b"more", b"more"])
    assert shell("witness", "check").status == 1
    (file,) = (shell.home / "witness").glob("contradictions/*")
    assert shell("witness", "judge", file, "--key", key).status == 1


def test_files_that_prove_nothing(shell: Shell, hub: Hub, key: str, tmp_path: Path) -> None:
    """A file that does not show a contradiction is refused, whoever made it."""
    shell("witness", "add", hub.url, "--key", key)
    operator = Operator(hub.folder)
    leaves = operator.leaves()
    operator.rewrite([*leaves[:4], leaves[0], leaves[1]])
    shell("witness", "check")
    (file,) = (shell.home / "witness" / "contradictions").iterdir()
    good = json.loads(file.read_text())
    for change, words in (
        ({"second": good["first"]}, "say the same"),
        ({"kind": "split"}, "different sizes"),
        ({"kind": "unproven"}, "nobody signed"),
        ({"kind": "other"}, "not a proof"),
        ({"hashes": good["hashes"][:-1]}, "too short"),
        ({"hashes": [*good["hashes"], good["hashes"][0]]}, "too long"),
        ({"hashes": good["hashes"][::-1]}, "do not belong"),
        ({"hashes": ["AAAA"]}, "not a SHA-256"),
        ({"first": good["first"].replace("\n5\n", "\n4\n")}, "not valid"),
        ({"more": 1}, "no unknown ones"),
    ):
        (tmp_path / "x.json").write_text(json.dumps({**good, **change}))
        assert words in shell("witness", "judge", tmp_path / "x.json", "--key", key).refused(status=1)
    stranger = "other.example.org/log" + "+" + key.partition("+")[2]
    assert shell("witness", "judge", file, "--key", stranger).status == 1


def test_witness_stops_when_told(shell: Shell, hub: Hub, key: str) -> None:
    """A witness that runs looks again and again, and ends cleanly when it is asked to."""
    shell("witness", "add", hub.url, "--key", key)
    command = [sys.executable, "-m", "hallmarked", "witness", "run", "--interval", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ}, bufsize=1) as running:
        assert running.stdout is not None
        timer = threading.Timer(60, running.kill)
        timer.start()
        assert "as before" in running.stdout.readline()
        hub.journal.attest([make_statement(7)])
        assert "6 entries, 1 more than before" in running.stdout.readline()
        running.send_signal(signal.SIGTERM)
        assert running.wait() == 0
        timer.cancel()


def test_witness_without_a_name(shell: Shell, hub: Hub, key: str) -> None:
    """A name that could not stand in a signature is refused."""
    assert "not a name for a witness" in shell("witness", "add", hub.url, "--key", key, "--name", "a b").refused()
