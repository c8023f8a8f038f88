"""What a repository asks people who want its files: questions of its card, and whether they were answered.

The keys of the front matter (``extra_gated_*``) are those of the ecosystem's cards:
https://huggingface.co/docs/hub/models-gated
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from babel import Locale

from hallmarked.core.errors import InputError

MOST_QUESTIONS, MOST_OPTIONS = 50, 300
MAX_LABEL, MAX_PROMPT, MAX_ANSWER = 300, 10_000, 2_000
"""Characters; what is longer is cut off in a question and refused in an answer."""
KINDS = ("text", "checkbox", "date_picker", "country", "select")
_COUNTRY = re.compile(r"[A-Z]{2}\Z")
NOT_COUNTRIES = frozenset({"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"})


@dataclass(frozen=True, slots=True)
class Option:
    """One answer that can be chosen."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Question:
    """One question; all have to be answered, and a checkbox has to be ticked."""

    name: str
    """As the card has it: the text of the question, and the key of its answer."""
    kind: str
    """``text``, ``checkbox``, ``date_picker``, ``country`` or ``select``."""
    options: tuple[Option, ...] = ()


@dataclass(frozen=True, slots=True)
class Form:
    """What somebody who asks for access sees."""

    heading: str
    """Empty for the usual one."""
    prompt: str
    """Markdown, empty for none."""
    button: str
    """Empty for the usual one."""
    questions: tuple[Question, ...]


def read_form(card: Mapping[str, Any]) -> Form:
    """Read the form from a card's front matter; what cannot be used there is left out."""
    fields = card.get("extra_gated_fields")
    questions = []
    if isinstance(fields, Mapping):
        for name, given in list(fields.items())[:MOST_QUESTIONS]:
            kind, options = _kind(given)
            questions.append(Question(str(name)[:MAX_LABEL], kind, options))
    return Form(
        _text(card, "extra_gated_heading", MAX_LABEL),
        _text(card, "extra_gated_prompt", MAX_PROMPT),
        _text(card, "extra_gated_button_content", MAX_LABEL),
        tuple(questions),
    )


def check_answers(form: Form, given: Mapping[str, str]) -> dict[str, str | bool]:
    """Return the answers to a form's questions.

    Raises:
        InputError: When one is missing or is not of its kind; all of them are named.
    """
    answers = {}
    problems = []
    for question in form.questions:
        answer = _answer(question, given.get(question.name, "").strip())
        if answer is None:
            problems.append(question.name)
        else:
            answers[question.name] = answer
    if problems:
        raise InputError(f"please answer: {'; '.join(problems)}")
    return answers


@cache
def countries() -> Mapping[str, str]:
    """Return the countries by code, with their English names (CLDR)."""
    named = Locale("en").territories
    return {code: named[code] for code in sorted(named) if _COUNTRY.match(code) and code not in NOT_COUNTRIES}


def _answer(question: Question, text: str) -> str | bool | None:
    """Return the answer; None when it is not one."""
    if question.kind == "checkbox":
        return True if text.lower() in ("on", "true", "1", "yes") else None
    if question.kind == "select":
        fits = text in {option.value for option in question.options}
    elif question.kind == "country":
        fits = text in countries()
    elif question.kind == "date_picker":
        fits = _is_date(text)
    else:
        fits = bool(text) and len(text) <= MAX_ANSWER
    return text if fits else None


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _kind(given: object) -> tuple[str, tuple[Option, ...]]:
    """Return the kind of a question; one that is not known is answered with text."""
    if isinstance(given, Mapping) and given.get("type") == "select" and isinstance(given.get("options"), list):
        options = tuple(_option(item) for item in given["options"][:MOST_OPTIONS])
        return ("select", options) if options else ("text", ())
    name = given.get("type") if isinstance(given, Mapping) else given
    return (str(name), ()) if name in KINDS and name != "select" else ("text", ())


def _option(given: object) -> Option:
    if isinstance(given, Mapping):
        label = str(given.get("label", given.get("value", "")))[:MAX_LABEL]
        return Option(str(given.get("value", label))[:MAX_LABEL], label)
    return Option(str(given)[:MAX_LABEL], str(given)[:MAX_LABEL])


def _text(card: Mapping[str, Any], key: str, most: int) -> str:
    value = card.get(key)
    return value[:most] if isinstance(value, str) else ""
