"""Build a version of a data set as a whole: look at every row, decide, write those that stay, and sign the account."""

from __future__ import annotations

import mmap
import shlex
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from hallmarked.audit.audit import with_keys
from hallmarked.audit.build.card import Facts, write_card
from hallmarked.audit.build.output import CHANGES, Output, digests_in, sync
from hallmarked.audit.build.source import Opened, Worker, open_sources
from hallmarked.audit.whole import whole_folder
from hallmarked.checks.licence.catalogue import resolve
from hallmarked.checks.provenance.licence import Carried, carry
from hallmarked.core.errors import BackendError, FormatError
from hallmarked.core.evidence import Statement
from hallmarked.corpus.engine.model import Engine, Job
from hallmarked.corpus.proof.key import RowKey
from hallmarked.corpus.proof.proof import describe_commitment
from hallmarked.corpus.proof.tree import Tree
from hallmarked.corpus.provenance.document import EVIDENCE, PATH, Document, combine
from hallmarked.corpus.provenance.graph import copy_path
from hallmarked.ledger.ledger import Ledger
from hallmarked.transforms.dataset import provenance
from hallmarked.transforms.dataset.decide import Group, Places, mark_copies, number_rows, read_group, unify_fields
from hallmarked.transforms.dataset.manifest import Spool
from hallmarked.transforms.dataset.recipe import COPY, EXPIRED, UNREAD, Recipe
from hallmarked.transforms.dataset.survey import SURVEY
from hallmarked.transforms.dataset.write import WRITE

RECIPE, MANIFEST, DELETED, CARD = "recipe.toml", "rows.ids", "expired.ids", "README.md"
WORK = ".work"
MOST_NOTES = 20


@dataclass(frozen=True, slots=True)
class Request:
    """What shall be built, and where to."""

    recipe: Recipe
    written: bytes
    """The bytes of the recipe."""
    folder: Path
    """Where the version goes; there must be nothing yet."""
    key: RowKey
    """Makes identifiers of contents."""
    engine: Engine = field(default_factory=Engine)


@dataclass(frozen=True, slots=True)
class Built:
    """A version that was built, signed and written."""

    folder: Path
    document: Document
    groups: Mapping[str, Mapping[str, Counter[str]]]
    """Rows by group column, its value, and what became of them."""
    incomplete: Sequence[str]
    """What could not be read, so that nobody knows how many rows it has."""
    carried: Carried
    command: Sequence[str]
    """The command that verifies the evidence, line by line."""

    @property
    def complete(self) -> bool:
        """Whether every row was accounted for, and the licences go together."""
        return not self.incomplete and not self.carried.conflicts


def build_dataset(
    request: Request, ledger: Ledger, time: datetime, progress: Callable[[str], None] = lambda _text: None
) -> Built:
    """Build a version of a data set, and sign and log how it came about.

    The same sources, recipe and key give the same files, whoever computes them and by how many processes; only
    ``evidence.json`` says when.

    Args:
        request: What and where to.
        ledger: Whose key and log.
        time: When, UTC.
        progress: Called with what is being done.

    Raises:
        InputError: When a source is not what the recipe says, or changed while it was read.
        BackendError: When something cannot be read or written, or a process broke; then nothing was written.
    """
    with whole_folder(request.folder) as draft, _told(request.folder):
        work = draft / WORK
        work.mkdir()
        worker = Worker(request.engine, work, progress)
        opened = open_sources(request.recipe, worker)
        groups = _survey(opened, worker)
        _decide(request.recipe, groups, progress)
        output = Output(draft, request.recipe.output.format)
        output.begin()
        spools = Spool(work / "contents"), Spool(work / "expired")
        _write(request, opened, groups, worker, output, spools)
        output.finish()
        for each in opened:
            each.artifact.confirm_unchanged()
        progress("Committing to the contents")
        return _conclude(request, ledger, time, opened, groups, output, spools)


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    """Say in one sentence what the disk or a process did."""
    try:
        yield
    except OSError as error:
        raise BackendError(f"cannot write {folder}: {(error.strerror or str(error)).lower()}") from error
    except FormatError as error:
        raise BackendError(f"the build stopped: {error}") from error


def _survey(opened: Sequence[Opened], worker: Worker) -> list[Group]:
    groups: list[Group] = []
    for number, each in enumerate(opened):
        job = Job(SURVEY, each.job_artifact, each.plan.to_dict())
        learned = worker.run(job, each.parts, f"survey-{number}", f"Reading {each.source.name}")
        groups += [read_group(number, one) for one in learned]
    number_rows(groups)
    return groups


def _decide(recipe: Recipe, groups: Sequence[Group], progress: Callable[[str], None]) -> None:
    """Decide about all rows together."""
    if recipe.exact and groups:
        progress("Looking for copies")
        mark_copies(groups, recipe.reasons.index(COPY) + 1)


def _write(
    request: Request,
    opened: Sequence[Opened],
    groups: Sequence[Group],
    worker: Worker,
    output: Output,
    spools: tuple[Spool, Spool],
) -> None:
    """Write the rows that stay, source by source, and take what they contain."""
    fields = unify_fields(groups, request.recipe.keep)
    places = Places([each.source.name for each in opened]).add(groups)
    for number, each in enumerate(opened):
        parts = [group.to_part(places) for group in groups if group.source == number]
        job = Job(WRITE, each.job_artifact, {"plan": each.plan.to_dict(), "fields": fields})
        for learned in worker.run(job, parts, f"write-{number}", f"Writing {each.source.name}"):
            received = output.take(learned)
            spools[0].add(map(request.key.identify, digests_in(received, "contents")))
            spools[1].add(map(request.key.identify, digests_in(received, "expired")))


def _conclude(
    request: Request,
    ledger: Ledger,
    time: datetime,
    opened: Sequence[Opened],
    groups: Sequence[Group],
    output: Output,
    spools: tuple[Spool, Spool],
) -> Built:
    """Write the account, and sign it."""
    recipe, draft = request.recipe, output.folder
    removed, per_source = _count(recipe, groups, len(opened))
    expired_rows = _expired(recipe, groups, opened)
    inputs = [each.to_input(*counts) for each, counts in zip(opened, per_source, strict=True)]
    incomplete = _incomplete(opened, groups)
    commitment = _commit(request, output, MANIFEST, spools[0])
    expired = _commit(request, output, DELETED, spools[1]) if recipe.retention else None
    output.add(RECIPE, request.written)
    for each in opened:
        for digest, data in _documents(each):
            output.add(copy_path(digest), data)
    carried = carry({each.origin.name: each.licence for each in inputs if each.kept}, recipe.licence)
    share, depth = combine(inputs)
    # README.md and provenance.json cannot be listed in what they are made from; the signed statement has them all.
    document = Document(
        recipe.name, carried.licence, inputs, dict(output.digests), dict(output.rows), removed, share, depth
    )
    notes = [*incomplete, *carried.conflicts, *(f"The licence of {name} is not known." for name in carried.missing)]
    output.add(PATH, document.dump())
    licence = next((found.id for found in resolve(carried.licence) if found.hub), "")
    output.add(CARD, write_card(Facts(recipe, document, licence, notes[:MOST_NOTES])))
    statements = _state(request, output, document, commitment, incomplete)
    if expired is not None and recipe.retention:
        day = recipe.retention.as_of.isoformat()
        statements.append(provenance.describe_deletion(output.digests, day, expired_rows, expired))
    bundle = ledger.export_bundle(ledger.attest(statements, time=time))
    (draft / EVIDENCE).write_bytes(bundle)
    shutil.rmtree(draft / WORK)
    sync(draft, [*output.digests, EVIDENCE])
    command = shlex.join(["hallmarked", "verify", str(request.folder / EVIDENCE), str(request.folder)])
    return Built(request.folder, document, output.groups, incomplete, carried, with_keys(command, ledger))


def _documents(each: Opened) -> Iterator[tuple[str, bytes]]:
    """Yield the accounts of all that a source, and the model that wrote it, come from."""
    yield from each.documents.items()
    for _, _, documents in each.learned:
        yield from documents.items()


def _count(recipe: Recipe, groups: Sequence[Group], sources: int) -> tuple[dict[str, int], list[tuple[int, int]]]:
    """Return the rows that are missing by reason, and what was read and kept of each source."""
    removed = Counter[str]()
    per_source = [(0, 0)] * sources
    for group in groups:
        counts = Counter(group.marks.tolist())
        unread = sum(len(piece.unread) for piece in group.pieces)
        removed.update({recipe.reasons[mark - 1]: count for mark, count in counts.items() if mark})
        removed[UNREAD] += unread
        read, kept = per_source[group.source]
        per_source[group.source] = read + len(group.marks) + unread, kept + counts[0]
    return {reason: removed[reason] for reason in recipe.reasons}, per_source


def _expired(recipe: Recipe, groups: Sequence[Group], opened: Sequence[Opened]) -> dict[str, int]:
    """Return how many rows of each source may not be kept any more."""
    mark = recipe.reasons.index(EXPIRED) + 1
    rows = {each.source.name: 0 for each in opened}
    for group in groups:
        rows[opened[group.source].source.name] += int((group.marks == mark).sum())
    return rows


def _incomplete(opened: Sequence[Opened], groups: Sequence[Group]) -> list[str]:
    """Say what could not be read, so that nobody knows how many rows it has."""
    said = [f"{each.source.name}: {path} cannot be read: {reason}" for each in opened for path, reason in each.broken]
    said += [
        f"{opened[group.source].source.name}: a part of {piece.path} cannot be read: {piece.lost}"
        for group in groups
        for piece in group.pieces
        if piece.lost
    ]
    return said


def _commit(request: Request, output: Output, name: str, spool: Spool) -> dict[str, Any]:
    """Write the list of identifiers, and what is signed about it."""
    digest, count = spool.write(output.folder / name)
    output.digests[name] = digest
    if not count:
        return describe_commitment(Tree(b""), request.key, digest)
    with (output.folder / name).open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        tree = Tree(data)
        try:
            return describe_commitment(tree, request.key, digest)
        finally:
            tree.close()


def _state(
    request: Request,
    output: Output,
    document: Document,
    commitment: Mapping[str, Any],
    incomplete: Sequence[str],
) -> list[Statement]:
    recipe = request.recipe
    said = {
        "recipe": {"name": RECIPE, "digest": {"sha256": output.digests[RECIPE]}},
        "name": recipe.name,
        "purpose": recipe.purpose,
        "decidedBy": recipe.decided_by,
        "note": recipe.note,
    }
    account = {
        "rows": {"kept": sum(document.rows.values()), "removed": dict(document.removed)},
        "sources": {each.origin.name: {"read": each.read, "kept": each.kept} for each in document.inputs},
        "licence": document.licence,
        "changes": {"name": CHANGES, "digest": {"sha256": output.digests[CHANGES]}},
        "groups": {
            name: {value: dict(counts) for value, counts in values.items()} for name, values in output.groups.items()
        },
        "notRead": list(incomplete),
    }
    return [
        provenance.describe_build(output.digests, document.inputs, said, account),
        provenance.describe_commitment(output.digests, commitment),
    ]
