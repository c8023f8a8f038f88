"""What the log says of a request, and the receipt that opens it."""

import json
from datetime import UTC, datetime

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallmarked.core.errors import InputError, VerificationError
from hallmarked.corpus.consent.receipt import (
    EVENTS,
    Request,
    evidence_of,
    make_request,
    schema,
    scope_of,
    to_statement,
    verify_receipt,
)
from hallmarked.corpus.consent.record import Mode, Scope, Use
from hallmarked.corpus.consent.selector import Kind, make_selector

NOW = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.mark.parametrize("event", EVENTS)
def test_statements_follow_their_schema(event: str) -> None:
    """Every event, with and without a day on which it is due; one that is none is refused."""
    request = Request("opt-out", ("training",), (), (("account", "ada"),))
    for due in (None, NOW):
        statement = to_statement(event, request.commit(b"s" * 32), "1", NOW, due, "opt-out" if due else "").to_dict()
        jsonschema.validate(statement["predicate"], json.loads(schema()))
        assert "ada" not in json.dumps(statement)
    with pytest.raises(InputError):
        to_statement("sold", request.commit(b"s" * 32), "1", NOW)


def test_any_difference_changes_the_commitment() -> None:
    """Another identifier, scope or mandate; and what a text is to be found by is its digest, not the text."""
    poem = "a poem of many words " * 20
    one = make_request(Scope(Mode.OPT_OUT), [make_selector(Kind.SIMILAR, poem)])
    assert "poem" not in json.dumps(one.to_json())
    others = [
        make_request(Scope(Mode.OPT_IN), [make_selector(Kind.SIMILAR, poem)]),
        make_request(Scope(Mode.OPT_OUT), [make_selector(Kind.SIMILAR, poem)], representative=True),
        make_request(Scope(Mode.OPT_OUT, frozenset({Use.SEARCH})), [make_selector(Kind.SIMILAR, poem)]),
    ]
    salt = b"s" * 32
    assert len({one.commit(salt)[1], *(other.commit(salt)[1] for other in others)}) == 4
    assert scope_of(others[0]) == Scope(Mode.OPT_IN)
    with pytest.raises(InputError):
        scope_of(Request("access", (), (), ()))


@given(
    st.one_of(
        st.binary(max_size=200),
        st.builds(
            lambda row: json.dumps(row).encode(),
            st.dictionaries(
                st.sampled_from(["mediaType", "request", "salt", "evidence"]),
                st.one_of(st.text(max_size=5), st.integers(), st.none()),
            ),
        ),
    )
)
def test_whatever_is_no_receipt_is_refused(data: bytes) -> None:
    """With the error for evidence that does not hold, and no other."""
    with pytest.raises(VerificationError):
        verify_receipt(data)
    with pytest.raises(VerificationError):
        evidence_of(data)


def test_the_log_says_what_was_asked_for_and_nothing_else() -> None:
    """A mode that no consent has is refused, and an entry without one stays valid: older ones have none."""
    commitments = Request("opt-out", ("training",), (), (("account", "ada"),)).commit(b"s" * 32)
    assert to_statement("filed", commitments, "1", NOW, mode="opt-in").predicate["mode"] == "opt-in"
    assert "mode" not in to_statement("filed", commitments, "1", NOW).predicate
    with pytest.raises(InputError, match="maybe"):
        to_statement("filed", commitments, "1", NOW, mode="maybe")
