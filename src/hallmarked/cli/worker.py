"""``hallmarked worker``: audit for a hub in a process of its own."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import click

from hallmarked.cli.hub import settings_with
from hallmarked.cli.setting import PATH, passphrase
from hallmarked.hub.hub import open_hub
from hallmarked.hub.job.delivery import delivering
from hallmarked.hub.job.passage import indexing
from hallmarked.hub.job.queue import auditing, leave
from hallmarked.hub.log import start_log


@click.command(name="worker")
@click.option("--config", type=PATH, help="Settings as TOML.")
@click.option("--data", type=PATH, help="Folder for everything the hub keeps.")
@click.option("--threads", type=click.IntRange(1, 64), help="Audits at once.")
def command(config: Path | None, data: Path | None, threads: int | None) -> None:
    """Audit what is pushed to a hub, beside the processes that answer requests.

    Any number may run, on several machines when the database is PostgreSQL and files are in S3-compatible storage. What
    one of them does not finish is taken up by another.
    """
    settings = settings_with(config, storage__data=str(data) if data else None, job__threads=threads)
    start_log()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    signal.signal(signal.SIGHUP, lambda *_: None)  # there is nothing to read anew
    with open_hub(settings, passphrase()) as hub, auditing(hub), delivering(hub), indexing(hub):
        stop.wait()
    leave()
