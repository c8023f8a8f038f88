"""The registry's keys, which lie outside of the database: a stolen copy of the database alone confirms nobody."""

from __future__ import annotations

import base64
import contextlib
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from hallmarked.core.errors import BackendError, InputError, NotFound
from hallmarked.corpus.consent.blind import create_secret, public_key
from hallmarked.corpus.consent.key import (
    RegistryKey,
    create_key,
    load_key,
    read_private,
    save_key,
    write_private,
)
from hallmarked.hub.setting import Settings

FOLDER = "consent"
"""Folder in the data folder, unless the settings name another one."""
DIGEST, LOOKUP = "digest.key", "lookup.key"
NONCE = 12


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """What the registry needs beside its database."""

    digest: RegistryKey
    lookups: tuple[bytes, ...]
    """Secret scalars of private look-up, the current one last."""

    @property
    def lookup(self) -> bytes:
        """Current secret scalar of private look-up."""
        return self.lookups[-1]

    @property
    def public(self) -> bytes:
        """Public key of private look-up."""
        return public_key(self.lookup)

    @property
    def epoch(self) -> str:
        """Name of the key of private look-up: a list and an answer belong together when they have the same one."""
        return epoch_of(self.lookup)

    @property
    def filler(self) -> bytes:
        """Secret from which lines that mean nothing are made."""
        return self._first.digest(b"filler", self.lookup)

    def salt(self, nonce: str) -> bytes:
        """Return the salt of a request. Without the nonce, nobody can make it any more; without the key neither."""
        return self._first.digest(b"salt", nonce.encode())

    def caller(self, day: int, name: str) -> str:
        """Return what is kept of who asks on a day; it stays the same when keys are renewed, so that counts do."""
        return self._first.digest(b"meter", f"{day}\0{name}".encode(), 16).hex()

    def seal(self, text: bytes, about: str) -> str:
        """Encrypt what only somebody with the key may read.

        Args:
            text: What to encrypt.
            about: Id of the row it belongs to; it opens for that one only.
        """
        nonce = secrets.token_bytes(NONCE)
        return base64.b64encode(nonce + self._cipher.encrypt(nonce, text, about.encode())).decode()

    def unseal(self, sealed: str, about: str) -> bytes:
        """Decrypt it.

        Raises:
            BackendError: When it was sealed with another key, or is damaged.
        """
        try:
            data = base64.b64decode(sealed, validate=True)
            return self._cipher.decrypt(data[:NONCE], data[NONCE:], about.encode())
        except (InvalidTag, ValueError) as error:
            raise BackendError("what was sealed does not open with the registry's key") from error

    @property
    def _first(self) -> RegistryKey:
        """The layer that stays when the key is renewed."""
        return RegistryKey(self.digest.layers[:1])

    @property
    def _cipher(self) -> ChaCha20Poly1305:
        return ChaCha20Poly1305(self._first.digest(b"seal", b""))


def epoch_of(secret: bytes) -> str:
    """Name a key of private look-up."""
    return public_key(secret).hex()[:16]


def folder_of(settings: Settings) -> Path:
    """Return where the keys lie."""
    return Path(settings.consent.keys) if settings.consent.keys else settings.data / FOLDER


def open_keys(settings: Settings) -> Keys:
    """Read the keys, and make them when there are none.

    Raises:
        InputError: When one cannot be used, or others may read it.
        BackendError: When one cannot be read or made.
    """
    folder = folder_of(settings)
    return Keys(_digest(folder / DIGEST), _lookup(folder / LOOKUP))


def _digest(path: Path) -> RegistryKey:
    with contextlib.suppress(NotFound):
        return load_key(path)
    with contextlib.suppress(InputError):  # another process was faster
        save_key(path, create_key())
    return load_key(path)


def _lookup(path: Path) -> tuple[bytes, ...]:
    with contextlib.suppress(NotFound):
        return _read_lookup(path)
    with contextlib.suppress(InputError):  # another process was faster
        _write_lookup(path, (create_secret(),), replace=False)
    return _read_lookup(path)


def renew_keys(settings: Settings) -> Keys:
    """Put a layer over the key of digests and make a new key of private look-up; older ones are kept beside them.

    What is stored is brought up to date when it is next used, see ``hub.consent.listing``.

    Raises:
        InputError: When a key cannot be used.
        BackendError: When a file cannot be written.
    """
    keys, folder = open_keys(settings), folder_of(settings)
    made = Keys(keys.digest.renew(), (*keys.lookups, create_secret()))
    _write_lookup(folder / LOOKUP, made.lookups, replace=True)
    save_key(folder / DIGEST, made.digest, replace=True)
    return made


def _write_lookup(path: Path, secret: tuple[bytes, ...], *, replace: bool) -> None:
    write_private(path, "".join(f"{scalar.hex()}\n" for scalar in secret), replace=replace)


def _read_lookup(path: Path) -> tuple[bytes, ...]:
    try:
        found = tuple(bytes.fromhex(line) for line in read_private(path).splitlines())
    except ValueError:
        found = ()
    if not found:
        raise InputError(f"{path} is not a key of private look-up")
    for secret in found:
        public_key(secret)
    return found
