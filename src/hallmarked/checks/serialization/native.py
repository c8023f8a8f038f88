"""Programs among the files: native executables, compiled Python and Java, scripts, programs with an archive attached.

Nothing here judges what a program does. A program in a model repository is reported, and what it contains stays
unknown, because only running it would tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hallmarked.checks.serialization.archive import Layout, examine_listing
from hallmarked.checks.serialization.contract import Seen
from hallmarked.core.evidence import Finding, Gap, Level, Location, Rule
from hallmarked.formats.archive.model import Defect, Listing
from hallmarked.formats.archive.zip import read_zip
from hallmarked.formats.blob import Blob, Budget

LLF_PROGRAM = Rule(
    "LLF001",
    Level.WARNING,
    "A program for direct execution lies among the model's files",
    "Loading weights needs no program: do not start it, and ask the publisher for source code.",
)
LLF_BUNDLE = Rule(
    "LLF002",
    Level.WARNING,
    "A file is a program and an archive in one",
    "Its parts are listed, but the program itself cannot be vouched for: prefer the plain weights, or run it isolated.",
)
LLF_SCRIPT = Rule(
    "LLF003",
    Level.NOTE,
    "A script lies among the model's files",
    "It runs only when somebody starts it: read it first.",
)

RULES = (LLF_PROGRAM, LLF_BUNDLE, LLF_SCRIPT)

KINDS = {
    "elf": "a Linux program or library",
    "pe": "a Windows program or library",
    "macho": "an Apple program or library",
    "pyc": "compiled Python code",
    "class": "compiled Java code",
    "wasm": "a WebAssembly program",
}
"""Formats of programs."""


def examine_program(blob: Blob, _: Budget, kind: str) -> Iterator[Seen]:
    """Report a program.

    Args:
        blob: The file.
        kind: A key of ``KINDS``.
    """
    yield Finding.of(LLF_PROGRAM, f"{blob.path} is {KINDS[kind]}", Location(blob.path), kind=kind)
    yield Gap(f"{blob.path} is {KINDS[kind]}: what it does was not examined", Location(blob.path))


def examine_script(blob: Blob, _: Budget) -> Iterator[Seen]:
    """Report a script that names its interpreter."""
    line = blob.head(128).split(b"\n", 1)[0].decode("utf-8", "backslashreplace").strip()
    yield Finding.of(LLF_SCRIPT, f"{blob.path} is a script for {line[2:].strip()!r}", Location(blob.path))


def examine_bundle(blob: Blob, budget: Budget) -> Iterator[Seen]:
    """Report a program with an archive attached (llamafile, zipapp, self-extracting archive), and hand on its members.

    Raises:
        FormatError: When the archive cannot be read.
    """
    yield Finding.of(LLF_BUNDLE, f"{blob.path} is a program with an archive attached", Location(blob.path))
    yield Gap(f"{blob.path} is a program: what it does was not examined", Location(blob.path))
    yield from examine_attached(blob, budget)


def examine_attached(blob: Blob, budget: Budget, layouts: Sequence[Layout] = ()) -> Iterator[Seen]:
    """Examine a zip archive that lies behind something else, as is the rule in some formats.

    Raises:
        FormatError: When the archive cannot be read.
    """
    listing = read_zip(blob, budget)
    # what lies in front of the archive is accounted for by the other format
    attached = [p for p in listing.irregularities if not (p.kind is Defect.FOREIGN and not p.offset)]
    yield from examine_listing(blob, Listing(listing.entries, attached), budget, layouts)
