"""One measurement of ``bench.duplicate`` in a process of its own: ``python bench/duplicate_worker.py TASK TOOL PATH``.

The peers may live in another environment than this project, so nothing is imported before the tool is known.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

BATCH = 8_192
"""Texts at a time: as many as a batch of rows has at most, see ``corpus.table.model``."""


def sketch(tool: str, path: str) -> dict[str, Any]:
    """Time the sketches of the texts of a file."""
    parquet = importlib.import_module("pyarrow.parquet")
    texts = parquet.read_table(path)["text"].to_pylist()
    note, work = SKETCHERS[tool]()
    work(texts[:20])
    start = time.process_time()
    for first in range(0, len(texts), BATCH):
        work(texts[first : first + BATCH])
    seconds = time.process_time() - start
    return {"rate": sum(len(text.encode()) for text in texts) / 1e6 / seconds, "note": note}


def _ours() -> tuple[str, Callable[[list[str]], object]]:
    state = importlib.import_module("hallmarked.corpus.duplicate.state")
    return "folding, digests, sketches, bands", lambda texts: state.Builder().add(texts)


def _shingles(text: str) -> list[str]:
    words = text.lower().split()
    return [" ".join(words[at : at + 5]) for at in range(max(1, len(words) - 4))]


def _datasketch() -> tuple[str, Callable[[list[str]], object]]:
    minhash = importlib.import_module("datasketch").MinHash

    def work(texts: list[str]) -> None:
        minhash.bulk([[shingle.encode() for shingle in _shingles(text)] for text in texts], num_perm=125)

    return "splitting, signatures", work


def _rensa() -> tuple[str, Callable[[list[str]], object]]:
    minhash = importlib.import_module("rensa").RMinHash
    return "splitting, signatures", lambda texts: minhash.digest_matrix_from_token_sets(
        [_shingles(text) for text in texts], 125, 1
    )


def _datatrove() -> tuple[str, Callable[[list[str]], object]]:
    module = importlib.import_module("datatrove.pipeline.dedup.minhash")
    config = module.MinhashConfig(num_buckets=25, hashes_per_bucket=5, n_grams=5)
    step = module.MinhashDedupSignature(tempfile.mkdtemp(), config)

    def work(texts: list[str]) -> None:
        for text in texts:
            shingles = step.get_shingles(text)
            if len(shingles):
                step.get_signature(shingles)

    return "its tokeniser, signatures", work


SKETCHERS: dict[str, Callable[[], tuple[str, Callable[[list[str]], object]]]] = {
    "hallmarked": _ours,
    "datasketch": _datasketch,
    "rensa": _rensa,
    "datatrove": _datatrove,
}


def exact(tool: str, path: str) -> dict[str, Any]:
    """Time how many different texts a Parquet file has."""
    parquet = importlib.import_module("pyarrow.parquet")
    size = sum(len(text.encode()) for text in parquet.read_table(path)["text"].to_pylist())
    count = {"hallmarked": _our_distinct, "duckdb": _duckdb_distinct}[tool]
    count(path)
    start = time.process_time()
    distinct = count(path)
    return {"rate": size / 1e6 / (time.process_time() - start), "distinct": distinct}


def _our_distinct(path: str) -> int:
    parquet = importlib.import_module("pyarrow.parquet")
    column = importlib.import_module("hallmarked.corpus.text.column")
    state = importlib.import_module("hallmarked.corpus.duplicate.state")
    find = importlib.import_module("hallmarked.corpus.duplicate.find")
    io = importlib.import_module("io")
    states = []
    with parquet.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=5_000, use_threads=False):
            builder = state.Builder(depth=state.SAME)
            builder.add(column.documents(batch, ["text"]))
            data = builder.dump()
            states.append(state.State.load(partial(io.BytesIO, data), len(data), builder.settings))
    found = find.find_duplicates(states, lambda _index, _rows: iter(()))
    return int(found.texts - found.same)


def _duckdb_distinct(path: str) -> int:
    connection = importlib.import_module("duckdb").connect(config={"threads": 1})
    return int(connection.execute("select count(distinct text) from read_parquet(?)", [path]).fetchone()[0])


def accuracy(_tool: str, count: str) -> dict[str, Any]:
    """Find pairs of texts of known similarity, by how similar they are."""
    texts = importlib.import_module("tests.corpus.duplicate.texts")
    chance = random.Random(29)
    words = [f"v{number}" for number in range(50_000)]
    pairs = []
    for _ in range(int(count)):
        one = chance.choices(words, k=chance.choice((20, 50, 100, 300, 1000)))
        pairs.append((" ".join(one), texts.edited(one, chance.uniform(0, 0.08), chance)))
    found = texts.find([[one for one, _ in pairs], [other for _, other in pairs]])
    together = found.kept[: len(pairs)] == found.kept[len(pairs) :]
    similar = [texts.jaccard(*pair) for pair in pairs]
    rows = []
    for low, high in pairwise((0.0, 0.5, 0.7, 0.8, 0.9, 1.01)):
        chosen = [bool(hit) for hit, value in zip(together, similar, strict=True) if low <= value < high]
        name = f"{low} up to {min(high, 1.0)}"
        rows.append((name, f"{len(chosen):,}", f"{sum(chosen) / len(chosen):.4f}" if chosen else ""))
    return {"rows": rows, "rate": 0}


def whole(_tool: str, folder: str) -> dict[str, Any]:
    """Check a folder part by part, with what is learned on disk, in the memory of a confined check."""
    resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
    check = importlib.import_module("hallmarked.checks.duplicate").DuplicateCheck()
    artifact = importlib.import_module("hallmarked.artifacts.local").LocalArtifact(Path(folder))
    learned_type = importlib.import_module("hallmarked.core.check").Learned
    learned: list[Any] = []
    with tempfile.TemporaryDirectory() as spill:
        start = time.process_time()
        for part in check.cut(artifact):
            data = check.learn(artifact, part)
            path = Path(spill) / str(len(learned))
            path.write_bytes(data)
            learned.append(learned_type(part, partial(path.open, "rb"), len(data)))
        between = time.process_time()
        items = list(check.conclude(artifact, learned))
    values = {item.metric: item.value for item in items if getattr(item, "metric", "") == "duplicates.compared"}
    return {
        "rows": int(values["duplicates.compared"]),
        "states": sum(each.size for each in learned) / 1e6,
        "learn": between - start,
        "conclude": time.process_time() - between,
    }


TASKS: dict[str, Callable[[str, str], dict[str, Any]]] = {
    "sketch": sketch,
    "exact": exact,
    "accuracy": accuracy,
    "whole": whole,
}


def main() -> None:
    """Do one task and print what came of it."""
    task, tool, argument = sys.argv[1:]
    sys.path.insert(0, str(Path(__file__).parents[1]))
    result = TASKS[task](tool, argument)
    result["version"] = importlib.metadata.version(tool)
    result["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(result))


if __name__ == "__main__":
    main()
