"""How often somebody may ask, and how many versions of one sentence."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

for _module in ("pyarrow", "pydivsufsort"):
    pytest.importorskip(_module, reason="data sets are searched with the extra data")

from hallmarked.core.errors import InputError  # noqa: E402 -- after the skip
from hallmarked.corpus.search.ask import Question  # noqa: E402
from hallmarked.hub.error import TooMany  # noqa: E402
from hallmarked.hub.passage import caller  # noqa: E402
from hallmarked.hub.passage.caller import VERSIONS, Callers  # noqa: E402

SENTENCE = "every morning before school {} fed the horses behind the old mill and then walked"


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Let no hour end in the middle of a test."""
    clock = SimpleNamespace(seconds=1.0)
    monkeypatch.setattr(caller, "time", SimpleNamespace(monotonic=lambda: clock.seconds))
    return clock


def _question(text: str, *, work: bool = False) -> Question:
    return Question(text, len(text.split()), 8, is_work=work)


def _asked(callers: Callers, who: str, text: str, *, work: bool = False) -> bool:
    try:
        callers.take([who], _question(text, work=work))
    except TooMany:
        return False
    return True


@pytest.mark.parametrize("sentence", [SENTENCE, "{} " + SENTENCE.format("we"), SENTENCE.format("we") + " {}"])
def test_a_few_words_may_be_tried_in_one_place(sentence: str) -> None:
    """Wherever in a sentence a word is tried, only a few are answered; those that were tried may be asked again."""
    callers = Callers(1_000)
    answers = [_asked(callers, "a", sentence.format(f"name{number}")) for number in range(20)]
    assert answers == [True] * VERSIONS + [False] * (20 - VERSIONS)
    assert _asked(callers, "b", sentence.format("name9"))


def test_names_of_two_words_are_versions_too() -> None:
    """When two words are tried together, few of either are answered."""
    callers = Callers(10_000)
    names = [f"first{one} last{other}" for one in range(12) for other in range(12)]
    assert sum(_asked(callers, "a", SENTENCE.format(name)) for name in names) <= VERSIONS * VERSIONS


def test_many_versions_in_one_work_are_refused() -> None:
    """A work that repeats a place with many words is a list of questions; a few are not, and neither is prose."""
    before, after = "it was on a cold day in early march that", "came down the river with all that was left of them"
    callers = Callers(1_000)
    work = " ".join(f"{before} name{number} {after}" for number in range(VERSIONS))
    assert _asked(callers, "a", work, work=True)
    assert not _asked(callers, "a", f"{work} {before} another {after}", work=True)
    assert _asked(callers, "a", " ".join(f"one of the things{number} is that" for number in range(100)), work=True)


def test_all_names_of_a_caller_count(clock: SimpleNamespace) -> None:
    """An account with new addresses and an address with new accounts both come to their end, until the next hour."""
    callers = Callers(3)
    texts = [" ".join(f"w{number}x{word}" for word in range(9)) for number in range(4)]
    for number, text in enumerate(texts[:3]):
        callers.take([f"address {number}", "account a"], _question(text))
    with pytest.raises(TooMany, match="asked 3 times; ask again in 60 minutes"):
        callers.take(["address 9", "account a"], _question(texts[3]))
    callers.take(["address 0", "account b"], _question(texts[3]))
    clock.seconds += 3600
    callers.take(["address 9", "account a"], _question(texts[3]))


def test_nothing_readable_is_kept() -> None:
    """What is remembered of a question are digests; after a new hour the same words have others."""
    callers = Callers(10)
    callers.take(["address 1.2.3.4"], _question(SENTENCE.format("quokka")))
    kept = repr(callers._callers)
    assert "quokka" not in kept
    assert "1.2.3.4" not in kept
    other = Callers(10)
    other.take(["address 1.2.3.4"], _question(SENTENCE.format("quokka")))
    assert repr(other._callers) != kept


def test_no_question_is_answered_where_none_may_be() -> None:
    """A hub without questions says so."""
    with pytest.raises(InputError, match="nobody can look"):
        Callers(0).take(["a"], _question(SENTENCE))
