"""Telephone numbers: written internationally, as is usual in a country, or beside a word that says so."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from hallmarked.corpus.personal.checksum import digits_of, is_varied
from hallmarked.corpus.personal.model import Span, Strength
from hallmarked.corpus.personal.numbering import has_country, is_international, is_national, may_be_national
from hallmarked.corpus.personal.recogniser import Shape, Supported
from hallmarked.corpus.personal.word import WORDS, words_of

_SEPARATOR = r"(?:[ \u00a0\u202f]?[-./()\u2010-\u2013]{0,2}[ \u00a0\u202f]?)"
_CANDIDATE = re.compile(
    r"(?P<number>[+(\d](?<![^\W_].)(?<![.$€£¥#&%@\\/].)(?<!\d[,:-].)(?<!\d\..)"
    rf"(?:(?<=\d)|(?<=\+) ?\(?\d|(?<=\()\+?\d)(?:{_SEPARATOR}\d){{6,17}})"
    r"(?P<extension>(?: ?(?:x|ext\.?|extension|poste|int\.|app\.|\#) ?:? ?\d{1,6})?)"
    r"(?![^\W_]|%|[.,:]\d|-\d| ?(?:[€$£¥%]|kg|km|cm|mm|ms|MB|GB|kB|bytes|USD|EUR)\b)",
    re.IGNORECASE,
)
_GROUP = re.compile(r"\d+")
_DATE = re.compile(
    r"(?:19|20)\d\d[-./ ](?:0?[1-9]|1[0-2])[-./ ](?:0?[1-9]|[12]\d|3[01])(?!\d)"
    r"|(?<!\d)(?:0?[1-9]|[12]\d|3[01])[-./ ](?:0?[1-9]|[12]\d|3[01])[-./ ](?:19|20)\d\d(?!\d)"
    r"|(?<!\d)(?:19|20)\d\d ?[-–/] ?(?:19|20)\d\d(?!\d)"
)
_NANP = re.compile(r"(?:1[-. ])?(?:\([2-9]\d\d\) ?|[2-9]\d\d(?P<by>[-.]))[2-9]\d\d(?(by)(?P=by)|[-. ])\d{4}")
_SPACED = re.compile(r"[2-9]\d\d [2-9]\d\d[ -]\d{4}|\d{2} 9?\d{4}-\d{4}")
_SOCIAL = re.compile(r"\d{3}[- ]\d{2}[- ]\d{4}")
"""As nobody writes telephone numbers, and many write numbers of people."""
_OTHER = re.compile(r"\d{5}-\d{4}|[^+]*\d{4}\.\d{4}.*")
"""Postal codes of the United States, and rows of tables: few people put points between groups of four."""
_BRACKETED = re.compile(r"\((?!(?:19|20)\d\d\))0?\d{1,4}\)[ -]?\d{2,5}[-. ]?\d{2,5}(?:[-. ]\d{2,4}){0,2}")
_SHORT = re.compile(
    r"\d{7,8}|\d{3}[-. ]\d{4}|\d{4}[-. ]\d{3,4}|\d{3}[-. ]\d{2}[-. ]\d{2,3}|\d{2}[-. ]\d{3}[-. ]\d{2,3}"
    r"|\d{2}[-. ]\d{2}[-. ]\d{3,4}|\d{2}(?:[-. ]\d{2}){3}|\d{2}[-. ]\d{6}|\d{1,2}[-. ]\d{3}[-. ]\d{3,4}"
)
_WORDS = words_of("phone")
_BESIDE = "|".join(WORDS["phone_beside"])
_BEFORE = re.compile(
    rf"(?<![^\W_])(?:{_BESIDE})\W{{0,3}}(?:(?:me|us|him|her|them|you)\W)?(?:at|on|to|is|no|number|via|under|unter|al|au|a)?"
    r"\W{0,3}$",
    re.IGNORECASE,
)
_AFTER = re.compile(rf"\W{{1,3}}(?:{_BESIDE})(?![^\W_])", re.IGNORECASE)


def judge_phone(regions: Sequence[str], match: re.Match[str], near: Supported) -> Span | None:
    """Say which part of a row of groups of digits is a number, the longest first."""
    number, start = match["number"], match.start()
    if not sum(c.isdigit() for c in number) >= 7 or _DATE.fullmatch(number):
        return None
    supported = _is_beside(match) or ((sum(c.isdigit() for c in number) > 8 or _is_close(match)) and near())
    groups = [(group.start(), group.end()) for group in _GROUP.finditer(number)]
    if not supported and len(groups) == 1 and not number.startswith(("+", "(+")):
        return None
    for first, last in _runs(len(groups)):
        low = _opening(number, groups[first][0]) if first or number[0].isdigit() else 0
        part = number[low : groups[last][1]]
        strength = _judge(part, tuple(regions), supported)
        if strength is not None:
            end = match.end() if last == len(groups) - 1 else start + groups[last][1]
            return Span(start + low, end, "phone", strength)
    return None


def _runs(count: int) -> Iterator[tuple[int, int]]:
    """Yield the first and last of groups, all of them first, at most three left out."""
    for left_out in range(min(4, count)):
        for first in range(left_out + 1):
            yield first, count - 1 - (left_out - first)


def _opening(number: str, at: int) -> int:
    """Return where a number begins whose first digit is known: with its bracket or plus sign, if it has them."""
    while at and number[at - 1] in "+(":
        at -= 1
    return at


@lru_cache(1 << 14)
def _judge(part: str, regions: tuple[str, ...], supported: bool) -> Strength | None:
    digits = digits_of(part)
    if (
        not 7 <= len(digits) <= 15
        or _SOCIAL.fullmatch(part)
        or part.count("(") != part.count(")")
        or _DATE.search(part)
    ):
        return None
    if not supported and (not is_varied(digits[1:]) or _OTHER.fullmatch(part)):
        return None
    if part.lstrip("(").startswith("+") or digits.startswith("00"):
        return _abroad(part, digits, supported)
    return _within(part, digits, regions, supported)


def _within(part: str, digits: str, regions: tuple[str, ...], supported: bool) -> Strength | None:
    """Judge a number without a country code."""
    if part != digits:
        if _NANP.fullmatch(part):
            return Strength.CHECKED if is_national(digits[-10:], ("US", "CA")) else Strength.LIKELY
        spaced = _SPACED.fullmatch(part) or _BRACKETED.fullmatch(part)
        if (spaced and is_national(digits, regions)) or _is_trunk(part, digits, regions):
            return Strength.LIKELY
    if supported and (may_be_national(digits, regions) if len(digits) > 8 else _is_short(part)):
        return Strength.CHECKED if len(digits) > 8 and is_national(digits, regions) else Strength.LIKELY
    return None


def _is_close(match: re.Match[str]) -> bool:
    """Say whether a word stands so near that it speaks for a short number too; a text that is one is hinted at."""
    text = match.string
    before, after = text[max(0, match.start() - 24) : match.start()], text[match.end() : match.end() + 10]
    return len(text) <= len(match[0]) + 8 or bool(_WORDS.are_in(before) or _WORDS.are_in(after))


def _is_beside(match: re.Match[str]) -> bool:
    """Say whether a word stands right before or after that means a number only there."""
    text = match.string
    before, after = text[max(0, match.start() - 32) : match.start()], text[match.end() : match.end() + 20]
    return bool(_BEFORE.search(before) or _AFTER.match(after))


def _abroad(part: str, digits: str, supported: bool) -> Strength | None:
    """Judge a number with a country code: one in use, or one that is at least written or called like a number."""
    plus = "+" in part
    in_use = is_international(digits if plus else digits[2:])
    if in_use and (plus or supported or part != digits):
        return Strength.CHECKED
    grouped = len(_GROUP.findall(part)) > 1
    if plus and (grouped or supported) and len(digits) >= 8:  # numbering plans change, and some numbers are shortened
        return Strength.LIKELY if has_country(digits) else None
    return Strength.LIKELY if in_use is not None and (supported or grouped) else None


def _is_trunk(part: str, digits: str, regions: tuple[str, ...]) -> bool:
    """Say whether a number is written with the prefix of its country, in groups as people make them."""
    groups = [len(group) for group in _GROUP.findall(part)]
    usual = digits.startswith("0") and len(digits) >= 9 and 2 <= len(groups) <= 5 and min(groups) >= 2
    return usual and is_national(digits, regions, prefixed=True)


def _is_short(part: str) -> bool:
    return _SHORT.fullmatch(part.strip("()").replace(") ", " ").replace(")", " ")) is not None


def phones(regions: Sequence[str]) -> Shape:
    """Return what recognises telephone numbers of some regions, and all with a country code."""

    def judge(match: re.Match[str], near: Supported) -> Span | None:
        return judge_phone(regions, match, near)

    between = r"(?:[ ()\-/]|\xc2\xa0|\xe2\x80[\x90-\x93\xaf])"
    # With points between groups only where there are two of them, since most numbers with one point are decimals.
    gates = (
        rf"[^0-9A-Za-z.](?:[0-9]{between}{{0,3}}){{6}}[0-9]",
        r"[^0-9A-Za-z.][0-9]{1,5}\)?[.][0-9]{2,4}[.\- ][0-9]{2,4}",
        r"[0-9][ )][0-9]{1,4}[.][0-9]{2,4}[.\- ][0-9]{2,4}",
        r"[+] ?\(?[0-9]{1,3}\)?[.][0-9]",
        rf"[0-9]{between}{{1,3}}[0-9]{{1,4}}{between}[0-9]{{1,4}}[.][0-9]{{2,4}}",
    )
    return Shape("phone", gates, _CANDIDATE, judge, 44, 52, _WORDS)
