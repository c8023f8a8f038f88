"""From statements to the status of claims: a table for each rule, and the whole way from a folder."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.cards.claim import Claim, summarise
from hallmarked.cards.claim import derive_claims as derive
from hallmarked.cards.known import know
from hallmarked.cards.rules import RULES
from hallmarked.cards.statement import PREDICATE_TYPE, to_statement
from hallmarked.cards.status import Status
from hallmarked.checks import runner
from hallmarked.checks.documentation.check import DocumentationCheck
from hallmarked.checks.inventory import InventoryCheck
from hallmarked.checks.licence.check import LicenceCheck
from hallmarked.core.evidence import Attestation, Statement, Subject
from tests.checks.licence.test_texts import MIT
from tests.support import DATA, MemoryArtifact, needs_data

NOW = datetime(2026, 6, 1, tzinfo=UTC)
HERE = Subject("heron", {"dirHash": "ab" * 32})
THERE = Subject("heron", {"dirHash": "cd" * 32})


def derive_claims(
    statements: Sequence[Statement], ids: Mapping[int, str] | None = None, current: Subject | None = None
) -> tuple[Claim, ...]:
    """Derive claims from statements of one auditor, each a minute after the one before."""
    stated = [
        Attestation(
            one,
            ids.get(index, "") if ids is not None else f"sha256:{index:064x}",
            NOW - timedelta(minutes=len(statements) - index),
            "auditor",
            "an auditor",
            "key",
        )
        for index, one in enumerate(statements)
    ]
    return derive(know(stated, current), NOW)


def report(
    check: str, measurements: Sequence[Mapping[str, Any]] = (), subject: Subject = HERE, **more: object
) -> Statement:
    """A check's statement, as the runner writes it."""
    predicate = {
        "result": "PASSED",
        "configuration": [{"name": f"hallmarked/checks/{check}", "digest": {"sha256": "00"}}],
        "outcome": "pass",
        "measurements": list(measurements),
        **more,
    }
    return Statement((subject,), "https://in-toto.io/attestation/test-result/v0.1", predicate)


def measured(metric: str, value: str, **where: str) -> dict[str, Any]:
    return {"metric": metric, "value": value, **({"slice": where} if where else {})}


def said(kind: str, value: str, **where: str) -> Statement:
    """The documentation check's statement with one claim."""
    place = {"path": "README.md", "line": "7", "text": f"{kind}: {value}", "source": "metadata"} | where
    return report("documentation", [measured(f"claim.{kind}", value, **place)])


def facts(*pairs: tuple[str, str], **more: object) -> Statement:
    return report("facts", [measured(metric, value) for metric, value in pairs], **more)  # type: ignore[arg-type]


def only(*statements: Statement) -> Claim:
    (claim,) = derive_claims(statements)
    return claim


def status(*statements: Statement) -> str:
    return only(*statements).status.value


TEXT = measured("licence.text", "mit", path="LICENSE", how="text")
NOTICE = measured("licence.text", "mit", path="LICENSE", how="notice")
CONFLICT = {"rule": "LIC004", "level": "warning", "message": "LICENSE is gpl-3.0", "location": {"path": "LICENSE"}}
DROPPED = {"rule": "LIC007", "level": "warning", "message": "the base is under llama3.1"}


@pytest.mark.parametrize(
    ("value", "statements", "expected"),
    [
        ("mit", [report("licences", [TEXT])], "supported"),
        ("MIT License", [report("licences", [TEXT])], "supported"),
        ("apache-2.0", [report("licences", [TEXT])], "contradicted"),
        ("mit", [report("licences", [NOTICE])], "self-asserted"),
        ("mit", [report("licences", [measured("licence.text", "unrecognised", path="LICENSE")])], "self-asserted"),
        ("mit", [report("licences")], "self-asserted"),
        ("other", [report("licences", [TEXT])], "self-asserted"),
        ("mit", [report("licences", [TEXT], findings=[CONFLICT])], "contradicted"),
        ("mit", [report("licences", [TEXT], findings=[DROPPED])], "contradicted"),
        ("mit", [report("licences", [TEXT], findings=[DROPPED], outcome="unknown")], "contradicted"),
        ("mit", [report("licences", [TEXT], outcome="unknown", reason="cut off")], "unknown"),
        ("apache-2.0", [report("licences", [TEXT], outcome="unknown")], "unknown"),
        ("mit", [], "not-evaluated"),
    ],
)
def test_licence(value: str, statements: list[Statement], expected: str) -> None:
    """A licence is supported by its text, and contradicted by another text or what the base asks for."""
    assert status(said("license", value), *statements) == expected


@pytest.mark.parametrize(
    ("written", "more", "measurements", "expected"),
    [
        ("124M", {}, [("parameters.total", "124439808")], "supported"),
        ("124M", {}, [("parameters.total", "66362880")], "contradicted"),
        ("1.5B", {}, [("parameters.total", "1557611200")], "supported"),
        ("7B", {}, [("parameters.total", "13000000000")], "contradicted"),
        ("66,955,010", {}, [("parameters.total", "66955522"), ("parameters.I64", "512")], "supported"),
        ("86M", {}, [("parameters.total", "278043648"), ("parameters.non_embedding", "86000000")], "supported"),
        ("7B", {}, [("parameters.total", "1000000000"), ("parameters.U8", "900000000")], "self-asserted"),
        ("7B", {}, [("parameters.total", "9000000"), ("model.adapter", "LORA")], "self-asserted"),
        ("7B", {"about": "unclear"}, [("parameters.total", "124439808")], "self-asserted"),
        ("124M", {"about": "unclear"}, [("parameters.total", "124439808")], "supported"),
        ("124M", {}, [], "self-asserted"),
        ("124M", {}, [("parameters.total", "0")], "self-asserted"),
        ("124M", {}, [("parameters.total", "lots")], "self-asserted"),
        ("137M", {}, [("parameters.total", "124439808"), ("buffers.total", "12582924")], "supported"),
    ],
)
def test_parameters(written: str, more: dict[str, str], measurements: list[tuple[str, str]], expected: str) -> None:
    """A count is compared within its written precision, unless it may speak of something else."""
    claim = said("parameters", "0", written=written, **({"about": "this"} | more))
    assert status(claim, facts(*measurements)) == expected
    assert status(claim) == "not-evaluated"


def test_a_card_of_a_family_names_several_counts() -> None:
    """Of several counts one can be this model's; the others are then left alone, else all are contradicted."""
    place = {"path": "README.md", "line": "3", "about": "this"}
    card = report(
        "documentation", [measured("claim.parameters", "0", written=text, **place) for text in ("21M", "86M", "300M")]
    )
    claims = derive_claims([card, facts(("parameters.total", "86000000"))])
    assert {claim.status.value for claim in claims} == {"supported", "self-asserted"}
    claims = derive_claims([card, facts(("parameters.total", "5000000"))])
    assert {claim.status.value for claim in claims} == {"contradicted"}


@pytest.mark.parametrize(
    ("measurements", "expected"),
    [
        ({"identical": "3", "total": "10"}, "supported"),
        ({"identical": "0", "total": "100"}, "self-asserted"),
        ({"identical": "0", "same_shape": "95", "total": "100"}, "supported"),
        ({"identical": "0", "same_shape": "50", "total": "100"}, "self-asserted"),
        ({"identical": "0", "same_shape": "0", "total": "100"}, "contradicted"),
        ({"identical": "0", "total": "0"}, "self-asserted"),
        ({}, "self-asserted"),
    ],
)
def test_base_model(measurements: dict[str, str], expected: str) -> None:
    """Kinship shows in tensors that are equal, or in names and shapes; without the base it is only said."""
    pairs = [(f"base.tensors.{name}", value) for name, value in measurements.items()]
    assert status(said("base_model", "acme/base"), facts(*pairs)) == expected


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([("model.base", "acme/base")], "self-asserted"),
        ([("model.base", "acme/other")], "self-asserted"),
        ([("model.base", "acme/other"), ("model.adapter", "LORA")], "contradicted"),
        ([("model.base", "ACME/base"), ("model.adapter", "LORA")], "self-asserted"),
        ([("model.base", "./checkpoints"), ("model.adapter", "LORA")], "self-asserted"),
    ],
)
def test_base_model_by_name(pairs: list[tuple[str, str]], expected: str) -> None:
    """An adapter's configuration names its base bindingly; a path or another note does not."""
    assert status(said("base_model", "acme/base"), facts(*pairs)) == expected


@pytest.mark.parametrize(
    ("tag", "architecture", "expected"),
    [
        ("text-classification", "BertForSequenceClassification", "supported"),
        ("text-generation", "BertForSequenceClassification", "contradicted"),
        ("text-generation", "GPT2LMHeadModel", "supported"),
        ("token-classification", "LlamaForCausalLM", "contradicted"),
        ("fill-mask", "RobertaForMaskedLM", "supported"),
        ("image-classification", "ViTForImageClassification", "supported"),
        ("automatic-speech-recognition", "WhisperForConditionalGeneration", "supported"),
        ("text-generation", "BertModel", "self-asserted"),
        ("text-generation", "", "self-asserted"),
    ],
)
def test_pipeline_tag(tag: str, architecture: str, expected: str) -> None:
    """A task is compared with what the class named in the configuration does."""
    pairs = [("model.architecture", architecture)] if architecture else []
    assert status(said("pipeline_tag", tag), facts(*pairs)) == expected


@pytest.mark.parametrize(
    ("library", "found", "expected"),
    [
        ("transformers", "transformers", "supported"),
        ("Transformers", "transformers", "supported"),
        ("sentence-transformers", "transformers", "supported"),
        ("transformers", "scikit-learn", "contradicted"),
        ("sklearn", "scikit-learn", "supported"),
        ("heronlib", "transformers", "self-asserted"),
        ("transformers", "heronlib", "self-asserted"),
        ("transformers", "pytorch", "self-asserted"),
        ("gguf", "gguf", "supported"),
        ("heronlib", "heronlib", "supported"),
        ("transformers", "", "self-asserted"),
    ],
)
def test_library(library: str, found: str, expected: str) -> None:
    """A library is compared with the one the files are written for, where both are known."""
    assert status(said("library", library), facts(*([("model.library", found)] if found else []))) == expected


@pytest.mark.parametrize(
    ("prose", "model_type", "expected"),
    [
        ("BERT", "bert", "supported"),
        ("a GPT-2 decoder", "gpt2", "supported"),
        ("Vision Transformer", "vit", "supported"),
        ("Qwen2.5", "qwen2", "supported"),
        ("DistilBERT (fine-tuned)", "bert", "contradicted"),
        ("LLaMA", "mistral", "contradicted"),
        ("a Transformer", "bert", "self-asserted"),
        ("BERT", "heron", "self-asserted"),
        ("BERT", "", "self-asserted"),
    ],
)
def test_architecture(prose: str, model_type: str, expected: str) -> None:
    """The family named in prose is compared with the model type, where both are known."""
    assert status(said("architecture", prose), facts(*([("model.type", model_type)] if model_type else []))) == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        *[(code, "self-asserted") for code in ("en", "no", "deu", "pt-BR", "zh-Hant-TW", "multilingual", "code", "EN")],
        *[(code, "unknown") for code in ("english", "esperanto", "xx", "e", "en_US", "ja, en", "日本語")],
    ],
)
def test_language(code: str, expected: str) -> None:
    """A code by itself proves nothing, and what is no code contradicts nothing: no bytes speak against it."""
    assert status(said("language", code)) == expected


@pytest.mark.parametrize(
    ("target", "how", "expected"),
    [
        ("model.safetensors", "named", "supported"),
        ("docs/notes.md", "link", "supported"),
        ("docs", "link", "supported"),
        (".", "link", "supported"),
        ("blob/main/model.safetensors", "link", "supported"),
        ("tree/main", "link", "supported"),
        ("discussions/3", "link", "self-asserted"),
        ("missing.png", "image", "contradicted"),
        ("missing.md", "link", "contradicted"),
        ("../secret", "link", "contradicted"),
        ("other.safetensors", "named", "contradicted"),
        ("other.gguf", "loaded", "contradicted"),
        ("run_ner.py", "named", "self-asserted"),
    ],
)
def test_file(target: str, how: str, expected: str) -> None:
    """Links must lead to files; names in prose only where they name weights."""
    present = [measured("file.present", "3", path=path) for path in ("model.safetensors", "docs/notes.md")]
    assert status(said("file", target, how=how), report("inventory", present)) == expected


def test_files_without_a_list() -> None:
    """Without an inventory, or with one that does not list files, nothing is said about files."""
    assert status(said("file", "a.bin", how="link")) == "not-evaluated"
    assert status(said("file", "a.bin", how="link"), report("inventory")) == "not-evaluated"


@pytest.mark.parametrize("kind", ["evaluation", "emissions", "dataset", "examples"])
def test_what_nothing_measures_yet(kind: str) -> None:
    """Results, emissions and origins stay what they are until there is evidence: said by the owner."""
    everything = facts(("parameters.total", "1"), (f"claim.{kind}", "5"))
    assert status(said(kind, "5", verified="token"), everything) == "self-asserted"


@pytest.mark.parametrize("metric", sorted(RULES))
@pytest.mark.parametrize("outcome", ["unknown", "", "strange"])
def test_unknown_is_never_support(metric: str, outcome: str) -> None:
    """Whatever was measured, a check that could not finish supports nothing."""
    kind = metric.removeprefix("claim.")
    good = {
        "license": "mit",
        "language": "en",
        "parameters": "124M",
        "pipeline_tag": "fill-mask",
        "library": "transformers",
    }
    value = good.get(kind, "a.bin" if kind == "file" else "bert")
    measurements = [
        *[measured("parameters.total", "124000000"), measured("model.library", "transformers"), TEXT],
        *[measured("model.architecture", "BertForMaskedLM"), measured("model.type", "bert")],
        *[measured("base.tensors.total", "9"), measured("base.tensors.identical", "9")],
        measured("file.present", "1", path="a.bin"),
    ]
    others = [report(name, measurements, outcome=outcome) for name in ("facts", "licences", "inventory")]
    assert status(said(kind, value, about="this", how="link"), *others) in {"unknown", "self-asserted"}
    others = [report(name, measurements) for name in ("facts", "licences", "inventory")]
    supported = {"license", "parameters", "pipeline_tag", "library", "file", "base_model", "architecture"}
    found = status(said(kind, value, about="this", how="link"), *others)
    assert (found == "supported") == (kind in supported)


def test_evidence_about_other_bytes_is_stale() -> None:
    """Evidence counts for the revision it was made on, and for no other."""
    card = said("license", "mit")
    old = report("licences", [TEXT], subject=THERE)
    (claim,) = derive_claims([card, old], current=HERE)
    assert claim.status is Status.STALE
    (claim,) = derive_claims([card, report("licences", [TEXT])], current=HERE)
    assert claim.status is Status.SUPPORTED
    (claim,) = derive_claims([card, report("licences", [TEXT])], current=THERE)
    assert claim.status is Status.STALE


def test_the_later_report_counts() -> None:
    """A newer report of the same check replaces the older one."""
    card = said("license", "mit")
    wrong = report("licences", [measured("licence.text", "gpl-3.0", path="LICENSE", how="text")])
    assert status(card, wrong, report("licences", [TEXT])) == "supported"
    assert status(card, report("licences", [TEXT]), wrong) == "contradicted"


def test_every_claim_says_what_how_and_where() -> None:
    """A claim is a sentence with a reason, its place in the card and the statements compared."""
    statements = [said("parameters", "7000000000", written="7B", about="this"), facts(("parameters.total", "5"))]
    (claim,) = derive_claims(statements, {1: "sha256:feed"})
    assert claim.text == "It has 7B parameters."
    assert claim.reason == "5 were counted; “7B” covers 6,500,000,000 to 7,999,999,999"
    assert str(claim.location) == "README.md:7"
    assert claim.evidence_text == "check facts, parameters.total = 5 (sha256:feed)"
    (claim,) = derive_claims(statements)
    assert all(len(item.statement) == len("sha256:") + 64 for item in claim.evidence)


def test_no_card_no_claims() -> None:
    """Without a documentation report there is nothing to derive."""
    assert derive_claims([facts(("parameters.total", "5"))]) == ()
    assert derive_claims([Statement((HERE,), "urn:other", {"configuration": "x"})]) == ()


def test_the_claims_statement() -> None:
    """Claims become an SCAI attribute report that names the statement compared with each."""
    claims = derive_claims([said("license", "mit"), report("licences", [TEXT])], {0: "sha256:aa", 1: "sha256:bb"})
    statement = to_statement(claims, HERE)
    assert statement.predicate_type == PREDICATE_TYPE
    assert statement.predicate["attributes"] == [
        {
            "attribute": "It is offered under the licence mit.",
            "conditions": {
                "kind": "license",
                "id": "license",
                "value": "mit",
                "status": "supported",
                "reason": "LICENSE is the text of mit",
                "written": "license: mit",
                "location": "README.md:7",
            },
            "evidence": {"name": "hallmarked/checks/licences", "digest": {"sha256": "bb"}},
        }
    ]
    assert Statement.from_dict(json.loads(json.dumps(statement.to_dict()))).to_dict() == statement.to_dict()


def test_from_a_folder() -> None:
    """Card, licence and files of a real folder, through the real checks and runner."""
    artifact = MemoryArtifact(
        {
            "README.md": "---\nlicense: mit\nlanguage: english\n---\n# Heron\n[plot](plot.png) `model.safetensors`\n",
            "LICENSE": MIT,
            "model.safetensors": b"\0",
        }
    )
    checks = (DocumentationCheck(), LicenceCheck(), InventoryCheck())
    statements = [runner.run(check, artifact).to_statement(artifact.subject, "0" * 64) for check in checks]
    claims = derive_claims(statements, current=artifact.subject)
    assert [(claim.kind, claim.status.value) for claim in claims] == [
        ("file", "contradicted"),
        ("license", "supported"),
        ("file", "supported"),
        ("language", "unknown"),
    ]
    assert summarise(claims) == {Status.CONTRADICTED: 1, Status.SUPPORTED: 2, Status.UNKNOWN: 1}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**50), 2**50) | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["metric", "value", "slice", "findings", "rule", "location", "line", "n"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(JSON, JSON, st.sampled_from(sorted(RULES)), st.text(max_size=12))
def test_statements_of_any_shape(first: object, second: object, metric: str, value: str) -> None:
    """Statements come from anywhere: members of another shape count as absent and break nothing."""
    check = {"claim.license": "licences", "claim.file": "inventory"}.get(metric, "facts")
    name = [{"name": f"hallmarked/checks/{check}"}]
    odd = Statement((HERE,), "x", {"configuration": name, "measurements": first, "findings": second, "outcome": first})
    card = report("documentation", [measured(metric, value, line=value, path=value), {"metric": metric}])
    claims = derive_claims([card, odd], {})
    assert len(claims) == 2
    assert all(claim.status is not Status.SUPPORTED for claim in claims)


@pytest.mark.slow
@needs_data
def test_real_cards() -> None:
    """Claims of all real cards can be derived; beside nothing but the card, none is supported."""
    total = 0
    for path in sorted((DATA / "cards").glob("*/*.md")):
        artifact = MemoryArtifact({"README.md": path.read_bytes()})
        checks = (DocumentationCheck(), LicenceCheck(), InventoryCheck())
        statements = [runner.run(check, artifact).to_statement(artifact.subject, "0" * 64) for check in checks]
        claims = derive_claims(statements, {})
        total += len(claims)
        assert not [claim for claim in claims if claim.status is Status.SUPPORTED and claim.value != "."], path.name
    assert total > 1500
