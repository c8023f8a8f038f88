"""What was read from the database, remembered for as long as nothing at all is committed.

Rights are among it. So nothing is trusted for a while: each time the database is asked whether anything was committed
since, by any process, and if so everything is forgotten. What ends by the clock is remembered until then at most.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from hallmarked.hub.clock import now
from hallmarked.hub.database import Database

MOST = 50_000
"""Facts remembered at once."""
LONGEST = 60_000
"""How long anything is remembered at most, milliseconds: a bound for what nobody thought of."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class State:
    """Everything known about one state of the database."""

    version: int
    facts: dict[Hashable, tuple[Any, int]] = field(default_factory=dict)


class Memory:
    """Remembers. May be shared between threads.

    On a database that cannot say cheaply whether it has changed (see :meth:`Database.version`) it remembers nothing.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._state = State(-1)

    def state(self) -> State | None:
        """Return what is known about the present state of the database; None when its state has no name.

        Take it *before* reading what is then remembered in it: a commit in between only makes it be forgotten early.
        """
        version = self._database.version()
        if version is None:
            return None
        state = self._state
        if state.version != version or len(state.facts) >= MOST:
            state = self._state = State(version)
        return state

    def recall(self, key: Hashable, load: Callable[[], tuple[T, int]]) -> T:
        """Return a fact, and read it when it is not known.

        Args:
            key: What it depends on besides the database.
            load: Reads it, and says until when it holds if nothing is committed, in milliseconds since the epoch.
        """
        state = self.state()
        if state is None:
            return load()[0]
        return recall(state, key) or remember(state, key, *load())


def recall(state: State, key: Hashable) -> Any:
    """Return a fact about a state; None when it is not known."""
    fact, until = state.facts.get(key, (None, 0))
    return fact if until > now() else None


def remember(state: State, key: Hashable, fact: T, until: int) -> T:
    """Note a fact about a state, and return it."""
    state.facts[key] = (fact, min(until, now() + LONGEST))
    return fact


class Kept:
    """What was worked out of many rows, remembered until they change. May be shared between threads.

    What is remembered and whether it still holds are told apart: whoever asks says by a version what it depends on.
    """

    def __init__(self, most: int = MOST) -> None:
        """Make it empty.

        Args:
            most: Weight of all that is remembered; what was not asked for the longest is forgotten first.
        """
        self._most = most
        self._lock = threading.Lock()
        self._found: OrderedDict[Hashable, tuple[Hashable, Any, int]] = OrderedDict()
        self._weight = 0

    def recall(self, key: Hashable, version: Hashable, load: Callable[[], tuple[T, int]]) -> T:
        """Return what is remembered under a key, and work it out when it is not known or of another version.

        Args:
            key: What it is.
            version: What it depends on.
            load: Works it out, and says what it weighs.
        """
        with self._lock:
            known = self._found.get(key)
            if known is not None and known[0] == version:
                self._found.move_to_end(key)
                found: T = known[1]
                return found
        fact, weight = load()
        with self._lock:
            self._forget(key)
            self._found[key] = (version, fact, weight)
            self._weight += weight
            while self._weight > self._most and len(self._found) > 1:
                self._forget(next(iter(self._found)))
        return fact

    def last(self, key: Hashable) -> Any:
        """Return what was remembered last under a key, of whatever version; None when nothing is."""
        with self._lock:
            known = self._found.get(key)
            return None if known is None else known[1]

    def _forget(self, key: Hashable) -> None:
        known = self._found.pop(key, None)
        self._weight -= known[2] if known is not None else 0
