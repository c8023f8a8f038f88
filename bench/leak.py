"""Items of benchmarks in texts: how many are found, how many siblings are taken for them, and how fast it goes.

``python -m bench.leak [--mb N]`` prints the tables alone. Items are those of GSM8K's test split, each planted in other
text after some of its words were exchanged. Its training split is not among the development data, so siblings are its
own other half: each half of the items is looked for in the other, which shares authors, phrases and some stories. The
corpus to scan is the Python source of this installation and prose of a seeded generator, half of each. Beside us stand
the plain methods that others use, in Python: any run of 8 or of 13 words, and 30 % of an item's runs of 8.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import resource
import sysconfig
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import pyarrow as pa

from bench.table import markdown
from hallmarked.artifacts.local import LocalArtifact
from hallmarked.corpus.leak.index import Index, build_index
from hallmarked.corpus.leak.item import Benchmark, BenchmarkItem
from hallmarked.corpus.leak.read import read_benchmark
from hallmarked.corpus.leak.scan import STRONG, scan

DATA = Path(os.environ.get("HALLMARKED_TEST_DATA", Path(__file__).parents[2] / "shared" / "data")) / "benchmarks"
SHARES = (0.0, 0.05, 0.1, 0.2, 0.3)
WORD = re.compile(r"[a-z0-9]+")
Find = Callable[[Sequence[str]], list[set[int]]]
"""Returns, for each text, the numbers of the items that are found in it."""


def report(mb: int = 40) -> str:
    """Measure, and return the tables."""
    if not DATA.is_dir():
        return f"Left out: no development data at {DATA}.\n"
    gsm8k = read_benchmark("gsm8k", LocalArtifact(DATA / "gsm8k" / "test.jsonl"))[0]
    return f"{_found(gsm8k)}\n{_speed(gsm8k, mb)}"


def _found(gsm8k: Benchmark) -> str:
    questions = [item.question for item in gsm8k.items]
    half = len(questions) // 2
    rng = random.Random(11)
    other = [word for text in _prose(random.Random(2), 2_000_000) for word in text.split()]
    rows = []
    for name, make in METHODS.items():
        find = make(questions)
        cells = [f"{_recall(find, questions, share, other, rng):.3f}" for share in SHARES]
        siblings = sum(
            sum(map(bool, make(ours)(theirs)))
            for ours, theirs in ((questions[:half], questions[half:]), (questions[half:], questions[:half]))
        )
        unrelated = sum(map(bool, find(list(_prose(random.Random(5), 3_000_000)))))
        rows.append([name, *cells, f"{siblings} of {len(questions):,}", unrelated])
    header = ["method", *(f"recall, {share:.0%} of words edited" for share in SHARES), "siblings", "unrelated texts"]
    return markdown(header, rows)


def _recall(find: Find, questions: Sequence[str], share: float, other: Sequence[str], rng: random.Random) -> float:
    """Plant every item in other text, with a share of its words exchanged, and return how many are found."""
    texts = []
    for question in questions:
        words = question.split()
        for place in rng.sample(range(len(words)), round(share * len(words))):
            words[place] = rng.choice(other)
        start = rng.randrange(len(other) - 400)
        texts.append(" ".join([*other[start : start + 200], *words, *other[start + 200 : start + 400]]))
    return sum(number in found for number, found in enumerate(find(texts))) / len(questions)


def _ours(least: float) -> Callable[[Sequence[str]], Find]:
    def make(questions: Sequence[str]) -> Find:
        index = _index(questions)

        def find(texts: Sequence[str]) -> list[set[int]]:
            found: list[set[int]] = [set() for _ in texts]
            for scanned in scan(index, pa.array(texts, pa.large_string())):
                for match in scanned.matches:
                    if match.share >= least and not match.shadowed:
                        found[match.text].add(index.targets[match.target].item)
            return found

        return find

    return make


def _index(questions: Sequence[str]) -> Index:

    return build_index([Benchmark("b", [BenchmarkItem(str(n), q) for n, q in enumerate(questions)], "")])


def _plain(length: int, least: float) -> Callable[[Sequence[str]], Find]:
    def make(questions: Sequence[str]) -> Find:
        owners: dict[tuple[str, ...], set[int]] = defaultdict(set)
        totals = []
        for number, question in enumerate(questions):
            runs = _runs(question, length)
            totals.append(len(runs))
            for run in runs:
                owners[run].add(number)

        def find(texts: Sequence[str]) -> list[set[int]]:
            found = []
            for text in texts:
                counts: dict[int, int] = defaultdict(int)
                for run in _runs(text, length):
                    for number in owners.get(run, ()):
                        counts[number] += 1
                found.append({number for number, count in counts.items() if count >= least * totals[number]})
            return found

        return find

    return make


def _runs(text: str, length: int) -> set[tuple[str, ...]]:
    words = WORD.findall(text.lower())
    return {tuple(words[at : at + length]) for at in range(len(words) - length + 1)}


METHODS = {
    "hallmarked, strong": _ours(STRONG),
    "hallmarked, strong or possible": _ours(0.0),
    "any run of 8 words": _plain(8, 0.0),
    "30 % of the runs of 8 words": _plain(8, 0.3),
    "any run of 13 words": _plain(13, 0.0),
}


def _speed(gsm8k: Benchmark, mb: int) -> str:
    texts = list(_corpus(mb * 1_000_000))
    size = sum(len(text.encode()) for text in texts) / 1e6
    array = pa.array(texts, pa.large_string())
    benchmarks = [*_benchmarks(), *(_part(gsm8k, number) for number in range(2))]
    indexes = {1: build_index([gsm8k]), len(benchmarks): build_index(benchmarks)}
    few = texts[:: max(1, mb // 4)]
    small = sum(len(text.encode()) for text in few) / 1e6
    plain = _plain(13, 0.0)([item.question for benchmark in benchmarks for item in benchmark.items])
    rows = []
    for _ in range(3):
        for count, index in indexes.items():
            seconds = _cpu(partial(_scan_all, index, array))
            rows.append((f"hallmarked, {count} benchmark{'s'[: count > 1]} ({index.size:,} runs)", size / seconds))
        rows.append((f"any run of 13 words, {len(benchmarks)} benchmarks, Python", small / _cpu(partial(plain, few))))
    best: dict[str, list[str]] = defaultdict(list)
    for name, rate in rows:
        best[name].append(f"{rate:.1f}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    table = markdown(["method", f"MB per CPU-second, {size:.0f} MB of text in memory, three runs"], (
        [name, ", ".join(rates)] for name, rates in best.items()
    ))  # fmt: skip
    return f"{table}\nPeak memory of this process, the text included: {peak:,.0f} MiB.\n"


def _scan_all(index: Index, texts: pa.Array) -> None:
    for _ in scan(index, texts):
        pass


def _cpu(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def _benchmarks() -> Iterator[Benchmark]:
    for path in [*sorted(DATA.glob("bbq/*.jsonl")), DATA / "humaneval", DATA / "crows-pairs"]:
        yield read_benchmark(path.stem, LocalArtifact(path))[0]


def _part(benchmark: Benchmark, number: int) -> Benchmark:
    return Benchmark(f"{benchmark.name}-{number}", benchmark.items[number::2], benchmark.recipe)


def _corpus(size: int) -> Iterator[str]:
    done = 0
    places = {Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib", "platlib")}
    for path in sorted({file for place in places for file in place.rglob("*.py")}):
        text = path.read_text("utf-8", "replace")
        yield text
        done += len(text.encode())
        if done >= size // 2:
            break
    yield from _prose(random.Random(3), size - done)


def _prose(rng: random.Random, size: int) -> Iterator[str]:
    """Yield texts with the words of BBQ, as often as it has them, in any order."""
    words = [
        word
        for path in sorted(DATA.glob("bbq/*.jsonl"))
        for line in path.read_text("utf-8").splitlines()
        for word in (json.loads(line)["context"] + " " + json.loads(line)["question"]).split()
    ]
    done = 0
    while done < size:
        text = " ".join(rng.choices(words, k=500))
        yield text
        done += len(text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mb", type=int, default=40)
    print(report(parser.parse_args().mb))
