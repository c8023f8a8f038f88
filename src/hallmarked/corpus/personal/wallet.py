"""Addresses of crypto wallets, by their checksums.

Base58Check: https://en.bitcoin.it/wiki/Base58Check_encoding; Bech32 and Bech32m: BIP 173 and BIP 350; Ethereum:
EIP-55; Monero: https://docs.getmonero.org/public-address/standard-address/.
"""

from __future__ import annotations

import hashlib
import re

from hallmarked.corpus.personal.keccak import keccak256
from hallmarked.corpus.personal.model import Span, Strength
from hallmarked.corpus.personal.recogniser import Shape, Supported, found
from hallmarked.corpus.personal.word import words_of

_BITCOIN = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_RIPPLE = "rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz"
_VERSIONS = frozenset(
    bytes.fromhex(version)
    for version in ("00", "05", "30", "32", "1e", "16", "4c", "10", "41", "1cb8", "1cbd", "80", "b0", "9e")
)
"""First bytes of addresses: Bitcoin, Litecoin, Dogecoin, Dash, Tron, Zcash; and of private keys in the same form."""
_KEYS = frozenset({b"\x80", b"\xb0", b"\x9e"})
_PREFIXES = frozenset(
    (
        "bc",
        "ltc",
        "addr",
        "stake",
        "cosmos",
        "osmo",
        "celestia",
        "inj",
        "kava",
        "juno",
        "akash",
        "sei",
        "terra",
        "dydx",
        "zs",
        "vtc",
        "dgb",
        "npub",
        "nsec",
    )
)
"""Human-readable parts of Bech32 addresses that are recognised."""
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_BASE58 = re.compile(r"(?<![^\W_])[1-9A-HJ-NP-Za-km-z]{26,52}(?![^\W_])")
_SEGWIT = re.compile(r"(?<![^\W_])(?P<prefix>[a-z]{2,10})1(?P<data>[02-9ac-hj-np-z]{38,110})(?![^\W_])", re.IGNORECASE)
_ETHER = re.compile(r"(?<![^\W_])0x[0-9a-fA-F]{40}(?![^\W_])")
_MONERO = re.compile(r"(?<![^\W_])[48][1-9A-HJ-NP-Za-km-z]{94}(?![^\W_])")


def _decode58(text: str, alphabet: str) -> bytes:
    number = 0
    for c in text:
        number = number * 58 + alphabet.index(c)
    zeros = len(text) - len(text.lstrip(alphabet[0]))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def version_of(text: str, alphabet: str = _BITCOIN) -> bytes | None:
    """Return the version bytes of a Base58Check text with a sound checksum; None for anything else."""
    data = _decode58(text, alphabet)
    if not 25 <= len(data) <= 38 or hashlib.sha256(hashlib.sha256(data[:-4]).digest()).digest()[:4] != data[-4:]:
        return None
    return data[: 2 if len(data) == 26 and data[0] == 0x1C else 1]


def is_bech32(prefix: str, data: str) -> bool:
    """Check the checksum of a Bech32 or Bech32m text."""
    check = 1
    values = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix] + [_BECH32.index(c) for c in data]
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_GENERATOR):
            check ^= generator if top >> bit & 1 else 0
    return check in (1, 0x2BC830A3)


def is_eip55(address: str) -> bool:
    """Check an Ethereum address by its capital letters."""
    digits = address[2:]
    digest = keccak256(digits.lower().encode()).hex()
    return all(c.isdigit() or c.isupper() == (int(d, 16) >= 8) for c, d in zip(digits, digest, strict=False))


def _base58(match: re.Match[str], _supported: Supported) -> Span | None:
    text = match[0]
    if not any(c.isdigit() for c in text) or text.isdigit() or len(set(text)) < 10:
        return None
    version = version_of(text)
    if version in _VERSIONS:
        return found(match, "private-key" if version in _KEYS else "crypto-wallet", Strength.CHECKED)
    if text[0] == "r" and version_of(text, _RIPPLE) == b"\0":
        return found(match, "crypto-wallet", Strength.CHECKED)
    return None


def _bech32(match: re.Match[str], _supported: Supported) -> Span | None:
    prefix, data = match["prefix"].lower(), match["data"].lower()
    mixed = match[0] not in (match[0].lower(), match[0].upper())
    if mixed or prefix not in _PREFIXES or not is_bech32(prefix, data):
        return None
    return found(match, "private-key" if prefix == "nsec" else "crypto-wallet", Strength.CHECKED)


def _ether(match: re.Match[str], supported: Supported) -> Span | None:
    digits = match[0][2:]
    if len(set(digits.lower())) < 6:
        return None
    if digits in (digits.lower(), digits.upper()):  # written without the check
        return found(match, "crypto-wallet", Strength.LIKELY) if supported() else None
    return found(match, "crypto-wallet", Strength.CHECKED) if is_eip55(match[0]) else None


def _monero(match: re.Match[str], _supported: Supported) -> Span | None:
    sizes, data = (0, 2, 3, 5, 6, 7, 9, 10, 11), b""
    for start in range(0, 95, 11):
        block = match[0][start : start + 11]
        number = int.from_bytes(_decode58(block, _BITCOIN), "big")
        size = 8 if len(block) == 11 else sizes.index(len(block))
        if number >> (8 * size):
            return None
        data += number.to_bytes(size, "big")
    return found(match, "crypto-wallet", Strength.CHECKED) if keccak256(data[:-4])[:4] == data[-4:] else None


WALLETS = (
    Shape(
        "crypto-wallet",
        (r"[^0-9A-Za-z][1359ADKLMQTXcrt][1-9A-HJ-NP-Za-km-z]{25}",),
        _BASE58,
        _base58,
        30,
        30,
    ),
    Shape(
        "crypto-wallet",
        (
            r"(?i)(?:bc|ltc|addr|stake|cosmos|osmo|celestia|inj|kava|juno|akash|sei|terra|dydx|zs|vtc|dgb|npub|nsec)1[02-9ac-hj-np-z]{20}",
        ),
        _SEGWIT,
        _bech32,
        40,
        110,
    ),
    Shape("crypto-wallet", (r"0x[0-9a-fA-F]{40}[^0-9a-zA-Z]",), _ETHER, _ether, 46, 2, words_of("wallet")),
    Shape("crypto-wallet", (r"[48][1-9A-HJ-NP-Za-km-z]{94}[^1-9A-Za-z]",), _MONERO, _monero, 98, 2),
)
