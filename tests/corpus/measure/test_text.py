"""Measures of texts: a recount in plain Python comes to the same, and so do parts put together."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

np = pytest.importorskip("numpy")
pytest.importorskip("pyarrow", reason="tables are read with the extra data")

from hallmarked.corpus.measure.language import chosen, language_of  # noqa: E402
from hallmarked.corpus.measure.repeat import repeated_lines  # noqa: E402
from hallmarked.corpus.measure.segment import segment  # noqa: E402
from hallmarked.corpus.measure.text import Plan, Texts  # noqa: E402
from hallmarked.corpus.measure.vocabulary import TOP, Vocabulary  # noqa: E402
from hallmarked.corpus.table.column import to_batch  # noqa: E402
from hallmarked.corpus.table.model import Skipped  # noqa: E402

WORDS = st.lists(st.sampled_from(["one", "two", "three", "she", "\n"]), max_size=14).map(" ".join)
ROWS = st.lists(
    st.fixed_dictionaries(
        {"text": WORDS}, optional={"who": st.sampled_from(["a", "b"]), "label": st.sampled_from(["x", "y"])}
    ),
    max_size=12,
)
PLAN = Plan(("text",), ("who",), "label", {"women": ("she", "her"), "none": ("nobody",)}, 1)


def measured(rows: list[dict[str, str]], plan: Plan = PLAN) -> Texts:
    found = Texts(plan=plan)
    if rows:
        found.take([to_batch(list(rows))])
    return found


def again(words: list[str]) -> int:
    """Count the words that stand in a run of five that stood before."""
    runs = [tuple(words[place : place + 5]) for place in range(len(words) - 4)]
    covered = {place + shift for place, run in enumerate(runs) if run in runs[:place] for shift in range(5)}
    return len(covered)


@settings(deadline=None)
@given(ROWS)
def test_a_recount_comes_to_the_same(rows: list[dict[str, str]]) -> None:
    """Rows, words, vocabulary, repetition, slices and pairs are those of counting one row after the other."""
    found = measured(rows)
    texts = [row["text"] for row in rows]
    split = [text.split() for text in texts]
    assert (found.whole.rows, found.whole.texts) == (len(rows), sum(map(bool, texts)))
    assert found.whole.characters == sum(map(len, texts))
    assert found.whole.words.whole == sum(map(len, split))
    assert found.vocabulary.different.number == len({word for words in split for word in words})
    assert found.whole.again == sum(map(again, split))
    for name in ("a", "b"):
        among = [words for row, words in zip(rows, split, strict=True) if row.get("who") == name]
        amount = found.slices.get(("who", name))
        assert (amount.rows, amount.words.whole) == (len(among), sum(map(len, among))) if amount else not among
    women = Counter(
        ("women", row["label"]) for row, words in zip(rows, split, strict=True) if "she" in words and "label" in row
    )
    assert found.pairs == women
    assert found.labels == Counter(row["label"] for row in rows if "label" in row and row["text"])


@settings(deadline=None)
@given(ROWS, st.integers(0, 12))
def test_parts_together_are_the_whole(rows: list[dict[str, str]], cut: int) -> None:
    """Parts that were written, read and merged say what all rows at once say."""
    first = Texts.load(measured(rows[:cut]).dump())
    first.merge(Texts.load(measured(rows[cut:]).dump()))
    assert first.dump() == measured(rows).dump()


def test_languages_and_their_sample() -> None:
    """Languages are found of a sample that depends on the texts alone, and by slice."""
    rows = [{"text": f"Die Pflegerin schrieb die Uhrzeit des Besuchs auf, Nummer {n}.", "who": "a"} for n in range(40)]
    rows += [{"text": f"The nurse wrote down the time of the visit, number {n}.", "who": "b"} for n in range(60)]
    every = measured(rows, Plan(("text",), ("who",)))
    assert every.whole.languages == {"de": 40, "en": 60}
    assert every.slices["who", "a"].languages == {"de": 40}
    half = measured(rows, Plan(("text",), halvings=1)).whole.languages
    assert 30 < half.total() < 70
    assert half == measured(rows[::-1], Plan(("text",), halvings=1)).whole.languages
    texts = [row["text"] for row in rows]
    assert set(chosen(texts, 2).tolist()) <= set(chosen(texts, 1).tolist())


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("La enfermera anotó la hora de la visita.", "es"),
        ("L'infirmière a noté l'heure de la visite.", "fr"),
        ("Медсестра записала время посещения.", "ru"),
        ("看護師は訪問の時間を書き留めた。", "ja"),
        ("كتبت الممرضة وقت الزيارة.", "ar"),
        ("Muuguzi aliandika saa ya ziara.", "sw"),
        ("12345 67,89 --- 00", "und"),
        ("", "und"),
    ],
)
def test_language_of_a_sentence(text: str, language: str) -> None:
    """A plain sentence is enough to tell its language, and what is no sentence has none."""
    assert language_of(text) == language


def test_repeated_lines() -> None:
    """Lines that stood before count; short texts, where a line may well come twice, do not."""
    shares = repeated_lines(["a\nb\na\na\n", "a\na", "a\nb\nc\nd", "", "menu\n\nmenu\n \nmenu\nmenu"])
    assert shares.tolist() == [0.5, 0, 0, 0, 0.75]


def test_a_text_that_repeats_itself_and_one_that_is_damaged() -> None:
    """Both are counted as texts, in the whole and in their slices."""
    rows = [
        {"text": "buy now and save money " * 4, "who": "a"},
        {"text": "lost \ufffd letters", "who": "b"},
        {"text": "an ordinary text of several words that says something once", "who": "b"},
    ]
    found = measured(rows)
    assert (found.whole.repetitive, found.whole.damaged) == (1, 1)
    assert (found.slices["who", "a"].repetitive, found.slices["who", "b"].damaged) == (1, 1)


def test_a_column_of_names_divides_nothing() -> None:
    """Too many values are told of as such, whether they come in one part or in two."""
    rows = [{"text": "some words", "who": f"n{n}"} for n in range(300)]
    parts = measured(rows[:150])
    parts.merge(measured(rows[150:]))
    assert parts.crowded == measured(rows).crowded == {"who"}
    assert parts.slices.keys() == measured(rows).slices.keys()


def test_what_could_not_be_read_is_kept() -> None:
    """Rows that were passed over count as such, and a broken part says why."""
    found = Texts(plan=PLAN)
    found.take([Skipped("broken", 3), Skipped("the rest", 5, None)])
    found = Texts.load(found.dump())
    assert (found.skipped, found.lost) == (1, ["the rest"])


def test_a_large_vocabulary_is_estimated() -> None:
    """Above the bound the number of words is told with its interval, and the share of the commonest is near."""
    rng = np.random.default_rng(1)
    common = np.repeat(rng.integers(0, 2**64, TOP, dtype=np.uint64), 3_000)
    rare = rng.integers(0, 2**64, 300_000, dtype=np.uint64)
    first, second = Vocabulary(), Vocabulary()
    first.add(np.concatenate([common, rare[:100_000]]))
    second.add(rare[100_000:])
    assert first.different.interval is None
    first.merge(Vocabulary.from_json(second.to_json()))
    found = Vocabulary.from_json(first.to_json())
    assert found.different.interval is not None
    assert found.different.interval[0] < 300_100 < found.different.interval[1]
    assert 0.5 <= found.top < 0.503


def test_terms_are_cut_like_texts() -> None:
    """Words of groups are found whatever their case, and in scripts without spaces."""
    words = [bytes(block.words.data).decode() for block in segment(["She HER 女"])]
    assert words == ["she her 女 "]
    found = measured([{"text": "SHE said", "label": "x"}], PLAN)
    assert found.pairs == {("women", "x"): 1}
