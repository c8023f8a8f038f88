"""Watching what a model writes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

for _module in ("pyarrow", "pydivsufsort"):
    pytest.importorskip(_module, reason="data sets are searched with the extra data")

from hallmarked.core.errors import InputError  # noqa: E402 -- after the skip
from hallmarked.corpus.search.build import build  # noqa: E402
from hallmarked.corpus.search.index import Index  # noqa: E402
from hallmarked.corpus.search.model import Document  # noqa: E402
from hallmarked.corpus.search.output import OutputFilter  # noqa: E402
from hallmarked.corpus.search.word import fold_words  # noqa: E402

ALPHABET = "alfa bravo charlie delta echo foxtrot golf hotel india juliett kilo lima mike november oscar papa"


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    """Make an index of one document."""
    folder = tmp_path_factory.mktemp("search") / "index"
    build(folder, [Document("a.jsonl", 1, ALPHABET, fold_words(ALPHABET))])
    return Index.open(folder)


def _pieces(text: str, cuts: Sequence[int]) -> list[str]:
    ends = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    return [text[start:stop] for start, stop in pairwise(ends)]


def _run(watch: OutputFilter, pieces: Sequence[str]) -> str:
    return "".join(map(watch.feed, pieces)) + watch.finish()


@given(cuts=st.lists(st.integers(0, 200), max_size=12))
def test_a_copy_ends_before_the_word_that_makes_it_one(index: Index, cuts: list[int]) -> None:
    """However an output comes in pieces, it ends after as many copied words as may be written."""
    text = f"They say: {ALPHABET.title().replace(' ', ', ')}; and so on"
    watch = OutputFilter(index, most=9)
    assert _run(watch, _pieces(text, cuts)) == text[: text.index("Juliett")]
    assert watch.stopped
    assert watch.copies[0].words == 10
    assert watch.feed("more") == watch.finish() == ""


@given(cuts=st.lists(st.integers(0, 300), max_size=12))
def test_a_flagged_output_stays_as_it_is(index: Index, cuts: list[int]) -> None:
    """When nothing is to be cut, all is handed on and every copy is told with its place."""
    first, second = ALPHABET, " ".join(ALPHABET.split()[3:13])
    text = f"{first} – then {second} zulu 日本語 {' '.join(ALPHABET.split()[:8])}"
    watch = OutputFilter(index, most=8, truncate=False)
    assert _run(watch, _pieces(text, cuts)) == text
    assert [text[copy.start : copy.stop] for copy in watch.copies] == [first, second]
    assert [copy.words for copy in watch.copies] == [16, 10]


def test_what_is_not_copied_is_handed_on_at_once(index: Index) -> None:
    """Only the word that is being written is held back, in scripts without spaces the last character."""
    watch = OutputFilter(index, most=8)
    assert [watch.feed(piece) for piece in ("hel", "lo wor", "ld ", "日本", "語")] == [
        "",
        "hello ",
        "world ",
        "日",
        "本",
    ]
    assert watch.finish() == "語"


def test_text_without_spaces_does_not_pile_up(index: Index) -> None:
    """A word without end is not held back for ever."""
    watch = OutputFilter(index, most=8)
    assert sum(len(watch.feed("x" * 100)) for _ in range(100)) > 9_000


def test_phrases_are_no_copies(index: Index) -> None:
    """A bound below what counts as a passage is refused."""
    with pytest.raises(InputError, match="common phrases"):
        OutputFilter(index, most=3)


def test_generation_stops_at_a_copy(index: Index) -> None:
    """The stopping criterion of the documentation ends a generation of transformers."""
    torch = pytest.importorskip("torch", reason="stopping a generation needs torch")
    page = Path(__file__).parents[3] / "docs/how-to/search-training-data.md"
    code = page.read_text("utf-8").partition("<!-- stopping criterion -->\n```python\n")[2].partition("```")[0]
    known: dict[str, object] = {}
    exec(code, known)
    vocabulary = ALPHABET.split()

    class Tokenizer:
        def decode(self, ids: Sequence[int], **_options: object) -> str:
            return "".join(f" {vocabulary[number]}" for number in ids)

    stop = known["StopAtCopy"](index, Tokenizer(), prompt=0, most=9)  # type: ignore[operator]
    stops = [bool(stop(torch.tensor([list(range(count))]), None)[0]) for count in range(1, 16)]
    assert stops == [False] * 10 + [True] * 5
