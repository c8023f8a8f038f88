"""The walk over XML."""

from __future__ import annotations

import contextlib
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.core.errors import FormatError, LimitExceeded
from hallmarked.formats.blob import Blob, Budget, Limits
from hallmarked.formats.xml import Declaration, Element, read_xml


def read(data: bytes, **limits: int) -> list[Element | Declaration]:
    return list(read_xml(Blob.of_bytes("x", data), Budget(stored=len(data), limits=Limits(**limits))))


def test_elements_and_declarations() -> None:
    """Elements come with namespace, attributes, line and parent; instructions and document types are visible."""
    data = b'<?xml version="1.0"?>\n<?go there?>\n<!DOCTYPE a SYSTEM "a.dtd">\n'
    data += b'<a xmlns="urn:x" xmlns:y="urn:y">\n<y:b y:c="1"/></a>'
    assert read(data) == [
        Declaration("instruction", "go", "there", 2),
        Declaration("doctype", "a", "a.dtd", 3),
        Element("urn:x", "a", {}, 4, 0, ""),
        Element("urn:y", "b", {"c": "1"}, 5, 1, "a"),
    ]


@pytest.mark.parametrize(
    "subset",
    [
        b'<!ENTITY x "y">',
        b'<!ENTITY x SYSTEM "file:///etc/passwd">',
        b'<!ENTITY % x SYSTEM "http://example.org/">',
        b'<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">',
    ],
)
def test_entities_end_the_reading(subset: bytes) -> None:
    """The first declared entity is yielded, then the document is refused before anything expands."""
    parts = read_xml(Blob.of_bytes("x", b"<!DOCTYPE a [" + subset + b"]><a>&x;</a>"), Budget(stored=0))
    assert [part.kind for part in itertools.islice(parts, 2) if isinstance(part, Declaration)] == ["doctype", "entity"]
    with pytest.raises(FormatError):
        next(parts)


@pytest.mark.parametrize(
    "data", [b"", b"<a>", b"<a></b>", b"<a>&x;</a>", b"\0", b'<?xml version="1.0" encoding="none"?><a/>']
)
def test_what_is_not_well_formed_is_refused(data: bytes) -> None:
    """Broken documents and unknown encodings are refused."""
    with pytest.raises(FormatError):
        read(data)


def test_limits_hold() -> None:
    """Depth, number of elements and the size of a single tag are bounded."""
    with pytest.raises(LimitExceeded):
        read(b"<a>" * 200)
    with pytest.raises(LimitExceeded):
        read(b"<a>" + b"<b/>" * 100, nodes=99)
    with pytest.raises(LimitExceeded):
        read(b'<a b="' + b"x" * 5_000_000)


@settings(deadline=None)
@given(st.binary(max_size=100) | st.text("<>/a!?[]DOCTYPE ENTITY&;\"'=-", max_size=80).map(str.encode))
def test_arbitrary_bytes_fail_only_with_format_errors(data: bytes) -> None:
    """Arbitrary bytes and arbitrary markup are read or refused, never anything else."""
    with contextlib.suppress(FormatError):
        read(data)
