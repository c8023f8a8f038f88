"""Pages speak the reader's language, and every sentence of every page has been translated."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from hallmarked.web.language import choose_language, load_languages

WEB = Path(str(files("hallmarked.web")))
LANGUAGES = load_languages()
OTHERS = sorted(set(LANGUAGES) - {"en"})


METHODS = [("**.j2", "jinja2"), ("sentence.py", "hallmarked.web.sentence:extract"), ("**.py", "python")]


def source() -> Catalog:
    catalogue = Catalog()
    options = {"**.j2": {"silent": "false", "newstyle_gettext": "true"}}
    for name, line, message, comments, context in extract_from_dir(WEB, METHODS, options_map=options):
        catalogue.add(message, None, [(name, line)], auto_comments=comments, context=context)
    return catalogue


@pytest.fixture(scope="module")
def messages() -> Catalog:
    return source()


@pytest.mark.parametrize("code", OTHERS)
def test_every_sentence_is_translated(code: str, messages: Catalog) -> None:
    """Each catalogue has each sentence of the templates, none is a guess, and none is left over."""
    with (WEB / "locale" / code / "messages.po").open("rb") as file:
        catalogue = read_po(file, locale=code)
    missing = []
    for message in messages:
        if not message.id:
            continue
        there = catalogue.get(message.id[0] if isinstance(message.id, tuple) else message.id)
        written = there.string if there and isinstance(there.string, tuple) else (there.string if there else "",)
        if there is None or there.fuzzy or not all(written):
            missing.append(message.id)
    assert not missing
    stale = [message.id for message in catalogue if message.id and message.id not in messages]
    assert not stale


@pytest.mark.parametrize("code", OTHERS)
def test_placeholders_and_markup_survive_translation(code: str) -> None:
    """A translation has the same placeholders and the same markup as its source, so that it cannot break a page."""
    with (WEB / "locale" / code / "messages.po").open("rb") as file:
        catalogue = read_po(file, locale=code)
    parts = re.compile(r"%\(\w+\)s|%%|</?\w+[^>]*>")
    for message in catalogue:
        if not message.id:
            continue
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        allowed = {tuple(sorted(parts.findall(text))) for text in ids}
        assert {tuple(sorted(parts.findall(text))) for text in strings} <= allowed, message.id


@pytest.mark.parametrize(
    ("preferred", "accepted", "code"),
    [
        (["es", ""], "en", "es"),
        (["", "en"], "es", "en"),
        (["tlh"], "es-MX,es;q=0.9,en;q=0.8", "es"),
        ([], "en;q=0.2, es;q=0.9", "es"),
        ([], "de, fr;q=0.5", "en"),
        ([], "", "en"),
        ([], "es;q=0", "en"),
        ([], ";;;,q=1,es;q=x,\x00" + "a," * 9999, "en"),
    ],
)
def test_choice(preferred: list[str], accepted: str, code: str) -> None:
    """What the reader chose counts first, then what the browser asks for, then English; nonsense is passed over."""
    assert choose_language(LANGUAGES, preferred, accepted).code == code


def test_numbers_sizes_and_dates() -> None:
    """Each language writes numbers, sizes and dates in its own way."""
    english, spanish = LANGUAGES["en"], LANGUAGES["es"]
    moment = datetime(2026, 11, 20, 14, 3, tzinfo=UTC)
    assert english.number(1234567) == "1,234,567"
    assert spanish.number(1234567) == "1.234.567"
    assert (english.size(1), english.size(15_800), english.size(2_000_000_000)) == ("1 byte", "15.8 kB", "2.0 GB")
    assert (english.size(999_999), english.size(437_000_000)) == ("1.0 MB", "437 MB")
    assert spanish.size(15_800) == "15,8 kB"
    assert english.date(moment) == "20 Nov 2026"
    assert spanish.date(moment) == "20 nov 2026"
    assert english.time(moment) == "20 Nov 2026, 14:03 UTC"
    assert (english.direction, english.name, spanish.name) == ("ltr", "English", "Español")
