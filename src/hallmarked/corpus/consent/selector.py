"""What a consent is about, each kind written in one way, so that everybody who means the same comes to the same digest.

The rules are part of the format of the list (:data:`RULES`): a change of them is a new version.

- ``account``: ``name``, ``host/name`` or an e-mail address; without regard to case, ``@`` before a name is dropped.
- ``repository``: ``owner/name`` or ``host/owner/name``; without regard to case, without ``https://`` and ``.git``.
- ``domain``: a host name in its ``xn--`` form, in lower case; it stands for all names below it as well.
- ``url``: an address without scheme, user, fragment, standard port and final ``/``, dots resolved; it stands for every
  address below it, segment by segment.
- ``content``: ``text-sha256:`` of the normal form of a text (:func:`normal_text`) or ``file-sha256:`` of the bytes of a
  file.
- ``similar``: the normal form of a text, for texts nearly like it (:mod:`hallmarked.corpus.consent.sketch`).
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from posixpath import normpath
from urllib.parse import SplitResult, quote, unquote, urlsplit

from hallmarked.core.errors import InputError

RULES = 1
"""Version of the rules above."""
LONGEST = 2_048
"""Characters of a selector other than a text."""
LONGEST_TEXT = 1 << 22
"""Characters of a text that is given to be found again."""
SEGMENTS = 64
"""Segments of an address that are looked at."""
_NAME = re.compile(r"[^\s/@\x00-\x1f\x7f]+")
_MAIL = re.compile(r"[^\s@/\x00-\x1f\x7f]+@[^\s@/\x00-\x1f\x7f]+")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_CONTENT = re.compile(r"(text|file)-sha256:[0-9a-f]{64}")
_SCHEME = re.compile(r"\A[A-Za-z][A-Za-z0-9+.-]*://")
_PORTS = {"http": 80, "https": 443}


class Kind(StrEnum):
    """What a selector selects."""

    ACCOUNT = "account"
    REPOSITORY = "repository"
    DOMAIN = "domain"
    URL = "url"
    CONTENT = "content"
    SIMILAR = "similar"

    @property
    def follows_content(self) -> bool:
        """Whether it holds wherever the content lies, under whoever's name; the others hold for a place only."""
        return self in (Kind.CONTENT, Kind.SIMILAR)


@dataclass(frozen=True, slots=True)
class Selector:
    """A selector in its one form."""

    kind: Kind
    value: str

    def __repr__(self) -> str:
        return f"Selector({self.kind.value})"  # the value is somebody's; it must not get into a log by accident


def make_selector(kind: Kind | str, value: str) -> Selector:
    """Bring a selector that somebody typed into its one form.

    Raises:
        InputError: When there is no such kind, or the value cannot mean one.
    """
    try:
        kind = Kind(kind)
    except ValueError:
        raise InputError(f"there are selectors of these kinds: {', '.join(Kind)}") from None
    if len(value) > (LONGEST_TEXT if kind is Kind.SIMILAR else LONGEST):
        raise InputError(f"what was given as {kind.value} is too long")
    return Selector(kind, _NORMAL[kind](value))


def normal_account(value: str) -> str:
    """Return the one form of the name of an account.

    Raises:
        InputError: When it is none.
    """
    text = _folded(_bare(value)).removeprefix("@").strip("/")
    if _MAIL.fullmatch(text):
        name, _, host = text.partition("@")
        return f"{name}@{normal_host(host)}"
    parts = text.split("/")
    if len(parts) == 2 and "." in parts[0]:
        parts[0], parts[1] = normal_host(parts[0]), parts[1].removeprefix("@")
    elif len(parts) != 1:
        raise InputError("an account is given as name, host/name or e-mail address")
    if not all(_NAME.fullmatch(part) for part in parts):
        raise InputError("the name of an account holds no spaces, and @ only in an e-mail address")
    return "/".join(parts)


def normal_repository(value: str) -> str:
    """Return the one form of the name of a repository.

    Raises:
        InputError: When it is none.
    """
    parts = _folded(_bare(value)).strip("/").removesuffix(".git").split("/")
    if len(parts) not in (2, 3) or not all(_NAME.fullmatch(part) for part in parts):
        raise InputError("a repository is given as owner/name or host/owner/name")
    if len(parts) == 3:
        parts[0] = normal_host(parts[0])
    return "/".join(parts)


def normal_domain(value: str) -> str:
    """Return the one form of a domain.

    Raises:
        InputError: When it is none, or a top-level one.
    """
    host = normal_host(_SCHEME.sub("", value.strip()).strip("/").removeprefix("*."))
    if "." not in host:
        raise InputError("a domain has at least two parts, like example.org")
    return host


def normal_host(value: str) -> str:
    """Return a host name in ASCII and lower case.

    Raises:
        InputError: When it is none.
    """
    try:
        host = value.strip().removesuffix(".").encode("idna").decode("ascii").lower()
    except UnicodeError:
        host = ""
    if not host or len(host) > 253 or not all(_LABEL.fullmatch(label) for label in host.split(".")):
        raise InputError("this is not the name of a host, like example.org")
    return host


def normal_url(value: str) -> str:
    """Return the one form of an address on the web: host, port where it is not the usual one, path and query.

    Raises:
        InputError: When it is none.
    """
    text = value.strip()
    parts = _split(text if _SCHEME.match(text) else f"https://{text.removeprefix('//')}")
    host, port = normal_host(parts.hostname or ""), _port(parts)
    if parts.scheme not in _PORTS or parts.username is not None:
        raise InputError("an address begins with http:// or https:// and names no user")
    path = normpath("/" + "/".join(_segment(part) for part in parts.path.split("/") if part))
    path = "" if path == "/" else path
    query = f"?{parts.query}" if parts.query else ""
    return f"{host}{f':{port}' if port and port not in _PORTS.values() else ''}{path}{query}"


def normal_content(value: str) -> str:
    """Return the one form of a digest of content.

    Raises:
        InputError: When it is none.
    """
    text = value.strip().lower()
    if not _CONTENT.fullmatch(text):
        raise InputError("content is given as text-sha256: or file-sha256: and 64 hexadecimal digits")
    return text


def normal_text(text: str) -> str:
    """Return a text without regard to case, white space and forms of letters (NFKC, case folding, single spaces)."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return " ".join(text.casefold().split())


def text_digest(text: str) -> str:
    """Return the selector of a text's exact content: the digest of its normal form."""
    return f"text-sha256:{hashlib.sha256(normal_text(text).encode('utf-8', 'surrogatepass')).hexdigest()}"


def file_digest(data: bytes) -> str:
    """Return the selector of a file's exact bytes."""
    return f"file-sha256:{hashlib.sha256(data).hexdigest()}"


def domain_and_above(domain: str) -> list[str]:
    """List the domains whose consent covers a normal domain: itself and all above it, but for the top-level one."""
    labels = domain.split(".")
    return [".".join(labels[start:]) for start in range(len(labels) - 1)]


def url_and_above(url: str) -> list[str]:
    """List the addresses whose consent covers a normal address: itself and all above it, segment by segment."""
    path, mark, query = url.partition("?")
    segments = path.split("/")
    above = ["/".join(segments[:end]) for end in range(1, min(len(segments), SEGMENTS) + 1)]
    return [*above, *([] if path == above[-1] else [path]), *([f"{path}?{query}"] if mark else [])]


def account_of(repository: str) -> str:
    """Return the account that a normal repository belongs to."""
    return repository.rpartition("/")[0]


def _bare(value: str) -> str:
    return _SCHEME.sub("", value.strip()).removeprefix("www.")


def _folded(value: str) -> str:
    return unicodedata.normalize("NFKC", value).casefold()


def _split(text: str) -> SplitResult:
    try:
        return urlsplit(text)
    except ValueError:
        raise InputError("this is not an address like https://example.org/works") from None


def _port(parts: SplitResult) -> int | None:
    try:
        return parts.port
    except ValueError:
        raise InputError("the port of the address is not a number") from None


def _segment(text: str) -> str:
    return (
        text
        if text in (".", "..")
        else quote(unquote(text, errors="surrogateescape"), safe="~!$&'()*+,;=:@", errors="surrogateescape")
    )


_NORMAL = {
    Kind.ACCOUNT: normal_account,
    Kind.REPOSITORY: normal_repository,
    Kind.DOMAIN: normal_domain,
    Kind.URL: normal_url,
    Kind.CONTENT: normal_content,
    Kind.SIMILAR: normal_text,
}
