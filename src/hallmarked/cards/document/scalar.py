"""Write values as YAML that YAML 1.1 and 1.2 readers understand alike.

Everything that is not plainly a word is written between double quotes, in the escapes of JSON, which YAML shares
(https://yaml.org/spec/1.2.2/#57-escaped-characters).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence

from hallmarked.core.errors import InputError

_PLAIN = re.compile(r"[A-Za-z](?:[\w ./+@()<>=~^-]*[\w/+@()<>=~^-])?", re.ASCII)
_ITEM = re.compile(r"[A-Za-z][\w./+@~^-]*", re.ASCII)
AMBIGUOUS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
"""Words that YAML 1.1 or 1.2 take for something else than a word, in any case."""
_BREAKS = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]")


def inline(value: object, *, brackets: bool = False) -> str:
    """Write a value on one line.

    Args:
        value: Text, number, truth value, ``None``, or lists and mappings of them.
        brackets: Whether it stands in brackets, where fewer words can go without quotes.

    Raises:
        InputError: When YAML has no way to write it.
    """
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, str):
        plain = (_ITEM if brackets else _PLAIN).fullmatch(value)
        return value if plain and value.lower() not in AMBIGUOUS else _quoted(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(key)}: {inline(item, brackets=True)}" for key, item in value.items()) + "}"
    if isinstance(value, Sequence):
        return "[" + ", ".join(inline(item, brackets=True) for item in value) + "]"
    raise InputError(f"a card cannot hold a {type(value).__name__}")


def _float(value: float) -> str:
    """Write a number so that every reader takes it for one: YAML 1.1 wants a point, also before an exponent."""
    if not math.isfinite(value):
        return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
    digits, mark, exponent = repr(value).partition("e")
    return f"{digits if '.' in digits else digits + '.0'}{mark}{exponent}"


def entry(key: str, value: object, *, step: int = 0) -> list[str]:
    """Write ``key: value`` as lines without indentation.

    Args:
        key: The key.
        value: As for ``inline``; collections become indented lines.
        step: Columns by which the items of a list stand to the right of its key.
    """
    return [*_lines(_key(key) + ":", value, step)]


def _lines(lead: str, value: object, step: int) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        yield lead
        for key, item in value.items():
            yield from ("  " + row for row in _lines(_key(key) + ":", item, step))
    elif isinstance(value, Sequence) and not isinstance(value, str) and value:
        yield lead
        for item in value:
            yield from (" " * step + row for row in listed(item, step))
    else:
        yield f"{lead} {inline(value)}"


def listed(item: object, step: int = 0) -> Iterator[str]:
    """Write an entry of a list as lines without indentation."""
    if isinstance(item, Mapping) and item:
        rows = [row for key, value in item.items() for row in _lines(_key(key) + ":", value, step)]
        yield from (("- " if not number else "  ") + row for number, row in enumerate(rows))
    else:
        yield f"- {inline(item)}"


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise InputError(f"a key of a card is a text, not a {type(key).__name__}")
    return key if _ITEM.fullmatch(key) and key.lower() not in AMBIGUOUS else _quoted(key)


def _quoted(text: str) -> str:
    shown = json.dumps(text, ensure_ascii=False)
    return _BREAKS.sub(lambda match: f"\\u{ord(match.group()):04x}", shown)
