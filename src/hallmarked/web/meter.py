"""Counts requests, and logs one line about it: which route, which status, how long.

Text format of the counters: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import logging
import threading
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("hallmarked.request")

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)
"""Upper ends of the histogram's classes."""
QUIET = frozenset({"health.live", "health.ready", "health.metrics"})
"""Routes that machines ask for all the time; they are counted, not logged."""
UNKNOWN = "none"
"""Stands for the route of a request that no route answers."""
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"})

Labels = tuple[tuple[str, str], ...]


class Meters:
    """Counters of one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: Counter[Labels] = Counter()
        self._classes: Counter[tuple[str, float]] = Counter()
        self._sums: Counter[str] = Counter()
        self._sent = 0
        self._started = time.time()

    def note(self, method: str, route: str, status: int, seconds: float, sent: int) -> None:
        """Count one request."""
        known = method if method in _METHODS else "OTHER"
        with self._lock:
            self._requests[("method", known), ("route", route), ("status", str(status))] += 1
            self._sums[route] += seconds  # type: ignore[assignment]  # a counter of floats
            self._sent += sent
            if seconds <= SECONDS[-1]:
                self._classes[route, SECONDS[bisect_left(SECONDS, seconds)]] += 1

    def lines(self) -> Iterator[str]:
        """Write the counters."""
        with self._lock:
            requests, classes, sums = dict(self._requests), dict(self._classes), dict(self._sums)
            sent, started = self._sent, self._started
        yield from write("hallmarked_requests_total", "counter", "Requests answered.", requests.items())
        totals: Counter[str] = Counter()
        for labels, count in requests.items():
            totals[dict(labels)["route"]] += count
        name = "hallmarked_request_seconds"
        yield f"# HELP {name} Time until the end of an answer."
        yield f"# TYPE {name} histogram"
        for route, total in sorted(totals.items()):
            within = 0
            for end in SECONDS:
                within += classes.get((route, end), 0)
                yield f'{name}_bucket{{route="{_quoted(route)}",le="{end:g}"}} {within}'
            yield f'{name}_bucket{{route="{_quoted(route)}",le="+Inf"}} {total}'
            yield f'{name}_sum{{route="{_quoted(route)}"}} {sums[route]:.6f}'
            yield f'{name}_count{{route="{_quoted(route)}"}} {total}'
        yield from write("hallmarked_sent_bytes_total", "counter", "Bytes of answers.", [((), sent)])
        yield from write("process_start_time_seconds", "gauge", "When this process began.", [((), started)])


class Metered:
    """Middleware that measures every request.

    Args:
        app: What answers.
        meters: Where it is counted.
    """

    def __init__(self, app: ASGIApp, meters: Meters) -> None:
        self.app, self.meters = app, meters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status, sent = time.perf_counter(), 0, 0

        async def watch(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "http.response.body":
                sent += len(message.get("body", b""))
            await send(message)

        state = scope.setdefault("state", {})
        try:
            await self.app(scope, receive, watch)
        finally:
            seconds = time.perf_counter() - began
            route = _route(scope.get("endpoint"))
            self.meters.note(scope["method"], route, status, seconds, sent)
            if route not in QUIET:
                extra = {
                    "request": state.get("request_id"),
                    "method": scope["method"],
                    "route": route,
                    "status": status,
                    "bytes": sent,
                }
                log.info("answered", extra={**extra, "ms": round(seconds * 1000, 1)})


def write(name: str, kind: str, meaning: str, values: Iterable[tuple[Labels, float]]) -> Iterator[str]:
    """Write one metric."""
    yield f"# HELP {name} {meaning}"
    yield f"# TYPE {name} {kind}"
    for labels, value in values:
        inner = ",".join(f'{key}="{_quoted(text)}"' for key, text in labels)
        yield f"{name}{{{inner}}} {value:g}" if inner else f"{name} {value:.17g}"


def gauges(values: Mapping[str, tuple[str, Mapping[Labels, float]]]) -> Iterator[str]:
    """Write several metrics that go up and down: meaning and values by name."""
    for name, (meaning, found) in values.items():
        yield from write(name, "gauge", meaning, found.items())


def _route(endpoint: object) -> str:
    """Name a route by the function that answers it, such as ``tree.paths``."""
    function = getattr(endpoint, "func", endpoint)
    if function is None:
        return UNKNOWN
    return f"{str(function.__module__).rpartition('.')[2]}.{getattr(function, '__name__', type(function).__name__)}"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
