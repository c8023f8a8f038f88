"""How fast a hub answers: a commit of many small files, and the description of a file to many clients at once."""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

from bench.server import Server
from bench.table import markdown
from bench.transfer import create, run_hub

FILES = 1_000
CLIENTS, SECONDS, PAUSE = 50, 10, 0.25

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
