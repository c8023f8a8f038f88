"""A run plan: what somebody is going to train, on what and with what, stated before the first step.

It says nothing of how large the run is or whether anybody must hear of it: that is computed from it, by
``hallmarked.profiles.run``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, ClassVar

from hallmarked.records.field import COUNT, DECIMAL, SHARE, Say
from hallmarked.records.record import Record
from hallmarked.records.result import Measured


class Data(StrEnum):
    """What most of the training data are."""

    TEXT = "text"
    CODE = "code"
    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"
    BIOLOGICAL = "biological-sequence"
    """Of genes, proteins and the like."""
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filer:
    """One of those who file."""

    name: Annotated[str, Say("A person or an organisation.", most=200)]
    contact: Annotated[str, Say("Where to reach them.", most=300)]
    share: Annotated[
        str,
        Say("Part of the run that is theirs, as a decimal number; all together are 1.", pattern=SHARE, number=True),
    ] = "1"
    tasks: Annotated[tuple[str, ...], Say("What they answer for, such as data, training, evaluation.", count=20)] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Layers:
    """The layers of an encoder or a decoder."""

    layers: Annotated[int, Say("How many.")]
    width: Annotated[int, Say("Of the residual stream.")]
    heads: Annotated[int, Say("Of attention.")]
    ff: Annotated[int, Say("Width inside the feed-forward part, of one expert where there are several.")]
    kv_heads: Annotated[int, Say("Heads of keys and values, where they are shared.")] = 0
    head_width: Annotated[int, Say("Of one head, where it is not the width by the heads.")] = 0
    gated: Annotated[bool, Say("Whether the feed-forward part has a gate.")] = False
    causal: Annotated[bool, Say("Whether a token attends only to those before it.")] = False
    window: Annotated[int, Say("How many others a token attends to at most.")] = 0
    experts: Annotated[int, Say("Experts a router chooses from.")] = 0
    experts_used: Annotated[int, Say("Experts that work on a token.")] = 1
    shared_ff: Annotated[int, Say("Width inside of the experts that work on every token.")] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Transformer:
    """The architecture of a transformer."""

    vocabulary: Annotated[int, Say("Words of the output; 0 for none.")]
    encoder: Annotated[Layers | None, Say("The encoder.")] = None
    decoder: Annotated[Layers | None, Say("The decoder.")] = None
    tied: Annotated[bool, Say("Whether input and output embeddings are one table.")] = False
    transform: Annotated[bool, Say("Whether a square matrix stands before the map to words.")] = False
    positions: Annotated[int, Say("Rows of a learned table of positions.")] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """What the run is computed on."""

    accelerator: Annotated[str, Say("Its id, such as h100-sxm, or its peak in operations per second.", most=60)]
    count: Annotated[int, Say("How many.")]
    hours: Annotated[str, Say("For how long, in hours.", pattern=DECIMAL, number=True)] = ""
    utilisation: Annotated[str, Say("The part of its peak that it is expected to do.", pattern=SHARE, number=True)] = ""
    network: Annotated[str, Say("Rate of the network between machines, in Gbit/s.", pattern=DECIMAL, number=True)] = ""
    centres: Annotated[int, Say("Data centres that the machines stand in.")] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """The answer to one risk factor."""

    answer: Annotated[bool, Say("Whether it is there.")]
    reason: Annotated[str, Say("Why it is, or is not.", most=5000)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Factors:
    """Risk factors of the first stage. What surrounds the model later, such as guardrails, is not asked here."""

    cbrn: Annotated[
        Factor | None,
        Say("Data that matter for chemical, biological, radiological or nuclear harm are among the training data."),
    ] = None
    scale: Annotated[Factor | None, Say("It is going to be used by many people or many services.")] = None
    novelty: Annotated[Factor | None, Say("It is expected to do what no model did before.")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan(Record):
    """What is going to be trained."""

    NAME: ClassVar[str] = "run-plan"
    TITLE: ClassVar[str] = "A training run that is planned"
    BY_HAND: ClassVar[bool] = False

    model: Annotated[str, Say("What the model is going to be called.", most=200)]
    purpose: Annotated[str, Say("What it is for.", most=5000)]
    start: Annotated[datetime, Say("When the first training step is planned.")]
    end: Annotated[datetime | None, Say("When the last one is.", end=True)] = None
    filers: Annotated[tuple[Filer, ...], Say("Who files.", count=200)]
    delegate: Annotated[str, Say("Which of them files for all, where they are several.", most=200)] = ""
    data: Annotated[Data, Say("What most of the training data are.")]
    tokens: Annotated[str, Say("Tokens of the training data, as a whole number.", pattern=COUNT, number=True)] = ""
    epochs: Annotated[str, Say("How often each is used.", pattern=DECIMAL, number=True)] = "1"
    sequence: Annotated[int, Say("Tokens of one sequence.")] = 0
    target: Annotated[int, Say("Tokens of one sequence of the decoder, beside an encoder.")] = 0
    attention: Annotated[str, Say("How it is computed.", pattern="plain|fused|unknown")] = "unknown"
    recomputation: Annotated[
        str, Say("What is computed again to save memory.", pattern="none|attention|full|unknown")
    ] = "unknown"
    parameters: Annotated[str, Say("Of the model, as a whole number; for information.", pattern=COUNT, number=True)] = (
        ""
    )
    architecture: Annotated[Transformer | None, Say("Of a transformer.")] = None
    hardware: Annotated[Hardware | None, Say("What it is computed on.")] = None
    factors: Annotated[Factors | None, Say("Risk factors.")] = None
    further: Annotated[
        Mapping[str, str], Say("Answers to the questions of the second stage, by their ids.", most=20_000)
    ] = field(default_factory=dict)
    measurements: Annotated[tuple[Measured, ...], Say("What is projected from all this; computed.", count=50)] = ()

    def problems(self) -> Iterable[tuple[str, str]]:
        """Yield what is wrong with how the fields go together."""
        names = [filer.name for filer in self.filers]
        if not names:
            yield "filers", "is empty: somebody files"
        if len(set(names)) < len(names):
            yield "filers", "names somebody twice"
        if names and sum((Decimal(filer.share) for filer in self.filers), Decimal(0)) != 1:
            yield "filers", "have shares that are not 1 together"
        if len(names) > 1 and self.delegate not in names:
            yield "delegate", "must be one of the filers, since they are several"
        if len(names) == 1 and self.delegate not in {"", *names}:
            yield "delegate", "is not the one who files"
        if self.end is not None and self.end < self.start:
            yield "end", "lies before the start"
        if self.tokens and self.architecture is not None and not self.sequence:
            yield "sequence", "is missing: without it the cost of attention is not known"

    @property
    def speaks(self) -> str:
        """Who files for all."""
        return self.delegate or self.filers[0].name

    @property
    def sentence(self) -> str:
        """What is stated."""
        others = f" with {len(self.filers) - 1} more" if len(self.filers) > 1 else ""
        return f"{self.speaks}{others} plans to train {self.model} from {self.start:%Y-%m-%d} on"
