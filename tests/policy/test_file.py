"""Policy files: what they say, and which line a mistake stands in."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallmarked.core.errors import InputError
from hallmarked.core.evidence import Level
from hallmarked.policy.file import contexts
from hallmarked.policy.requirement import Operator

GOOD = """
[context.clinic]
title = { en = "A clinic", es = "Una clínica" }
risk = "high"
extends = ["base"]
fail_on = "warning"
waived_by = ["auditor"]

[[context.clinic.require]]
id = "recall"
claim = "eval.recall"
slice = "worst"
op = ">="
value = "0.9"
min_n = 200
max_age = "30d"
by = ["third_party"]
maps_to = ["nist-ai-600-1/final-2024-07#MS-2.5-005"]
why = { en = "Missing a patient is the harm." }

[[context.clinic.require]]
id = "languages"
claim = "eval.language"
op = "in"
value = ["en", "es"]
"""


def test_a_context_is_read() -> None:
    """Everything a file says arrives, with what the extended context asks for in front."""
    made = contexts(GOOD.encode())["clinic"]
    base = contexts()["base"]
    assert [demand.requirement.id for demand in made.demands] == [
        *(demand.requirement.id for demand in base.demands),
        "recall",
        "languages",
    ]
    recall, languages = made.demands[-2:]
    assert (recall.requirement.op, recall.requirement.value) == (Operator.AT_LEAST, "0.9")
    assert (recall.requirement.slice, recall.requirement.min_n) == ("worst", 200)
    assert recall.requirement.max_age == timedelta(days=30)
    assert recall.requirement.by == ("third_party",)
    assert languages.requirement.value == ("en", "es")
    assert (made.risk, made.fail_on, made.required) == ("high", Level.WARNING, base.required)


def line_of(text: str) -> int:
    """Return the line in which a text stands in the good file."""
    return GOOD[: GOOD.index(text)].count("\n") + 1


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('op = ">="', 'op = "=>"', "there are: =="),
        ('value = "0.9"', 'value = "high"', "'high' is no number"),
        ('value = "0.9"', "value = 0.9", 'value = "0.9"'),
        ("min_n = 200", "min_n = -1", "from 0 on"),
        ("min_n = 200", 'min_n = "many"', "from 0 on"),
        ('max_age = "30d"', 'max_age = "a month"', "such as 30d"),
        ('slice = "worst"', 'slice = "best"', "worst"),
        ('by = ["third_party"]', 'by = ["nurse"]', "no role"),
        ('by = ["third_party"]', "by = []", "nobody"),
        ("final-2024-07#", "#", "edition"),
        ('claim = "eval.recall"', 'claim = "parameter.total"', "is parameters.total meant?"),
        ('claim = "eval.recall"', 'claim = "check.malwear"', "no check is called malwear"),
        ('claim = "eval.recall"', 'claim = "check.malware.mistakes"', "of a check there are"),
        ('claim = "eval.recall"', 'claim = "finding.mal"', "three letters"),
        ('id = "languages"', 'id = "recall"', "used twice"),
        ('id = "languages"', 'id = "Läng"', "no id"),
        ('op = "in"', 'op = "absent"', "value means nothing"),
        ('value = ["en", "es"]', "value = []", "list"),
        ('fail_on = "warning"', 'fail_on = "all"', "there are: note"),
        ('risk = "high"', 'risk = "huge"', "there are: minimal"),
        ('waived_by = ["auditor"]', 'waived_by = ["log"]', "no role"),
        ('waived_by = ["auditor"]', 'waived_by = ["maker"]', "would loosen"),
        ('extends = ["base"]', 'extends = ["nowhere"]', "there is no such context"),
        ('extends = ["base"]', 'extends = ["clinic"]', "circle: clinic → clinic"),
        ('{ en = "Missing', '{ es = "Missing', "in English"),
    ],
)
def test_a_mistake_is_told_with_its_line(old: str, new: str, told: str) -> None:
    """Each has one sentence, with the file and the line it stands in."""
    with pytest.raises(InputError) as refused:
        contexts(GOOD.replace(old, new, 1).encode(), "clinic.toml")
    place, sentence = str(refused.value).split(": ", 1)
    assert told in sentence
    # What does not fit together is told at the key that is too many, or at the header above the id.
    assert abs(int(place.removeprefix("clinic.toml:")) - line_of(old)) <= 1
    assert "\n" not in sentence


@pytest.mark.parametrize(
    "asked",
    [
        'op = "absent"',
        'op = "absent"\ncheck = "secrets"\nmin_n = 5',
        'op = "absent"\ncheck = "nobody"',
        'op = "present"\nvalue = "1"',
        'op = ">="',
        'op = ">="\nthreshold = "x"',
        'op = ">="\nthreshold = "x"\nharm = "missed-emergency"',
        'op = ">="\nharm = "nothing"\nvalue = "1"',
        'op = "=="\nthreshold = "recall"\nharm = "missed-emergency"',
        'op = ">="\nthreshold = "recall"\nharm = "missed-emergency"\nvalue = "1"',
    ],
)
def test_combinations_that_mean_nothing_are_refused(asked: str) -> None:
    """What no evidence could satisfy, or what would be passed over silently, is a mistake."""
    row = f"[context.a]\ntitle.en = 'A'\n[[context.a.require]]\nid = 'r'\nclaim = 'eval.x'\n{asked}\n"
    with pytest.raises(InputError, match=r"f\.toml:\d+: "):
        contexts(row.encode(), "f.toml")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"context = 1",
        b"[context]\na = 1",
        b"[context.a]\ntitle.en = 'x'",
        b"[context.a]\ntitle = 'x'\nchecks = ['inventory']",
        b"[context.A]\ntitle.en = 'x'\nchecks = ['inventory']",
        b"[context.base]\ntitle.en = 'x'\nchecks = ['inventory']",
        b"[contexts.a]\ntitle.en = 'x'",
        b"a = " + b"[" * 100_000,
        b"a = {" * 100_000,
        b"[context.a]\ntitle.en = '" + b"x" * 5000 + b"'\nchecks = ['inventory']",
        b"#" * (1 << 21),
    ],
)
def test_what_is_no_policy_is_refused(data: bytes) -> None:
    """Whatever it is, there is one short sentence."""
    with pytest.raises(InputError) as refused:
        contexts(data)
    assert len(str(refused.value)) < 1000


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_refused_in_order(data: bytes) -> None:
    """Arbitrary bytes raise nothing but the error for a file that cannot be used."""
    with pytest.raises(InputError):
        contexts(data)
