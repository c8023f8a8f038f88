"""R objects: does the file hold functions, or something that runs as soon as a value is used?

https://cran.r-project.org/doc/manuals/r-release/R-ints.html#Serialization-Formats. Reading runs nothing, but a promise
in place of a value runs when the value is first looked at (CVE-2024-27322).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from hallmarked.checks.serialization.brief import brief
from hallmarked.checks.serialization.contract import Seen
from hallmarked.checks.serialization.vocabulary import shown
from hallmarked.core.evidence import Finding, Gap, Level, Location, Rule
from hallmarked.formats.blob import Blob, Budget
from hallmarked.formats.rds import Item, read_rds

RDS001 = Rule(
    "RDS001",
    Level.ERROR,
    "Code hides in place of a value and runs when the value is first used",
    "Do not read the file; report it to whoever hosts it.",
)
RDS002 = Rule(
    "RDS002",
    Level.WARNING,
    "The object contains R functions",
    "Read the functions before you use the object; many models of R contain some.",
)
RDS003 = Rule(
    "RDS003",
    Level.WARNING,
    "An environment in the file holds code that runs when one of its values is used",
    "Ask the author to save the object without the environment it was made in.",
)
RDS004 = Rule(
    "RDS004",
    Level.WARNING,
    "A stored call would run a program, reach the network or change files",
    "Look at the call before you use the object.",
)
RDS005 = Rule(
    "RDS005",
    Level.WARNING,
    "Part of the object only makes sense to a package or program that is not in the file",
    "Find out which package wrote the object and what it does when it is read.",
)
RDS006 = Rule(
    "RDS006",
    Level.WARNING,
    "The object is stored as text, which is not followed",
    "Save it again in the binary form, which is R's default.",
)
RDS007 = Rule(
    "RDS007",
    Level.WARNING,
    "Bytes follow the object that R never looks at",
    "Ask the author what they are.",
)
RULES = (RDS001, RDS002, RDS003, RDS004, RDS005, RDS006, RDS007)

_RISKY = frozenset(
    {"system", "system2", "shell", "shell.exec", "pipe", "dyn.load", "library.dynam", "download.file", "url", "source"}
    | {"socketConnection", "browseURL", "unlink", "file.remove", "Sys.setenv", "sys.source", "install.packages", "quit"}
)
# Compact vectors of R itself; other classes are created by code of a package, which may open files.
_COMPACT = frozenset(
    {"compact_intseq", "compact_realseq", "deferred_string", "wrap_list", "wrap_raw", "wrap_complex"}
    | {"wrap_real", "wrap_integer", "wrap_logical", "wrap_string"}
)


@brief
def examine_rds(blob: Blob, budget: Budget) -> Iterator[Seen]:
    """Examine a serialized object or workspace of R, without its compression.

    Raises:
        FormatError: When it is broken.
    """
    head = blob.head(8)
    if head[5 if head.startswith(b"RDA") else 0 :].startswith((b"A\n", b"A\r")):
        yield Finding.of(RDS006, "the object is stored as text", Location(blob.path))
        yield Gap("it is not known what an object stored as text holds", Location(blob.path))
        return
    functions: Counter[str] = Counter()
    bindings: Counter[str] = Counter()
    for item in read_rds(blob, budget):
        if item.kind in ("closure", "bytecode"):
            functions[item.kind] += 1
        elif item.kind in ("kept promise", "active binding") or (item.kind == "promise" and item.in_environment):
            bindings[item.kind] += 1
        else:
            yield from _judge(item, Location(blob.path, item.offset))
    yield from _summarise(functions, RDS002, blob)
    yield from _summarise(bindings, RDS003, blob)


def _judge(item: Item, place: Location) -> Iterator[Seen]:
    name = shown(item.name)
    if item.kind == "promise":
        yield Finding.of(RDS001, "a promise stands in place of a value", place)
        yield Gap("it is not known what the promise would run", place)
    elif item.kind in ("call", "builtin") and item.name in _RISKY:
        yield Finding.of(RDS004, f"a stored {item.kind} names the function {name}", place, name=item.name)
        yield Gap(f"it is not known what the {item.kind} of {name} would do", place)
    elif item.kind == "persistent" or (item.kind == "altrep" and item.name not in _COMPACT):
        what = "a persistent object" if item.kind == "persistent" else "a vector of the class"
        yield Finding.of(RDS005, f"the object holds {what} {name}", place, name=item.name)
        yield Gap(f"it is not known what is made of {what} {name}", place)
    elif item.kind == "trailing":
        yield Finding.of(RDS007, "bytes follow the object", place)
        yield Gap("the bytes behind the object were not read", place)


def _summarise(counts: Counter[str], rule: Rule, blob: Blob) -> Iterator[Seen]:
    if not counts:
        return
    text = ", ".join(f"{number:,} {kind}{'s' * (number > 1)}" for kind, number in sorted(counts.items()))
    yield Finding.of(rule, f"the object holds {text.replace('bytecodes', 'bytecode')}", Location(blob.path))
    yield Gap(f"it is not known what would run: {text.replace('bytecodes', 'bytecode')}", Location(blob.path))
