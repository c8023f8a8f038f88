"""Build a version of a data set as a whole: look at every row, decide, write those that stay, and sign the account."""

from __future__ import annotations

import mmap
import shlex
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from hallmarked.audit.audit import with_keys
from hallmarked.audit.build.card import Facts, declare, write_card
from hallmarked.audit.build.output import CHANGES, Output, digests_in, sync
from hallmarked.audit.build.section import Sections, open_sections
from hallmarked.audit.build.source import Opened, Worker, open_sources
from hallmarked.audit.build.tradeoff import TradeOff, trade_offs
from hallmarked.audit.whole import whole_folder
from hallmarked.checks.licence.catalogue import resolve
from hallmarked.checks.provenance.licence import Carried, carry
from hallmarked.core.errors import BackendError, FormatError
from hallmarked.core.evidence import Statement
from hallmarked.core.sandbox import Limits
from hallmarked.corpus.declaration import PATH as DECLARATION
from hallmarked.corpus.engine.model import Engine, Job
from hallmarked.corpus.proof.key import RowKey
from hallmarked.corpus.proof.proof import describe_commitment
from hallmarked.corpus.proof.tree import Tree, count_shared
from hallmarked.corpus.provenance.document import EVIDENCE, PATH, Document, combine
from hallmarked.corpus.provenance.graph import copy_path
from hallmarked.ledger.ledger import Ledger
from hallmarked.transforms.dataset import provenance
from hallmarked.transforms.dataset.copy import FIND
from hallmarked.transforms.dataset.decide import (
    Group,
    Places,
    describe_texts,
    mark_copies,
    number_rows,
    read_group,
    unify_fields,
)
from hallmarked.transforms.dataset.manifest import Spool
from hallmarked.transforms.dataset.named import refuse_absent
from hallmarked.transforms.dataset.recipe import COPY, EXPIRED, NEAR_COPY, UNREAD, Recipe
from hallmarked.transforms.dataset.survey import SURVEY
from hallmarked.transforms.dataset.write import WRITE

RECIPE, MANIFEST, DELETED, CARD = "recipe.toml", "rows.ids", "expired.ids", "README.md"
WORK = ".work"
COMPARE_BYTES = 4 << 30
"""Memory of the process that compares texts of all sources."""
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
    trade_offs: Sequence[TradeOff]
    """What the choices of the recipe cost groups of rows."""
    redacted: Mapping[str, int]
    """How many values of each kind were replaced."""
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
        InputError: When a source is not what the recipe says, lacks what it names, or changed while it was read.
        BackendError: When something cannot be read or written, or a process broke; then nothing was written.
    """
    with whole_folder(request.folder) as draft, _told(request.folder):
        work = draft / WORK
        work.mkdir()
        worker = Worker(request.engine, work, progress)
        given = open_sections(request.recipe)
        opened = open_sources(request.recipe, given.plan, worker)
        groups = _survey(opened, worker)
        refuse_absent(request.recipe, groups)
        _decide(request.recipe, opened, groups, worker)
        output = Output(draft, request.recipe.output.format)
        output.begin()
        spools = Spool(work / "contents"), Spool(work / "expired")
        columns = _write(request, opened, groups, worker, output, spools)
        output.finish()
        for each in opened:
            each.artifact.confirm_unchanged()
        progress("Committing to the contents")
        given.confirm_unchanged()
        return _conclude(_Done(request, given, opened, groups, output, spools, columns), ledger, time)


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
        name = f"survey-{number}"
        learned = worker.run(job, each.parts, name, f"Reading {each.source.name}")
        groups += [read_group(number, one, worker.place(name, index)) for index, one in enumerate(learned)]
    number_rows(groups)
    return groups


def _decide(recipe: Recipe, opened: Sequence[Opened], groups: Sequence[Group], worker: Worker) -> None:
    """Decide about all rows together."""
    if not recipe.copies.exact or not groups:
        return
    options = {
        "settings": asdict(recipe.copies.settings),
        "sources": [{"artifact": each.job_artifact, "plan": each.plan.to_dict()} for each in opened],
    }
    part = {
        "states": [describe_texts(group) for group in groups],
        "groups": [{"source": group.source, "pieces": group.part["pieces"]} for group in groups],
    }
    job = Job(FIND, opened[0].job_artifact, options, Limits(memory_bytes=COMPARE_BYTES))
    (learned,) = worker.run(job, [part], "copies", "Looking for copies")
    near = recipe.reasons.index(NEAR_COPY) + 1 if recipe.copies.near else 0
    mark_copies(groups, learned, recipe.reasons.index(COPY) + 1, near)


def _write(
    request: Request,
    opened: Sequence[Opened],
    groups: Sequence[Group],
    worker: Worker,
    output: Output,
    spools: tuple[Spool, Spool],
) -> Sequence[str]:
    """Write the rows that stay, source by source, take what they contain, and return the columns they have."""
    fields = unify_fields(groups, request.recipe.keep)
    places = Places([each.source.name for each in opened]).add(groups)
    for number, each in enumerate(opened):
        parts = [group.to_part(places) for group in groups if group.source == number]
        job = Job(WRITE, each.job_artifact, {"plan": each.plan.to_dict(), "fields": fields})
        for learned in worker.run(job, parts, f"write-{number}", f"Writing {each.source.name}"):
            received = output.take(learned)
            spools[0].add(map(request.key.identify, digests_in(received, "contents")))
            spools[1].add(map(request.key.identify, digests_in(received, "expired")))
    return [name for name, *_ in fields]


@dataclass(frozen=True, slots=True)
class _Done:
    """A version whose rows are written, before the account is."""

    request: Request
    given: Sections
    opened: Sequence[Opened]
    groups: Sequence[Group]
    output: Output
    spools: tuple[Spool, Spool]
    columns: Sequence[str]
    """Of the rows that were written."""


def _conclude(done: _Done, ledger: Ledger, time: datetime) -> Built:
    """Write the account, and sign it."""
    request, output, opened = done.request, done.output, done.opened
    recipe = request.recipe
    removed, per_source = _count(recipe, done.groups, len(opened))
    inputs = [each.to_input(*counts) for each, counts in zip(opened, per_source, strict=True)]
    incomplete = _incomplete(opened, done.groups)
    commitment = _commit(request, output, MANIFEST, done.spools[0])
    expired = _commit(request, output, DELETED, done.spools[1]) if recipe.retention else None
    still = _still_held(output.folder) if recipe.retention else 0
    output.add(RECIPE, request.written)
    output.add(DECLARATION, declare(recipe, [each.plan for each in opened], done.columns))
    for digest, data in {digest: data for each in opened for digest, data in _documents(each)}.items():
        output.add(copy_path(digest), data)
    carried = carry({each.origin.name: each.licence for each in inputs if each.kept}, recipe.licence)
    # README.md and provenance.json cannot be listed in what they are made from; the signed statement has them all.
    document = Document(
        recipe.name,
        carried.licence,
        inputs,
        dict(output.digests),
        dict(output.rows),
        removed,
        *combine(inputs),
        done.given.used,
    )
    output.add(PATH, document.dump())
    output.add(CARD, write_card(_facts(done, document, incomplete, carried)))
    statements = _state(done, document, commitment, incomplete)
    if expired is not None and recipe.retention:
        day, rows = recipe.retention.as_of.isoformat(), _expired(recipe, done.groups, opened)
        statements.append(provenance.describe_deletion(output.digests, day, rows, still, expired))
    bundle = ledger.export_bundle(ledger.attest(statements, time=time))
    (output.folder / EVIDENCE).write_bytes(bundle)
    shutil.rmtree(output.folder / WORK)
    sync(output.folder, [*output.digests, EVIDENCE])
    command = shlex.join(["hallmarked", "verify", str(request.folder / EVIDENCE), str(request.folder)])
    return Built(
        request.folder,
        document,
        trade_offs(recipe, output.groups),
        output.redacted,
        incomplete,
        carried,
        with_keys(command, ledger),
    )


def _facts(done: _Done, document: Document, incomplete: Sequence[str], carried: Carried) -> Facts:
    uneven = [each.sentence for each in trade_offs(done.request.recipe, done.output.groups) if each.effect.is_greater]
    missing = [f"The licence of {name} is not known." for name in carried.missing]
    notes = [*incomplete, *carried.conflicts, *missing]
    licences = [found.id for found in resolve(carried.licence) if found.hub]
    redacted = dict(sorted(done.output.redacted.items()))
    return Facts(done.request.recipe, document, licences, done.output.changed, redacted, notes[:MOST_NOTES], uneven)


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


def _still_held(folder: Path) -> int:
    """Return how many contents that may not be kept any more stand in other rows too, which may be."""
    with ExitStack() as stack:
        lists: list[bytes | mmap.mmap] = []
        for name in (DELETED, MANIFEST):
            file = stack.enter_context((folder / name).open("rb"))
            empty = not (folder / name).stat().st_size
            lists.append(b"" if empty else stack.enter_context(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)))
        return count_shared(lists[0], lists[1])


def _state(
    done: _Done, document: Document, commitment: Mapping[str, Any], incomplete: Sequence[str]
) -> list[Statement]:
    recipe, output = done.request.recipe, done.output
    said = {
        "recipe": {"name": RECIPE, "digest": {"sha256": output.digests[RECIPE]}},
        "name": recipe.name,
        "purpose": recipe.purpose,
        "decidedBy": recipe.decided_by,
        "note": recipe.note,
        **done.given.said,
    }
    account = {
        "rows": {"kept": sum(document.rows.values()), "removed": dict(document.removed), "changed": output.changed},
        "redacted": dict(sorted(output.redacted.items())),
        "sources": {each.origin.name: {"read": each.read, "kept": each.kept} for each in document.inputs},
        "licence": document.licence,
        "changes": {"name": CHANGES, "digest": {"sha256": output.digests[CHANGES]}},
        "tradeOffs": [each.to_dict() for each in trade_offs(recipe, output.groups)],
        "notRead": list(incomplete),
    }
    return [
        provenance.describe_build(output.digests, document, said, account),
        provenance.describe_commitment(output.digests, commitment),
    ]
