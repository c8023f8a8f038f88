"""E-mail addresses, web addresses, and what is within them.

Addresses: RFC 5321 and 5322, with letters of all scripts (RFC 6531); hosts: RFC 1123; URLs: RFC 3986.
"""

from __future__ import annotations

import re

from hallmarked.corpus.personal.model import Span, Strength
from hallmarked.corpus.personal.recogniser import Shape, Supported, found
from hallmarked.corpus.personal.word import WORDS

_FILES = frozenset(WORDS["file_endings"])
"""Endings of files that no domain ends with, or hardly any: ``logo@2x.png`` is a picture."""
_HOST = r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}(?:xn--[a-z0-9-]{2,59}|[^\W\d_]{2,24})"
_LOCAL = r"(?<!\w)(?<!\w[.!#$%&*+^~-])(?:\w[\w.!#$%&'*+^~-]{0,63}|\"[^\"\s@]{1,62}\")@"
_EMAIL = re.compile(rf"{_LOCAL}{_HOST}(?![\w-]|\.[^\W\d_])", re.IGNORECASE)
_BEFORE_AT = re.compile(rf"{_LOCAL}.?\Z")
_SPELLED = re.compile(
    r"(?<![\w.+-])(?P<local>[a-z0-9][a-z0-9._+-]{0,63})"
    r"(?: ?[\[({<] ?(?:at|arroba|chez|@) ?[\])}>] ?| at (?=[\w-]+ dot )"
    r"|&(?:#0{0,4}64|#x0{0,4}40|commat);|%40|[\u200b-\u200d\u2060]{1,4}@[\u200b-\u200d\u2060]{0,4}|@[\u200b-\u200d\u2060]{1,4})"
    r"(?P<host>(?:[a-z0-9-]{1,63}(?:\.| ?[\[({<] ?(?:dot|punto|punkt|point|\.) ?[\])}>] ?| dot )){1,5}[a-z]{2,24})"
    r"(?![\w-])",
    re.IGNORECASE,
)
_URL = re.compile(
    r"(?<![a-z0-9])(?:(?:https?|ftps?)://|www\d?\.(?=[^\W_]))[^\s<>\"'`{}|\\^\[\]]{3,2000}", re.IGNORECASE
)


_SCHEME = re.compile(r"(?:(?:https?|ftps?)://|www\d?\.).?\Z", re.IGNORECASE)


def _email(match: re.Match[str], _supported: Supported) -> Span | None:
    text, start = match.string, match.start()
    value = match[0].lower()
    local, _, host = value.rpartition("@")
    ending = host.rpartition(".")[2]
    if ending in _FILES or local.endswith(".") or ".." in local or len(host) > 253:
        return None
    # git@host:path is how repositories are named; user@host within a URL is a way to log in, not to write to.
    if local in ("git", "svn", "hg") and text[match.end() : match.end() + 1] in (":", "/"):
        return None
    before = text[max(0, start - 80) : start]
    if re.search(r"[a-z]://[^\s/@]*$", before) and not before.endswith("mailto://"):
        return None
    return found(match, "email", Strength.CHECKED)


def _spelled(match: re.Match[str], _supported: Supported) -> Span | None:
    ending = re.split(r"[^a-z0-9-]", match["host"].lower())[-1]
    return None if ending in _FILES else found(match, "email", Strength.LIKELY)


def _url(match: re.Match[str], _supported: Supported) -> Span | None:
    value = match[0].rstrip(".,;:!?)*_~")
    host = re.split(r"[/?#]", value.partition("://")[2] or value)[0]
    if len(host.rpartition("@")[2]) < 2:
        return None
    return Span(match.start(), match.start() + len(value), "url", Strength.LIKELY)


CONTACTS = (
    Shape(
        "email",
        (r"[^\x00-\x20\"(),:;<>@\[\\\]]@[a-zA-Z0-9\x80-\xff]", r"\"@[a-zA-Z0-9]"),
        _EMAIL,
        _email,
        70,
        260,
        lead=_BEFORE_AT,
    ),
    Shape(
        "email",
        (
            r"(?i)[\[({<] ?(?:at|arroba|chez|@) ?[\])}>]",
            r"(?i)[a-z0-9] at [a-z0-9-]{1,40} dot [a-z]",
            r"(?i)[a-z0-9]&(?:#0{0,4}64|#x0{0,4}40|commat);",
            r"(?i)[a-z0-9]%40[a-z0-9]",
            r"\xe2(?:\x80[\x8b-\x8d]|\x81\xa0)@",
            r"@\xe2(?:\x80[\x8b-\x8d]|\x81\xa0)",
        ),
        _SPELLED,
        _spelled,
        130,
        260,
    ),
    Shape(
        "url", (r"(?i)(?:https?|ftps?)://[^ ]", r"(?i)www[0-9]?\.[a-z0-9\x80-\xff]"), _URL, _url, 9, 2010, lead=_SCHEME
    ),
)
