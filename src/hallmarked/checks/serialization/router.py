"""Routes every file, and what is inside of it, to the examiners of the formats that claim its bytes."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from hallmarked.checks.serialization.contract import Examiner, FileVerdict, Known, Reference
from hallmarked.checks.serialization.registry import HANDLERS
from hallmarked.checks.serialization.resolve import Scope, resolve
from hallmarked.core.artifact import Artifact, File
from hallmarked.core.check import Note
from hallmarked.core.errors import BackendError, FormatError, LimitExceeded, NotFound
from hallmarked.core.evidence import Finding, Gap, Item, Level, Location, Measurement, Rule
from hallmarked.formats.blob import Blob, Budget
from hallmarked.formats.identify import INERT, identify

SER_MALFORMED = Rule(
    "SER001",
    Level.WARNING,
    "A file cannot be followed to its end, or programs would disagree about it",
    "Download it again and compare its digest. If it stays so, do not load it: a more lenient program might.",
)
SER_POLYGLOT = Rule(
    "SER002",
    Level.WARNING,
    "One file is valid as several kinds of file",
    "What happens depends on the program that opens it: ask for a file that is only one thing.",
)
SER_UNKNOWN = Rule(
    "SER003",
    Level.NOTE,
    "A file is of a kind that is not examined",
    "Nothing is known about it: leave it out, or examine it by other means.",
)
SER_LIMIT = Rule(
    "SER004",
    Level.WARNING,
    "A file costs more to read than its size allows",
    "Opening it can exhaust memory or disk: open it only where that does no harm.",
)

RULES = (SER_MALFORMED, SER_POLYGLOT, SER_UNKNOWN, SER_LIMIT)

NOT_EXAMINED = "not-examined"
"""Verdict of a file that no reader here knows."""
NOTHING = {"examined": 0, "inert": 0, "not-examined": 0}
"""What is counted of files: what was done with each."""
REPEATS = 25
"""Findings of one rule listed for one file; the rest is counted."""

_RANK = {FileVerdict.PROVEN: 0, FileVerdict.UNPROVEN: 1, FileVerdict.MALFORMED: 2}
_ALIASES = frozenset({"text", "json", "xml", "script", "empty", "attached-zip"})
"""Kinds of text and attachments, which are no claim of their own."""
_BUNDLE = frozenset({"zip", "elf", "pe", "macho", "script"})
"""Parts of a program with an archive attached; it is examined as one thing."""

Outcome = Generator[Item, None, FileVerdict | None]
"""Yields what was seen; returns the verdict, or nothing for a file that no loader would open."""


@dataclass(slots=True)
class _Task:
    """One blob on its way."""

    blob: Blob
    known: Known | None
    budget: Budget
    scope: Scope
    claims: tuple[str, ...] = ()
    plan: list[tuple[str, Examiner]] = field(default_factory=list)
    """Who examines it."""
    unread: list[str] = field(default_factory=list)
    """Its formats that nobody here reads."""
    verdict: FileVerdict = FileVerdict.PROVEN
    inside: deque[Blob | Known] = field(default_factory=deque)

    @property
    def where(self) -> Location:
        return Location(self.blob.path)

    @property
    def is_numbers(self) -> bool:
        return self.known is not None and self.known.examiner is None

    def worsen(self, verdict: FileVerdict) -> None:
        if _RANK[verdict] > _RANK[self.verdict]:
            self.verdict = verdict


class Router:
    """Examines the files of one artifact.

    Args:
        artifact: Where the files lie.
    """

    def __init__(self, artifact: Artifact) -> None:
        self.artifact = artifact
        self._counts: Counter[str] = Counter()
        """What was done with the file that is examined: with itself, not with its members."""
        self._alone = True
        """Whether nothing but that file was looked at, and all of it could be read."""
        self.scope = Scope("", {file.path: file.size for file in artifact.files})

    def examine_file(self, file: File) -> Generator[Item, None, Note]:
        """Examine one file of the artifact, with a budget of its own, and list repeated findings only so often.

        Returns:
            Which of :data:`NOTHING` it counts for.
        """
        self._counts, self._alone = Counter(), True
        repeats: Counter[tuple[str, Level]] = Counter()
        seen: set[tuple[object, ...]] = set()
        task = _Task(open_blob(self.artifact, file), None, Budget(file.size), self.scope)
        for item in self._examine(task):
            if isinstance(item, Finding):
                # a member may be examined by its place and by its content, with the same result
                if _key(item) in seen:
                    continue
                seen.add(_key(item))
                repeats[item.rule, item.level] += 1
                if repeats[item.rule, item.level] > REPEATS:
                    continue
            yield item
        for (rule, level), count in repeats.items():
            if count > REPEATS:
                message = f"{count - REPEATS:,} more findings of this kind in {file.path} are not listed"
                yield Finding(rule, level, message, Location(file.path))
        return Note(file.path, dict(self._counts), self._alone)

    def _examine(self, task: _Task) -> Outcome:
        blob = task.blob
        try:
            if blob.depth > task.budget.limits.depth:
                raise LimitExceeded(f"more than {task.budget.limits.depth} containers within each other")
            task.claims = identify(blob, sure=task.is_numbers)
        except FormatError as error:
            yield from _malformed(task.where, error)
            return FileVerdict.MALFORMED
        except (OSError, BackendError, NotFound) as error:
            self._alone = False
            yield Gap(f"{blob.path} could not be read: {error}", task.where)
            return FileVerdict.UNPROVEN
        _make_plan(task)
        if not task.plan:
            return (yield from self._unexamined(task))
        yield from self._follow(task)
        names = [name for name, _ in task.plan]
        quiet = all(name in HANDLERS and HANDLERS[name].quiet for name in names)
        if quiet and task.verdict is FileVerdict.PROVEN:
            self._count("inert", blob)
            return None
        self._count("examined", blob)
        yield Measurement("file.format", "+".join(names + task.unread), slice={"path": blob.path})
        yield Measurement("file.verdict", task.verdict.value, slice={"path": blob.path})
        return task.verdict

    def _count(self, what: str, blob: Blob) -> None:
        if blob.depth == 0:
            self._counts[what] += 1

    def _unexamined(self, task: _Task) -> Outcome:
        """Say that a blob was not examined, unless it is of a kind whose readers run nothing."""
        blob, claims = task.blob, task.claims
        if task.is_numbers or (claims and INERT.issuperset(claims)):
            self._count("inert", blob)
            return None
        self._count("not-examined", blob)
        message = f"{blob.path} is {_kind(claims)}"
        yield Finding.of(SER_UNKNOWN, message, task.where)
        if claims:
            yield Measurement("file.format", "+".join(claims), slice={"path": blob.path})
        if claims or blob.depth:
            # what holds it counts as examined, so nothing else would say that part of it was not
            yield Gap(message, task.where)
        yield Measurement("file.verdict", NOT_EXAMINED, slice={"path": blob.path})
        return FileVerdict.UNPROVEN

    def _follow(self, task: _Task) -> Iterator[Item]:
        """Run the examiners over a blob, then go inside."""
        for item in self._judge(task):
            if isinstance(item, Gap) or (isinstance(item, Finding) and item.level is Level.ERROR):
                task.worsen(FileVerdict.UNPROVEN)
            yield item
        if not task.inside:
            return
        members = [part.blob if isinstance(part, Known) else part for part in task.inside]
        prefix = members[0].path[: len(task.blob.path) + 1]
        scope = Scope(prefix, {member.path: member.size for member in members})
        del members
        while task.inside:
            # taken out one by one, so that content kept in memory can go
            part = task.inside.popleft()
            known = part if isinstance(part, Known) else None
            if known and known.examiner is None and _is_plain(known.blob):
                continue
            inner = _Task(part.blob if isinstance(part, Known) else part, known, task.budget, scope)
            verdict = yield from self._examine(inner)
            if verdict is not None:
                task.worsen(verdict)

    def _judge(self, task: _Task) -> Iterator[Item]:
        blob = task.blob
        formats = [task.known.format] if task.known and task.known.examiner else []
        formats += [name for name in task.claims if not formats or not formats[0].endswith(name)]
        if _is_ambiguous(formats):
            message = f"{blob.path} is valid as {' and as '.join(formats)}: programs disagree about what it is"
            yield Finding.of(SER_POLYGLOT, message, task.where, formats=",".join(formats))
            yield Gap(f"{blob.path} is several kinds of file at once", task.where)
            task.worsen(FileVerdict.MALFORMED)
        if task.is_numbers:
            yield Gap(f"{blob.path} should hold raw numbers but is {_kind(task.claims)}", task.where)
        for name in task.unread:
            yield Finding.of(SER_UNKNOWN, f"{blob.path} is also {_kind((name,))}", task.where)
            yield Gap(f"{blob.path} is also {_kind((name,))}", task.where)
        for name, examiner in task.plan:
            yield from self._run(task, name, examiner)

    def _run(self, task: _Task, name: str, examiner: Examiner) -> Iterator[Item]:
        """Run one examiner; what it finds inside is kept for later."""
        try:
            for seen in examiner(task.blob, task.budget):
                if isinstance(seen, Blob | Known):
                    task.inside.append(seen)
                elif isinstance(seen, Reference):
                    self._alone &= task.scope is not self.scope
                    yield from resolve(seen, task.scope)
                else:
                    yield seen
        except FormatError as error:
            task.worsen(FileVerdict.MALFORMED)
            yield from _malformed(task.where, error, name)
        except (OSError, BackendError, NotFound) as error:
            self._alone = False
            yield Gap(f"{task.blob.path} could not be read: {error}", task.where)


def _key(finding: Finding) -> tuple[object, ...]:
    return finding.rule, finding.level, finding.message, finding.location


def open_blob(artifact: Artifact, file: File) -> Blob:
    """Offer a file of an artifact as a blob."""

    def opener() -> BinaryIO:
        return artifact.open(file.path)

    return Blob(file.path, file.size, opener)


def _is_plain(blob: Blob) -> bool:
    """Say whether nothing claims raw numbers: the answer for nearly all of them, and there may be many thousands."""
    try:
        return not identify(blob, sure=True)
    except (FormatError, OSError, BackendError, NotFound):
        return False


def _make_plan(task: _Task) -> None:
    """Decide which examiners read a blob, in which order, and which of its formats none can read."""
    known = task.known
    if known and known.examiner:
        task.plan.append((known.format, known.examiner))
    bundle = _BUNDLE if "llamafile" in task.claims else frozenset()
    for name in task.claims:
        if name == "text" and len(task.claims) > 1:
            continue  # said more precisely by another
        # the reading that follows from the place covers the format that the bytes were recognised as
        covered = known is not None and known.examiner and (known.format.endswith(name) or name in _ALIASES)
        if name in bundle or covered:
            continue
        if name in HANDLERS:
            task.plan.append((name, HANDLERS[name].examine))
        elif name not in INERT:
            task.unread.append(name)


def _is_ambiguous(formats: Sequence[str]) -> bool:
    """Say whether several formats of one file are a contradiction.

    A program with an archive attached is reported as such, and a tar archive accounts for every byte that a zip archive
    at its end consists of.
    """
    kinds = set(formats) - _ALIASES
    return len(kinds) > 1 and kinds != {"tar", "zip"} and "llamafile" not in kinds


def _kind(claims: Sequence[str]) -> str:
    return f"of a kind that is not examined ({', '.join(claims)})" if claims else "of an unknown kind"


def _malformed(where: Location, error: FormatError, name: str = "") -> Iterator[Item]:
    place = Location(where.path, error.offset)
    kind = f" as {name}" if name else ""
    if isinstance(error, LimitExceeded):
        yield Finding.of(SER_LIMIT, f"Reading {where.path}{kind} was stopped: {error}", place)
    else:
        yield Finding.of(SER_MALFORMED, f"{where.path} cannot be followed{kind}: {error}", place)
    yield Gap(f"{where.path} could not be examined to its end{kind}: {error}", place)
