"""One requirement against what is stated."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallmarked.core.evidence import Attestation, Statement, Subject
from hallmarked.policy.fact import Facts
from hallmarked.policy.requirement import Operator, Outcome, Requirement, judge

NOW = datetime(2026, 6, 1, tzinfo=UTC)
HERE, ELSEWHERE = (Subject("model", {"dirHash": letter * 64}) for letter in "ab")


def said(value: str, *, about: Subject = HERE, role: str = "auditor", days: int = 1, **more: Any) -> Attestation:
    """State a recall, a number of days ago."""
    row = {"metric": "eval.recall", "value": value, **more}
    statement = Statement((about,), "https://in-toto.io/attestation/test-result/v0.1", {"measurements": [row]})
    name = f"sha256:{abs(hash((value, role, days, str(more)))):064x}"
    return Attestation(statement, name, NOW - timedelta(days=days), role, role.title(), role)


def disputed(about: str, *, role: str = "maker", open_: bool = True) -> Attestation:
    """Contest something."""
    predicate = {"about": about, "reason": "the labels are wrong", "open": open_}
    return Attestation(Statement((HERE,), "urn:hallmarked:dispute:v1", predicate), "sha256:d", NOW, role, role, role)


def outcome(*attestations: Attestation, **asked: Any) -> Outcome:
    """Judge "recall is at least 0.90"."""
    wanted = {"op": Operator.AT_LEAST, "value": "0.90"} | asked
    return judge(Requirement("r", "eval.recall", **wanted), Facts(attestations, HERE), NOW).outcome


@pytest.mark.parametrize(
    ("value", "interval", "expected"),
    [
        ("0.90", None, Outcome.MET),
        ("0.9", None, Outcome.MET),
        ("0.89", None, Outcome.FAILS),
        ("0.92", ["0.91", "0.93"], Outcome.MET),
        ("0.92", ["0.89", "0.95"], Outcome.UNDERPOWERED),
        ("0.895", ["0.875", "0.915"], Outcome.UNDERPOWERED),
        ("0.87", ["0.86", "0.88"], Outcome.FAILS),
        ("0.95", ["0.99", "0.80"], Outcome.MET),  # an interval that makes no sense is none
        ("NaN", None, Outcome.FAILS),
        ("high", None, Outcome.FAILS),
    ],
)
def test_sizes_are_compared_by_the_unsafe_bound(value: str, interval: list[str] | None, expected: Outcome) -> None:
    """An interval wholly on one side decides, one that spans the threshold does not."""
    assert outcome(said(value, interval=interval)) is expected


def test_missing_old_foreign_and_small_evidence_does_not_pass() -> None:
    """Each has an outcome of its own."""
    assert outcome() is Outcome.MISSING
    assert outcome(said("0.95", days=40), max_age=timedelta(days=30)) is Outcome.STALE
    assert outcome(said("0.5", days=40), max_age=timedelta(days=30)) is Outcome.FAILS
    assert outcome(said("0.95", about=ELSEWHERE)) is Outcome.STALE
    assert outcome(said("0.5", about=ELSEWHERE)) is Outcome.STALE
    assert outcome(said("0.95", n=50), min_n=200) is Outcome.UNDERPOWERED
    assert outcome(said("0.95"), min_n=200) is Outcome.UNDERPOWERED
    assert outcome(said("0.95", role="maker"), by=("third_party",)) is Outcome.WRONG_ATTESTER
    assert outcome(said("0.95", role=""), by=("third_party",)) is Outcome.WRONG_ATTESTER
    assert outcome(said("0.95"), by=("third_party",)) is Outcome.MET


def test_an_outsider_is_heard_beside_the_maker() -> None:
    """The word of one signer does not replace another's; a signer's own newer word replaces their older one."""
    assert outcome(said("0.5", days=9), said("0.95", role="maker")) is Outcome.FAILS
    assert outcome(said("0.5", days=9), said("0.95", days=2)) is Outcome.MET
    assert outcome(said("0.95", role="maker"), said("0.95", about=ELSEWHERE), by=("auditor",)) is Outcome.STALE


def test_a_dispute_holds_until_it_is_settled() -> None:
    """Whoever contests a bad result does not turn it into a good one."""
    bad, good = said("0.5", days=9), said("0.95", role="maker")
    assert outcome(bad, good, disputed(bad.id)) is Outcome.DISPUTED
    assert outcome(good, disputed("eval.recall")) is Outcome.DISPUTED
    assert outcome(good, disputed("eval.recall", role="")) is Outcome.MET
    assert outcome(good, disputed("eval.recall"), disputed("eval.recall", open_=False)) is Outcome.MET


def test_the_worst_part_decides() -> None:
    """A part below the number asked for is not skipped; without parts there is nothing to judge."""
    parts = {
        name: said(value, n=n, slice={"group": name}) for name, value, n in (("a", "0.95", 500), ("b", "0.91", 500))
    }
    assert outcome(*parts.values(), slice="worst", min_n=200) is Outcome.MET
    small = said("0.99", n=20, slice={"group": "c"})
    assert outcome(*parts.values(), small, slice="worst", min_n=200) is Outcome.UNDERPOWERED
    low = said("0.7", n=500, slice={"group": "c"})
    assert outcome(*parts.values(), low, slice="worst", min_n=200) is Outcome.FAILS
    assert outcome(said("0.95"), slice="worst") is Outcome.MISSING
    assert outcome(*parts.values(), slice={"group": "b"}) is Outcome.MET
    assert outcome(*parts.values()) is Outcome.MISSING


def check(result: str, *rules: str) -> Attestation:
    """State what a check came to."""
    predicate = {
        "configuration": [{"name": "hallmarked/checks/secrets"}],
        "outcome": result,
        "findings": [{"rule": rule, "level": "error", "message": "."} for rule in rules],
    }
    statement = Statement((HERE,), "https://in-toto.io/attestation/test-result/v0.1", predicate)
    return Attestation(statement, "sha256:c", NOW, "maker", "us", "k")


def test_absence_needs_a_check_that_finished() -> None:
    """What nobody looked for, or not to the end, is not absent."""

    def absent(*attestations: Attestation) -> Outcome:
        asked = Requirement("r", "finding.SEC001", Operator.ABSENT, check="secrets")
        return judge(asked, Facts(attestations, HERE), NOW).outcome

    assert absent() is Outcome.MISSING
    assert absent(check("unknown")) is Outcome.MISSING
    assert absent(check("pass")) is Outcome.MET
    assert absent(check("fail", "SEC002")) is Outcome.MET
    assert absent(check("fail", "SEC001")) is Outcome.FAILS


def test_checks_are_counted() -> None:
    """Outcome, findings by level and rule are facts; a newer statement of a check replaces the older one whole."""
    facts = Facts([check("fail", "SEC001", "SEC001")], HERE)
    assert {path: facts.find(path)[0].value for path in facts.paths()} == {
        "check.secrets": "fail",
        "check.secrets.errors": "2",
        "check.secrets.warnings": "0",
        "check.secrets.notes": "0",
        "check.secrets.gaps": "0",
        "check.secrets.finished": "yes",
        "finding.SEC001": "2",
    }
    newer = check("pass")
    assert not Facts([check("fail", "SEC001"), newer], HERE).find("finding.SEC001")


def when(one: Attestation) -> tuple[datetime, str]:
    """Of two statements of one moment the one with the larger id is taken for the later."""
    return one.time, one.id


@given(
    st.lists(
        st.builds(
            said,
            st.decimals(0, 1, places=2).map(str),
            about=st.sampled_from([HERE, ELSEWHERE]),
            role=st.sampled_from(["maker", "auditor", "community", ""]),
            days=st.integers(0, 60),
        ),
        max_size=6,
    )
)
def test_only_valid_evidence_passes(stated: list[Attestation]) -> None:
    """Met exactly when somebody who counts said so lately of these bytes, and nobody who counts says otherwise."""
    newest = {(one.role, one.statement.subjects[0] is HERE): one for one in sorted(stated, key=when)}
    heard = [one for (role, here), one in newest.items() if here and role in {"auditor", "community"}]
    good = [one for one in heard if float(one.statement.predicate["measurements"][0]["value"]) >= 0.9]
    fresh = [one for one in good if NOW - one.time <= timedelta(days=30)]
    found = outcome(*stated, by=("third_party",), max_age=timedelta(days=30))
    assert (found is Outcome.MET) == (len(good) == len(heard) and bool(fresh))
    assert (found is Outcome.FAILS) == (len(good) < len(heard))


def test_the_worst_part_is_named_when_all_are_alike() -> None:
    """Of parts that all meet what is asked, the one with the least good bound decides, not the first."""
    parts = [
        said("0.97", slice={"age": "18"}, interval=["0.95", "0.98"]),
        said("0.95", slice={"age": "80"}, interval=["0.91", "0.97"]),
        said("0.96", slice={"age": "40"}),
    ]
    least = judge(Requirement("r", "eval.recall", Operator.AT_LEAST, "0.90", "worst"), Facts(parts, HERE), NOW)
    assert (least.outcome, least.facts[0].slice) == (Outcome.MET, {"age": "80"})
    most = judge(Requirement("r", "eval.recall", Operator.AT_MOST, "0.99", "worst"), Facts(parts, HERE), NOW)
    assert most.facts[0].slice == {"age": "18"}


@pytest.mark.parametrize(
    ("op", "asked", "value", "sentence"),
    [
        (Operator.AT_LEAST, "0.90", "0.93", "eval.recall is 0.93, and at least 0.90 is asked for"),
        (Operator.AT_LEAST, "0.90", "0.88", "eval.recall is 0.88, but at least 0.90 is asked for"),
        (Operator.LESS, "0.1", "0.1", "eval.recall is 0.1, but less than 0.1 is asked for"),
        (Operator.EQUAL, "4160", "4160", "eval.recall is 4160, as asked"),
        (Operator.UNEQUAL, "en", "en", "eval.recall is en, but other than en is asked for"),
        (Operator.IN, ("mit", "isc"), "gpl", "eval.recall is gpl, but one of mit, isc is asked for"),
        (Operator.PRESENT, "", "0.5", "eval.recall is 0.5"),
    ],
)
def test_reasons_are_sentences(op: Operator, asked: str | tuple[str, ...], value: str, sentence: str) -> None:
    """What decided, and what is asked for, is said in words, without where somebody read it."""
    read = said(value, slice={"line": "5", "path": "README.md", "source": "prose", "text": "…", "written": "x"})
    if op is Operator.PRESENT:
        assert judge(Requirement("r", "eval.recall", op), Facts([read], HERE), NOW).reason == sentence
    else:
        wanted = Requirement("r", "eval.recall", op, asked)
        assert judge(wanted, Facts([said(value)], HERE), NOW).reason == sentence


def test_parts_are_named_by_what_tells_them_apart() -> None:
    """The worst part may be a file; a place counts when somebody asks for it."""
    read = said("0.5", slice={"path": "fr.csv", "group": "women"})
    worst = Requirement("r", "eval.recall", Operator.MORE, "0.9", slice="worst")
    assert "for group women, path fr.csv is" in judge(worst, Facts([read], HERE), NOW).reason
    asked = Requirement("r", "eval.recall", Operator.PRESENT)
    assert judge(asked, Facts([read], HERE), NOW).reason == "eval.recall for group women is 0.5"
