"""Operations of training from the architecture."""

from __future__ import annotations

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallmarked.core.errors import InputError
from hallmarked.profiles.compute.architecture import Architecture, Stack, read_architecture
from hallmarked.profiles.compute.formula import (
    Kernel,
    Recomputation,
    Schedule,
    estimate_training,
    rule_of_thumb,
)

SMALL = Architecture(1000, decoder=Stack(2, 256, 4, 1024, causal=True), tied=True)

stacks = st.builds(
    lambda heads, per, layers, ff, share, gated, causal: Stack(
        layers, heads * per, heads, ff, kv_heads=heads // share if heads % share == 0 else 0, gated=gated, causal=causal
    ),
    st.integers(1, 64),
    st.sampled_from([32, 64, 128]),
    st.integers(1, 80),
    st.integers(1, 50_000),
    st.sampled_from([1, 2, 4]),
    st.booleans(),
    st.booleans(),
)


def test_small_decoder_is_counted_as_by_hand() -> None:
    """Each product of matrices is counted once forward and twice backward, and the input table costs nothing."""
    per_token = 2 * 2 * (4 * 256 * 256 + 2 * 256 * 1024)  # layers x 2 operations x matrices
    attention = 2 * 2 * 2 * 128 * 256  # layers x (scores, values) x 2 operations x tokens x width
    head = 2 * 256 * 1000
    made = estimate_training(SMALL, Schedule(128, 128, kernel=Kernel.PLAIN))
    assert made.operations == 3 * 128 * (per_token + attention + head)
    assert dict(made.parts) == {
        "layers": 3 * 128 * per_token,
        "attention": 3 * 128 * attention,
        "words": 3 * 128 * head,
    }


def test_parameters_of_a_known_model() -> None:
    """The parameters of GPT-2's published configuration come out within one in a thousand."""
    config = {
        "model_type": "gpt2",
        "n_layer": 12,
        "n_embd": 768,
        "n_head": 12,
        "n_positions": 1024,
        "vocab_size": 50257,
    }
    assert read_architecture(config).parameters == pytest.approx(124_439_808, rel=1e-3)


def test_grouped_queries_cost_less_than_a_head_each() -> None:
    """Sharing keys and values among heads shrinks their projections and nothing else."""
    stack = Stack(1, 512, 8, 2048)
    grouped = dataclasses.replace(stack, kv_heads=2)
    saved = stack.attention - grouped.attention
    assert saved == 2 * 512 * (512 - 128)
    one, other = (
        estimate_training(Architecture(0, decoder=each), Schedule(64, 64, kernel=Kernel.PLAIN)).operations
        for each in (stack, grouped)
    )
    assert one - other == 3 * 2 * 64 * saved


def test_only_experts_that_work_are_counted() -> None:
    """A mixture of experts has the operations of the experts a token goes to, and the parameters of all."""
    mixture = Stack(1, 256, 4, 512, gated=True, experts=8, experts_used=2, shared_ff=512)
    assert mixture.feed_forward == 256 * (3 * 512 * 2 + 3 * 512 + 8)
    assert mixture.feed_forward_total == 256 * (3 * 512 * 8 + 3 * 512 + 8)


def test_tied_embeddings_change_parameters_and_no_operations() -> None:
    """Tying tables saves memory, not work, which the rule of thumb gets wrong."""
    untied = dataclasses.replace(SMALL, tied=False)
    schedule = Schedule(1000, 100)
    assert estimate_training(SMALL, schedule).operations == estimate_training(untied, schedule).operations
    assert rule_of_thumb(untied, 1000) - rule_of_thumb(SMALL, 1000) == 6 * 1000 * 256 * 1000


def test_computing_again_costs_a_third_more_of_the_layers() -> None:
    """Full recomputation lies between leaving out and doing the last matrix of each layer once more."""
    plain, again = (
        estimate_training(SMALL, Schedule(128, 128, kernel=Kernel.PLAIN, recomputation=how))
        for how in (Recomputation.NONE, Recomputation.FULL)
    )
    whole = (dict(plain.parts)["layers"] + dict(plain.parts)["attention"]) // 3
    last = 128 * 2 * 2 * 1024 * 256
    assert again.interval[0] == plain.operations + whole - last
    assert again.operations == plain.operations + whole - last // 2


def test_least_is_what_a_causal_mask_leaves() -> None:
    """Fused attention may pass over what a mask hides; attention that is not fused may not."""
    fused = estimate_training(SMALL, Schedule(128, 128, kernel=Kernel.FUSED))
    attention = dict(fused.parts)["attention"]
    assert fused.operations - fused.interval[0] == attention * 127 // 256
    assert estimate_training(SMALL, Schedule(128, 128, kernel=Kernel.PLAIN)).interval[0] == sum(
        value for _, value in estimate_training(SMALL, Schedule(128, 128, kernel=Kernel.PLAIN)).parts
    )


def test_window_bounds_what_a_token_attends_to() -> None:
    """With a window the least grows with the length of the sequence and not with its square."""
    windowed = Architecture(0, decoder=Stack(1, 256, 4, 256, causal=True, window=64))
    short, long_ = (
        estimate_training(windowed, Schedule(length, length, kernel=Kernel.FUSED)).interval[0]
        for length in (1024, 4096)
    )
    assert long_ < 4.1 * short


@given(stacks, st.integers(0, 200_000), st.integers(1, 10**6), st.sampled_from(Kernel), st.sampled_from(Recomputation))
def test_estimate_lies_in_its_interval(
    stack: Stack, words: int, length: int, kernel: Kernel, again: Recomputation
) -> None:
    """Whatever is not known, the estimate lies in the interval, and knowing more never leaves the wider one."""
    model = Architecture(words, decoder=stack)
    open_ = estimate_training(model, Schedule(10**12, length))
    made = estimate_training(model, Schedule(10**12, length, kernel=kernel, recomputation=again))
    assert made.interval[0] <= made.operations <= made.interval[1]
    assert open_.interval[0] <= open_.operations <= open_.interval[1]
    widest = estimate_training(model, Schedule(10**12, length, recomputation=Recomputation.UNKNOWN))
    assert widest.interval[0] <= made.interval[0]


@given(stacks, st.integers(1, 10**5), st.integers(1, 10**5))
def test_operations_grow_with_tokens_and_not_with_how_they_are_split(stack: Stack, length: int, more: int) -> None:
    """Twice the tokens are twice the operations, and longer sequences never cost less."""
    model = Architecture(1000, encoder=stack)
    one = estimate_training(model, Schedule(10**9, length))
    assert estimate_training(model, Schedule(2 * 10**9, length)).operations == pytest.approx(
        2 * one.operations, rel=1e-9
    )
    assert estimate_training(model, Schedule(10**9, length + more)).operations >= one.operations


@pytest.mark.parametrize(
    ("document", "named"),
    [
        ([], "object"),
        ({}, "family"),
        ({"model_type": "resnet"}, "family"),
        ({"model_type": ["llama"]}, "family"),
        ({"model_type": "llama", "hidden_size": 64, "num_attention_heads": 2, "vocab_size": 9}, "intermediate_size"),
        ({"model_type": "gpt2", "n_embd": 10**30, "n_head": 1, "n_layer": 1, "vocab_size": 9}, "n_embd"),
        ({"model_type": "gpt2", "n_embd": 768, "n_head": 7, "n_layer": 1, "vocab_size": 5}, "head"),
        ({"model_type": "gpt2", "n_embd": -768, "n_head": 12, "n_layer": 1, "vocab_size": 9}, "n_embd"),
        ({"model_type": "gpt2", "n_embd": True, "n_head": 12, "n_layer": 1, "vocab_size": 9}, "width"),
    ],
)
def test_configurations_that_say_too_little_are_refused(document: object, named: str) -> None:
    """What is missing or absurd is named in one sentence."""
    with pytest.raises(InputError) as caught:
        read_architecture(document)
    assert named in str(caught.value)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda c: st.lists(c) | st.dictionaries(st.text(), c)
    )
)
def test_any_document_is_read_or_refused(document: object) -> None:
    """Whatever stands in a configuration, there is an architecture or a sentence."""
    given_ = {"model_type": "llama", **document} if isinstance(document, dict) else document
    try:
        read_architecture(json.loads(json.dumps(given_)))
    except InputError:
        return
