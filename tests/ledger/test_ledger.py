"""The ledger folder: sign, log, export."""

from __future__ import annotations

import json
import stat
from datetime import timedelta
from pathlib import Path

import jsonschema
import pytest

from hallmarked.core.errors import BackendError, InputError, NotFound, VerificationError
from hallmarked.core.evidence import Statement, Subject
from hallmarked.ledger.bundle import export_bundle, import_bundle, schema
from hallmarked.ledger.key import load_key
from hallmarked.ledger.ledger import Ledger
from hallmarked.ledger.trust import Trust, dump_trust, load_trust, revoke
from hallmarked.ledger.verify import verify_bundle
from tests.ledger.support import MAKER, NOW, TEST_RESULT, TRUST, fill_log, make_entry, make_statement, open_log


def test_attest_export_verify(tmp_path: Path) -> None:
    """What is attested can be exported and verified with nothing but the bytes and the trust file."""
    with Ledger.open(tmp_path / "ledger", name="Example Lab") as ledger:
        receipts = ledger.attest([make_statement(i) for i in range(5)], time=NOW)
        data = ledger.export_bundle(receipts)
    trust = load_trust((tmp_path / "ledger/trust.json").read_bytes())
    verified = verify_bundle(data, trust)
    assert verified.trusted
    assert [entry.index for entry in verified.entries] == [0, 1, 2, 3, 4]
    assert [entry.statement for entry in verified.entries] == [make_statement(i).to_dict() for i in range(5)]
    assert {(entry.signer, entry.predicate_type, entry.time) for entry in verified.entries} == {
        ("Example Lab", TEST_RESULT, NOW)
    }


def test_reopened_ledger_goes_on(tmp_path: Path) -> None:
    """A reopened ledger keeps its keys, its log and its name."""
    with Ledger.open(tmp_path / "l") as ledger:
        ledger.attest([make_statement(0)], time=NOW)
        before = ledger.log.origin, ledger.key.keyid
    with Ledger.open(tmp_path / "l", create=False) as ledger:
        assert (ledger.log.origin, ledger.key.keyid) == before
        assert ledger.attest([make_statement(1)], time=NOW)[0].index == 1


def test_ledger_files_are_private(tmp_path: Path) -> None:
    """Keys can be read by their owner only."""
    Ledger.open(tmp_path / "l").close()
    assert {stat.S_IMODE((tmp_path / "l" / name).stat().st_mode) for name in ("maker.pem", "log.pem")} == {0o600}


def test_missing_ledger_is_not_made(tmp_path: Path) -> None:
    """Without ``create`` a missing ledger is an error and nothing is written."""
    with pytest.raises(NotFound):
        Ledger.open(tmp_path / "none", create=False)
    assert not (tmp_path / "none").exists()


def test_passphrase(tmp_path: Path) -> None:
    """A ledger made with a passphrase opens only with it."""
    Ledger.open(tmp_path / "l", passphrase="correct horse").close()
    for wrong in (None, "wrong"):
        with pytest.raises(InputError):
            Ledger.open(tmp_path / "l", passphrase=wrong)
    Ledger.open(tmp_path / "l", passphrase="correct horse").close()


def test_rotated_key(tmp_path: Path) -> None:
    """After rotation both old and new evidence verifies, and the old key speaks for nothing later."""
    with Ledger.open(tmp_path / "l") as ledger:
        old = ledger.key
        first = ledger.attest([make_statement(0)], time=NOW)
        new = ledger.rotate_key(NOW + timedelta(hours=1))
        second = ledger.attest([make_statement(1)], time=NOW + timedelta(hours=2))
        assert verify_bundle(ledger.export_bundle([*first, *second]), ledger.trust).trusted
        ledger.key = old
        with pytest.raises(InputError, match="open the ledger again"):
            ledger.attest([make_statement(2)], time=NOW + timedelta(hours=2))
        late = ledger.log.append([ledger.sign(make_statement(2), NOW + timedelta(hours=2))])
        with pytest.raises(VerificationError) as caught:
            verify_bundle(ledger.export_bundle(late), ledger.trust)
        assert caught.value.link == "key-window"
    with Ledger.open(tmp_path / "l", create=False) as ledger:
        assert ledger.key.keyid == new.keyid
    assert load_key(tmp_path / "l" / f"maker-{old.keyid[:16]}.pem").keyid == old.keyid


def test_rotation_seen_by_others(tmp_path: Path) -> None:
    """Who has the ledger open while another process replaces the key does not sign with the old one any more."""
    with Ledger.open(tmp_path / "l") as ours:
        with Ledger.open(tmp_path / "l") as theirs:
            theirs.rotate_key(NOW)
        with pytest.raises(InputError):
            ours.attest([make_statement(0)], time=NOW + timedelta(hours=1))
        assert ours.log.size == 0


@pytest.mark.parametrize("known", [True, False])
def test_interrupted_rotation(tmp_path: Path, known: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rotation that was interrupted is finished when its key became known, and undone when not."""
    step = "_take_over" if known else "_replace_file"
    with Ledger.open(tmp_path / "l") as ledger, monkeypatch.context() as patch:
        old = ledger.key.keyid

        def fail(*_: object) -> None:
            raise KeyboardInterrupt

        patch.setattr(f"hallmarked.ledger.ledger.{step}", fail)
        with pytest.raises(KeyboardInterrupt):
            ledger.rotate_key(NOW)
    with Ledger.open(tmp_path / "l") as ledger:
        assert (ledger.key.keyid == old) is not known
        receipts = ledger.attest([make_statement(0)], time=NOW + timedelta(hours=1))
        assert verify_bundle(ledger.export_bundle(receipts), ledger.trust).trusted
    assert not (tmp_path / "l" / "maker-next.pem").exists()


def test_rotated_log_key_of_a_ledger(tmp_path: Path) -> None:
    """A new key signs the log's checkpoints, the log keeps its name, and all evidence verifies with the new trust."""
    with Ledger.open(tmp_path / "l") as ledger:
        origin, old = ledger.log.origin, ledger.log.keyid
        first = ledger.attest([make_statement(0)], time=NOW)
        before = ledger.export_bundle(first)
        new = ledger.rotate_log_key(NOW + timedelta(hours=1))
        between = ledger.export_bundle(first)
        second = ledger.attest([make_statement(1)], time=NOW + timedelta(hours=2))
        after = ledger.export_bundle([*first, *second])
        assert [verify_bundle(data, ledger.trust).trusted for data in (before, between, after)] == [True, True, True]
        assert ledger.log.check().faults == ()
    with Ledger.open(tmp_path / "l", create=False) as ledger:
        assert (ledger.log.origin, ledger.log.keyid) == (origin, new.keyid)
    assert load_key(tmp_path / "l" / f"log-{old[:16]}.pem").keyid == old


def test_log_rotation_seen_by_others(tmp_path: Path) -> None:
    """Who has the ledger open while another process replaces the log's key does not log with the old one any more."""
    with Ledger.open(tmp_path / "l") as ours:
        with Ledger.open(tmp_path / "l") as theirs:
            theirs.rotate_log_key(NOW)
        with pytest.raises(InputError, match="open the ledger again"):
            ours.rotate_key(NOW + timedelta(hours=1))
        with pytest.raises(InputError, match="open the ledger again"):
            ours.attest([make_statement(0)], time=NOW + timedelta(hours=1))
        assert ours.log.size == 0
    assert not list((tmp_path / "l").glob("*-next.pem"))


@pytest.mark.parametrize(
    ("step", "known"),
    [("Log.rotate_key", False), ("_replace_file", False), ("_take_over", True)],
)
def test_interrupted_log_rotation(tmp_path: Path, step: str, known: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replacing the log's key may stop anywhere: it is finished when the key became known, and undone when not."""
    with Ledger.open(tmp_path / "l") as ledger, monkeypatch.context() as patch:
        old = ledger.log.keyid

        def fail(*_: object) -> None:
            raise KeyboardInterrupt

        patch.setattr(f"hallmarked.ledger.ledger.{step}", fail)
        with pytest.raises(KeyboardInterrupt):
            ledger.rotate_log_key(NOW)
    with Ledger.open(tmp_path / "l") as ledger:
        assert (ledger.log.keyid == old) is not known
        receipts = ledger.attest([make_statement(0)], time=NOW + timedelta(hours=1))
        assert verify_bundle(ledger.export_bundle(receipts), ledger.trust).trusted
        assert ledger.log.check().faults == ()
    assert not list((tmp_path / "l").glob("*-next.pem"))


def test_impossible_rotation_leaves_nothing(tmp_path: Path) -> None:
    """A rotation before the current key's own beginning or after its end changes nothing."""
    with Ledger.open(tmp_path / "l") as ledger:
        ledger.rotate_key(NOW)
        ledger.trust = revoke(ledger.trust, ledger.key.keyid, NOW, "stolen")
        (tmp_path / "l" / "trust.json").write_bytes(dump_trust(ledger.trust))
        before = {file.name: file.read_bytes() for file in (tmp_path / "l").iterdir()}
        with pytest.raises(InputError):
            ledger.rotate_key(NOW + timedelta(hours=1))
        assert {file.name: file.read_bytes() for file in (tmp_path / "l").iterdir()} == before


def test_broken_trust_file(tmp_path: Path) -> None:
    """A ledger whose trust file was damaged says so in one sentence."""
    Ledger.open(tmp_path / "l").close()
    (tmp_path / "l" / "trust.json").write_text("{}")
    with pytest.raises(InputError, match="cannot be used"):
        Ledger.open(tmp_path / "l")


def test_bundle_bytes_are_deterministic(tmp_path: Path) -> None:
    """The same entries give the same file, whatever order they are asked for in."""
    log = fill_log(tmp_path / "log", range(9))
    assert export_bundle(log, [7, 2, 5], TRUST) == export_bundle(log, [2, 5, 7, 7], TRUST)
    log.close()


def test_bundle_follows_its_schema(tmp_path: Path) -> None:
    """Exported files satisfy the published JSON Schema, and the schema refuses others."""
    log = fill_log(tmp_path / "log", range(3))
    value = json.loads(export_bundle(log, [0, 2], TRUST))
    log.close()
    validator = jsonschema.Draft202012Validator(json.loads(schema()))
    validator.check_schema(validator.schema)
    validator.validate(value)
    for broken in ({**value, "extra": 1}, {**value, "entries": []}, {**value, "mediaType": "text/plain"}):
        assert not validator.is_valid(broken)


def test_import_returns_envelopes(tmp_path: Path) -> None:
    """Importing gives back the envelopes as they were signed, or nothing."""
    log = fill_log(tmp_path / "log", range(3))
    data = export_bundle(log, [0, 1, 2], TRUST)
    log.close()
    verified, envelopes = import_bundle(data, TRUST)
    assert [envelope.payload for envelope in envelopes] == [entry.payload for entry in verified.entries]
    assert envelopes[1] == make_entry(1).envelope
    with pytest.raises(VerificationError):
        import_bundle(data.replace(b'"sig": "', b'"sig": "A', 1), TRUST)


def test_export_refusals(tmp_path: Path) -> None:
    """Nothing, unknown entries, erased envelopes and signers without a listed key are refused in one sentence."""
    log = fill_log(tmp_path / "log", range(3))
    log.erase(make_entry(1).envelope.digest)
    for indexes in ([], [3], [-1], [0, 1]):
        with pytest.raises(InputError):
            export_bundle(log, indexes, TRUST)
    with pytest.raises(InputError, match="not among the keys"):
        export_bundle(log, [0], Trust())
    assert verify_bundle(export_bundle(log, [0, 2], TRUST), TRUST).trusted
    log.close()


def test_damaged_envelope_is_not_exported(tmp_path: Path) -> None:
    """A log whose stored envelope was changed hands out no evidence."""
    log = fill_log(tmp_path / "log", range(2))
    envelope = make_entry(0).envelope
    log._store._db.execute(
        "UPDATE envelope SET body = ? WHERE digest = ?", (make_entry(1).envelope.to_json(), envelope.digest)
    )
    with pytest.raises(BackendError, match="damaged"):
        export_bundle(log, [0], TRUST)
    log.close()


def test_unwritable_statements_are_refused(tmp_path: Path) -> None:
    """Statements that JSON cannot carry without loss, or that nobody could verify, are never signed."""
    subject = Subject("m", {"dirHash": "ab" * 32})
    bad = [
        Statement((subject,), TEST_RESULT, {"n": 2**53 + 1}),
        Statement((subject,), TEST_RESULT, {"n": float("nan")}),
        Statement((subject,), TEST_RESULT, {"text": "\ud800"}),
        Statement((subject,), TEST_RESULT, {"data": b"bytes"}),
        Statement((), TEST_RESULT, {}),
        Statement((Subject("m", {}),), TEST_RESULT, {}),
        Statement((Subject("m", {"sha256": "AB"}),), TEST_RESULT, {}),
        Statement((subject,), "", {}),
    ]
    with Ledger.open(tmp_path / "l") as ledger:
        for statement in bad:
            with pytest.raises(InputError):
                ledger.attest([make_statement(0), statement], time=NOW)
        with pytest.raises(InputError, match="time zone"):
            ledger.attest([make_statement(0)], time=NOW.replace(tzinfo=None))
        assert ledger.log.size == 0


def test_blinded_entries(tmp_path: Path) -> None:
    """A blinded leaf shows neither subject nor predicate type, and still verifies."""
    log = open_log(tmp_path / "log")
    (receipt,) = log.append([make_entry(0, secret=b"per-repository secret")])
    digest = make_statement(0).subjects[0].digest["dirHash"]
    assert digest.encode() not in receipt.leaf
    assert b"test-result" not in receipt.leaf
    (entry,) = verify_bundle(export_bundle(log, [0], TRUST), TRUST, subjects=[{"dirHash": digest}]).entries
    assert entry.blinded
    assert entry.trusted
    log.close()
    assert make_entry(0, secret=b"a").leaf != make_entry(0, secret=b"b").leaf
    assert MAKER.keyid.encode() in receipt.leaf
