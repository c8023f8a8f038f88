"""The hub's ledger."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hallmarked.core.errors import Forbidden, InputError, NotFound
from hallmarked.hub.journal import Journal
from hallmarked.ledger.checkpoint import read_checkpoint
from hallmarked.ledger.leaf import read_leaf
from hallmarked.ledger.ledger import Ledger
from hallmarked.ledger.note import open_note, read_note_key, split_note
from hallmarked.ledger.tile import read_entries
from hallmarked.ledger.trust import Role, load_trust
from hallmarked.ledger.verify import verify_bundle
from tests.hub.evidence import any_statement
from tests.ledger.support import make_statement

WRITER = Path(__file__).with_name("journal_writer.py")


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str | None:
    return None if request.param == "sqlite" else request.getfixturevalue("postgres_url")


@pytest.fixture
def journal(tmp_path: Path, url: str | None) -> Iterator[Journal]:
    with Journal.open(tmp_path / "ledger", url=url, name="Example Hub", address="https://hub.example.org/") as made:
        yield made


def digest_of(number: int) -> str:
    return f"sha256:{any_statement(number).subjects[0].digest['sha256']}"


def test_evidence_about_a_digest(journal: Journal) -> None:
    """What was attested about a digest comes back as a file that the hub's own trust file vouches for."""
    journal.attest([any_statement(0), any_statement(1)])
    journal.attest([any_statement(1)])
    trust = load_trust(journal.trust(), load_trust(journal.trust()).keys[0].public)
    verified = verify_bundle(journal.bundle([digest_of(1)]), trust)
    assert [entry.index for entry in verified.entries] == [1, 2]
    assert verified.trusted
    assert {(key.role, key.name) for key in trust.keys} == {
        (Role.HUB, "Example Hub"),
        (Role.LOG, "hub.example.org/ledger"),
    }
    assert [key.keyid for key in trust.keys if key.role is Role.HUB] == [journal.keyid]
    with pytest.raises(NotFound, match="no evidence"):
        journal.bundle([digest_of(7)])
    assert journal.attest([]) == []


def test_pages_of_entries(journal: Journal) -> None:
    """Entries are listed a page at a time."""
    assert (journal.size, journal.leaves(0, 10)) == (0, [])
    journal.attest([any_statement(number) for number in range(5)])
    page = journal.leaves(3, 10)
    assert ([index for index, _ in page], journal.size) == ([3, 4], 5)
    assert page[0][1].subjects == (digest_of(3),)
    assert [index for index, _ in journal.leaves(1, 2)] == [1, 2]


def test_log_is_named_after_the_hub(journal: Journal) -> None:
    """The checkpoint is a note of that name, by the key that witnesses are given."""
    journal.attest([any_statement(0)])
    key = read_note_key(journal.verifier_key())
    text, signed = open_note(journal.checkpoint(), [key])
    assert (key.name, list(signed), read_checkpoint(text).size) == ("hub.example.org/ledger", [key], 1)


def test_hidden_statements(journal: Journal) -> None:
    """A hidden statement is found by those who know its digest, and nobody reads of it in the public part."""
    journal.attest([any_statement(0)])
    journal.attest([any_statement(1)], hidden=True)
    assert journal.find([digest_of(1)]) == [1]
    assert verify_bundle(journal.bundle([digest_of(1)])).entries[0].blinded
    leaves = read_entries(journal.tile(None, 0, 2))
    assert (read_leaf(leaves[1]).subjects, read_leaf(leaves[1]).predicate_type) == ((), None)
    assert digest_of(1).encode() not in leaves[1]
    assert b'"payload"' in journal.envelope(0)
    with pytest.raises(Forbidden, match="not public"):
        journal.envelope(1)
    with pytest.raises(NotFound):
        journal.envelope(2)


def test_erased_statements(journal: Journal) -> None:
    """What was erased is in no bundle any more, cannot be read, and cannot be found by its digest; the log holds."""
    journal.attest([any_statement(0)], hidden=True)
    journal.attest([any_statement(1), any_statement(1)])
    journal.erase(0)
    journal.erase(1)
    assert journal.find([digest_of(0)]) == []
    assert journal.find([digest_of(1)]) == [1, 2]
    with pytest.raises(NotFound, match="erased"):
        journal.envelope(1)
    with pytest.raises(NotFound):
        journal.erase(9)
    with pytest.raises(NotFound):
        journal.bundle([digest_of(1)])  # the same statement twice has one envelope
    assert journal.check().faults == ()
    assert journal.check().erased == 3


@pytest.mark.parametrize("place", [(0, 0, 4), (None, 0, 4), (0, 1, 1), (None, 1, 256), (1, 0, 1), (5, 0, 1)])
def test_tiles_that_are_not_there(journal: Journal, place: tuple[int | None, int, int]) -> None:
    """A tile that reaches beyond the log is not there."""
    journal.attest([any_statement(number) for number in range(3)])
    assert len(journal.tile(0, 0, 3)) == 96
    assert len(read_entries(journal.tile(None, 0, 3))) == 3
    with pytest.raises(NotFound):
        journal.tile(*place)


def test_threads_share_a_journal(journal: Journal) -> None:
    """Statements that many threads hand in at once are all logged, and those of one call stand side by side."""
    with ThreadPoolExecutor(8) as pool:
        batches = list(
            pool.map(lambda n: journal.attest([any_statement(n * 3 + part) for part in range(3)]), range(40))
        )
    for batch in batches:
        assert [receipt.index - batch[0].index for receipt in batch] == [0, 1, 2]
    assert sorted(receipt.index for batch in batches for receipt in batch) == list(range(120))
    assert journal.check().faults == ()
    sizes = {read_checkpoint(split_note(receipt.checkpoint)[0]).size for batch in batches for receipt in batch}
    assert len(sizes) < 40


def test_processes_share_a_journal(tmp_path: Path, url: str | None) -> None:
    """Processes that open one ledger at the same time, the first of all, use the same keys and the same log."""
    command = [sys.executable, str(WRITER), str(tmp_path / "ledger"), url or ""]
    writers = [subprocess.Popen([*command, str(seed)], stdout=subprocess.PIPE, text=True) for seed in range(3)]
    indexes = [int(line) for writer in writers for line in writer.communicate(timeout=60)[0].split()]
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    assert sorted(indexes) == list(range(120))
    with Journal.open(tmp_path / "ledger", url=url) as journal:
        assert journal.check().faults == ()
        digests = [make_statement(seed * 1000 + 7).subjects[0].digest["dirHash"] for seed in range(3)]
        assert all(journal.find([f"dirHash:{digest}"]) for digest in digests)


def test_statements_that_cannot_be_signed(journal: Journal) -> None:
    """A statement that is no JSON is refused, and nothing of its batch is logged."""
    broken = any_statement(0)
    broken.predicate["value"] = float("nan")  # type: ignore[index]
    with pytest.raises(InputError):
        journal.attest([any_statement(1), broken])
    assert journal.find([digest_of(1)]) == []


def test_rotated_key(tmp_path: Path, url: str | None) -> None:
    """After the hub's key was rotated, evidence old and new verifies under the trust file it hands out."""
    with Journal.open(tmp_path / "ledger", url=url) as journal:
        journal.attest([any_statement(0)])
    with Ledger.open(tmp_path / "ledger", url=url) as ledger:
        ledger.rotate_key(datetime.now(UTC).replace(microsecond=0))
    with Journal.open(tmp_path / "ledger", url=url) as journal:
        journal.attest([any_statement(0)])
        keys = load_trust(journal.trust()).keys
        newest = next(key for key in keys if key.role is Role.HUB and key.not_after is None)
        assert (newest.keyid, len(keys)) == (journal.keyid, 3)
        assert verify_bundle(journal.bundle([digest_of(0)]), load_trust(journal.trust(), newest.public)).trusted
