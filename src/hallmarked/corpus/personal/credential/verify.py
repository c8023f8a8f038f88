"""Tell credentials from what only looks like one: checksums, structure, entropy, placeholders."""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
import string
import zlib
from collections import Counter

_BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
_PLACEHOLDER = re.compile(
    r"x{4,}|\*{3,}|\.{3,}|…|_{4,}|-{6,}|<[^>]*>|\$\{|\{\{|%\(|\$\(|"
    r"your|example|placeholder|dummy|changeme|change_me|redacted|insert|sample|todo|fake|secret_here|token_here|key_here|"
    r"hidden|masked|removed|replace_?me|foobar|lorem|12345678|87654321|abcdefgh|qwerty|deadbeef|0{8,}|1{8,}",
    re.IGNORECASE,
)
_RUN = re.compile(r"(.)\1{5,}")


def entropy(text: str) -> float:
    """Return the Shannon entropy of a text in bits per character."""
    total = len(text)
    return -sum(count / total * math.log2(count / total) for count in Counter(text).values()) if total else 0.0


def is_placeholder(text: str) -> bool:
    """Say whether a text stands in for a credential instead of being one."""
    return _PLACEHOLDER.search(text) is not None or _RUN.search(text) is not None or len(set(text)) < 6


def is_random(text: str, bits: float = 3.3) -> bool:
    """Say whether a text looks drawn by chance rather than written."""
    return not is_placeholder(text) and entropy(text) >= bits


def has_crc(token: str) -> bool:
    """Check the last six characters of a GitHub or npm token: CRC-32 of the random part, in base 62.

    See https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/.
    """
    body, check = token.partition("_")[2][:-6], token[-6:]
    number, digits = zlib.crc32(body.encode()), ""
    while number:
        number, rest = divmod(number, 62)
        digits = _BASE62[rest] + digits
    return digits.rjust(6, "0") == check


def decode_base64(text: str) -> bytes | None:
    """Return what base64 text stands for, in either alphabet and with or without padding; ``None`` when it is none."""
    plain = text.translate(str.maketrans("-_", "+/")).rstrip("=")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def is_jwt(token: str) -> bool:
    """Check header and payload of a JSON Web Token (https://www.rfc-editor.org/rfc/rfc7519)."""
    header, payload, signature = token.split(".")
    parts = [_json(decode_base64(header)), _json(decode_base64(payload))]
    algorithm = parts[0].get("alg") if parts[0] else None
    return isinstance(algorithm, str) and algorithm.lower() != "none" and bool(parts[1]) and is_random(signature)


def _json(data: bytes | None) -> dict[str, object]:
    if data is None or len(data) > 10_000 or data.count(b"{") + data.count(b"[") > 40:
        return {}
    try:
        value = json.loads(data)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def is_private_key(block: str) -> bool:
    """Check the body of a PEM block (https://www.rfc-editor.org/rfc/rfc7468): it must be a key by its structure."""
    label, body = _pem_parts(block)
    data = decode_base64(body) if len(body) >= 40 else None
    if data is None or len(set(data)) < 16:
        return False
    if "OPENSSH" in label:
        return data.startswith(b"openssh-key-v1\0")
    if "PGP" in label:
        return data[0] >= 0x80
    return _is_sequence(data)


def is_encrypted_key(block: str) -> bool:
    """Say whether a private key is itself protected by a passphrase."""
    _, body = _pem_parts(block)
    data = decode_base64(body) or b""
    sealed = data.startswith(b"openssh-key-v1\0") and not data[15:].startswith(b"\0\0\0\x04none")
    return "ENCRYPTED" in block[:300] or sealed


def _pem_parts(block: str) -> tuple[str, str]:
    text = block.replace("\\r", "").replace("\\n", "\n")
    label, _, rest = text.partition("-----\n") if "-----\n" in text else text[5:].partition("-----")
    body = rest.partition("-----END")[0]
    lines = [line.strip().strip("\"',+\\").strip() for line in body.splitlines()]
    return label, "".join(line for line in lines if line and ":" not in line and not line.startswith("="))


def _is_sequence(data: bytes) -> bool:
    """Say whether bytes are one DER sequence: a tag and a length that fits."""
    if len(data) < 16 or data[0] != 0x30:
        return False
    if data[1] < 0x80:
        return 2 + data[1] == len(data)
    count = data[1] & 0x7F
    return 1 <= count <= 4 and 2 + count + int.from_bytes(data[2 : 2 + count], "big") == len(data)


def is_discord(token: str) -> bool:
    """Check the first part of a Discord bot token: the number of the bot, in base64."""
    number = decode_base64(token.partition(".")[0])
    return number is not None and number.isdigit() and 16 <= len(number) <= 20


def is_macaroon(token: str) -> bool:
    """Check the beginning of an upload token that is a macaroon: version 2 with a location field."""
    data = decode_base64(token.partition("-")[2])
    return data is not None and data[:2] == b"\x02\x01" and is_random(token[40:])


def is_password(value: str) -> bool:
    """Say whether the value of something called a password or key looks like one: mixed, and no written word."""
    if is_placeholder(value) or not value.isascii():
        return False
    classes = [
        any(c in group for c in value) for group in (string.ascii_lowercase, string.ascii_uppercase, string.digits)
    ]
    if not classes[2] or not (classes[0] or classes[1]):
        return False
    if re.fullmatch(r"[a-zA-Z]+[\d]{0,4}", value) or re.search(r"[/\\]{1}\w+[/\\]|://|\s|[()\[\]{};]|::|->", value):
        return False
    words = re.split(r"[_.:/-]", value)
    if len(words) > 2 and sum(word.isalpha() for word in words) >= len(words) - 1:
        return False
    return entropy(value) >= (3.0 if len(value) < 16 else 3.4)
