"""One step of ``bench.scale`` in a process of its own: ``python -m bench.scale_worker STEP FOLDER``.

What is printed is JSON: ``costs``, a list of seconds of processor time, bytes kept and peak memory (MB) by stage, and
numbers of other kinds.
"""

from __future__ import annotations

import hashlib
import json
import random
import resource
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, cast

from hallmarked.artifacts.source import open_artifact
from hallmarked.audit.build.build import Request, build_dataset
from hallmarked.checks.dataset.text import halvings_for
from hallmarked.checks.duplicate import DuplicateCheck
from hallmarked.checks.part import cut_texts, read_part
from hallmarked.checks.registry import load
from hallmarked.core.artifact import Artifact
from hallmarked.core.check import Learned, Part, PartCheck
from hallmarked.corpus.consent.key import create_key
from hallmarked.corpus.consent.list import ConsentList, Heading
from hallmarked.corpus.consent.match import Row
from hallmarked.corpus.consent.record import Mode, Scope, make_entry
from hallmarked.corpus.duplicate.find import find_duplicates
from hallmarked.corpus.duplicate.learn import read_texts
from hallmarked.corpus.duplicate.sketch import Settings
from hallmarked.corpus.duplicate.state import State
from hallmarked.corpus.duplicate.whole import I64
from hallmarked.corpus.engine.model import Engine
from hallmarked.corpus.proof.identifier import DRAWER_BITS, DRAWERS
from hallmarked.corpus.proof.key import RowKey
from hallmarked.corpus.table.model import Skipped
from hallmarked.ledger.ledger import Ledger
from hallmarked.transforms.dataset.recipe import read_recipe

CHECKS = {"tables": "tables", "texts": "texts", "personal": "personal-data", "leakage": "benchmark-leakage"}
"""Steps that are a check as it is."""
FORMATS = {"jsonl": "data", "csv": "csv", "parquet": "parquet"}
"""Formats, and the folders that have them."""
FILES, ENTRIES = 300, 40_000
HALVINGS = halvings_for(10 * 10**12)
"""How seldom a text's language is found: a sample of fixed size is taken, so that it is next to nothing at 10 TB."""
STAGES = {"Reading": "survey", "Looking": "copies", "Writing": "write", "Committing": "commit"}
"""Stages of a build, by the first word that is told of them."""
RECIPE = b"""
recipe = 1
[dataset]
name = 'x'
[[source]]
name = 'rows'
path = '%s'
[duplicates]
near = 'remove'
[redaction]
mode = 'placeholder'
"""
Found = dict[str, Any]


class Clock:
    """Collects what stages cost: processor time of this process and of those it waited for, and its peak memory."""

    def __init__(self) -> None:
        self.costs: list[Found] = []
        self.start()

    def start(self) -> None:
        """Begin a stage."""
        Path("/proc/self/clear_refs").write_text("5")  # the peak is that of the stage
        self._before = cpu()

    def stop(self, stage: str, kept: int = 0) -> None:
        """End a stage, and begin the next one.

        Args:
            stage: Its name.
            kept: Bytes that it left on the disk.
        """
        lines = Path("/proc/self/status").read_text().splitlines()
        peak = next(int(line.split()[1]) / 1000 for line in lines if line.startswith("VmHWM"))
        self.costs.append({"stage": stage, "seconds": cpu() - self._before, "kept": kept, "peak": peak})
        self.start()


def cpu() -> float:
    """Return the processor time of this process and of those it waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def read(form: str, folder: Path) -> Found:
    """Read all rows of one format."""
    artifact = open_artifact(folder / FORMATS[form])
    parts = list(cut_texts(artifact))
    clock = Clock()
    rows = sum(
        piece.num_rows for part in parts for piece in read_part(artifact, part) if not isinstance(piece, Skipped)
    )
    clock.stop("read")
    return {"costs": clock.costs, "rows": rows}


def digest(folder: Path) -> Found:
    """Compute the SHA-256 of every file."""
    clock = Clock()
    for path in sorted((folder / "data").iterdir()):
        with path.open("rb") as stream:
            hashlib.file_digest(stream, "sha256")
    clock.stop("digest")
    return {"costs": clock.costs}


def check(name: str, folder: Path) -> Found:
    """Learn from every part, and conclude."""
    found, artifact, tiny = _load(CHECKS[name]), open_artifact(folder / "data"), open_artifact(folder / "tiny")
    tiny.beside = artifact.beside = {"benchmark": open_artifact(folder / "benchmark.jsonl")}
    _learn(found, tiny, folder / f"tiny-{name}")  # patterns are compiled, benchmarks indexed: once for a process
    clock = Clock()
    learned = _learn(found, artifact, folder / f"states-{name}")
    clock.stop("learn", sum(each.size for each in learned))
    list(found.conclude(artifact, learned))
    clock.stop("conclude")
    return {"costs": clock.costs}


def duplicates(folder: Path) -> Found:
    """Learn and conclude, with the stages of concluding apart: groups and bands, then texts read again, then passages.

    Bands are found without any text at hand, so that no pair is compared; the whole minus that is what comparing costs.
    """
    found, artifact = DuplicateCheck(), open_artifact(folder / "data")
    _learn(found, open_artifact(folder / "tiny"), folder / "tiny-duplicates")
    clock = Clock()
    learned = _learn(found, artifact, folder / "states-duplicates")
    clock.stop("learn", sum(each.size for each in learned))
    states = [State.load(each.open, each.size, Settings()) for each in learned]
    find_duplicates(states, lambda _index, _rows: iter(()))
    clock.stop("bands")
    find_duplicates(states, partial(_again, artifact, [each.part for each in learned]))
    clock.stop("find")
    list(found.conclude(artifact, learned))
    clock.stop("conclude")
    bands, finding, whole = clock.costs[1:]
    finding["stage"], whole["stage"] = "verify", "passages"
    whole["seconds"] = max(0.0, whole["seconds"] - finding["seconds"])
    finding["seconds"] = max(0.0, finding["seconds"] - bands["seconds"])
    return {"costs": clock.costs, "names": sum(state.names for state in states)}


def _load(check_id: str) -> PartCheck:
    return cast("PartCheck", load(check_id)[0])


def _again(artifact: Artifact, parts: Sequence[Part], index: int, rows: I64) -> Iterator[tuple[I64, Sequence[str]]]:
    yield from read_texts(read_part(artifact, parts[index]), parts[index]["texts"], rows)


def _learn(found: PartCheck, artifact: Artifact, folder: Path) -> list[Learned]:
    folder.mkdir()
    learned: list[Learned] = []
    for cut_part in found.cut(artifact):
        part = {**cut_part, "halvings": HALVINGS} if "halvings" in cut_part else cut_part
        path = folder / str(len(learned))
        path.write_bytes(found.learn(artifact, part))
        learned.append(Learned(part, partial(_open, path), path.stat().st_size))
    return learned


def _open(path: Path) -> BinaryIO:
    return path.open("rb")


def cut(folder: Path) -> Found:
    """Cut many small files, as one confined process does for every check."""
    small = folder / "small"
    small.mkdir()
    for number in range(FILES):
        (small / f"{number:04}.jsonl").write_text('{"text": "one two three four five"}\n')
    artifact = open_artifact(small)
    clock = Clock()
    parts = list(DuplicateCheck().cut(artifact))
    clock.stop("cut")
    said = sum(len(json.dumps({"kind": "Cut", "body": {"part": part}})) + 1 for part in parts)
    return {"seconds": clock.costs[0]["seconds"] / FILES, "bytes": said / FILES}


def build(folder: Path) -> Found:
    """Build a version without near copies and personal data, less what it costs to build one of a few rows.

    What drawers cost once is paid before.
    """
    key = RowKey.generate()
    for drawer in range(DRAWERS):
        key.identify((drawer << (16 - DRAWER_BITS)).to_bytes(2, "big") + bytes(30))
    with Ledger.open(folder / "home") as ledger:
        least, found = (_built(folder, name, key, ledger) for name in ("tiny", "data"))
    for stage, each in found.items():
        each["seconds"] -= least[stage]["seconds"]
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000
    return {"costs": list(found.values()), "peak": peak}


def _built(folder: Path, name: str, key: RowKey, ledger: Ledger) -> dict[str, Found]:
    """Build from one folder, and return what each stage cost."""
    clock, now, version = Clock(), ["survey"], folder / f"version-{name}"

    def told(text: str) -> None:
        clock.stop(now[-1], _size(folder.glob("*/.work/survey-*/*")) if now[-1] == "survey" else 0)
        now.append(STAGES.get(text.split(maxsplit=1)[0], now[-1]))

    recipe = RECIPE % name.encode()
    request = Request(read_recipe(recipe, folder), recipe, version, key, Engine(1))
    build_dataset(request, ledger, datetime.now(UTC).replace(microsecond=0), told)
    clock.stop(now[-1])
    merged: dict[str, Found] = {}
    for each in clock.costs:
        one = merged.setdefault(each["stage"], {**each, "seconds": 0.0})
        one["seconds"] += each["seconds"]
        one["kept"] = max(one["kept"], each["kept"])
    merged["commit"]["kept"] = lists = _size(version.rglob("*.ids"))
    merged["write"]["kept"] = _size(version.rglob("*")) - lists
    return merged


def _size(paths: Iterable[Path]) -> int:
    return sum(path.stat().st_size for path in paths if path.is_file())


def consent(folder: Path) -> Found:
    """Match rows with a list of consents, without and with texts nearly alike."""
    key, scope, now = create_key(), Scope(Mode.OPT_OUT), datetime(2026, 1, 1, tzinfo=UTC)
    entries = [make_entry(key, "account", f"user{n}", scope, since=now) for n in range(ENTRIES // 2)]
    entries += [make_entry(key, "content", f"text-sha256:{n:064x}", scope, since=now) for n in range(ENTRIES // 2)]
    given = [json.loads(line) for path in sorted((folder / "data").iterdir()) for line in path.open()]
    made = [Row(account=f"account{n // 50}", url=row["url"], text=row["text"]) for n, row in enumerate(given)]
    word = random.Random(1)
    text = " ".join(str(word.randrange(10**6)) for _ in range(300))
    near = [*entries, make_entry(key, "similar", text, scope, since=now)]
    lists = [ConsentList.of(each, key, Heading("bench", now, "1")) for each in (entries, near)]
    clock = Clock()
    for name, each in zip(("exact", "near"), lists, strict=True):
        for _ in each.decide_all(made):
            pass
        clock.stop(name)
    return {"costs": clock.costs}


def main() -> None:
    """Do one step, and print what it cost."""
    step, folder = sys.argv[1], Path(sys.argv[2])
    steps: dict[str, Callable[[Path], Found]] = {
        "digest": digest, "duplicates": duplicates, "cut": cut, "build": build, "consent": consent,
        **{form: partial(read, form) for form in FORMATS}, **{name: partial(check, name) for name in CHECKS},
    }  # fmt: skip
    started = time.perf_counter()
    found = steps[step](folder)
    print(json.dumps({**found, "wall": time.perf_counter() - started}))


if __name__ == "__main__":
    main()
