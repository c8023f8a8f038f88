"""How hard a text is to read: counts by hand, and figures that textstat 0.7.13 gives for the same texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallmarked.cards.readability import measure, split_sentences

NURSE = "The nurse reads the note. She asks the patient three questions."
TRIAGE = (
    "Sorts emergency-room notes into five urgency levels to help nurses decide who is seen first. It is not meant to"
    " decide alone, and has not been tested on notes about children. It misses about one critical patient in thirty."
)


def test_counts_by_hand() -> None:
    """11 words in 2 sentences, two of them long (patient, questions), 53 strokes."""
    seen = measure(NURSE, "en")
    assert (seen.words, seen.sentences, seen.long_words, seen.characters) == (11, 2, 2, 53)
    assert seen.lix == round(11 / 2 + 100 * 2 / 11, 1) == 23.7
    assert seen.ari == round(4.71 * 53 / 11 + 0.5 * 11 / 2 - 21.43, 1) == 4.0


@pytest.mark.parametrize(("text", "lix", "ari"), [(NURSE, 23.68, 4.01), (TRIAGE, 25.82, 7.29)])
def test_figures_are_those_of_a_public_tool(text: str, lix: float, ari: float) -> None:
    """Anybody can reproduce them with textstat."""
    seen = measure(text, "en")
    assert seen.lix == pytest.approx(lix, abs=0.05)
    assert seen.ari == pytest.approx(ari, abs=0.05)


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("It costs 3.5 euros.", 1),
        ("See e.g. the notes of the ward.", 1),
        ("Is it so? It is! Yes.", 3),
        ("A heading\n\nand a paragraph", 2),
        ("هل هو كذلك؟ نعم.", 2),
        ("¿Es así? Sí.", 2),
        ("", 0),
    ],
)
def test_sentences(text: str, sentences: int) -> None:
    """A full stop inside a number or before a small letter ends nothing; an empty line ends a sentence."""
    assert len(split_sentences(text)) == sentences


def test_what_cannot_be_measured_has_no_figure() -> None:
    """Nothing is measured where there is no text, or where words are not set apart."""
    assert measure("", "en").lix is None
    assert measure("これは短い文です。", "ja").plain is None
    assert measure("Dies ist ein Satz.", "de-CH").language == "de"


def test_plain_needs_one_of_the_two_thresholds() -> None:
    """LIX at most 40 or ARI at most 9."""
    hard = "Institutional interoperability considerations necessitate comprehensive organisational documentation."
    assert measure(NURSE, "en").plain is True
    assert measure(hard, "en").plain is False


@given(st.text(max_size=300))
def test_any_text_can_be_measured(text: str) -> None:
    """Counts are never negative, and there are no more sentences or long words than words."""
    seen = measure(text, "en")
    assert 0 <= seen.long_words <= seen.words
    assert seen.sentences <= max(seen.words, 0)
    assert (seen.lix is None) == (seen.words == 0)
