"""Ask for a keyed value without showing what one asks about: the verifiable oblivious function of RFC 9497.

The asker blinds an identifier, the registry multiplies it by its key and proves that it used the same key as for
everybody else, and the asker takes the blinding off. The registry learns nothing of the identifier, the asker nothing
of the key. Suite: ristretto255-SHA512, mode 1 (https://www.rfc-editor.org/rfc/rfc9497#section-3.3.2); hashing to the
group and to scalars by RFC 9380. The group itself is libsodium's.

NOTE: the RFC hashes the identifier into the final value once more (``Finalize``). Here the final value is made of the
group element alone (:func:`final_value`), because a registry that keeps no identifiers could not renew its key
otherwise: elements under an old key become those under a new one by one multiplication (:func:`rekey`).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

import rbcl

from hallmarked.core.errors import InputError, VerificationError

SIZE = 32
"""Bytes of an element and of a scalar."""
MOST = 64
"""Elements that are evaluated at once."""
_CONTEXT = b"OPRFV1-\x01-ristretto255-SHA512"
_IDENTITY = bytes(SIZE)
_ONE = (1).to_bytes(SIZE, "little")
_BASE: bytes = rbcl.crypto_scalarmult_ristretto255_base(_ONE)


@dataclass(frozen=True, slots=True, repr=False)
class Blinded:
    """What an asker keeps to itself, and what it sends."""

    blind: bytes
    element: bytes
    """This is sent; it is a random element whatever is asked about."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What the registry answers."""

    elements: tuple[bytes, ...]
    proof: bytes
    """That all were multiplied by the key that the public key belongs to: challenge and response."""


def create_secret() -> bytes:
    """Make a key for evaluating: a random scalar other than zero."""
    made: bytes = rbcl.crypto_core_ristretto255_scalar_random()
    return made


def public_key(secret: bytes) -> bytes:
    """Return the public key of a secret one.

    Raises:
        InputError: When the secret is none.
    """
    try:
        made: bytes = rbcl.crypto_scalarmult_ristretto255_base(secret)
    except (RuntimeError, TypeError, ValueError):
        raise InputError("this is not a key for private look-up") from None
    return made


def blind(data: bytes, scalar: bytes | None = None) -> Blinded:
    """Blind an input.

    Args:
        data: The input.
        scalar: For tests with published values; otherwise it is random.
    """
    scalar = scalar or create_secret()
    return Blinded(scalar, _multiply(scalar, hash_to_group(data)))


def evaluate(secret: bytes, elements: Sequence[bytes], scalar: bytes | None = None) -> Evaluation:
    """Answer an asker.

    Args:
        secret: The registry's key.
        elements: What was sent.
        scalar: For tests with published values; otherwise it is random.

    Raises:
        InputError: When there are none or too many, or one is no element of the group.
    """
    if not 0 < len(elements) <= MOST:
        raise InputError(f"between 1 and {MOST} blinded identifiers can be asked about at once")
    made = tuple(_multiply(secret, _checked(element)) for element in elements)
    public = public_key(secret)
    middle, _ = _composites(public, elements, made)
    last = _multiply(secret, middle)
    scalar = scalar or create_secret()
    challenge = _challenge(public, middle, last, _multiply(scalar, _BASE), _multiply(scalar, middle))
    product = rbcl.crypto_core_ristretto255_scalar_mul(challenge, secret)
    return Evaluation(made, challenge + rbcl.crypto_core_ristretto255_scalar_sub(scalar, product))


def unblind(blinded: Sequence[Blinded], answer: Evaluation, public: bytes) -> list[bytes]:
    """Check the registry's proof, and take the blinding off.

    Args:
        blinded: What was asked about.
        answer: The registry's answer.
        public: The registry's public key.

    Raises:
        VerificationError: When the answer was not made with the key that goes with the public one.
    """
    if len(answer.elements) != len(blinded) or len(answer.proof) != 2 * SIZE:
        raise VerificationError("the registry answered something else than was asked", link="look-up")
    try:
        _verify([item.element for item in blinded], answer, _checked(public))
    except InputError as error:
        raise VerificationError(f"the registry's answer cannot be used: {error}", link="look-up") from None
    inverse = rbcl.crypto_core_ristretto255_scalar_invert
    pairs = zip(blinded, answer.elements, strict=True)
    return [_multiply(inverse(item.blind), element) for item, element in pairs]


def evaluate_plain(secret: bytes, data: bytes) -> bytes:
    """Return the element for an input that is known."""
    return _multiply(secret, hash_to_group(data))


def rekey(old: bytes, new: bytes, element: bytes) -> bytes:
    """Return the element under a new key for one under an old key, without the input.

    Raises:
        InputError: When it is no element of the group.
    """
    factor = rbcl.crypto_core_ristretto255_scalar_mul(new, rbcl.crypto_core_ristretto255_scalar_invert(old))
    return _multiply(factor, _checked(element))


def final_value(element: bytes) -> bytes:
    """Return the 64 bytes that an element stands for in a published list."""
    return hashlib.sha512(b"hallmarked consent look-up 1\0" + element).digest()


def hash_to_group(data: bytes) -> bytes:
    """Map an input to an element of the group (RFC 9380, ``hash_to_ristretto255``)."""
    made: bytes = rbcl.crypto_core_ristretto255_from_hash(_expand(data, b"HashToGroup-" + _CONTEXT))
    return made


def _verify(sent: Sequence[bytes], answer: Evaluation, public: bytes) -> None:
    for element in answer.elements:
        _checked(element)
    middle, last = _composites(public, sent, answer.elements)
    challenge, response = answer.proof[:SIZE], answer.proof[SIZE:]
    # Multiplying by zero is no error here: a made-up proof may have any numbers.
    times = rbcl.crypto_scalarmult_ristretto255_allow_scalar_zero
    add = rbcl.crypto_core_ristretto255_add
    first = add(times(response, _BASE), times(challenge, public))
    second = add(times(response, middle), times(challenge, last))
    if not hmac.compare_digest(_challenge(public, middle, last, first, second), challenge):
        raise VerificationError(
            "the registry did not use the key it announced, so nothing it says counts", link="look-up"
        )


def _composites(public: bytes, sent: Sequence[bytes], made: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Fold all pairs into one (RFC 9497, ``ComputeComposites``)."""
    seed = hashlib.sha512(_framed(public, b"Seed-" + _CONTEXT)).digest()
    middle = last = _IDENTITY
    for number, (one, other) in enumerate(zip(sent, made, strict=True)):
        transcript = _framed(seed) + number.to_bytes(2, "big") + _framed(one, other) + b"Composite"
        weight = _to_scalar(transcript)
        middle = rbcl.crypto_core_ristretto255_add(middle, _multiply(weight, one))
        last = rbcl.crypto_core_ristretto255_add(last, _multiply(weight, other))
    return middle, last


def _challenge(*elements: bytes) -> bytes:
    return _to_scalar(_framed(*elements) + b"Challenge")


def _to_scalar(data: bytes) -> bytes:
    made: bytes = rbcl.crypto_core_ristretto255_scalar_reduce(_expand(data, b"HashToScalar-" + _CONTEXT))
    return made


def _multiply(scalar: bytes, element: bytes) -> bytes:
    made: bytes = rbcl.crypto_scalarmult_ristretto255(scalar, element)
    return made


def _checked(element: bytes) -> bytes:
    """Return what was received if it is an element other than the identity.

    Raises:
        InputError: When it is not.
    """
    if len(element) != SIZE or element == _IDENTITY or not rbcl.crypto_core_ristretto255_is_valid_point(element):
        raise InputError("a blinded identifier is an element of ristretto255, in 32 bytes")
    return element


def _framed(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(2, "big") + part for part in parts)


def _expand(data: bytes, tag: bytes) -> bytes:
    """Return 64 uniform bytes (RFC 9380, ``expand_message_xmd`` with SHA-512)."""
    tag += bytes([len(tag)])
    first = hashlib.sha512(bytes(128) + data + b"\0\x40\0" + tag).digest()
    return hashlib.sha512(first + b"\x01" + tag).digest()
