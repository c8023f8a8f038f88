"""The check for items of benchmarks in data sets: a model that learned them is measured too well by them.

Nothing is looked for unless somebody gave a benchmark to compare with. Measurements (views rely on these names), each
with the ``benchmark`` in its slice:

======================== =============================================================================================
``leak.items``           items of the benchmark; ``recipe`` in the slice says how its rows were read
``leak.strong``          of these, items of which most stands in the data set, in order
``leak.possible``        of these, items of which only a part does: a quotation, a sibling, a heavily changed copy
``leak.not_found``       of these, items that were not found by this method, which is not to say that they are not there
``leak.too_short``       of these, items of fewer than three words, which were not looked for
``leak.unread``          rows of the benchmark that made no item
``leak.item``            ``strong`` or ``possible``, for one ``item``; n is in how many places it was found
``leak.item.answer``     ``near`` when the item's answer stands near it, ``not found`` otherwise
``leak.method``          settings of the method, by ``setting``
``leak.rows``            rows of the data set that were looked through
======================== =============================================================================================
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

from hallmarked.checks.part import by_path, cut_texts, missing_module, read_part, read_whole, run_parts
from hallmarked.core.artifact import Artifact
from hallmarked.core.check import Extent, Learned, Part
from hallmarked.core.errors import BackendError, FormatError, NotFound
from hallmarked.core.evidence import Finding, Gap, Item, Level, Location, Measurement, Rule
from hallmarked.corpus.table.ending import find_table_paths

if TYPE_CHECKING:
    from hallmarked.corpus.leak.found import Found
    from hallmarked.corpus.leak.index import Index
    from hallmarked.corpus.leak.judge import ItemFound
    from hallmarked.corpus.leak.read import Unused

LEAKED = Rule(
    "LEK001",
    Level.WARNING,
    "Items of a benchmark stand in the data",
    "Leave them out before training, or report results of that benchmark without these items.",
)
POSSIBLY = Rule(
    "LEK002",
    Level.NOTE,
    "Items of a benchmark may stand in the data",
    "Look at the places: they may be quotations, items that resemble these, or copies that were changed a lot.",
)
MOST_SHOWN = 20
"""Items of one benchmark and strength whose places are told one by one; all are among the measurements."""
TOLERATED = 0.001
"""Share of unread rows up to which the others stand for all."""


class LeakCheck:
    """Do items of benchmarks stand in the data?"""

    id: ClassVar[str] = "benchmark-leakage"
    version: ClassVar[str] = "1"
    title: ClassVar[str] = "Do items of benchmarks stand in the data?"
    rules: ClassVar[Sequence[Rule]] = (LEAKED, POSSIBLY)
    needs_socket: ClassVar[bool] = False
    extent: ClassVar[Extent] = Extent.PARTS

    def applies(self, artifact: Artifact) -> bool:
        """Apply to whatever has files with rows, when there is a benchmark to look for."""
        return bool(artifact.beside) and bool(find_table_paths(artifact))

    def run(self, artifact: Artifact) -> Iterator[Item]:
        """Look through every row once."""
        if missing := missing_module():
            yield Gap(f'benchmarks were not looked for: {missing} is missing; install "hallmarked[data]"')
            return
        yield from run_parts(self, artifact)

    def cut(self, artifact: Artifact) -> Iterator[Part]:
        """Yield the parts of all tables, with the columns that hold texts."""
        return cut_texts(artifact)

    def learn(self, artifact: Artifact, part: Part) -> bytes:
        """Look for items in the rows of a part."""
        from hallmarked.corpus.leak.found import Found  # noqa: PLC0415 -- needs the extra "data"

        index = _index_of(artifact)[0]
        found = Found(index.size)
        reason = str(part.get("broken", ""))
        if not reason:
            try:
                _look(index, found, artifact, part)
            except (FormatError, BackendError, NotFound) as error:
                reason = str(error)
        if reason:
            found.skip(None, reason)
        return found.dump()

    def conclude(self, artifact: Artifact, learned: Sequence[Learned]) -> Iterator[Item]:
        """Put together what was found, and say of which items."""
        from hallmarked.corpus.leak.found import Found  # noqa: PLC0415 -- needs the extra "data"
        from hallmarked.corpus.leak.judge import judge  # noqa: PLC0415 -- likewise

        index, unused = _index_of(artifact)
        whole = Found(index.size)
        for path, parts in by_path(learned).items():
            shift = 0
            here = Found(index.size)
            for part in parts:
                if part.broke:
                    here.skip(None, part.broke)
                    continue
                found = Found.load(read_whole(part), index)
                here.merge(found, shift)
                shift += found.rows
            yield from _unread(path, here)
            whole.merge(here)
        yield Measurement("leak.rows", str(whole.rows - whole.unread))
        if whole.passed_over:
            yield Gap(f"{whole.passed_over:,} places were not compared: some texts match the benchmarks all over")
        yield from _method()
        results = judge(index, whole)
        for benchmark in index.benchmarks:
            mine = [result for result in results if result.benchmark == benchmark.name]
            yield from _benchmark(index, benchmark.name, mine, unused[benchmark.name])


def _index_of(artifact: Artifact) -> tuple[Index, Mapping[str, Sequence[Unused]]]:
    return _build(tuple(sorted(artifact.beside.items())))


@lru_cache(maxsize=1)
def _build(benchmarks: tuple[tuple[str, Artifact], ...]) -> tuple[Index, Mapping[str, Sequence[Unused]]]:
    """Read the benchmarks and index them, once for all parts that one process looks at.

    Raises:
        FormatError: When one cannot be read; LimitExceeded when they are too large.
    """
    from hallmarked.corpus.leak.index import build_index  # noqa: PLC0415 -- needs the extra "data"
    from hallmarked.corpus.leak.read import read_benchmark  # noqa: PLC0415 -- likewise

    read = {name: read_benchmark(name, artifact) for name, artifact in benchmarks}
    return build_index([benchmark for benchmark, _ in read.values()]), {
        name: unused for name, (_, unused) in read.items()
    }


def _look(index: Index, found: Found, artifact: Artifact, part: Part) -> None:
    """Look through the rows of a part."""
    from hallmarked.corpus.leak.text import row_texts  # noqa: PLC0415 -- likewise
    from hallmarked.corpus.table.model import Skipped  # noqa: PLC0415 -- needs the extra "data"

    for piece in read_part(artifact, part):
        if isinstance(piece, Skipped):
            found.skip(piece.rows, piece.reason)
        else:
            found.take(index, str(part["path"]), row_texts(piece, part["texts"]))


def _unread(path: str, found: Found) -> Iterator[Item]:
    if found.lost or found.unread > TOLERATED * found.rows:
        why = f": {found.lost[0]}" if found.lost else f": {found.unread:,} rows cannot be read"
        yield Gap(f"{path} was not looked through as a whole{why}", Location(path))


def _method() -> Iterator[Measurement]:
    from hallmarked.corpus.leak import align, index, scan  # noqa: PLC0415 -- needs the extra "data"

    settings = {
        "words of a run, items of 16 words and more": index.LONG_RUN,
        "words of a run, shorter items": index.SHORT_RUN,
        "words below which the whole item has to match": index.WHOLE_ITEM,
        "penalty of a changed word": align.PENALTY / index.UNIT,
        "share for strong": scan.STRONG,
        "share for possible": scan.POSSIBLE,
        "words in a row for possible": scan.QUOTED,
    }
    for name, value in settings.items():
        yield Measurement("leak.method", str(value), slice={"setting": name})


def _benchmark(index: Index, name: str, found: Sequence[ItemFound], unused: Sequence[Unused]) -> Iterator[Item]:
    """Tell what was found of one benchmark."""
    benchmark = next(each for each in index.benchmarks if each.name == name)
    place = {"benchmark": name}
    owners = list(index.items())
    short = sum(owners[item][0].name == name for item in index.short)
    strong = [result for result in found if result.strength == "strong"]
    possible = [result for result in found if result.strength != "strong"]
    items = len(benchmark.items)
    yield Measurement("leak.items", str(items), slice={**place, "recipe": benchmark.recipe})
    yield Measurement("leak.strong", str(len(strong)), n=items, slice=place)
    yield Measurement("leak.possible", str(len(possible)), n=items, slice=place)
    yield Measurement("leak.not_found", str(items - len(found) - short), n=items, slice=place)
    if short:
        yield Measurement("leak.too_short", str(short), n=items, slice=place)
        yield Gap(f"{short:,} items of {name} have fewer than three words and were not looked for")
    if unused:
        yield Measurement("leak.unread", str(len(unused)), slice=place)
        yield Gap(f"{len(unused):,} rows or files of the benchmark {name} cannot be read: {unused[0].reason}")
    for result in found:
        which = {**place, "item": result.id}
        yield Measurement("leak.item", result.strength.value, n=result.count, slice=which)
        if result.answer is not None:
            yield Measurement("leak.item.answer", "near" if result.answer else "not found", slice=which)
    yield from _findings(LEAKED, name, strong, items)
    yield from _findings(POSSIBLY, name, possible, items)


def _findings(rule: Rule, name: str, found: Sequence[ItemFound], items: int) -> Iterator[Finding]:
    if not found:
        return
    verb = "stand" if rule is LEAKED else "may stand"
    yield Finding.of(rule, f"{len(found):,} of {items:,} items of {name} {verb} in the data", benchmark=name)
    for result in sorted(found, key=lambda each: each.places[0].rank)[:MOST_SHOWN]:
        best = result.places[0]
        match = best.match
        answer = {True: "; its answer stands near", False: "; its answer was not found near", None: ""}[match.answer]
        yield Finding.of(
            rule,
            f"Item {result.id} of {name}: {match.words} of its {result.words} words match in order, {match.longest} in "
            f"a row, in row {best.row:,} of {best.path}, words {match.start + 1:,} to {match.stop:,}{answer}",
            Location(best.path),
            benchmark=name,
            item=result.id,
            row=str(best.row),
            words=f"{match.start + 1}-{match.stop}",
            share=f"{match.share:.4f}",
            matched=",".join(f"{begin + 1}-{end}" for begin, end in match.matched),
            places=str(result.count),
        )
