"""A draft shows what evidence says by reference, and asks for the rest."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from huggingface_hub import ModelCard
from hypothesis import given
from hypothesis import settings as options
from hypothesis import strategies as st

from hallmarked.cards.document.declared import Kind, Tier
from hallmarked.cards.document.document import read_document
from hallmarked.cards.document.lint import lint
from hallmarked.cards.draft.draft import draft, languages
from hallmarked.cards.template.checklist import check
from hallmarked.cards.template.template import shipped
from hallmarked.core.evidence import Attestation, Level, Statement, Subject
from hallmarked.policy.fact import Facts
from hallmarked.policy.requirement import Outcome, judge

HERE = Subject("m", {"dirHash": "1"})
NOW = datetime(2026, 5, 1, tzinfo=UTC)


def facts(*measured: dict[str, Any], digest: str = "1") -> Facts:
    statement = Statement((Subject("m", {"dirHash": digest}),), "t", {"measurements": list(measured)})
    return Facts((Attestation(statement, "sha256:1", NOW, "maker"),), HERE)


def value(metric: str, said: str, n: int | None = None, **where: str) -> dict[str, Any]:
    return {"metric": metric, "value": said, "slice": where, **({"n": n} if n else {})}


MODEL = facts(
    value("parameters.total", "124439808"),
    value("parameters.total", "99", path="a.safetensors"),
    value("model.architecture", "GPT2LMHeadModel", path="config.json"),
    value("model.library", "transformers"),
    value("model.base", "acme/base", path="config.json"),
    value("licence.text", "Apache-2.0", path="LICENSE", how="text"),
    value("file.present", "5", path="a.safetensors"),
    value("file.present", "5", path="config.json"),
    value("eval.recall", "0.91", 400),
    value("eval.recall", "0.83", 90, group="women"),
    value("energy.training", "12.5", method="modelled"),
)


def test_a_model() -> None:
    """Values become claims and placeholders, never numbers in prose; metadata say what the files bear out."""
    made = draft("acme/triage", shipped(Kind.MODEL, Tier.HIGH), MODEL)
    document = read_document(made.data)
    assert lint(document) == ()
    assert {key: document.data[key] for key in ("license", "library_name", "base_model")} == {
        "license": "apache-2.0",
        "library_name": "transformers",
        "base_model": "acme/base",
    }
    claims = {claim.id: claim for claim in document.declared.claims}
    assert claims.keys() == {"model-architecture", "parameters", "eval-recall", "energy-training"}
    assert (claims["parameters"].op, claims["parameters"].value) == ("==", "124439808")
    assert (claims["eval-recall"].op, claims["eval-recall"].min_n) == ("present", 400)
    assert claims["energy-training"].slice == {"method": "modelled"}
    for claim in claims.values():
        assert judge(claim, MODEL, NOW).outcome is Outcome.MET
    body = document.text[document.body :]
    assert "124439808" not in body
    assert "0.91" not in body
    assert "- Parameters: {{claim parameters}}" in body
    assert "- eval.recall, worst part: {{claim eval.recall slice=worst}}" in body
    assert "- energy.training (modelled): {{claim energy-training}}" in body
    assert "- Kinds of files: json, safetensors" in body


def test_what_is_asked_counts_as_empty_until_somebody_answers() -> None:
    """Sections with nothing but a question are open in the checklist; those that evidence fills are not."""
    template = shipped(Kind.MODEL, Tier.HIGH)
    made = draft("m", template, MODEL)
    after = check(read_document(made.data), template)
    open_ids = {item.asked.id for item in after.open}
    assert {"intended-use", "harms", "contact", "language"} <= open_ids
    assert not {"evaluation", "energy", "license", "eval"} & open_ids
    assert {each.id for each in made.asked if each.level} == open_ids
    ranks = [each.level.rank for each in made.asked if each.level]
    assert ranks == sorted(ranks, reverse=True)
    answered = made.data.replace(b"[More Information Needed]", b"Ana answers within a day.")
    filled = check(read_document(answered), template)
    assert filled.count("section") == (len(template.of("section")),) * 2
    assert not [item for item in filled.open if item.asked.level is Level.ERROR]


def test_a_data_set_in_spanish() -> None:
    """Languages, records and their class come from counts; the questions are in the language that was chosen."""
    counted = facts(
        value("rows.total", "25000"),
        value("rows.repeated", "12"),
        value("text.language", "0.7", 100, language="es"),
        value("text.language", "0.25", 100, language="en"),
        value("text.language", "0.001", 100, language="la"),
    )
    made = draft("m", shipped(Kind.DATASET, Tier.LIMITED), counted, "es")
    document = read_document(made.data)
    assert lint(document) == ()
    assert (document.data["language"], document.data["size_categories"]) == (["es", "en"], ["10K<n<100K"])
    body = document.text[document.body :]
    assert "## Datos personales y sensibles" in body
    assert "- Proporción de textos por idioma (es): {{claim text.language slice=language:es}}" in body
    assert "slice=language:la" not in body
    filled = [item.asked.id for item in check(document, shipped(Kind.DATASET, Tier.LIMITED)).items if item.filled]
    assert filled == ["language", "size_categories", "rows"]
    assert languages(shipped(Kind.MODEL, Tier.HIGH)) == ("en", "es")


@pytest.mark.parametrize(("rows", "size"), [(0, "n<1K"), (999, "n<1K"), (1000, "1K<n<10K"), (10**12, "n>1T")])
def test_classes_of_size(rows: int, size: str) -> None:
    """The class of a data set follows from its number of records."""
    made = draft("m", shipped(Kind.DATASET, Tier.MINIMAL), facts(value("rows.total", str(rows))))
    assert read_document(made.data).data["size_categories"] == [size]


def test_evidence_about_other_bytes_is_not_used() -> None:
    """What was measured on another revision fills nothing in."""
    old = facts(value("parameters.total", "1"), value("licence.text", "MIT"), digest="2")
    made = draft("m", shipped(Kind.MODEL, Tier.MINIMAL), old)
    assert made.known == ()
    assert "license" not in read_document(made.data).data


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("tier", list(Tier))
@pytest.mark.parametrize("language", ["en", "es"])
def test_every_template_gives_a_card_that_can_be_read(kind: Kind, tier: Tier, language: str) -> None:
    """Without any evidence the draft is a card of the right kind and tier that only asks."""
    template = shipped(kind, tier)
    document = read_document(draft("x", template, Facts(()), language).data)
    # Which parts a system is made of only people know; the draft of its card has to be told.
    assert {each.rule for each in lint(document)} <= ({"DOC011", "DOC012"} if kind is Kind.SYSTEM else set())
    assert (document.declared.kind, document.declared.tier) == (kind, tier)
    assert check(document, template).count("section")[0] == 0


WORDS = st.text(max_size=30)


@given(
    WORDS,
    st.lists(
        st.tuples(st.sampled_from(["eval.f1", "model.base", "model.type", "licence.text", "energy.x"]), WORDS, WORDS)
    ),
)
@options(max_examples=60, deadline=None)
def test_hostile_facts(name: str, said: list[tuple[str, str, str]]) -> None:
    """Whatever a statement or a folder's name says, the draft is a card that can be read, and says no other claims."""
    made = draft(
        name, shipped(Kind.MODEL, Tier.LIMITED), facts(*(value(path, text, 3, k=part) for path, text, part in said))
    )
    document = read_document(made.data)
    assert document.declared.kind is Kind.MODEL
    assert {claim.path for claim in document.declared.claims} <= {path for path, *_ in said}


def test_the_hubs_own_client_reads_the_same() -> None:
    """A drafted card, claims included, means the same to the Hub's client, and its text is left as it is."""
    made = draft("acme/triage", shipped(Kind.MODEL, Tier.HIGH), MODEL)
    card = ModelCard(made.data.decode())
    document = read_document(made.data)
    assert card.data.to_dict() == document.data
    assert card.text.strip() == document.text[document.body :].strip()
    again = read_document(str(card).encode())  # they write the metadata in their own way
    assert again.declared.claims == tuple(
        replace(claim, line=other.line)
        for claim, other in zip(document.declared.claims, again.declared.claims, strict=True)
    )
