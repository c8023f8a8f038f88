"""What was found is replaced, alike wherever it stood, and nothing is left to be found."""

from __future__ import annotations

import pytest

from hallmarked.core.errors import InputError
from hallmarked.corpus.personal.redact import Mode, Redactor

TEXT = "Write to jane.roe@mail.example.org or call +44 7700 900123."


@pytest.mark.parametrize("mode", Mode)
def test_values_are_gone_and_counted(mode):
    """Each way of redacting takes values out, counts them by kind, and changes nothing the second time."""
    redactor = Redactor(mode, b"k" * 32)
    text, counts = redactor.redact(TEXT)
    assert counts == {"email": 1, "phone": 1}
    assert "roe" not in text and "900123" not in text
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
