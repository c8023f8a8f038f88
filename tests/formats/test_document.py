"""Bounded JSON and YAML documents."""

from __future__ import annotations

import contextlib
import json
import math
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.core.errors import FormatError, LimitExceeded
from hallmarked.formats.blob import Budget, Limits
from hallmarked.formats.document import YAML_BYTES, Tagged, read_json, read_yaml, walk


def budget(**limits: int) -> Budget:
    return Budget(stored=0, limits=Limits(**limits))


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=20,
)


@settings(deadline=None)
@given(plain)
def test_json_round_trips(value: object) -> None:
    """What the standard writer wrote is read back unchanged, within the nodes it has."""
    account = budget()
    assert read_json(json.dumps(value).encode(), account) == value
    assert account.spent["nodes"] >= sum(1 for _ in walk(value))


@settings(deadline=None)
@given(st.binary(max_size=200) | st.text('[]{}",:\\u0d1e-nN', max_size=60).map(str.encode))
def test_json_fails_only_with_format_errors(data: bytes) -> None:
    """Arbitrary bytes are read or refused, never anything else."""
    with contextlib.suppress(FormatError):
        read_json(data, budget())


@pytest.mark.parametrize(
    "data",
    [
        b'{"a": 1, "a": 2}',
        b'{"a": {"b": 1, "c": 2, "b": 3}}',
        b"NaN",
        b"[-Infinity]",
        b'"\\ud800"',
        b'{"\\udc00": 1}',
        b'"\xff"',
        *(b"1" * 5_000, b"[1.%s]" % (b"1" * 5_000), b"", b"{} {}", b"\xef\xbb\xbf{}", b"\xff\xfe{\0}\0"),
    ],
)
def test_json_refuses_what_readers_understand_differently(data: bytes) -> None:
    """Duplicate keys, constants outside of JSON, half surrogates, absurd numbers and other encodings are refused."""
    with pytest.raises(FormatError):
        read_json(data, budget())


def test_json_constants_can_be_allowed() -> None:
    """A caller whose writer is known to emit NaN can say so."""
    assert read_json(b'{"a": Infinity}', budget(), constants=True) == {"a": math.inf}


def test_json_limits_hold_before_anything_is_built() -> None:
    """Depth, nodes and size are limited, and brackets inside of strings do not count."""
    with pytest.raises(LimitExceeded):
        read_json(b"[" * 101 + b"]" * 101, budget())
    with pytest.raises(LimitExceeded):
        read_json(b"[" + b"1," * 50 + b"1]", budget(nodes=50))
    with pytest.raises(LimitExceeded):
        read_json(b"[1, 2]", budget(text=5))
    with pytest.raises(LimitExceeded):
        read_json(b'"' * 1_000, budget(nodes=50))
    assert read_json(b"[" * 100 + b"]" * 100, budget())
    tricky = json.dumps(['\\"' + "[" * 200 + ',"\\']).encode()
    assert read_json(tricky, budget(nodes=10)) == json.loads(tricky)


def test_yaml_uses_the_core_schema_of_1_2() -> None:
    """Words that YAML 1.1 turned into booleans, times and octal numbers stay strings."""
    text = b"{a: no, b: 12:30, c: 2001-01-01, d: 0o17, e: 1e3, f: ~, g: true, h: !!str 1, j: 010, k: -.inf, l: .NaN}"
    read = read_yaml(text, budget())
    assert isinstance(read, dict)
    assert math.isnan(read.pop("l"))
    assert read == {
        "a": "no",
        "b": "12:30",
        "c": "2001-01-01",
        "d": 15,
        "e": 1000.0,
        "f": None,
        "g": True,
        "h": "1",
        "j": 10,
        "k": -math.inf,
    }


def test_yaml_anchors_block_scalars_and_merge_keys() -> None:
    """Aliases repeat what they name and a merge key stays visible as a key."""
    text = b"base: &b\n  x: [1, 2]\nrest:\n  <<: *b\n  text: |\n    one\n    two\n"
    assert read_yaml(text, budget()) == {
        "base": {"x": [1, 2]},
        "rest": {"<<": {"x": [1, 2]}, "text": "one\ntwo\n"},
    }
    assert read_yaml(b"", budget()) is None


def test_yaml_tags_are_kept_and_never_constructed() -> None:
    """A tag outside of the core schema becomes a node that a caller can see."""
    read = read_yaml(b"a: !!python/object/apply:os.system [id]\nb: !local {x: 1}\nc: !!binary aGk=", budget())
    assert read == {
        "a": Tagged("tag:yaml.org,2002:python/object/apply:os.system", ["id"]),
        "b": Tagged("!local", {"x": 1}),
        "c": Tagged("tag:yaml.org,2002:binary", "aGk="),
    }
    assert (("a", 0), "id") in list(walk(read))


@pytest.mark.parametrize(
    "data",
    [
        *(
            b"a: 1\na: 2",
            b"a: 1\n---\nb: 2",
            b"&a [*a]",
            b"*a",
            b"? [a]\n: b",
            b"1: a\n1.0: b",
            b"a: \0",
            b"\xff\xfea\0",
        ),
        *(
            b"\ta: 1",
            b'"\\UFFFFFFFF"',
            b'"\\ud800"',
            b"%YAML " + b"9" * 9_000 + b".1\n--- a",
            b"!!int x",
            b"[a",
            b"{a: b",
            b"!x!y z",
        ),
        *(b"9" * 1_001, b"1." + b"1" * 1_000, b"!!float [1]", b"\xc3\x28"),
    ],
)
def test_yaml_refuses_broken_and_ambiguous_documents(data: bytes) -> None:
    """What is not one well-formed document, or what two readers understand differently, is refused."""
    if data == b"!!float [1]":
        assert isinstance(read_yaml(data, budget()), Tagged)
        return
    with pytest.raises(FormatError):
        read_yaml(data, budget())


BOMBS = {
    "laughs": b"a: &a [x,x,x,x,x,x,x,x,x]\n"
    + b"".join(b"%c: &%c [%s]\n" % (c, c, b",".join([b"*%c" % (c - 1)] * 9)) for c in range(98, 115)),
    "alias chain": b"a0: &a0 [x]\n" + b"".join(b"a%d: &a%d [*a%d]\n" % (i, i, i - 1) for i in range(1, 500)),
    "brackets": b"[" * 900_000,
    "indent": b"".join(b" " * i + b"a:\n" for i in range(1_000)),
    "dashes": b"- " * 400_000,
    "question marks": b"? " * 400_000,
    "tag": b"!" * 900_000,
    "size": b"#" * (YAML_BYTES + 1),
}


@pytest.mark.parametrize("name", BOMBS)
def test_yaml_bombs_are_cheap(name: str) -> None:
    """Documents that unfold to far more than their size are refused in little time."""
    started = time.process_time()
    with pytest.raises(LimitExceeded):
        read_yaml(BOMBS[name], budget())
    assert time.process_time() - started < 2


@settings(deadline=None)
@given(st.binary(max_size=100) | st.text("ab:- \n[]{}&*!|>?%'\"#,.0\t\\", max_size=80).map(str.encode))
def test_yaml_fails_only_with_format_errors(data: bytes) -> None:
    """Arbitrary bytes and arbitrary punctuation are read or refused, never anything else."""
    with contextlib.suppress(FormatError):
        read_yaml(data, budget())


@settings(deadline=None)
@given(plain)
def test_yaml_reads_json(value: object) -> None:
    """JSON is YAML: both readers return the same tree."""
    text = json.dumps(value).replace("\x7f", "\\u007f").encode()
    assert read_yaml(text, budget()) == value


def test_walk_gives_paths() -> None:
    """Every node comes with the keys that lead to it, parents first; keys on request."""
    assert list(walk({"a": [1, {"b": 2}]})) == [
        ((), {"a": [1, {"b": 2}]}),
        (("a",), [1, {"b": 2}]),
        (("a", 0), 1),
        (("a", 1), {"b": 2}),
        (("a", 1, "b"), 2),
    ]
    assert [node for _, node in walk({"a": 1}, keys=True)] == [{"a": 1}, 1, "a"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\nb: 2\na: 3\n", 12),
        ("a: 1\nb: [1, 2\nc: 3\n", 12),
        ("a: 1\nb: *b\n", 11),
        ("? {a: 1}\n: 2\n", 10),
        ("a: 1\n---\nb: 2\n", 11),
        ("a: 1\n\n\nb: " + "[" * 200, 13),
        ("a: 1\nb: !!int x\n", 11),
    ],
)
def test_what_is_wrong_with_yaml_is_told_with_its_line(text: str, line: int) -> None:
    """The line counts in the file that the document is part of, in the sentence and as a number."""
    with pytest.raises(FormatError, match=f" in line {line}$") as caught:
        read_yaml(text.encode(), budget(), 10)
    assert caught.value.line == line
