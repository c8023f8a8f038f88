"""Rule packs: what is read, and what is refused with its line."""

from __future__ import annotations

import contextlib
import itertools
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallmarked.core.errors import InputError
from hallmarked.profiles.run.pack import COMBINATIONS, load_pack, read_pack, shipped

HEAD = """[pack]
id = "example"
title.en = "An example"
source = "none"
checked = 2026-11-21
"""
RULE = """
[[rule]]
id = "{id}"
from = {begins}
{ends}
title.en = "t"
duty.en = "d"
source = "s"
when = [{{ path = "run.operations", op = ">", value = "1e25" }}]
"""
DAYS = st.dates(date(2020, 1, 1), date(2035, 1, 1))


def rule(id_: str, begins: date, ends: date | None = None) -> str:
    return RULE.format(id=id_, begins=begins, ends=f"to = {ends}" if ends else "")


def refused(text: str) -> str:
    with pytest.raises(InputError) as caught:
        read_pack(text.encode(), "p.toml")
    said = str(caught.value)
    assert "\n" not in said
    return said


def test_shipped_packs_have_the_thresholds_they_are_named_for() -> None:
    """The packs that come with the program hold 1e25, 1e26, 1e23, and the two figures of clusters."""
    asked = {(name, one.path, one.value) for name in shipped() for each in load_pack(name).rules for one in each.when}
    assert {
        ("eu-ai-act", "run.operations", "1e25"),
        ("us-eo-14110", "run.operations", "1e26"),
        ("us-eo-14110", "run.operations", "1e23"),
        ("us-eo-14110", "run.data", "biological-sequence"),
        ("us-eo-14110", "cluster.peak", "1e20"),
        ("us-eo-14110", "cluster.network", "100"),
    } <= asked


@pytest.mark.parametrize("name", shipped())
def test_shipped_packs_speak_both_languages_and_cite(name: str) -> None:
    """Every sentence that a page shows is there in English and Spanish, and every rule has its source."""
    pack = load_pack(name)
    texts = [pack.title, pack.note, *pack.questions.values()]
    texts += [text for each in pack.rules for text in (each.title, each.duty)]
    assert all(text["en"].strip() and text["es"].strip() and text["en"] != text["es"] for text in texts)
    assert all(each.source for each in pack.rules)


@given(DAYS, st.integers(0, 2000), st.integers(-1000, 1000), st.integers(0, 2000) | st.none())
def test_days_of_one_rule_overlap_or_not(begins: date, length: int, gap: int, other: int | None) -> None:
    """Two rules of one id are refused exactly when some day has both, whichever stands first."""
    ends = begins + timedelta(days=length)
    again = ends + timedelta(days=gap)
    last = None if other is None else again + timedelta(days=other)
    overlap = begins <= (last or date.max) and again <= ends
    for texts in itertools.permutations([rule("r", begins, ends), rule("r", again, last)]):
        text = HEAD + "".join(texts)
        if overlap:
            assert "overlap" in refused(text)
            assert "p.toml, line " in refused(text)
        else:
            days = [begins, ends, again]
            pack = read_pack(text.encode(), "p.toml")
            assert all(sum(each.holds_on(one) for each in pack.rules) == 1 for one in days)


def test_rules_of_other_ids_may_overlap() -> None:
    """Only one and the same rule has to be unambiguous on a day."""
    text = HEAD + rule("a", date(2025, 1, 1)) + rule("b", date(2025, 1, 1))
    assert len(read_pack(text.encode(), "p.toml").rules) == 2


@pytest.mark.parametrize(
    ("before", "after", "said", "line"),
    [
        ('op = ">"', 'op = "=>"', "'=>' is no operator", 14),
        ('op = ">"', 'op = "present"', "no operator", 14),
        ('value = "1e25"', "value = 1e25", "is not a text", 14),
        ('value = "1e25"', 'value = "many"', "is no number", 14),
        ('"run.operations"', '"run.vibes"', "nothing a plan says", 14),
        ('"run.operations"', '"run.parameters"', "never covers a run alone", 14),
        (
            'path = "run.operations", op = ">", value = "1e25"',
            'path = "run.data", op = "==", value = "text"',
            "alone",
            14,
        ),
        ("from = 2025-01-01", 'from = "2025-01-01"', "from is not a day", 9),
        ("from = 2025-01-01", "from = 2025-01-01T00:00:00Z", "from is not a day", 9),
        ("from = 2025-01-01", "from = 2025-01-01\nto = 2024-01-01", "before it begins", 10),
        ('source = "s"', 'sauce = "s"', "'sauce' is not known", 13),
        ('title.en = "t"', 'title.es = "t"', "title is missing", 11),
        ('id = "r"', 'id = "R R"', "id is missing", 8),
    ],
)
def test_mistakes_are_named_with_their_line(before: str, after: str, said: str, line: int) -> None:
    """Each mistake is one sentence with the line it stands on, or the line of the rule it is missing from."""
    text = (HEAD + rule("r", date(2025, 1, 1))).replace(before, after, 1)
    if "sauce" in after:
        text = text.replace(after, f'{after}\nsource = "s"')
    message = refused(text)
    assert said in message
    assert f"p.toml, line {line}" in message


def test_all_eight_combinations_of_factors_are_needed() -> None:
    """A table of stages that leaves a combination out is refused; the shipped one has all eight."""
    rows = [" ".join("yes" if each else "no" for each in row) for row in COMBINATIONS]
    table = "[stages]\n" + "".join(f'"{row}" = "stage-two"\n' for row in rows[:-1])
    assert "yes yes yes" in refused(HEAD + rule("r", date(2025, 1, 1)) + table)
    assert len(load_pack("two-stage").stages) == 8


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe",
        b"[pack",
        b"pack = 1",
        b"rule = 5",
        b"[[pack]]",
        b"a = " + b"[" * 5000,
        b"a = " + b"9" * 5000,
        b"[stages]\na = 1",
        b"[[rule]]\n" * 2000,
        b"#" * (1 << 21),
        b"[[rule]]\nid = 1\n[[rule]]\nwhen = {}",
    ],
    ids=lambda data: repr(data[:20]),
)
def test_what_is_no_pack_is_refused(data: bytes) -> None:
    """Whatever a file holds, it is read or refused in one sentence."""
    with pytest.raises(InputError) as caught:
        read_pack(data, "p.toml")
    assert "p.toml" in str(caught.value)


@given(st.binary(max_size=400) | st.text(max_size=300).map(str.encode))
def test_anything_is_read_or_refused(data: bytes) -> None:
    """No bytes make anything but a pack or a sentence."""
    for whole in (data, HEAD.encode() + data):
        with contextlib.suppress(InputError):
            assert read_pack(whole, "p.toml").rules


def test_a_pack_that_nobody_has() -> None:
    """A name that is no pack and no file tells which there are."""
    with pytest.raises(InputError, match="two-stage"):
        load_pack("tow-stage")
    with pytest.raises(InputError, match="no such file"):
        load_pack("/nowhere/pack.toml")
