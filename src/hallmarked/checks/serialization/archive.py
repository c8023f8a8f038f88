"""Archives and compressed files: what is wrong with the container, and the members, which are routed in turn."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass

from hallmarked.checks.serialization.contract import Known, Seen
from hallmarked.core.errors import FormatError, LimitExceeded
from hallmarked.core.evidence import Finding, Gap, Level, Location, Measurement, Rule
from hallmarked.formats.archive.compressed import expand
from hallmarked.formats.archive.model import FATAL, Defect, Entry, Expanded, Irregularity, Listing
from hallmarked.formats.archive.sevenzip import read_7z
from hallmarked.formats.archive.tar import read_tar
from hallmarked.formats.archive.zip import read_zip
from hallmarked.formats.blob import Blob, Budget

ZIP_CONFLICT = Rule(
    "ZIP001",
    Level.WARNING,
    "Two programs would find different content in this archive",
    "Repack the archive with an ordinary tool and audit it again; if you received it, ask who made it this way.",
)
ZIP_CHECKSUM = Rule(
    "ZIP002",
    Level.WARNING,
    "Content of an archive does not match its checksum",
    "Download the file again; if it stays so, do not use it: some programs load such content without complaint.",
)
ZIP_TRUNCATED = Rule(
    "ZIP003",
    Level.WARNING,
    "An archive or compressed file is cut off or damaged",
    "Download the file again and compare its digest with the publisher's.",
)
ZIP_FOREIGN = Rule(
    "ZIP004",
    Level.WARNING,
    "An archive holds bytes that belong to no member",
    "Such bytes can be read as another file: repack the archive, or ask what they are for.",
)
ZIP_ESCAPE = Rule(
    "ZIP005",
    Level.ERROR,
    "Unpacking this archive would write outside of the chosen folder",
    "Do not unpack it: it can overwrite files elsewhere on the computer.",
)
ZIP_NAME = Rule(
    "ZIP006",
    Level.WARNING,
    "A member has a name that some systems understand differently",
    "Repack the archive with relative names that differ in more than case.",
)
ZIP_LINK = Rule(
    "ZIP007",
    Level.NOTE,
    "An archive contains a link",
    "Links are not followed here; make sure that the program which unpacks it handles them with care.",
)
ZIP_DEVICE = Rule(
    "ZIP008",
    Level.ERROR,
    "An archive contains a device or pipe",
    "Model files need no devices: do not unpack it.",
)
ZIP_UNCHECKED = Rule(
    "ZIP010",
    Level.NOTE,
    "An archive was written without checksums",
    "Damage to it will go unnoticed by the programs that read it: compare digests instead.",
)
ZIP_UNREADABLE = Rule(
    "ZIP009",
    Level.WARNING,
    "Part of an archive could not be looked into",
    "Unpack it on a separate machine and audit the content, or ask for an archive without encryption.",
)

RULES = (
    ZIP_CONFLICT,
    ZIP_CHECKSUM,
    ZIP_TRUNCATED,
    ZIP_FOREIGN,
    ZIP_ESCAPE,
    ZIP_NAME,
    ZIP_LINK,
    ZIP_DEVICE,
    ZIP_UNREADABLE,
    ZIP_UNCHECKED,
)

_RULE_OF = {
    Defect.CONFLICT: ZIP_CONFLICT,
    Defect.CHECKSUM: ZIP_CHECKSUM,
    Defect.UNCHECKED: ZIP_UNCHECKED,
    Defect.TRUNCATED: ZIP_TRUNCATED,
    Defect.FOREIGN: ZIP_FOREIGN,
    Defect.ESCAPE: ZIP_ESCAPE,
    Defect.NAME: ZIP_NAME,
    Defect.LINK: ZIP_LINK,
    Defect.DEVICE: ZIP_DEVICE,
}


@dataclass(frozen=True, slots=True)
class Layout:
    """A format that is a container with certain members."""

    name: str
    matches: Callable[[Collection[str]], bool]
    """Decides by the names of the members."""
    examine: Callable[[Mapping[str, Blob], Budget], Iterator[Seen]]
    """Examines the members together. It yields ``Known`` for those whose reading it determines."""
    rules: Sequence[Rule] = ()


def has(required: str, one_of: Sequence[str] = ()) -> Callable[[Collection[str]], bool]:
    """Return a test for archives with a certain member and, if given, at least one of several others."""
    return lambda names: required in names and (not one_of or any(name in names for name in one_of))


def examine_zip(blob: Blob, budget: Budget, layouts: Sequence[Layout] = ()) -> Iterator[Seen]:
    """Examine a zip archive and hand on its members.

    Raises:
        FormatError: When two readers would disagree about it.
    """
    yield from examine_listing(blob, read_zip(blob, budget), budget, layouts)


def examine_tar(blob: Blob, budget: Budget, layouts: Sequence[Layout] = ()) -> Iterator[Seen]:
    """Examine a tar archive and hand on its members.

    Raises:
        FormatError: When two readers would disagree about it.
    """
    yield from examine_listing(blob, read_tar(blob, budget), budget, layouts)


def examine_7z(blob: Blob, budget: Budget) -> Iterator[Seen]:
    """Examine a 7z archive and hand on its members.

    Raises:
        FormatError: When it is damaged or ambiguous.
    """
    yield from examine_listing(blob, read_7z(blob, budget), budget, ())


def examine_compressed(blob: Blob, budget: Budget, codec: str) -> Iterator[Seen]:
    """Examine a compressed file and hand on its content.

    Args:
        blob: The file.
        budget: Pays for what it expands to.
        codec: A key of ``formats.archive.compressed.CODECS``.

    Raises:
        FormatError: When it is damaged or holds more than its content.
    """
    expanded = expand(blob, budget, codec)
    for problem in expanded.irregularities:
        yield _finding(blob, problem)
    yield expanded.blob
    _refuse(expanded.irregularities)


def examine_listing(blob: Blob, listing: Listing, budget: Budget, layouts: Sequence[Layout]) -> Iterator[Seen]:
    """Report what is wrong with an archive, examine known layouts, and hand on every member.

    Raises:
        FormatError: When two readers would disagree about the archive.
    """
    problems = list(listing.irregularities)
    yield from (_finding(blob, problem) for problem in problems)
    yield Measurement("archive.members", str(len(listing.entries)), slice={"path": blob.path})
    members: list[tuple[str, Expanded]] = []
    stopped: LimitExceeded | None = None
    for entry in listing.entries:
        if entry.expand is None:
            yield from _unreadable(blob, entry)
            continue
        try:
            members.append((entry.name, entry.expand()))
        except LimitExceeded as error:
            stopped = error
            break
        except FormatError as error:
            problems.append(Irregularity(Defect.TRUNCATED, f"{entry.name!r}: {error}", error.offset, entry.name))
            yield _finding(blob, problems[-1])
    broken = yield from _hand_on(blob, members, budget, layouts, problems)
    if stopped is not None:
        raise stopped
    _refuse(problems)
    if broken is not None:
        raise broken


def _hand_on(
    blob: Blob,
    members: list[tuple[str, Expanded]],
    budget: Budget,
    layouts: Sequence[Layout],
    problems: list[Irregularity],
) -> Generator[Seen, None, FormatError | None]:
    """Examine known layouts, then hand on every member once; return why a layout could not be followed."""
    named: dict[str, Blob] = {}
    for name, member in members:
        named.setdefault(posixpath.normpath(name), member.blob)
    handed, numbers = set[int](), set[int]()
    broken: FormatError | None = None
    for layout in layouts:
        if not layout.matches(named.keys()):
            continue
        yield Measurement("archive.layout", layout.name, slice={"path": blob.path})
        try:
            for seen in layout.examine(named, budget):
                if isinstance(seen, Blob | Known):
                    part = seen.blob if isinstance(seen, Known) else seen
                    handed.add(id(part))
                    if isinstance(seen, Known) and seen.examiner is None:
                        numbers.add(id(part))
                yield seen
        except FormatError as error:
            broken = broken or FormatError(f"{layout.name} archive: {error}", offset=error.offset)
    for _, member in members:
        # NOTE: of raw numbers the checksum is not compared. Their readers do not do it either, and it would cost as
        # much as hashing them; the digest of the whole file speaks for them.
        found = member.irregularities if id(member.blob) in numbers else member.check()
        yield from (_finding(blob, problem) for problem in found)
        problems += found
        if id(member.blob) not in handed:
            yield member.blob
    return broken


def _unreadable(blob: Blob, entry: Entry) -> Iterator[Seen]:
    where = Location(f"{blob.path}!{entry.name}")
    yield Finding.of(ZIP_UNREADABLE, f"{entry.name!r} could not be looked into: {entry.unreadable}", where)
    yield Gap(f"{blob.path}!{entry.name} could not be looked into: {entry.unreadable}", where)


def _finding(blob: Blob, problem: Irregularity) -> Finding:
    message = problem.message[:1].upper() + problem.message[1:] if problem.message[:1].isalpha() else problem.message
    return Finding.of(_RULE_OF[problem.kind], message, Location(blob.path, problem.offset), member=problem.member)


def _refuse(problems: Sequence[Irregularity]) -> None:
    fatal = [problem for problem in problems if problem.kind in FATAL]
    if fatal:
        more = f" (and {len(fatal) - 1} more)" if len(fatal) > 1 else ""
        raise FormatError(f"{fatal[0].message}{more}", offset=fatal[0].offset)
