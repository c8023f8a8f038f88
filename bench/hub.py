"""How fast a hub answers: a commit of many small files, and the description of a file to many clients at once."""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from bench.server import Server
from bench.table import markdown
from bench.transfer import create, run_hub
from hallmarked.hub.access import Actor
from hallmarked.hub.commit import Message, Put, commit
from hallmarked.hub.creation import create as create_repository
from hallmarked.hub.hub import Hub

FILES = 1_000
CLIENTS, SECONDS, PAUSE = 50, 10, 0.25
REPOSITORIES, ASKED = 10_000, 100
WORDS = [f"{first}{second}" for first in ("tri", "med", "lin", "opt", "rad") for second in ("age", "ora", "ux", "ium")]

PUSH = """
import sys, time
from huggingface_hub import HfApi
api = HfApi(endpoint=sys.argv[1], token=sys.argv[2])
api.create_repo("ada/many")
began = time.perf_counter()
api.upload_folder(folder_path=sys.argv[3], repo_id="ada/many")
print(time.perf_counter() - began)
"""


def report(scratch: Path) -> str:
    """Measure everything."""
    with run_hub(scratch / "hub") as hub:
        create(hub)
        rows = [push(hub, scratch), heads(hub, 0.0), heads(hub, PAUSE)]
    return markdown(["what", "target", "measured"], rows)


def report_search(scratch: Path) -> str:
    """Measure listings and searches in a hub with few and with many repositories."""
    rows = []
    for count in (REPOSITORIES // 10, REPOSITORIES):
        with run_hub(scratch / str(count), lambda hub, actor: fill(hub, actor, count)) as hub:  # noqa: B023
            rows += [[f"{count:,}", *row] for row in searches(hub)]
    return markdown(["repositories", "question", "target", "p95 ms", "median ms"], rows)


def fill(hub: Hub, actor: Actor, count: int) -> None:
    """Make repositories with a name of three words, and a card with a licence, a language and tags."""
    chance = random.Random(1)
    for start in range(0, count, 200):
        with hub.database.write() as db:
            for number in range(start, min(count, start + 200)):
                name = "-".join(chance.choice(WORDS) for _ in range(3))
                made = create_repository(db, actor, "model", f"{name}-{number}")
                licence, language = chance.choice(("mit", "apache-2.0", "cc-by-4.0")), chance.choice(("en", "es", "de"))
                tags = "".join(f"- {chance.choice(WORDS)}\n" for _ in range(3))
                card = f"---\nlicense: {licence}\nlanguage: {language}\ntags:\n{tags}---\n# {name}\n"
                commit(db, made, actor, [Put("README.md", card.encode())], Message("card"))


def searches(hub: Server) -> list[list[str]]:
    """Ask each kind of question often, one at a time, each time with other words."""
    chance = random.Random(2)
    questions = {
        "newest 50": lambda: "limit=50",
        "most liked 100": lambda: "sort=likes&limit=100",
        "by a word": lambda: f"search={chance.choice(WORDS)}&limit=50",
        "by two beginnings of words": lambda: f"search={chance.choice(WORDS)[:4]}+{chance.choice(WORDS)[:3]}&limit=50",
        "by licence, language and tag": lambda: f"license=mit&language=es&filter={chance.choice(WORDS)}&limit=50",
        "a word that is nowhere": lambda: f"search=zz{chance.randrange(10**6)}&limit=50",
    }
    rows = []
    with httpx.Client(base_url=hub.url, timeout=60) as client:
        for name, question in questions.items():
            took = []
            for _ in range(ASKED):
                began = time.perf_counter()
                client.get(f"/api/models?{question()}").raise_for_status()
                took.append((time.perf_counter() - began) * 1000)
            rows.append(
                [name, "< 50 ms", f"{statistics.quantiles(took, n=20)[-1]:.1f}", f"{statistics.median(took):.1f}"]
            )
    return rows


def push(hub: Server, scratch: Path) -> list[str]:
    """Push small files by the ecosystem's own client, in one commit."""
    folder = scratch / "many"
    for number in range(FILES):
        path = folder / f"part{number % 10}" / f"{number}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'{{"number": {number}, "noise": "{os.urandom(500).hex()}"}}')
    environment = os.environ | {"HF_HOME": str(scratch / "home"), "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", PUSH, hub.url, hub.facts["token"], str(folder)],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    took = float(done.stdout.split()[-1])
    return [f"push of {FILES:,} small files in one commit (huggingface_hub)", "< 3 s", f"{took:.2f} s"]


def heads(hub: Server, pause: float) -> list[str]:
    """Ask for the descriptions of files, one after another, from many connections."""
    url = f"{hub.url}/ada/many/resolve/main"
    took = asyncio.run(_ask(url, hub.facts["token"], pause))
    p50, p95 = statistics.median(took), statistics.quantiles(took, n=20)[-1]
    rate = len(took) / SECONDS
    how = f"one every {pause:g} s each" if pause else "without a pause"
    return [
        f"resolve HEAD, {CLIENTS} clients, {how}",
        "p95 < 10 ms",
        f"p95 {p95 * 1000:.1f} ms, median {p50 * 1000:.1f} ms, {rate:,.0f}/s",
    ]


async def _ask(url: str, token: str, pause: float) -> list[float]:
    parts = urlsplit(url)
    rest = f"HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {token}\r\n\r\n"
    took: list[float] = []
    until = time.perf_counter() + SECONDS

    async def client(number: int) -> None:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        await asyncio.sleep(pause * number / CLIENTS)
        asked = number  # each begins elsewhere: no two ask for the same file at once
        while time.perf_counter() < until:
            asked = (asked + 1) % FILES
            head = f"HEAD {parts.path}/part{asked % 10}/{asked}.json {rest}".encode()
            began = time.perf_counter()
            writer.write(head)
            answer = await reader.readuntil(b"\r\n\r\n")
            took.append(time.perf_counter() - began)
            if not answer.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(answer)
            await asyncio.sleep(pause)
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(client(number) for number in range(CLIENTS)))
    return took
