"""Can loading a file run code?

Every file is identified by its content and examined by the reader of each format that claims it; what it contains is
routed again, down to a limit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from hallmarked.checks.earlier import items_of
from hallmarked.checks.serialization import resolve, router
from hallmarked.checks.serialization.registry import HANDLERS
from hallmarked.checks.serialization.router import NOTHING, Router
from hallmarked.core.artifact import Artifact
from hallmarked.core.check import Extent, Note
from hallmarked.core.evidence import Gap, Item, Measurement, Rule


class SerializationCheck:
    """Can loading a file run code?"""

    id: ClassVar[str] = "serialization"
    version: ClassVar[str] = "1"
    title: ClassVar[str] = "Can loading a file run code?"
    rules: ClassVar[Sequence[Rule]] = tuple(
        {
            rule.id: rule
            for rules in (router.RULES, resolve.RULES, *(handler.rules for handler in HANDLERS.values()))
            for rule in rules
        }.values()
    )
    needs_socket: ClassVar[bool] = False
    extent: ClassVar[Extent] = Extent.FILE

    def edition(self) -> str:
        """Depend on nothing but rules and bytes."""
        return ""

    def applies(self, artifact: Artifact) -> bool:
        """Say whether there is a file."""
        return bool(artifact.files) or artifact.container is not None

    def run(self, artifact: Artifact) -> Iterator[Item]:
        """Identify and examine every file, and what is inside."""
        return items_of(self.look(artifact, {}))

    def look(self, artifact: Artifact, known: Mapping[str, Note]) -> Iterator[Item | Note]:
        """Examine the files that are not known yet."""
        routed, counts = Router(artifact), Counter(NOTHING)
        # a packed artifact is examined as the archive it is: how it is packed is part of what can go wrong
        for file in [artifact.container] if artifact.container is not None else artifact.files:
            note = known.get(file.path) or (yield from routed.examine_file(file))
            counts.update(note.data)
            yield note
        for name, count in counts.items():
            yield Measurement(f"files.{name}", str(count))
        if counts["not-examined"] and not counts["examined"]:
            yield Gap("Nothing could be examined: no file is of a format that is known here.")
