"""The safetensors examiner and the index of shards."""

import json

import pytest

from hallmarked.checks.serialization.contract import Reference
from hallmarked.checks.serialization.safetensors import RULES, examine_json, examine_safetensors
from hallmarked.core.errors import FormatError
from hallmarked.core.evidence import Finding, Gap, Level
from hallmarked.formats.blob import Blob, Budget
from tests.formats.test_safetensors import info, pack
from tests.support import DATA, needs_data


def examine(data: bytes):
    return list(examine_safetensors(Blob.of_bytes("m.safetensors", data), Budget(len(data))))


def index(document: object):
    data = json.dumps(document).encode()
    return list(examine_json(Blob.of_bytes("model.safetensors.index.json", data), Budget(len(data))))


def test_plain_weights_give_no_finding():
    """A file with ordinary metadata yields neither finding nor gap."""
    seen = examine(pack({"__metadata__": {"format": "pt"}, "a": info()}, bytes(2)))
    assert not [item for item in seen if isinstance(item, Finding | Gap)]


def test_payload_text_is_a_warning():
    """Code in metadata is reported, and never as an error, since nothing runs it."""
    seen = examine(pack({"__metadata__": {"k": "import os; os.system('x')"}, "a": info()}, bytes(2)))
    levels = {item.level for item in seen if isinstance(item, Finding)}
    assert levels == {Level.WARNING}


def test_payloads_in_names_are_seen():
    """Keys of the metadata and names of tensors are looked at too."""
    assert any(isinstance(i, Finding) for i in examine(pack({"__metadata__": {"<script>": "x"}})))
    assert any(isinstance(i, Finding) for i in examine(pack({"<script>": info()}, bytes(2))))


def test_unknown_fields_are_reported():
    """A field readers ignore is worth a warning."""
    assert [i.rule for i in examine(pack({"a": info(hidden="x")}, bytes(2))) if isinstance(i, Finding)] == ["SFT002"]


@needs_data
@pytest.mark.parametrize(
    "path", sorted((DATA / "model-files" / "modelaudit-safetensors").glob("*")), ids=lambda p: p.name
)
def test_development_corpus(path):
    """Files labelled suspicious get a warning, the benign one nothing, none an error."""
    labels = {f["path"]: f["label"] for f in json.loads((DATA / "model-files" / "labels.json").read_text())["files"]}
    findings = [item for item in examine(path.read_bytes()) if isinstance(item, Finding)]
    assert bool(findings) == (labels[f"modelaudit-safetensors/{path.name}"] != "benign")
    assert all(item.level is Level.WARNING for item in findings)


def test_an_index_names_its_shards_once_each():
    """Every shard in a weight map is a reference, whatever the file is called."""
    seen = index({"metadata": {}, "weight_map": {"a": "s1", "b": "../s2", "c": "s1"}})
    assert [item.target for item in seen if isinstance(item, Reference)] == ["../s2", "s1"]


def test_other_documents_refer_to_nothing():
    """JSON without a weight map yields nothing."""
    assert index({"model_type": "bert"}) == []


@pytest.mark.parametrize("shard", [1, None, "", ["s"]])
def test_a_shard_that_is_not_a_name_is_refused(shard):
    """A weight map to something other than file names is broken."""
    with pytest.raises(FormatError):
        index({"weight_map": {"a": shard}})


def test_rule_ids_are_unique():
    """No two rules share an id."""
    assert len({rule.id for rule in RULES}) == len(RULES)
