"""Languages of the pages: gettext catalogues, and numbers, sizes and dates as each language writes them.

English is the source. A catalogue is ``locale/<code>/messages.po``, read when the server starts, so that a new
language needs a file and nothing else. Formats: https://cldr.unicode.org/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from importlib.resources.abc import Traversable
from io import BytesIO

from babel import Locale, negotiate_locale
from babel.dates import format_date, format_datetime
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.support import NullTranslations, Translations

from hallmarked.core.errors import InputError

SOURCE = "en"
"""The language that templates and code are written in."""
MOST_ACCEPTED = 20
"""Entries of ``Accept-Language`` that are looked at."""


@dataclass(frozen=True, slots=True)
class Language:
    """One language people can read the pages in."""

    code: str
    """BCP 47 tag, as in ``<html lang>``."""
    locale: Locale
    """How it writes numbers and dates."""
    translations: NullTranslations
    """Its catalogue."""

    @property
    def name(self) -> str:
        """What its readers call it."""
        return str(self.locale.get_display_name() or self.code).capitalize()

    @property
    def direction(self) -> str:
        """``ltr`` or ``rtl``."""
        return self.locale.text_direction

    def gettext(self, message: str) -> str:
        """Translate a sentence."""
        return str(self.translations.ugettext(message))

    def ngettext(self, one: str, many: str, count: int) -> str:
        """Translate a sentence that depends on a count."""
        return str(self.translations.ungettext(one, many, count))

    def tongue(self, code: str) -> str:
        """Name a language by its code (BCP 47), such as a card has it; what is no code of a known one stays."""
        return str(self.locale.languages.get(code.strip().lower().replace("-", "_"), code))

    def number(self, value: float) -> str:
        """Write a number with this language's digits and separators."""
        return format_decimal(value, locale=self.locale)

    def size(self, count: int) -> str:
        """Write a number of bytes with three digits and an SI prefix."""
        value, prefixes = float(count), iter(("", "k", "M", "G", "T", "P"))
        prefix = next(prefixes)
        while value >= 999.5 and prefix != "P":
            value, prefix = value / 1000, next(prefixes)
        if not prefix:
            return self.ngettext("%(count)s byte", "%(count)s bytes", count) % {"count": self.number(count)}
        return f"{format_decimal(value, format='@@#', locale=self.locale)} {prefix}B"

    def date(self, moment: datetime) -> str:
        """Write the day of a moment, in UTC."""
        return format_date(moment.astimezone(UTC), format="d MMM y", locale=self.locale)

    def time(self, moment: datetime) -> str:
        """Write a moment to the minute, in UTC."""
        return format_datetime(moment.astimezone(UTC), format="d MMM y, HH:mm", locale=self.locale) + " UTC"


def load_languages() -> Mapping[str, Language]:
    """Read the catalogues that come with the program, English first.

    Raises:
        InputError: When a catalogue cannot be read.
    """
    folder = files("hallmarked.web") / "locale"
    found = sorted((entry for entry in folder.iterdir() if entry.is_dir()), key=lambda entry: entry.name)
    source = Language(SOURCE, Locale.parse(SOURCE), NullTranslations())
    return {SOURCE: source} | {entry.name: _load(entry) for entry in found}


def choose_language(languages: Mapping[str, Language], preferred: Sequence[str], accepted: str) -> Language:
    """Pick the language for one reader.

    Args:
        languages: What there is.
        preferred: What the reader chose, most binding first; unknown and empty entries are passed over.
        accepted: The ``Accept-Language`` header, or an empty string (RFC 9110, section 12.5.4).
    """
    for code in preferred:
        if code in languages:
            return languages[code]
    match = negotiate_locale(_accepted(accepted), list(languages), sep="-")
    return languages[match or SOURCE]


def _load(entry: Traversable) -> Language:
    try:
        with (entry / "messages.po").open("rb") as file:
            catalogue = read_po(file, locale=entry.name, abort_invalid=True)
    except (OSError, ValueError) as error:
        raise InputError(f"the catalogue of language {entry.name} cannot be read") from error
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Language(entry.name, Locale.parse(entry.name, sep="-"), Translations(compiled))


def _accepted(header: str) -> list[str]:
    """Order the tags of the header by their weight; what cannot be read is passed over."""
    weighted: list[tuple[float, str]] = []
    for entry in header.split(",")[:MOST_ACCEPTED]:
        tag, _, weight = entry.strip().partition(";")
        try:
            quality = float(weight.strip().removeprefix("q=") or "1")
        except ValueError:
            continue
        if tag and quality > 0:
            weighted.append((quality, tag.strip()))
    return [tag for _, tag in sorted(weighted, key=lambda pair: -pair[0])]
