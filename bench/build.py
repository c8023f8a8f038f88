"""Proofs about contents, and building a version of a data set."""

from __future__ import annotations

import hashlib
import json
import random
import resource
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from bench.table import markdown
from hallmarked.audit.build.build import Request, build_dataset
from hallmarked.corpus.engine.model import Engine
from hallmarked.corpus.proof.key import RowKey
from hallmarked.corpus.proof.proof import check_proof, describe_commitment, prove, read_commitment
from hallmarked.corpus.proof.tree import Tree
from hallmarked.ledger.ledger import Ledger
from hallmarked.ledger.merkle import inner_hash, leaf_hash, prove_inclusion, root_from_inclusion
from hallmarked.transforms.dataset.recipe import read_recipe

IDENTIFIERS = 1_000_000
ASKED = 500
ROWS = 60_000
STEPS = {
    "written as they are": '[duplicates]\nexact = "keep"\n',
    "exact copies out": "",
    "near copies out": '[duplicates]\nnear = "remove"\n',
    "near copies out, personal data replaced": '[duplicates]\nnear = "remove"\n[redaction]\nmode = "placeholder"\n',
}


def report(scratch: Path) -> str:
    """Measure both."""
    return f"{_proofs()}\n{_builds(scratch)}"


def _proofs() -> str:
    """Compare the radix tree with a sorted list that is proven by two neighbours."""
    key = RowKey.generate()
    digests = [hashlib.sha256(b"%d" % number).digest() for number in range(IDENTIFIERS + ASKED)]
    start = time.process_time()
    made = [key.identify(digest) for digest in digests]
    identified = time.process_time() - start
    rows = [["identifiers from digests, 1 key", f"{identified:.1f}", "", "", ""]]
    for name, measure in (("radix tree (ours)", _radix), ("sorted list, two neighbours: order not enforced", _sorted)):
        rows.append([name, *measure(key, made, digests)])
    head = [
        "1,000,000 contents",
        "CPU s to build",
        "largest proof, bytes",
        "CPU ms to prove",
        "CPU ms to verify, median",
    ]
    return markdown(head, rows)


def _radix(key: RowKey, made: list[bytes], digests: list[bytes]) -> list[str]:
    start = time.process_time()
    tree = Tree(b"".join(sorted(made[:IDENTIFIERS])))
    built = time.process_time() - start
    commitment = read_commitment(describe_commitment(tree, key, "0" * 64))
    start = time.process_time()
    proofs = [prove(tree, key, digest) for digest in digests[IDENTIFIERS:]]
    proving = (time.process_time() - start) / ASKED
    took = [_timed(partial(check_proof, p, commitment, d)) for p, d in zip(proofs, digests[IDENTIFIERS:], strict=True)]
    return [
        f"{built:.1f}",
        f"{max(map(len, proofs)):,}",
        f"{proving * 1e3:.1f}",
        f"{sorted(took)[ASKED // 2] * 1e3:.2f}",
    ]


def _sorted(_key: RowKey, made: list[bytes], _digests: list[bytes]) -> list[str]:
    start = time.process_time()
    leaves = [leaf_hash(each) for each in sorted(made[:IDENTIFIERS])]
    levels = [leaves]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append([inner_hash(below[at], below[at + 1]) for at in range(0, len(below) - 1, 2)])
    built = time.process_time() - start
    size = len(leaves)

    def node(level: int, index: int) -> bytes:
        return levels[level][index]

    start = time.process_time()
    paths = [(at, prove_inclusion(at, size, node)) for at in range(0, size, size // (2 * ASKED))]
    proving = 2 * (time.process_time() - start) / len(paths)
    took = [_timed(partial(root_from_inclusion, at, size, leaves[at], path)) for at, path in paths]
    largest = 2 * (max(len(path) for _, path in paths) * 32 + 32)
    return [
        f"{built:.1f}",
        f"{largest:,} without names",
        f"{proving * 1e3:.1f}",
        f"{2 * sorted(took)[len(took) // 2] * 1e3:.2f}",
    ]


def _timed(call: Callable[[], object]) -> float:
    start = time.process_time()
    call()
    return time.process_time() - start


def _builds(scratch: Path) -> str:
    """Build versions of generated rows, one step more each time."""
    scratch.mkdir(parents=True)
    size = _generate(scratch / "rows.jsonl")
    rows = []
    with Ledger.open(scratch / "home") as ledger:
        for number, (name, steps) in enumerate(STEPS.items()):
            recipe = (
                f"recipe = 1\n[dataset]\nname = 'x'\n[[source]]\nname = 'rows'\npath = 'rows.jsonl'\n{steps}".encode()
            )
            request = Request(
                read_recipe(recipe, scratch), recipe, scratch / f"v{number}", RowKey.generate(), Engine(2)
            )
            before = _used()
            built = build_dataset(request, ledger, datetime.now(UTC).replace(microsecond=0))
            seconds = _used() - before
            kept = sum(built.document.rows.values())
            rows.append([name, f"{seconds:.1f}", f"{size / 1e6 / seconds:.1f}", f"{kept:,} of {ROWS:,}"])
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    head = [f"{size / 1e6:.0f} MB of JSON Lines", "CPU s, all processes", "MB per CPU s", "rows kept"]
    return f"{markdown(head, rows)}\nMost memory of any process of these: {peak:,.0f} MiB.\n"


def _used() -> float:
    return sum(
        each.ru_utime + each.ru_stime
        for each in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def _generate(path: Path) -> int:
    """Write rows of which some are copies, some nearly, and some hold addresses."""
    chance = random.Random(7)
    words = ["".join(chance.choices("abcdefghijklmnoprstuvwz", k=chance.randint(2, 9))) for _ in range(20_000)]
    texts: list[list[str]] = []
    with path.open("w") as out:
        for number in range(ROWS):
            if texts and chance.random() < 0.1:
                text = list(chance.choice(texts))
                if chance.random() < 0.5:
                    text[chance.randrange(len(text))] = chance.choice(words)
            else:
                text = chance.choices(words, k=chance.randint(40, 200))
                texts.append(text)
            if number % 50 == 0:
                text = [*text, f"{chance.choice(words)}@{chance.choice(words)}.org"]
            out.write(json.dumps({"id": number, "text": " ".join(text)}) + "\n")
    return path.stat().st_size
