"""Is the card filled in, and what does it claim?

A missing or empty section is never an error: it is a question the card leaves open. See ``sections`` for what is asked,
``claims`` for the vocabulary in which the card's claims are written down, and ``prose`` for text that deceives.
"""

from __future__ import annotations

from collections.abc import Iterator

from hallmarked.checks.documentation import claims, declared, prose, scope, system
from hallmarked.checks.documentation.sections import Answer, Template, answers, field_value, kind_of, template
from hallmarked.core.artifact import Artifact, File
from hallmarked.core.check import Extent
from hallmarked.core.errors import FormatError
from hallmarked.core.evidence import Finding, Gap, Item, Level, Location, Measurement, Rule
from hallmarked.formats import readme
from hallmarked.formats.blob import Blob, Budget
from hallmarked.formats.document import Path, read_yaml
from hallmarked.formats.position import Lines, read_places
from hallmarked.formats.readme import Readme

MISSING = Rule(
    "DOC001",
    Level.WARNING,
    "There is no card",
    "Write a README.md that says what this is, what it is for, what it must not be used for, and how well it works.",
)
MISNAMED = Rule(
    "DOC002",
    Level.NOTE,
    "The card is not where the Hub looks for it",
    "Name the file README.md and keep it in the top folder.",
)
UNREADABLE = Rule(
    "DOC003",
    Level.WARNING,
    "The card cannot be read as other readers would",
    "Correct the file: UTF-8 text, metadata as “key: value” lines between two lines of three hyphens, then Markdown.",
)
UNSAID = Rule(
    "DOC004",
    Level.WARNING,
    "The card leaves something important unsaid",
    "Write the section. If nothing is known, say so in a sentence: an empty heading looks like an oversight.",
)
NO_METADATA = Rule(
    "DOC005",
    Level.NOTE,
    "The card has no metadata",
    "Add a metadata block, so that people can find it and programs can read its licence, language and task.",
)
FIELDS = Rule(
    "DOC006",
    Level.NOTE,
    "Metadata that people search by is missing",
    "Fill in the named fields of the metadata block.",
)
RESULTS = Rule(
    "DOC009",
    Level.WARNING,
    "A file of evaluation results cannot be read",
    "Correct the file: a YAML list of entries with dataset (id, task_id) and value.",
)

CARD = "README.md"
_NAMES = ("readme.md", "readme.markdown", "readme", "readme.txt", "readme.rst")


class DocumentationCheck:
    """Does the card say what people need to know, and what does it claim?"""

    id = "documentation"
    version = "2"
    title = "Does the card say what people need to know, and what does it claim?"
    rules = (
        *(MISSING, MISNAMED, UNREADABLE, UNSAID, NO_METADATA, FIELDS, prose.REORDERED, prose.HIDDEN, RESULTS),
        *(*system.RULES, scope.UNREADABLE),
    )
    needs_socket = False
    extent = Extent.ARTIFACT

    def applies(self, artifact: Artifact) -> bool:
        """Apply to everything that has files."""
        return bool(artifact.files)

    def run(self, artifact: Artifact) -> Iterator[Item]:
        """Read the card and the files of evaluation results."""
        card = find_card(artifact)
        if card is None:
            # A lone file is seldom published without its folder, but its card would be there.
            level = Level.NOTE if len(artifact.files) == 1 else Level.WARNING
            yield Finding.of(MISSING, "There is no README.md", level=level)
            yield Measurement("card.present", "no")
        else:
            yield Measurement("card.present", "yes", slice={"path": card.path})
            if card.path != CARD:
                yield Finding.of(MISNAMED, f"The card is called {card.path}, not {CARD}", Location(card.path))
            yield from _card(artifact, card)
        yield from _results(artifact)
        yield from _scope(artifact)


def find_card(artifact: Artifact) -> File | None:
    """Return the card of an artifact: ``README.md`` in its top folder, else a file whose name says the same."""
    named: dict[str, File] = {}
    for file in artifact.files:
        if file.path == CARD:
            return file
        if "/" not in file.path:
            named.setdefault(file.path.casefold(), file)
    return next((named[name] for name in _NAMES if name in named), None)


def read_file(artifact: Artifact, file: File, budget: Budget) -> bytes:
    """Return the bytes of a small file.

    Raises:
        LimitExceeded: When it does not fit into the budget.
    """
    return Blob(file.path, file.size, lambda: artifact.open(file.path)).read_all(budget)


def _card(artifact: Artifact, card: File) -> Iterator[Item]:
    """Read a card step by step, so that broken metadata does not hide the text."""
    budget = Budget(card.size)
    try:
        text = readme.decode(read_file(artifact, card, budget))
    except FormatError as error:
        yield from _unreadable(card, error)
        return
    yield from prose.look(text, card.path)
    try:
        front, body, line = readme.split(text)
    except FormatError as error:
        yield from _unreadable(card, error)
        front, body, line = None, text, 1
    data: dict[str, object] = {}
    try:
        data = readme.read_metadata(front, budget)
    except FormatError as error:
        yield from _unreadable(card, error)
    try:
        sections = readme.read_markdown(body, line, budget)
    except FormatError as error:
        yield from _unreadable(card, error)
        sections = ()
    yield from _assess(card, Readme(front, data, sections), artifact)


def _unreadable(card: File, error: FormatError) -> Iterator[Item]:
    place = Location(card.path, offset=error.offset, line=error.line)
    yield Finding.of(UNREADABLE, f"{card.path}: {error}", place)
    yield Gap(f"{card.path} could not be read: {error}", place)


def _assess(card: File, content: Readme, artifact: Artifact) -> Iterator[Item]:
    said = declared.declared_kind(content.data)
    kind = said or kind_of(content.data, content.sections, (file.path for file in artifact.files))
    asked = template(kind)
    yield Measurement("card.kind", kind, slice={"path": card.path, **({"how": "declared"} if said else {})})
    given = answers(asked, content.sections)
    for answer in given:
        place = {"section": answer.entry.id} | ({"line": str(answer.line)} if answer.line else {})
        yield Measurement("card.section.filled", "yes" if answer.filled else "no", slice=place)
    yield Measurement("card.sections.filled", str(sum(answer.filled for answer in given)), n=len(given))
    for answer in given:
        if answer.entry.level and not answer.filled:
            yield _unsaid(card, answer, answer.entry.level)
    yield from _fields(card, content, asked)
    yield from claims.Claims(card.path, content)
    if declared.KEY in content.data and content.front is not None:
        line_of: declared.LineOf = Lines(content.front.text, content.front.line, read_places(content.front.text))
    else:
        line_of = _first_line
    yield from declared.declared_claims(card.path, content.data, line_of)
    yield from declared.declared_components(card.path, content.data, line_of)
    yield from system.look(card.path, content, kind, line_of)


def _first_line(_path: Path) -> int:
    return 1


def _unsaid(card: File, answer: Answer, level: Level) -> Finding:
    title, ask = answer.entry.title, answer.entry.ask
    if answer.line is None:
        message = f"{card.path} says nothing under “{title}”: {ask}"
    else:
        message = f"{card.path} has a heading for “{title}” on line {answer.line} and nothing under it: {ask}"
    return Finding.of(UNSAID, message, Location(card.path, line=answer.line), level=level, section=answer.entry.id)


def _fields(card: File, content: Readme, asked: Template) -> Iterator[Item]:
    values = {field.id: field_value(field, content.data) for field in asked.fields}
    for name, value in values.items():
        yield Measurement("card.field.filled", "yes" if value else "no", slice={"field": name})
    filled = sum(value is not None for value in values.values())
    yield Measurement("card.fields.filled", str(filled), n=len(values))
    if content.front is None:
        yield Finding.of(NO_METADATA, f"{card.path} has no metadata block", Location(card.path))
        return
    missing = [f"{field.id} ({field.ask})" for field in asked.fields if field.ask and values[field.id] is None]
    if missing:
        place = Location(card.path, line=content.front.line)
        yield Finding.of(FIELDS, f"The metadata of {card.path} lacks {'; '.join(missing)}", place)


def _results(artifact: Artifact) -> Iterator[Item]:
    for file in artifact.files:
        folder, _, name = file.path.rpartition("/")
        if folder != ".eval_results" or not name.endswith((".yaml", ".yml")):
            continue
        budget = Budget(file.size)
        try:
            yield from claims.results_file(file.path, read_yaml(read_file(artifact, file, budget), budget))
        except FormatError as error:
            place = Location(file.path, offset=error.offset, line=error.line)
            yield Finding.of(RESULTS, f"{file.path}: {error}", place)
            yield Gap(f"{file.path} could not be read: {error}", place)


def _scope(artifact: Artifact) -> Iterator[Item]:
    for file in artifact.files:
        if file.path == scope.SCOPE:
            budget = Budget(file.size)
            try:
                yield from scope.look(file.path, read_file(artifact, file, budget), budget)
            except FormatError as error:
                place = Location(file.path, offset=error.offset)
                yield Finding.of(scope.UNREADABLE, f"{file.path}: {error}", place)
                yield Gap(f"{file.path} could not be read: {error}", place)
