"""The key of an owner of data sets: it alone turns contents into identifiers, and it cannot turn one into two.

RSA with 2,048 bits and the exponent 65,537. An owner could make a modulus for which some messages have several valid
signatures; then all but one message in 65,537 have none. A published key therefore comes with signatures over
:data:`CHALLENGES` messages that follow from the modulus: that all of them exist shows that it is no such modulus
(S. Goldberg, L. Reyzin, O. Sagga, F. Baldimtsi, "Efficient Noninteractive Certification of RSA Moduli and Beyond",
2019), except with a probability below 2^-127.
"""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPublicKey,
    RSAPublicNumbers,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from hallmarked.core.errors import BackendError, InputError, NotFound
from hallmarked.corpus.proof.identifier import (
    challenge_message,
    drawer_message,
    drawer_of,
    identifier,
    salt_of,
)
from hallmarked.ledger.strict import b64decode, fail, members

BITS, EXPONENT = 2048, 65537
CHALLENGES = 8
"""Each would be missing but for one bad modulus in 65,537."""
MAX_KEY_FILE = 1 << 14
_PADDING, _HASH = PKCS1v15(), SHA256()


class RowKey:
    """The private key of an owner. Signs drawers, each once."""

    def __init__(self, private: RSAPrivateKey) -> None:
        self._private = private
        self._signatures: dict[int, bytes] = {}
        self._salts: dict[int, bytes] = {}

    @classmethod
    def generate(cls) -> RowKey:
        """Make a new key in memory."""
        return cls(generate_private_key(EXPONENT, BITS))

    def open_drawer(self, drawer: int) -> bytes:
        """Return the signature that opens a drawer; whoever sees it can test guesses of the contents in it."""
        if drawer not in self._signatures:
            self._signatures[drawer] = self._private.sign(drawer_message(drawer), _PADDING, _HASH)
        return self._signatures[drawer]

    def identify(self, digest: bytes) -> bytes:
        """Return the identifier of a content, given its digest."""
        drawer = drawer_of(digest)
        if drawer not in self._salts:
            self._salts[drawer] = salt_of(self.open_drawer(drawer))
        return identifier(self._salts[drawer], digest)

    def publish(self) -> dict[str, Any]:
        """Return the public half as JSON, with what shows that it gives one signature per message."""
        modulus = _modulus_bytes(self._private.public_key())
        signed = [self._private.sign(challenge_message(modulus, n), _PADDING, _HASH) for n in range(CHALLENGES)]
        return {
            "modulus": base64.b64encode(modulus).decode(),
            "exponent": EXPONENT,
            "challenges": [base64.b64encode(signature).decode() for signature in signed],
        }

    def dump(self) -> bytes:
        """Write the private key as PEM (PKCS #8)."""
        return self._private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@dataclass(frozen=True, slots=True)
class PublicRowKey:
    """The public half, shown to give one signature per message."""

    public: RSAPublicKey

    def check_drawer(self, drawer: int, signature: bytes) -> bytes:
        """Return the salt of a drawer.

        Raises:
            VerificationError: When the signature is not the one that opens it.
        """
        try:
            self.public.verify(signature, drawer_message(drawer), _PADDING, _HASH)
        except InvalidSignature:
            fail("drawer", "the proof's identifier was not made with the key of the data set's owner")
        return salt_of(signature)


def read_public_key(value: Any) -> PublicRowKey:
    """Read what :meth:`RowKey.publish` returned, and check it.

    Raises:
        VerificationError: When it is something else, or may give several signatures per message.
    """
    row = members(value, "challenges exponent modulus", link="row key")
    modulus = b64decode(row["modulus"], "row key")
    challenges = row["challenges"]
    if len(modulus) != BITS // 8 or not modulus[0] & 0x80 or not modulus[-1] & 1 or row["exponent"] != EXPONENT:
        fail("row key", f"the key of the rows is not an RSA key of {BITS:,} bits with the exponent {EXPONENT}")
    if not isinstance(challenges, list) or len(challenges) != CHALLENGES:
        fail("row key", f"the key of the rows does not come with {CHALLENGES} signatures")
    public = RSAPublicNumbers(EXPONENT, int.from_bytes(modulus, "big")).public_key()
    for number, challenge in enumerate(challenges):
        try:
            public.verify(b64decode(challenge, "row key"), challenge_message(modulus, number), _PADDING, _HASH)
        except InvalidSignature:
            fail("row key", "the key of the rows is not shown to give one identifier per content")
    return PublicRowKey(public)


def load_row_key(path: Path) -> RowKey:
    """Read a key that only its owner can read.

    Raises:
        NotFound: When there is none.
        InputError: When others can read it, or it is something else.
        BackendError: When it cannot be read.
    """
    try:
        with path.open("rb") as stream:
            mode, data = os.fstat(stream.fileno()).st_mode, stream.read(MAX_KEY_FILE)
    except FileNotFoundError:
        raise NotFound(f"there is no key of rows at {path}") from None
    except OSError as error:
        raise BackendError(f"cannot read the key of rows {path}: {error.strerror}") from error
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
        raise InputError(f"others may read the key of rows {path}; run chmod 600 on it, or make a new one")
    try:
        private = load_pem_private_key(data, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InputError(f"{path} is not a key of rows") from error
    if not isinstance(private, RSAPrivateKey) or private.key_size != BITS:
        raise InputError(f"{path} is not a key of rows, which is an RSA key of {BITS:,} bits")
    if private.public_key().public_numbers().e != EXPONENT:
        raise InputError(f"{path} is not a key of rows: its exponent is not {EXPONENT}")
    return RowKey(private)


def create_row_key(path: Path) -> RowKey:
    """Make a new key and store it where no file is yet, readable by its owner only.

    Raises:
        InputError: When something is there already.
        BackendError: When the file cannot be written.
    """
    key = RowKey.generate()
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(key.dump())
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)  # unlike a rename, it never replaces what is there
    except FileExistsError:
        raise InputError(f"there is a file at {path} already; a key is never overwritten") from None
    except OSError as error:
        raise BackendError(f"cannot write the key of rows {path}: {error.strerror}") from error
    finally:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
    return key


def _modulus_bytes(public: RSAPublicKey) -> bytes:
    return public.public_numbers().n.to_bytes(BITS // 8, "big")
