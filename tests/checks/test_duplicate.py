"""The check of duplicates: what it counts, which rows it names, and what it never shows."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping

import pytest

from hallmarked.checks.duplicate import DuplicateCheck
from hallmarked.checks.runner import Result, run
from hallmarked.core.evidence import Outcome
from tests.support import MemoryArtifact

pytest.importorskip("pyarrow", reason="tables are read with the extra data")

CHANCE = random.Random(4)
TEXTS = [" ".join(f"word{CHANCE.randrange(5000)}" for _ in range(60)) for _ in range(40)]


def rows(*texts: str, **more: str) -> str:
    """Write texts as JSON Lines."""
    return "".join(json.dumps({"text": text, **more}) + "\n" for text in texts)


def checked(files: Mapping[str, bytes | str]) -> Result:
    """Run the check over files."""
    result = run(DuplicateCheck(), MemoryArtifact(dict(files)))
    assert not result.broke
    return result


def measured(result: Result) -> dict[tuple[str, ...], str]:
    """Return values by metric and slice."""
    return {(item.metric.removeprefix("duplicates."), *item.slice.values()): item.value for item in result.measurements}


def test_copies_and_near_duplicates_are_counted_and_named() -> None:
    """The same text, the same words and nearly the same text are told apart, with the places of examples."""
    base = TEXTS[0]
    files = {"a.jsonl": rows(*TEXTS, base), "b.jsonl": rows(base.upper(), TEXTS[1] + " end", "", TEXTS[2])}
    result = checked(files)
    found = measured(result)
    assert [found[name,] for name in ("compared", "same", "words", "near", "removed")] == ["44", "2", "1", "1", "4"]
    assert (found["clusters",], found["largest",]) == ("3", "3")
    assert found["share",] == f"{4 / 44:.6f}"
    assert found["setting", "threshold"] == "0.7"
    assert result.outcome is Outcome.PASS
    pairs = {
        frozenset({(item.location.path, item.data["row"]), (item.data["kept_path"], item.data["kept_row"])})
        for item in result.findings
        if item.location
    }
    assert frozenset({("a.jsonl", "2"), ("b.jsonl", "2")}) in pairs
    assert frozenset({("a.jsonl", "3"), ("b.jsonl", "4")}) in pairs
    assert [item.message for item in result.findings if not item.location] == [
        "3 of 44 texts are copies of others (6.8%)",
        "1 of 44 texts are nearly the same as others (2.3%)",
    ]


def test_texts_are_never_shown() -> None:
    """Evidence has places, not texts."""
    result = checked({"a.jsonl": rows(TEXTS[0], TEXTS[0], TEXTS[0] + " end")})
    assert result.findings
    assert "word" not in "".join(str(item.data) + item.message for item in result.findings).replace("same words as", "")


def test_texts_shared_by_splits_are_a_finding() -> None:
    """What is held out and stands in what is learned from is warned of, by names of files and by a declared column."""
    near = " ".join(TEXTS[0].split()[:-1])
    result = checked({"data/train-0.jsonl": rows(*TEXTS[:20]), "data/test.jsonl": rows(near, *TEXTS[20:])})
    [finding] = [item for item in result.findings if item.rule == "DUP003"]
    assert finding.message == (
        "1 of 21 texts of the split test stand, the same or nearly, in train: "
        "the first is data/test.jsonl row 1, and there data/train-0.jsonl row 1"
    )
    assert measured(result)["shared", "test", "train"] == "1"
    declared = {
        "dataset.toml": '[columns]\ntext = ["text"]\nsplit = "part"\n',
        "all.jsonl": rows(*TEXTS[:5], part="Training") + rows(*TEXTS[3:9], part="dev"),
    }
    assert measured(checked(declared))["shared", "validation", "train"] == "2"


def test_splits_that_share_nothing_have_no_finding() -> None:
    """Copies inside of a split are no leak."""
    result = checked({"train.jsonl": rows(*TEXTS[:9], TEXTS[0]), "test.jsonl": rows(*TEXTS[9:])})
    assert [item.rule for item in result.findings if item.rule == "DUP003"] == []


def test_passages_that_return_are_told_by_place() -> None:
    """How much of the texts stands in several of them, the longest run and the most frequent passage, without words."""
    passage = " ".join(f"clause{number}" for number in range(70))
    files = {"a.jsonl": rows(*(f"{text} {passage}" for text in TEXTS[:3]), *TEXTS[3:6])}
    result = checked(files)
    found = measured(result)
    assert found["passages.longest", "a.jsonl", "1"] == "70"
    assert found["passages.texts", "a.jsonl", "1"] == "3"
    assert found["passages.returning",] == str(3 * 21)
    assert found["passages.share",] == f"{3 * 70 / (3 * 130 + 3 * 60):.6f}"
    messages = [item.message for item in result.findings if item.rule == "DUP004"]
    assert messages[0] == "70 words from word 61 of a.jsonl row 1 on stand, passage by passage, in other texts"
    assert "clause" not in "".join(messages)


def test_rows_that_cannot_be_read_keep_their_numbers() -> None:
    """A row that is no JSON counts as a row, so that places are those in the file; what is lost is said."""
    files = {"a.jsonl": rows(TEXTS[0]) + "broken\n" + rows(TEXTS[1], TEXTS[0]), "b.parquet": "PAR1"}
    result = checked(files)
    [finding] = [item for item in result.findings if item.location]
    assert sorted([finding.data["row"], finding.data["kept_row"]]) == ["1", "4"]
    assert result.outcome is Outcome.UNKNOWN
    assert result.gaps[0].reason.startswith("b.parquet was not compared as a whole: ")


def test_the_cut_does_not_matter() -> None:
    """One file or several, compressed or not: the numbers are the same."""
    texts = [*TEXTS, *TEXTS[:7], *(text + " end" for text in TEXTS[3:9])]
    one = measured(checked({"a.jsonl": rows(*texts)}))
    two = measured(checked({"a.jsonl": rows(*texts[:11]), "b.jsonl": rows(*texts[11:])}))
    assert one == two
