"""What is personal only because words say so: dates of birth, papers, places, devices."""

from __future__ import annotations

import re

from hallmarked.corpus.personal.checksum import is_luhn, is_varied
from hallmarked.corpus.personal.model import Span, Strength
from hallmarked.corpus.personal.recogniser import Shape, Supported, found, word_gate
from hallmarked.corpus.personal.word import WORDS, words_of

_MONTHS = "|".join(WORDS["months"])
_YEAR, _MONTH, _DAY = r"(?:1[89]|20)\d{2}", r"(?:0?[1-9]|1[0-2])", r"(?:0?[1-9]|[12]\d|3[01])"
_DATE = (
    rf"(?:{_YEAR}[-./]{_MONTH}[-./]{_DAY}"
    rf"|{_DAY}[-./ ]{_DAY}[-./ ](?:{_YEAR}|\d{{2}})"
    rf"|{_DAY}(?:st|nd|rd|th|\.|º)? (?:of |de |d')?(?:{_MONTHS})\.?,? (?:de |del )?(?:{_YEAR}|\d{{2}})"
    rf"|(?:{_MONTHS})\.? {_DAY}(?:st|nd|rd|th)?,? {_YEAR}"
    r"|(?:19|20)\d{2} ?[年년] ?\d{1,2} ?[月월] ?\d{1,2} ?[日일])"
)
_BETWEEN = (
    r"(?: ?\([^()\n]{2,12}\))?[\s:=\"'(\[<>/|,.#*_-]{0,6}(?:is|was|on|am|le|el|em|il|op|:)?[\s:=\"'(\[<>/|#*_-]{0,4}"
)
_LETTER = r"[^\W\d_]"


def _after(name: str, value: str) -> re.Pattern[str]:
    """Compile a value that follows one of some words, with no other word but a few between."""
    words = "|".join(WORDS[name])
    return re.compile(rf"(?<!{_LETTER})(?:{words})(?!{_LETTER}){_BETWEEN}(?P<value>{value})(?![^\W_])", re.IGNORECASE)


_BIRTH = _after("birth", _DATE)
_PASSPORT = _after("passport", r"(?-i:[A-Z]{0,3}\d{6,9}[A-Z]{0,2}|[A-Z]\d{2}[A-Z0-9]{5,6}|\d{2} ?\d{2} ?\d{6})")
_LICENCE = _after("licence", r"(?-i:(?=[A-Z0-9-]*\d{3})[A-Z0-9]{1,9}(?:[ -][A-Z0-9]{1,8}){0,3})")
_PLACE = re.compile(
    r"(?<![\w.])(?P<lat>[-+]?[0-8]?\d\.\d{3,12})°?(?: ?[NS])?"
    r"(?: ?[,;/] ?| |\s{0,2}[,;&]?\s{0,2}[\"']?(?:lon|lng|long|longitude)[\"']?\s?[:=]\s?)"
    r"(?P<lon>[-+]?(?:1[0-7]\d|\d{1,2})\.\d{3,12})(?:°? ?[EWO](?![^\W_]))?(?!\w|\.\d)",
    re.IGNORECASE,
)
_DEGREES = re.compile(
    r"(?<![\w.])\d{1,2} ?° ?\d{1,2} ?['′’] ?(?:\d{1,2}(?:[.,]\d{1,6})? ?(?:\"|″|''|”) ?)?[NS]"
    r"[,; ]{0,3}\d{1,3} ?° ?\d{1,2} ?['′’] ?(?:\d{1,2}(?:[.,]\d{1,6})? ?(?:\"|″|''|”) ?)?[EWO](?![^\W_])",
)
_IMEI = re.compile(r"(?<![^\W_])(?<![.,-])\d{2}[- ]?\d{6}[- ]?\d{6}[- ]?\d(?![^\W_]|[.,-]\d)")


def _birth(match: re.Match[str], _supported: Supported) -> Span | None:
    return found(match, "birth-date", Strength.LIKELY, "value")


def _passport(match: re.Match[str], _supported: Supported) -> Span | None:
    return found(match, "passport", Strength.LIKELY, "value")


def _licence(match: re.Match[str], _supported: Supported) -> Span | None:
    digits = sum(c.isdigit() for c in match["value"])
    return found(match, "driver-licence", Strength.LIKELY, "value") if 5 <= digits <= 16 else None


def _place(match: re.Match[str], supported: Supported) -> Span | None:
    sound = abs(float(match["lat"])) <= 90 and abs(float(match["lon"])) <= 180
    # Three decimals name a block of houses; fewer name a town.
    marked = re.search(r"[NS°]", match[0]) is not None
    return found(match, "coordinates", Strength.LIKELY) if sound and (marked or supported()) else None


def _degrees(match: re.Match[str], _supported: Supported) -> Span | None:
    return found(match, "coordinates", Strength.LIKELY)


def _imei(match: re.Match[str], supported: Supported) -> Span | None:
    digits = "".join(c for c in match[0] if c.isdigit())
    return found(match, "imei", Strength.CHECKED) if is_luhn(digits) and is_varied(digits) and supported() else None


_DATES = re.compile(rf"(?<![\w.,/-])(?P<value>{_DATE}(?:[T ]\d\d:\d\d(?::\d\d)?)?)(?![^\W_]|[./-]\d)", re.IGNORECASE)


def _date(match: re.Match[str], _supported: Supported) -> Span | None:
    return found(match, "date", Strength.LIKELY, "value")


DETAILS = (
    Shape(
        "date",
        (
            r"[0-9]{1,4}[-./][0-9]{1,2}[-./][0-9]{2}",
            r"(?i)[0-9][^0-9a-z]?.{0,4}(?:jan|f[e\xc3]|ma|m\xc3|a[pvbguo]|ju|gi|lu|s[ei]|o[ckut]|no|d[eic\xc3])",
        ),
        _DATES,
        _date,
        32,
        32,
    ),
    Shape("birth-date", (word_gate(WORDS["birth"]),), _BIRTH, _birth, 40, 64),
    Shape("passport", (word_gate(WORDS["passport"]),), _PASSPORT, _passport, 40, 48),
    Shape("driver-licence", (word_gate(WORDS["licence"]),), _LICENCE, _licence, 40, 64),
    Shape(
        "coordinates", (r"\.[0-9]{3,12}[^0-9a-zA-Z].{0,16}[0-9]\.[0-9]{3}",), _PLACE, _place, 48, 40, words_of("place")
    ),
    Shape("coordinates", (r"\xc2\xb0 ?[0-9]{1,2} ?(?:'|\xe2\x80[\x99\xb2])",), _DEGREES, _degrees, 48, 48),
    Shape("imei", (word_gate(WORDS["imei"]),), _IMEI, _imei, 48, 90, words_of("imei")),
)
