"""What the operations of a transformer depend on, given in numbers or read from its ``config.json``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

from hallmarked.core.errors import InputError

MOST = 10**12
"""Largest number of layers, heads, widths or words that is taken for one."""
_FEED_FORWARD = {"encoder": "encoder_ffn_dim", "decoder": "decoder_ffn_dim"}


@dataclass(frozen=True, slots=True)
class Stack:
    """Layers of one kind, one after the other."""

    layers: int
    width: int
    """Of the residual stream (``d_model``)."""
    heads: int
    ff: int
    """Width inside the feed-forward part of a token: of one expert where there are several."""
    kv_heads: int = 0
    """Heads of keys and values in grouped-query attention; as many as there are heads when 0."""
    head_width: int = 0
    """Width of one head; ``width / heads`` when 0."""
    gated: bool = False
    """The feed-forward part has three matrices (a gate beside the usual two)."""
    causal: bool = False
    """A token attends only to those before it."""
    window: int = 0
    """A token attends to at most so many others; to all when 0."""
    experts: int = 0
    """Experts that a router chooses from; 0 for a dense model."""
    experts_used: int = 1
    """Of these, those that work on a token."""
    shared_ff: int = 0
    """Width inside of the experts that work on every token, together."""

    def __post_init__(self) -> None:
        for name in ("layers", "width", "heads", "ff"):
            _check(name, getattr(self, name), 1)
        for name in ("kv_heads", "head_width", "window", "experts", "shared_ff"):
            _check(name, getattr(self, name), 0)
        _check("experts_used", self.experts_used, 1)
        if not self.head_width and self.width % self.heads:
            raise InputError(f"a width of {self.width} cannot be shared out to {self.heads} heads; give head_width")
        if self.kv_heads and self.heads % self.kv_heads:
            raise InputError(f"{self.heads} heads cannot be shared out to {self.kv_heads} heads of keys and values")
        if self.experts and self.experts_used > self.experts:
            raise InputError(f"{self.experts_used} of {self.experts} experts cannot work on a token")

    @property
    def inner(self) -> int:
        """Width of all heads together."""
        return self.heads * (self.head_width or self.width // self.heads)

    @property
    def kv_inner(self) -> int:
        """Width of all heads of keys, or of values, together."""
        return self.inner // self.heads * (self.kv_heads or self.heads)

    @property
    def attention(self) -> int:
        """Parameters of the projections around the attention of one layer."""
        return 2 * self.width * (self.inner + self.kv_inner)

    @property
    def feed_forward(self) -> int:
        """Parameters of the feed-forward part of one layer that work on a token, with the router's."""
        matrices = 3 if self.gated else 2
        return self.width * (matrices * (self.ff * self.experts_used + self.shared_ff) + self.experts)

    @property
    def feed_forward_total(self) -> int:
        """Parameters of the feed-forward part of one layer, of all experts."""
        matrices = 3 if self.gated else 2
        return self.width * (matrices * (self.ff * max(self.experts, 1) + self.shared_ff) + self.experts)


@dataclass(frozen=True, slots=True)
class Architecture:
    """A transformer: an encoder, a decoder, or both, and the map from its last layer to words."""

    vocabulary: int
    """Words of the output; 0 when the model has none (a classifier)."""
    encoder: Stack | None = None
    decoder: Stack | None = None
    tied: bool = False
    """Input and output embeddings are one table: fewer parameters, no fewer operations."""
    transform: bool = False
    """A square matrix stands before the map to words."""
    positions: int = 0
    """Rows of a learned table of positions."""

    def __post_init__(self) -> None:
        _check("vocabulary", self.vocabulary, 0)
        _check("positions", self.positions, 0)
        if self.encoder is None and self.decoder is None:
            raise InputError("an architecture has an encoder, a decoder, or both")

    @property
    def last(self) -> Stack:
        """The stack whose output becomes words."""
        stack = self.decoder or self.encoder
        assert stack is not None
        return stack

    @property
    def parameters(self) -> int:
        """Parameters of all matrices and tables; those of norms and biases, about one in a thousand, are left out."""
        total = self.vocabulary * self.last.width * (1 if self.tied else 2) + self.positions * self.last.width
        total += self.last.width**2 * self.transform
        for stack in (self.encoder, self.decoder):
            if stack is not None:
                total += stack.layers * (stack.attention + stack.feed_forward_total)
        if self.encoder is not None and self.decoder is not None:
            total += self.decoder.layers * cross_parameters(self.encoder, self.decoder)
        return total


def cross_parameters(encoder: Stack, decoder: Stack) -> int:
    """Return the parameters of the projections around one layer's attention from a decoder to its encoder."""
    return 2 * decoder.width * decoder.inner + 2 * encoder.width * decoder.kv_inner


def read_architecture(document: object, name: str = "config.json") -> Architecture:
    """Read the architecture from the configuration of a family of transformers that is known.

    Args:
        document: The JSON or YAML document.
        name: Its name, for messages.

    Raises:
        InputError: When the family is not known or a number is missing or absurd; the message names it.
    """
    if not isinstance(document, dict):
        raise InputError(f"{name} does not hold an object")
    inner = document.get("text_config")
    if isinstance(inner, dict) and isinstance(inner.get("model_type"), str):
        document = inner
    given = document.get("model_type")
    family = _table()["family"].get(given) if isinstance(given, str) else None
    if family is None:
        known = ", ".join(sorted(_table()["family"]))
        said = f"is of the family {given[:60]!r}, which is not known" if isinstance(given, str) else "names no family"
        raise InputError(f"{name} {said} (known are {known}); give the numbers instead")
    return _Reader(document, family, name).read()


@cache
def _table() -> Mapping[str, Any]:
    return tomllib.loads((files("hallmarked.profiles.compute") / "family.toml").read_text("utf-8"))


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the members of one configuration file."""

    document: Mapping[str, Any]
    family: Mapping[str, Any]
    name: str

    def read(self) -> Architecture:
        """Read it all."""
        kind = self.family["kind"]
        tied = self.document.get("tie_word_embeddings")
        both = Architecture(
            self._number("vocabulary") if self._has_words() else 0,
            self._stack("encoder") if kind != "decoder" else None,
            self._stack("decoder") if kind != "encoder" else None,
            tied if isinstance(tied, bool) else bool(self.family.get("tied")),
            bool(self.family.get("transform")) and self._has_words(),
        )
        return both if self.document.get("model_type") in {"t5", "mt5"} else self._with_positions(both)

    def _with_positions(self, found: Architecture) -> Architecture:
        rotary = any(key.startswith(("rope_", "rotary_")) for key in self.document)
        gated = bool(self.family.get("gated"))
        return found if rotary or gated else replace(found, positions=self._number("context", 0))

    def _has_words(self) -> bool:
        """Whether the output is words, by the class that the file names; taken for so when it names none."""
        listed = self.document.get("architectures")
        names = [name for name in listed if isinstance(name, str)] if isinstance(listed, list) else []
        return not names or any("LM" in name or "Conditional" in name or "PreTraining" in name for name in names)

    def _stack(self, part: str) -> Stack:
        width, heads = self._number("width"), self._part(part, "attention_heads", "heads")
        ff = self._find((_FEED_FORWARD[part],)) or self._number("ff", 0) or self.family.get("ff_ratio", 0) * width
        if not ff:
            raise InputError(f"{self.name} does not say how wide the feed-forward part is (intermediate_size)")
        experts = self._number("experts", 0)
        return Stack(
            layers=self._part(part, "layers", "layers"),
            width=width,
            heads=heads,
            ff=(self._number("expert_ff", 0) or ff) if experts else ff,
            kv_heads=1 if self.document.get("multi_query") is True else self._number("kv_heads", 0),
            head_width=self._number("head_width", 0),
            gated=self._is_gated(),
            causal=part == "decoder",
            window=self._number("window", 0) if self.document.get("use_sliding_window") is not False else 0,
            experts=experts,
            experts_used=self._number("experts_used", 1) if experts else 1,
            shared_ff=self._number("shared_ff", 0) if experts else 0,
        )

    def _is_gated(self) -> bool:
        said = self.document.get("is_gated_act")
        projection = self.document.get("feed_forward_proj")
        if isinstance(projection, str):
            return projection.startswith("gated")
        return said if isinstance(said, bool) else bool(self.family.get("gated"))

    def _part(self, part: str, member: str, name: str) -> int:
        """Return a number that files with an encoder and a decoder give for each."""
        names = (f"{part}_{member}", f"num_{part}_{member}")
        return self._find(names) or self._number(name)

    def _number(self, name: str, default: int | None = None) -> int:
        names = _table()["names"][name]
        found = self._find(names)
        if found is None and default is None:
            raise InputError(f"{self.name} does not say {name} ({', '.join(names)})")
        return default if found is None and default is not None else found or 0

    def _find(self, names: tuple[str, ...]) -> int | None:
        for name in names:
            value = self.document.get(name)
            if type(value) is int:
                return _check(f"{name} in {self.name}", value, 0)
        return None


def _check(name: str, value: object, least: int) -> int:
    if type(value) is not int or not least <= value <= MOST:
        shown = value if type(value) is int and abs(value) < 10**30 else "that"
        raise InputError(f"{name} is {shown}, not a whole number from {least} to {MOST:,}")
    return value
