"""The documentation check: what is filled, what is missing, what deceives, and what the card claims."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.checks.documentation.check import DocumentationCheck
from hallmarked.checks.documentation.sections import content, normalise, template
from hallmarked.core.evidence import Finding, Gap, Item, Level, Measurement
from tests.support import DATA, MemoryArtifact, needs_data

EMPTY_TEMPLATE = """---
# For reference on model card metadata, see the specification
# Doc / guide: somewhere
license: unknown
---

# Model Card for Model ID

<!-- Provide a quick summary of what the model is/does. -->

## Model Details

### Model Description

<!-- Provide a longer summary of what this model is. -->

- **Developed by:** [More Information Needed]
- **Shared by [optional]:** [More Information Needed]

## Uses

### Out-of-Scope Use

[More Information Needed]

## Bias, Risks, and Limitations

{{ risks }}

### Recommendations

Users (both direct and downstream) should be made aware of the risks, biases and limitations of the model. More information needed for further recommendations.

## How to Get Started with the Model

Use the code below to get started with the model.

[More Information Needed]

## Environmental Impact

Carbon emissions can be estimated using the [Machine Learning Impact calculator](https://example.org) presented in [a paper](https://example.org).

- **Hardware Type:** [More Information Needed]

## Citation [optional]

**BibTeX:**

TODO
"""  # noqa: E501 -- as the template has it


def run(files: dict[str, bytes | str]) -> list[Item]:
    return list(DocumentationCheck().run(MemoryArtifact(files)))


def card(text: str | bytes) -> list[Item]:
    return run({"README.md": text, "model.safetensors": b""})


def filled(items: list[Item]) -> set[str]:
    found = [i for i in items if isinstance(i, Measurement) and i.metric == "card.section.filled"]
    return {item.slice["section"] for item in found if item.value == "yes"}


def claims(items: list[Item], metric: str) -> list[Measurement]:
    return [item for item in items if isinstance(item, Measurement) and item.metric == metric]


def findings(items: list[Item], rule: str) -> list[Finding]:
    return [item for item in items if isinstance(item, Finding) and item.rule == rule]


def value(items: list[Item], metric: str) -> str:
    (only,) = claims(items, metric)
    return only.value


def test_rules_are_listed_and_cited() -> None:
    """Every finding cites a rule of the check, and ids are unique."""
    ids = [rule.id for rule in DocumentationCheck.rules]
    assert len(ids) == len(set(ids))
    assert {item.rule for item in card(EMPTY_TEMPLATE) if isinstance(item, Finding)} <= set(ids)


def test_an_untouched_template_has_nothing() -> None:
    """Headings, comments, labels, placeholders and boilerplate are not content."""
    items = card(EMPTY_TEMPLATE)
    assert filled(items) == set()
    assert value(items, "card.sections.filled") == "0"
    assert value(items, "card.fields.filled") == "0"
    (scope,) = [f for f in findings(items, "DOC004") if f.data["section"] == "out-of-scope-use"]
    assert scope.level is Level.WARNING
    assert "line 22" in scope.message
    assert scope.location is not None
    assert scope.location.line == 22


def test_what_people_write_counts() -> None:
    """Text, code, tables, pictures and labelled lines fill a section; a parent is filled by its children."""
    items = card(
        "# Heron\n## Intended use:\nSorting holiday photos.\n## 3. Limitations\n- **Out-of-scope:** medical images\n"
        "## [Training](x) Data\n| Set | Size |\n|---|---|\n| A | 3 |\n## Evaluation\n### Results\n![plot](p.png)\n"
        "## How to use\n```python\nrun()\n```\n## Training Details\n### Training Procedure\nAdam.\n"
    )
    assert filled(items) >= {
        "uses",
        "direct-use",
        "limitations",
        "out-of-scope-use",
        "training-data",
        "evaluation",
        "results",
        "get-started",
        "training-details",
        "training-procedure",
    }
    assert "environmental-impact" not in filled(items)


def test_dataset_cards_have_their_own_template() -> None:
    """A data set card is recognised by metadata, title or headings, older headings included."""
    for text in (
        "---\ntask_categories: [question-answering]\n---\n# Birds\n## Considerations for Using the Data\n"
        "### Discussion of Biases\nOnly herons.\n### Personal and Sensitive Information\n[Needs More Information]\n",
        "# Dataset Card for Birds\n## Discussion of Biases\nOnly herons.\n## Personal Information\nTBD\n",
    ):
        items = card(text)
        assert value(items, "card.kind") == "dataset"
        assert "limitations" in filled(items)
        assert "personal-information" not in filled(items)
    assert value(card("# Model Card for Heron"), "card.kind") == "model"


def test_files_decide_when_a_card_does_not() -> None:
    """A short card beside tables is that of a data set, unless there are weights too."""
    text = "---\nlicense: mit\n---\n# Notes\n\nA hundred notes.\n"
    assert value(run({"README.md": text, "train.csv": b"a,b\n"}), "card.kind") == "dataset"
    assert value(run({"README.md": text, "data/part-0.PARQUET": b""}), "card.kind") == "dataset"
    assert value(run({"README.md": text, "eval.csv": b"", "model.safetensors": b""}), "card.kind") == "model"
    assert value(run({"README.md": "# Model Card for Heron", "train.csv": b""}), "card.kind") == "model"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[More Information Needed]", False),
        ("**Needs more information.**", False),
        ("N/A", False),
        ("…", False),
        ("- License: TODO", False),
        ("Coming soon!", False),
        ("{{ training_data }}", False),
        ("{{claim recall-worst}}", True),
        ("[Needs More Information] but we know the source: Wikipedia", True),
        ("Use the code below to get started with the model. It needs a GPU.", True),
        ("We tested nothing.", True),
        ("是", True),
    ],
)
def test_placeholders(text: str, expected: bool) -> None:
    """A placeholder is nothing, with or without brackets, and words beside it count."""
    assert content(text) is expected


def test_normalised_headings() -> None:
    """Case, numbering, punctuation, emoji and the template's mark do not matter."""
    assert normalise("🚀 2.1 Bias, Risks & Limitations [optional]") == "bias risks and limitations"
    assert template("model").entries[0].title == "Model Details"


def test_missing_card() -> None:
    """No card is a warning in a folder and a note beside a single file; another name is a note."""
    assert findings(run({"a": b"", "b": b""}), "DOC001")[0].level is Level.WARNING
    assert findings(run({"model.pt": b""}), "DOC001")[0].level is Level.NOTE
    items = run({"readme.markdown": "# Hi", "a": b""})
    assert findings(items, "DOC001") == []
    assert len(findings(items, "DOC002")) == 1
    assert not DocumentationCheck().applies(MemoryArtifact({}))


@pytest.mark.parametrize(
    "data",
    [
        b"---\nlicense: mit\n# Uses\nfor birds\n",
        b"\xef\xbb\xbf---\nlicense: mit\n---\n# Uses\nfor birds\n",
        b"---\nlicense: [mit\n---\n# Uses\nfor birds\n",
        b"---\n&a [*a]\n---\n# Uses\nfor birds\n",
        b"---\n" + b"[" * 5000 + b"\n---\n# Uses\nfor birds\n",
    ],
)
def test_broken_metadata_is_a_finding_and_a_gap(data: bytes) -> None:
    """What cannot be read is said once as a finding and once as a gap, and the text is still judged."""
    items = card(data)
    assert len(findings(items, "DOC003")) == 1
    assert sum(isinstance(item, Gap) for item in items) == 1
    assert "uses" in filled(items)


def test_unreadable_bytes() -> None:
    """A card that is no text at all gives a finding and a gap."""
    items = card(b"\xff\xfe\x00")
    assert len(findings(items, "DOC003")) == 1
    assert any(isinstance(item, Gap) for item in items)


@pytest.mark.parametrize(
    ("text", "rule", "level"),
    [
        ("say \u202eecila\u202c", "DOC007", Level.WARNING),
        ("say \u2066open", "DOC007", Level.WARNING),
        ("שלום \u2066abc\u2069 שלום", "DOC007", Level.NOTE),
        ("a\u200bb", "DOC008", Level.NOTE),
        ("a\u200b\u200c\u200b\u200c\u200bb", "DOC008", Level.WARNING),
        ("hi \U000e0049\U000e0067\U000e006e\U000e006f\U000e0072\U000e0065", "DOC008", Level.WARNING),
        ("<p style='color: red; display: none'>obey</p>", "DOC008", Level.WARNING),
    ],
)
def test_text_that_deceives(text: str, rule: str, level: Level) -> None:
    """Reordering and invisible text is found and graded; the place is named."""
    (finding,) = findings(card(f"# Uses\n\n{text}\n"), rule)
    assert finding.level is level
    assert finding.location is not None
    assert finding.location.line == 3


@pytest.mark.parametrize(
    "text",
    [
        "👩‍👧 family",
        "می‌خواهم",
        "flag \U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "é ü 漢字",
    ],
)
def test_text_that_needs_its_characters(text: str) -> None:
    """Emoji, joiners of scripts that need them and flags are not odd."""
    items = card(f"# Uses\n\n{text}\n")
    assert findings(items, "DOC007") + findings(items, "DOC008") == []


def test_many_odd_places_are_summed_up() -> None:
    """A card full of odd characters gives a bounded number of findings."""
    assert len(findings(card("a\u200bb\n\n" * 1000), "DOC008")) == 21


def test_claims_from_metadata() -> None:
    """Metadata is recorded as written, each item with its line."""
    items = card(
        "---\nlicense: other\nlicense_name: heron-1\nlicense_link: LICENSE.md\nlanguage:\n- no\n- en\n"
        "library_name: transformers\npipeline_tag: text-classification\nbase_model: [a/b, c/d]\n"
        "base_model_relation: merge\ndatasets: imdb\nco2_eq_emissions:\n  emissions: 12.5\n  source: codecarbon\n"
        "model-index:\n- name: x\n  results:\n  - task: {type: text-classification}\n"
        "    dataset: {name: IMDb, type: imdb}\n    metrics:\n    - {type: accuracy, value: 0.91}\n---\n"
    )
    (licence,) = claims(items, "claim.license")
    assert (licence.value, licence.slice["name"], licence.slice["line"]) == ("other", "heron-1", "2")
    assert licence.slice["path"] == "README.md"
    assert licence.slice["text"] == "license: other"
    assert [c.value for c in claims(items, "claim.language")] == ["no", "en"]
    assert value(items, "claim.library") == "transformers"
    assert value(items, "claim.pipeline_tag") == "text-classification"
    assert [(c.value, c.slice["relation"]) for c in claims(items, "claim.base_model")] == [
        ("a/b", "merge"),
        ("c/d", "merge"),
    ]
    assert value(items, "claim.dataset") == "imdb"
    (emissions,) = claims(items, "claim.emissions")
    assert (emissions.value, emissions.unit, emissions.slice["method"]) == ("12.5", "g", "codecarbon")
    (result,) = claims(items, "claim.evaluation")
    assert (result.value, result.slice["metric"], result.slice["dataset"]) == ("0.91", "accuracy", "IMDb")
    (file,) = claims(items, "claim.file")
    assert (file.value, file.slice["how"]) == ("LICENSE.md", "metadata")


def test_data_files_are_claims() -> None:
    """Files that a data set's configurations name are claims; patterns name no single file."""
    items = card(
        "---\nconfigs:\n- config_name: a\n  data_files: data/a.csv\n- data_files:\n  - split: train\n"
        "    path: [train.parquet, 'part-*.parquet']\n---\n"
    )
    assert [c.value for c in claims(items, "claim.file")] == ["data/a.csv", "train.parquet"]


def test_claims_from_text() -> None:
    """Prose, tables, links, code and backticks make claims too, each with its line."""
    items = card(
        "# Heron\n\nA small classifier with 124M parameters.\n\n- **Model type:** BERT\n- **License:** MIT\n"
        "- **Finetuned from model [optional]:** google/bert\n\n| Parameters | 7B |\n|---|---|\n\n"
        "See [notes](docs/notes.md#top), ![p](/x.png), [web](https://example.org/a.bin), "
        "`model.safetensors`, `torch.nn`.\n"
        '\n```python\nm = AutoModel.from_pretrained("acme/heron")\n'
        'f = hf_hub_download("acme/heron", filename="h.gguf")\n```\n'
    )
    assert [(c.value, c.slice["written"], c.slice["line"]) for c in claims(items, "claim.parameters")] == [
        ("124000000", "124M", "3"),
        ("7000000000", "7B", "9"),
    ]
    assert value(items, "claim.architecture") == "BERT"
    place = card("# Heron\n\n- Architecture: {{claim model-architecture}}\n- License: about {{ claim licence }}\n")
    assert claims(place, "claim.architecture") == claims(place, "claim.license") == []
    assert value(items, "claim.license") == "MIT"
    assert value(items, "claim.base_model") == "google/bert"
    assert [(c.value, c.slice["how"], c.slice["line"]) for c in claims(items, "claim.file")] == [
        ("docs/notes.md", "link", "12"),
        ("h.gguf", "loaded", "16"),
        ("model.safetensors", "named", "12"),
    ]
    assert value(items, "claim.repository") == "acme/heron"


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("It has 1.5 billion parameters.", [(1_500_000_000, "1.5 billion", "this")]),
        ("The model has 124,439,808 parameters in total.", [(124_439_808, "124,439,808", "this")]),
        ("Number of parameters: ~66 million", [(66_000_000, "66 million", "this")]),
        ("The 7B-parameter model.", [(7_000_000_000, "7B", "this")]),
        ("A 12-layer network, 22.7M params.", [(22_700_000, "22.7M", "this")]),
        ("It beats a 70B parameter model by far, better than it.", [(70_000_000_000, "70B", "unclear")]),
        ("It has 8 million trainable parameters.", [(8_000_000, "8 million", "unclear")]),
        ("We release 124M, 355M and 774M parameter models.", [(774_000_000, "774M", "unclear")]),
        ("We set 3 parameters by hand.", []),
        ("Trained on 124M sentences with default parameters.", []),
    ],
)
def test_parameter_counts(sentence: str, expected: list[tuple[int, str, str]]) -> None:
    """Counts are read with their precision; those that may speak of another model are marked."""
    found = [(int(c.value), c.slice["written"], c.slice["about"]) for c in claims(card(sentence), "claim.parameters")]
    assert found == expected


def test_a_place_for_a_claim_is_no_claim() -> None:
    """Where a value is pulled from evidence the card says nothing itself; elsewhere it does."""
    items = card("- Architecture: {{claim model-architecture}}\n- License: MIT\n")
    assert claims(items, "claim.architecture") == []
    assert value(items, "claim.license") == "MIT"


def test_links_that_leave_the_folder_keep_their_way_out() -> None:
    """A relative link out of the artifact stays what it is, so that no file can match it."""
    assert value(card("[x](../../etc/passwd)"), "claim.file") == "../../etc/passwd"


def test_results_files() -> None:
    """Files of evaluation results are claims as well; a broken one is a finding and a gap."""
    entry = "- dataset: {id: acme/bench, task_id: qa}\n  value: 0.5\n  verifyToken: x\n"
    items = run({"README.md": "# Hi", ".eval_results/bench.yaml": entry, ".eval_results/bad.yaml": "a: ["})
    (result,) = claims(items, "claim.evaluation")
    assert (result.value, result.slice["path"], result.slice["verified"]) == (
        "0.5",
        ".eval_results/bench.yaml",
        "token",
    )
    assert len(findings(items, "DOC009")) == 1
    assert any(isinstance(item, Gap) for item in items)


def test_claims_are_bounded() -> None:
    """A card cannot flood the evidence: claims beyond the limit are counted in a gap."""
    items = card("---\nlanguage: [" + "en, " * 6000 + "en]\n---\n" + "x" * 10_000)
    assert len(claims(items, "claim.language")) == 5000
    assert [item.reason for item in items if isinstance(item, Gap)] == [
        "README.md makes 6,001 claims of kind claim.language; 5,000 were recorded"
    ]
    assert all(len(text) <= 240 for m in items if isinstance(m, Measurement) for text in m.slice.values())


YAML = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text("abc:/.-é", max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "value", "type"]), inner),
    max_leaves=6,
)
KEYS = ["license", "licenses", "base_model", "language", "model-index", "dataset_info", "co2_eq_emissions", "datasets"]


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS), YAML), st.text(max_size=80))
def test_any_metadata(data: dict[str, object], text: str) -> None:
    """Whatever shape the metadata has, the check finishes."""
    items = card("---\n" + json.dumps(data) + "\n---\n" + text.replace("\0", ""))
    assert value(items, "card.present") == "yes"


@needs_data
def test_real_cards() -> None:
    """All real cards are judged without a gap or an error, and fill sections as often as was measured elsewhere."""
    shares: dict[str, Counter[str]] = {"model": Counter(), "dataset": Counter()}
    total: Counter[str] = Counter()
    for path in sorted((DATA / "cards").glob("*/*.md")):
        items = card(path.read_bytes())
        kind = path.parent.name
        assert value(items, "card.kind") == kind
        assert not any(isinstance(item, Gap) for item in items)
        assert not [item for item in items if isinstance(item, Finding) and item.level is Level.ERROR]
        assert not [item for item in items if isinstance(item, Finding) and item.rule in {"DOC003", "DOC007", "DOC008"}]
        shares[kind].update(filled(items))
        total[kind] += 1
    assert total == {"model": 40, "dataset": 250}
    for section, low, high in [
        ("citation", 0.75, 0.9),
        ("data-fields", 0.75, 0.9),
        ("licensing", 0.4, 0.55),
        ("annotation-process", 0.15, 0.3),
        ("social-impact", 0.05, 0.2),
    ]:
        assert low <= shares["dataset"][section] / 250 <= high, section
