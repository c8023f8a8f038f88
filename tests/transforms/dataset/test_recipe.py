"""Recipes: what they say, and everything that is wrong with one at once."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallmarked.core.errors import InputError
from hallmarked.transforms.dataset.recipe import Recipe, read_recipe

LEAST = """recipe = 1
[dataset]
name = "acme/forum"
[[source]]
name = "posts"
path = "posts"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder with a source."""
    (tmp_path / "posts").mkdir()
    (tmp_path / "list").write_text("")
    return tmp_path


def read(folder: Path, text: str) -> Recipe:
    """Read a recipe."""
    return read_recipe(text.encode(), folder, "recipe.toml")


def test_the_least_recipe(folder: Path) -> None:
    """A name and a source are enough: copies go, everything else stays, Parquet is written."""
    recipe = read(folder, LEAST)
    assert recipe.sources[0].path == folder / "posts"
    assert recipe.reasons == ("unread", "expired", "not-sampled", "copy")
    assert recipe.output.format == "parquet"
    assert recipe.redaction is recipe.consent is recipe.retention is None


def test_a_recipe_that_says_much(folder: Path) -> None:
    """Every section is read, and reasons follow in the order in which rows are looked at."""
    recipe = read(
        folder,
        LEAST
        + """licence = "CC-BY-4.0"
digest = "dirHash:%s"
keep-until = 2027-01-01
domain = "forum.example"
[source.collected]
who = "The archive"
when = "2025"
assumptions = ["public posts only"]
[source.generated]
model = "acme/writer"
share = 0.5
learned = ["posts"]
[columns]
text = ["body"]
group = "dialect"
[retention]
as-of = 2026-11-21
column = "day"
days = 30
[sample]
share = 0.5
seed = 7
[[filter]]
name = "short"
words = {least = 3}
[[filter]]
name = "adverts"
matches = '(?i)buy now'
[consent]
list = "list"
key = "list"
trust = "list"
mode = "opt-in"
[[benchmark]]
name = "mine"
path = "posts"
[duplicates]
near = "remove"
threshold = 0.8
[redaction]
mode = "pseudonym"
key = "list"
kinds = ["email"]
[output]
format = "jsonl.zst"
"""
        % ("0" * 64),
    )
    source = recipe.sources[0]
    assert source.keep_until == datetime.date(2027, 1, 1)
    assert source.place == {"domain": "forum.example"}
    assert source.generated is not None
    assert source.generated.learned == (folder / "posts",)
    assert source.collected.to_dict()["assumptions"] == ["public posts only"]
    assert recipe.reasons == (
        "unread", "expired", "opted-out", "not-opted-in", "consent-unclear", "not-sampled", "short", "adverts",
        "benchmark", "copy", "near-copy",
    )  # fmt: skip
    assert recipe.copies.settings.threshold == 0.8
    assert recipe.consent is not None
    assert recipe.consent.opt_in


def test_everything_that_is_wrong_is_said_at_once_with_its_line(folder: Path) -> None:
    """Each problem has its line and its member, in the order of the file."""
    with pytest.raises(InputError) as raised:
        read(
            folder,
            """recipe = 1
[dataset]
nam = "x"
[[source]]
name = "posts"
path = "posts"
[[source]]
name = "posts"
path = "nowhere"
licence = 3
[[filter]]
name = "Bad Name"
words = {least = 5, most = "many"}
[[filter]]
name = "two"
matches = "("
lacks = "x"
[retention]
column = "day"
[output]
shard-bytes = 1
""",
        )
    said = str(raised.value)
    for expected in (
        "line 2: dataset.name is missing or empty",
        "line 3: dataset.nam is not known; known are decided-by, licence, name, note, purpose",
        "line 8: source[2].name is the name of another source too",
        "line 9: source[2].path leads nowhere",
        "line 10: source[2].licence is not a text",
        "line 12: filter[1].name is not made of small letters",
        "words.most is not a number",
        "line 15: filter[2].name has more than one of",
        "line 18: retention.as-of is missing",
        "line 19: retention.column and days belong together",
        "line 21: output.shard-bytes is not between",
    ):
        assert expected in said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ("[[filter]]\nname = 'x'\nmatches = '('\n", "is no regular expression: missing )"),
        ("[[filter]]\nname = 'copy'\nwords = {least = 1}\n", "is the name of another reason too"),
        ("[[filter]]\nname = 'x'\ncolumn = 'a'\n", "needs a condition"),
        ("[[filter]]\nname = 'x'\nwords = {}\n", "needs one of them"),
        ("[redaction]\nmode = 'pseudonym'\n", "is for the mode pseudonym"),
        ("[redaction]\nkinds = ['feelings']\n", "names feelings, which is not known"),
        ("[duplicates]\nexact = 'keep'\nnear = 'remove'\n", "cannot be removed while exact ones are kept"),
        ("[columns]\nkeep = ['a']\ntext = ['b']\n", "names a column that columns.keep leaves out"),
        ("keep-until = 2026-01-01\n", "keep-until needs the day as-of"),
        ("[consent]\nlist = 'none'\nkey = 'list'\ntrust = 'list'\n", "there is no file"),
        ("[[benchmark]]\nname = 'b'\npath = 'none'\n", "leads nowhere"),
        ("[sample]\nshare = nan\n", "is not between 0 and 1"),
        ("[sample]\nseed = true\n", "is not a whole number"),
    ],
)
def test_what_does_not_go_together(folder: Path, more: str, sentence: str) -> None:
    """Settings that mean nothing, or contradict each other, are refused by name."""
    with pytest.raises(InputError, match=sentence.replace("(", r"\(").replace(")", r"\)")):
        read(folder, LEAST + more)


@pytest.mark.parametrize("text", ["", "recipe = 2", "recipe = true", "x", "\ufeff"])
def test_another_file_is_no_recipe(folder: Path, text: str) -> None:
    """A file of another kind or version says so."""
    with pytest.raises(InputError, match=r"recipe\.toml (has no line recipe = 1|is not TOML)"):
        read(folder, text)


@given(st.binary(max_size=400))
def test_arbitrary_bytes_are_refused(data: bytes) -> None:
    """Whatever a file holds, it is a recipe or it is refused."""
    with pytest.raises(InputError):
        read_recipe(data, Path("nowhere"))
