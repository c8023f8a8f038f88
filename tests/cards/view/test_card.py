"""A card as a reader sees it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from hallmarked.cards.document.document import read_document
from hallmarked.cards.known import know
from hallmarked.cards.status import Status
from hallmarked.cards.translation import blocks_of, read_translation, write_translation
from hallmarked.cards.view.card import CardView, Look, make_view
from hallmarked.core.evidence import Attestation
from tests.cards.view.example import CARD, ELSEWHERE, HERE, NOW, recall, said


def view(card: str = CARD, stated: Sequence[Attestation] = (), look: Look = Look.TECHNICAL) -> CardView:
    """Show a card."""
    return make_view(read_document(card.encode()), know(stated, HERE), HERE, NOW, look=look)


def test_places_in_the_prose_have_value_and_status() -> None:
    """A value comes with interval, number and part; in code a place is text."""
    shown = view(stated=[recall()])
    assert list(shown.places) == ["{{claim recall-worst}}", "{{claim files.total}}"]
    worst = shown.places["{{claim recall-worst}}"]
    assert worst.value == "0.951 (0.912 to 0.973), n = 204, age 80+"
    assert worst.status is Status.SUPPORTED
    assert shown.places["{{claim files.total}}"].value == ""


def test_proofs_say_who_when_and_where() -> None:
    """Everything a reader needs to check a claim is beside it."""
    stated = recall()
    proof = view(stated=[stated]).places["{{claim recall-worst}}"].proofs[0]
    assert (proof.signer, proof.role, proof.statement) == ("Example auditor", "auditor", stated.id)
    assert proof.time == stated.time
    assert proof.current


@pytest.mark.parametrize(
    ("stated", "status"),
    [
        ([], Status.SELF_ASSERTED),
        ([recall()], Status.SUPPORTED),
        ([recall(about=ELSEWHERE)], Status.STALE),
        ([recall("0.5", interval=["0.4", "0.6"])], Status.CONTRADICTED),
        ([recall(role="maker")], Status.SELF_ASSERTED),
    ],
)
def test_statuses_follow_what_is_stated(stated: list[Attestation], status: Status) -> None:
    """Nothing is stored: the same card has another status with other statements."""
    assert view(stated=stated).places["{{claim recall-worst}}"].status is status


def test_summary_that_says_it_all() -> None:
    """Use, other use, harms and contact are there, and what it does not say is named."""
    summary = view().summary
    assert summary is not None
    assert summary.lacks == ()
    assert [limit.text for limit in summary.unsaid] == ["Few Spanish notes were measured."]
    assert not summary.complete
    tied = view(CARD.replace("Helps nurses", "<!-- limit: spanish --> Helps nurses")).summary
    assert tied is not None
    assert tied.complete


@pytest.mark.parametrize(
    ("sentence", "lack"),
    [
        ("It is not meant to decide alone. ", "non_use"),
        ("Helps nurses sort notes. ", "use"),
        (" Write to help@acme.example.", "contact"),
        ("It misses about one critical patient in thirty. ", "harms"),
    ],
)
def test_what_a_summary_lacks_is_named(sentence: str, lack: str) -> None:
    """Each of the four things is missed by itself."""
    summary = view(CARD.replace(sentence, "", 1)).summary
    assert summary is not None
    assert summary.lacks == (lack,)


def test_long_and_hard_summaries_are_told() -> None:
    """More than 200 words, or words that are hard to read, are no plain summary."""
    long = view(CARD.replace("Helps nurses", "Helps nurses " + "again and " * 120)).summary
    assert long is not None
    assert long.too_long
    words = "institutional interoperability considerations necessitate comprehensive documentation " * 9
    hard = view(CARD.replace("Helps nurses sort notes.", words.strip() + ".")).summary
    assert hard is not None
    assert hard.readability.plain is False


def test_limitations_are_entries_and_not_what_introduces_them() -> None:
    """Each has its line; the sentence in front of a list is none."""
    assert [(limit.text, limit.tie) for limit in view().limitations] == [
        ("Misses one critical patient in thirty.", ""),
        ("It was not tested on notes about children.", ""),
        ("Few Spanish notes were measured.", "spanish"),
    ]


def test_cards_without_a_summary_say_so_by_having_none() -> None:
    """Nothing is made up in its place."""
    assert view("# Only a title\n").summary is None
    assert view("# T\n\n## Plain-language summary\n\n[More Information Needed]\n").summary is None


def test_languages_that_nobody_taught_are_not_passed() -> None:
    """Without cues nobody can say that a summary says what it has to."""
    card = "---\nhallmarked:\n  language: de\n---\n# T\n\n## Plain-language summary\n\nHilft beim Sortieren.\n"
    summary = view(card).summary
    assert summary is not None
    assert not summary.checked
    assert not summary.complete


def test_a_translation_is_shown_with_its_claims() -> None:
    """Prose comes from the translation, claims from evidence, in the words the author gave for the language."""
    document = read_document(CARD.encode())
    written = write_translation(blocks_of(document), "es").decode()
    written = written.replace("# Triage helper", "# Ayuda para el triaje").replace("Worst recall", "Peor tasa")
    translation = read_translation(read_document(written.encode()))
    shown = make_view(document, know([recall()], HERE), HERE, NOW, language="es-MX", translations=[translation])
    assert (shown.language, shown.title) == ("es", "Ayuda para el triaje")
    assert shown.claims[0].text == "Encuentra al 90 % de los pacientes críticos"
    assert [each.language for each in shown.offered] == ["en", "es"]
    assert {limit.language for limit in shown.limitations} == {"en"}
    without = make_view(document, know([], HERE), HERE, NOW, language="fr", translations=[translation])
    assert without.language == "en"


def test_problems_of_the_card_are_shown() -> None:
    """What is in the way of reading it is named with its line, and the rest is shown."""
    shown = view(CARD.replace('op: "<="', "op: about"))
    assert any("line" in problem and "op is" in problem for problem in shown.problems)
    assert [line.id for line in shown.claims] == ["recall-worst"]


def test_counts_are_those_of_the_claims() -> None:
    """Those to look at first come in front."""
    shown = view(stated=[recall("0.5", interval=["0.4", "0.6"]), said("bytes.total", "10")])
    assert list(shown.counts.items()) == [(Status.CONTRADICTED, 1), (Status.SUPPORTED, 1)]
    assert [line.status for line in shown.claims] == [Status.CONTRADICTED, Status.SUPPORTED]


def test_the_worst_part_is_shown_and_never_guessed() -> None:
    """A claim shows its worst part; without a claim nobody knows which way is worse, and no number is shown."""
    parts = [recall("0.99", slice={"age": "18"}, interval=["0.98", "0.995"]), recall()]
    assert view(stated=parts).places["{{claim recall-worst}}"].value.startswith("0.951")
    card = CARD.replace("{{claim files.total}}", "{{claim eval.other slice=worst}}")
    shown = view(card, [said("eval.other", "0.9", slice={"a": "b"})]).places["{{claim eval.other slice=worst}}"]
    assert (shown.status, shown.value) == (Status.UNKNOWN, "")
