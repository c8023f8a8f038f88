"""Personal data: what is found beside Presidio, and how fast beside Presidio and RE2.

``python -m bench.personal [--peers PYTHON] [--text FOLDER]``. Each tool runs in a process of its own (``--tool``), so
that memory is its own; they take turns. Speed is in megabytes per second of processor time, after a first pass that
warms up.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

HERE = Path(__file__).parent
DATA = Path(os.environ.get("HALLMARKED_TEST_DATA", HERE.parents[1] / "shared" / "data")) / "pii" / "synth_dev.json"
KINDS = {
    "CREDIT_CARD": "payment-card",
    "EMAIL_ADDRESS": "email",
    "IBAN_CODE": "iban",
    "IP_ADDRESS": "ip-address",
    "PHONE_NUMBER": "phone",
    "US_SSN": "us-ssn",
    "URL": "url",
    "DOMAIN_NAME": "url",
    "US_DRIVER_LICENSE": "driver-licence",
    "DATE_TIME": "date",
}
"""Names of the data set and of Presidio, and ours."""
PATTERNS = (
    r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+",
    r"\b(?:\d{1,3}\.){3}\d{1,3}\b",
    r"(?:\+?\d[\d .()/-]{6,16}\d)",
    r"\b(?:\d[ -]?){12,18}\d\b",
    r"(?i)\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b",
    r"\b\d{3}-\d{2}-\d{4}\b",
    r"https?://[^\s<>\"]+",
)
"""The same kinds as plain patterns, for RE2 alone: no check digits, no words beside them, no overlaps resolved."""
PASSES = 3
Found = list[list[tuple[str, int, int]]]
"""For each text: kind, start, end."""


def ours(engine: str, kinds: Iterable[str]) -> Callable[[Sequence[str]], Found]:
    """Return our search."""
    from hallmarked.corpus.personal.find import Detector, Search  # noqa: PLC0415 -- only in the process that measures

    detector = Detector(
        Search(kinds=frozenset(kinds) | {"birth-date"} if "date" in kinds else frozenset(kinds), engine=engine)
    )

    def find(texts: Sequence[str]) -> Found:
        found: Found = [[] for _ in texts]
        for number, spans in detector.scan(texts):
            found[number] = [
                ("date" if span.kind == "birth-date" else span.kind, span.start, span.end) for span in spans
            ]
        return found

    return find


def patterns() -> Callable[[Sequence[str]], Found]:
    """Return RE2 alone."""
    import re2  # noqa: PLC0415 -- likewise

    compiled = [re2.compile(pattern) for pattern in PATTERNS]

    def find(texts: Sequence[str]) -> Found:
        return [[("", *match.span()) for each in compiled for match in each.finditer(text)] for text in texts]

    return find


def presidio(kinds: Iterable[str]) -> Callable[[Sequence[str]], Found]:
    """Return Presidio without a language model, and without downloads."""
    import spacy  # noqa: PLC0415 -- likewise
    import tldextract  # noqa: PLC0415 -- likewise
    from presidio_analyzer import AnalyzerEngine  # noqa: PLC0415 -- likewise
    from presidio_analyzer.nlp_engine import SpacyNlpEngine  # noqa: PLC0415 -- likewise

    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)

    class Blank(SpacyNlpEngine):
        def __init__(self) -> None:
            super().__init__(models=[{"lang_code": "en", "model_name": "blank"}])
            self.nlp = {"en": spacy.blank("en")}

    engine = AnalyzerEngine(nlp_engine=Blank(), supported_languages=["en"])
    entities = [name for name, kind in KINDS.items() if kind in set(kinds) and name != "DOMAIN_NAME"]

    def find(texts: Sequence[str]) -> Found:
        found: Found = []
        for text in texts:
            results = engine.analyze(text, "en", entities=entities)
            spans = [(KINDS[each.entity_type], each.start, each.end) for each in results]
            mails = [span for span in spans if span[0] == "email"]  # whose hosts it takes for web addresses
            found.append([s for s in spans if s[0] != "url" or not any(_overlap(s, mail) for mail in mails)])
        return found

    return find


def _overlap(one: tuple[str, int, int], other: tuple[str, int, int]) -> bool:
    return one[1] < other[2] and other[1] < one[2]


def tools(kinds: Sequence[str]) -> dict[str, Callable[[], Callable[[Sequence[str]], Found]]]:
    """Return what is compared, by name."""
    return {
        "hallmarked": lambda: ours("", kinds),
        "hallmarked, RE2 for Hyperscan": lambda: ours("re2", kinds),
        "RE2, patterns alone": patterns,
        "Presidio": lambda: presidio(kinds),
    }


def measure(name: str, corpus: str, folder: Path | None) -> dict[str, object]:
    """Run one tool over one corpus, in this process."""
    every = corpus == "all kinds"
    records = json.loads(DATA.read_text())
    texts = _texts(folder) if corpus == "text" else [record["full_text"] for record in records]
    if name == "Presidio" and corpus == "text":
        texts = _part(texts, 200_000)
    chosen = sorted(set(KINDS.values())) if every else sorted(set(KINDS.values()) - {"driver-licence", "date"})
    find = tools(chosen)[name]()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = find(texts)
    repeated = texts * (1 if name == "Presidio" or corpus == "text" else 8)
    size = sum(len(text.encode("utf-8", "replace")) for text in repeated)
    speeds = []
    for _ in range(1 if name == "Presidio" else PASSES):
        start = time.process_time()
        find(repeated)
        speeds.append(size / 1e6 / (time.process_time() - start))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    scores = {} if corpus == "text" or name.startswith("RE2") else _scores(records, found)
    return {"speed": speeds, "peak": peak / 1024, "start": before / 1024, "size": size, "scores": scores}


def _texts(folder: Path | None) -> list[str]:
    paths = sorted((folder or Path(os.__file__).parent).rglob("*.py" if folder is None else "*"))
    texts = (path.read_text("utf-8", "replace") for path in paths if path.is_file())
    return _part(texts, 30_000_000)


def _part(texts: Iterable[str], most: int) -> list[str]:
    chosen, size = [], 0
    for text in texts:
        if size >= most:
            break
        chosen.append(text)
        size += len(text)
    return chosen


def _scores(records: Sequence[dict[str, object]], found: Found) -> dict[str, tuple[int, int, int]]:
    """Count by kind what was found rightly, wrongly, and not; a find is right when it overlaps one of its kind."""
    right, wrong, missed = Counter[str](), Counter[str](), Counter[str]()
    for record, have in zip(records, found, strict=True):
        spans = record["spans"]
        assert isinstance(spans, list)
        want = [
            (KINDS[span["entity_type"]], span["start_position"], span["end_position"])
            for span in spans
            if span["entity_type"] in KINDS
        ]
        for one in want:
            hit = any(one[0] == other[0] and _overlap(one, other) for other in have)
            (right if hit else missed)[one[0]] += 1
        wrong.update(one[0] for one in have if not any(one[0] == other[0] and _overlap(one, other) for other in want))
    return {kind: (right[kind], wrong[kind], missed[kind]) for kind in set(KINDS.values())}


def _run(name: str, corpus: str, python: Path, folder: Path | None) -> dict[str, object] | None:
    if not python.is_file():
        print(f"{name} could not run: there is no {python}", file=sys.stderr)
        return None
    command = [str(python), str(HERE / "personal.py"), "--tool", name, "--corpus", corpus]
    done = subprocess.run(
        command + (["--text", str(folder)] if folder else []), capture_output=True, text=True, check=False
    )
    if done.returncode:
        print(f"{name} could not run: {(done.stderr.strip().splitlines() or ['no output'])[-1]}", file=sys.stderr)
        return None
    result: dict[str, object] = json.loads(done.stdout[done.stdout.rindex('{"speed"') :])
    return result


def report(peers: Path, folder: Path | None = None) -> str:
    """Measure all and return the tables."""
    from bench.table import markdown  # noqa: PLC0415 -- not in the processes that measure

    if not DATA.is_file():
        return f"Left out: no development data at {DATA}.\n"
    runs = {
        (name, corpus): _run(name, corpus, peers if name == "Presidio" else Path(sys.executable), folder)
        for corpus in ("all kinds", "same kinds", "text")
        for name in tools(())
        if not (corpus == "all kinds" and "RE2" in name)
    }
    kinds = sorted(set(KINDS.values()))
    rows = []
    for name in ("hallmarked", "Presidio"):
        run = runs[name, "all kinds"]
        scores = run["scores"] if run else {}
        assert isinstance(scores, dict)
        rows.append([name, *(_f1(*scores[kind]) if kind in scores else "–" for kind in kinds)])
    text = "F1 on the synthetic development records (750 sentences), a find counting when it overlaps:\n\n"
    text += markdown(["", *kinds], rows)
    text += "\nMB of text per second of processor time (seven kinds: all but dates and driving licences):\n\n"
    speeds = []
    for corpus, title in (
        ("same kinds", "the same sentences, eight times"),
        ("text", "source code, or the folder given"),
    ):
        for name in tools(()):
            run = runs[name, corpus]
            if run:
                speed = run["speed"]
                assert isinstance(speed, list)
                least, most = min(speed), max(speed)
                shown = f"{least:.3g} to {most:.3g}" if len(speed) > 1 else f"{most:.3g}"
                speeds.append([title, name, shown, f"{run['size'] / 1e6:.1f}", f"{run['peak']:.0f}"])  # type: ignore[operator]
    return text + markdown(["text", "", "MB/CPU-s", "MB read", "peak memory in MiB"], speeds)


def _f1(right: int, wrong: int, missed: int) -> str:
    return f"{2 * right / max(1, 2 * right + wrong + missed):.3f}"


def main() -> None:
    """Parse, and either measure one tool or report on all."""
    parser = argparse.ArgumentParser(description=re.sub(r"\s+", " ", __doc__ or ""))
    parser.add_argument(
        "--peers", type=Path, default=Path(sys.executable), help="Python in which Presidio is installed"
    )
    parser.add_argument("--text", type=Path, help="folder of texts; Python's own library otherwise")
    parser.add_argument("--tool", help=argparse.SUPPRESS)
    parser.add_argument("--corpus", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.tool:
        print(json.dumps(measure(arguments.tool, arguments.corpus, arguments.text)))
    else:
        print(report(arguments.peers, arguments.text))


if __name__ == "__main__":
    main()
