"""The verifier: every link of the chain fails by its own name, and nothing unsigned ever helps."""

from __future__ import annotations

import base64
import contextlib
import copy
import json
import subprocess
import sys
import textwrap
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import cryptography
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.core.errors import VerificationError
from hallmarked.core.evidence import Statement, Subject
from hallmarked.ledger.bundle import export_bundle
from hallmarked.ledger.canonical import canonical_bytes, leaf_bytes, statement_bytes
from hallmarked.ledger.dsse import sign_envelope
from hallmarked.ledger.key import SigningKey
from hallmarked.ledger.leaf import read_leaf
from hallmarked.ledger.log import Entry
from hallmarked.ledger.note import NOTE_COSIGNATURE, NoteKey, cosign_note, sign_note, split_note
from hallmarked.ledger.statement import match_subjects, read_statement
from hallmarked.ledger.trust import Role, Trust, TrustedKey, dump_trust, write_key
from hallmarked.ledger.verify import Verified, verify_bundle
from tests.ledger.support import (
    DAY,
    LOG_KEY,
    MAKER,
    NOW,
    ORIGIN,
    STRANGER,
    TEST_RESULT,
    TRUST,
    WITNESS,
    fill_log,
    make_entry,
    make_statement,
    open_log,
)

W1 = "witness.example.net/w1"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    log = fill_log(tmp_path_factory.mktemp("log") / "log", range(11))
    exported = export_bundle(log, [2, 6, 10], TRUST)
    log.close()
    return exported


def link_of(data: bytes, trust: Trust = TRUST, **options: Any) -> str:
    with pytest.raises(VerificationError) as caught:
        verify_bundle(data, trust, **options)
    assert "\n" not in str(caught.value)
    return caught.value.link


def changed(data: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    value = json.loads(data)
    change(value)
    return json.dumps(value).encode()


def flip(text: str, bit: int = 0) -> str:
    raw = bytearray(base64.b64decode(text))
    raw[bit // 8 % len(raw)] ^= 1 << bit % 8
    return base64.b64encode(raw).decode()


def flip_in(entry: dict[str, Any], *path: str | int, bit: int = 0) -> None:
    for step in path[:-1]:
        entry = entry[step]
    entry[path[-1]] = flip(entry[path[-1]], bit)


def edit_proof(entry: dict[str, Any], edit: Callable[[list[str]], object]) -> None:
    lines = entry["proof"].split("\n")
    edit(lines)
    entry["proof"] = "\n".join(lines)


def log_one(path: Path, entry: Entry, keys: Trust = TRUST) -> bytes:
    """Log an entry whatever it is, and write its evidence file without looking at it."""
    log = open_log(path)
    log.append([entry])
    envelope = entry.envelope
    value = {
        "mediaType": "application/vnd.hallmarked.evidence.v1+json",
        "log": {"origin": ORIGIN, "vkey": str(NoteKey(ORIGIN, LOG_KEY.public))},
        "trust": [write_key(key) for key in keys.keys],
        "entries": [
            {
                "bundle": {
                    "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
                    "verificationMaterial": {"publicKey": {"hint": "x"}, "tlogEntries": []},
                    "dsseEnvelope": json.loads(envelope.to_json()),
                },
                "leaf": base64.b64encode(entry.leaf).decode(),
                "proof": f"c2sp.org/tlog-proof@v1\nindex 0\n\n{log.checkpoint()}",
            }
        ],
    }
    log.close()
    return json.dumps(value).encode()


def entry_of(payload: bytes, *, key: SigningKey = MAKER, **leaf: Any) -> Entry:
    """An entry with any payload and leaf, rightly signed."""
    envelope = sign_envelope(payload, key)
    record = {
        "env": f"sha256:{envelope.digest}",
        "kid": key.keyid,
        "pt": TEST_RESULT,
        "sub": [f"dirHash:{make_statement(0).subjects[0].digest['dirHash']}"],
        "t": "2026-11-21T12:00:00Z",
        "v": 1,
    }
    record |= leaf
    return Entry(envelope, key.public, canonical_bytes({k: v for k, v in record.items() if v is not None}))


def test_intact_and_trusted(data: bytes) -> None:
    """A whole bundle by trusted parties is trusted, with everything about each entry."""
    verified = verify_bundle(data, TRUST, now=NOW)
    assert [entry.index for entry in verified.entries] == [2, 6, 10]
    assert (verified.checkpoint.origin, verified.checkpoint.size, verified.log_trusted) == (ORIGIN, 11, True)
    entry = verified.entries[1]
    assert entry.statement == make_statement(6).to_dict()
    assert entry.payload == statement_bytes(make_statement(6))
    assert (entry.keyid, entry.role, entry.signer, entry.trusted) == (MAKER.keyid, Role.MAKER, "Example Lab", True)
    assert verified.trusted


def test_unknown_parties_are_untrusted(data: bytes) -> None:
    """Without the signer or the log in the trust file the bundle is intact but not trusted, and says why."""
    for missing, reason in (({0}, "key"), ({1}, "log"), ({0, 1, 2}, "key")):
        trust = Trust(tuple(key for place, key in enumerate(TRUST.keys) if place not in missing))
        verified = verify_bundle(data, trust)
        assert not verified.trusted
        assert not any(entry.trusted for entry in verified.entries)
        assert f"the {reason}" in verified.entries[0].reason
        assert "not among those you trust" in verified.entries[0].reason
    assert not verify_bundle(data).trusted


def test_keys_in_the_bundle_are_no_trust(data: bytes) -> None:
    """A key that the bundle itself calls a trusted auditor is not trusted for that."""
    promoted = changed(data, lambda v: [key.update(role="auditor") for key in v["trust"] if key["role"] == "maker"])
    assert verify_bundle(promoted, Trust()).entries[0].role is None
    assert verify_bundle(promoted, TRUST).entries[0].role is Role.MAKER


@pytest.mark.parametrize(
    ("link", "change"),
    [
        ("signature", lambda e: flip_in(e, "bundle", "dsseEnvelope", "payload", bit=99)),
        ("signature", lambda e: flip_in(e, "bundle", "dsseEnvelope", "signatures", 0, "sig", bit=99)),
        ("leaf", lambda e: e["bundle"]["dsseEnvelope"]["signatures"][0].update(keyid="0" * 64)),
        ("envelope", lambda e: e["bundle"]["dsseEnvelope"]["signatures"][0].update(keyid="\u00e9")),
        ("envelope", lambda e: e["bundle"]["dsseEnvelope"].update(payloadType="text/plain")),
        ("envelope", lambda e: e["bundle"]["dsseEnvelope"]["signatures"].append({"keyid": "0" * 64, "sig": "AAAA"})),
        ("envelope", lambda e: e["bundle"]["dsseEnvelope"].update(signatures=[])),
        ("envelope", lambda e: e["bundle"].update(mediaType="application/vnd.dev.sigstore.bundle+json;version=0.1")),
        ("envelope", lambda e: e["bundle"]["verificationMaterial"].update(tlogEntries=[{}])),
        ("envelope", lambda e: e["bundle"].update(extra=1)),
        ("payload", lambda e: e["bundle"]["dsseEnvelope"].update(payload="not base64!")),
        ("inclusion", lambda e: flip_in(e, "leaf")),
        ("leaf", lambda e: e.update(leaf=e["leaf"] + "\n")),
        ("leaf", lambda e: e.update(leaf=e["leaf"].replace("=", ""))),
        ("inclusion", lambda e: edit_proof(e, lambda lines: lines.__setitem__(1, "index 3"))),
        ("inclusion", lambda e: edit_proof(e, lambda lines: lines.__setitem__(1, "index 99"))),
        ("inclusion", lambda e: edit_proof(e, lambda lines: lines.__setitem__(1, "index 06"))),
        ("inclusion", lambda e: edit_proof(e, lambda lines: lines.__setitem__(2, flip(lines[2])))),
        ("inclusion", lambda e: edit_proof(e, lambda lines: lines.__setitem__(slice(2, 4), lines[3:1:-1]))),
        ("inclusion", lambda e: edit_proof(e, lambda lines: lines.pop(2))),
        ("inclusion", lambda e: edit_proof(e, lambda lines: lines.insert(2, lines[2]))),
        ("inclusion", lambda e: edit_proof(e, lambda lines: lines.__setitem__(2, "AAAA"))),
        ("inclusion", lambda e: edit_proof(e, lambda lines: lines.__setitem__(0, "c2sp.org/tlog-proof@v2"))),
        ("inclusion", lambda e: e.update(proof=7)),
    ],
)
def test_each_link_of_an_entry(data: bytes, link: str, change: Callable[[dict[str, Any]], object]) -> None:
    """Each change of an entry is refused, and the refusal names the link."""
    assert link_of(changed(data, lambda value: change(value["entries"][1]))) == link


@pytest.mark.parametrize(
    ("link", "old", "new"),
    [
        ("log-signature", "\\n11\\n", "\\n12\\n"),
        ("log-signature", f"\\n\\n{ORIGIN}\\n", "\\n\\nlog.example.org/two\\n"),
        ("checkpoint", "\\u2014 ", "- "),
        ("log-signature", f"\\u2014 {ORIGIN} ", "\\u2014 log.example.org/two "),
    ],
)
def test_each_part_of_the_checkpoint(data: bytes, link: str, old: str, new: str) -> None:
    """Each change of the checkpoint, the same in all entries, is refused by name."""
    text = json.dumps(json.loads(data))
    assert old in text
    assert link_of(text.replace(old, new).encode()) == link


def test_checkpoint_of_another_log(data: bytes) -> None:
    """A log's key speaks only under its own origin, also when it signs a checkpoint that names another one."""
    value = json.loads(data)
    for entry in value["entries"]:
        head, _, note = entry["proof"].partition("\n\n")
        text = split_note(note)[0].replace(ORIGIN, "log.example.org/two")
        entry["proof"] = f"{head}\n\n{sign_note(text, ORIGIN, LOG_KEY)}"
    assert link_of(json.dumps(value).encode()) == "checkpoint"


def test_too_large_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file above the limit is refused before it is parsed."""
    monkeypatch.setattr("hallmarked.ledger.verify.MAX_BUNDLE", 10)
    assert link_of(b" " * 11) == "bundle"


def test_entries_against_different_checkpoints(data: bytes, tmp_path: Path) -> None:
    """Entries proven against two checkpoints, as of a forked log, are refused."""
    log = fill_log(tmp_path / "log", range(12))
    other = json.loads(export_bundle(log, [2], TRUST))["entries"][0]
    log.close()
    assert link_of(changed(data, lambda value: value["entries"].__setitem__(0, other))) == "checkpoint"


@pytest.mark.parametrize(
    "change",
    [
        lambda v: v["entries"].append(copy.deepcopy(v["entries"][0])),
        lambda v: v.update(entries=[]),
        lambda v: v.update(entries={}),
        lambda v: v.update(extra=1),
        lambda v: v.pop("trust"),
        lambda v: v.update(mediaType="application/json"),
        lambda v: v["log"].update(origin="log.example.org/two"),
        lambda v: v["entries"][0].update(extra=1),
        lambda v: v["trust"].append(v["trust"][0]),
        lambda v: v["trust"][0].update(role="king"),
        lambda v: v["trust"][0].update(publicKey="AAAA"),
        lambda v: v["trust"][0].update(notAfter="tomorrow"),
    ],
)
def test_malformed_bundles(data: bytes, change: Callable[[dict[str, Any]], object]) -> None:
    """Doubled, missing, empty, unknown and wrongly typed members are refused."""
    assert link_of(changed(data, change)) == "bundle"


def test_foreign_verifier_key(data: bytes) -> None:
    """A verifier key of another kind or id is refused."""
    cosigner = str(NoteKey(ORIGIN, LOG_KEY.public, NOTE_COSIGNATURE))
    assert link_of(changed(data, lambda v: v["log"].update(vkey=cosigner))) == "bundle"
    assert link_of(changed(data, lambda v: v["log"].update(vkey=v["log"]["vkey"][:-8]))) == "verifier key"


@pytest.mark.parametrize(
    "raw",
    [b"", b"\xff\xfe", b"[]", b"null", b"[" * 100_000, b'{"a":1,"a":1}', b'{"a":NaN}', b'{"a":1e999}', b'"\\ud800"'],
)
def test_what_is_not_strict_json(raw: bytes) -> None:
    """What is not strict JSON is refused."""
    assert link_of(raw) == "bundle"


def test_repeated_keys(data: bytes) -> None:
    """A member given twice is refused, although many parsers take the last one."""
    assert link_of(data.replace(b'"leaf":', b'"leaf": "AAAA", "leaf":', 1)) == "bundle"


def test_other_log_key_for_a_trusted_origin(data: bytes) -> None:
    """Who trusts a log by name trusts its key only: the bundle cannot bring another one for that name."""
    value = json.loads(data)
    value["log"]["vkey"] = str(NoteKey(ORIGIN, STRANGER.public))
    for entry in value["entries"]:
        head, _, note = entry["proof"].partition("\n\n")
        entry["proof"] = f"{head}\n\n{sign_note(split_note(note)[0], ORIGIN, STRANGER)}"
    forged = json.dumps(value).encode()
    assert link_of(forged) == "log-signature"
    others = Trust(tuple(key for key in TRUST.keys if key.role is not Role.LOG))
    assert not verify_bundle(forged, others).trusted


@pytest.mark.parametrize(
    ("window", "link"),
    [
        ({"not_before": NOW + DAY}, "key-window"),
        ({"not_after": NOW - DAY}, "key-window"),
        ({"revoked": NOW, "reason": "stolen"}, "key-window"),
        ({"revoked": NOW - DAY, "reason": "stolen"}, "key-window"),
        ({"revoked": NOW + DAY, "reason": "stolen"}, ""),
        ({"not_before": NOW, "not_after": NOW}, ""),
    ],
)
def test_signer_windows(data: bytes, window: dict[str, Any], link: str) -> None:
    """A statement counts if it was logged inside of its key's window and before its revocation."""
    trust = Trust((replace(TRUST.keys[0], **window), *TRUST.keys[1:]))
    if link:
        assert link_of(data, trust) == link
    else:
        assert verify_bundle(data, trust).trusted


def test_log_windows(data: bytes) -> None:
    """A log's key may be younger than an entry but not older; a revoked one needs a witness from before."""
    maker, log, witness = TRUST.keys
    assert verify_bundle(data, Trust((maker, replace(log, not_before=NOW + DAY)))).trusted
    assert link_of(data, Trust((maker, replace(log, not_after=NOW - DAY)))) == "key-window"
    revoked = Trust((maker, replace(log, revoked=NOW + 2 * DAY, reason="lost"), witness))
    assert link_of(data, revoked) == "key-window"
    for day, link in ((1, ""), (3, "key-window")):

        def cosign(value: dict[str, Any], day: int = day) -> None:
            for entry in value["entries"]:
                text = split_note(entry["proof"].partition("\n\n")[2])[0]
                entry["proof"] += cosign_note(text, W1, WITNESS, NOW + day * DAY)

        cosigned = changed(data, cosign)
        if link:
            assert link_of(cosigned, revoked) == link
        else:
            assert verify_bundle(cosigned, revoked, witnesses_required=1).trusted


def test_witness_key_in_the_bundle_does_not_count(data: bytes) -> None:
    """Required witnesses are those of the reader's trust file."""

    def cosign(value: dict[str, Any]) -> None:
        for entry in value["entries"]:
            text = split_note(entry["proof"].partition("\n\n")[2])[0]
            entry["proof"] += cosign_note(text, "other.example.net", STRANGER, NOW)
        value["trust"].append(write_key(TrustedKey(STRANGER.public, Role.WITNESS, "other.example.net")))

    assert link_of(changed(data, cosign), witnesses_required=1) == "witness"


def test_roles(tmp_path: Path) -> None:
    """A log's or witness's key does not sign statements."""
    entry = make_entry(0, key=LOG_KEY)
    assert link_of(log_one(tmp_path / "log", entry)) == "role"


def test_unknown_signer(tmp_path: Path) -> None:
    """A signature whose key is nowhere to be found is refused, and one whose key only the bundle has is untrusted."""
    entry = make_entry(0, key=STRANGER)
    assert link_of(log_one(tmp_path / "a", entry)) == "signature"
    keys = Trust((*TRUST.keys, TrustedKey(STRANGER.public, Role.AUDITOR, "Auditor")))
    verified = verify_bundle(log_one(tmp_path / "b", entry, keys), TRUST)
    assert not verified.trusted
    assert verified.entries[0].keyid == STRANGER.keyid


def test_entries_from_the_future(data: bytes) -> None:
    """With a clock at hand, entries that claim to be from later are refused."""
    assert verify_bundle(data, TRUST, now=NOW - timedelta(minutes=1)).trusted
    assert link_of(data, now=NOW - DAY) == "time"


PAYLOAD = statement_bytes(make_statement(0))
DIGEST = make_statement(0).subjects[0].digest["dirHash"]


@pytest.mark.parametrize(
    "leaf",
    [
        {"env": "sha256:" + "0" * 64},
        {"env": "0" * 64},
        {"kid": STRANGER.keyid, "pt": None},
        {"kid": 7},
        {"pt": "https://in-toto.io/attestation/vulns/v0.2"},
        {"sub": [f"dirHash:{'0' * 64}"]},
        {"sub": []},
        {"sub": [f"dirHash:{DIGEST}"] * 2},
        {"sub": [f"dirHash:{DIGEST}"], "more": 1},
        {"sub": [f"dirHash:{DIGEST}"], "more": -1},
        {"sub": [f"dirHash:{DIGEST}"], "more": True},
        {"sub": "dirHash"},
        {"sub": None},
        {"blind": ["0" * 64]},
        {"sub": None, "blind": ["0" * 64, "0" * 64]},
        {"t": "2026-11-21"},
        {"t": "2026-13-21T00:00:00Z"},
        {"v": 2},
        {"v": True},
        {"extra": 1},
    ],
)
def test_leaves_that_lie(tmp_path: Path, leaf: dict[str, Any]) -> None:
    """A leaf that is malformed, or says something else than the envelope it stands for, is refused."""
    assert link_of(log_one(tmp_path / "log", entry_of(PAYLOAD, **leaf))) == "leaf"


def test_too_large_a_leaf(tmp_path: Path) -> None:
    """A leaf above 4 KiB is refused."""
    assert link_of(log_one(tmp_path / "log", entry_of(PAYLOAD, pt="x" * 5000))) == "leaf"


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        PAYLOAD.replace(b"Statement/v1", b"Statement/v2"),
        PAYLOAD.replace(b'"predicateType"', b'"predicateTypo"'),
        PAYLOAD.replace(b'"predicate":', b'"predicate":1,"predicate":'),
        PAYLOAD.replace(b'"result":"PASSED"', b'"result":NaN'),
        PAYLOAD.replace(b'"subject":[', b'"subject":7,"x":['),
        b'{"_type":"https://in-toto.io/Statement/v1","subject":[],"predicateType":"x"}',
        b'{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"x"}],"predicateType":"x"}',
        b'{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{}}],"predicateType":"x"}',
        b'{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"a":"ABCDEF00"}}],"predicateType":"x"}',
        b'{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"a":"00000000"}}],"predicateType":7}',
    ],
)
def test_signed_payloads_that_are_no_statements(tmp_path: Path, payload: bytes) -> None:
    """A valid signature does not stand for a valid statement."""
    assert link_of(log_one(tmp_path / "log", entry_of(payload))) == "payload"


def test_statements_are_not_canonicalised(tmp_path: Path) -> None:
    """A foreign statement that is not canonical JSON verifies, and its bytes come back as they were signed."""
    payload = json.dumps(make_statement(0).to_dict(), indent=3).encode()
    verified = verify_bundle(log_one(tmp_path / "log", entry_of(payload)), TRUST)
    assert verified.entries[0].payload == payload


def test_expected_subjects(data: bytes) -> None:
    """Every statement must be about the bytes at hand."""
    digests = [dict(make_statement(number).subjects[0].digest) for number in (2, 6, 10)]
    assert [entry.subjects for entry in verify_bundle(data, TRUST, subjects=digests).entries] == [
        (f"acme/model-{number}",) for number in (2, 6, 10)
    ]
    for wrong in ([], digests[:2], [{"dirHash": "0" * 64}], [{"sha256": digests[0]["dirHash"]}]):
        assert link_of(data, subjects=wrong) == "subject"


A, B, C = "a" * 64, "b" * 64, "c" * 64


@pytest.mark.parametrize(
    ("subject", "expected", "holds"),
    [
        ({"dirHash": A}, [{"dirHash": A}], True),
        ({"dirHash1": A}, [{"dirHash": A}], True),
        ({"dirHash": A, "gitCommit": C}, [{"dirHash": A}], True),
        ({"dirHash": A, "gitCommit": C}, [{"dirHash": A, "gitCommit": C}], True),
        ({"dirHash": A, "gitCommit": C}, [{"dirHash": A, "gitCommit": B}], False),
        ({"sha256": B, "dirHash": A}, [{"dirHash": A}], False),
        ({"sha256": B, "dirHash": A}, [{"dirHash": A, "sha256": C}], False),
        ({"sha256": B, "dirHash": A}, [{"dirHash": A, "sha256": B}], True),
        ({"sha256": A, "sha512": B * 2}, [{"sha256": A, "sha512": C * 2}], False),
        ({"gitCommit": A}, [{"dirHash": A}], False),
        ({"sha256": A}, [{"dirHash": A}, {"sha256": A}], True),
        ({"sha256": A}, [], False),
        ({"sha256": A}, [{}], False),
    ],
)
def test_all_digests_of_a_subject_agree(subject: dict[str, str], expected: list[dict[str, str]], holds: bool) -> None:
    """One agreeing digest does not hide another that differs or cannot be confirmed."""
    statement = Statement((Subject("m", subject),), TEST_RESULT, {}).to_dict()
    if holds:
        assert match_subjects(statement, expected) == ("m",)
    else:
        with pytest.raises(VerificationError) as caught:
            match_subjects(statement, expected)
        assert caught.value.link == "subject"


def test_contradiction_in_one_subject_refuses_the_statement() -> None:
    """A subject with contradicting digests refuses the statement although another subject matches."""
    subjects = (Subject("right", {"sha256": A}), Subject("mixed", {"sha256": B, "sha512": A}))
    with pytest.raises(VerificationError):
        match_subjects(Statement(subjects, TEST_RESULT, {}).to_dict(), [{"sha256": A}, {"sha256": B, "sha512": C}])


def test_many_subjects_fit_a_leaf() -> None:
    """A leaf of a statement about many files stays below 4 KiB, lists the first ones and counts the rest."""
    subjects = tuple(Subject(f"f{n}", {"sha256": f"{n:064x}", "sha512": f"{n:0128x}"}) for n in range(2000))
    statement = Statement(subjects, TEST_RESULT, {})
    envelope = sign_envelope(statement_bytes(statement), MAKER)
    data = leaf_bytes(envelope, statement.to_dict(), NOW)
    leaf = read_leaf(data)
    assert len(data) <= 4096
    assert leaf.subjects[:2] == (f"sha256:{0:064x}", f"sha512:{0:0128x}")
    assert len(leaf.subjects) + leaf.more == 4000
    assert read_statement(envelope.payload) == statement.to_dict()


def test_long_digests_fit_a_leaf() -> None:
    """Digests so long that few fit are listed as far as they do."""
    subjects = tuple(Subject(f"f{n}", {"shake": f"{n:0256x}"}) for n in range(24))
    statement = Statement(subjects, TEST_RESULT, {})
    leaf = read_leaf(leaf_bytes(sign_envelope(statement_bytes(statement), MAKER), statement.to_dict(), NOW))
    assert (len(leaf.subjects), leaf.more) == (12, 12)


def summary(verified: Verified) -> list[tuple[Any, ...]]:
    return [(e.index, e.payload, e.time, e.keyid, e.role, e.trusted) for e in verified.entries]


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_unsigned_parts_change_nothing(data: bytes, draw: st.DataObject) -> None:
    """Whatever bytes of the file are changed: it is refused, or says exactly what it said before."""
    raw = bytearray(data)
    for _ in range(draw.draw(st.integers(1, 3))):
        place = draw.draw(st.integers(0, len(raw) - 1))
        match draw.draw(st.sampled_from(["set", "delete", "insert"])):
            case "set":
                raw[place] = draw.draw(st.integers(0, 255))
            case "delete":
                del raw[place]
            case _:
                raw.insert(place, draw.draw(st.integers(0, 255)))
    said = None
    with contextlib.suppress(VerificationError):
        said = summary(verify_bundle(bytes(raw), TRUST))
    assert said is None or said == summary(verify_bundle(data, TRUST))


@pytest.mark.parametrize("unsigned", ["hint", "extra", "trust"])
def test_unsigned_members_never_help(data: bytes, unsigned: str) -> None:
    """The hint, the proof's extra line and the list of keys turn no refusal into an acceptance."""

    def change(value: dict[str, Any]) -> None:
        for entry in value["entries"]:
            if unsigned == "hint":
                entry["bundle"]["verificationMaterial"]["publicKey"]["hint"] = MAKER.keyid
            elif unsigned == "extra":
                edit_proof(entry, lambda lines: lines.insert(1, f"extra {entry['leaf']}"))  # noqa: B023 -- called at once
        if unsigned == "trust":
            value["trust"] = [write_key(replace(key, name="Somebody Great")) for key in TRUST.keys]

    assert summary(verify_bundle(changed(data, change), TRUST)) == summary(verify_bundle(data, TRUST))
    broken = changed(data, lambda value: flip_in(value["entries"][0], "bundle", "dsseEnvelope", "payload"))
    assert link_of(changed(broken, change)) == "signature"
    broken = changed(data, lambda value: flip_in(value["entries"][0], "leaf"))
    assert link_of(changed(broken, change)) == "inclusion"


@given(st.binary(max_size=300))
def test_arbitrary_bytes(raw: bytes) -> None:
    """Arbitrary bytes are refused in no other way than with a VerificationError."""
    with pytest.raises(VerificationError):
        verify_bundle(raw, TRUST)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_arbitrary_values_anywhere(data: bytes, draw: st.DataObject) -> None:
    """Any JSON value in place of any member is refused or harmless, and raises nothing else."""
    value = json.loads(data)
    parent: Any = value
    while True:
        key = draw.draw(st.sampled_from(list(parent) if isinstance(parent, dict) else range(len(parent))))
        if not isinstance(parent[key], dict | list) or not parent[key] or draw.draw(st.booleans()):
            break
        parent = parent[key]
    parent[key] = draw.draw(JSON)
    said = None
    with contextlib.suppress(VerificationError):
        said = summary(verify_bundle(json.dumps(value).encode(), TRUST))
    assert said is None or said == summary(verify_bundle(data, TRUST))


def test_verifier_needs_only_cryptography(data: bytes, tmp_path: Path) -> None:
    """The verifier runs where of all installed packages only this one and cryptography can be imported."""
    (tmp_path / "evidence.json").write_bytes(data)
    (tmp_path / "trust.json").write_bytes(dump_trust(TRUST))
    program = f"""
        import sys
        sys.path = [p for p in sys.path if "site-packages" not in p]
        class Only:
            def find_spec(self, name, path=None, target=None):
                top = name.partition(".")[0]
                if top not in sys.stdlib_module_names and top not in ("hallmarked", "cryptography", "_cffi_backend"):
                    raise ImportError(name)
        sys.meta_path.insert(0, Only())
        sys.path += [{str(Path(cryptography.__file__).parents[1])!r}, {str(Path(__file__).parents[2] / "src")!r}]
        from hallmarked.ledger.trust import load_trust
        from hallmarked.ledger.verify import verify_bundle
        trust = load_trust(open("trust.json", "rb").read())
        assert verify_bundle(open("evidence.json", "rb").read(), trust).trusted
        ours = sorted(name for name in sys.modules if name.startswith("hallmarked.") and name.count(".") == 2)
        print(*ours)
    """
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", textwrap.dedent(program)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "hallmarked.ledger.canonical" not in done.stdout
    assert "hallmarked.ledger.sqlite" not in done.stdout
