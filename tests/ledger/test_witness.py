"""Signed notes, checkpoints and witnesses."""

from __future__ import annotations

import base64
import contextlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.core.errors import BackendError, InputError, VerificationError
from hallmarked.ledger.bundle import export_bundle
from hallmarked.ledger.checkpoint import Checkpoint, read_checkpoint
from hallmarked.ledger.merkle import Frontier, leaf_hash
from hallmarked.ledger.note import (
    NOTE_COSIGNATURE,
    NoteKey,
    cosign_note,
    open_note,
    read_note_key,
    sign_note,
    split_note,
)
from hallmarked.ledger.sqlite import SqliteMemory
from hallmarked.ledger.verify import verify_bundle
from hallmarked.ledger.witness import Witness, WitnessRefusal, read_request, write_request
from tests.ledger.support import LOG_KEY, NOW, ORIGIN, STRANGER, TRUST, WITNESS, fill_log, make_entry, open_log

NAME = "witness.example.net/w1"
LOG = NoteKey(ORIGIN, LOG_KEY.public)
TEXT = str(Checkpoint(ORIGIN, 7, bytes(range(32))))
NOTE = sign_note(TEXT, ORIGIN, LOG_KEY)


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    return Witness(NAME, WITNESS, {ORIGIN: [LOG]}, SqliteMemory(tmp_path / "seen", NAME))


def checkpoint_of(numbers: range, *, key=LOG_KEY, origin: str = ORIGIN) -> str:
    tree = Frontier(leaf_hash(make_entry(number).leaf) for number in numbers)
    return sign_note(str(Checkpoint(origin, tree.size, tree.root())), origin, key)


def test_known_note() -> None:
    """The example of Go's package documentation verifies."""
    key = read_note_key("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
    line = (
        "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    )
    assert open_note(f"{text}\n{line}", [key]) == (text, {key: None})


def test_note_round_trip() -> None:
    """A note opens with the key that signed it, and says so."""
    assert open_note(NOTE, [LOG]) == (TEXT, {LOG: None})
    assert read_checkpoint(TEXT) == Checkpoint(ORIGIN, 7, bytes(range(32)))


def test_unknown_signatures_are_ignored() -> None:
    """A signature by an unknown key neither helps nor harms."""
    note = NOTE + sign_note(TEXT, "other.example.com", STRANGER).rpartition("\n\n")[2]
    assert open_note(note, [LOG])[1] == {LOG: None}
    assert open_note(note, [NoteKey("nobody", STRANGER.public)])[1] == {}


def test_bad_signature_of_a_known_key_refuses_the_note() -> None:
    """A known key's failing signature refuses the note although another known key's holds."""
    other = NoteKey("other.example.com", STRANGER.public)
    forged = sign_note(TEXT + "more\n", other.name, STRANGER).rpartition("\n\n")[2]
    with pytest.raises(VerificationError):
        open_note(NOTE + forged, [LOG, other])


@pytest.mark.parametrize(
    "note",
    [
        "",
        "text\n",
        "text\n\n",
        NOTE.rstrip("\n"),
        NOTE.replace("\u2014", "-"),
        NOTE.replace("\u2014 ", "\u2014"),
        NOTE.replace("\n7\n", "\n\x007\n"),
        NOTE.replace("=\n", "\n"),
        NOTE.replace(f"\u2014 {ORIGIN}", "\u2014 a+b"),
        NOTE + "\u2014 short AAAA\n",
        NOTE + f"\u2014 x {base64.b64encode(bytes(68)).decode()}\n" * 16,
        "x" * 70000 + NOTE,
    ],
)
def test_malformed_notes_are_refused(note: str) -> None:
    """What is not exactly a signed note is refused."""
    with pytest.raises(VerificationError):
        split_note(note)


@given(st.text(max_size=200))
def test_arbitrary_notes_and_keys(text: str) -> None:
    """Arbitrary text is refused in no other way than with a VerificationError."""
    for read in (split_note, read_checkpoint, read_note_key):
        with contextlib.suppress(VerificationError):
            read(text)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_any_changed_byte_refuses_the_note(data: st.DataObject) -> None:
    """No character of a note can be changed without losing its signature."""
    place = data.draw(st.integers(0, len(NOTE) - 1))
    char = data.draw(st.characters(codec="utf-8").filter(lambda c: c != NOTE[place]))
    signed: dict[NoteKey, datetime | None] = {}
    with contextlib.suppress(VerificationError):
        signed = open_note(NOTE[:place] + char + NOTE[place + 1 :], [LOG])[1]
    assert not signed


@pytest.mark.parametrize(
    "text",
    ["a\n1\n", "a\n01\nAAAA\n", "a\n-1\n" + "A" * 43 + "=\n", "a\n1\nAAAA\n", "\n1\n" + "A" * 43 + "=\n", "a\n1\n\n"],
)
def test_malformed_checkpoints_are_refused(text: str) -> None:
    """Sizes with leading zeros or signs, short roots and missing lines are refused."""
    with pytest.raises(VerificationError):
        read_checkpoint(text)


@pytest.mark.parametrize("key", ["", "a+b", "a+00000000+AAAA", str(LOG).replace("+", "+0", 1), f"a b{str(LOG)[3:]}"])
def test_malformed_verifier_keys_are_refused(key: str) -> None:
    """A verifier key must have the id its name and key give."""
    with pytest.raises(VerificationError):
        read_note_key(key)
    assert read_note_key(str(LOG)) == LOG


def test_unsignable_notes_are_refused() -> None:
    """Nothing is signed that could not be read back."""
    for text, name in (("no newline", "a"), ("tab\t\n", "a"), ("fine\n", "a b"), ("fine\n", "a+b"), ("fine\n", "")):
        with pytest.raises(InputError):
            sign_note(text, name, LOG_KEY)


def test_cosignature_bears_its_time() -> None:
    """A cosignature verifies with its time, and with no other time."""
    key = NoteKey(NAME, WITNESS.public, NOTE_COSIGNATURE)
    line = cosign_note(TEXT, NAME, WITNESS, NOW)
    assert open_note(NOTE + line, [LOG, key])[1] == {LOG: None, key: NOW}
    raw = bytearray(base64.b64decode(line.split(" ")[2]))
    raw[11] ^= 1
    moved = f"\u2014 {NAME} {base64.b64encode(raw).decode()}\n"
    with pytest.raises(VerificationError) as caught:
        open_note(NOTE + moved, [LOG, key])
    assert caught.value.link == "witness"


def test_witness_follows_a_growing_log(witness: Witness, tmp_path: Path) -> None:
    """A witness cosigns a log as it grows, and the cosigned checkpoint satisfies who requires a witness."""
    log, seen = open_log(tmp_path / "log"), 0
    for size in (1, 2, 5, 300):
        log.append([make_entry(number) for number in range(seen, size)])
        body = write_request(seen, log.prove_consistency(seen), log.checkpoint())
        line, seen = witness.add_checkpoint(body, NOW), size
    data = export_bundle(log, [3], TRUST)
    with pytest.raises(VerificationError) as caught:
        verify_bundle(data, TRUST, witnesses_required=1)
    assert caught.value.link == "witness"
    log.add_cosignature(line, [NoteKey(NAME, WITNESS.public, NOTE_COSIGNATURE)])
    data = export_bundle(log, [3], TRUST)
    assert verify_bundle(data, TRUST, witnesses_required=1).witnesses == ((NAME, NOW),)
    with pytest.raises(VerificationError):
        verify_bundle(data, TRUST, witnesses_required=2)
    log.close()


def test_log_takes_only_cosignatures_of_its_checkpoint(tmp_path: Path) -> None:
    """A cosignature that is not valid for the newest checkpoint is not stored."""
    log = fill_log(tmp_path / "log", range(3))
    key = NoteKey(NAME, WITNESS.public, NOTE_COSIGNATURE)
    for line in (cosign_note(TEXT, NAME, WITNESS, NOW), "nonsense\n", ""):
        with pytest.raises(VerificationError):
            log.add_cosignature(line, [key])
    assert log.checkpoint().count("\u2014") == 1
    log.close()


def refused(witness: Witness, note: str, old: int = 0, proof: list[bytes] | None = None) -> tuple[int, int | None]:
    with pytest.raises(WitnessRefusal) as caught:
        witness.cosign(note, old, proof or [], NOW)
    return caught.value.status, caught.value.size


def test_witness_refuses_rewinding(witness: Witness) -> None:
    """A log that became smaller is not cosigned, whatever old size the request claims."""
    witness.cosign(checkpoint_of(range(5)), 0, [], NOW)
    assert refused(witness, checkpoint_of(range(3)), 5) == (400, None)
    assert refused(witness, checkpoint_of(range(3)), 0) == (409, 5)
    assert refused(witness, checkpoint_of(range(3)), 3) == (409, 5)


def test_witness_refuses_a_split_view(witness: Witness) -> None:
    """Two histories of one size are not cosigned, and the same one again is."""
    witness.cosign(checkpoint_of(range(5)), 0, [], NOW)
    assert refused(witness, checkpoint_of(range(1, 6)), 5) == (409, 5)
    assert witness.cosign(checkpoint_of(range(5)), 5, [], NOW + timedelta(hours=1))


def test_witness_refuses_a_fork(witness: Witness, tmp_path: Path) -> None:
    """A longer log that does not contain the seen one is not cosigned, even with a proof over its own past."""
    witness.cosign(checkpoint_of(range(5)), 0, [], NOW)
    forked = fill_log(tmp_path / "fork", range(1, 9))
    assert refused(witness, forked.checkpoint(), 5, forked.prove_consistency(5)) == (422, None)
    assert refused(witness, forked.checkpoint(), 5) == (422, None)
    forked.close()


def test_witness_refuses_strangers(witness: Witness) -> None:
    """Unknown logs, foreign signatures, unsigned and malformed checkpoints have the protocol's answers."""
    assert refused(witness, checkpoint_of(range(1), origin="log.example.org/two")) == (404, None)
    assert refused(witness, checkpoint_of(range(1), key=STRANGER)) == (403, None)
    note = checkpoint_of(range(1))
    assert refused(witness, note.replace("\n1\n", "\n2\n")) == (403, None)
    assert refused(witness, "nonsense") == (400, None)
    for body in (b"", b"\xff\n\n", b"old x\n\n", b"old 1\nAAAA\n\n", b"old 0\n" + b"A\n" * 64 + b"\n"):
        with pytest.raises(WitnessRefusal) as caught:
            witness.add_checkpoint(body, NOW)
        assert caught.value.status == 400


def test_witness_does_not_forget(tmp_path: Path) -> None:
    """What was seen is still known after a restart."""
    Witness(NAME, WITNESS, {ORIGIN: [LOG]}, SqliteMemory(tmp_path / "seen", NAME)).cosign(
        checkpoint_of(range(5)), 0, [], NOW
    )
    again = Witness(NAME, WITNESS, {ORIGIN: [LOG]}, SqliteMemory(tmp_path / "seen"))
    assert refused(again, checkpoint_of(range(3)), 0) == (409, 5)


def test_witness_loses_no_race(tmp_path: Path) -> None:
    """Of two checkpoints that arrive at once only one is remembered and cosigned."""
    memory = SqliteMemory(tmp_path / "seen", NAME)

    class Late:
        """Sees the past while somebody else writes."""

        def last(self, origin: str):
            return None

        replace = memory.replace

    Witness(NAME, WITNESS, {ORIGIN: [LOG]}, memory).cosign(checkpoint_of(range(5)), 0, [], NOW)
    late = Witness(NAME, WITNESS, {ORIGIN: [LOG]}, Late())
    assert refused(late, checkpoint_of(range(1, 7)), 0)[0] == 409


def test_witness_memory_of_another_kind_is_refused(tmp_path: Path) -> None:
    """A log is not mistaken for a witness's memory, nor a text file for either."""
    fill_log(tmp_path / "log", range(1)).close()
    (tmp_path / "text").write_text("not a database at all, but long enough to be looked at as one" * 20)
    for name in ("log", "text"):
        with pytest.raises((InputError, BackendError)):
            SqliteMemory(tmp_path / name, NAME)


def test_requests_round_trip() -> None:
    """A request reads back as it was written, and too long a proof is not written."""
    proof = [bytes([n]) * 32 for n in range(3)]
    assert read_request(write_request(7, proof, NOTE)) == (7, proof, NOTE)
    with pytest.raises(InputError):
        write_request(7, [bytes(32)] * 64, NOTE)


def test_witness_needs_a_name(tmp_path: Path) -> None:
    """A witness whose name could not stand in a note is not made."""
    with pytest.raises(InputError):
        Witness("a b", WITNESS, {}, SqliteMemory(tmp_path / "seen", NAME))


def test_leaf_times_after_the_witness_are_refused(tmp_path: Path) -> None:
    """An entry cannot claim to be younger than a checkpoint a witness had already seen it in."""
    log = open_log(tmp_path / "log")
    log.append([make_entry(0, time=NOW + timedelta(hours=1))])
    key = NoteKey(NAME, WITNESS.public, NOTE_COSIGNATURE)
    text = split_note(log.checkpoint())[0]
    log.add_cosignature(cosign_note(text, NAME, WITNESS, NOW), [key])
    with pytest.raises(VerificationError) as caught:
        verify_bundle(export_bundle(log, [0], TRUST), TRUST)
    assert caught.value.link == "time"
    log.close()


def test_cosignature_time_is_read_exactly() -> None:
    """Times are whole seconds since 1970 in eight bytes, and impossible ones are refused."""
    key = NoteKey(NAME, WITNESS.public, NOTE_COSIGNATURE)
    early = datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
    assert open_note(NOTE + cosign_note(TEXT, NAME, WITNESS, early), [key])[1] == {key: early}
    impossible = base64.b64encode(key.id + bytes([255] * 72)).decode()
    line = f"\u2014 {NAME} {impossible}\n"
    with pytest.raises(VerificationError):
        open_note(NOTE + line, [key])
