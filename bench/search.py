"""Passages in 300 MB of text: making an index, and what it takes to say what a text shares with it.

``python -m bench.search [--mb N] [--peer-mb N] [--peers PYTHON]`` prints the table alone. The corpus is the Python
source of this installation, its packages included, in the order of their paths; when that is less than was asked for,
prose of a seeded generator follows. CPU time and memory are of a process of their own, reading and folding included.
infini-gram is run on a smaller part, beside us on the same part in the same run, since it takes minutes.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.table import markdown

MB = 1_000_000
MOST_FILE = 2 * MB
QUERY_WORDS = 200
PLANTED = 600
PAIRS = 3
"""Runs of each on the smaller part, alternating."""


def write_corpus(folder: Path, size: int) -> Path:
    """Write documents as JSON Lines, ``size`` bytes of text in all."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"corpus-{size}.jsonl"
    done = 0
    with path.open("w", encoding="utf-8") as out:
        for text in _texts():
            out.write(json.dumps({"text": text, "source": f"document {done}"}, ensure_ascii=False) + "\n")
            done += len(text.encode())
            if done >= size:
                break
    return path


def _texts() -> Iterator[str]:
    places = {Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib", "platlib")}
    for path in sorted({file for place in places for file in place.rglob("*.py")}):
        if 0 < path.stat().st_size < MOST_FILE:
            yield path.read_text("utf-8", "replace").replace("\0", " ")
    rng = random.Random(4)
    vocabulary = ["".join(rng.choices("aeioubcdfglmnprst", k=rng.randint(2, 11))) for _ in range(50_000)]
    weights = [1 / rank for rank in range(1, 50_001)]
    while True:
        yield " ".join(rng.choices(vocabulary, weights, k=2_000))


def documents(path: Path) -> Iterator[str]:
    """Read the texts of a corpus."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)["text"]


def build(path: Path, target: Path, block_mib: int, keywords: bool) -> dict[str, float]:
    """Make an index of a corpus in a process of its own, and return its CPU seconds and peak memory (MB)."""
    command = [
        sys.executable,
        "-m",
        "bench.search",
        "build",
        str(path),
        str(target),
        str(block_mib),
        str(int(keywords)),
    ]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout))


def _build(path: Path, target: Path, block_mib: int, keywords: bool) -> None:
    from hallmarked.corpus.search.build import build as make  # noqa: PLC0415
    from hallmarked.corpus.search.manifest import Options  # noqa: PLC0415 -- counted with the rest
    from hallmarked.corpus.search.model import Document  # noqa: PLC0415
    from hallmarked.corpus.search.word import fold_words  # noqa: PLC0415

    rows = (
        Document(path.name, row, text, fold_words(text), f"document {row}")
        for row, text in enumerate(documents(path), 1)
    )
    summary = make(target, rows, Options(block_mib=block_mib, keywords=keywords))
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({"cpu": used.ru_utime + used.ru_stime, "peak": used.ru_maxrss / 1000, "bytes": summary.bytes}))


def build_peer(python: Path, path: Path, target: Path) -> float | None:
    """Let infini-gram make an index; return its CPU seconds, or None when it is not there."""
    data = target / "data"
    data.mkdir(parents=True)
    (data / "corpus.jsonl").hardlink_to(path)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [str(python), "-m", "infini_gram.indexing", "--data_dir", str(data), "--save_dir", str(target / "index")]
    command += ["--temp_dir", str(target / "temp"), "--token_dtype", "u8", "--cpus", "2", "--mem", "4", "--shards", "1"]
    done = subprocess.run([*command, "--ulimit", "1024", "--add_metadata"], capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"infini-gram could not run: {(done.stderr.strip().splitlines() or ['?'])[-1]}", file=sys.stderr)
        return None
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def plant(path: Path, count: int, seed: int = 5) -> list[tuple[str, list[str]]]:
    """Make queries of 200 words that hold a passage of the corpus, and say which words that has."""
    from hallmarked.corpus.search.word import fold_words  # noqa: PLC0415 -- not before it is needed

    rng = random.Random(seed)
    texts = [text for number, text in enumerate(documents(path)) if number % 7 == 0 and len(text) > 1_000]
    queries = []
    for text in rng.choices(texts, k=count):
        words, other = text.split(), rng.choice(texts).split()
        size = rng.randint(8, 50)
        start = rng.randrange(max(1, len(words) - size))
        passage = words[start : start + size]
        rest = rng.choices(other, k=QUERY_WORDS - len(passage))
        at = rng.randrange(len(rest))
        queries.append((" ".join([*rest[:at], *passage, *rest[at:]]), fold_words(" ".join(passage)).decode().split()))
    return queries


def ask(index: Path, queries: list[tuple[str, list[str]]]) -> tuple[list[float], int, int]:
    """Return the milliseconds of each query, how many passages were planted, and how many of these were found."""
    from hallmarked.corpus.search.index import Index  # noqa: PLC0415 -- not before it is needed
    from hallmarked.corpus.search.word import words as words_of  # noqa: PLC0415

    opened = Index.open(index, whole=False)
    for query, _ in queries[:50]:  # what is asked for all the time is in memory
        opened.attribute(query)
    taken, planted, found = [], 0, 0
    for query, passage in queries:
        began = time.process_time()
        told = opened.attribute(query)
        taken.append((time.process_time() - began) * 1e3)
        if len(passage) >= 8:
            planted += 1
            folded = [word.folded for word in words_of(query)]
            spans = (folded[each.first : each.first + each.words] for each in told.passages)
            found += any(" ".join(passage) in " ".join(span) for span in spans)
    return taken, planted, found


def report(scratch: Path, peers: Path, megabytes: int = 300, peer_megabytes: int = 40) -> str:
    """Run everything, and return the tables."""
    small, whole = write_corpus(scratch, peer_megabytes * MB), write_corpus(scratch, megabytes * MB)
    ours, theirs = [], []
    for number in range(PAIRS):
        done = build(small, scratch / f"small-{number}", 64, keywords=False)
        ours.append(done["bytes"] / MB / done["cpu"])
        taken = build_peer(peers, small, scratch / f"peer-{number}")
        if taken is None:
            break
        theirs.append(done["bytes"] / MB / taken)
    rows = [[f"{peer_megabytes} MB, hallmarked, passages", *_spread(ours)]]
    rows += [[f"{peer_megabytes} MB, infini-gram, bytes as tokens", *_spread(theirs)]] if theirs else []
    text = markdown(["index", "MB per CPU second", "least", "greatest"], rows)
    if theirs:
        text += f"\nRatio of the medians: {statistics.median(ours) / statistics.median(theirs):.1f}\n"
    made = []
    for block_mib, keywords in ((64, False), (64, True), (16, False)):
        target = scratch / f"whole-{block_mib}-{keywords}"
        done = build(whole, target, block_mib, keywords)
        size = sum(file.stat().st_size for file in target.iterdir())
        taken, planted, found = ask(target, plant(whole, PLANTED))
        taken.sort()
        made.append(
            [
                f"{block_mib} MiB" + (", keywords" if keywords else ""), f"{done['bytes'] / MB:,.0f}",
                f"{done['bytes'] / MB / done['cpu']:.1f}", f"{done['peak']:,.0f}", f"{size / done['bytes']:.2f}",
                f"{statistics.median(taken):.1f}", f"{taken[int(len(taken) * 0.99)]:.1f}", f"{found} of {planted}",
            ]
        )  # fmt: skip
    header = ["blocks", "MB of text", "MB per CPU second", "peak MB", "size / text", "p50 ms", "p99 ms", "found"]
    return f"{text}\n{markdown(header, made)}\nMilliseconds are CPU time of a text of {QUERY_WORDS} words.\n"


def _spread(values: list[float]) -> list[str]:
    return [f"{each:.1f}" for each in (statistics.median(values), min(values), max(values))]


def main() -> None:
    """Print the tables, or be the process that makes an index."""
    if sys.argv[1:2] == ["build"]:
        path, target, block_mib, keywords = sys.argv[2:]
        _build(Path(path), Path(target), int(block_mib), keywords == "1")
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mb", type=int, default=300)
    parser.add_argument("--peer-mb", type=int, default=40)
    parser.add_argument("--peers", type=Path, default=Path(sys.executable), help="Python that has infini-gram")
    parser.add_argument("--scratch", type=Path, default=Path(tempfile.gettempdir()))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.scratch) as folder:
        print(report(Path(folder), arguments.peers, arguments.mb, arguments.peer_mb))


if __name__ == "__main__":
    main()
