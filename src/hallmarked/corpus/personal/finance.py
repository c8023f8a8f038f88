"""Payment cards and bank accounts.

Cards: ISO/IEC 7812-1 (numbers of 12 to 19 digits whose last one checks the others); ranges as their schemes publish
them. IBAN: ISO 13616-1 and the registry at https://www.swift.com/standards/data-standards/iban.
"""

from __future__ import annotations

import re

from hallmarked.corpus.personal.checksum import digits_of, is_luhn, is_mod97, is_varied, weigh
from hallmarked.corpus.personal.model import Span, Strength
from hallmarked.corpus.personal.recogniser import SPACE, Shape, Supported, found, word_gate
from hallmarked.corpus.personal.word import words_of

IBAN_LENGTHS = {
    country: int(length)
    for length, countries in {
        "15": "NO",
        "16": "BE",
        "18": "DK FI FK FO GL NL SD",
        "19": "MK SI",
        "20": "AT BA EE KZ LT LU MN XK",
        "21": "CH HR LI LV",
        "22": "BG BH CR DE GB GE IE ME RS VA",
        "23": "AE GI IL IQ OM SO TL",
        "24": "AD CZ ES MD PK RO SA SE SK TN VG",
        "25": "LY PT ST",
        "26": "IS TR",
        "27": "BI DJ FR GR IT MC MR SM",
        "28": "AL AZ BY CY DO GT HN HU LB NI PL SV",
        "29": "BR EG PS QA UA",
        "30": "JO KW MU YE",
        "31": "MT SC",
        "32": "LC",
        "33": "RU",
    }.items()
    for country in countries.split()
}
"""Characters of an IBAN by country."""
_RANGES: tuple[tuple[int, int, frozenset[int]], ...] = (
    (4, 4, frozenset({13, 16, 19})),  # Visa
    (51, 55, frozenset({16})),  # Mastercard
    (2221, 2720, frozenset({16})),
    (34, 34, frozenset({15})),  # American Express
    (37, 37, frozenset({15})),
    (300, 305, frozenset({14, 16, 19})),  # Diners Club
    (3095, 3095, frozenset({14, 16, 19})),
    (36, 36, frozenset({14, 16, 19})),
    (38, 39, frozenset({14, 16, 19})),
    (6011, 6011, frozenset({16, 19})),  # Discover
    (644, 649, frozenset({16, 19})),
    (65, 65, frozenset({16, 19})),
    (3528, 3589, frozenset({16, 17, 18, 19})),  # JCB
    (1800, 1800, frozenset({15})),
    (2131, 2131, frozenset({15})),
    (62, 62, frozenset({16, 17, 18, 19})),  # UnionPay
    (81, 81, frozenset({16, 17, 18, 19})),
    (2200, 2204, frozenset({16, 17, 18, 19})),  # Mir
    (508, 508, frozenset({16})),  # RuPay
    (60, 60, frozenset({16})),
    (9792, 9792, frozenset({16})),  # Troy
    (5018, 5018, frozenset(range(12, 20))),  # Maestro
    (5020, 5020, frozenset(range(12, 20))),
    (5038, 5038, frozenset(range(12, 20))),
    (5893, 5893, frozenset(range(12, 20))),
    (6304, 6304, frozenset(range(12, 20))),
    (6759, 6759, frozenset(range(12, 20))),
    (6761, 6763, frozenset(range(12, 20))),
)
_CARD = re.compile(
    r"\d(?<![^\W_].)(?<![.,+-].)(?=(?P<rest>\d{11,18}"
    r"|\d{3}([ -])\d{4}\2\d{4}\2\d{1,4}(?:\2\d{1,3})?|\d{3}([ -])\d{6}\3\d{4,5}|\d{5}([ -])\d{6,13}|\d{7}([ -])\d{8})"
    r"(?![^\W_]|[.,-]\d))"
)
"""As on cards: together, in fours, 4-6-5 and 4-6-4, or after the number of the issuer. Other digits may precede."""
_IBAN = re.compile(r"(?<![^\W_])[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]{1,4}){3,10}(?![^\W_])")
_COMPACT = re.compile(r"(?<![^\W_])[A-Za-z]{2}\d{2}[A-Za-z0-9]{11,30}(?![^\W_])")
_ROUTING = re.compile(r"(?<![\w.-])\d{9}(?![\w-]|\.\d)")


_PREFIXES = tuple(
    (low * 10 ** (4 - len(str(low))), (high + 1) * 10 ** (4 - len(str(high))), lengths)
    for low, high, lengths in _RANGES
)
"""The same ranges as first and following numbers of four digits."""


def is_card(digits: str) -> bool:
    """Say whether a number may be one of a scheme: by its range, its length and its check digit."""
    begin, size = int(digits[:4]), len(digits)
    known = any(low <= begin < end and size in lengths for low, end, lengths in _PREFIXES)
    return known and len(set(digits)) > 1 and is_luhn(digits)


def _card(match: re.Match[str], supported: Supported) -> Span | None:
    value = match[0] + match["rest"]
    digits = digits_of(value)
    if not 12 <= len(digits) <= 19 or not is_luhn(digits):
        return None
    plain = len(value) == len(digits) and not supported()  # a bare number among others, with nothing that speaks for it
    strength = Strength.LIKELY if plain else Strength.CHECKED
    known = is_card(digits) and not (plain and len(digits) not in (15, 16, 19))
    if not known:  # schemes of one country, and what went out of use
        if digits[0] not in "3456" or not is_varied(digits[:-1]) or not supported():
            return None
        strength = Strength.LIKELY
    return Span(match.start(), match.end("rest"), "payment-card", strength)


def is_iban(value: str) -> bool:
    """Check country, length and check digits of an IBAN without spaces."""
    value = value.upper()
    return IBAN_LENGTHS.get(value[:2]) == len(value) and value[2:4].isdigit() and is_mod97(value[4:] + value[:4])


def _iban(match: re.Match[str], _supported: Supported) -> Span | None:
    length = IBAN_LENGTHS.get(match[0][:2].upper())
    if length is None:
        return None
    count = 0
    for place, c in enumerate(match[0], 1):  # words may follow that look like more groups
        count += c.isalnum()
        if count == length:
            value = "".join(c for c in match[0][:place] if c.isalnum())
            ends = place == len(match[0]) or not match[0][place].isalnum()
            if ends and is_iban(value):
                return Span(match.start(), match.start() + place, "iban", Strength.CHECKED)
            return None
    return None


def _routing(match: re.Match[str], supported: Supported) -> Span | None:
    """Check by https://www.aba.com/news-research/analysis-guides/routing-number-policy-procedures: 3, 7, 1 thrice."""
    digits = match[0]
    begins = int(digits[:2])
    known = begins <= 12 or 21 <= begins <= 32 or 61 <= begins <= 72 or begins == 80
    if known and len(set(digits)) > 2 and weigh(digits, (3, 7, 1) * 3) % 10 == 0 and supported():
        return found(match, "us-bank-routing", Strength.CHECKED)
    return None


FINANCE = (
    Shape(
        "payment-card",
        (rf"[^0-9A-Za-z.,+-](?:[0-9](?:{SPACE}|-)?){{11}}[0-9]",),
        _CARD,
        _card,
        32,
        24,
        words_of("card"),
    ),
    Shape(
        "iban",
        (rf"[^0-9a-zA-Z](?i:[a-z]{{2}})[0-9]{{2}}{SPACE}?-?[0-9a-zA-Z]{{4}}{SPACE}?-?[0-9a-zA-Z]{{4}}",),
        _IBAN,
        _iban,
        18,
        60,
    ),
    Shape(
        "us-bank-routing",
        (word_gate(("routing", "(?-i:ABA)", "transit number")),),
        _ROUTING,
        _routing,
        40,
        60,
        words_of("routing"),
    ),
)
