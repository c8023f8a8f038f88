"""Benchmarks: the items somebody evaluates with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BenchmarkItem:
    """One item: what a model is asked, and what it should answer."""

    id: str
    """As the benchmark calls it; else the file and row it stands in."""
    question: str
    answer: str = ""
    """Empty when the benchmark does not hold it."""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A benchmark by the name somebody gave it."""

    name: str
    items: Sequence[BenchmarkItem]
    recipe: str
    """The recipe by which its rows became items."""
