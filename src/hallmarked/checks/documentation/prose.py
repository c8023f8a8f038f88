"""Characters and styles that make a card look different from what it says.

Bidirectional controls: https://www.unicode.org/reports/tr9/ and CVE-2021-42574. Tag characters spell invisible ASCII
(https://www.unicode.org/charts/PDF/UE0000.pdf); only flags use them for something visible.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from hallmarked.core.evidence import Finding, Level, Location, Rule

REORDERED = Rule(
    "DOC007",
    Level.WARNING,
    "The card holds characters that change the order in which text is shown",
    "Remove the direction controls, or say in the card why they are needed: what people see is not what programs read.",
)
HIDDEN = Rule(
    "DOC008",
    Level.WARNING,
    "The card holds text that readers cannot see",
    "Remove the invisible characters or styles: programs that read the card, such as language models, do see it.",
)

_OVERRIDES = "\u202d\u202e"
_OPENERS = "\u202a\u202b\u2066\u2067\u2068"
_CLOSERS = "\u202c\u2069"
_DIRECTION = re.compile(f"[{_OVERRIDES}{_OPENERS}{_CLOSERS}]")
# Zero-width joiners are left out: emoji and many scripts need them. A run of any of these spells hidden bits.
_INVISIBLE = re.compile("[\u00ad\u180e\u200b\u2060-\u2064\ufeff\U000e0100-\U000e01ef]+")
_JOINERS = re.compile("[\u200b-\u200d\u2060-\u2064\ufeff]{4,}")
_FLAG = re.compile("\U0001f3f4[\U000e0020-\U000e007e]{1,6}\U000e007f")
_TAGS = re.compile("[\U000e0000-\U000e007f]+")
_STYLE = re.compile(
    r"<[a-z][^<>]{0,2000}?style\s{0,9}=\s{0,9}[\"'][^\"'<>]{0,2000}?"
    r"(?:display\s{0,9}:\s{0,9}none|visibility\s{0,9}:\s{0,9}hidden|font-size\s{0,9}:\s{0,9}0(?![.\d])|opacity\s{0,9}:\s{0,9}0(?![.\d]))",
    re.IGNORECASE,
)
MAX_FINDINGS = 20
"""Places named per card; the message of the last one says how many more there are."""


def look(text: str, path: str) -> Iterator[Finding]:
    """Yield what is odd about the characters of a card."""
    found = sorted(_places(text), key=lambda item: item[0])
    for count, (line, rule, level, message) in enumerate(found):
        if count == MAX_FINDINGS:
            more = f"{len(found) - count} more places in {path} hold invisible or reordering characters"
            yield Finding.of(rule, more, Location(path, line=line), level=max((f[2] for f in found[count:]), key=_rank))
            return
        yield Finding.of(rule, f"{path}, line {line}: {message}", Location(path, line=line), level=level)


def _rank(level: Level) -> int:
    return level.rank


def _places(text: str) -> Iterator[tuple[int, Rule, Level, str]]:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    for number, line in enumerate(text.split("\n"), 1):
        if line.isascii():
            continue
        if _DIRECTION.search(line):
            yield (number, REORDERED, *_direction(line))
        flagless = _FLAG.sub("", line)
        if tags := _TAGS.search(flagless):
            length = tags.end() - tags.start()
            yield number, HIDDEN, Level.WARNING, f"{length} tag characters spell text that nobody sees"
        elif run := _JOINERS.search(line):
            length = run.end() - run.start()
            yield number, HIDDEN, Level.WARNING, f"{length} zero-width characters in a row, as if they spelt something"
        elif invisible := _INVISIBLE.search(line):
            name = unicodedata.name(invisible.group()[0], "invisible character").lower()
            many = len(invisible.group()) > 1
            level = Level.WARNING if many else Level.NOTE
            yield number, HIDDEN, level, f"{'a run of invisible characters' if many else name} inside the text"
    for match in _STYLE.finditer(text):
        line_number = text.count("\n", 0, match.start()) + 1
        yield line_number, HIDDEN, Level.WARNING, "a style hides text from readers"


def _direction(line: str) -> tuple[Level, str]:
    """Grade direction controls: right-to-left text may need embeddings, if each one ends on its line."""
    if any(control in line for control in _OVERRIDES):
        return Level.WARNING, "a direction override makes text show in another order than it is stored"
    depth = 0
    for character in line:
        depth += (character in _OPENERS) - (character in _CLOSERS)
        if depth < 0:
            break
    rtl = any(unicodedata.bidirectional(character) in {"R", "AL"} for character in line)
    if depth == 0 and rtl:
        return Level.NOTE, "direction controls around right-to-left text"
    return Level.WARNING, "direction controls that are not closed, or in text without right-to-left letters"
