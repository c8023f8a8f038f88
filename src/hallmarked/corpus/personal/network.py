"""Addresses of machines: IPv4 (RFC 791), IPv6 (RFC 4291), MAC (IEEE 802)."""

from __future__ import annotations

import ipaddress
import re

from hallmarked.corpus.personal.model import Span, Strength
from hallmarked.corpus.personal.recogniser import Shape, Supported, found
from hallmarked.corpus.personal.word import words_of

_IPV4 = re.compile(r"(?<![\w.])(?<!\d[,-])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d|-[a-z]*\d)")
_IPV6 = re.compile(
    r"(?<![\w:.])(?=[0-9a-f]{0,4}:)[0-9a-f:]{2,39}(?::\d{1,3}(?:\.\d{1,3}){3})?(?![\w:]|\.\d)", re.IGNORECASE
)
_MAC = re.compile(
    r"(?<![\w:.-])(?:[0-9a-f]{2}(?P<by>[:-])(?:[0-9a-f]{2}(?P=by)){4}[0-9a-f]{2}|(?:[0-9a-f]{4}\.){2}[0-9a-f]{4})(?![\w:-]|\.\w)",
    re.IGNORECASE,
)
_VERSION = re.compile(
    r"(?:\b(?:v|ver|version|release|rev|revision|build|firmware|driver|oid|section|chapter|clause|sdk|rc|patch|update|upgrade[ds]?)"
    r"[\s.:=\"'(-]{0,4}(?:to |from |is |of )?|[A-Za-z]/|[@^~]|[<>=!]=[\s\"']*)$",
    re.IGNORECASE,
)


_OBJECTS = ("1.2.", "1.3.", "2.5.", "2.16.", "2.23.")
"""How object identifiers begin (ITU-T X.660)."""


def _ipv4(match: re.Match[str], supported: Supported) -> Span | None:
    parts = match[0].split(".")
    if any(int(part) > 255 or (len(part) > 1 and part[0] == "0") for part in parts):
        return None
    address = ipaddress.IPv4Address(match[0])
    if address.is_loopback or address.is_multicast or int(parts[0]) in (0, 255) or int(parts[0]) >= 240:
        return None
    doubtful = (
        all(len(part) == 1 for part in parts)
        or _VERSION.search(match.string[max(0, match.start() - 24) : match.start()])
        or match.string[match.end() : match.end() + 1] in ("-", "+")
        or match[0].startswith(_OBJECTS)
    )
    if doubtful and not supported():
        return None
    if parts[3] == "0" and re.match(r"/\d", match.string[match.end() : match.end() + 2]):  # a network
        return None
    shared = address.is_private or int(parts[3]) == 0
    return found(match, "ip-address", Strength.LIKELY if shared else Strength.CHECKED)


def _ipv6(match: re.Match[str], _supported: Supported) -> Span | None:
    value = match[0]
    if value.endswith(":") and not value.endswith("::"):
        value = value[:-1]
    groups = [group for group in value.split(":") if group]
    # Names in programs (std::a) and times (12:34:56) have colons too.
    if value.count(":") < 2 or not any(len(group) >= 3 for group in groups) or not any(c.isdigit() for c in value):
        return None
    try:
        address = ipaddress.IPv6Address(value)
    except ValueError:
        return None
    plain = address.ipv4_mapped or address
    if plain.is_loopback or plain.is_multicast or plain.is_unspecified or len(groups) < 2:
        return None
    return Span(match.start(), match.start() + len(value), "ip-address", Strength.CHECKED)


def _mac(match: re.Match[str], supported: Supported) -> Span | None:
    digits = re.sub(r"[^0-9a-f]", "", match[0].lower())
    if "." in match[0] and not supported():  # many tables are written like this
        return None
    if len(set(digits)) < 3 or digits.startswith(("01005e", "3333", "000000")):
        return None
    return found(match, "mac-address", Strength.LIKELY)


NETWORK = (
    Shape("ip-address", (r"[0-9]\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]",), _IPV4, _ipv4, 20, 10, words_of("ip")),
    Shape(
        "ip-address",
        (
            r":[0-9a-fA-F]{1,4}:[0-9a-fA-F]{1,4}:",
            r"(?i)[0-9a-f]{3}::",
            r"(?i)::[0-9a-f]{1,4}:",
            r"(?i)::[0-9a-f]{3}",
        ),
        _IPV6,
        _ipv6,
        44,
        44,
    ),
    Shape(
        "mac-address",
        (r"(?i)(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}[^0-9a-f]", r"(?i)(?:[0-9a-f]{4}\.){2}[0-9a-f]{4}[^0-9a-f]"),
        _MAC,
        _mac,
        22,
        4,
        words_of("mac"),
    ),
)
