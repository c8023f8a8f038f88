"""Items in texts, copied and changed."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.core.errors import LimitExceeded
from hallmarked.corpus.leak import index as index_module
from hallmarked.corpus.leak.align import align
from hallmarked.corpus.leak.index import LEAST_ITEM, WHOLE_ITEM, build_index
from hallmarked.corpus.leak.scan import STRONG, scan
from hallmarked.corpus.leak.word import words_of
from tests.corpus.leak.support import Writer, benchmark, found, index_of
from tests.support import DATA, needs_data

WRITER = Writer(7)
ITEMS = [WRITER.text(length) for length in [*range(16, 60)] * 3]
INDEX = index_of(ITEMS)


def test_copies() -> None:
    """A copy in a longer text is found with its exact place, and nothing is found in other texts."""
    texts = [f"{WRITER.text(30)} {item} {WRITER.text(20)}" for item in ITEMS[:40]]
    strong = {text: match for text, match in found(INDEX, texts) if match.strong and match.longest >= 16}
    assert len(strong) == 40
    for text, match in strong.items():
        assert INDEX.targets[match.target].item == text
        words = len(ITEMS[text].split())
        assert match.words >= words
        assert match.share == 1
        assert (match.start, match.stop) == (30, 30 + words)
        assert match.answer is None
    other = Writer(8)
    assert not [match for _, match in found(INDEX, [other.text(200) for _ in range(50)]) if match.strong]


@pytest.mark.parametrize(("share", "least"), [(0.1, 1.0), (0.2, 0.97)])
def test_edited_copies(share: float, least: float) -> None:
    """Copies of which some words were exchanged are found."""
    texts = [f"{WRITER.text(20)} {WRITER.edit(item, share)} {WRITER.text(20)}" for item in ITEMS]
    hits = {text for text, match in found(INDEX, texts) if match.strong and INDEX.targets[match.target].item == text}
    assert len(hits) >= least * len(ITEMS)


def test_missing_and_additional_words() -> None:
    """Words that were left out or put in do not hide a copy."""
    item = ITEMS[40].split()
    fewer = [word for place, word in enumerate(item) if place % 6]
    more = [part for place, word in enumerate(item) for part in ([word, "zzz"] if place % 6 == 0 else [word])]
    for words in (fewer, more):
        matches = [match for _, match in found(INDEX, [f"{WRITER.text(9)} {' '.join(words)}"]) if match.strong]
        assert [INDEX.targets[match.target].item for match in matches] == [40]


def test_short_items() -> None:
    """Items of few words have to be there word for word; those of one or two are not looked for, and said to be so."""
    questions = ["Who was it", "Was it him who wrote it", "Yes", "", "what is the colour of the old door in winter"]
    index = index_of(questions)
    assert [len(text.split()) < LEAST_ITEM for text in questions] == [n in index.short for n in range(len(questions))]
    texts = ["then: who was it? nobody knows", "was it him who has written it", "it was him who wrote it, was it"]
    assert {(text, match.target) for text, match in found(index, texts) if match.strong} == {(0, 0)}
    assert len(questions[1].split()) < WHOLE_ITEM
    edited = "so what is the size of the old door in winter"
    assert {match.target for _, match in found(index, [edited])} == {2}


def test_answers() -> None:
    """Whether the answer stands near is said, before or behind, and only when there is one."""
    question, answer = ITEMS[5], WRITER.text(25)
    index = index_of([question, ITEMS[6], ITEMS[7]], [answer, "forty two", ""])
    texts = [
        f"{question} {answer}",
        f"{answer} {question}",
        f"{question} {WRITER.edit(answer, 0.1)}",
        f"{question} {WRITER.text(30)}",
        f"{ITEMS[6]} the answer is forty two",
        f"{ITEMS[6]} forty and two",
        ITEMS[7],
    ]
    answers = {text: match.answer for text, match in found(index, texts) if match.share == 1}
    assert answers == {0: True, 1: True, 2: True, 3: False, 4: True, 5: False, 6: None}


def test_quotations() -> None:
    """Eight words of an item in a row are possibly it; fewer are not."""
    item = WRITER.text(60)
    words = item.split()
    index = index_of([item, *ITEMS])
    other = Writer(9, 300)
    matches = found(index, [f"{other.text(20)} {' '.join(words[20:31])} {other.text(20)}"])
    (match,) = [match for _, match in matches if index.targets[match.target].item == 0]
    assert not match.strong
    assert match.longest >= 11
    assert not [
        m for _, m in found(index, [f"{other.text(9)} {' '.join(words[20:24])} {other.text(9)}"]) if m.target == 0
    ]


def test_siblings() -> None:
    """Of items that share most words, the one that stands there is found; the others at most possibly."""
    frame = WRITER.text(24).split()
    siblings = [" ".join([*frame, *WRITER.text(8).split()]) for _ in range(6)]
    index = index_of([*siblings, *ITEMS])
    matches = found(index, [f"{WRITER.text(10)} {siblings[2]}"])
    assert [match.target for _, match in matches if match.strong] == [2]


def test_runs_that_all_items_share() -> None:
    """Runs of words that very many items share are no candidates, but an item made of nothing else is still found."""
    frame = WRITER.text(20)
    index = index_of([frame, *(f"{frame} {WRITER.text(20)}" for _ in range(80))])
    assert 0 in {match.target for _, match in found(index, [f"{WRITER.text(10)} {frame} {WRITER.text(10)}"])}


def test_long_items() -> None:
    """Items longer than a piece are looked for in pieces that belong to them."""
    item = WRITER.text(1_500)
    index = index_of([item])
    assert [target.item for target in index.targets] == [0, 0, 0]
    assert sum(len(target.words) for target in index.targets) == 1_500
    middle = " ".join(item.split()[500:1_000])
    assert [match.target for _, match in found(index, [middle]) if match.strong] == [1]


def test_texts_made_to_match() -> None:
    """A text that is all of many items at every place is given up on after a while, which is counted."""
    item = WRITER.text(10)
    index = index_of([item] * 40)
    (scanned,) = scan(index, pa.array([" ".join([item] * 60)], pa.large_string()))
    assert scanned.passed_over > 0


def test_many_siblings_that_all_are_there() -> None:
    """Items that differ in a few words are told apart, however many of them there are and stand in one text."""
    frame = WRITER.text(30).split()
    siblings = [" ".join([*frame[: n % 30], *WRITER.text(5).split(), *frame[n % 30 :]]) for n in range(60)]
    index = index_of(siblings)
    matches = found(index, ["\n".join(siblings)])
    assert {index.targets[match.target].item for _, match in matches if match.share == 1} == set(range(60))


def test_too_many_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Benchmarks that do not fit into memory are refused."""
    monkeypatch.setattr(index_module, "MOST_WORDS", 100)
    with pytest.raises(LimitExceeded):
        build_index([benchmark(ITEMS[:20])])


def test_benchmarks_do_not_change_each_other() -> None:
    """What is found of one benchmark does not depend on which others are looked for."""
    texts = [WRITER.edit(item, 0.15) for item in ITEMS[:30]]
    alone = {(text, match.target, match.share) for text, match in found(INDEX, texts)}
    both = build_index([benchmark(ITEMS), benchmark([WRITER.text(30) for _ in range(50)] + ITEMS[:9], name="other")])
    together = {(text, m.target, m.share) for text, m in found(both, texts) if both.owner[m.target] == 0}
    assert together == alone


@settings(max_examples=60)
@given(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=14), st.lists(st.sampled_from("abcdef"), max_size=20))
def test_alignment(item: list[str], text: list[str]) -> None:
    """An alignment matches equal words in order, never scores more than they weigh, and all of it for a copy."""
    words = words_of(pa.array([" ".join(item), " ".join(text), " ".join([*text, *item, *text])], pa.large_string()))
    ours, theirs, copy = (words.hashes[words.stops[n] : words.stops[n + 1]] for n in range(3))
    weights = (ours % 900 + 100).astype("int64")
    result = align(ours, weights, theirs)
    assert (ours[result.matched] == theirs[result.places]).all()
    assert (result.matched[1:] > result.matched[:-1]).all()
    assert (result.places[1:] > result.places[:-1]).all()
    assert 0 <= result.score <= weights[result.matched].sum()
    whole = align(ours, weights, copy)
    assert whole.score == weights.sum()
    assert whole.longest <= len(item)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=60), max_size=5), st.lists(st.text(max_size=60), max_size=5), st.booleans())
def test_any_texts(questions: list[str], texts: list[str], copied: bool) -> None:
    """Whatever items and texts are made of, places lie in their texts, and a copied item of some words is found."""
    index = index_of(questions)
    given = [*texts, *(questions if copied else [])]
    words = words_of(pa.array(given, pa.large_string()))
    hits = found(index, given)
    for text, match in hits:
        assert 0 <= match.start < match.stop <= words.stops[text + 1] - words.stops[text]
        assert 0 < match.words <= len(index.targets[match.target].words)
        assert 0 <= match.share <= 1
    if copied:
        there = {tuple(index.targets[match.target].words.tolist()) for _, match in hits if match.share == 1}
        assert {tuple(target.words.tolist()) for target in index.targets} <= there


def gsm8k() -> list[dict[str, str]]:
    with (DATA / "benchmarks" / "gsm8k" / "test.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@needs_data
@pytest.mark.slow
def test_gsm8k() -> None:
    """With 20 % of their words changed more than 90 % of real items are found, and siblings hardly ever."""
    rows = gsm8k()
    questions = [row["question"] for row in rows]
    index = index_of(questions, [row["answer"] for row in rows])
    writer = Writer(3)
    hits = {
        text
        for text, match in found(index, [writer.edit(question, 0.2) for question in questions])
        if match.share >= STRONG and index.targets[match.target].item == text
    }
    assert len(hits) >= 0.95 * len(questions)
    # Each half is looked for in the other: the same authors and phrases, but other items.
    half = len(questions) // 2
    siblings = 0
    for ours, theirs in ((questions[:half], questions[half:]), (questions[half:], questions[:half])):
        siblings += len({text for text, match in found(index_of(ours), theirs) if match.strong})
    assert siblings <= 4
