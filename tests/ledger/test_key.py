"""Keys on disk and in trust files."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from hallmarked.core.errors import BackendError, InputError, NotFound, VerificationError
from hallmarked.ledger.dsse import sign_envelope
from hallmarked.ledger.key import SPKI_PREFIX, create_key, key_id, load_key, load_or_create_key, signed_by
from hallmarked.ledger.trust import Role, Trust, TrustedKey, dump_trust, load_trust, revoke, rotate
from tests.ledger.support import DAY, LOG_KEY, MAKER, NOW, STRANGER, TRUST

posix = pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")


def test_created_key_loads(tmp_path: Path) -> None:
    """A stored key signs as it did before."""
    made = create_key(tmp_path / "key.pem")
    loaded = load_key(tmp_path / "key.pem")
    assert (loaded.keyid, loaded.sign(b"x")) == (made.keyid, made.sign(b"x"))
    assert signed_by(made.public, loaded.sign(b"x"), b"x")
    assert not signed_by(made.public, loaded.sign(b"x"), b"y")
    assert not signed_by(b"short", loaded.sign(b"x"), b"x")
    assert [file.name for file in tmp_path.iterdir()] == ["key.pem"]


def test_private_key_is_not_shown() -> None:
    """Printing a key shows its id only."""
    assert repr(MAKER) == f"SigningKey({MAKER.keyid})"


@posix
def test_key_file_is_private(tmp_path: Path) -> None:
    """A key file has mode 0600 whatever the umask, and one that others can read is refused."""
    old = os.umask(0)
    try:
        create_key(tmp_path / "key.pem")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "key.pem").stat().st_mode) == 0o600
    for mode in (0o640, 0o604, 0o620, 0o660, 0o644):
        (tmp_path / "key.pem").chmod(mode)
        with pytest.raises(InputError, match="chmod 600"):
            load_key(tmp_path / "key.pem")


def test_key_is_never_overwritten(tmp_path: Path) -> None:
    """Creating a key where there is a file fails and leaves the file alone."""
    (tmp_path / "key.pem").write_text("precious")
    with pytest.raises(InputError, match="never overwritten"):
        create_key(tmp_path / "key.pem")
    assert (tmp_path / "key.pem").read_text() == "precious"


def test_passphrase(tmp_path: Path) -> None:
    """A passphrase encrypts the file and is needed to open it."""
    made = create_key(tmp_path / "key.pem", "correct horse")
    assert b"ENCRYPTED" in (tmp_path / "key.pem").read_bytes()
    assert load_key(tmp_path / "key.pem", "correct horse").keyid == made.keyid
    for wrong in (None, "wrong", ""):
        with pytest.raises(InputError):
            load_key(tmp_path / "key.pem", wrong)
    create_key(tmp_path / "plain.pem")
    with pytest.raises(InputError, match="no passphrase"):
        load_key(tmp_path / "plain.pem", "unneeded")
    with pytest.raises(InputError, match="empty"):
        create_key(tmp_path / "other.pem", "")


def test_files_that_are_no_keys(tmp_path: Path) -> None:
    """Missing files, folders, other texts and keys of another kind are told in one sentence."""
    with pytest.raises(NotFound):
        load_key(tmp_path / "none.pem")
    with pytest.raises(BackendError):
        load_key(tmp_path)
    curve = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for content in (b"", b"text", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", curve):
        (tmp_path / "other.pem").write_bytes(content)
        (tmp_path / "other.pem").chmod(0o600)
        with pytest.raises(InputError):
            load_key(tmp_path / "other.pem")
    (tmp_path / "file").write_text("")
    with pytest.raises((BackendError, InputError)):
        create_key(tmp_path / "file" / "key.pem")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_pipe_is_no_key(tmp_path: Path) -> None:
    """A named pipe does not make the reader wait for ever."""
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(InputError):
        load_key(tmp_path / "pipe")


def test_one_key_for_all_who_create_it(tmp_path: Path) -> None:
    """Many who load or create a key at once get the same one."""
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: load_or_create_key(tmp_path / "new" / "key.pem").keyid, range(16)))
    assert len(set(keys)) == 1


def test_key_is_created_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a file system without hard links a key is created too, and still never overwritten."""

    def refuse(*_: object) -> None:
        raise PermissionError(1, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    made = create_key(tmp_path / "key.pem")
    with pytest.raises(InputError):
        create_key(tmp_path / "key.pem")
    assert load_key(tmp_path / "key.pem").keyid == made.keyid


def test_key_id_is_openssls(tmp_path: Path) -> None:
    """The key id is SHA-256 over the SubjectPublicKeyInfo as OpenSSL writes it."""
    (tmp_path / "key.pub").write_bytes(MAKER.public_pem())
    command = ["openssl", "pkey", "-pubin", "-in", str(tmp_path / "key.pub"), "-outform", "DER"]
    try:
        der = subprocess.run(command, check=True, capture_output=True).stdout
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    assert der == SPKI_PREFIX + MAKER.public
    assert key_id(MAKER.public) == MAKER.keyid


WINDOWED = Trust(
    (
        replace(TRUST.keys[0], not_before=NOW - DAY, not_after=NOW + DAY),
        replace(TRUST.keys[1], revoked=NOW, reason="the machine was stolen"),
    )
)


@pytest.mark.parametrize("trust", [Trust(), TRUST, WINDOWED])
def test_trust_file_round_trip(trust: Trust) -> None:
    """A trust file reads back as it was written, plain and signed, and always has the same bytes."""
    assert load_trust(dump_trust(trust)) == trust
    signed = dump_trust(trust, STRANGER)
    assert load_trust(signed, STRANGER.public) == load_trust(signed) == trust
    assert signed == dump_trust(trust, STRANGER)


def test_root_key_is_required() -> None:
    """With a root key, unsigned, foreign-signed, changed and otherwise typed files are refused."""
    signed = dump_trust(TRUST, STRANGER)
    payload = dump_trust(TRUST)
    bad = [
        payload,
        dump_trust(TRUST, LOG_KEY),
        signed.replace(b'"sig":"', b'"sig":"AAAA'),
        sign_envelope(payload, STRANGER).to_json(),
    ]
    for data in bad:
        with pytest.raises(VerificationError):
            load_trust(data, STRANGER.public)


@pytest.mark.parametrize(
    "change",
    [
        lambda v: v.update(extra=1),
        lambda v: v.update(mediaType="x"),
        lambda v: v.update(keys=7),
        lambda v: v["keys"].append(v["keys"][0]),
        lambda v: v["keys"].append({**v["keys"][0], "role": "auditor"}),
        lambda v: v["keys"][0].update(role="root"),
        lambda v: v["keys"][0].update(role=[]),
        lambda v: v["keys"][0].update(name=None),
        lambda v: v["keys"][0].update(keyid="0" * 64),
        lambda v: v["keys"][0].update(publicKey=v["keys"][1]["publicKey"]),
        lambda v: v["keys"][0].update(publicKey=7),
        lambda v: v["keys"][0].update(notAfter="2026-11-21T00:00:00+00:00"),
        lambda v: v["keys"][0].update(revoked=True),
        lambda v: v["keys"][0].update(extra=1),
        lambda v: v["keys"][0].pop("name"),
    ],
)
def test_malformed_trust_files(change: Callable[[dict[str, Any]], object]) -> None:
    """A trust file with anything doubled, unknown or wrongly typed is refused; one key has one role."""
    value = json.loads(dump_trust(TRUST))
    change(value)
    with pytest.raises(VerificationError) as caught:
        load_trust(json.dumps(value).encode())
    assert caught.value.link == "trust"


@given(st.binary(max_size=200))
def test_arbitrary_trust_files(data: bytes) -> None:
    """Arbitrary bytes are refused in no other way than with a VerificationError."""
    with pytest.raises(VerificationError):
        load_trust(data)


def test_rotation_hands_over_at_one_instant() -> None:
    """A rotated key speaks until the handover and its successor from then on, in the same role and name."""
    trust = rotate(TRUST, MAKER.keyid, STRANGER.public, NOW)
    old, new = trust.find(MAKER.keyid), trust.find(STRANGER.keyid)
    assert old is not None
    assert new is not None
    assert (new.role, new.name) == (old.role, old.name) == (Role.MAKER, "Example Lab")
    assert old.refuses(NOW + DAY)
    assert new.refuses(NOW - DAY)
    assert not old.refuses(NOW - DAY)
    assert not new.refuses(NOW + DAY)


def test_revocation_ends_a_key() -> None:
    """From the revocation on a key does not speak any more, and its reason is told."""
    key = revoke(TRUST, MAKER.keyid, NOW, "the machine was stolen").find(MAKER.keyid)
    assert key is not None
    assert "stolen" in key.refuses(NOW)
    assert not key.refuses(NOW - DAY)


def test_rotations_that_make_no_sense() -> None:
    """Unknown, ended, revoked and doubled keys cannot be rotated; a revocation needs a reason and happens once."""
    revoked = revoke(TRUST, MAKER.keyid, NOW, "stolen")
    ended = Trust((TrustedKey(MAKER.public, Role.MAKER, "x", not_after=NOW - DAY),))
    for trust, old, new in (
        (TRUST, STRANGER.keyid, STRANGER.public),
        (TRUST, MAKER.keyid, LOG_KEY.public),
        (revoked, MAKER.keyid, STRANGER.public),
        (ended, MAKER.keyid, STRANGER.public),
    ):
        with pytest.raises(InputError):
            rotate(trust, old, new, NOW)
    for trust, reason in ((TRUST, ""), (revoked, "again")):
        with pytest.raises(InputError):
            revoke(trust, MAKER.keyid, NOW, reason)
