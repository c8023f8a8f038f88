"""Tests of policies, and the shipped ones among them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

import hallmarked.policy
from hallmarked.core.errors import InputError
from hallmarked.policy.file import Policy, contexts, load, load_shipped, read_sources
from hallmarked.policy.known import Vocabulary
from hallmarked.policy.table import Source
from hallmarked.policy.trial import read_trial, run, run_all, shipped_trials


def test_the_shipped_contexts_decide_as_their_examples_say() -> None:
    """Every shipped context for a use has examples, and each comes out as written."""
    results = list(run_all(shipped_trials(), contexts()))
    assert not [each.differences for each in results if each.differences]
    tested = Counter(each.case.context.name for each in results)
    assert set(tested) == {"base", "internal_tool", "school_chatbot", "hospital_triage"}


def test_the_shipped_contexts_ask_for_what_can_be_stated() -> None:
    """They are read without looking at that, so it is looked at here; every reason is there in both languages."""
    folder = Path(hallmarked.policy.__file__).parent
    sources = [source for part in ("contexts", "harms") for source in read_sources(folder / part)]
    made = load(sources, Policy({}, {}), Vocabulary())
    assert made == load_shipped()
    for context in made.contexts.values():
        assert {"en", "es"} <= context.title.keys()
        assert all({"en", "es"} <= demand.why.keys() for demand in context.demands)


CASE = """
[[case]]
name = "wrong"
context = "internal_tool"
time = 2026-06-01
outcome = "pass"
expect = { evaluated = "met" }
given = [{ claim = "eval.accuracy", value = "0.1", n = 500 }]
"""


def test_a_difference_is_told() -> None:
    """What came out otherwise is said with what it is and why."""
    (case,) = read_trial(Source(CASE.encode(), "t.toml"), contexts())
    first, second = run(case).differences
    assert first.startswith("evaluated was expected to be met, and is fails: eval.accuracy is 0.1")
    assert second.startswith("the decision was expected to be pass, and is fail: evaluated: ")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("internal_tool", "nowhere"),
        ("evaluated =", "nothing ="),
        ('"met"', '"good"'),
        ("2026-06-01", "7"),
        ('"eval.accuracy"', '"finding.SEC001"'),
        ('outcome = "pass"\nexpect = { evaluated = "met" }', ""),
        ("n = 500", 'n = 500, by = "nurse"'),
        ("n = 500", 'n = 500, age = "old"'),
        ("[[case]]", "[[cases]]"),
        (CASE, ""),
    ],
)
def test_a_test_that_tests_nothing_is_refused(old: str, new: str) -> None:
    """A slip in a test file is told with its line, before anything is run."""
    with pytest.raises(InputError, match=r"^t\.toml"):
        read_trial(Source(CASE.replace(old, new, 1).encode(), "t.toml"), contexts())
