"""Count one forward and backward pass of a model of ``transformers`` with torch's counter, for ``bench.compute``."""

from __future__ import annotations

import functools
from contextlib import nullcontext
from typing import Any

import torch
import transformers
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.checkpoint import checkpoint
from torch.utils.flop_counter import FlopCounterMode, sdpa_backward_flop_count, sdpa_flop_count

CLASSES = {"Bert": "ForMaskedLM", "T5": "ForConditionalGeneration", "GPT2": "LMHeadModel"}


def count(case: Any) -> tuple[int, dict[str, Any]]:
    """Return what is counted for one sequence, and the model's ``config.json``."""
    configuration = getattr(transformers, f"{case.model}Config")(**case.settings)
    configuration._attn_implementation = "sdpa" if case.fused else "eager"
    model, mode = _build(case, configuration)
    counter = FlopCounterMode(display=False, custom_mapping=_fused_operators())
    kernel = sdpa_kernel([SDPBackend.FLASH_ATTENTION]) if case.fused else nullcontext()
    with mode:
        given = _inputs(case)
        with counter, kernel:
            model(**given).loss.backward()
    return int(counter.get_total_flops()), configuration.to_diff_dict()


def _build(case: Any, configuration: Any) -> tuple[Any, Any]:
    """Build the model without numbers: on the meta device, or, where kernels are chosen, on a pretended processor."""
    with torch.device("meta"):
        model = getattr(transformers, case.model + CLASSES.get(case.model, "ForCausalLM"))(configuration)
    mode: Any = FakeTensorMode(allow_non_fake_inputs=True) if case.fused else nullcontext()
    if case.fused:
        with mode:
            model = model.to_empty(device="cpu")
    model.train()
    if case.again:
        for layer in model.model.layers:
            layer.forward = functools.partial(checkpoint, layer.forward, use_reentrant=False)
    return model, mode


def _inputs(case: Any) -> dict[str, Any]:
    device = "cpu" if case.fused else "meta"
    words = torch.zeros((1, case.sequence), dtype=torch.long, device=device)
    if case.model == "T5":
        answer = torch.zeros((1, case.target), dtype=torch.long, device=device)
        return {"input_ids": words, "labels": answer, "decoder_input_ids": answer, "use_cache": False}
    # A mask that is ready for use: libraries look at the values of others, and here there are none.
    mask = torch.zeros((1, 1, case.sequence, case.sequence), device=device)
    given: dict[str, Any] = {"input_ids": words, "labels": words, "attention_mask": mask}
    return given if case.model == "Bert" else {**given, "use_cache": False}


def _fused_operators() -> dict[Any, Any]:
    """Teach the counter the fused attention of processors, with its own formula for others."""

    def forward(query: Any, key: Any, value: Any, *_: Any, **__: Any) -> int:
        return int(sdpa_flop_count(query, key, value))

    def backward(grad: Any, query: Any, key: Any, value: Any, *_: Any, **__: Any) -> int:
        return int(sdpa_backward_flop_count(grad, query, key, value))

    return {
        torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: forward,
        torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward: backward,
    }
