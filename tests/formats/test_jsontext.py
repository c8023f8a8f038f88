"""Strict JSON within a budget."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallmarked.core.errors import FormatError, LimitExceeded
from hallmarked.formats.blob import Budget, Limits
from hallmarked.formats.jsontext import parse_json


def parse(data: bytes, **limits: int):
    return parse_json(data, Budget(len(data), Limits(**limits)))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"{} x",
        b'{"a":1,"a":2}',
        b'{"a":{"b":1,"b":2}}',
        b"[NaN]",
        b"[Infinity]",
        b'"\xff"',
        b"\xef\xbb\xbf{}",
        b'"\\ud800"',
        b'{"\\uDC00":1}',
        b"[01]",
        b"[" + b"9" * 5000 + b"]",
        b"[0." + b"9" * 5000 + b"]",
        b'"a\nb"',
    ],
)
def test_what_readers_disagree_about_is_refused(data):
    """Text that is not strict JSON, or that two readers would take differently, is a format error."""
    with pytest.raises(FormatError):
        parse(data)


def test_a_whole_surrogate_pair_is_text():
    """Escapes that make one character together are fine."""
    assert parse(b'["\\ud83d\\ude00"]') == ["😀"]


@pytest.mark.parametrize("depth", [101, 900, 5000, 200_000])
def test_deep_nesting_is_a_limit_whatever_the_interpreter_stack(depth):
    """Documents deeper than the limit end in LimitExceeded, never in a RecursionError."""
    with pytest.raises(LimitExceeded):
        parse(b"[" * depth + b"]" * depth)


def test_depth_at_the_limit_is_read():
    """A document exactly as deep as allowed is read."""
    assert parse(b"[" * 100 + b"]" * 100)


def test_values_are_counted_before_they_are_made():
    """A document with more values than the budget allows is refused."""
    with pytest.raises(LimitExceeded):
        parse(b"[" + b"1," * 50 + b"1]", nodes=20)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_only_raise_format_errors(data):
    """Whatever the bytes, nothing but a format error escapes."""
    with contextlib.suppress(FormatError):
        parse(data)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda s: st.lists(s) | st.dictionaries(st.text(), s)
    )
)
def test_what_json_writes_is_read_back(value):
    """Documents that the standard library writes come back equal."""
    assert parse(json.dumps(value, ensure_ascii=False).encode()) == value
