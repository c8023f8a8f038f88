"""Folders as real libraries write them, audited end to end in isolated processes."""

from __future__ import annotations

import json
import os
import pickle
import random
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hallmarked.artifacts.source import open_artifact
from hallmarked.audit.audit import judge
from hallmarked.audit.examine import examine
from hallmarked.audit.report import view
from hallmarked.audit.report.report import Report
from hallmarked.core.evidence import Level, Outcome
from hallmarked.policy.file import contexts

np = pytest.importorskip("numpy")
torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
joblib = pytest.importorskip("joblib")

pytestmark = pytest.mark.slow

LICENCE = Path(__file__).parents[2] / "LICENSE"
CARD = """---
license: apache-2.0
language: en
library_name: transformers
pipeline_tag: text-classification
---
# Heron

## Model Description
Heron sorts short English sentences into two classes. It comes from the authors of this test and has
{count} parameters.

## Uses
### Direct Use
It is for trying out tools that read model repositories.
### Out-of-Scope Use
It must not be used to decide anything about people: it knows nothing.

## Bias, Risks, and Limitations
Its weights are random, so its answers are random too, for everybody alike.

## Training Details
### Training Data
It was not trained on any data; the weights are as they were drawn.

## Evaluation
On 100 sentences it was right 51 times, which is what chance gives.
"""


class Command:
    """Calls a function when it is unpickled; only ever written here, never read."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("true",)


@pytest.fixture(autouse=True)
def no_daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the malware check can run must not depend on the machine."""
    monkeypatch.setenv("HALLMARKED_CLAMD", f"unix:{tmp_path}/no-daemon")


def audit(path: Path, *checks: str) -> Report:
    examination = examine(open_artifact(path), checks=checks or None)
    assert not any(result.broke for result in examination.results)
    return judge(examination, contexts()["default"], datetime(2026, 1, 2, tzinfo=UTC))


def outcomes(report: Report) -> dict[str, str]:
    return {result.check: result.outcome.value for result in report.examination.results}


def rules(report: Report, level: Level) -> set[str]:
    found = [finding for result in report.examination.results for finding in result.findings]
    return {finding.rule for finding in found if finding.level is level}


def facts(report: Report) -> dict[str, str]:
    shown = view.facts(report.examination.results)
    assert len(shown) == len({fact.label for fact in shown}), "each fact has one value in these folders"
    return {fact.label: fact.value.replace(",", "") for fact in shown}


def proven(report: Report) -> set[str]:
    return {row.path for row in view.files(report.examination.results) if row.verdict == "proven"}


def bert() -> Any:
    size = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    return transformers.BertForSequenceClassification(transformers.BertConfig(vocab_size=120, **size))


def llama() -> Any:
    size = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
    return transformers.LlamaForCausalLM(transformers.LlamaConfig(vocab_size=120, num_key_value_heads=2, **size))


def published(folder: Path) -> Path:
    """A model as somebody careful publishes it."""
    model = bert()
    model.save_pretrained(folder)
    (folder / "README.md").write_text(CARD.format(count=f"{model.num_parameters():,}"))
    shutil.copy(LICENCE, folder / "LICENSE")
    return folder


def test_a_model_published_with_care(tmp_path: Path) -> None:
    """Nothing to warn of; what the card says of size, task, library and licence is borne out by the bytes."""
    report = audit(published(tmp_path / "heron"))
    assert rules(report, Level.ERROR) | rules(report, Level.WARNING) == set()
    unsettled = {check for check, outcome in outcomes(report).items() if outcome != "pass"}
    assert unsettled == {"malware"}
    supported = {claim.kind for claim in report.claims if claim.status.value == "supported"}
    assert supported >= {"license", "parameters", "library", "pipeline_tag"}
    assert not [claim for claim in report.claims if claim.status.value in {"contradicted", "unknown"}]
    assert facts(report)["Parameters"] == str(bert().num_parameters())


def test_equal_bytes_give_equal_statements(tmp_path: Path) -> None:
    """Where a folder lies and when it is looked at is nowhere in what is stated."""
    first, second = published(tmp_path / "a" / "heron"), tmp_path / "b" / "heron"
    shutil.copytree(first, second)
    assert [s.to_dict() for s in audit(first).statements] == [s.to_dict() for s in audit(second).statements]


def test_one_planted_file(tmp_path: Path) -> None:
    """A pickle that runs a program is an error whatever it is called, and the verdict names the check."""
    folder = published(tmp_path / "heron")
    (folder / "vocab.txt").write_bytes(pickle.dumps({"tokens": [Command()]}))
    report = audit(folder)
    assert report.verdict.outcome is Outcome.FAIL
    assert outcomes(report)["serialization"] == "fail"
    assert any(reason.startswith("serialization") for reason in report.verdict.reasons)


def test_a_pickle_of_weights_with_masks(tmp_path: Path) -> None:
    """An older GPT-2 file holds causal masks and the embedding twice; neither counts as parameters."""
    size = {"n_embd": 32, "n_layer": 2, "n_head": 2, "vocab_size": 120, "n_positions": 64}
    model = transformers.GPT2LMHeadModel(transformers.GPT2Config(**size))
    model.save_pretrained(tmp_path / "gpt2")
    (tmp_path / "gpt2" / "model.safetensors").unlink()
    state = model.state_dict()
    for layer in range(2):
        state[f"transformer.h.{layer}.attn.bias"] = torch.tril(torch.ones(64, 64)).view(1, 1, 64, 64)
        state[f"transformer.h.{layer}.attn.masked_bias"] = torch.tensor(-1e4)
    for legacy in (False, True):
        torch.save(state, tmp_path / "gpt2" / "pytorch_model.bin", _use_new_zipfile_serialization=not legacy)
        report = audit(tmp_path / "gpt2", "facts", "serialization")
        assert set(outcomes(report).values()) == {"pass"}
        assert facts(report)["Parameters"] == str(model.num_parameters())


def test_shards_and_a_chat_template(tmp_path: Path) -> None:
    """The parameters of all shards are counted, and an ordinary template is no reason to look."""
    model = llama()
    model.save_pretrained(tmp_path / "chat", max_shard_size="40KB")
    template = "{% for m in messages %}{{ '<|' + m['role'] + '|>' + m['content'] | trim }}{% endfor %}"
    (tmp_path / "chat" / "chat_template.jinja").write_text(template)
    report = audit(tmp_path / "chat", "facts", "serialization", "templates", "code", "secrets")
    assert set(outcomes(report).values()) == {"pass"}
    assert rules(report, Level.WARNING) == set()
    assert facts(report)["Parameters"] == str(model.num_parameters())


def test_a_training_checkpoint(tmp_path: Path) -> None:
    """States of optimiser, schedule and random numbers are proven, and are not taken for the model."""
    model, folder = bert(), tmp_path / "checkpoint-2"
    model.save_pretrained(folder)
    optimizer = torch.optim.AdamW(model.parameters())
    model(input_ids=torch.arange(8)[None]).logits.sum().backward()
    optimizer.step()
    torch.save(optimizer.state_dict(), folder / "optimizer.pt")
    torch.save(torch.optim.lr_scheduler.LambdaLR(optimizer, lambda _: 1.0).state_dict(), folder / "scheduler.pt")
    generators = {"python": random.getstate(), "numpy": np.random.get_state(), "cpu": torch.random.get_rng_state()}
    torch.save(generators, folder / "rng_state.pth")
    (folder / "trainer_state.json").write_text(json.dumps({"global_step": 2, "log_history": [{"loss": 0.7}]}))
    report = audit(folder, "facts", "serialization")
    assert set(outcomes(report).values()) == {"pass"}
    assert proven(report) >= {"model.safetensors", "optimizer.pt", "scheduler.pt", "rng_state.pth"}
    assert facts(report)["Parameters"] == str(model.num_parameters())


def test_models_of_scikit_learn(tmp_path: Path) -> None:
    """Estimators saved with joblib, compressed or not, and with pickle are proven."""
    ensemble = pytest.importorskip("sklearn.ensemble")
    linear = pytest.importorskip("sklearn.linear_model")
    compose = pytest.importorskip("sklearn.pipeline")
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    features = np.random.default_rng(0).random((40, 3))
    labels = (features[:, 0] > 0.5).astype(int)
    pipeline = compose.make_pipeline(preprocessing.StandardScaler(), linear.LogisticRegression()).fit(features, labels)
    joblib.dump(pipeline, tmp_path / "plain.joblib")
    joblib.dump(ensemble.RandomForestClassifier(3).fit(features, labels), tmp_path / "packed.joblib", compress=3)
    (tmp_path / "pipeline.pkl").write_bytes(pickle.dumps(pipeline))
    report = audit(tmp_path, "serialization")
    assert outcomes(report) == {"serialization": "pass"}
    assert proven(report) >= {"plain.joblib", "packed.joblib", "pipeline.pkl"}


def test_modelling_code_of_a_library(tmp_path: Path) -> None:
    """Code that comes with a model is told about, but what the library itself would write is no warning."""
    model = llama()
    model.save_pretrained(tmp_path / "own")
    config = json.loads((tmp_path / "own" / "config.json").read_text())
    config["auto_map"] = {"AutoModelForCausalLM": "modeling_own.LlamaForCausalLM"}
    (tmp_path / "own" / "config.json").write_text(json.dumps(config))
    source = Path(transformers.models.llama.modeling_llama.__file__).read_text()
    (tmp_path / "own" / "modeling_own.py").write_text(source.replace("from ...", "from transformers."))
    report = audit(tmp_path / "own", "code", "serialization")
    assert set(outcomes(report).values()) == {"pass"}
    assert rules(report, Level.WARNING) == set()
    assert rules(report, Level.NOTE)


def _table(folder: Path) -> None:
    rows = [f"{number},sentence number {number}" for number in range(200)]
    (folder / "train.csv").write_text("\n".join(["id,text", *rows]))
    lines = [json.dumps({"id": number, "text": "a sentence"}) for number in range(200)]
    (folder / "test.jsonl").write_text("\n".join(lines))


def _arrays(folder: Path) -> None:
    np.save(folder / "x.npy", np.arange(12.0).reshape(3, 4))
    np.savez_compressed(folder / "all.npz", a=np.arange(3), b=np.ones((2, 2), "f2"))


def _packed(folder: Path) -> None:
    inner = folder / "model"
    published(inner)
    shutil.make_archive(str(folder / "model"), "zip", inner)
    shutil.make_archive(str(folder / "model"), "gztar", inner)
    shutil.rmtree(inner)


@pytest.mark.parametrize("write", [_table, _arrays, _packed], ids=["tables", "arrays", "archives"])
def test_data_and_archives(tmp_path: Path, write: Callable[[Path], None]) -> None:
    """Tables, arrays and archives of a benign model give no finding above a note."""
    write(tmp_path)
    report = audit(tmp_path, "serialization", "code", "secrets", "templates", "facts")
    assert set(outcomes(report).values()) == {"pass"}
    assert rules(report, Level.ERROR) | rules(report, Level.WARNING) == set()
