"""The check of texts: counts agree with a recount, slices are told apart, and damage is a finding."""

from __future__ import annotations

import pytest

from hallmarked.checks.dataset.text import SAMPLE_BYTES, TextCheck, halvings_for
from hallmarked.checks.runner import run
from hallmarked.core.evidence import Outcome
from tests.checks.dataset.support import examined, rules, values
from tests.support import MemoryArtifact

pytest.importorskip("pyarrow", reason="tables are read with the extra data")

GERMAN, ENGLISH = "Die Pflegerin schrieb die Uhrzeit des Besuchs auf", "The nurse wrote down the time of the visit"
ROWS: list[dict[str, object]] = [
    {"text": f"{GERMAN if n < 25 else ENGLISH}, number {n}.", "from": "de" if n < 25 else "en", "label": str(n % 2)}
    for n in range(100)
]
DECLARED = '[columns]\ntext = "text"\nsource = "from"\nlabel = "label"\n'


def test_a_recount_comes_to_the_same() -> None:
    """Texts, words, characters and vocabulary are those of a plain count."""
    result = examined(ROWS, DECLARED, texts=True)
    split = [str(row["text"]).lower().replace(",", "").replace(".", "").split() for row in ROWS]
    assert values(result, "text.texts")[()] == "100"
    assert values(result, "text.words")[()] == str(sum(map(len, split)))
    assert values(result, "text.characters")[()] == str(sum(len(str(row["text"])) for row in ROWS))
    assert values(result, "text.vocabulary")[()] == str(len({word for words in split for word in words}))
    assert values(result, "text.length.p50")[()] == str(sorted(map(len, split))[49])
    assert values(result, "text.script") == {("Latin",): "1.000000"}


def test_languages_by_source() -> None:
    """Languages are told of all texts and of each source, with the method and the number of texts."""
    result = examined(ROWS, DECLARED, texts=True)
    assert values(result, "text.language", column="from") == {("de", "de"): "1.000000", ("en", "en"): "1.000000"}
    whole = {
        m.slice["language"]: (m.value, m.n)
        for m in result.measurements
        if m.metric == "text.language" and len(m.slice) == 1
    }
    assert whole == {"en": ("0.750000", 100), "de": ("0.250000", 100)}
    assert "py3langid" in values(result, "text.method.languages")[()]


def test_words_that_stand_for_a_group() -> None:
    """Texts with a word of a group are a slice, and labels that go with it are told."""
    rows = [{"text": f"{'she' if n % 2 else 'it'} works, {n}", "label": "a" if n % 2 else "b"} for n in range(60)]
    result = examined(rows, '[columns]\nlabel = "label"\n[terms]\nwomen = ["SHE"]\n', texts=True)
    assert values(result, "text.texts", terms="women") == {(): "30"}
    assert values(result, "label.share", terms="women") == {("a",): "1.000000", ("b",): "0.000000"}
    assert values(result, "label.npmi", terms="women") == {("a",): "1.000000", ("b",): "-1.000000"}
    assert "TXT004" in rules(result)


def test_damage_repetition_and_empty_texts_are_findings() -> None:
    """Each is told with its count."""
    rows = [*ROWS, {"text": "lost \ufffd"}, {"text": "buy now and save money " * 9}, {"text": ""}, {"text": None}]
    result = examined(rows, '[columns]\ntext = "text"\n', texts=True)
    found = rules(result)
    assert found["TXT001"] == ["1 of 102 (1.0%) texts say the same words or lines again and again"]
    assert found["TXT002"] == ["1 of 102 (1.0%) texts hold characters that stand for lost ones"]
    assert found["TXT003"] == ["2 of 104 (1.9%) rows have no text"]


def test_what_cannot_be_read_makes_the_outcome_unknown() -> None:
    """Broken rows leave a gap, and no word of them is told."""
    result = run(
        TextCheck(), MemoryArtifact({"a.jsonl": '{"t": "one two three"}\nsecret@example.org\n', "b.parquet": "PAR1"})
    )
    assert result.outcome is Outcome.UNKNOWN
    assert {gap.location.path for gap in result.gaps if gap.location} == {"a.jsonl", "b.parquet"}
    assert "secret@example.org" not in str(result)


def test_no_word_of_a_text_is_shown() -> None:
    """Measurements hold counts, and nothing of what texts say."""
    rows = [{"text": f"Wohlgemuth bei {n} Uhr"} for n in range(50)]
    assert "wohlgemuth" not in str(examined(rows, texts=True)).lower()


@pytest.mark.parametrize(
    ("size", "halvings"), [(0, 0), (SAMPLE_BYTES, 0), (SAMPLE_BYTES + 1, 1), (SAMPLE_BYTES * 5, 3)]
)
def test_the_sample_shrinks_as_data_grows(size: int, halvings: int) -> None:
    """Languages are found of no more texts than there is time for."""
    assert halvings_for(size) == halvings
