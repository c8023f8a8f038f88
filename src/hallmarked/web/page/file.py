"""The files of a revision with their findings, and one file with its findings at their place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from starlette.requests import Request

from hallmarked.core.errors import Forbidden
from hallmarked.core.evidence import Finding, Level
from hallmarked.core.text import is_invisible
from hallmarked.hub.error import EntryNotFound, Superseded
from hallmarked.hub.repository.revision import Entry, find_entry, list_entries, read_text
from hallmarked.web.address import param
from hallmarked.web.page import evidence
from hallmarked.web.page.repository import KINDS, Head, Opened, open_page
from hallmarked.web.render import Page, context

MOST_SHOWN = 1 << 19
"""Bytes of a text file that are shown."""
MOST_LINES = 10_000
MOST_ROWS = 1_000
"""Files of one folder on a page."""


@context
class Row:
    """A file or folder."""

    name: str
    """Without its folder."""
    path: str
    """With its folder."""
    folder: bool
    """Whether it is a folder."""
    size: int
    """Bytes; zero for folders."""
    large: bool
    """Whether it is kept outside of the git tree, as git-lfs does."""
    format: str
    """What it was recognised as; empty when nothing was said."""
    verdict: str
    """``proven``, ``unproven``, ``malformed`` or ``not-examined`` for files that a library would load."""
    level: str
    """The highest level found in it; empty when nothing was found."""
    found: int
    """How many errors and warnings were found in it."""


@context
class Folder:
    """The files and folders at one place of a revision."""

    head: Head
    """What stands on top."""
    path: str
    """The folder; empty for the root."""
    steps: tuple[tuple[str, str], ...]
    """The folders above it: name and path."""
    rows: tuple[Row, ...]
    """What it holds: folders, then files."""
    hidden: int
    """How many more there are."""
    files: int
    """Files here, without those of folders."""
    size: int
    """Bytes of these files."""
    after: str
    """Name to start the next part of the list at; empty on the last part."""


@context
class Line:
    """One line of a text file."""

    number: int
    """From 1."""
    text: str
    """Characters that turn or hide text are written out."""
    groups: tuple[evidence.Group, ...]
    """What was found in this line."""


@context
class File:
    """One file of a revision, never rendered or run: its lines when it is text, else what is known of it."""

    head: Head
    """What stands on top."""
    path: str
    """The file."""
    name: str
    """Without its folder."""
    steps: tuple[tuple[str, str], ...]
    """The folders above it: name and path."""
    size: int
    """Bytes."""
    sha256: str
    """SHA-256 of the file."""
    oid: str
    """Git id of what stands in the tree."""
    large: bool
    """Whether it is kept outside of the git tree, as git-lfs does."""
    refused: str
    """Why its bytes are not given to this reader; empty when they are."""
    lines: tuple[Line, ...] | None
    """Its lines; none when it is not text, too large to show, or refused."""
    cut: bool
    """Whether only the beginning is shown."""
    groups: tuple[evidence.Group, ...]
    """What was found in it, apart from what stands beside lines."""
    unknowns: tuple[evidence.Unknown, ...]
    """What could not be established about it."""
    facts: tuple[evidence.Fact, ...]
    """What was measured from it."""
    format: str
    """What it was recognised as; empty when nothing was said."""
    verdict: str
    """Verdict of the check of files that libraries load; empty when there is none."""


def show_folder(request: Request, kind: str) -> Folder:
    """Make the page of a folder."""
    path = param(request, "path").strip("/") if "path" in request.path_params else ""
    after = request.query_params.get("after", "")
    with open_page(request, kind) as opened:
        entries = sorted(
            list_entries(opened.db, opened.at, path, recursive=False), key=lambda entry: (not entry.folder, entry.path)
        )
        files = [entry for entry in entries if not entry.folder]
        start = next((number for number, entry in enumerate(entries) if entry.path == after), 0)
        shown = entries[start : start + MOST_ROWS]
        rest = entries[start + MOST_ROWS :]
        return Folder(
            opened.head,
            path,
            steps_to(path),
            _rows(shown, opened.seen),
            len(rest),
            len(files),
            sum(entry.size for entry in files),
            rest[0].path if rest else "",
        )


def show_file(request: Request, kind: str) -> File:
    """Make the page of a file.

    Raises:
        EntryNotFound: When there is no such file.
    """
    path = param(request, "path")
    with open_page(request, kind) as opened:
        entry = find_entry(opened.db, opened.at, path)
        if entry.folder:
            raise EntryNotFound(f"{path[:200]} is a folder", opened.at.oid)
        refused = ""
        try:
            opened.require_bytes(entry)
        except (Forbidden, Superseded) as error:
            refused = str(error)
        return _file(opened, entry, refused)


def steps_to(path: str) -> tuple[tuple[str, str], ...]:
    """Return the folders above a path, outermost first: name and path."""
    parts = path.split("/")[:-1]
    return tuple((name, "/".join(parts[: number + 1])) for number, name in enumerate(parts))


def text_lines(data: bytes) -> list[str] | None:
    """Return the lines of a text; None when it is not text."""
    if b"\0" in data:
        return None
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    lines = text.replace("\r\n", "\n").split("\n")
    if lines and not lines[-1]:
        lines.pop()
    return ["".join(_shown(character) for character in line) for line in lines]


def _shown(character: str) -> str:
    if character == "\t":
        return "    "
    return character.encode("unicode_escape").decode() if is_invisible(character) else character


def _rows(entries: Sequence[Entry], seen: evidence.Seen | None) -> tuple[Row, ...]:
    judged = evidence.verdicts(seen) if seen else {}
    found: defaultdict[str, list[Level]] = defaultdict(list)
    for _, finding in seen.findings if seen else ():
        if finding.location is None:
            continue
        path = evidence.file_of(finding.location)
        while path:  # a folder shows what is in it
            found[path].append(finding.level)
            path = path.rpartition("/")[0]
    return tuple(_row(entry, judged, found[entry.path]) for entry in entries)


def _row(entry: Entry, judged: Mapping[str, tuple[str, str]], levels: Sequence[Level]) -> Row:
    form, verdict = judged.get(entry.path, ("", ""))
    serious = [level for level in levels if level is not Level.NOTE]
    worst = max(levels, key=lambda level: level.rank).value if levels else ""
    name = entry.path.rpartition("/")[2]
    return Row(name, entry.path, entry.folder, entry.size, entry.large, form, verdict, worst, len(serious))


def _file(opened: Opened, entry: Entry, refused: str) -> File:
    seen = opened.seen
    here = [
        (check, finding)
        for check, finding in (seen.findings if seen else ())
        if finding.location is not None and evidence.file_of(finding.location) == entry.path
    ]
    lines, cut = (None, False) if refused or entry.large else _lines(read_text(opened.db, entry), here)
    shown = {line.number for line in lines or ()}
    beside = [(c, f) for c, f in here if lines is None or f.location is None or f.location.line not in shown]
    form, verdict = evidence.verdicts(seen).get(entry.path, ("", "")) if seen else ("", "")
    unknowns = evidence.gap_rows(seen) if seen else ()
    return File(
        opened.head,
        entry.path,
        entry.path.rpartition("/")[2],
        steps_to(entry.path),
        entry.size,
        entry.sha256,
        entry.oid,
        entry.large,
        refused,
        lines,
        cut,
        evidence.group_findings(beside),
        tuple(unknown for unknown in unknowns if unknown.spot and unknown.spot.path == entry.path),
        evidence.facts(seen, entry.path) if seen else (),
        form,
        verdict,
    )


def _lines(data: bytes, found: Sequence[tuple[str, Finding]]) -> tuple[tuple[Line, ...] | None, bool]:
    """Return the lines to show with what was found in them, and whether some are left out."""
    head = data[:MOST_SHOWN]
    if len(data) > MOST_SHOWN:
        head = head[: head.rfind(b"\n") + 1]
    lines = text_lines(head)
    if lines is None:
        return None, False
    by_line: defaultdict[int, list[tuple[str, Finding]]] = defaultdict(list)
    for check, finding in found:
        if finding.location is not None and finding.location.line is not None:
            by_line[finding.location.line].append((check, finding))
    rows = tuple(
        Line(number, text, evidence.group_findings(by_line.get(number, ())))
        for number, text in enumerate(lines[:MOST_LINES], 1)
    )
    return rows, len(data) > len(head) or len(lines) > MOST_LINES


PAGES = (
    Page("/{owner}/{name}/tree/{revision}", "repository/folder.html.j2", show_folder, KINDS),
    Page("/{owner}/{name}/tree/{revision}/{path:path}", "repository/folder.html.j2", show_folder, KINDS),
    Page("/{owner}/{name}/blob/{revision}/{path:path}", "repository/file.html.j2", show_file, KINDS),
)
