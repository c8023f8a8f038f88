"""The check for personal data and secrets in data sets.

Measurements (views rely on these names):

=========================== ==========================================================================================
``personal.kinds``          what was looked for
``personal.kinds.missing``  what was not, since nothing here finds it: that it is not found says nothing
``personal.rows``           rows in which something was found; with ``kind`` in the slice, of that kind. Web addresses
                            count only for themselves
``personal.found``          values of a ``kind``; the slice may name ``path`` and ``column``
``personal.checked``        those of them that have a check digit, a checksum or the like
``personal.share``          share of the rows of a group in which something was found: the slice names ``column`` and
                            ``value``. It is whom a redaction changes, or a filter drops
``personal.times``          how many times as often as in all other rows
=========================== ==========================================================================================

Values are never told: findings hold the kind, the file, the column, rows, and samples that are masked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from hallmarked.checks.part import by_path, cut_tables, missing_module, read_part, read_whole, run_parts
from hallmarked.checks.personal.rule import RULES
from hallmarked.core.artifact import Artifact
from hallmarked.core.check import Extent, Learned, Part
from hallmarked.core.errors import BackendError, FormatError, NotFound
from hallmarked.core.evidence import Gap, Item, Location, Rule
from hallmarked.corpus.table.ending import table_paths

if TYPE_CHECKING:
    from hallmarked.corpus.personal.tally import Tally

TOLERATED = 0.001
"""Share of unread rows up to which the others stand for all."""


class PersonalCheck:
    """Do the texts hold personal data or secrets?"""

    id: ClassVar[str] = "personal-data"
    version: ClassVar[str] = "1"
    title: ClassVar[str] = "Do the texts hold personal data or secrets?"
    rules: ClassVar[Sequence[Rule]] = RULES
    needs_socket: ClassVar[bool] = False
    extent: ClassVar[Extent] = Extent.PARTS

    def applies(self, artifact: Artifact) -> bool:
        """Apply to whatever has files with rows."""
        return bool(table_paths([file.path for file in artifact.files]))

    def run(self, artifact: Artifact) -> Iterator[Item]:
        """Search every table."""
        if missing := missing_module():
            yield Gap(f'personal data were not looked for: {missing} is missing; install "hallmarked[data]"')
            return
        yield from run_parts(self, artifact)

    def cut(self, artifact: Artifact) -> Iterator[Part]:
        """Yield the parts of all tables, with the columns that say to which group a row belongs."""
        from hallmarked.corpus.declaration import read_declaration  # noqa: PLC0415 -- needs the extra "data"

        columns = read_declaration(artifact).columns
        groups = [*columns.group, *([columns.source] if columns.source else [])]
        for part in cut_tables(artifact):
            yield {**part, "groups": groups}

    def learn(self, artifact: Artifact, part: Part) -> bytes:
        """Search the rows of a part."""
        from hallmarked.corpus.personal.find import Search, detector_of  # noqa: PLC0415 -- needs the extra "data"
        from hallmarked.corpus.personal.kind import SEARCHED  # noqa: PLC0415 -- likewise
        from hallmarked.corpus.personal.tally import Tally  # noqa: PLC0415 -- likewise

        tally = Tally()
        if "broken" in part:
            tally.lost = 1
            return tally.dump()
        detector = detector_of(Search(kinds=SEARCHED))
        try:
            tally.take(read_part(artifact, part), detector, part["groups"])
        except (FormatError, BackendError, NotFound):
            tally.lost += 1  # the check of tables says why
        return tally.dump()

    def conclude(self, artifact: Artifact, learned: Sequence[Learned]) -> Iterator[Item]:
        """Tell what was found, of all and file by file."""
        from hallmarked.checks.personal.told import tell  # noqa: PLC0415 -- needs the extra "data"
        from hallmarked.corpus.personal.tally import Tally  # noqa: PLC0415 -- likewise

        files: dict[str, Tally] = {}
        for path, parts in by_path(learned).items():
            whole = files[path] = Tally()
            for part in parts:
                if part.broke:
                    whole.lost += 1
                else:
                    whole.merge(Tally.load(read_whole(part)))
            if whole.lost or whole.skipped > TOLERATED * (whole.rows + whole.skipped):
                yield Gap(f"{path} was not searched as a whole for personal data", Location(path))
        yield from tell(files)
