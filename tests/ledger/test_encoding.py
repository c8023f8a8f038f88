"""Canonical JSON, DSSE, strict readers and proof files: one value, one way to write it."""

from __future__ import annotations

import base64
import contextlib
import json
import math
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallmarked.core.errors import InputError, VerificationError
from hallmarked.core.evidence import Statement, Subject
from hallmarked.ledger.canonical import blind, canonical_bytes, leaf_bytes, statement_bytes
from hallmarked.ledger.dsse import pae, read_envelope, read_sigstore, sign_envelope, to_sigstore, verify_envelope
from hallmarked.ledger.leaf import read_leaf
from hallmarked.ledger.proof import Proof, read_proof, write_proof
from hallmarked.ledger.statement import read_statement
from hallmarked.ledger.strict import b64decode, format_time, parse_decimal, parse_json, parse_time
from tests.ledger.support import MAKER, NOW, STRANGER, make_entry, make_statement

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: not 2**53 <= abs(x) < 1e21)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4)
    ),
)


@given(JSON)
def test_canonical_json_round_trips(value: object) -> None:
    """Canonical bytes parse to the same value and canonicalise to the same bytes."""
    data = canonical_bytes(value)
    assert parse_json(data, "test") == value
    assert canonical_bytes(parse_json(data, "test")) == data


@given(st.dictionaries(st.text(st.characters(codec="utf-8")), JSON, max_size=6))
def test_statements_round_trip(predicate: dict[str, object]) -> None:
    """A statement reads back from its signed bytes as it was, whatever its predicate holds."""
    statement = Statement((Subject("näme", {"sha256": "ab" * 32}),), "urn:test:v1", predicate)
    data = statement_bytes(statement)
    assert read_statement(data) == statement.to_dict()
    assert Statement.from_dict(read_statement(data)) == statement


def test_known_canonical_json() -> None:
    """The published example of RFC 8785 section 3.2.2 comes out byte for byte."""
    value = {
        "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/",
        "literals": [None, True, False],
    }
    expected = (
        '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )
    assert canonical_bytes(value).decode() == expected


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, 5.9e16, 2**53, -(2**53), b"x", {1: 2}, object(), "\ud800", {"\ud800": 1}]
)
def test_values_that_json_cannot_carry(value: object) -> None:
    """Values that would not survive are refused before they are signed."""
    with pytest.raises(InputError):
        canonical_bytes([value])


def test_too_deep_a_value() -> None:
    """A value nested too deeply is refused."""
    value: list[object] = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(InputError):
        canonical_bytes(value)
    while value:  # taken apart by hand: freeing it at once would recurse as deeply
        value = value[0]  # type: ignore[assignment]


def test_known_pre_authentication_encoding() -> None:
    """The examples of the DSSE specification, lengths counted in bytes."""
    assert (
        pae("http://example.com/HelloWorld", b"hello world")
        == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )
    assert pae("", b"") == b"DSSEv1 0  0 "
    assert pae("é", "é".encode()) == "DSSEv1 2 é 2 é".encode()


def test_envelope_round_trip() -> None:
    """An envelope reads back from its stored form, and its signature is bound to payload, type and key."""
    envelope = sign_envelope(b"payload", MAKER)
    assert read_envelope(json.loads(envelope.to_json())) == envelope
    assert read_sigstore(to_sigstore(envelope)) == envelope
    verify_envelope(envelope, MAKER.public)
    with pytest.raises(VerificationError):
        verify_envelope(envelope, STRANGER.public)
    with pytest.raises(VerificationError):
        verify_envelope(sign_envelope(b"payload", MAKER, payload_type="text/plain"), STRANGER.public)


@given(st.binary(max_size=300))
def test_envelope_is_canonical_json(payload: bytes) -> None:
    """The stored form of an envelope is the canonical JSON of its members."""
    envelope = sign_envelope(payload, MAKER)
    assert canonical_bytes(json.loads(envelope.to_json())) == envelope.to_json()


@pytest.mark.parametrize(
    "text",
    ["AAA", "AAAA=", "AAB=", "AA-_", "AA\nAA", " AAAA", "AAAA\n", "AA==AA==", "A", "=", "é", None, 7, b"AAAA", []],
)
def test_loose_base64_is_refused(text: object) -> None:
    """URL-safe, unpadded, overlong, spaced base64 and base64 with unused bits set are refused."""
    with pytest.raises(VerificationError):
        b64decode(text, "test")


@given(st.binary(max_size=64), st.text(max_size=8))
def test_base64_has_one_form(data: bytes, other: str) -> None:
    """Base64 reads back, and what reads at all is what would be written."""
    assert b64decode(base64.b64encode(data).decode(), "test") == data
    with contextlib.suppress(VerificationError):
        assert base64.b64encode(b64decode(other, "test")).decode() == other


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b'{"a":1,"a":2}',
        b'[{"b":{"c":1,"c":1}}]',
        b"NaN",
        b"[Infinity]",
        b"-Infinity",
        b"1e400",
        b"\xff",
        b'"\\udc00"',
        b"\xef\xbb\xbf1",
        b"[" * 5000,
        b"1" * 5000,
        b"'a'",
        b"01",
        b"1 2",
        b"9007199254740992",
        b"-9007199254740993",
    ],
)
def test_loose_json_is_refused(data: bytes) -> None:
    """Repeated keys, numbers that are none, lone surrogates, byte-order marks and depth bombs are refused."""
    with pytest.raises(VerificationError) as caught:
        parse_json(data, "test")
    assert caught.value.link == "test"


@given(st.binary(max_size=100))
def test_arbitrary_json(data: bytes) -> None:
    """Arbitrary bytes parse or are refused in no other way than with a VerificationError."""
    with contextlib.suppress(VerificationError):
        parse_json(data, "test")


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-21T00:00:00",
        "2026-11-21T00:00:00z",
        "2026-11-21 00:00:00Z",
        "2026-11-21T00:00:00.5Z",
        "2026-02-30T00:00:00Z",
        "2026-11-21T24:00:00Z",
        "2026-11-21T00:00:00+00:00",
        "２026-11-21T00:00:00Z",
        "",
        None,
        7,
        "0000-01-01T00:00:00Z",
    ],
)
def test_loose_times_are_refused(text: object) -> None:
    """A time has one form: UTC, whole seconds, Z."""
    with pytest.raises(VerificationError):
        parse_time(text, "test")


@given(st.datetimes(timezones=st.just(UTC)))
def test_times_round_trip(time: datetime) -> None:
    """Times read back without their fraction, wherever they were taken."""
    assert parse_time(format_time(time), "test") == time.replace(microsecond=0)


def test_times_are_written_in_utc() -> None:
    """A local time is converted; one without a zone is refused."""
    assert format_time(NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))) == "2026-11-21T12:00:00Z"
    with pytest.raises(InputError):
        format_time(NOW.replace(tzinfo=None))


@pytest.mark.parametrize("text", ["", "01", "-1", "+1", "1 ", "１", "9" * 19, "9" * 30, "1\n", "0x1"])
def test_loose_numbers_are_refused(text: str) -> None:
    """Sizes have no sign, leading zeros, spaces or other digits, and an end."""
    with pytest.raises(VerificationError):
        parse_decimal(text, "test")


def test_leaf_is_small_and_plain() -> None:
    """The leaf has the documented members and nothing of the predicate or the subject's name."""
    entry = make_entry(3)
    assert json.loads(entry.leaf) == {
        "env": f"sha256:{entry.envelope.digest}",
        "kid": MAKER.keyid,
        "pt": make_statement(3).predicate_type,
        "sub": [f"dirHash:{make_statement(3).subjects[0].digest['dirHash']}"],
        "t": "2026-11-21T12:00:00Z",
        "v": 1,
    }
    assert len(entry.leaf) < 400


def test_leaf_that_cannot_be_small() -> None:
    """A statement whose predicate type alone fills a leaf is refused."""
    statement = Statement(make_statement(0).subjects, "urn:" + "x" * 5000, {})
    envelope = sign_envelope(statement_bytes(statement), MAKER)
    with pytest.raises(InputError):
        leaf_bytes(envelope, statement.to_dict(), NOW)
    assert read_leaf(leaf_bytes(envelope, statement.to_dict(), NOW, blind_secret=b"s")).blinds


def test_blinds_can_be_recomputed() -> None:
    """Who knows the secret can recognise the subject; another secret gives another value."""
    digest = f"dirHash:{make_statement(0).subjects[0].digest['dirHash']}"
    leaf = read_leaf(make_entry(0, secret=b"one").leaf)
    assert leaf.blinds == (blind(b"one", digest),)
    assert leaf.blinds != (blind(b"two", digest),)


@given(
    st.integers(0, 2**62),
    st.lists(st.binary(min_size=32, max_size=32), max_size=60),
    st.none() | st.binary(max_size=99),
)
def test_proof_files_round_trip(index: int, path: list[bytes], extra: bytes | None) -> None:
    """A proof file reads back as it was written."""
    proof = Proof(index, tuple(path), "origin\n7\nroot\n\n— name AAAA\n", extra)
    assert read_proof(write_proof(proof)) == proof


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "c2sp.org/tlog-proof@v1\n\nx",
        "c2sp.org/tlog-proof@v1\nindex 1",
        "c2sp.org/tlog-proof@v1\nindex 1\nAAAA\n\n",
        "c2sp.org/tlog-proof@v1\nextra %\nindex 1\n\n",
        "c2sp.org/tlog-proof@v1\nindex 1\n" + "A" * 43 + "=\n" * 70 + "\n",
    ],
)
def test_malformed_proof_files(text: object) -> None:
    """A proof file without head, index or whole hashes is refused."""
    with pytest.raises(VerificationError):
        read_proof(text)


def test_in_toto_reads_our_statements() -> None:
    """The in-toto library accepts our statement and gives back its members."""
    statement = pytest.importorskip("in_toto_attestation.v1.statement").Statement
    pb = pytest.importorskip("in_toto_attestation.v1.statement_pb2")
    json_format = pytest.importorskip("google.protobuf.json_format")
    ours = make_statement(1)
    theirs = json_format.Parse(statement_bytes(ours), pb.Statement())
    statement.copy_from_pb(theirs).validate()
    assert theirs.predicate_type == ours.predicate_type
    assert dict(theirs.subject[0].digest) == dict(ours.subjects[0].digest)
    assert json_format.MessageToDict(theirs) == ours.to_dict()


def test_in_toto_reads_our_test_result() -> None:
    """The in-toto library's binding of the test-result predicate accepts ours, extra members aside."""
    pb = pytest.importorskip("in_toto_attestation.predicates.test_result.v0.test_result_pb2")
    json_format = pytest.importorskip("google.protobuf.json_format")
    predicate = json.dumps(make_statement(1).to_dict()["predicate"])
    theirs = json_format.Parse(predicate, pb.TestResult(), ignore_unknown_fields=True)
    assert theirs.result == "PASSED"
    assert theirs.configuration[0].digest["sha256"] == "ab" * 32
