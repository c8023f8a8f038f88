"""Find what is done with parts, and do it, whatever happens."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import cast

from hallmarked.core.errors import Error, InputError
from hallmarked.corpus.engine.model import Task

SPENT = "it ran out of memory"


def load_task(name: str) -> Task:
    """Find a task by its name, ``package.module:function``.

    Raises:
        InputError: When there is none.
    """
    module, _, function = name.partition(":")
    try:
        return cast("Task", getattr(import_module(module), function))
    except (ImportError, AttributeError, ValueError) as error:
        raise InputError(f"no task is called {name}") from error


def attempt(learn: Callable[[], bytes]) -> tuple[bytes, str]:
    """Learn from a part, and return the state, or why there is none.

    This and the runner of checks are the only places that catch ``Exception``: what breaks on one part says so, and
    the other parts count.
    """
    try:
        return learn(), ""
    except MemoryError:
        return b"", SPENT
    except Error as error:
        return b"", str(error)[:500]
    except Exception as error:  # noqa: BLE001 -- see above
        return b"", f"it broke: {type(error).__name__} in {_place(error)}"


def _place(error: Exception) -> str:
    """Say where in the code it broke; what it says may hold values of the data."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "?" if trace is None else f"{trace.tb_frame.f_globals.get('__name__')}, line {trace.tb_lineno}"
