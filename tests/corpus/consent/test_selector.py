"""Selectors: everybody who means the same comes to the same form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallmarked.core.errors import InputError
from hallmarked.corpus.consent.selector import (
    Kind,
    domain_and_above,
    make_selector,
    normal_text,
    text_digest,
    url_and_above,
)

SAME = [
    (Kind.ACCOUNT, ["Alice", " @alice ", "ALICE"], "alice"),
    (Kind.ACCOUNT, ["GitHub.com/Alice", "https://github.com/alice", "www.github.com/@alice/"], "github.com/alice"),
    (Kind.ACCOUNT, ["Ada@Example.ORG", "ada@example.org."], "ada@example.org"),
    (Kind.REPOSITORY, ["Acme/Tools", "acme/tools.git", "/acme/tools/"], "acme/tools"),
    (Kind.REPOSITORY, ["https://GitHub.com/Acme/tools.git", "github.com/acme/Tools"], "github.com/acme/tools"),
    (Kind.DOMAIN, ["Example.ORG", "*.example.org", "https://example.org/", "example.org."], "example.org"),
    (Kind.DOMAIN, ["Bücher.example", "xn--bcher-kva.example"], "xn--bcher-kva.example"),
    (
        Kind.URL,
        [
            "https://Example.org/a/b/",
            "http://example.org:80/a/./b#top",
            "example.org/x/../a/%62",
            "//example.org//a//b",
        ],
        "example.org/a/b",
    ),
    (Kind.URL, ["https://example.org:8443/?q=1"], "example.org:8443?q=1"),
]
WRONG = [
    (Kind.ACCOUNT, ""),
    (Kind.ACCOUNT, "two words"),
    (Kind.ACCOUNT, "a/b/c"),
    (Kind.REPOSITORY, "alone"),
    (Kind.DOMAIN, "localhost"),
    (Kind.DOMAIN, "exa mple.org"),
    (Kind.DOMAIN, "." * 300),
    (Kind.URL, "ftp://example.org/"),
    (Kind.URL, "https://user@example.org/"),
    (Kind.URL, "https://example.org:port/"),
    (Kind.URL, "https://[::1/"),
    (Kind.CONTENT, "sha256:00"),
    (Kind.URL, "https://example.org/" + "a" * 3_000),
]


@pytest.mark.parametrize(("kind", "written", "normal"), SAME)
def test_ways_to_write_the_same_have_one_form(kind: Kind, written: list[str], normal: str) -> None:
    """Case, schemes, default ports, dots, escapes and final slashes do not tell two selectors apart."""
    assert {make_selector(kind, text).value for text in written} == {normal}


@pytest.mark.parametrize(("kind", "value"), WRONG)
def test_what_cannot_mean_anything_is_refused(kind: Kind, value: str) -> None:
    """A selector that could never match is refused when it is given, in a sentence that does not repeat it."""
    with pytest.raises(InputError) as refused:
        make_selector(kind, value)
    assert not value.strip() or value not in str(refused.value)


def test_an_unknown_kind_is_refused() -> None:
    """The kinds there are stand in the refusal."""
    with pytest.raises(InputError, match="account, repository, domain"):
        make_selector("face", "x")


@given(st.sampled_from([kind for kind in Kind if kind is not Kind.SIMILAR]), st.text(max_size=60))
def test_a_normal_form_is_its_own(kind: Kind, text: str) -> None:
    """Whatever is typed is refused in one sentence or brought to a form that stays as it is."""
    for value in (text, f"example.org/{text}", f"https://example.org/{text}"):
        try:
            once = make_selector(kind, value)
        except InputError:
            continue
        assert make_selector(kind, once.value) == once


@given(st.text(max_size=200))
def test_white_space_and_case_do_not_matter_in_texts(text: str) -> None:
    """A text keeps its digest when it is written in capitals of ASCII or wrapped anew."""
    assert text_digest(text) == text_digest(f"  {text}\n")
    assert text_digest(normal_text(text)) == text_digest(text)
    assert text_digest("Two  Words\n") == text_digest("two words")


def test_a_domain_stands_for_the_names_below_it() -> None:
    """What covers a host are its own name and the names above it, without the top-level one."""
    assert domain_and_above("a.b.example.org") == ["a.b.example.org", "b.example.org", "example.org"]


def test_an_address_stands_for_those_below_it_segment_by_segment() -> None:
    """``/ab`` is not below ``/a``; the query is part of the address itself only."""
    assert url_and_above("example.org/a/b?q=1") == [
        "example.org",
        "example.org/a",
        "example.org/a/b",
        "example.org/a/b?q=1",
    ]
    assert "example.org/a" not in url_and_above("example.org/ab")
    assert len(url_and_above("example.org" + "/a" * 500)) <= 65


def test_a_selector_is_not_shown_by_accident() -> None:
    """Its value does not appear where a program prints it for debugging."""
    assert "alice" not in repr(make_selector(Kind.ACCOUNT, "alice"))
