"""What torch can load without running code converts to the bytes that torch and safetensors would write."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hallmarked.artifacts.source import open_artifact
from hallmarked.checks.serialization.check import SerializationCheck
from hallmarked.core.errors import BackendError, FormatError, InputError
from hallmarked.core.evidence import Finding, Gap, Level
from hallmarked.transforms.conversion import Conversion, convert
from hallmarked.transforms.torchfile import Source
from tests.support import MemoryArtifact

torch = pytest.importorskip("torch")
safetensors_torch = pytest.importorskip("safetensors.torch")

LAYOUTS = {"zip": True, "legacy": False}


def proven(path: str) -> list[str]:
    """Vouch for everything."""
    return []


def save(value: Any, *, layout: str = "zip", **options: Any) -> bytes:
    """What torch writes."""
    stream = io.BytesIO()
    torch.save(value, stream, _use_new_zipfile_serialization=LAYOUTS[layout], **options)
    return stream.getvalue()


def run(tmp_path: Path, files: Mapping[str, bytes], **options: Any) -> tuple[Conversion, Path]:
    """Convert files that lie in a folder."""
    for name, data in files.items():
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(data)
    return convert(open_artifact(tmp_path / "in"), tmp_path / "out", vouch=proven, **options), tmp_path / "out"


def reference(tensors: Mapping[str, Any], tied: Mapping[str, str]) -> bytes:
    """What the reference writer makes of tensors that torch has loaded."""
    kept = {
        name: value.detach().clone(memory_format=torch.contiguous_format)
        for name, value in tensors.items()
        if name not in tied
    }
    written: bytes = safetensors_torch.save(kept, {"format": "pt"} | dict(tied))
    return written


def contents(data: bytes) -> tuple[Any, bytes]:
    """Header and tensors; the reference writes metadata in no fixed order."""
    end = 8 + int.from_bytes(data[:8], "little")
    return json.loads(data[8:end]), data[end:]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_results_are_the_reference_writers(tmp_path: Path, layout: str, protocol: int) -> None:
    """Both layouts, every protocol and type give the very file that torch and safetensors would write."""
    names = [
        "float32",
        "float64",
        "float16",
        "bfloat16",
        "complex64",
        "bool",
        "uint8",
        "int8",
        "int16",
        "int32",
        "int64",
    ]
    if layout == "zip":  # torch cannot read these back from its old layout
        names += ["uint16", "uint32", "uint64", "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz"]
    tensors = {name: torch.arange(12).reshape(3, 4).to(getattr(torch, name)) for name in names}
    tensors |= {"scalar": torch.tensor(1.5), "empty": torch.empty(0, 3), 'näme\n"x"': torch.ones(2)}
    conversion, out = run(tmp_path, {"model.pt": save(tensors, layout=layout, pickle_protocol=protocol)})
    assert (out / "model.safetensors").read_bytes() == reference(tensors, {})
    assert all(record.equal for record in conversion.tensors)
    assert {r.name: r.shape for r in conversion.tensors} == {n: tuple(t.shape) for n, t in tensors.items()}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_views_are_gathered(tmp_path: Path, layout: str) -> None:
    """Slices, strides, transposed and expanded views each get their own elements, in order."""
    base = torch.arange(120, dtype=torch.float32)
    grid = base[:60].reshape(3, 4, 5)
    tensors = {
        "slice": base[10:20], "strided": base[::3], "transposed": grid.permute(2, 0, 1), "column": grid[:, :, 1],
        "expanded": base[5].expand(3, 2), "channels": torch.randn(2, 3, 4, 4).to(memory_format=torch.channels_last),
    }  # fmt: skip
    conversion, out = run(tmp_path, {"model.pt": save(tensors, layout=layout)})
    assert (out / "model.safetensors").read_bytes() == reference(tensors, {})
    assert not conversion.tied


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1, 4), max_size=3), st.lists(st.integers(0, 9), min_size=3, max_size=3), st.integers(0, 9))
def test_any_view_survives(tmp_path: Path, shape: list[int], strides: list[int], offset: int) -> None:
    """Random shapes, strides and offsets give what torch sees."""
    view = torch.arange(100, dtype=torch.int16).as_strided(shape, strides[: len(shape)], offset)
    data = save({"view": view})
    place = tmp_path / hashlib.sha256(data).hexdigest()
    if not place.exists():
        convert(MemoryArtifact({"a.pt": data}), place, vouch=proven)
    assert torch.equal(safetensors_torch.load_file(place / "a.safetensors")["view"], view)


def test_tied_weights_are_kept_once_under_their_first_name(tmp_path: Path) -> None:
    """Names for the very same elements are recorded, others keep their own copy."""
    weight = torch.randn(4, 4)
    tensors = {"embed": weight, "head": weight, "part": weight[:2], "turned": weight.T, "copy": weight.clone()}
    conversion, out = run(tmp_path, {"model.pt": save(tensors)})
    assert conversion.tied == {"model.pt": {"head": "embed"}}
    assert contents((out / "model.safetensors").read_bytes()) == contents(reference(tensors, {"head": "embed"}))


def test_safetensors_fills_tied_weights_in(tmp_path: Path) -> None:
    """The reference loader completes a model from the names that were kept."""
    model = torch.nn.ModuleDict({"embed": torch.nn.Embedding(5, 3), "head": torch.nn.Linear(3, 5, bias=False)})
    model["head"].weight = model["embed"].weight
    _, out = run(tmp_path, {"pytorch_model.bin": save(model.state_dict())})
    other = torch.nn.ModuleDict({"embed": torch.nn.Embedding(5, 3), "head": torch.nn.Linear(3, 5, bias=False)})
    other["head"].weight = other["embed"].weight
    assert safetensors_torch.load_model(other, out / "model.safetensors") == (set(), [])
    assert torch.equal(other["head"].weight, model["head"].weight)


FAMILIES: dict[str, tuple[str, dict[str, int]]] = {
    "bert": (
        "BertForMaskedLM",
        {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32},
    ),
    "gpt2": ("GPT2LMHeadModel", {"n_embd": 16, "n_layer": 2, "n_head": 2, "bos_token_id": 1, "eos_token_id": 1}),
}


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("parts", [1, 2])
@pytest.mark.filterwarnings("ignore")
def test_transformers_loads_the_result(tmp_path: Path, family: str, parts: int) -> None:
    """A model whose head is tied loads from the result alone, whole or in parts, with the same output."""
    transformers = pytest.importorskip("transformers")
    kind, options = getattr(transformers, FAMILIES[family][0]), FAMILIES[family][1]
    config = kind.config_class(vocab_size=60, **options)
    model = kind(config).eval()
    folder = tmp_path / "in"
    folder.mkdir()
    state = list(model.state_dict().items())
    if parts == 1:
        torch.save(dict(state), folder / "pytorch_model.bin")
    else:
        save_parts(folder, [state[: len(state) // 2], state[len(state) // 2 :]])
    convert(open_artifact(folder), tmp_path / "out", vouch=proven)
    config.save_pretrained(tmp_path / "out")
    loaded = kind.from_pretrained(tmp_path / "out").eval()
    tokens = torch.arange(10).reshape(1, 10)
    assert torch.equal(loaded(tokens).logits, model(tokens).logits)
    for key, value in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[key], value), key


def save_parts(folder: Path, parts: list[list[tuple[str, Any]]]) -> None:
    """Save tensors in several files with an index, as large models are."""
    folder.mkdir(exist_ok=True)
    weight_map: dict[str, str] = {}
    for number, part in enumerate(parts, 1):
        name = f"pytorch_model-{number:05}-of-{len(parts):05}.bin"
        torch.save({key: value.clone() for key, value in part}, folder / name)
        weight_map |= {key: name for key, _ in part}
    index = {"metadata": {"total_size": 1}, "weight_map": weight_map}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index))


def test_shards_are_converted_together(tmp_path: Path) -> None:
    """Parts keep their numbers; the index names the new files and the true size."""
    (tmp_path / "in").mkdir()
    save_parts(tmp_path / "in/m", [[("a", torch.ones(2))], [("b", torch.ones(3))]])
    conversion, out = run(tmp_path, {})
    assert sorted(file.name for file in conversion.files) == sorted(
        ["m/model-00001-of-00002.safetensors", "m/model-00002-of-00002.safetensors", "m/model.safetensors.index.json"]
    )
    assert json.loads((out / "m/model.safetensors.index.json").read_text()) == {
        "metadata": {"total_size": 20},
        "weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"},
    }
    named = {d["name"] for d in conversion.statement.predicate["buildDefinition"]["resolvedDependencies"]}
    assert named == {str(path.relative_to(tmp_path / "in")) for path in (tmp_path / "in/m").iterdir()}


def test_a_bad_shard_stops_all_shards(tmp_path: Path) -> None:
    """No part is written when another one is refused."""
    index = {"weight_map": {"a": "1.bin", "b": "2.bin"}}
    files = {"1.bin": save({"a": torch.ones(2)}), "2.bin": b"nothing", "x.bin.index.json": json.dumps(index).encode()}
    with pytest.raises(InputError, match=r"2\.bin"):
        run(tmp_path, files)
    assert os.listdir(tmp_path / "out") == []


def test_other_files_are_left_alone_and_refusals_are_listed(tmp_path: Path) -> None:
    """In a folder whatever can be converted is; files that only look like weights are named with the reason."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(2))], lr=0.1, momentum=0.9)
    files = {
        "model.bin": save({"a": torch.ones(2)}),
        "optimizer.pt": save([optimizer.state_dict()]),
        "config.json": b"{}",
    }
    conversion, out = run(tmp_path, files)
    assert os.listdir(out) == ["model.safetensors"]
    assert list(conversion.refused) == ["optimizer.pt"]
    with pytest.raises(FormatError, match=r"optimizer\.pt"):
        convert(open_artifact(tmp_path / "in"), tmp_path / "again", vouch=proven, paths=["optimizer.pt"])


def test_unproven_pickles_are_refused_with_their_reason(tmp_path: Path) -> None:
    """The proof decides what is opened at all."""
    artifact = MemoryArtifact({"a.pt": save({"a": torch.ones(2)})})
    with pytest.raises(FormatError, match=r"a\.pt: its pickle is not proven: it calls os\.system"):
        convert(artifact, tmp_path, vouch=lambda path: ["it calls os.system"], paths=["a.pt"])
    assert os.listdir(tmp_path) == []


def test_the_serialization_check_can_vouch(tmp_path: Path) -> None:
    """What the check proves is converted; what it does not prove is refused even beside harmless weights."""

    class Hostile:
        def __reduce__(self) -> tuple[Any, tuple[str]]:
            return os.mkdir, (str(tmp_path / "ran"),)

    good, bad = save({"a": torch.ones(2)}), save({"state_dict": {"a": torch.ones(2)}, "extra": Hostile()})
    artifact = MemoryArtifact({"good.pt": good, "bad.pt": bad})

    def vouch(path: str) -> list[str]:
        items = SerializationCheck().run(MemoryArtifact({path: artifact.open(path).read()}))
        return [
            item.reason if isinstance(item, Gap) else item.message
            for item in items
            if isinstance(item, Gap) or (isinstance(item, Finding) and item.level is Level.ERROR)
        ]

    conversion = convert(artifact, tmp_path / "out", vouch=vouch)
    assert [file.name for file in conversion.files] == ["good.safetensors"]
    assert "not proven" in conversion.refused["bad.pt"]
    assert not (tmp_path / "ran").exists()


def test_the_statement_binds_results_to_inputs(tmp_path: Path) -> None:
    """Subjects are the results, dependencies the inputs, and the report lists each tensor and what was left out."""
    data = save({"state_dict": {"a": torch.ones(2)}, "epoch": 3})
    conversion, out = run(tmp_path, {"m.ckpt": data})
    statement = conversion.statement.to_dict()
    written = (out / "m.safetensors").read_bytes()
    assert statement["subject"] == [
        {"name": "m.safetensors", "digest": {"sha256": hashlib.sha256(written).hexdigest()}}
    ]
    build = statement["predicate"]["buildDefinition"]
    assert build["resolvedDependencies"] == [{"name": "m.ckpt", "digest": {"sha256": hashlib.sha256(data).hexdigest()}}]
    report = statement["predicate"]["runDetails"]["byproducts"][0]["annotations"]
    digest = hashlib.sha256(torch.ones(2).numpy().tobytes()).hexdigest()
    (row,) = report["tensors"]
    assert (row["file"], row["name"], row["dtype"], row["shape"]) == ("m.safetensors", "a", "F32", [2])
    assert (row["sourceSha256"], row["sha256"], row["equal"]) == (digest, digest, True)
    assert [entry["name"] for entry in report["dropped"]["m.ckpt"]] == ["epoch"]
    assert json.loads(json.dumps(statement)) == statement


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """A file, or two inputs for one result, stop the conversion before anything is written."""
    data = save({"a": torch.ones(2)})
    run(tmp_path, {"m.pt": data})
    before = (tmp_path / "out/m.safetensors").read_bytes()
    with pytest.raises(InputError, match="already"):
        run(tmp_path, {"m.pt": save({"b": torch.ones(2)})})
    assert (tmp_path / "out/m.safetensors").read_bytes() == before
    with pytest.raises(InputError, match="two files"):
        convert(MemoryArtifact({"m.pt": data, "m.bin": data}), tmp_path / "two", vouch=proven)
    assert os.listdir(tmp_path / "two") == []


def test_a_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the disk refuses, there is one sentence and no file, not even under another name."""

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(BackendError, match="No space left"):
        run(tmp_path, {"m.pt": save({"a": torch.ones(2)})})
    assert os.listdir(tmp_path / "out") == []


def test_a_source_that_changes_meanwhile_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes that were not there when the proof was made never get into a result."""
    original = Source.confirm_unchanged

    def touch(self: Source) -> None:
        with (tmp_path / "in/m.pt").open("ab") as file:
            file.write(b"x")
        original(self)

    monkeypatch.setattr(Source, "confirm_unchanged", touch)
    with pytest.raises(FormatError, match="changed while"):
        run(tmp_path, {"m.pt": save({"a": torch.ones(2)})}, paths=["m.pt"])
    assert os.listdir(tmp_path / "out") == []


def rewritten(data: bytes, edit: Any, method: int = zipfile.ZIP_STORED) -> bytes:
    """A torch archive with its members changed by ``edit(name, content)``; None leaves a member out."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w", method) as new:
        for name in old.namelist():
            content = edit(name, old.read(name))
            if content is not None:
                new.writestr(name, content)
    return stream.getvalue()


def test_compressed_archives_are_converted(tmp_path: Path) -> None:
    """Weights that somebody packed again with compression come out the same."""
    tensors = {"a": torch.arange(1000.0), "b": torch.ones(5)}
    data = rewritten(save(tensors), lambda name, content: content, zipfile.ZIP_DEFLATED)
    _, out = run(tmp_path, {"m.pt": data})
    assert (out / "m.safetensors").read_bytes() == reference(tensors, {})


BROKEN = {
    "missing storage": lambda name, content: None if name.endswith("data/0") else content,
    "short storage": lambda name, content: content[:-1] if name.endswith("data/0") else content,
    "big-endian": lambda name, content: b"big" if name.endswith("byteorder") else content,
    "second pickle": lambda name, content: content * 2 if name.endswith("data.pkl") else content,
    "program": lambda name, content: content,
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("case", BROKEN)
def test_broken_archives_are_refused(tmp_path: Path, case: str) -> None:
    """Archives that do not hold what their pickle says are refused."""
    data = rewritten(save({"a": torch.ones(3)}), BROKEN[case])
    if case == "program":
        stream = io.BytesIO()
        torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), stream)
        data = stream.getvalue()
    with pytest.raises(FormatError):
        run(tmp_path, {"m.pt": data}, paths=["m.pt"])
    assert os.listdir(tmp_path / "out") == []


def test_an_expanded_view_cannot_fill_the_disk(tmp_path: Path) -> None:
    """A tensor of one stored element and a huge shape is refused before it is written."""
    with pytest.raises(FormatError, match="expands"):
        run(tmp_path, {"m.pt": save({"a": torch.ones(1).expand(1 << 40)})}, paths=["m.pt"])


def test_nothing_to_convert_is_an_error(tmp_path: Path) -> None:
    """A folder without weights, or a path that is not there, is the caller's mistake."""
    with pytest.raises(InputError, match="nothing"):
        run(tmp_path, {"README.md": b"#"})
    with pytest.raises(InputError, match="no file x"):
        run(tmp_path, {}, paths=["x"])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damaged_files_end_in_one_sentence(tmp_path: Path, data: st.DataObject) -> None:
    """Any damage to a file gives a result, or an error of ours and no file."""
    good = SAMPLES[data.draw(st.sampled_from(sorted(SAMPLES)))]
    bad = bytearray(good)
    for _ in range(data.draw(st.integers(1, 4))):
        bad[data.draw(st.integers(0, len(bad) - 1))] = data.draw(st.integers(0, 255))
    bad = bad[: data.draw(st.one_of(st.just(len(bad)), st.integers(0, len(bad))))]
    place = tmp_path / hashlib.sha256(bad).hexdigest()
    try:
        convert(MemoryArtifact({"m.pt": bytes(bad)}), place, vouch=proven, paths=["m.pt"])
    except (FormatError, InputError):
        assert not place.exists() or os.listdir(place) in ([], ["m.safetensors"])


SAMPLES = {layout: save({"a": torch.ones(3), "b": torch.ones(2, 2).T, "n": 1}, layout=layout) for layout in LAYOUTS} | {
    "nothing": b"\x00" * 64
}


def test_evaluation_runs_nothing(tmp_path: Path) -> None:
    """A pickle that calls something else is refused, and nothing was called."""
    marker = tmp_path / "ran"

    class Hostile:
        def __reduce__(self) -> tuple[Any, tuple[str]]:
            return os.mkdir, (str(marker),)

    for layout in LAYOUTS:
        with pytest.raises(FormatError, match="mkdir"):
            run(
                tmp_path,
                {f"{layout}.pt": save({"a": torch.ones(2), "b": Hostile()}, layout=layout)},
                paths=[f"{layout}.pt"],
            )
    assert not marker.exists()
