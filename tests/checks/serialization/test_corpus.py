"""Labelled files and files of real libraries through the whole check, bare and inside of others."""

from __future__ import annotations

import gzip
import importlib
import io
import json
import pickle
import pkgutil
import random
from pathlib import Path

import numpy as np
import pytest

import hallmarked.checks.serialization as package
from hallmarked.checks.serialization.check import SerializationCheck
from hallmarked.core.evidence import Outcome, Rule
from tests.checks.serialization.routing import (
    PLAIN,
    check,
    errors,
    formats,
    numbers,
    rules,
    torch_zip,
    verdicts,
    zipped,
)
from tests.support import DATA, needs_data

CORPUS = DATA / "model-files"
LABELS = CORPUS / "labels.json"
ENTRIES = json.loads(LABELS.read_text("utf-8"))["files"] if LABELS.exists() else []


def test_every_rule_is_listed() -> None:
    """Every rule that an examiner defines is one that the check says it may cite, under an id of its own."""
    listed = {rule.id: rule for rule in SerializationCheck.rules}
    for module in pkgutil.iter_modules(package.__path__):
        namespace = vars(importlib.import_module(f"{package.__name__}.{module.name}"))
        for name, value in namespace.items():
            if isinstance(value, Rule):
                assert listed.get(value.id) is value, (module.name, name)
    assert len(listed) == len(SerializationCheck.rules)


@needs_data
@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["path"])
def test_development_corpus(entry: dict[str, str]) -> None:
    """Each file of the corpus gets what its label asks for, under its own name and under another one."""
    data = (CORPUS / entry["path"]).read_bytes()
    result = check({Path(entry["path"]).name: data})
    other = check({"renamed": data})
    assert (result.outcome, rules(result), errors(result)) == (other.outcome, rules(other), errors(other))
    match entry["label"]:
        case "malicious":
            assert result.outcome is Outcome.FAIL
        case "junk":
            assert result.outcome is Outcome.UNKNOWN
        case "benign":
            assert not errors(result)
        case "suspicious-content":
            assert result.findings
            assert not errors(result)


@needs_data
@pytest.mark.parametrize("entry", [e for e in ENTRIES if e["label"] == "malicious"], ids=lambda entry: entry["path"])
def test_malicious_files_stay_so_inside_of_others(entry: dict[str, str]) -> None:
    """Packing and compressing a malicious file hides nothing."""
    data = (CORPUS / entry["path"]).read_bytes()
    assert check({"a.bin": zipped({"folder/b.txt": gzip.compress(data)})}).outcome is Outcome.FAIL
    assert check({"a.bin": torch_zip(data_0=bytes(64)), "b": zipped({"x/data/0": data})}).outcome is Outcome.FAIL


def test_nothing_to_look_at_is_said() -> None:
    """A folder of files that nobody here knows has an unknown outcome, unless something else could be examined."""
    noise = random.Random(1).randbytes(1000).replace(b"\x80", b"\xf7")
    result = check({"weights.bin": b"\xf7" + noise})
    assert result.outcome is Outcome.UNKNOWN
    assert (rules(result), verdicts(result)) == ({"SER003"}, {"weights.bin": "not-examined"})
    beside = check({"weights.bin": b"\xf7" + noise, "m.pkl": PLAIN})
    assert numbers(beside) == {"files.examined": 1, "files.inert": 0, "files.not-examined": 1}
    assert "SER003" in rules(beside)


def test_real_files_are_proven() -> None:
    """What numpy and pickle write for plain data is proven, and counted as examined."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, a=np.ones((3, 4)), b=np.array([1, 2]))
    array = io.BytesIO()
    np.save(array, np.arange(5))
    result = check({"a.npz": buffer.getvalue(), "b.npy": array.getvalue(), "c.pkl": pickle.dumps({"x": [1, 2.5, "y"]})})
    assert result.outcome is Outcome.PASS
    assert {path: v for path, v in verdicts(result).items() if "!" not in path} == dict.fromkeys(
        ("a.npz", "b.npy", "c.pkl"), "proven"
    )
    assert formats(result)["a.npz!a.npy"] == "npy"
