"""What the readers of archives say: entries, and the ways in which an archive would fool one reader or another."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from hallmarked.formats.blob import Blob


class Defect(StrEnum):
    """Kinds of irregularities. What each is worth is decided by the check, not by the reader."""

    CONFLICT = "conflict"
    """Two readers of the format would see different content."""
    CHECKSUM = "checksum"
    """Content does not have the recorded checksum or size: strict readers refuse what lenient ones hand out."""
    UNCHECKED = "unchecked"
    """The checksum was left out (PyTorch has a setting for that)."""
    TRUNCATED = "truncated"
    """The archive or a member ends early or cannot be decoded further."""
    FOREIGN = "foreign"
    """Bytes that belong to no member: before, between or after them."""
    ESCAPE = "escape"
    """A name or link that extraction would resolve outside of the target folder."""
    NAME = "name"
    """A name that some systems understand differently: absolute, two names that differ only in case, …"""
    LINK = "link"
    """A link to another place inside the archive."""
    DEVICE = "device"
    """A device, pipe or other special file."""


FATAL = frozenset({Defect.CONFLICT, Defect.CHECKSUM, Defect.TRUNCATED, Defect.FOREIGN})
"""Kinds that mean: the bytes cannot be followed the way every reader would."""


@dataclass(frozen=True, slots=True)
class Irregularity:
    """One irregularity of an archive."""

    kind: Defect
    message: str
    offset: int | None = None
    member: str = ""
    """Name of the member concerned, when one is."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A member of an archive under one of its readings."""

    name: str
    """As decoded for display: bytes that are not text appear escaped."""
    size: int
    """Expanded size, as declared."""
    expand: Callable[[], Expanded] | None
    """Reads the member; ``None`` when it cannot be read."""
    unreadable: str = ""
    """Why it cannot be read."""
    at: int | None = None
    """Where its content lies in the archive as it is, when it is not compressed."""


@dataclass(frozen=True, slots=True)
class Expanded:
    """The content of a member, with what went wrong while it was read once."""

    blob: Blob
    irregularities: tuple[Irregularity, ...] = ()
    verify: Callable[[], tuple[Irregularity, ...]] | None = None
    """Compares stored content with its checksum, which costs reading all of it; ``None`` when that was done."""

    def check(self) -> tuple[Irregularity, ...]:
        """Return everything that is wrong with the member, having read all of it."""
        return self.irregularities + (self.verify() if self.verify else ())


@dataclass(slots=True)
class Listing:
    """Everything an archive holds, under every reading."""

    entries: list[Entry] = field(default_factory=list)
    irregularities: list[Irregularity] = field(default_factory=list)

    def report(self, kind: Defect, message: str, offset: int | None = None, member: str = "") -> None:
        """Record an irregularity."""
        self.irregularities.append(Irregularity(kind, message, offset, member))


def decode_name(raw: bytes) -> str:
    """Decode a member's name for display; any bytes give some text."""
    return raw.decode("utf-8", "backslashreplace")


def leaves(name: str) -> bool:
    """Say whether a name resolves outside of the folder it is relative to, on any system."""
    depth = 0
    for part in name.replace("\\", "/").split("/"):
        depth += -1 if part == ".." else part not in {"", "."}
        if depth < 0:
            return True
    return False


def is_absolute(name: str) -> bool:
    """Say whether a name is absolute, on any system."""
    return name.startswith(("/", "\\")) or (
        len(name) > 1 and name[1] == ":" and name[0].isalpha() and name[0].isascii()
    )


def check_names(names: Iterable[str], listing: Listing) -> None:
    """Report names that lead elsewhere or that some systems would take for one another."""
    seen: dict[str, str] = {}
    for name in names:
        drive = len(name) > 1 and name[1] == ":"
        if leaves(name[2:] if drive else name):
            listing.report(
                Defect.ESCAPE, f"member name {name!r} leads out of the folder it would be extracted to", None, name
            )
        elif is_absolute(name):
            listing.report(Defect.NAME, f"member name {name!r} is absolute", None, name)
        key = (name if name.isascii() else unicodedata.normalize("NFC", name)).casefold().rstrip("/")
        if seen.setdefault(key, name) != name:
            listing.report(
                Defect.NAME, f"members {seen[key]!r} and {name!r} differ only in case or Unicode form", None, name
            )


def check_link(name: str, target: str, listing: Listing, offset: int | None = None) -> None:
    """Report a link: one that leads out of the archive's folder is an escape."""
    folder = name.rsplit("/", 1)[0] + "/" if "/" in name else ""
    if is_absolute(target) or leaves(folder + target):
        message = f"link {name!r} leads out of the folder it would be extracted to, to {target!r}"
        listing.report(Defect.ESCAPE, message, offset, name)
    else:
        listing.report(Defect.LINK, f"{name!r} is a link to {target!r}", offset, name)
