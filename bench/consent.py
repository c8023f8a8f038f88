"""The registry of consents: what a thief of its database confirms, and what matching and private look-up cost.

``python -m bench.consent`` prints the table. The peer is what is mostly done: a list of plain SHA-256 of identifiers.
"""

from __future__ import annotations

import hashlib
import random
import resource
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select

from bench.table import markdown
from hallmarked.corpus.consent.blind import blind, create_secret, evaluate, public_key, unblind
from hallmarked.corpus.consent.key import create_key
from hallmarked.corpus.consent.list import ConsentList, Heading
from hallmarked.corpus.consent.lookup import make_buckets, make_line, question
from hallmarked.corpus.consent.match import Row
from hallmarked.corpus.consent.record import Entry, Mode, Scope, make_entry, selector_digest
from hallmarked.corpus.consent.selector import Kind, make_selector, text_digest
from hallmarked.hub.consent.key import open_keys
from hallmarked.hub.consent.request import Wish, file_request
from hallmarked.hub.hub import Hub, open_hub
from hallmarked.hub.schema.every import metadata
from hallmarked.hub.setting import Settings, Storage

NAMES, PLANTED = 10_000, 200
"""Identifiers of the thief's dictionary, and how many of them are in the registry."""
ROWS, WORDS, ENTRIES = 20_000, 150, 40_000
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def report() -> str:
    """Measure all of it, and write it as Markdown."""
    with tempfile.TemporaryDirectory() as folder:
        thief = _thief(Path(folder))
    return f"{thief}\n{_matching()}\n{_looking_up()}"


def _thief(folder: Path) -> str:
    """File requests, steal the database, and try a dictionary on it."""
    names = [f"person{number}@example.org" for number in range(NAMES)]
    with open_hub(Settings(storage=Storage(data=str(folder / "data")))) as hub:
        for name in names[:PLANTED]:
            file_request(hub, Wish(Scope(Mode.OPT_OUT), [make_selector(Kind.ACCOUNT, name)]))
        stolen, keys = _dump(hub), open_keys(hub.settings)
    selectors = [make_selector(Kind.ACCOUNT, name) for name in names]
    wrong = create_key()
    plain_list = {hashlib.sha256(selector.value.encode()).hexdigest() for selector in selectors[:PLANTED]}
    ways = {
        "a list of plain SHA-256 (the usual way)": lambda s: hashlib.sha256(s.value.encode()).hexdigest() in plain_list,
        "database, plain SHA-256 or SHA-512": lambda s: any(
            hashlib.new(name, s.value.encode()).hexdigest() in stolen for name in ("sha256", "sha512", "sha1", "md5")
        ),
        "database, the names themselves": lambda s: s.value in stolen,
        "database, HMAC under a guessed key": lambda s: selector_digest(wrong, s).hex() in stolen,
        "database and the key (for comparison)": lambda s: selector_digest(keys.digest, s).hex() in stolen,
    }
    rows = [(way, sum(map(confirms, selectors)), f"{NAMES:,}") for way, confirms in ways.items()]
    return f"{PLANTED} of the names are in the registry.\n\n" + markdown(("what was stolen", "confirmed", "of"), rows)


def _matching() -> str:
    """Match rows with a list, with and without texts nearly alike."""
    dice, key = random.Random(1), create_key()
    words = ["".join(dice.choices("abcdefghij", k=dice.randint(2, 9))) for _ in range(20_000)]
    texts = [" ".join(dice.choices(words, k=WORDS)) for _ in range(ROWS)]
    rows = [
        Row(account=f"account{n // 50}", url=f"https://host{n // 20}.example.org/a/{n}", text=text)
        for n, text in enumerate(texts)
    ]
    scope, size = Scope(Mode.OPT_OUT), sum(map(len, texts)) / 1e6
    entries: list[Entry] = [make_entry(key, "account", f"user{n}", scope, since=NOW) for n in range(ENTRIES // 2)]
    entries += [make_entry(key, "content", f"text-sha256:{n:064x}", scope, since=NOW) for n in range(ENTRIES // 2)]
    entries += [make_entry(key, "domain", f"d{n}.example", scope, since=NOW) for n in range(100)]
    similar = make_entry(key, "similar", " ".join(dice.choices(words, k=300)), scope, since=NOW)
    heading = Heading("bench", NOW, "1")
    plain = {hashlib.sha256(str(n).encode()).hexdigest() for n in range(ENTRIES)}
    exact = ConsentList.of(entries, key, heading)
    near = ConsentList.of([*entries, similar], key, heading)
    ways: dict[str, Callable[[], int]] = {
        "SHA-256 of the text as it is, in a set": lambda: sum(
            hashlib.sha256(text.encode()).hexdigest() in plain for text in texts
        ),
        "digest of the normal text alone": lambda: sum(text_digest(text) in plain for text in texts),
        "account, domain, address, exact content": lambda: sum(1 for _ in exact.decide_all(rows)),
        "the same and texts nearly alike": lambda: sum(1 for _ in near.decide_all(rows)),
    }
    table = [(way, f"{ROWS / seconds:,.0f}", f"{size / seconds:.1f}") for way, seconds in _timed(ways).items()]
    return f"{ROWS:,} rows of {size:.1f} MB, {ENTRIES:,} entries.\n\n" + markdown(
        ("matched by", "rows/CPU-s", "MB/CPU-s"), table
    )


def _looking_up() -> str:
    """Blind, evaluate with a proof, unblind; and make the list."""
    secret, count = create_secret(), 300
    public = public_key(secret)
    asked = [blind(question(make_selector(Kind.ACCOUNT, f"person{n}"))) for n in range(count)]
    answers = [evaluate(secret, [item.element]) for item in asked]
    lines = [make_line(item.element, Mode.OPT_OUT) for item in asked]
    many = [hashlib.sha512(str(n).encode()).digest()[:17] for n in range(100_000)]
    ways: dict[str, Callable[[], int]] = {
        "asker blinds": lambda: sum(1 for n in range(count) if blind(b"%d" % n)),
        "registry evaluates and proves": lambda: sum(1 for item in asked if evaluate(secret, [item.element])),
        "asker checks the proof and unblinds": lambda: sum(
            1 for item, answer in zip(asked, answers, strict=True) if unblind([item], answer, public)
        ),
    }
    table = [(way, f"{count / seconds:,.0f}") for way, seconds in _timed(ways).items()]
    seconds = _timed({"list": lambda: len(make_buckets(many, b"filler").buckets)})["list"]
    buckets, small = make_buckets(many, b"filler"), make_buckets(lines, b"filler")
    return markdown(("private look-up", "a CPU-second"), table) + (
        f"\nA list of 100,000 lines has {len(buckets.buckets):,} buckets of {len(buckets.bucket(0)):,} bytes each,"
        f" made in {seconds:.1f} CPU-s; one of {count} is sent in {len(small.buckets)} of {len(small.bucket(0)):,}.\n"
    )


def _dump(hub: Hub) -> str:
    with hub.database.read() as db:
        return "\n".join(str(tuple(row)) for table in metadata.sorted_tables for row in db.execute(select(table)))


def _timed(ways: dict[str, Callable[[], int]]) -> dict[str, float]:
    """Return the least CPU time of three alternating runs of each."""
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(3):
        for way, run in ways.items():
            before = _cpu()
            run()
            best[way] = min(best[way], _cpu() - before)
    return best


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    print(report())
