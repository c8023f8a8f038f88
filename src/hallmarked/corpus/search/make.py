"""Make an index of a data set: its rows are read by confined processes, and written by this one."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from hallmarked.artifacts.source import Auditable, describe
from hallmarked.core.check import Learned, Part
from hallmarked.core.errors import BackendError, InputError
from hallmarked.core.sandbox import Limits
from hallmarked.corpus.engine.model import Engine, Job, Progress, size_of
from hallmarked.corpus.engine.run import map_parts
from hallmarked.corpus.search.build import Builder
from hallmarked.corpus.search.manifest import Options, Summary
from hallmarked.corpus.search.mask import EDITION
from hallmarked.corpus.search.model import Unread
from hallmarked.corpus.search.part import CUT, GATHER, Gathered, read_cut

AT_ONCE = 1 << 30
"""Bytes of files whose rows lie on the disk at once, between reading and writing."""


def index_data(
    artifact: Auditable,
    folder: Path,
    options: Options | None = None,
    *,
    mask: bool = False,
    engine: Engine | None = None,
    limits: Limits | None = None,
    report: Callable[[int, int], None] = lambda _done, _size: None,
) -> Summary:
    """Make an index of a data set.

    Args:
        artifact: The data set.
        folder: Where the index will be; there must be nothing yet.
        options: How it is made.
        mask: Take personal data out first, so that outsiders may ask it.
        engine: Who reads.
        limits: What a process that reads may use.
        report: Is told how many bytes of how many were read.

    Raises:
        InputError: When there are no rows to index, something is there already, or the files changed meanwhile.
        FormatError: When ``dataset.toml`` cannot be understood.
        BackendError: When a disk or a process fails.
    """
    options = replace(options or Options(), masked=EDITION if mask else "")
    limits, engine = limits or Limits(), engine or Engine()
    description = describe(artifact)
    learn = partial(map_parts, serve=artifact.serve)
    with Builder(folder, options) as builder, _work(folder) as scratch:
        work = Path(scratch)
        cutting = learn(Job(CUT, description, limits=limits), [{}], Engine(1), _empty(work / "cut"))
        parts = read_cut(_content(cutting[0]))
        if not parts:
            raise InputError(f"{artifact.name} holds no tables or texts: nothing to index")
        job = Job(GATHER, description, {"mask": mask}, limits)
        firsts: dict[str, int] = {}
        done, total = 0, sum(map(size_of, parts))
        for number, group in enumerate(_groups(parts)):
            told = partial(_tell, report, done, total)
            with tempfile.TemporaryDirectory(prefix=f"{number}-", dir=work) as states:
                for learned in learn(job, _readable(group), engine, Path(states), report=told):
                    _take(builder, learned, firsts)
            for part in group:
                if "broken" in part:
                    builder.take([Unread(str(part["path"]), None, None, str(part["broken"])[:500])])
            done += sum(map(size_of, group))
        artifact.prepare()
        artifact.confirm_unchanged()
        return builder.commit(artifact.name, artifact.subject.digest)


def _take(builder: Builder, learned: Learned, firsts: dict[str, int]) -> None:
    """Take the documents of a part; the rows of a file are counted through its parts."""
    path = str(learned.part["path"])
    if learned.broke:
        builder.take([Unread(path, None, None, learned.broke)])
        return
    with learned.open() as stream:
        gathered = Gathered(stream, path, firsts.get(path, 0))
        builder.take(gathered)
    if learned.part["slice"] == learned.part["slices"] - 1:
        firsts[path] = firsts.get(path, 0) + gathered.rows


def _readable(group: Sequence[Part]) -> list[Part]:
    return [part for part in group if "broken" not in part]


def _groups(parts: Sequence[Part]) -> Iterator[list[Part]]:
    """Yield parts together whose states lie on the disk at once."""
    group: list[Part] = []
    size = 0
    for part in parts:
        if group and size + size_of(part) > AT_ONCE:
            yield group
            group, size = [], 0
        group.append(part)
        size += size_of(part)
    yield group


def _tell(report: Callable[[int, int], None], before: int, total: int, progress: Progress) -> None:
    report(before + progress.size, total)


def _work(folder: Path) -> tempfile.TemporaryDirectory[str]:
    try:
        return tempfile.TemporaryDirectory(prefix=f".{folder.name}-rows-", dir=folder.parent)
    except OSError as error:
        raise BackendError(f"nothing can be written to {folder.parent}: {error.strerror}") from error


def _empty(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _content(learned: Learned) -> bytes:
    if learned.broke:
        raise InputError(f"the data set cannot be read: {learned.broke}")
    with learned.open() as stream:
        return stream.read()
