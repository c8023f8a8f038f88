"""The plan: a table of parts, and what was learned from each, computed by Daft here or on a cluster of Ray.

Neither library may tell anybody that it is used, so that is settled before they are imported.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Protocol, cast

QUIET = {
    "DAFT_ANALYTICS_ENABLED": "0",
    "DAFT_PROGRESS_BAR": "0",
    "DO_NOT_TRACK": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
    "SCARF_NO_ANALYTICS": "1",
}
"""What makes these libraries keep to themselves, here and in the processes of a cluster."""
os.environ.update(QUIET)

import daft  # noqa: E402 -- see above

from hallmarked.core.check import Part  # noqa: E402
from hallmarked.core.errors import BackendError  # noqa: E402
from hallmarked.corpus.engine.model import RAY, Engine  # noqa: E402

PER_PROCESSOR = 4
"""Portions of the parts per processor of a cluster, so that those who are done early get more."""
PER_PORTION = 8
"""Most parts of a portion; what is learned from them travels together."""


class Hands(Protocol):
    """Does the work where the plan runs."""

    def look(self, number: int, part: Part) -> bytes:
        """Look at a part, and return what the one who waits for the plan is told."""


class Worker:
    """What the plan calls, wherever it runs.

    Args:
        hands: Who does the work.
        width: Parts that are looked at at once.
    """

    def __init__(self, hands: Hands, width: int) -> None:
        self._hands = hands
        self._threads = ThreadPoolExecutor(width, "part")

    @daft.method.batch(return_dtype=daft.DataType.binary(), batch_size=1)
    async def learn(self, numbers: daft.Series, parts: daft.Series) -> list[bytes]:
        """Look at parts in a thread, so that others can be looked at meanwhile."""
        here = asyncio.get_running_loop()
        pairs = zip(numbers.to_pylist(), parts.to_pylist(), strict=True)
        return [await here.run_in_executor(self._threads, self._look, number, part) for number, part in pairs]

    def _look(self, number: int, part: str) -> bytes:
        return self._hands.look(number, json.loads(part))


def build(parts: Sequence[Part], hands: Hands, width: int, portions: int | None = None) -> daft.DataFrame:
    """Write down what is to be computed.

    Args:
        parts: The parts.
        hands: Who does the work; travels to wherever the plan runs.
        width: Parts that are looked at at once in one place.
        portions: Into how many the parts are divided; by default they stay together.
    """
    frame = daft.from_pydict({"number": list(range(len(parts))), "part": [json.dumps(part) for part in parts]})
    if portions:
        frame = frame.into_partitions(portions)
    worker = daft.cls(Worker, max_concurrency=width)(hands, width)
    return frame.select(frame["number"], worker.learn(frame["number"], frame["part"]).alias("said"))


def follow(frame: daft.DataFrame) -> Iterator[tuple[int, bytes]]:
    """Compute a plan, and yield what is said of which part, as it comes.

    Raises:
        BackendError: When it cannot be computed to its end.
    """
    try:
        for row in frame.iter_rows(results_buffer_size=1):
            yield row["number"], row["said"]
    except (RuntimeError, OSError, daft.exceptions.DaftCoreException) as error:
        raise BackendError(f"the plan failed: {str(error).strip().rpartition(chr(10))[2][:200]}") from error


def choose(engine: Engine) -> int:
    """Make a cluster compute all plans of this process from now on, or this machine.

    Returns:
        How many processors it has.

    Raises:
        BackendError: When the cluster does not answer, or another one computes already.
    """
    if not engine.address:
        with suppress(daft.exceptions.DaftCoreException):  # it can be set once, and is looked at below
            daft.set_runner_native()
        _confirm("native")
        return engine.width
    try:
        import ray  # noqa: PLC0415 -- needs the extra "cluster"
    except ModuleNotFoundError as error:
        raise BackendError("a cluster needs more packages: pip install 'hallmarked[cluster]'") from error
    for name in ("daft", "ray"):
        logging.getLogger(name).setLevel(logging.ERROR)  # they tell at length to whom they speak
    if not ray.is_initialized():
        try:
            ray.init(
                address="auto" if engine.address == RAY else engine.address,
                log_to_driver=False,
                runtime_env={"env_vars": QUIET},
            )
        except (ConnectionError, TimeoutError, RuntimeError, ValueError) as error:
            reason = str(error).strip().partition("\n")[0][:200]
            raise BackendError(f"no cluster answers at {engine.address}: {reason}") from error
    daft.set_runner_ray(address=engine.address, noop_if_initialized=True)
    _confirm("ray")
    resources = cast("dict[str, Any]", ray.cluster_resources())  # type: ignore[no-untyped-call]
    return max(1, int(resources.get("CPU", 1)))


def _confirm(name: str) -> None:
    if daft.get_or_create_runner().name != name:
        raise BackendError("this process has parts computed by another engine already")


def portions_of(parts: int, processors: int) -> int:
    """Return into how many portions the parts are divided on a cluster."""
    return min(parts, max(PER_PROCESSOR * processors, -(-parts // PER_PORTION)))
