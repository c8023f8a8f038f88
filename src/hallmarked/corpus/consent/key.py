"""The registry's key: what makes a digest of an identifier useless to whoever has only the digests.

A plain hash of an e-mail address is no secret: all addresses can be tried in minutes. HMAC-SHA-256
(https://www.rfc-editor.org/rfc/rfc2104) under a key that is kept elsewhere cannot be tried without that key.

The key has layers. Identifiers are not kept, so digests cannot be made anew when the key has to change; instead a layer
is put over those there are: ``HMAC(new, HMAC(old, identifier))``. Who learned the old layer alone learns nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from hallmarked.core.errors import BackendError, InputError, NotFound

SIZE = 32
"""Bytes of a layer."""
MAX_LAYERS = 64
HEADER = "hallmarked consent key 1"
_LAYER = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, repr=False)
class RegistryKey:
    """A key of one or more layers."""

    layers: tuple[bytes, ...]

    def __repr__(self) -> str:
        return f"RegistryKey({self.id})"

    @property
    def id(self) -> str:
        """Name of the key with all its layers, which reveals nothing of it."""
        return self.digest(b"id", b"", 16).hex()

    def digest(self, label: bytes, data: bytes, size: int = SIZE) -> bytes:
        """Return the keyed digest of data.

        Args:
            label: What kind of data it is: equal data of two kinds have unlike digests.
            data: What to digest.
            size: Bytes of the digest.
        """
        made = hmac.digest(self.layers[0], b"hallmarked consent 1\0%s\0%s" % (label, data), "sha256")[:size]
        for layer in self.layers[1:]:
            made = hmac.digest(layer, made, "sha256")[:size]
        return made

    def cover(self, digest: bytes) -> bytes:
        """Put the newest layer over a digest that was made with all layers below it."""
        return hmac.digest(self.layers[-1], digest, "sha256")[: len(digest)]

    def renew(self) -> RegistryKey:
        """Return the key with one more layer.

        Raises:
            InputError: When it has as many as it may.
        """
        if len(self.layers) >= MAX_LAYERS:
            raise InputError(f"the key was renewed {MAX_LAYERS} times; begin a new list")
        return RegistryKey((*self.layers, secrets.token_bytes(SIZE)))


def create_key() -> RegistryKey:
    """Make a new key in memory."""
    return RegistryKey((secrets.token_bytes(SIZE),))


def load_key(path: Path) -> RegistryKey:
    """Read a key from its file.

    Raises:
        NotFound: When there is no such file.
        InputError: When others may read it, or it is no key.
        BackendError: When it cannot be read.
    """
    text = read_private(path)
    head, *lines = text.splitlines() or [""]
    if head != HEADER or not 0 < len(lines) <= MAX_LAYERS or not all(_LAYER.fullmatch(line) for line in lines):
        raise InputError(f"{path} is not a key of a consent registry")
    return RegistryKey(tuple(bytes.fromhex(line) for line in lines))


def save_key(path: Path, key: RegistryKey, *, replace: bool = False) -> None:
    """Write a key into a file that only its owner may read.

    Raises:
        InputError: When there is a file already that is not to be replaced.
        BackendError: When it cannot be written.
    """
    text = "\n".join([HEADER, *(layer.hex() for layer in key.layers)]) + "\n"
    write_private(path, text, replace=replace)


def read_private(path: Path, limit: int = 1 << 14) -> str:
    """Read a small file that only its owner may read.

    Raises:
        NotFound: When there is no such file.
        InputError: When others may read it, or it is no small text.
        BackendError: When it cannot be read.
    """
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            data = file.read(limit + 1) if stat.S_ISREG(mode) else b""
    except FileNotFoundError:
        raise NotFound(f"there is no key at {path}") from None
    except OSError as error:
        raise BackendError(f"cannot read the key {path}: {error.strerror}") from error
    if os.name == "posix" and mode & 0o077:
        raise InputError(f"the key {path} can be read or changed by others; run: chmod 600 {path}")
    if len(data) > limit or not data.isascii():
        raise InputError(f"{path} is not a key")
    return data.decode("ascii")


def write_private(path: Path, text: str, *, replace: bool) -> None:
    """Write a file that only its owner may read, whole or not at all.

    Raises:
        InputError: When there is a file already that is not to be replaced.
        BackendError: When it cannot be written.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            draft.replace(path)
        else:
            os.link(draft, path)
    except FileExistsError:
        raise InputError(f"there is a file at {path} already; a key is never overwritten") from None
    except OSError as error:
        raise BackendError(f"cannot write the key {path}: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)


def commitment(salt: bytes, data: bytes) -> str:
    """Commit to data: whoever has the salt can check what was committed to, nobody else can try guesses.

    Raises:
        InputError: When the salt is shorter than 16 bytes.
    """
    if len(salt) < 16:
        raise InputError("a salt has at least 16 bytes")
    return hashlib.sha256(b"hallmarked consent commitment 1\0%s%s%s" % (bytes([len(salt)]), salt, data)).hexdigest()
