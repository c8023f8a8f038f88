"""Ed25519 keys: creating, storing and reading them, and checking signatures.

A private key is a PKCS #8 PEM file (https://www.rfc-editor.org/rfc/rfc5958) that only its owner may read. Its id is
SHA-256 over the DER SubjectPublicKeyInfo (https://www.rfc-editor.org/rfc/rfc8410).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from hallmarked.core.errors import BackendError, InputError, NotFound

SPKI_PREFIX = bytes.fromhex("302a300506032b6570032100")
"""DER of a SubjectPublicKeyInfo for Ed25519, up to the 32 bytes of the key."""
MAX_KEY_FILE = 1 << 14


def key_id(public: bytes) -> str:
    """Return a key's id: SHA-256 over its DER SubjectPublicKeyInfo, as lower-case hex.

    ``openssl pkey -pubin -in key.pub -outform DER | sha256sum`` prints the same.
    """
    return hashlib.sha256(SPKI_PREFIX + public).hexdigest()


def signed_by(public: bytes, signature: bytes, data: bytes) -> bool:
    """Say whether an Ed25519 signature over ``data`` is valid for a raw public key."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key, ready to sign."""

    private: Ed25519PrivateKey
    public: bytes
    """The 32 bytes of the public key."""
    keyid: str

    @classmethod
    def of(cls, private: Ed25519PrivateKey) -> SigningKey:
        """Wrap a private key."""
        public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return cls(private, public, key_id(public))

    @classmethod
    def generate(cls) -> SigningKey:
        """Make a new key in memory."""
        return cls.of(Ed25519PrivateKey.generate())

    def __repr__(self) -> str:
        return f"SigningKey({self.keyid})"

    def sign(self, data: bytes) -> bytes:
        """Sign bytes; the same bytes always give the same signature."""
        return self.private.sign(data)

    def public_pem(self) -> bytes:
        """Return the public half as PEM, for people and other tools."""
        return self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def create_key(path: Path, passphrase: str | None = None) -> SigningKey:
    """Make a new key and store it where no file is yet, readable by its owner only.

    Raises:
        InputError: When something is there already or the passphrase is empty.
        BackendError: When the file cannot be written.
    """
    if passphrase == "":
        raise InputError("the passphrase of a key must not be empty")
    key = SigningKey.generate()
    how = BestAvailableEncryption(passphrase.encode()) if passphrase is not None else NoEncryption()
    pem = key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how)
    try:
        _write_new(path, pem)
    except FileExistsError:
        raise InputError(f"there is a file at {path} already; a key is never overwritten") from None
    except OSError as error:
        raise BackendError(f"cannot write the key {path}: {error.strerror}") from error
    return key


def load_key(path: Path, passphrase: str | None = None) -> SigningKey:
    """Read a key.

    Raises:
        NotFound: When there is no such file.
        InputError: When others may read the file, it is no Ed25519 key or the passphrase does not open it.
        BackendError: When the file cannot be read.
    """
    try:
        # Without O_NONBLOCK opening a named pipe would wait for somebody to write to it.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(path, flags), "rb") as file:
            status = os.fstat(file.fileno())
            pem = file.read(MAX_KEY_FILE + 1) if stat.S_ISREG(status.st_mode) else b""
    except FileNotFoundError:
        raise NotFound(f"there is no key at {path}") from None
    except OSError as error:
        raise BackendError(f"cannot read the key {path}: {error.strerror}") from error
    if os.name == "posix" and status.st_mode & 0o077:
        raise InputError(f"the key {path} can be read or changed by others; run: chmod 600 {path}")
    try:
        private = load_pem_private_key(pem, passphrase.encode() if passphrase is not None else None)
    except TypeError:
        needs = "needs a passphrase" if passphrase is None else "has no passphrase, but one was given"
        raise InputError(f"the key {path} {needs}") from None
    except (ValueError, UnsupportedAlgorithm):
        raise InputError(f"{path} is not a private key in PEM form, or the passphrase is wrong") from None
    if not isinstance(private, Ed25519PrivateKey):
        raise InputError(f"the key {path} is not an Ed25519 key")
    return SigningKey.of(private)


def load_or_create_key(path: Path, passphrase: str | None = None) -> SigningKey:
    """Read the key at ``path``, or make one there. Safe to call from several processes at once.

    Raises:
        InputError: As :func:`load_key`.
        BackendError: When the file cannot be read or written.
    """
    with contextlib.suppress(NotFound):
        return load_key(path, passphrase)
    try:
        return create_key(path, passphrase)
    except InputError:
        return load_key(path, passphrase)  # another process was faster


def _write_new(path: Path, data: bytes) -> None:
    """Write a private file that nobody ever sees half-written, unless a file by that name exists."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        _write_exclusive(draft, data)
        try:
            os.link(draft, path)
        except FileExistsError:
            raise
        except OSError:  # a file system without hard links
            _write_exclusive(path, data)
    finally:
        draft.unlink(missing_ok=True)


def _write_exclusive(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
