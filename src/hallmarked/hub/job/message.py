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
from hallmarked.hub.outbound.webhook import deliver_due

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
"""How often it looks for messages that are due."""


@contextmanager
def messaging(hub: Hub, every: float = LOOK_SECONDS) -> Iterator[None]:
    """Send messages of a hub in a thread of this process until the context is left.

    Args:
        hub: The hub.
        every: Seconds between two looks for what is due.
    """
    stop = threading.Event()
    thread = threading.Thread(target=_run, args=(hub, stop, every), name="hallmarked-messages")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _run(hub: Hub, stop: threading.Event, every: float) -> None:
    while not stop.wait(every):
        try:
            deliver_due(hub, stopped=stop.is_set)
        except Error as error:
            log.warning("messages cannot be sent now: %s", error)
