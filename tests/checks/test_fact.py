"""Facts measured from a model's bytes."""

import io
import json

import pytest

from hallmarked.checks.fact import FactCheck
from hallmarked.core.evidence import Finding, Gap, Measurement
from tests.formats.test_gguf import ARRAY, STRING, U32, write
from tests.formats.test_safetensors import info, pack
from tests.formats.test_tflite import REAL
from tests.support import MemoryArtifact

CONFIG = {
    "architectures": ["BertForSequenceClassification"],
    "model_type": "bert",
    "transformers_version": "5.0",
    "vocab_size": 10,
    "hidden_size": 4,
    "num_hidden_layers": 2,
    "max_position_embeddings": 32,
    "dtype": "float32",
    "tie_word_embeddings": True,
    "id2label": {"0": "a", "1": "b"},
    "auto_map": {"AutoModel": "other/repo--code.Model"},
    "quantization_config": {"quant_method": "gptq"},
}


def weights(**shapes: tuple[int, ...]) -> bytes:
    """A safetensors file of 32-bit numbers, each tensor filled with the length of its name."""
    at, header, data = 0, {}, b""
    for name, shape in shapes.items():
        size = 4
        for n in shape:
            size *= n
        header[name.replace("__", ".")] = {"dtype": "F32", "shape": list(shape), "data_offsets": [at, at + size]}
        data += bytes([len(name)]) * size
        at += size
    return pack(header, data)


def run(contents, base=None):
    return list(FactCheck().run(MemoryArtifact(contents, base=base)))


def whole(items, metric):
    """Value of the measurement that speaks of the whole model."""
    found = [i.value for i in items if isinstance(i, Measurement) and i.metric == metric and not i.slice]
    assert len(found) <= 1
    return found[0] if found else None


def values(items, metric):
    return sorted(i.value for i in items if isinstance(i, Measurement) and i.metric == metric)


def rules(items):
    return sorted(i.rule for i in items if isinstance(i, Finding))


def test_a_plain_model():
    """Parameters in all and by type, tensors, and what the configuration says."""
    items = run({"config.json": json.dumps(CONFIG), "model.safetensors": weights(embeddings=(10, 4), head=(2, 4))})
    assert whole(items, "parameters.total") == "48"
    assert whole(items, "parameters.f32") == "48"
    assert whole(items, "parameters.non_embedding") == "8"
    assert whole(items, "tensors.total") == "2"
    assert values(items, "model.architecture") == ["BertForSequenceClassification"]
    assert values(items, "model.type") == ["bert"]
    assert values(items, "model.library") == ["transformers"]
    assert values(items, "model.code") == ["other/repo--code.Model"]
    assert values(items, "model.quantization") == ["gptq"]
    assert values(items, "model.vocabulary") == ["10"]
    assert values(items, "model.layers") == ["2"]
    assert values(items, "model.context") == ["32"]
    assert values(items, "model.labels") == ["2"]
    assert values(items, "model.tied_embeddings") == ["true"]
    assert rules(items) == []
    assert not [i for i in items if isinstance(i, Gap)]


def index(**shards: str) -> str:
    return json.dumps({"metadata": {}, "weight_map": {name.replace("__", "."): path for name, path in shards.items()}})


def test_shards_are_one_set():
    """The files an index names are added up, once."""
    items = run({"model.safetensors.index.json": index(a="s1", b="s2"), "s1": weights(a=(3,)), "s2": weights(b=(4,))})
    assert whole(items, "parameters.total") == "7"
    assert values(items, "parameters.total") == ["7", "7"]
    assert rules(items) == []


def test_an_index_that_differs_from_its_shards():
    """A missing shard, a missing tensor and one that is not named are three findings."""
    items = run({"m.index.json": index(a="s1", b="s1", c="gone"), "s1": weights(a=(3,), d=(1,))})
    assert rules(items) == ["FCT001", "FCT002", "FCT003"]


def test_pieces_without_an_index_are_one_set():
    """Numbered pieces of one name belong together."""
    items = run({f"m-0000{n}-of-00002.safetensors": weights(**{f"t{n}": (n,)}) for n in (1, 2)})
    assert whole(items, "parameters.total") == "3"


def test_the_same_weights_in_several_formats_count_once():
    """Of several copies in a folder the safetensors one stands for the model; each is measured besides."""
    torch = pytest.importorskip("torch")
    out = io.BytesIO()
    torch.save({"a": torch.ones(3), "tied": torch.ones(2)}, out)
    gguf = write([("general.architecture", STRING, "llama")], [("a", [3], 0, 0, 12)])
    contents = {"model.safetensors": weights(a=(3,)), "pytorch_model.bin": out.getvalue(), "m.gguf": gguf}
    items = run(contents)
    assert whole(items, "parameters.total") == "3"
    assert values(items, "parameters.total") == ["3", "3", "3", "5"]
    del contents["model.safetensors"]
    assert whole(run(contents), "parameters.total") == "5"


def test_the_largest_of_several_files_stands_for_the_model():
    """Variants beside the model do not add to it, nor do copies in other folders."""
    items = run(
        {"a.safetensors": weights(a=(3,)), "b.safetensors": weights(a=(9,)), "onnx/c.safetensors": weights(a=(20,))}
    )
    assert whole(items, "parameters.total") == "9"


def test_parts_of_a_pipeline_are_added():
    """The folders that a pipeline names are its parts; others are not."""
    pipeline = {"_class_name": "StableDiffusionPipeline", "unet": ["diffusers", "U"], "none": [None, None]}
    items = run(
        {
            "model_index.json": json.dumps(pipeline),
            "unet/x.safetensors": weights(a=(3,)),
            "none/x.safetensors": weights(a=(7,)),
            "other/x.safetensors": weights(a=(9,)),
        }
    )
    assert whole(items, "parameters.total") == "3"
    assert values(items, "model.library") == ["diffusers"]
    assert values(items, "model.architecture") == ["StableDiffusionPipeline"]


def test_weights_deeper_down_are_found():
    """Without weights at the root the folder with the largest set counts."""
    assert (
        whole(run({"x/a.safetensors": weights(a=(3,)), "y/b.safetensors": weights(a=(4,))}), "parameters.total") == "4"
    )


def test_sentence_transformers():
    """Modules beside the root are parts, and the library is named before the one below it."""
    modules = [{"path": "", "type": "sentence_transformers.models.Transformer"}, {"path": "2_Dense", "type": "x"}]
    items = run(
        {
            "modules.json": json.dumps(modules),
            "config.json": json.dumps(CONFIG),
            "model.safetensors": weights(a=(3,)),
            "2_Dense/model.safetensors": weights(a=(2,)),
        }
    )
    assert whole(items, "parameters.total") == "5"
    assert values(items, "model.library") == ["sentence-transformers", "transformers"]


def test_buffers_are_no_parameters():
    """A causal mask and running statistics lie beside the parameters and are counted apart."""
    tensors = {"h__attn__bias": (1, 1, 32, 32), "h__weight": (4, 4), "bn__running_mean": (4,)}
    items = run({"model.safetensors": weights(**tensors)})
    assert whole(items, "parameters.total") == "16"
    assert whole(items, "parameters.f32") == "16"
    assert whole(items, "buffers.total") == str(32 * 32 + 4)
    assert whole(items, "tensors.total") == "3"


def test_tied_tensors_count_once():
    """Two names for one storage are one tensor's worth of parameters."""
    torch = pytest.importorskip("torch")
    shared, out = torch.ones(4), io.BytesIO()
    torch.save({"a": shared, "b": shared}, out)
    items = run({"pytorch_model.bin": out.getvalue()})
    assert whole(items, "parameters.total") == "4"
    assert whole(items, "tensors.tied") == "1"
    assert values(items, "model.library") == ["pytorch"]


def test_gguf_names_itself():
    """Family, sizes and tokenizer come from the file's own metadata."""
    pairs = [
        ("general.architecture", STRING, "llama"),
        ("llama.context_length", U32, 128),
        ("tokenizer.ggml.model", STRING, "gpt2"),
        ("tokenizer.ggml.tokens", ARRAY, (STRING, ["a", "b"])),
    ]
    items = run({"any.name": write(pairs, [("w", [64], 2, 0, 36)])})
    assert values(items, "model.library") == ["gguf"]
    assert values(items, "model.type") == values(items, "model.architecture") == ["llama"]
    assert values(items, "model.context") == ["128"]
    assert values(items, "tokenizer.vocabulary") == ["2"]
    assert whole(items, "parameters.q4_0") == "64"


def test_other_runtimes():
    """Models for TensorFlow and TensorFlow Lite say so themselves."""
    assert values(run({"saved_model.pb": (REAL / "linear.pb").read_bytes()}), "model.library") == ["tensorflow"]
    items = run({"m.tflite": (REAL / "linear.tflite").read_bytes()})
    assert values(items, "model.library") == ["tflite"]
    assert int(whole(items, "parameters.total")) >= 12


@pytest.mark.parametrize(
    ("name", "document", "metric", "value"),
    [
        ("adapter_config.json", {"peft_type": "LORA", "base_model_name_or_path": "org/base"}, "model.adapter", "LORA"),
        ("adapter_config.json", {"peft_type": "LORA", "base_model_name_or_path": "org/base"}, "model.base", "org/base"),
        ("adapter_config.json", {"peft_type": "LORA"}, "model.library", "peft"),
        ("config.json", {"pretrained_cfg": {}, "architecture": "resnet18"}, "model.library", "timm"),
        ("config.json", {"pretrained_cfg": {}, "architecture": "resnet18"}, "model.architecture", "resnet18"),
        ("config.json", {"_diffusers_version": "0.3", "_class_name": "UNet2D"}, "model.library", "diffusers"),
        ("config.json", {"sklearn": {}}, "model.library", "scikit-learn"),
        ("config.json", {"text_config": {"hidden_size": 8}}, "model.hidden_size", "8"),
        (
            "tokenizer.json",
            {"model": {"type": "BPE", "vocab": {"a": 0}}, "added_tokens": [{"content": "b"}]},
            "tokenizer.vocabulary",
            "2",
        ),
        (
            "tokenizer.json",
            {"model": {"type": "Unigram", "vocab": [["a", -1.0], ["b", 0]]}},
            "tokenizer.vocabulary",
            "2",
        ),
    ],
)
def test_conventions_of_libraries(name, document, metric, value):
    """Each library's own members tell what a model is."""
    assert values(run({name: json.dumps(document)}), metric) == [value]


@pytest.mark.parametrize(
    "text",
    ["[]", "1", '{"architectures": 3, "model_type": [], "auto_map": "x", "id2label": []}', '{"vocab_size": true}'],
)
def test_odd_configurations_say_nothing(text):
    """Values of other types are passed over."""
    assert not [i for i in run({"config.json": text}) if i.metric.startswith("model.")]


def test_what_cannot_be_read_is_a_gap():
    """Broken configurations and weights are said to be unknown."""
    items = run({"config.json": "{", "model.safetensors": pack({"a": info()}, b"\0")})
    assert len([i for i in items if isinstance(i, Gap)]) == 2
    assert whole(items, "parameters.total") is None


def test_comparison_with_a_base():
    """Bit-identical tensors are counted by name, type, shape and bytes, whatever the prefix a head added."""
    base = MemoryArtifact({"m.safetensors": weights(encoder__a=(3,), encoder__b=(4,), c=(2,))})
    changed = bytearray(weights(bert__encoder__a=(3,), bert__encoder__b=(4,), c=(3,), d=(1,)))
    changed[:] = changed.replace(bytes([len("bert__encoder__a")]) * 12, bytes([len("encoder__a")]) * 12)
    items = run({"m.safetensors": bytes(changed)}, base)
    assert whole(items, "base.tensors.total") == "4"
    assert whole(items, "base.tensors.same_shape") == "2"
    assert whole(items, "base.tensors.identical") == "1"


def test_comparison_across_formats():
    """The same numbers in a pickle and in safetensors are identical; a transposed view is not compared."""
    torch = pytest.importorskip("torch")
    safetensors = pytest.importorskip("safetensors.torch")
    state, out = {"a": torch.rand(5, 4), "b": torch.rand(3)}, io.BytesIO()
    torch.save(state, out)
    base = MemoryArtifact({"pytorch_model.bin": out.getvalue()})
    items = run({"model.safetensors": safetensors.save(state)}, base)
    assert whole(items, "base.tensors.identical") == "2"
    turned = io.BytesIO()
    torch.save({"a": torch.rand(4, 5).T, "b": state["b"]}, turned)
    items = run({"model.safetensors": safetensors.save(state)}, MemoryArtifact({"m.bin": turned.getvalue()}))
    assert whole(items, "base.tensors.identical") == "1"
    assert [i for i in items if isinstance(i, Gap)]


def test_a_base_without_weights_is_a_gap():
    """Nothing is claimed about a base whose tensors cannot be read."""
    items = run({"m.safetensors": weights(a=(1,))}, MemoryArtifact({"README.md": "x"}))
    assert whole(items, "base.tensors.total") is None
    assert [i for i in items if isinstance(i, Gap)]


def test_names_do_not_decide_what_weights_are():
    """A file of weights is one whatever it is called."""
    assert whole(run({"notes.txt": weights(a=(3,))}), "parameters.total") == "3"


def test_it_applies_to_everything_with_files():
    """Only an empty artifact has no facts."""
    assert FactCheck().applies(MemoryArtifact({"a": "b"}))
    assert not FactCheck().applies(MemoryArtifact({}))


@pytest.mark.slow
def test_a_model_of_transformers(tmp_path):
    """What transformers saves, sharded, is counted as transformers counts it."""
    pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    config = transformers.BertConfig(
        vocab_size=100, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64
    )
    model = transformers.BertForSequenceClassification(config)
    model.save_pretrained(tmp_path, max_shard_size="20KB")
    items = run({path.name: path.read_bytes() for path in tmp_path.iterdir()})
    assert whole(items, "parameters.total") == str(sum(p.numel() for p in model.parameters()))
    assert values(items, "model.architecture") == ["BertForSequenceClassification"]
    assert values(items, "model.library") == ["transformers"]
    assert rules(items) == []
