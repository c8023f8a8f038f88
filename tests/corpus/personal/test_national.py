"""Numbers of states are recognised by their checks: right ones are found, and ones with a wrong digit are not."""

from __future__ import annotations

import random
import re
from re import _parser

import pytest

from hallmarked.corpus.personal.find import Detector, Search, detector_of
from hallmarked.corpus.personal.national import NATIONALS, National

UNCHECKED = {"us-ssn", "us-itin", "gb-nino", "in-pan", "pk-cnic", "kr-rrn", "my-nric", "id-nik", "dk-cpr", "lv-pk"}
"""Kinds that have no check digit, or not always."""
KNOWN = {
    "au-medicare": "2123 45670 1",
    "be-nrn": "85.07.30-033.28",
    "ch-ahv": "756.9217.0769.85",
    "cn-ric": "11010519491231002X",
    "cz-rc": "736028/5163",
    "de-idnr": "36 574 261 809",
    "de-rvnr": "15070649C103",
    "ee-ik": "37605030299",
    "fi-hetu": "131052-308T",
    "fr-nir": "2 55 08 14 168 025 38",
    "gb-nhs": "943 476 5919",
    "hk-hkid": "A123456(3)",
    "in-aadhaar": "2341 2341 2346",
    "it-cf": "RCCMNL83S18D969H",
    "jp-mynumber": "123456789018",
    "mx-curp": "BOXW310820HNERXN09",
    "nl-bsn": "111222333",
    "pl-pesel": "44051401359",
    "ro-cnp": "1630615123457",
    "ru-snils": "112-233-445 95",
    "se-pnr": "880320-0016",
    "sg-nric": "S1234567D",
    "tr-kimlik": "17291716060",
    "tw-id": "A123456789",
    "us-npi": "1234567893",
    "za-id": "7503305044089",
}
"""Numbers that the descriptions of the checks give as examples, or that nobody has."""


def drawn(national: National) -> str:
    """Make a number that passes the check, by trying texts of its form."""
    rng = random.Random(1)
    form = _parser.parse(national.form.pattern.partition("€£])")[2].rpartition("(?![")[0])
    for _ in range(400_000):
        text = write(form, rng, {})
        if national.check("".join(c for c in text if c.isalnum()).upper()):
            return text
    raise AssertionError(f"no number of {national.kind} found")


def write(parsed, rng: random.Random, groups: dict[int, str]) -> str:
    """Draw a text that matches a parsed pattern of the table."""
    pieces = []
    for op, value in parsed:
        name = str(op)
        if name == "LITERAL":
            pieces.append(chr(value))
        elif name == "IN":
            pieces.append(rng.choice(chosen(value)))
        elif name in ("MAX_REPEAT", "MIN_REPEAT"):
            least, most, inner = value
            pieces += [write(inner, rng, groups) for _ in range(rng.randint(least, most))]
        elif name == "SUBPATTERN":
            text = write(value[3], rng, groups)
            groups[value[0] or 0] = text
            pieces.append(text)
        elif name == "BRANCH":
            pieces.append(write(rng.choice(value[1]), rng, groups))
        elif name == "GROUPREF":
            pieces.append(groups[value])
        else:
            raise AssertionError(name)
    return "".join(pieces)


def chosen(members) -> str:
    """Return the characters of a class."""
    characters = ""
    for op, value in members:
        if str(op) == "RANGE":
            characters += "".join(map(chr, range(value[0], value[1] + 1)))
        elif str(op) == "CATEGORY":
            characters += "0123456789"
        else:
            characters += chr(value)
    return characters


@pytest.mark.parametrize("national", NATIONALS, ids=lambda each: each.kind)
def test_a_number_is_found_beside_its_word(national: National) -> None:
    """A number that passes the check is found beside a word of its kind, and with another digit it is not."""
    detector = detector_of(Search(kinds=frozenset({national.kind})))
    number = KNOWN.get(national.kind) or drawn(national)
    word = next(w for w in national.words if not re.search(r"[\\?(\[]", w))
    text = f"... {word}: {number}, and so on"
    assert [text[span.start : span.end] for span in detector.find(text)] == [number]
    if national.kind not in UNCHECKED:
        assert min(passing(detector, text, place) for place in places(text, number)) <= 2


def places(text: str, number: str) -> list[int]:
    """Return where the digits of the number are."""
    start = text.index(number)
    return [start + place for place, c in enumerate(number) if c.isdigit()]


def passing(detector: Detector, text: str, place: int) -> int:
    """Say with how many digits at a place something is found."""
    return sum(bool(detector.find(text[:place] + digit + text[place + 1 :])) for digit in "0123456789")


@pytest.mark.parametrize("national", [each for each in NATIONALS if each.alone is None], ids=lambda each: each.kind)
def test_a_number_that_may_be_another_needs_its_word(national: National) -> None:
    """Where a number looks like any other, nothing is found without a word."""
    detector = detector_of(Search(kinds=frozenset({national.kind})))
    assert detector.find(f"... value: {KNOWN.get(national.kind) or drawn(national)}, and so on") == []
