"""Strict readers of JSON, base64, times and numbers: one value has one way to be written.

Standard library only. JSON is https://www.rfc-editor.org/rfc/rfc8259 without its ambiguities, base64 is
https://www.rfc-editor.org/rfc/rfc4648#section-4, times are https://www.rfc-editor.org/rfc/rfc3339 in UTC.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from datetime import UTC, datetime
from typing import Any, NoReturn

from hallmarked.core.errors import InputError, VerificationError

MAX_SIZE = 1 << 62
"""No log is larger."""


def fail(link: str, message: str) -> NoReturn:
    """Refuse evidence.

    Raises:
        VerificationError: Always.
    """
    raise VerificationError(message, link=link)


def parse_json(data: bytes, link: str) -> Any:
    """Parse JSON that every parser reads alike (https://www.rfc-editor.org/rfc/rfc7493).

    No repeated keys, no NaN or infinity, no integers that a double cannot hold, no lone surrogates.

    Raises:
        VerificationError: When the bytes are anything else.
    """

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            raise ValueError("a key is repeated")
        return made

    def finite(text: str) -> float:
        if not math.isfinite(value := float(text)):
            raise ValueError("a number is not finite")
        return value

    def exact(text: str) -> int:
        if abs(value := int(text)) >= 1 << 53:
            raise ValueError("an integer is above 2^53; such numbers must be texts")
        return value

    hooks: Any = {"object_pairs_hook": unique, "parse_float": finite, "parse_constant": finite, "parse_int": exact}
    try:
        text = data.decode("utf-8")
        value = json.loads(text, **hooks)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise VerificationError(f"the {_NAMES.get(link, link)} {_say(error, len(data))}", link=link) from None
    return value


_NAMES = {"bundle": "evidence file", "trust": "trust file"}


def _say(error: Exception, size: int) -> str:
    """Say what is wrong with JSON in words for people who never wrote any."""
    if isinstance(error, UnicodeDecodeError):
        return "is damaged: it holds bytes that are not text"
    if isinstance(error, RecursionError):
        return "is nested too deeply"
    if not isinstance(error, json.JSONDecodeError):
        return f"cannot be trusted to mean one thing: {error}"
    if not error.doc.strip():
        return "is empty"
    if error.pos >= len(error.doc.rstrip()) or error.msg.startswith("Unterminated"):
        return f"is cut off after {size:,} bytes"
    return f"is not JSON, or is damaged, from line {error.lineno} on"


def members(value: Any, required: str, optional: str = "", *, link: str) -> dict[str, Any]:
    """Return a JSON object that has exactly these members (names separated by spaces).

    Raises:
        VerificationError: When it is no object, lacks a member or has an unknown one.
    """
    needed, allowed = set(required.split()), set(required.split()) | set(optional.split())
    if not isinstance(value, dict) or not needed <= value.keys() <= allowed:
        fail(link, f"the {link} must be an object with the members {', '.join(sorted(needed))} and no unknown ones")
    return value


def b64decode(text: Any, link: str) -> bytes:
    """Decode standard padded base64; one value has one encoding.

    Raises:
        VerificationError: When the text is URL-safe, unpadded, has spaces or unused bits set.
    """
    try:
        data = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except (binascii.Error, ValueError):
        data = b""
    if not isinstance(text, str) or base64.b64encode(data).decode() != text:
        fail(link, f"the {link} holds text that is not standard base64")
    return data


def parse_time(text: Any, link: str) -> datetime:
    """Parse an RFC 3339 time in UTC with whole seconds, e.g. ``2026-11-21T00:00:00Z``.

    Raises:
        VerificationError: When it is written in any other way.
    """
    if isinstance(text, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text, re.ASCII):
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass
    fail(link, f"the {link} holds a time that is not like 2026-11-21T00:00:00Z")


def parse_decimal(text: str, link: str) -> int:
    """Parse a decimal number without sign or leading zeros.

    Raises:
        VerificationError: When it is not, or is larger than any log.
    """
    if not re.fullmatch(r"0|[1-9][0-9]{0,18}", text, re.ASCII) or int(text) > MAX_SIZE:
        fail(link, f"the {link} holds a size or index that is not a plain decimal number")
    return int(text)


def format_time(time: datetime) -> str:
    """Write a time as RFC 3339 in UTC; fractions of a second are cut off.

    Raises:
        InputError: When the time has no time zone.
    """
    if time.tzinfo is None:
        raise InputError("a time needs a time zone")
    return time.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def write_json(value: Any) -> bytes:
    """Write texts, lists and objects the one way we always do: sorted keys, UTF-8, two spaces of indent."""
    return json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True).encode() + b"\n"
