"""What was found is replaced, alike wherever it stood, and nothing is left to be found."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.core.errors import InputError
from hallmarked.corpus.personal.mask import mask
from hallmarked.corpus.personal.redact import Mode, Redactor

MAIL = "jane.roe@mail.example.org"
TEXT = "Write to jane.roe@mail.example.org or call +44 7700 900123."


@pytest.mark.parametrize("mode", Mode)
def test_values_are_gone_and_counted(mode):
    """Each way of redacting takes values out, counts them by kind, and changes nothing the second time."""
    redactor = Redactor(mode, b"k" * 32)
    text, counts = redactor.redact(TEXT)
    assert counts == {"email": 1, "phone": 1}
    assert "roe" not in text
    assert "900123" not in text
    assert redactor.redact(text) == (text, {})


def test_a_key_makes_pseudonyms():
    """The same value has the same pseudonym under one key, however it is written, and another under another key."""
    one, other = Redactor("pseudonym", b"k" * 32), Redactor("pseudonym", b"l" * 32)
    assert one.redact("a JANE.ROE@mail.example.org")[0] == one.redact("a jane.roe@mail.example.org")[0]
    assert one.redact(TEXT)[0] != other.redact(TEXT)[0]


def test_a_short_key_is_refused():
    """Pseudonyms under a key that can be guessed would be none."""
    with pytest.raises(InputError):
        Redactor("pseudonym", b"k" * 31)


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="0123456789 .-+()@:/abcxABC[]E", max_size=200), st.sampled_from(Mode))
def test_redacting_twice_is_redacting_once(text: str, mode: Mode) -> None:
    """Whatever the text, nothing is found in what was redacted."""
    redactor = Redactor(mode, b"k" * 32)
    once, _ = redactor.redact(text)
    assert redactor.redact(once) == (once, {})


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from([TEXT, "nothing", "JANE.ROE@mail.example.org", None]), max_size=8), st.integers(0, 8))
def test_shards_agree(texts: list[str | None], cut: int) -> None:
    """A value has one pseudonym wherever it stands, so the pieces of a data set can be redacted apart."""
    one, other = Redactor("pseudonym", b"k" * 32), Redactor("pseudonym", b"k" * 32)
    whole, _ = one.redact_all(texts)
    assert [*other.redact_all(texts[:cut])[0], *one.redact_all(texts[cut:])[0]] == whole


def test_a_mask_shows_the_kind_and_no_more() -> None:
    """Of each value so much is left that a person sees what it is."""
    masks = {
        ("email", "jane.roe@mail.example.org"): "j***@***.org",
        ("phone", "+44 7700 900123"): "+44 **** ******",
        ("payment-card", "4000 0566 5566 5556"): "4*** **** **** ****",
        ("iban", "DE89 3704 0044"): "DE** **** ****",
        ("ip-address", "203.0.113.77"): "203.*.***.**",
        ("us-ssn", "212-09-4321"): "***-**-****",
        ("credential", "hf_abcdefgh"): "********",
    }
    assert {key: mask(*key) for key in masks} == masks


def test_an_unknown_way_is_refused() -> None:
    """A misspelled mode is not silently another one."""
    with pytest.raises(InputError):
        Redactor("masks")


def test_placeholders_stay_and_their_words_speak_for_nothing_new() -> None:
    """A text that holds placeholders keeps them, and is redacted around them."""
    text = "[EMAIL] and [PHONE] " * 3 + MAIL
    assert Redactor().redact(text) == ("[EMAIL] and [PHONE] " * 3 + "[EMAIL]", {"email": 1})
