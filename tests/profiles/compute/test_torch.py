"""Our count beside that of torch's own counter; skipped where torch is not installed."""

from __future__ import annotations

import importlib
import importlib.util

import pytest

from hallmarked.profiles.compute.architecture import Architecture, Stack, read_architecture
from hallmarked.profiles.compute.formula import Kernel, Schedule, estimate_training

needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="torch, whose counter counts, is not here"
)
needs_transformers = pytest.mark.skipif(
    importlib.util.find_spec("transformers") is None, reason="transformers, which builds the models, is not here"
)


@needs_torch
@pytest.mark.slow
@pytest.mark.parametrize("width", [256, 512])
def test_encoder_of_torch_itself(width: int) -> None:
    """A stack built from torch.nn, with a map to words, is counted exactly as torch counts it."""
    torch = importlib.import_module("torch")
    attention = importlib.import_module("torch.nn.attention")
    counting = importlib.import_module("torch.utils.flop_counter")
    layer = torch.nn.TransformerEncoderLayer(width, 4, 4 * width, batch_first=True)
    model = torch.nn.Sequential(
        torch.nn.Embedding(5000, width), torch.nn.TransformerEncoder(layer, 3), torch.nn.Linear(width, 5000)
    )
    with attention.sdpa_kernel(attention.SDPBackend.MATH), counting.FlopCounterMode(display=False) as counter:
        model(torch.zeros((2, 64), dtype=torch.long)).sum().backward()
    ours = estimate_training(
        Architecture(5000, encoder=Stack(3, width, 4, 4 * width)), Schedule(128, 64, kernel=Kernel.PLAIN)
    )
    assert ours.operations == counter.get_total_flops()


@needs_torch
@needs_transformers
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_configurations_of_the_benchmark() -> None:
    """Of the benchmark's small dense configurations every one is within 5 %, and in the interval, told or not."""
    compute = importlib.import_module("bench.compute")
    small = [case for case in compute.cases() if next(iter(case.settings.values())) <= 512 and case.sequence <= 1024]
    rows = [compute.measure(case) for case in small]
    assert {row.case.model for row in rows} == {"Bert", "GPT2", "Llama", "T5"}
    for row in rows:
        assert abs(row.known / row.counted - 1) <= 0.05, row
        assert abs(row.unknown / row.counted - 1) <= 0.05, row
        assert row.inside, row
        assert row.inside_unknown, row


def test_configuration_of_a_mixture_counts_two_of_eight_experts() -> None:
    """A published mixture of experts comes to the parameters that its makers state, all and in use."""
    mixtral = {
        "model_type": "mixtral",
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "num_local_experts": 8,
        "num_experts_per_tok": 2,
        "vocab_size": 32000,
    }
    model = read_architecture(mixtral)
    assert model.parameters == pytest.approx(46.7e9, rel=0.005)
    made = estimate_training(model, Schedule(10**6, 1, kernel=Kernel.PLAIN))
    assert made.operations / 6e6 == pytest.approx(12.9e9 - 32000 * 4096, rel=0.01)
