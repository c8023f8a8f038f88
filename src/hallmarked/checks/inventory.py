"""What is in the artifact, what is not covered by its digest, and names that deceive or cannot be stored elsewhere."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from itertools import accumulate

from hallmarked.core.artifact import Artifact
from hallmarked.core.check import Extent
from hallmarked.core.evidence import Finding, Gap, Item, Level, Location, Measurement, Rule

OMITTED = Rule(
    "INV001",
    Level.WARNING,
    "Something in the folder is not covered by the evidence",
    "Replace links by the files they point to, remove sockets and devices, rename files to plain UTF-8 names.",
)
EXCLUDED = Rule(
    "INV002",
    Level.NOTE,
    "A folder that a client keeps beside the files was left out",
    "Nothing to do: version-control data and download caches are not part of a revision. The evidence names them.",
)
COLLIDING = Rule(
    "INV003",
    Level.WARNING,
    "Names that are one name on other systems",
    "Rename one of the files: where case or accents are folded, one overwrites the other.",
)
DECEIVING = Rule(
    "INV004",
    Level.WARNING,
    "A file name holds characters that do not show",
    "Rename the file: invisible or direction-changing characters can make a name look like another.",
)


class InventoryCheck:
    """Is everything here covered, and are the names what they seem?"""

    id = "inventory"
    version = "1"
    title = "Is everything here covered, and are the names what they seem?"
    rules = (OMITTED, EXCLUDED, COLLIDING, DECEIVING)
    needs_socket = False
    extent = Extent.ARTIFACT

    def applies(self, artifact: Artifact) -> bool:
        """Apply to everything."""
        return True

    def run(self, artifact: Artifact) -> Iterator[Item]:
        """Count and name the files, and list what could not be covered."""
        files = artifact.files
        yield Measurement("files.total", str(len(files)), n=len(files))
        yield Measurement("bytes.total", str(sum(file.size for file in files)), "byte")
        for file in files:
            yield Measurement("file.present", str(file.size), "byte", slice={"path": file.path})
        for omission in artifact.omitted:
            place = Location(omission.path)
            yield Finding.of(OMITTED, f"{omission.path} is not covered: {omission.reason}", place)
            yield Gap(f"{omission.path}: {omission.reason}", place)
        for folder in artifact.excluded:
            yield Finding.of(EXCLUDED, f"{folder}/ was left out", Location(folder))
        yield from _names([file.path for file in files])


def _names(paths: list[str]) -> Iterator[Finding]:
    """Look at files and the folders they lie in."""
    names = dict.fromkeys(part for path in paths for part in accumulate(path.split("/"), "{}/{}".format))
    folded: defaultdict[str, list[str]] = defaultdict(list)
    for name in names:
        folded[unicodedata.normalize("NFKC", name).casefold()].append(name)
        if any(unicodedata.category(character) in {"Cc", "Cf", "Zl", "Zp"} for character in name):
            shown = name.encode("unicode_escape").decode()
            yield Finding.of(DECEIVING, f"The name {shown} holds characters that do not show", Location(name))
    for group in folded.values():
        if len(group) > 1:
            yield Finding.of(COLLIDING, f"{' and '.join(group)} are one name on some systems", Location(group[1]))
