"""Run a check that learns part by part: cut in one confined process, learn in as many as there are, conclude in one."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from hallmarked.checks.earlier import Assembly, Earlier
from hallmarked.checks.learning import TASK, options_of
from hallmarked.checks.part import missing_module, tell_broken
from hallmarked.checks.runner import Result, converse
from hallmarked.core.artifact import Artifact
from hallmarked.core.check import Extent, Learned, Part, PartCheck
from hallmarked.core.errors import Error
from hallmarked.core.evidence import Item
from hallmarked.core.sandbox import Limits
from hallmarked.corpus.engine.model import Engine, Job, Report, Serve, size_of
from hallmarked.corpus.engine.run import map_parts

CUT, CONCLUDE = "cut", "conclude"


def run_in_parts(
    check_id: str,
    version: str,
    description: Mapping[str, Any],
    limits: Limits,
    engine: Engine,
    serve: Serve | None = None,
    report: Report = lambda _progress: None,
) -> Result:
    """Run a check part by part, wherever there is room. The result is that of :func:`hallmarked.checks.runner.run`.

    Args:
        check_id: The check.
        version: Its version, for the result of processes that say nothing at all.
        description: How processes reach the artifact, see ``hallmarked.artifacts.source.describe``.
        limits: What each process may use; for what is large, it has more time.
        engine: Who learns from the parts.
        serve: Gives processes ranges of files that they cannot open.
        report: Is told of progress.
    """
    result = Result(check_id, version)
    assembly = Assembly(Earlier(), result.add)
    started = time.perf_counter()
    request = {"check": check_id, "artifact": description}
    parts: list[Part] = []
    hear = {Cut.__name__: lambda body: parts.append(_part(body))}
    converse([{**request, "stage": CUT}], limits, result, assembly, serve, hear)
    if result.applied and not (result.broke or result.gaps or result.findings):
        with tempfile.TemporaryDirectory(prefix="hallmarked-") as folder:
            job = Job(TASK, description, options_of(check_id), limits)
            try:
                learned = map_parts(job, parts, engine, Path(folder), serve=serve, report=report)
            except Error as error:
                result.broke = f"the check broke: {error}"
            else:
                said = [{**request, "stage": CONCLUDE, "folder": folder, "learned": len(learned)}, *map(_line, learned)]
                converse(said, _more(limits, learned), result, assembly, serve)
    result.seconds = time.perf_counter() - started
    return result


def _part(body: Any) -> Part:
    """Take a part as a child says it.

    Raises:
        TypeError: When it is no JSON object.
    """
    if not isinstance(body, dict):
        raise TypeError("a part is an object")
    return body


def _line(learned: Learned) -> Mapping[str, Any]:
    return {"part": learned.part, "size": learned.size, "broke": learned.broke}


def _more(limits: Limits, learned: Sequence[Learned]) -> Limits:
    """Return what a process may use that reads all states, and perhaps the artifact again."""
    seconds = sum(each.size + size_of(each.part) for each in learned) >> 20
    return replace(
        limits,
        cpu_seconds=limits.cpu_seconds + seconds,
        wall_seconds=limits.wall_seconds + seconds,
        open_files=limits.open_files + len(learned),
    )


@dataclass(frozen=True, slots=True)
class Cut:
    """Carries a part from the process that cuts."""

    part: Part


class Cutting:
    """Stands for a check in the process that cuts: yields parts where the check would yield what it found."""

    needs_socket, extent = False, Extent.PARTS

    def __init__(self, check: PartCheck) -> None:
        self._check = check
        self.id, self.version, self.title, self.rules = check.id, check.version, check.title, check.rules

    def applies(self, artifact: Artifact) -> bool:
        """Say whether the check applies."""
        return self._check.applies(artifact)

    def run(self, artifact: Artifact) -> Iterator[Any]:
        """Cut; when nobody could read the parts, let the check say so."""
        if missing_module():
            yield from self._check.run(artifact)
        else:
            yield from map(Cut, self._check.cut(artifact))


class Concluding(Cutting):
    """Stands for a check in the process that concludes."""

    def __init__(self, check: PartCheck, learned: Sequence[Learned]) -> None:
        super().__init__(check)
        self._learned = learned

    def applies(self, artifact: Artifact) -> bool:
        """Say that it applies, as the process that cut has said."""
        return True

    def run(self, artifact: Artifact) -> Iterator[Item]:
        """Conclude from what was learned."""
        yield from tell_broken(self._learned)
        yield from self._check.conclude(artifact, self._learned)


def read_learned(folder: str, lines: Sequence[Mapping[str, Any]]) -> list[Learned]:
    """Read what :func:`run_in_parts` says of the parts.

    Args:
        folder: Where the states lie, named by number.
        lines: What is said of each part.
    """
    return [
        Learned(line["part"], partial(_open, Path(folder, str(number))), line["size"], line["broke"])
        for number, line in enumerate(lines)
    ]


def _open(path: Path) -> BinaryIO:
    return path.open("rb")
