"""Listing and search of 10,000 repositories, over HTTP on this machine: ``python -m bench.listing``.

Every repository is made as a client would make it, with a card of its own; the requests are those that clients send.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import httpx
from tests.hubs import RunningHub, serve_test_hub

from hallmarked.hub.access import Actor
from hallmarked.hub.account.account import create_account
from hallmarked.hub.catalog.search import Query, search
from hallmarked.hub.change.commit import Message, Put, commit
from hallmarked.hub.change.creation import create
from hallmarked.hub.hub import Hub

COUNT, ROUNDS, PEOPLE = 10_000, 200, 50
LICENCES = ("mit", "apache-2.0", "cc-by-4.0", "gpl-3.0", "other")
TASKS = ("text-classification", "fill-mask", "text-generation", "image-classification", "summarization")
LANGUAGES = ("en", "es", "fr", "de", "zh", "ar", "hi", "sw")
WORDS = ("bert", "gpt", "llama", "vision", "tiny", "base", "large", "clinic", "legal", "triage", "distil", "audio")
REQUESTS = {
    "newest 100": {},
    "newest 100, all fields": {"full": "true", "limit": "100"},
    "most downloaded of one licence": {"filter": "license:mit", "sort": "downloads"},
    "one task, one language": {"filter": ["summarization", "sw"], "sort": "likes"},
    "one author, trending": {"author": "person-7", "sort": "trendingScore"},
    "search for a word": {"search": "bert"},
    "search for beginnings of two words": {"search": "cli tri", "sort": "trendingScore"},
    "search in one licence": {"search": "llama", "filter": "license:gpl-3.0"},
    "search that finds nothing": {"search": "zebra"},
    "common labels that never meet": {"filter": ["license:mit", "license:other"]},
}


def report() -> str:
    """Fill a hub, ask it, and write what it took as Markdown tables."""
    with tempfile.TemporaryDirectory() as folder, serve_test_hub(Path(folder)) as running:
        start = time.perf_counter()
        fill(running.hub, COUNT)
        filled = time.perf_counter() - start
        size = (Path(folder) / "data" / "hub.sqlite3").stat().st_size / 1e6
        tables = [_over_http(running), _growth(running.hub)]
    made = (
        f"{COUNT:,} repositories with two commits each were made in {filled:.0f} s; the database has {size:.0f} MB.\n"
    )
    return "\n".join([made, *tables])


def fill(hub: Hub, count: int) -> None:
    """Make repositories of many people."""
    chance = random.Random(7)
    with hub.database.write() as db:
        people = [create_account(db, f"person-{number}") for number in range(PEOPLE)]
    for start in range(0, count, 500):
        with hub.database.write() as db:
            for number in range(start, min(start + 500, count)):
                owner = chance.choice(people)
                actor = Actor(owner.id, owner.name)
                name = f"{chance.choice(WORDS)}-{chance.choice(WORDS)}-{number}"
                repo = create(db, actor, "model", name, visibility="private" if number % 10 == 0 else "public")
                card = (
                    f"---\nlicense: {chance.choice(LICENCES)}\npipeline_tag: {chance.choice(TASKS)}\n"
                    f"language: [{chance.choice(LANGUAGES)}]\ntags: [{chance.choice(WORDS)}]\n---\n# {name}\n"
                )
                commit(db, repo, actor, [Put("README.md", card.encode())], Message("card"))


def _over_http(running: RunningHub) -> str:
    rows = []
    with httpx.Client(base_url=running.url) as client:
        for what, params in REQUESTS.items():
            times, found = [], 0
            for _ in range(ROUNDS):
                start = time.perf_counter()
                answer = client.get("/api/models", params=params)
                times.append((time.perf_counter() - start) * 1000)
                found = len(answer.raise_for_status().json())
            rows.append([what, str(found), *_figures(times)])
        deep = [_follow(client) for _ in range(3)]
        rows.append(["every page of 100, one after the other", "100", *_figures([t for one in deep for t in one])])
    return _markdown(["request", "found", "median ms", "p95 ms"], rows)


def _follow(client: httpx.Client) -> list[float]:
    times = []
    url: str | None = "/api/models"
    while url:
        start = time.perf_counter()
        answer = client.get(url).raise_for_status()
        times.append((time.perf_counter() - start) * 1000)
        url = answer.links.get("next", {}).get("url")
    return times


def _growth(hub: Hub) -> str:
    """Compare the same question with pages of different size: the cost is the page's."""
    rows = []
    with hub.database.read() as db:
        for size in (10, 100, 1_000):
            times = []
            for _ in range(ROUNDS // 4):
                start = time.perf_counter()
                search(db, Actor(), Query("model", sort="downloads", count=size))
                times.append((time.perf_counter() - start) * 1000)
            rows.append([f"{size:,}", *_figures(times)])
    return _markdown(["page (function alone)", "median ms", "p95 ms"], rows)


def _figures(times: Sequence[float]) -> list[str]:
    return [f"{statistics.median(times):.1f}", f"{statistics.quantiles(times, n=20)[-1]:.1f}"]


def _markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


if __name__ == "__main__":
    print(report())
