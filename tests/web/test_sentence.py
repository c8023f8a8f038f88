"""Sentences of the evidence are shown in the reader's language where they are known, and say so where they are not."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallmarked.artifacts.local import LocalArtifact
from hallmarked.audit.attested import of_own
from hallmarked.audit.examine import examine
from hallmarked.cards.claim import derive_claims
from hallmarked.cards.known import Edition, know
from hallmarked.web.language import load_languages
from hallmarked.web.page.evidence import rules, titles
from hallmarked.web.sentence import LONGEST, PATTERNS, figure, translator
from tests.cards.stating import NOW as STATED
from tests.cards.stating import card, checked, record, result
from tests.web.conftest import Visit
from tests.web.test_page import MODEL

NOW = datetime(2026, 6, 1, tzinfo=UTC)
SPANISH = load_languages()["es"]
translate = translator(SPANISH)


def test_words_of_rules_and_checks_are_known() -> None:
    """Every title and every advice of a rule, and every question of a check, has a translation of its own."""
    texts = [text for rule in rules().values() for text in (rule.title, rule.help)] + list(titles().values())
    assert len(texts) > 200
    for text in texts:
        said = translate(text)
        assert said is not None
        assert said != text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "106,629 were counted (71,429 without embeddings); “110M” covers 105,000,000 to 119,999,999",
            "Se contaron 106.629 (71.429 sin los embeddings); «110M» abarca de 105.000.000 a 119.999.999",
        ),
        ("The files are for transformers", "Los archivos son para transformers"),
        ("there is no such file", "no hay tal archivo"),
        (
            "README.md says nothing under “Evaluation”: say what the data is meant for",
            "README.md no dice nada en «Evaluation»: diga para qué están pensados los datos",
        ),
        (
            "x.bin: When this pickle is loaded, it calls os.system, which can run commands and change files. (PKL001)",
            "x.bin: Al cargar este pickle, llama a os.system, que puede ejecutar órdenes y cambiar archivos. (PKL001)",
        ),
    ],
)
def test_names_and_numbers_stay(text: str, said: str) -> None:
    """A sentence is known by its pattern; names in it stay, numbers are written as the language does."""
    assert translate(text) == said


@pytest.mark.parametrize(
    "text",
    [
        "",
        "something nobody wrote a pattern for",
        "a.md says nothing under “x”: nor here",  # the sentence in it is not known
        "The files are for ",
        "the file is there" + "!" * LONGEST,
    ],
)
def test_what_is_not_known_is_left(text: str) -> None:
    """Nothing is half translated."""
    assert translate(text) is None


@given(st.lists(st.sampled_from([*PATTERNS, "%(sentence)s", ", ", "but ", ": ", "“"])).map("".join) | st.text())
def test_anything_is_answered(text: str) -> None:
    """Whatever a stranger makes a check say, looking it up ends, in a text or in nothing."""
    said = translate(text)
    assert said is None or said


def test_figures() -> None:
    """Numbers of the evidence have the language's own separators; other texts stay."""
    assert [figure(SPANISH, text) for text in ("106,629", "12", "bert", "1,2", "v1,000")] == [
        "106.629", "12", "bert", "1,2", "v1,000",
    ]  # fmt: skip


def test_pages_say_what_stayed_english(visit: Visit) -> None:
    """On a Spanish page the advice of a finding is Spanish, and what is not known is marked as English."""
    text = visit.get(f"/{MODEL}", user="ada", language="es")[1]
    assert "No cargue el archivo." in text
    assert "Do not load the file." not in text
    english = visit.get(f"/{MODEL}", user="ada")[1]
    assert "Do not load the file." in english
    assert 'lang="en"' not in english.partition("<body>")[2].replace('lang="en"><button', "")


def test_patterns_are_what_checks_say(tmp_path: Path) -> None:
    """A folder with an ordinary card has only sentences that are known, so that patterns cannot fall behind unseen."""
    (tmp_path / "README.md").write_text(
        "---\nlicense: mit\nlanguage: [en, klingon]\nlibrary_name: transformers\nbase_model: a/b\n---\n# M\n\n"
        "It has 110M parameters, see [this](missing.txt).\n\n## Evaluation\n\n"
    )
    (tmp_path / "config.json").write_text('{"architectures": ["BertModel"], "model_type": "bert"}')
    seen = examine(LocalArtifact(tmp_path), checks=["documentation", "facts", "licences", "malware"])
    said = [item.message for result in seen.results for item in result.findings]
    said += [item.reason for result in seen.results for item in result.gaps]
    said += [claim.reason for claim in derive_claims(know(of_own(seen.statements, NOW, "hub")), NOW)]
    assert len(said) > 12
    assert [text for text in said if translate(text) is None] == []


@pytest.mark.parametrize(
    "more", [{}, {"min_n": 600}, {"max_age": "1d"}, {"by": ["hub"]}, {"op": "=="}, {"value": "0.5"}]
)
@pytest.mark.parametrize("role", ["maker", "auditor"])
@pytest.mark.parametrize("interval", [None, ["0.85", "0.95"]])
def test_reasons_of_claims_are_known(more: dict[str, Any], role: str, interval: list[str] | None) -> None:
    """How a declared claim, and how a reported result, stands is said in the reader's language."""
    claim = {"id": "recall", "path": "eval.recall", "op": ">=", "value": "0.90"} | more
    index = "model-index: [{results: [{dataset: {name: D}, metrics: [{type: recall, value: 0.91}]}]}]\n"
    here, said = checked({"README.md": card(claim, claim, front=index)})
    measured = result(
        here, "eval.recall", "0.90", role=role, days=3, n=500, **({"interval": interval} if interval else {})
    )
    contested = record(here, "dispute", about=measured.id, reason="klingon")
    back = record(here, "withdrawal", claim="recall", reason="klingon", by="Acme")
    for stated in ([], [measured], [measured, contested], [measured, back]):
        for edition in (None, Edition({"documentation": "99"}), Edition(rule_set="f" * 64)):
            for each in derive_claims(know([*said, *stated], here, edition=edition), STATED):
                unknown = [one.reason for one in each.standings if translate(one.reason) is None]
                assert unknown == []
