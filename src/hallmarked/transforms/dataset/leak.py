"""Which rows hold items of benchmarks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hallmarked.artifacts.source import from_description
from hallmarked.corpus.leak.index import Index, build_index
from hallmarked.corpus.leak.read import read_benchmark
from hallmarked.corpus.leak.scan import scan
from hallmarked.transforms.dataset.plan import Plan


@lru_cache(maxsize=1)
def _index(written: str) -> Index:
    return build_index([read_benchmark(name, from_description(where))[0] for name, where in json.loads(written)])


def leaked(plan: Plan, texts: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Say which texts hold so much of an item that chance does not explain it.

    Whether its words are common turns of phrase in the whole corpus is not asked: each row is judged by itself.
    """
    found = np.zeros(len(texts), bool)
    for scanned in scan(_index(json.dumps(plan.benchmarks)), pa.array(texts, pa.large_string())):
        for match in scanned.matches:
            found[match.text] |= match.strong
    return found
