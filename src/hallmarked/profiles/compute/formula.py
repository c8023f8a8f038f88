"""Operations of training a transformer, counted matrix by matrix.

The rule of thumb ``6 N D`` (https://arxiv.org/abs/2001.08361) leaves out the attention between tokens, whose cost grows
with the length of the sequence, counts the table of input embeddings, which costs nothing, and takes every expert to
work on every token. Here each product of an ``m x k`` by a ``k x n`` matrix is ``2 m k n`` operations, and the backward
pass has two products for each of the forward pass (https://arxiv.org/abs/2204.02311, appendix B).

What a computer does with the same model differs: fused attention computes its scores a second time in the backward pass
(https://arxiv.org/abs/2205.14135), may pass over the half that a causal mask hides, and layers may be computed again to
save memory (https://arxiv.org/abs/2205.05198). What is not known of that is in the interval.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from hallmarked.core.errors import InputError
from hallmarked.profiles.compute.architecture import MOST, Architecture, Stack, cross_parameters
from hallmarked.profiles.compute.sentence import say
from hallmarked.profiles.language import Text


class Kernel(StrEnum):
    """How attention is computed."""

    PLAIN = "plain"
    """Scores are kept for the backward pass."""
    FUSED = "fused"
    """Scores are computed again in the backward pass, and what a mask hides may be passed over."""
    UNKNOWN = "unknown"


class Recomputation(StrEnum):
    """What is computed again in the backward pass to save memory (activation checkpointing)."""

    NONE = "none"
    ATTENTION = "attention"
    """The scores of the attention."""
    FULL = "full"
    """Every layer."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Schedule:
    """What a model is trained on, and how."""

    tokens: int
    """Tokens that go through the model, those of every epoch; of a model with encoder and decoder, through both."""
    sequence: int
    """Tokens of one sequence; of the encoder's, where there are both."""
    target: int = 0
    """Tokens of one sequence of the decoder, where there are both; as many as of the encoder's when 0."""
    kernel: Kernel = Kernel.UNKNOWN
    recomputation: Recomputation = Recomputation.NONE

    def __post_init__(self) -> None:
        for name, least, most in (("tokens", 1, 10**24), ("sequence", 1, MOST), ("target", 0, MOST)):
            value = getattr(self, name)
            if type(value) is not int or not least <= value <= most:
                raise InputError(f"{name} is not a whole number from {least} to {most:.0e}")


@dataclass(frozen=True, slots=True)
class Estimate:
    """How many operations a training run takes."""

    operations: int
    interval: tuple[int, int]
    """What they can be by all that is not known of how the run is computed."""
    parts: tuple[tuple[str, int], ...]
    """What they are made of, largest first."""
    assumptions: tuple[Text, ...] = ()
    """Sentences that say what was taken to hold."""


@dataclass(frozen=True, slots=True)
class _Forward:
    """Operations of the forward pass of one sequence."""

    layers: int = 0
    """Matrices in layers."""
    last: int = 0
    """Of these, the last one of each layer, whose result the backward pass does not need."""
    attention: int = 0
    """Products between tokens."""
    hidden: int = 0
    """Of these, those that a causal mask or a window hides."""
    head: int = 0
    """The map to words."""
    rest: int = 0
    """Norms, activations, softmax: element by element. No counter of matrix products sees them."""

    def __add__(self, other: _Forward) -> _Forward:
        return _Forward(
            self.layers + other.layers,
            self.last + other.last,
            self.attention + other.attention,
            self.hidden + other.hidden,
            self.head + other.head,
            self.rest + other.rest,
        )


_Bounds = tuple[Fraction, Fraction, Fraction]
"""The least, the estimate, the most."""
_KERNEL: Mapping[Kernel, _Bounds] = {
    Kernel.PLAIN: (Fraction(3),) * 3,
    Kernel.FUSED: (Fraction(7, 2),) * 3,
    Kernel.UNKNOWN: (Fraction(3), Fraction(13, 4), Fraction(7, 2)),
}
"""Passes of the attention's products: forward 1; backward 2, or 2.5 when fused."""
_NEVER, _ONCE = (Fraction(0),) * 3, (Fraction(1),) * 3
_AGAIN: Mapping[Recomputation, tuple[_Bounds, _Bounds, _Bounds]] = {
    Recomputation.NONE: (_NEVER, _NEVER, _NEVER),
    Recomputation.ATTENTION: (_NEVER, _NEVER, _ONCE),
    # Some programs stop when they have what the backward pass needs, before the last matrix of the layer.
    Recomputation.FULL: (_ONCE, (Fraction(0), Fraction(1, 2), Fraction(1)), _ONCE),
    Recomputation.UNKNOWN: ((Fraction(0), Fraction(0), Fraction(1)),) * 3,
}
"""How often the layers' matrices but the last, the last, and the attention are computed again."""


def estimate_training(architecture: Architecture, schedule: Schedule) -> Estimate:
    """Estimate the operations of a training run, forward and backward.

    Args:
        architecture: What is trained.
        schedule: On what, and how.
    """
    source, target = _lengths(architecture, schedule)
    one = sum(_pieces(architecture, source, target), _Forward())
    sequences = Fraction(schedule.tokens, source + target)
    low, middle, high = (_total(one, schedule, at) for at in range(3))
    parts = _parts(one, schedule, 1)
    return Estimate(
        round(sequences * middle),
        (int(sequences * low), -int(-sequences * high // 1)),
        tuple(sorted(((name, round(sequences * value)) for name, value in parts), key=lambda part: -part[1])),
        tuple(_assumptions(architecture, schedule)),
    )


def rule_of_thumb(architecture: Architecture, tokens: int) -> int:
    """Return ``6 N D``, for comparison."""
    return 6 * architecture.parameters * tokens


def _lengths(architecture: Architecture, schedule: Schedule) -> tuple[int, int]:
    """Return the tokens of one sequence of the encoder and of the decoder."""
    if architecture.encoder is None:
        return 0, schedule.sequence
    return schedule.sequence, 0 if architecture.decoder is None else schedule.target or schedule.sequence


def _pieces(architecture: Architecture, source: int, target: int) -> Iterator[_Forward]:
    encoder, decoder = architecture.encoder, architecture.decoder
    if encoder is not None:
        yield _stack(encoder, source)
    if decoder is not None:
        yield _stack(decoder, target)
    if encoder is not None and decoder is not None:
        yield _cross(encoder, decoder, source, target)
    width, length = architecture.last.width, target or source
    head = 2 * length * width * (architecture.vocabulary + width * architecture.transform)
    yield _Forward(head=head, rest=length * (5 * architecture.vocabulary + 6 * width))


def _stack(stack: Stack, length: int) -> _Forward:
    matrices = 2 * length * (stack.attention + stack.feed_forward)
    attention = 4 * length * length * stack.inner
    seen = _seen(stack, length)
    # Per token: two norms (5 each) and two sums on the width, an activation (8) and a gate inside, positions on the
    # heads (6), and softmax, scaling and mask on the scores (7).
    inside = stack.ff * stack.experts_used + stack.shared_ff
    rest = length * (12 * stack.width + 9 * inside + 6 * (stack.inner + stack.kv_inner) + 7 * stack.heads * length)
    hidden = attention - 4 * seen * stack.inner
    last = 2 * length * stack.width * inside
    n = stack.layers
    return _Forward(n * matrices, n * last, n * attention, n * hidden, rest=n * rest)


def _seen(stack: Stack, length: int) -> int:
    """Return how many pairs of tokens a mask leaves."""
    window = min(stack.window or length, length)
    if stack.causal:
        return window * (window + 1) // 2 + (length - window) * window
    return length * window


def _cross(encoder: Stack, decoder: Stack, source: int, target: int) -> _Forward:
    own = 2 * decoder.width * decoder.inner
    matrices = 2 * (target * own + source * (cross_parameters(encoder, decoder) - own))
    rest = target * (6 * decoder.width + 7 * decoder.heads * source)
    attention = 4 * target * source * decoder.inner
    return _Forward(decoder.layers * matrices, attention=decoder.layers * attention, rest=decoder.layers * rest)


def _total(one: _Forward, schedule: Schedule, at: int) -> Fraction:
    """Return the operations of one sequence: the least (0), the estimate (1) or the most (2) they can be."""
    total = sum((value for _, value in _parts(one, schedule, at)), Fraction(0))
    if at == 0 and schedule.kernel is not Kernel.PLAIN:
        total -= _attention_passes(schedule, at) * one.hidden
    if at == 2:  # the backward pass of what works element by element costs about two forward passes
        total += (3 + _AGAIN[schedule.recomputation][0][at]) * one.rest
    return total


def _attention_passes(schedule: Schedule, at: int) -> Fraction:
    return _KERNEL[schedule.kernel][at] + _AGAIN[schedule.recomputation][2][at]


def _parts(one: _Forward, schedule: Schedule, at: int) -> Iterator[tuple[str, Fraction]]:
    others, last, _ = (row[at] for row in _AGAIN[schedule.recomputation])
    yield "layers", (3 + others) * (one.layers - one.last) + (3 + last) * one.last
    yield "attention", _attention_passes(schedule, at) * one.attention
    if one.head:
        yield "words", Fraction(3 * one.head)


def _assumptions(architecture: Architecture, schedule: Schedule) -> Iterator[Text]:
    yield say("whole-sequences", count=f"{schedule.sequence:,}")
    if schedule.kernel is Kernel.UNKNOWN:
        yield say("kernel-unknown")
    if schedule.kernel is not Kernel.PLAIN and any(s and (s.causal or s.window) for s in _stacks(architecture)):
        yield say("mask")
    if schedule.recomputation is Recomputation.UNKNOWN:
        yield say("again-unknown")
    if schedule.recomputation is Recomputation.FULL:
        yield say("again-full")
    if any(stack and stack.experts for stack in _stacks(architecture)):
        yield say("experts")


def _stacks(architecture: Architecture) -> tuple[Stack | None, Stack | None]:
    return architecture.encoder, architecture.decoder
