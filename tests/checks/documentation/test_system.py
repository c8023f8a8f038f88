"""A model is not a system."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallmarked.checks.documentation.check import DocumentationCheck
from hallmarked.checks.documentation.guardrail import says_guardrail
from hallmarked.core.evidence import Finding
from tests.support import MemoryArtifact

CLAIMED = """
The model has an input filter.
This model includes built-in guardrails that block harmful requests.
It comes with a content filter.
All prompts are screened by a moderation layer.
The guardrails prevent the model from giving medical advice.
Triage-BERT ships with an output filter.
Its system prompt prevents it from answering legal questions.
The model uses a system prompt that refuses harmful requests.
Inputs pass through a toxicity filter.
El modelo tiene un filtro de entrada.
El modelo incluye salvaguardas que bloquean contenidos dañinos.
Las respuestas son revisadas por un filtro de contenidos integrado.
El prompt de sistema impide respuestas médicas.
Este modelo cuenta con moderación de contenidos.
Le modèle dispose de garde-fous contre les abus.
Le modèle possède un filtre de contenu.
Das Modell verfügt über einen Inhaltsfilter.
Das Modell hat eingebaute Leitplanken.
O modelo inclui um filtro de conteúdo.
Il modello include un filtro di contenuti.
"""
NOT_CLAIMED = """
The system must add guardrails.
Deployers should add an input filter and moderation.
This model has no guardrails.
The model does not include a content filter.
We recommend using a moderation layer.
Users can add guardrails.
The model comes without guardrails.
Guardrails must be added by whoever deploys it.
This is a content moderation model.
The model has been trained for content moderation.
The training data was filtered with a safety filter.
We used an NSFW filter to remove images.
Use with moderation.
Does it have guardrails?
Use the following system prompt:
The model uses the following system prompt.
The application has an input filter.
The model has a toxicity classifier accuracy of 0.9.
This model has its guardrails removed.
It has no built-in guardrails.
Please ensure you have guardrails in place.
El sistema debe añadir salvaguardas.
El modelo no tiene filtros de contenido.
El modelo carece de salvaguardas.
Quien lo despliegue tiene que incorporar moderación.
Le modèle n'a pas de garde-fous.
Il faut ajouter un filtre de contenu.
Das Modell hat keine Leitplanken.
O modelo não possui guardrails.
Il modello non ha guardrail.
"""


@pytest.mark.parametrize("sentence", CLAIMED.strip().split("\n"))
def test_a_guardrail_that_a_model_is_said_to_have(sentence: str) -> None:
    """Somebody is said to have the thing, in any of the languages with rules."""
    assert says_guardrail(sentence)


@pytest.mark.parametrize("sentence", NOT_CLAIMED.strip().split("\n"))
def test_advice_denial_and_others_are_no_claim(sentence: str) -> None:
    """What should be added, what is not there, what others have and how data were made is no claim of the model."""
    assert not says_guardrail(sentence)


@given(st.text("abcdfghaeiou ,.filtersguard-railsmoderation the has no model\n", max_size=2000))
def test_any_sentence_is_judged(text: str) -> None:
    """Any text comes to an answer, which is a part of it."""
    thing = says_guardrail(text)
    assert not thing or thing in " ".join(text.casefold().split())


def found(text: str) -> list[tuple[str, str, int | None]]:
    items = DocumentationCheck().run(MemoryArtifact({"README.md": text, "model.safetensors": b""}))
    rules = {"DOC010", "DOC011", "DOC012"}
    return [
        (item.rule, item.level.value, item.location.line if item.location else None)
        for item in items
        if isinstance(item, Finding) and item.rule in rules
    ]


def test_a_model_card_with_an_input_filter_is_refused() -> None:
    """An error where the card says it is a model's, a warning where that is a guess; with the line."""
    prose = "# Heron\n\nIt sorts letters.\nThe model has an input filter.\n"
    declared = f"---\nhallmarked:\n  kind: model\n---\n{prose}"
    assert found(declared) == [("DOC010", "error", 8)]
    assert found(prose) == [("DOC010", "warning", 4)]
    assert found(declared.replace("kind: model", "kind: dataset")) == []


def test_a_declared_claim_about_a_guardrail_is_refused() -> None:
    """What is declared for machines is judged by its path, whatever the words."""
    card = (
        "---\nhallmarked:\n  kind: model\n  claims:\n    - {id: a, path: guardrail.block_rate, op: present}\n---\n# X\n"
    )
    assert found(card) == [("DOC010", "error", 5)]


SYSTEM = """---
hallmarked:
  kind: system
  components:
    - {kind: model, name: acme/heron, digest: {gitCommit: "0123456789abcdef0123456789abcdef01234567"}}
    - {kind: dataset, name: acme/letters, digest: {sha256: "0123456789abcdef"}}
    - {kind: guardrail, name: acme/filter, digest: {sha256: "0123456789abcdef"}}
    - {kind: prompt, name: none}
    - {kind: software, name: heron-server 2.1}
    - {kind: hardware, name: one GPU}
---
# Heron, deployed

It has an input filter.
"""


def test_a_system_names_its_parts() -> None:
    """A complete system card has nothing to answer for, guardrails included."""
    assert found(SYSTEM) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (', digest: {gitCommit: "0123456789abcdef0123456789abcdef01234567"}', "", [("DOC011", "error", 5)]),
        ('"0123456789abcdef0123456789abcdef01234567"', "main", [("DOC011", "error", 5)]),
        ("kind: model,", "kind: dataset,", [("DOC011", "error", 4)]),
        ('acme/letters, digest: {sha256: "0123456789abcdef"}', "acme/letters", [("DOC012", "warning", 6)]),
        ("    - {kind: hardware, name: one GPU}\n", "", [("DOC012", "warning", 4)]),
        ("    - {kind: prompt, name: none}\n", "", [("DOC012", "warning", 4)]),
    ],
)
def test_a_system_card_that_leaves_parts_open(old: str, new: str, expected: list[tuple[str, str, int]]) -> None:
    """A model without a digest, or none at all, is an error; another part that is left open a warning."""
    assert found(SYSTEM.replace(old, new)) == expected
