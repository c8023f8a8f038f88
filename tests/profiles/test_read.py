"""A file that is no edition of a framework is refused with the line and a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallmarked.core.errors import InputError, NotFound
from hallmarked.profiles.framework import parse_reference
from hallmarked.profiles.read import MOST_BYTES, read_framework
from hallmarked.profiles.registry import read_file
from tests.profiles.example import TOML, framework


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[framework]", "[framework", "example.toml is not TOML: .*line 2"),
        ("[tag]", "[label]", "example.toml, line 9: “label” is not known"),
        ('group = "TWO 1"', 'group = "TWO 2"', "line 52: control B-1 is in a group TWO 2, which is not described"),
        ('id = "B-1"', 'id = "A-1"', "control A-1 is there twice"),
        ('op = ">="', 'op = "=~"', "answer recall: “=~” is no operator"),
        ('value = "0.9"', "value = 0.9", "answer recall: “value” of >= is a text, also where it is a number"),
        ('answer = "policy"', 'answer = "polisy"', "control A-2 names an answer polisy, which is not there"),
        ('unless = ["data-only"]', 'unless = ["data"]', "answer recall names a condition data, which is not there"),
        ('tags = ["people"]', 'tags = ["peple"]', "control A-2 has a tag peple, which is not described"),
        ("page = 7", "page = true", "control A-1: “page” is no page number"),
        ("page = 7", "pages = 7", "control A-1: “pages” is not known; there are: "),
        ('audience = ["authority"', 'audience = ["everyone"', "control B-1: “audience” names one or more of public"),
        (
            'summary = { en = "Have',
            'summary = { fr = "Have',
            "control A-2: “summary” is missing, or has no English text",
        ),
        (
            "organisational = true",
            'organisational = "yes"',
            "answer policy: “organisational” is neither true nor false",
        ),
        ('id = "example"', 'id = "an example"', "“id” holds a space"),
        ('id = "example"', 'id = "../example"', "the name is not made of letters"),
        ("when = [{", "when = []\nwhen2 = [{", "condition data-only: “when2” is not known"),
        (TOML, "", "there is no control"),
        (TOML, "a=" + "[" * 5000, "is not TOML"),
        (TOML, "control = " + "9" * 5000, "is not TOML"),
        (TOML, "[[control]]\nid = 1\n" * 5001, "there are 5,001 controls; 5,000 is the most"),
        (TOML, "[[control]]\nid = 1\n" * 5000, "; and 49\\d\\d more$"),
        (TOML, "control = 3", "“control” is not a table"),
        (TOML, "[[control]]\n[[control]]", "control number 2: “id” is missing"),
    ],
)
def test_refused(old: str, new: str, message: str) -> None:
    """Everything that is wrong is named, with its line where it has one."""
    assert old in TOML
    with pytest.raises(InputError, match=message):
        framework(TOML.replace(old, new))


def test_size_is_bounded(tmp_path: Path) -> None:
    """A file that is larger than any framework is refused before it is parsed, and a missing one in one sentence."""
    large = tmp_path / "large.toml"
    large.write_bytes(b"#" * (MOST_BYTES + 1))
    with pytest.raises(InputError, match=r"large.toml is larger than 4 MiB"):
        read_file(large)
    with pytest.raises(InputError, match=r"none.toml: no such file or directory"):
        read_file(tmp_path / "none.toml")


def test_all_problems_at_once() -> None:
    """Several mistakes are told in one message."""
    with pytest.raises(InputError, match=r"polisy.*; .*peple"):
        framework(TOML.replace('tags = ["people"]', 'tags = ["peple"]').replace('"policy"\n', '"polisy"\n'))


def test_summaries_of_another_file() -> None:
    """Summaries in another language may lie in another file, and belong to controls that are there."""
    more = '[summary.es]\n"A-2" = "Tener una política."\n'
    made = read_framework({"example.toml": TOML.encode(), "example.es.toml": more.encode()})
    assert made.control("A-2").summary == {"en": "Have a policy.", "es": "Tener una política."}
    with pytest.raises(InputError, match=r"es.toml, line 2: a summary in “es” is of A-9, which is no control"):
        read_framework({"example.toml": TOML.encode(), "es.toml": more.replace("A-2", "A-9").encode()})


@given(st.text(max_size=200) | st.sampled_from(TOML.splitlines()).map(lambda line: TOML.replace(line, "", 1)))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Whatever a file holds, it is a framework or refused as input that cannot be used."""
    try:
        made = framework(text)
    except InputError:
        return
    assert made.controls


def test_the_example_of_the_documentation_is_read() -> None:
    """The framework that the documentation shows as an example is one."""
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "risk-profile.md").read_text(encoding="utf-8")
    made = framework(page.split("```toml\n")[1].split("```")[0])
    assert made.name == "example-rules/2026"
    assert made.answers["recall"].evidence[0].slice == "worst"


EDITIONS = {"example": ("2026", "2025")}


def test_references() -> None:
    """A reference names framework, edition and control."""
    assert str(parse_reference("example/2026#A-1", EDITIONS)) == "example/2026#A-1"
    with pytest.raises(NotFound, match=r"example/2026 has no control A-9"):
        framework().control("A-9")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("example#A-1", "names no edition, .*; write example/2026#A-1 or example/2025#A-1"),
        ("example/2024#A-1", "names an edition that is not known; there are: 2026, 2025"),
        ("sample/2026#A-1", "names a framework that is not known; there are: example"),
        ("example/2026", "is no reference to a control"),
        ("#", "is no reference to a control"),
    ],
)
def test_references_without_edition(text: str, message: str) -> None:
    """A reference without an edition is an error that says what to write."""
    with pytest.raises(InputError, match=message):
        parse_reference(text, EDITIONS)
