"""Sends what webhooks are to be told, in a thread of its own: receivers may be slow, and audits must not wait for them.

What has to be told is a row of the database until it arrived, so nothing is lost when this ends.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from hallmarked.core.errors import Error
from hallmarked.hub.hub import Hub
from hallmarked.hub.outbound.client import client, rules_of
from hallmarked.hub.outbound.webhook import deliver, pending

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
"""How often it looks for messages that are due."""


@contextmanager
def messaging(hub: Hub) -> Iterator[None]:
    """Send messages of a hub in a thread of this process until the context is left."""
    stop = threading.Event()
    thread = threading.Thread(target=_run, args=(hub, stop), name="hallmarked-messages")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _run(hub: Hub, stop: threading.Event) -> None:
    with client(rules_of(hub.settings.outbound)) as opened:
        while not stop.wait(LOOK_SECONDS):
            try:
                with hub.database.read() as db:
                    waiting = pending(db)
                for name in waiting:
                    if not stop.is_set():
                        deliver(hub, opened, name)
            except Error as error:
                log.warning("messages cannot be sent now: %s", error)
