"""Find the rows of a hub's data sets in which somebody's identifiers stand, in confined processes."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hallmarked.artifacts.source import describe
from hallmarked.corpus.consent.rows import TASK, pattern_of, read_found
from hallmarked.corpus.engine.model import Engine, Job
from hallmarked.corpus.engine.run import map_parts
from hallmarked.corpus.table.ending import table_paths
from hallmarked.hub.hub import Hub
from hallmarked.hub.job.stage import stage
from hallmarked.hub.repository.repository import find_repository
from hallmarked.hub.repository.revision import find_revision


@dataclass(frozen=True, slots=True)
class Search:
    """What was found in one data set."""

    name: str
    """``owner/name``."""
    revision: str
    """Commit."""
    tables: int
    searched: int
    """Rows that were read."""
    found: int
    rows: bytes
    """The rows, as JSON lines."""
    unread: tuple[str, ...]
    """Tables, or parts of them, that could not be read or given out whole, with the reason; never silently none."""


def find_personal(hub: Hub, name: str, identifiers: Sequence[str], revision: str = "main") -> Search:
    """Find the rows of a data set in which identifiers stand.

    Args:
        hub: Where.
        name: ``owner/name`` of the data set.
        identifiers: What to search for.
        revision: Branch, tag or commit.

    Raises:
        InputError: When there is nothing to search for.
        NotFound: When there is no such data set or revision.
        BackendError: When its files cannot be had, or no process comes up.
    """
    pattern_of(identifiers)
    with hub.database.read() as db:
        repo = find_repository(db, "dataset", name)
        at = find_revision(db, repo, revision)
    with (
        stage(hub.database, hub.blobs, repo, at, hub.settings.scratch) as artifact,
        tempfile.TemporaryDirectory(prefix="rows-", dir=hub.settings.scratch) as folder,
    ):
        sizes = {file.path: file.size for file in artifact.files}
        parts = [{"path": path, "bytes": sizes[path]} for path in table_paths(list(sizes))]
        job = Job(TASK, describe(artifact), {"identifiers": list(identifiers)})
        learned = map_parts(job, parts, Engine(hub.settings.job.threads), Path(folder), serve=artifact.serve)
        unread, rows, searched, found = [], [], 0, 0
        for each in learned:
            path = str(each.part["path"])
            if each.broke:
                unread.append(f"{path}: {each.broke}")
                continue
            with each.open() as stream:
                counts, lines = read_found(stream.read())
            searched, found = searched + counts["rows"], found + counts["found"]
            rows.append(lines)
            unread += [f"{path}: {counts['unread']:,} rows could not be read"] if counts["unread"] else []
            unread += [f"{path}: there are more rows than can be given out"] if counts["cut"] else []
    return Search(repo.name, at.oid, len(parts), searched, found, b"".join(rows), tuple(unread))
