"""Which network addresses somebody else may make this machine speak to.

The networks are listed here, instead of asking :mod:`ipaddress` what it thinks of an address, because its answers
changed between Python versions. Sources: the IANA registries of special-purpose IPv4 and IPv6 addresses (RFC 6890), and
the addresses at which cloud providers serve their machines' secrets.
"""

from __future__ import annotations

import ipaddress
import re

from hallmarked.core.errors import Forbidden, InputError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_REFUSED_V4 = {
    "0.0.0.0/8": "this machine",
    "10.0.0.0/8": "a private network",
    "100.64.0.0/10": "a provider's internal network",
    "127.0.0.0/8": "this machine",
    "168.63.129.16/32": "a cloud provider's service for its own machines",
    "169.254.0.0/16": "a link-local network, where cloud providers serve secrets",
    "172.16.0.0/12": "a private network",
    "192.0.0.0/24": "reserved for protocols",
    "192.0.2.0/24": "reserved for examples",
    "192.31.196.0/24": "reserved for protocols",
    "192.52.193.0/24": "reserved for protocols",
    "192.88.99.0/24": "a relay between IPv4 and IPv6",
    "192.168.0.0/16": "a private network",
    "192.175.48.0/24": "reserved for protocols",
    "198.18.0.0/15": "reserved for measurements",
    "198.51.100.0/24": "reserved for examples",
    "203.0.113.0/24": "reserved for examples",
    "224.0.0.0/4": "a group of machines",
    "240.0.0.0/4": "reserved",
}
_REFUSED_V6 = {
    "2001::/23": "reserved for protocols and tunnels",
    "2001:db8::/32": "reserved for examples",
    "2002::/16": "a tunnel to an IPv4 address",
    "2620:4f:8000::/48": "reserved for protocols",
    "3fff::/20": "reserved for examples",
}
_V4 = {ipaddress.IPv4Network(network): why for network, why in _REFUSED_V4.items()}
_V6 = {ipaddress.IPv6Network(network): why for network, why in _REFUSED_V6.items()}
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
"""All that is routed on the internet. Outside lie loopback, private (fc00::/7), link-local, multicast, IPv4-mapped
(::ffff:0:0/96), IPv4-compatible and NAT64 (64:ff9b::/96) addresses."""

_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")


def problem(address: Address) -> str:
    """Say why nobody may make this machine speak to an address; empty when they may."""
    if isinstance(address, ipaddress.IPv4Address):
        return next((why for network, why in _V4.items() if address in network), "")
    if address not in _GLOBAL_V6:
        return "not an address of the public internet"
    return next((why for network, why in _V6.items() if address in network), "")


def normalize_host(host: str) -> str:
    """Return a host in the one form that is compared: lower case, without a final dot or brackets.

    Numbers are addresses only in the form everybody reads alike: ``2130706433``, ``0x7f.1`` and ``0177.0.0.1`` are
    127.0.0.1 to some programs and names to others.

    Raises:
        InputError: When it is neither a name nor an address in its usual form.
    """
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    literal = parse(bare)
    if literal is not None:
        return str(literal)
    name = bare.removesuffix(".").lower()
    labels = name.split(".")
    if not name or len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise InputError(f"{host!r} is not the name of a host; a name outside of ASCII is written in its xn-- form")
    if _NUMBER.fullmatch(labels[-1]):
        raise InputError(f"{host!r} is an address in a form that programs read differently; write it as four numbers")
    return name


def parse(host: str) -> Address | None:
    """Return the address a host is, when it is one in its usual form. One that names a network card is none."""
    try:
        return None if "%" in host else ipaddress.ip_address(host)
    except ValueError:
        return None


def require_public(host: str, found: Address) -> None:
    """Make sure that an address may be spoken to.

    Raises:
        Forbidden: When it may not.
    """
    why = problem(found)
    if why:
        raise Forbidden(f"{host} leads to {found}, which is {why}; requests of other people do not go there")
