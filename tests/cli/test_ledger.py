"""``hallmarked ledger`` as a user meets it."""

from __future__ import annotations

import base64
import json
import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from hallmarked.ledger.checkpoint import Checkpoint
from hallmarked.ledger.ledger import Ledger
from hallmarked.ledger.merkle import leaf_hash, root_from_inclusion, verify_consistency
from hallmarked.ledger.note import sign_note
from hallmarked.ledger.proof import read_proof
from hallmarked.ledger.tile import read_entries
from hallmarked.ledger.trust import load_trust
from hallmarked.ledger.verify import verify_bundle
from hallmarked.ledger.witness import read_request
from tests.cli.support import Shell
from tests.ledger.support import NOW, STRANGER, make_statement

ALL = (
    ["log"],
    ["check"],
    ["checkpoint"],
    ["prove", "0"],
    ["export", "0"],
    ["export", "--subject", "ab" * 32],
    ["consistency", "0"],
    ["tiles", "DIR"],
)
"""Every verb, with arguments that fit a log of one entry or more."""

by_verb = pytest.mark.parametrize("verb", ALL, ids=[verb[0] for verb in ALL])


def fill(shell: Shell, *counts: int, secret: bytes | None = None) -> None:
    """Log so many statements in each commit."""
    with Ledger.open(shell.home, name="Example Lab") as ledger:
        for count in counts:
            start = ledger.log.size
            statements = [make_statement(number) for number in range(start, start + count)]
            ledger.attest(statements, time=NOW, blind_secret=secret)


def root(note: str) -> bytes:
    return base64.b64decode(note.split("\n")[2])


def arguments(verb: list[str], folder: Path) -> list[str]:
    return [str(folder / "published") if word == "DIR" else word for word in verb]


def test_log_lists_entries(shell: Shell) -> None:
    """Each entry is one line with index, time, kind, subject and key; the last ones can be asked for."""
    fill(shell, 12)
    key = shell("key", "show").out[:16]
    lines = shell("ledger", "log").out.splitlines()
    digest = make_statement(3).subjects[0].digest["dirHash"]
    assert lines[3].split() == ["3", "2026-11-21", "12:00:00", key, "test-result/v0.1", f"dirHash:{digest}"]
    assert len({line.index("dirHash") for line in lines}) == 1
    assert shell("ledger", "log", "--last", 2).out.splitlines() == lines[-2:]
    assert shell("ledger", "log", "--last", 99).out.splitlines() == lines


def test_log_as_json_lines(shell: Shell) -> None:
    """Programs get one object per entry."""
    fill(shell, 2)
    rows = [json.loads(line) for line in shell("ledger", "log", "--format", "json").out.splitlines()]
    assert [row["index"] for row in rows] == [0, 1]
    assert rows[0]["time"] == "2026-11-21T12:00:00Z"
    assert rows[0]["predicateType"] == make_statement().predicate_type
    assert rows[0]["subjects"] == [f"dirHash:{make_statement(0).subjects[0].digest['dirHash']}"]
    assert rows[0]["keyid"] == shell("key", "show").out.split()[0]


def test_blinded_entries_stay_hidden(shell: Shell) -> None:
    """What an entry hides is not shown."""
    fill(shell, 1, secret=b"secret")
    assert "(hidden)" in shell("ledger", "log").out
    row = json.loads(shell("ledger", "log", "--format", "json").out)
    assert (row["predicateType"], row["subjects"]) == (None, None)


def test_check_of_a_whole_log(shell: Shell) -> None:
    """A log in order passes its check."""
    fill(shell, 3, 4)
    done = shell("ledger", "check")
    assert (done.status, done.out.endswith("holds: 7 entries\n")) == (0, True)


def test_check_lists_every_fault(shell: Shell) -> None:
    """Every fault is a line of its own, and the status is 1."""
    fill(shell, 3)
    with sqlite3.connect(shell.home / "log.sqlite3") as database:
        database.execute('UPDATE envelope SET body = CAST(replace(body, \'"sig":"\', \'"sig":"AAAA\') AS BLOB)')
    database.close()
    done = shell("ledger", "check")
    assert done.status == 1
    assert sum(line.startswith("✖ entry ") for line in done.out.splitlines()) == 3
    assert done.out.splitlines()[-1].startswith("3 faults in the log ")


def test_proof_holds_under_the_checkpoint(shell: Shell) -> None:
    """The proof leads from the record inside it to the checkpoint's root."""
    fill(shell, 5)
    proof = read_proof(shell("ledger", "prove", 3).out)
    assert proof.extra is not None
    assert proof.checkpoint == shell("ledger", "checkpoint").out
    assert root_from_inclusion(3, 5, leaf_hash(proof.extra), proof.path) == root(proof.checkpoint)


@pytest.mark.parametrize(("extra", "size"), [([], 9), (["7"], 7), (["3"], 3)])
def test_consistency_proof_holds(shell: Shell, extra: list[str], size: int) -> None:
    """The proof leads from an old checkpoint to the newest, or to the one that was asked for."""
    fill(shell, 3)
    first = shell("ledger", "checkpoint").out
    fill(shell, 4, 2)
    old, path, note = read_request(shell("ledger", "consistency", 3, *extra).out.encode())
    assert (old, note.split("\n")[1]) == (3, str(size))
    verify_consistency(3, size, root(first), root(note), path)


def test_export_of_entries(shell: Shell, tmp_path: Path) -> None:
    """Evidence of chosen entries verifies, printed or written."""
    fill(shell, 5)
    trust = load_trust((shell.home / "trust.json").read_bytes())
    printed = shell("ledger", "export", 4, 1, 4)
    verified = verify_bundle(printed.out.encode(), trust)
    assert (verified.trusted, [entry.index for entry in verified.entries]) == (True, [1, 4])
    done = shell("ledger", "export", 1, 4, "-o", tmp_path / "new" / "evidence.json")
    assert (done.status, done.out) == (0, "")
    assert (tmp_path / "new" / "evidence.json").read_bytes() == printed.out.encode()


@pytest.mark.parametrize("name", ["", "dirHash:"])
def test_export_by_subject(shell: Shell, name: str) -> None:
    """All statements about one digest are found, also the ones whose entry hides it."""
    fill(shell, 3)
    with Ledger.open(shell.home) as ledger:
        ledger.attest([make_statement(1)], time=NOW, blind_secret=b"secret")
    digest = make_statement(1).subjects[0].digest["dirHash"]
    done = shell("ledger", "export", "--subject", name + digest)
    assert [entry.index for entry in verify_bundle(done.out.encode()).entries] == [1, 3]


def test_published_log_grows(shell: Shell, tmp_path: Path) -> None:
    """The static files hold every entry, and a later run adds to them."""
    site = tmp_path / "site"
    for count, total in ((3, 3), (300, 303)):
        fill(shell, count)
        assert shell("ledger", "tiles", site).status == 0
        assert (site / "checkpoint").read_text() == shell("ledger", "checkpoint").out
        bundles = [f"000.p/{total}"] if total < 256 else ["000", f"001.p/{total - 256}"]
        entries = [entry for name in bundles for entry in read_entries((site / "tile/entries" / name).read_bytes())]
        hashes = b"".join((site / "tile/0" / name).read_bytes() for name in bundles)
        assert len(entries) == total
        assert hashes == b"".join(map(leaf_hash, entries))
    assert not list(site.rglob(".*"))


def test_other_folders_are_not_published_into(shell: Shell, tmp_path: Path) -> None:
    """A folder with something else, or with another log, stays as it is."""
    fill(shell, 1)
    site = tmp_path / "site"
    site.mkdir()
    (site / "index.html").write_text("mine")
    assert "not a published log" in shell("ledger", "tiles", site).refused()
    (site / "checkpoint").write_text("log.example.org/other\n1\n")
    assert "does not hold an earlier state" in shell("ledger", "tiles", site).refused()
    text = str(Checkpoint("log.example.org/other", 1, bytes(32)))
    (site / "checkpoint").write_text(sign_note(text, "log.example.org/other", STRANGER))
    assert "another log" in shell("ledger", "tiles", site).refused()
    assert sorted(path.name for path in site.iterdir()) == ["checkpoint", "index.html"]
    assert "exists" in shell("ledger", "tiles", site / "index.html").refused()


def test_a_published_log_never_goes_back(shell: Shell, tmp_path: Path) -> None:
    """A restored or rewritten log does not replace what others may have seen."""
    site, copy = tmp_path / "site", tmp_path / "copy"
    fill(shell, 2)
    shutil.copytree(shell.home, copy)
    fill(shell, 2)
    assert shell("ledger", "tiles", site).status == 0
    published = {path: path.read_bytes() for path in site.rglob("*") if path.is_file()}
    shell.set(HALLMARKED_HOME=str(copy))
    assert "has a later state of the log, of 4 entries" in shell("ledger", "tiles", site).refused()
    with Ledger.open(copy) as ledger:
        ledger.attest([make_statement(number) for number in (7, 8, 9)], time=NOW)
    assert "does not hold an earlier state" in shell("ledger", "tiles", site).refused()
    assert {path: path.read_bytes() for path in site.rglob("*") if path.is_file()} == published


def test_reading_needs_no_key(shell: Shell, tmp_path: Path) -> None:
    """Every verb works without the private keys."""
    shell.set(HALLMARKED_PASSPHRASE="right")
    with Ledger.open(shell.home, passphrase="right") as ledger:
        ledger.attest([make_statement(0, subject="ab" * 32)], time=NOW)
    shell.set(HALLMARKED_PASSPHRASE=None)
    for name in ("maker.pem", "log.pem"):
        (shell.home / name).unlink()
    for verb in ALL:
        assert shell("ledger", *arguments(verb, tmp_path)).status == 0, verb


@by_verb
def test_missing_ledger(shell: Shell, tmp_path: Path, verb: list[str]) -> None:
    """Where no log is, none is made."""
    assert "there is no log" in shell("ledger", *arguments(verb, tmp_path)).refused()
    assert list(tmp_path.iterdir()) == []


@by_verb
@pytest.mark.parametrize("content", [b"", b"plain text " * 500, b"SQLite format 3\x00" + bytes(4080)])
def test_something_else_than_a_log(shell: Shell, tmp_path: Path, verb: list[str], content: bytes) -> None:
    """A file that is no log is named as such and left alone."""
    shell.home.mkdir()
    (shell.home / "log.sqlite3").write_bytes(content)
    shell("ledger", *arguments(verb, tmp_path)).refused()
    assert (shell.home / "log.sqlite3").read_bytes() == content


@by_verb
def test_log_with_a_damaged_checkpoint(shell: Shell, tmp_path: Path, verb: list[str]) -> None:
    """Entries can still be listed; nothing that rests on the checkpoint is handed out."""
    fill(shell, 2)
    with sqlite3.connect(shell.home / "log.sqlite3") as database:
        database.execute("UPDATE checkpoint SET note = 'garbage'")
    database.close()
    done = shell("ledger", *arguments(verb, tmp_path))
    if verb[0] == "check":
        assert (done.status, "not a signed note" in done.out) == (1, True)
    elif verb[0] == "log":
        assert done.status == 0
    else:
        done.refused()


@by_verb
def test_log_with_lost_entries(shell: Shell, tmp_path: Path, verb: list[str]) -> None:
    """An entry that was cut out is missed by all who need it."""
    fill(shell, 2)
    with sqlite3.connect(shell.home / "log.sqlite3") as database:
        database.execute("DELETE FROM leaf WHERE idx = 0")
    database.close()
    done = shell("ledger", *arguments(verb, tmp_path))
    if verb[0] in {"checkpoint", "consistency"}:
        assert done.status == 0
    else:
        assert (done.status, "Traceback" in done.err) == (1 if verb[0] == "check" else 2, False)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["prove", "2"], "the log of size 2 has no entry 2"),
        (["export", "0", "7"], "the log of size 2 has no entry 7"),
        (["export"], "name either entries or a --subject"),
        (["export", "0", "--subject", "ab"], "name either entries or a --subject"),
        (["export", "--subject", ""], "digests are compared whole"),
        (["export", "--subject", "abcd"], "digests are compared whole"),
        (["consistency", "3"], "a log of size 2 does not extend one of size 3"),
        (["consistency", "0", "1"], "signed no checkpoint over 1 entries"),
    ],
)
def test_what_is_not_there(shell: Shell, arguments: list[str], sentence: str) -> None:
    """Entries, digests and checkpoints that the log does not have are named in one sentence."""
    fill(shell, 2)
    assert sentence in shell("ledger", *arguments).refused()


@pytest.mark.parametrize("arguments", [["prove", "-1"], ["prove", "x"], ["log", "--last", "0"], ["consistency"]])
def test_arguments_that_are_no_numbers(shell: Shell, arguments: list[str]) -> None:
    """What is no index or size is a usage error."""
    assert shell("ledger", *arguments).status == 2


def test_export_overwrites_nothing(shell: Shell, tmp_path: Path) -> None:
    """A file that is there already stays."""
    fill(shell, 1)
    (tmp_path / "mine").write_text("kept")
    assert "nothing is overwritten" in shell("ledger", "export", 0, "-o", tmp_path / "mine").refused()
    assert (tmp_path / "mine").read_text() == "kept"
    assert "cannot write" in shell("ledger", "export", 0, "-o", tmp_path / "mine" / "x.json").refused()


def test_export_without_trust_file_or_envelope(shell: Shell) -> None:
    """Evidence that nobody could verify is not handed out."""
    fill(shell, 2)
    with Ledger.open(shell.home) as ledger:
        ledger.log.erase(ledger.log.receipt(0).envelope)
    assert "was erased" in shell("ledger", "export", 0).refused()
    assert "1 with an erased envelope" in shell("ledger", "check").out
    (shell.home / "trust.json").write_text("{}")
    assert "cannot be used" in shell("ledger", "export", 1).refused()
    (shell.home / "trust.json").unlink()
    assert "there is no trust file" in shell("ledger", "export", 1).refused()


def test_locked_log(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another program holds the log, reading goes on and signing ends in one sentence."""
    fill(shell, 1)
    monkeypatch.setattr("hallmarked.ledger.sqlite.PATIENCE", 0.1)
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "README.md").write_text("# m")
    other = sqlite3.connect(shell.home / "log.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        assert shell("ledger", "log").status == 0
        done = shell("audit", tmp_path / "m", "--check", "inventory")
        assert (done.status, "in use by another program" in done.err) == (2, True)
    finally:
        other.close()
    assert not (tmp_path / "m.hallmarked").exists()


def test_log_of_an_older_layout(shell: Shell) -> None:
    """A log whose tables another version made is refused in one sentence by every command that opens it."""
    assert shell("key", "show").status == 0
    with closing(sqlite3.connect(shell.home / "log.sqlite3")) as database:
        database.execute("ALTER TABLE log RENAME COLUMN name TO origin")
        database.commit()
    for arguments in (["ledger", "check"], ["key", "show"], ["audit", "."]):
        sentence = shell(*arguments).refused()
        assert "was written by another version of hallmarked, or is damaged" in sentence
    with closing(sqlite3.connect(shell.home / "log.sqlite3")) as database:
        database.execute("PRAGMA user_version=7")
    sentence = shell("ledger", "log").refused()
    assert "was written by another version of hallmarked (layout 7, not 1)" in sentence
    assert "move it away to begin a new one" in sentence
    assert "no such file" in shell("audit", "nowhere").refused(), "what was typed wrong is told of first"


def test_import_of_evidence(shell: Shell, tmp_path: Path) -> None:
    """Statements others signed are logged here once, as theirs, and can be handed on."""
    fill(shell, 3)
    trust, evidence = shell.home / "trust.json", tmp_path / "evidence.json"
    shell("ledger", "export", 0, 2, "-o", evidence)
    keys = [*shell.keys()]
    shell.set(HALLMARKED_HOME=str(tmp_path / "mine"))
    assert "is not among those you trust" in shell("ledger", "import", evidence).refused()
    done = shell("ledger", "import", evidence, *keys)
    assert (done.status, done.out, done.err) == (0, "0\n1\n", "2 statements taken over\n")
    assert shell("ledger", "import", evidence, "--trust", trust).out == ""
    assert shell("ledger", "check").status == 0
    assert "not among the keys to put in" in shell("ledger", "export", 0).refused()
    handed_on = shell("ledger", "export", 0, 1, "--trust", trust).out.encode()
    theirs = load_trust(trust.read_bytes())
    verified = verify_bundle(handed_on, theirs)
    assert [entry.signer for entry in verified.entries] == ["Example Lab", "Example Lab"]
    assert verified.checkpoint.size == 2


def test_import_keeps_what_is_hidden(shell: Shell, tmp_path: Path) -> None:
    """What others hid in their log stays hidden in this one."""
    fill(shell, 1, secret=b"secret")
    shell("ledger", "export", 0, "-o", tmp_path / "evidence.json")
    trust = shell.home / "trust.json"
    shell.set(HALLMARKED_HOME=str(tmp_path / "mine"))
    assert shell("ledger", "import", tmp_path / "evidence.json", "--trust", trust).out == "0\n"
    assert "(hidden)" in shell("ledger", "log").out


def test_import_of_broken_evidence(shell: Shell, tmp_path: Path) -> None:
    """Evidence that does not verify changes nothing, and makes no log."""
    fill(shell, 2)
    data = shell("ledger", "export", 0, 1).out
    (tmp_path / "evidence.json").write_text(data.replace('"index 1', '"index 0').replace("index 1\\n", "index 0\\n"))
    (tmp_path / "cut.json").write_text(data[:500])
    trust = shell.home / "trust.json"
    shell.set(HALLMARKED_HOME=str(tmp_path / "mine"))
    assert "entry twice" in shell("ledger", "import", tmp_path / "evidence.json", "--trust", trust).refused(status=1)
    assert "cut off after 500 bytes" in shell("ledger", "import", tmp_path / "cut.json", "--trust", trust).refused(1)
    assert shell("ledger", "log").out == ""


def test_import_under_a_key_that_ended(shell: Shell, tmp_path: Path) -> None:
    """Statements whose key does not speak for today are not logged under today's date."""
    fill(shell, 1)
    shell("ledger", "export", 0, "-o", tmp_path / "evidence.json")
    with Ledger.open(shell.home) as ledger:
        ledger.rotate_key(NOW + timedelta(hours=1))
    trust = shell.home / "trust.json"
    shell.set(HALLMARKED_HOME=str(tmp_path / "mine"))
    shell.at(NOW + timedelta(hours=2))
    assert "was valid only until" in shell("ledger", "import", tmp_path / "evidence.json", "--trust", trust).refused()
