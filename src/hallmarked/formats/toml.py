"""A bounded reader of TOML (https://toml.io/en/v1.0.0) that people or strangers wrote.

The parser of the standard library takes time and memory that grow with the square of the number of parts of a dotted
key: 40 KB take seconds, 200 KB more memory than most machines have. Such keys are refused before it sees them.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from typing import Any

from hallmarked.core.errors import FormatError, LimitExceeded

MOST_BYTES = 1 << 20
MOST_PARTS = 30
"""Parts of a dotted key, such as the three of ``a.b.c``."""
# NOTE: a text that reads like such a key is refused as well; nobody writes one.
_LONG_KEY = re.compile(
    r"""(?<![\w\\-])(?:(?:[\w-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+)""" f"{{{MOST_PARTS}}}", re.ASCII
)


def read_toml(data: bytes, *, most: int = MOST_BYTES, parse_float: Callable[[str], Any] = str) -> dict[str, Any]:
    """Read a TOML document.

    Args:
        data: Its bytes.
        most: How many there may be.
        parse_float: Makes a value of a fraction; by default it is its text, so that no digit is lost.

    Raises:
        FormatError: When it is not TOML; the message names the line.
        LimitExceeded: When it is too large, or has keys that would cost too much.
    """
    if len(data) > most:
        raise LimitExceeded(f"not TOML that is read here: {len(data):,} bytes, more than {most:,}")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FormatError("not TOML: it is not valid UTF-8", offset=error.start) from error
    if found := _LONG_KEY.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise LimitExceeded(f"not TOML that is read here: a key of more than {MOST_PARTS} parts in line {line}")
    try:
        return tomllib.loads(text, parse_float=parse_float)
    except RecursionError as error:
        raise LimitExceeded("not TOML that is read here: nested too deeply") from error
    except ValueError as error:
        said = str(error).partition("\n")[0]
        raise FormatError(f"not TOML: {ascii(said)[1:-1]}") from error
