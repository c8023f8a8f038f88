"""Statements come from anywhere: whatever they hold, deriving comes to an answer that supports nothing by itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hallmarked.cards.claim import derive_claims
from hallmarked.cards.known import Edition, know
from hallmarked.cards.matrix import compare, of_claims
from hallmarked.cards.outside import list_outside
from hallmarked.cards.statement import to_statement
from hallmarked.cards.status import Status
from hallmarked.cards.summary import summarise_card, to_json
from hallmarked.cards.system import inherit
from hallmarked.cards.timeline import Revision, tell
from hallmarked.core.evidence import Attestation, Statement, Subject
from hallmarked.ledger.canonical import statement_bytes
from tests.cards.stating import NOW

HERE = Subject("heron", {"dirHash": "ab" * 32})
WORDS = st.sampled_from(
    [
        *("claim.declared", "claim.evaluation", "scope.clause", "card.component", "eval.recall", "recall", "floors"),
        *(
            '{"id": "recall", "path": "eval.recall", "op": ">=", "value": "0.9", "max_age": "99999y"}',
            "[[[[",
            "{",
            "null",
        ),
        *(
            '{"id": ["x"], "path": {}, "op": 7}',
            '"x"',
            "sha256:" + "ab" * 32,
            "dirHash:" + "ab" * 32 + " x",
            ":",
            "9" * 400,
        ),
        *("0.9", "-1e9", "NaN", "pass", "unknown", "error", "", "1e999", "0.9.9"),
    ]
)
KEYS = st.sampled_from(
    [
        *("metric", "value", "slice", "n", "interval", "row", "id", "path", "line", "digest", "kind", "group", "type"),
        *("rule", "level", "message", "location", "about", "reason", "open", "claim", "by", "conditions", "status"),
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**50), 2**50) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=12,
)
ROW = st.fixed_dictionaries(
    {},
    optional={
        "metric": WORDS,
        "value": WORDS | JSON,
        "n": JSON,
        "interval": JSON,
        "slice": st.dictionaries(KEYS, WORDS, max_size=5) | JSON,
    },
)
CLAIMED = st.fixed_dictionaries(
    {
        "metric": st.sampled_from(
            ["claim.declared", "claim.evaluation", "scope.clause", "card.component", "claim.license"]
        ),
        "value": WORDS,
        "slice": st.fixed_dictionaries(
            {"row": WORDS, "group": st.just("floors"), "metric": WORDS}, optional={"digest": WORDS, "line": WORDS}
        ),
    }
)
CONFIGURATION = st.sampled_from(
    [
        *(
            [{"name": f"hallmarked/checks/{check}", "annotations": {"version": "1"}}]
            for check in ("documentation", "facts")
        ),
        *(
            [{"name": "hallmarked/evaluations/x"}],
            [{"name": 7}],
            "x",
            None,
            [{"name": "hallmarked/checks/facts", "digest": 3}],
        ),
    ]
)
PREDICATE = st.fixed_dictionaries(
    {},
    optional={
        "configuration": CONFIGURATION,
        "measurements": st.lists(CLAIMED | ROW, max_size=4) | JSON,
        "findings": JSON,
        "outcome": JSON,
        "about": WORDS,
        "claim": WORDS,
        "open": JSON,
        "attributes": JSON,
    },
)
CARD = st.fixed_dictionaries(
    {
        "configuration": st.just([{"name": "hallmarked/checks/documentation", "annotations": {"version": "1"}}]),
        "measurements": st.lists(CLAIMED, min_size=1, max_size=5),
    }
)
MEASURED = st.fixed_dictionaries(
    {
        "measurements": st.lists(
            st.fixed_dictionaries({"metric": st.just("eval.recall"), "value": WORDS}) | ROW, max_size=3
        )
    }
)
TYPES = st.sampled_from(
    [
        "https://in-toto.io/attestation/test-result/v0.1",
        *(f"urn:hallmarked:{name}:v1" for name in ("dispute", "withdrawal", "waiver")),
    ]
)
SUBJECTS = st.lists(st.sampled_from([HERE, Subject("x", {}), Subject("x", {"dirHash": "cd" * 32})]), max_size=2).map(
    tuple
)
STATED = st.lists(
    st.builds(
        lambda subjects, kind, predicate, role, hours: Attestation(
            Statement(subjects, kind, predicate), f"sha256:{hours:064x}", NOW - timedelta(hours=hours), role, role, role
        ),
        SUBJECTS,
        TYPES,
        CARD | MEASURED | PREDICATE,
        st.sampled_from(["maker", "auditor", ""]),
        st.integers(0, 5000),
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STATED, st.sampled_from([HERE, None]), st.booleans())
def test_any_statements(stated: list[Any], current: Subject | None, dated: bool) -> None:
    """Everything that is derived comes to an end, can be written down, and supports a claim only from a statement."""
    known = know(stated, current, edition=Edition({"documentation": "2"}, "0" * 64) if dated else None)
    claims = derive_claims(known, NOW)
    for claim in claims:
        assert claim.standings
        assert claim.status is not Status.SUPPORTED or claim.sources
    statement_bytes(to_statement(claims, HERE))
    to_json(summarise_card(known, NOW))
    assert all(one.words for one in list_outside(known))
    assert all(part.sentence for part in inherit(known, stated))
    matrix = compare(of_claims(claims), known, NOW)
    assert all(cell.reason for cell in matrix.cells)
    for claim in claims[:2]:
        tell(claim.id, stated, [Revision(HERE, NOW - timedelta(days=100))], NOW)
