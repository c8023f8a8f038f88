"""TOML that people wrote is read; what would cost too much is refused before it does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallmarked.core.errors import FormatError, LimitExceeded
from hallmarked.formats.toml import MOST_BYTES, MOST_PARTS, read_toml


def test_numbers_keep_their_digits() -> None:
    """A fraction comes as its text, a whole number as a number."""
    assert read_toml(b"value = 0.90\nn = 5\n[a.b]\nc = 'd'") == {"value": "0.90", "n": 5, "a": {"b": {"c": "d"}}}


@pytest.mark.parametrize("dot", [".", " . ", "\t.\t"])
@pytest.mark.parametrize("part", ["a", '"a"', "'a'", "a-b_1", '"\\""', '"\\\\"', '"\\u0041"'])
@pytest.mark.parametrize("form", ["{} = 1", "[{}]", "[[{}]]", "x = {{ {} = 1 }}"])
def test_keys_that_cost_too_much(dot: str, part: str, form: str) -> None:
    """A key of thousands of parts is refused however it is written, with its line."""
    for count in (MOST_PARTS + 1, 5_000):
        with pytest.raises(LimitExceeded, match="line 2"):
            read_toml(("y = 1\n" + form.format(dot.join([part] * count))).encode())


def test_long_words_are_read() -> None:
    """Looking for long keys costs no more than the length of the text."""
    for text in (
        "a" * 500_000,
        '"' * 3 + "a.b " * 100_000 + '"' * 3,
        "'" + "- " * 200_000 + "'",
        '"' + '\\"' * 300_000 + '"',
    ):
        value = text if text[0] in "\"'" else f"'{text}'"
        assert read_toml(f"x = {value}".encode())


@pytest.mark.parametrize("data", [b"x = " + b"[" * 100_000, b"#" * (MOST_BYTES + 1)])
def test_too_deep_or_too_large(data: bytes) -> None:
    """Depth and size are bounded."""
    with pytest.raises(FormatError):
        read_toml(data)


def test_the_line_is_named() -> None:
    """What is not TOML is told with its line."""
    with pytest.raises(FormatError, match="line 2"):
        read_toml(b"a = 1\nb = \n")
    with pytest.raises(FormatError):
        read_toml(b"a = 1\na = 2\n")


@given(st.binary(max_size=200))
def test_anything(data: bytes) -> None:
    """Whatever the bytes are, either fields or one error of ours comes back."""
    try:
        assert isinstance(read_toml(data), dict)
    except FormatError as error:
        assert "\n" not in str(error)  # noqa: PT017 -- both ways out are right
