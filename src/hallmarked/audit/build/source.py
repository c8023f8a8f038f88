"""Open the sources of a recipe, and learn of which pieces they consist."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from hallmarked.artifacts.local import LocalArtifact
from hallmarked.artifacts.source import open_artifact
from hallmarked.core.check import Learned
from hallmarked.core.errors import BackendError, FormatError, InputError, NotFound
from hallmarked.corpus.engine.model import Engine, Job, Report
from hallmarked.corpus.engine.run import map_parts
from hallmarked.corpus.provenance.document import MOST_BYTES, PATH, Document, Input, Origin, read_document
from hallmarked.corpus.provenance.graph import copy_path
from hallmarked.transforms.dataset.plan import Given, Plan, make_plan
from hallmarked.transforms.dataset.recipe import Recipe, Source
from hallmarked.transforms.dataset.survey import CUT


@dataclass(frozen=True, slots=True)
class Worker:
    """Who does the work, and who is told of it."""

    engine: Engine
    folder: Path
    """For what is not needed in the end; empty, and removed by whoever made it."""
    progress: Callable[[str], None]

    def place(self, name: str, number: int) -> Path:
        """Return where what came of a part lies."""
        return self.folder / name / str(number)

    def run(self, job: Job, parts: Sequence[Mapping[str, Any]], name: str, doing: str) -> list[Learned]:
        """Do a job with parts, and return what came of each.

        Raises:
            BackendError: When a part could not be done at all: then nobody can account for its rows.
        """
        folder = self.folder / name
        try:
            folder.mkdir()
        except OSError as error:
            raise BackendError(f"cannot write {folder}: {(error.strerror or str(error)).lower()}") from error
        self.progress(doing)
        report: Report = lambda done: self.progress(f"{doing}: {done.parts:,} of {done.parts_total:,} parts")  # noqa: E731 -- a callback
        learned = map_parts(job, list(parts), self.engine, folder, report=report)
        for each in learned:
            if each.broke:
                first = each.part.get("pieces", [{}])[0].get("path", "a source")
                raise BackendError(f"{doing.lower()} stopped at {first}: {each.broke}")
        return learned


Teacher: TypeAlias = tuple[Origin, Document | None, Mapping[str, bytes]]
"""A data set that a model learned from, its account, and those of what it was made from."""


@dataclass(slots=True)
class Opened:
    """A source, with all that is known of it before its rows are read."""

    source: Source
    artifact: LocalArtifact
    plan: Plan
    parts: Sequence[Mapping[str, Any]]
    """Groups of pieces, each looked at in one go."""
    broken: Sequence[tuple[str, str]]
    """Files that cannot be read at all, and why."""
    document: Document | None
    """Its own account, when it was built."""
    documents: Mapping[str, bytes]
    """The accounts of all that it was made from, its own too, by SHA-256."""
    learned: Sequence[Teacher] = ()
    """What the model learned from that wrote its rows."""

    @property
    def job_artifact(self) -> dict[str, Any]:
        """Describe it for another process."""
        return self.artifact.describe()

    def to_input(self, read: int, kept: int) -> Input:
        """Say what it is, and what became of its rows."""
        own = self.document
        source, generated = self.source, self.source.generated
        share: float | None = own.share if own else 0.0
        depth: int | None = own.depth if own else 0
        if generated is not None:
            share = generated.share
            depth = generated.depth if generated.depth is not None else self._depth_learned()
        document = next(iter(self.documents), "") if own else ""
        return Input(
            origin=Origin(source.name, self.artifact.subject.digest, document),
            licence=source.licence or (own.licence if own else ""),
            collected=source.collected.to_dict(),
            model=generated.model if generated else "",
            learned=tuple(origin for origin, _, _ in self.learned),
            share=share,
            depth=depth,
            read=read,
            kept=kept,
        )

    def _depth_learned(self) -> int | None:
        """One more than that of what the model learned from; nobody knows when that is not at hand."""
        if not self.learned:
            return None
        depths = [document.depth if document else 0 for _, document, _ in self.learned]
        return None if None in depths else 1 + max(depth for depth in depths if depth is not None)


def open_sources(recipe: Recipe, given: Given, worker: Worker) -> list[Opened]:
    """Open all sources of a recipe.

    Raises:
        InputError: When one is not what the recipe says it is, or holds no rows.
        BackendError: When one cannot be read.
    """
    problems: list[str] = []
    opened: list[Opened] = []
    for number, source in enumerate(recipe.sources):
        worker.progress(f"Hashing {source.name}")
        artifact = open_artifact(source.path)
        subject = artifact.subject
        for name, digest in source.digest.items():
            if subject.digest.get(name) != digest:
                found = ", ".join(f"{kind}:{value}" for kind, value in subject.digest.items())
                problems.append(f"source {source.name} is not {name}:{digest}, but {found}")
        opened.append(_open(recipe, given, artifact, worker, number))
        if not opened[-1].parts and not opened[-1].broken:
            problems.append(f"source {source.name} holds no tables (Parquet, Arrow, JSON Lines, CSV or text)")
    if problems:
        raise InputError("; ".join(problems))
    return opened


def _open(recipe: Recipe, given: Given, artifact: LocalArtifact, worker: Worker, number: int) -> Opened:
    source = recipe.sources[number]
    job = Job(CUT, artifact.describe(), {"texts": list(recipe.text)})
    (learned,) = worker.run(job, [{}], f"cut-{number}", f"Looking at {source.name}")
    with learned.open() as stream:
        said = json.loads(stream.read())
    document, documents = read_documents(artifact)
    return Opened(
        source=source,
        artifact=artifact,
        plan=make_plan(recipe, source, said["texts"], given),
        parts=group(said["pieces"], recipe.output.shard_bytes),
        broken=[(str(each["path"]), str(each["reason"])) for each in said["broken"]],
        document=document,
        documents=documents,
        learned=[_learned(path) for path in (source.generated.learned if source.generated else ())],
    )


def _learned(path: Path) -> Teacher:
    """Look at what a model learned from."""
    artifact = open_artifact(path)
    document, documents = read_documents(artifact)
    return Origin(artifact.name, artifact.subject.digest, next(iter(documents), "")), document, documents


def read_documents(artifact: LocalArtifact) -> tuple[Document | None, dict[str, bytes]]:
    """Read the account of a data set, and those of what it was made from: its own first.

    Raises:
        InputError: When its own cannot be read.
    """
    try:
        with artifact.open(PATH) as stream:
            data = stream.read(MOST_BYTES + 1)
        document = read_document(data)
    except NotFound:
        return None, {}
    except FormatError as error:
        raise InputError(f"{artifact.path}: {error}") from error
    documents = {hashlib.sha256(data).hexdigest(): data}
    waiting = [document]
    while waiting:
        for each in waiting.pop().inputs:
            for origin in (each.origin, *each.learned):
                if not origin.document or origin.document in documents:
                    continue
                try:
                    with artifact.open(copy_path(origin.document)) as stream:
                        copy = stream.read(MOST_BYTES + 1)
                    found = read_document(copy)
                except (NotFound, FormatError):
                    continue  # a broken edge of that data set, which its own account shows
                if hashlib.sha256(copy).hexdigest() == origin.document:
                    documents[origin.document] = copy
                    waiting.append(found)
    return document, documents


def group(pieces: Sequence[Mapping[str, Any]], size: int) -> list[dict[str, Any]]:
    """Put consecutive pieces together up to a size; it depends on them alone."""
    groups: list[dict[str, Any]] = []
    for piece in pieces:
        if not groups or groups[-1]["bytes"] + piece["bytes"] > size:
            groups.append({"pieces": [], "bytes": 0})
        groups[-1]["pieces"].append({key: piece[key] for key in ("path", "start", "stop")})
        groups[-1]["bytes"] += piece["bytes"]
    return groups
