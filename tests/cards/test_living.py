"""Claims that a card declares, and results that it reports, as evidence and time move on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.cards.claim import Claim, derive_claims
from hallmarked.cards.known import Edition, know
from hallmarked.cards.statement import to_statement
from hallmarked.cards.status import Standing, Status, worst_first
from hallmarked.core.evidence import Attestation, Statement, Subject
from hallmarked.policy.fact import Facts
from tests.cards.stating import NOW, attest, card, checked, record, result

RECALL = {"id": "recall", "path": "eval.recall", "op": ">=", "value": "0.90"}
HERE, SAID = checked({"README.md": card(RECALL)})
THERE = Subject("heron", {"dirHash": "cd" * 32})


def claims(stated: Sequence[Attestation], current: Subject = HERE, **more: Any) -> dict[str, Claim]:
    return {claim.id: claim for claim in derive_claims(know(stated, current, **more), NOW)}


def recall(*stated: Attestation, **more: Any) -> Claim:
    return claims([*SAID, *stated], **more)["recall"]


def standing(claim: Claim) -> list[str]:
    return [one.status.value for one in claim.standings]


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ([], ["self-asserted"]),
        ([result(HERE, "eval.recall", "0.93")], ["supported"]),
        ([result(HERE, "eval.recall", "0.80")], ["contradicted"]),
        ([result(HERE, "eval.recall", "0.93", role="maker")], ["self-asserted"]),
        ([result(HERE, "eval.recall", "0.93", role="")], ["self-asserted"]),
        ([result(HERE, "eval.recall", "0.80", role="maker")], ["contradicted"]),
        ([result(HERE, "eval.recall", "0.93", role="maker"), result(HERE, "eval.recall", "0.91")], ["supported"]),
        ([result(THERE, "eval.recall", "0.93")], ["stale"]),
        ([result(HERE, "eval.recall", "0.91", interval=["0.88", "0.94"])], ["unknown"]),
        (
            [result(HERE, "eval.recall", "0.93"), record(HERE, "dispute", about="eval.recall", reason="bad labels")],
            ["disputed"],
        ),
        (
            [result(HERE, "eval.recall", "0.80"), record(HERE, "dispute", about="eval.recall", reason="bad labels")],
            ["contradicted", "disputed"],
        ),
        (
            [result(HERE, "eval.recall", "0.93"), record(HERE, "withdrawal", claim="recall", reason="no", by="us")],
            ["withdrawn", "supported"],
        ),
        (
            [
                result(HERE, "eval.recall", "0.80"),
                record(HERE, "withdrawal", claim="eval.recall", reason="no", by="us"),
            ],
            ["contradicted", "withdrawn"],
        ),
        ([record(HERE, "withdrawal", role="community", claim="recall", reason="no", by="me")], ["self-asserted"]),
    ],
)
def test_a_declared_claim(stated: list[Attestation], expected: list[str]) -> None:
    """Each outcome of the evaluator is a status; several that hold are all shown, the worst first."""
    assert standing(recall(*stated)) == expected


def test_age_and_number_decide_as_declared() -> None:
    """A claim says itself how old its evidence may be, at how many it looks, and whose word counts."""
    here, said = checked({"README.md": card(RECALL | {"max_age": "30d", "min_n": 200, "by": ["auditor"]})})
    found = {
        name: claims([*said, one], here)["recall"].status.value
        for name, one in {
            "good": result(here, "eval.recall", "0.93", n=200),
            "old": result(here, "eval.recall", "0.93", n=200, days=31),
            "few": result(here, "eval.recall", "0.93", n=199),
            "hub": result(here, "eval.recall", "0.93", n=200, role="hub"),
        }.items()
    }
    assert found == {"good": "supported", "old": "stale", "few": "unknown", "hub": "self-asserted"}


def test_an_age_beyond_any_calendar_is_no_trouble() -> None:
    """A claim may say that its evidence never gets too old, in as many years as it likes."""
    here, said = checked({"README.md": card(RECALL | {"max_age": "99999y"})})
    claim = claims([*said, result(here, "eval.recall", "0.93")], here)["recall"]
    assert (claim.status, claim.until) == (Status.SUPPORTED, None)


def test_the_clock_alone_makes_a_claim_stale() -> None:
    """Nothing is stored: the same statements say something else when time has moved on."""
    here, said = checked({"README.md": card(RECALL | {"max_age": "30d"})})
    known = know([*said, result(here, "eval.recall", "0.93", days=1)], here)
    days = [derive_claims(known, NOW + timedelta(days=days))[0].status.value for days in (0, 28, 30)]
    assert days == ["supported", "supported", "stale"]


def test_a_push_makes_every_claim_stale_at_once_and_new_evidence_clears_it() -> None:
    """All statements are about bytes; when these move on, nothing that was said counts for the new ones."""
    files = {"README.md": card(RECALL, front="license: mit\n"), "weights.bin": b"1"}
    here, said = checked(files)
    stated = [*said, result(here, "eval.recall", "0.93")]
    assert {claim.status.value for claim in claims(stated, here).values()} == {"supported", "not-evaluated"}
    there, again = checked(files | {"weights.bin": b"2"}, days=0.5)
    assert {claim.status for claim in claims(stated, there).values()} == {Status.STALE}
    after = claims([*stated, *again], there)
    assert (after["license"].status.value, after["recall"].status.value) == ("not-evaluated", "stale")
    assert claims([*stated, *again, result(there, "eval.recall", "0.93")], there)["recall"].status is Status.SUPPORTED


def test_a_newer_check_supersedes_what_an_older_one_stated() -> None:
    """Whether a claim still holds under the rules in use now is not known before the check looks again."""
    here, said = checked({"README.md": card({"id": "kind", "path": "card.kind", "op": "present"})})
    assert standing(claims(said, here)["kind"]) == ["supported"]
    newer = Edition({"documentation": "99"})
    assert standing(claims(said, here, edition=newer)["kind"]) == ["stale", "supported"]
    other_rules = Edition(rule_set="f" * 64)
    assert standing(claims(said, here, edition=other_rules)["kind"]) == ["stale", "supported"]
    assert standing(claims(said, here, edition=Edition(rule_set="0" * 64))["kind"]) == ["supported"]


def test_what_cannot_be_understood_is_shown_as_that() -> None:
    """A claim with an error, or whose id is taken, is neither supported nor left out."""
    odd = RECALL | {"id": "odd", "op": "about"}
    here, said = checked({"README.md": card(RECALL, odd, RECALL | {"value": "0.99"})})
    found = derive_claims(know([*said, result(here, "eval.recall", "0.93")], here), NOW)
    assert [(claim.id, claim.status.value) for claim in found] == [
        ("recall", "supported"),
        ("odd", "unknown"),
        ("recall", "unknown"),
    ]
    assert "op is “about”" in found[1].reason
    assert found[1].location is not None


def test_a_withdrawn_claim_stays_visible_when_it_leaves_the_card() -> None:
    """What was claimed and taken back is not made unsaid by an edit."""
    there, later = checked({"README.md": card()}, days=0.5)
    back = record(there, "withdrawal", days=0.2, claim="recall", reason="the test set leaked", by="Acme")
    gone = claims([*SAID, *later, back], there)["recall"]
    assert Status.WITHDRAWN in {one.status for one in gone.standings}
    assert "Acme took it back: the test set leaked" in [one.reason for one in gone.standings]
    assert "recall" not in claims([*SAID, *later], there)


def test_a_claim_says_who_knows() -> None:
    """The statements behind a claim are at hand with who signed them and when; so is the sentence in its languages."""
    texts = {"en": "It finds nine of ten.", "es": "Encuentra nueve de diez."}
    here, said = checked({"README.md": card(RECALL | {"text": texts, "audience": ["authority"]})})
    measured = result(here, "eval.recall", "0.93", n=400)
    claim = claims([*said, measured], here)["recall"]
    assert (claim.text, claim.texts["es"], claim.audience) == (texts["en"], texts["es"], ("authority",))
    assert claim.sources == (measured,)
    assert claim.evidence_text == f"the auditor, eval.recall = 0.93 ({measured.id})"
    assert recall().text == "eval.recall is at least 0.90."


def test_the_claims_statement_carries_all_standings() -> None:
    """What is signed about a claim says each way in which it stands, and names the statement that decided."""
    measured = result(HERE, "eval.recall", "0.80")
    contested = record(HERE, "dispute", about="eval.recall", reason="bad labels")
    (attribute,) = to_statement([recall(measured, contested)], HERE).predicate["attributes"]
    assert attribute["conditions"]["status"] == "contradicted"
    assert attribute["conditions"]["others"] == "disputed"
    assert attribute["evidence"] == {"name": "eval.recall", "digest": {"sha256": measured.id.removeprefix("sha256:")}}


def test_facts_may_be_shared() -> None:
    """Who has indexed the statements already need not do it twice; the answer is the same."""
    stated = [*SAID, result(HERE, "eval.recall", "0.93")]
    shared = know(stated, HERE, facts=Facts(stated, HERE))
    assert derive_claims(shared, NOW) == derive_claims(know(stated, HERE), NOW)


INDEX = """model-index:
- name: heron
  results:
  - task: {type: text-classification}
    dataset: {name: Letters, type: acme/letters}
    metrics:
    - {type: accuracy, name: Accuracy, value: 92.3}
"""


def reported(*stated: tuple[str, dict[str, Any]], front: str = INDEX) -> str:
    here, said = checked({"README.md": f"---\n{front}---\n# Heron\n"})
    measured = [result(here, "eval.accuracy", value, **more) for value, more in stated]
    (claim,) = [claim for claim in derive_claims(know([*said, *measured], here), NOW) if claim.kind == "evaluation"]
    return claim.status.value


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ([], "self-asserted"),
        ([("0.923", {})], "supported"),
        ([("0.9232", {"slice": {"dataset": "letters"}})], "supported"),
        ([("92.3", {"slice": {"dataset": "acme/letters", "split": "test"}})], "supported"),
        ([("0.80", {})], "contradicted"),
        ([("0.921", {})], "unknown"),
        ([("0.92", {"interval": ["0.90", "0.94"]})], "supported"),
        ([("0.92", {"interval": ["0.50", "0.99"]})], "unknown"),
        ([("0.90", {"interval": ["0.89", "0.91"]})], "contradicted"),
        ([("0.80", {"slice": {"dataset": "other"}})], "self-asserted"),
        ([("0.80", {"slice": {"group": "women"}})], "self-asserted"),
        ([("0.80", {"role": "maker"})], "self-asserted"),
        ([("0.923", {"days": 2}), ("0.80", {"role": "hub"})], "contradicted"),
    ],
)
def test_a_reported_result_is_held_against_what_others_measured(
    stated: list[tuple[str, dict[str, Any]]], expected: str
) -> None:
    """The same metric on the same data: agreeing within rounding or interval supports, anything else contradicts."""
    assert reported(*stated) == expected


def test_of_several_data_sets_only_the_named_one_is_compared() -> None:
    """A result that does not say on which data decides nothing where a card reports several."""
    second = INDEX.replace("model-index:\n", "").replace("Letters", "Mail").replace("acme/letters", "acme/mail")
    second = second.replace("- name: heron\n  results:\n", "").replace("92.3", "71.0")
    here, said = checked({"README.md": f"---\n{INDEX}{second}---\n# Heron\n"})
    nowhere = [*said, result(here, "eval.accuracy", "0.71")]
    assert {claim.status.value for claim in derive_claims(know(nowhere, here), NOW)} == {"self-asserted"}
    named = [*said, result(here, "eval.accuracy", "0.60", slice={"dataset": "mail"})]
    found = {claim.value: claim.status.value for claim in derive_claims(know(named, here), NOW)}
    assert found == {"92.3": "self-asserted", "71.0": "contradicted"}


STATUSES = st.lists(st.builds(Standing, st.sampled_from(Status), st.text(max_size=3)), min_size=1)


@given(STATUSES)
def test_the_worst_is_shown_and_no_status_is_lost(standings: list[Standing]) -> None:
    """Supported never hides anything else, and each status stays, once."""
    shown = worst_first(standings)
    assert sorted(one.status for one in shown) == sorted({one.status for one in standings})
    assert shown[0].status is not Status.SUPPORTED or len(shown) == 1


OTHERS = st.lists(
    st.builds(
        lambda value, role, days, about: result(about, "eval.recall", value, role=role, days=days),
        st.sampled_from(["0.93", "0.80"]),
        st.sampled_from(["maker", "auditor", "hub", "community", ""]),
        st.integers(1, 90),
        st.sampled_from([HERE, THERE]),
    ),
    max_size=6,
    unique_by=lambda one: one.time,
)


@settings(max_examples=80, deadline=None)
@given(OTHERS, st.randoms(use_true_random=False))
def test_statuses_are_a_function_of_what_is_stated(stated: list[Attestation], random: Any) -> None:
    """The order in which statements are read does not matter, and a maker alone never supports what they claim."""
    shuffled = random.sample(stated, len(stated))
    assert recall(*stated).status is recall(*shuffled).status
    if not any(one.role in {"auditor", "hub", "community"} for one in stated):
        assert recall(*stated).status is not Status.SUPPORTED


def test_a_check_that_anyone_can_repeat_supports_whoever_ran_it() -> None:
    """The maker's own audit counts as evidence where it says what anybody would see in the same bytes."""
    here, said = checked({"README.md": card({"id": "kind", "path": "card.kind", "op": "present"})}, role="maker")
    assert claims(said, here)["kind"].status is Status.SUPPORTED
    assert attest(said[0].statement).id == said[0].id


def test_whose_report_of_a_check_is_read() -> None:
    """A maker cannot outdo a hub by being later; but what an older version of the check said gives way."""
    here, said = checked({"README.md": card(front="license: mit\n")})
    text = {"metric": "licence.text", "value": "mit", "slice": {"path": "LICENSE", "how": "text"}}

    def read(value: str, role: str, days: float, version: str = "2") -> Attestation:
        name = {"name": "hallmarked/checks/licences", "annotations": {"version": version}}
        measured = [text | {"value": value}]
        predicate = {"configuration": [name], "outcome": "pass", "measurements": measured}
        return attest(
            Statement((here,), "https://in-toto.io/attestation/test-result/v0.1", predicate), role=role, days=days
        )

    hub, later = read("gpl-3.0", "hub", 2), read("mit", "maker", 1)
    assert claims([*said, hub, later], here)["license"].status is Status.CONTRADICTED
    assert claims([*said, later], here)["license"].status is Status.SUPPORTED
    old = read("gpl-3.0", "hub", 2, version="1")
    newer = Edition({"licences": "2"})
    assert claims([*said, old, later], here, edition=newer)["license"].status is Status.SUPPORTED
    assert standing(claims([*said, old], here, edition=newer)["license"]) == ["contradicted", "stale"]


def test_files_of_results_are_held_against_what_others_measured() -> None:
    """What stands in .eval_results is a claim like what stands in the card."""
    entry = "- {dataset: {id: acme/exam, task_id: exam_score}, value: 61.5}\n"
    here, said = checked({"README.md": card(), ".eval_results/exam.yaml": entry})
    known = [*said, result(here, "eval.exam_score", "0.50", slice={"dataset": "exam"})]
    assert [one.status.value for one in derive_claims(know(known, here), NOW)] == ["contradicted"]
    known = [*said, result(here, "eval.exam_score", "0.615", slice={"dataset": "acme/exam"})]
    assert [one.status.value for one in derive_claims(know(known, here), NOW)] == ["supported"]


def test_a_check_that_a_stranger_signed_supports_nothing() -> None:
    """Anybody can write that a check passed; it counts when somebody who is known here answers for it."""
    here, said = checked(
        {"README.md": card({"id": "kind", "path": "card.kind", "op": "present"}, front="license: mit\n")}
    )
    text = {"metric": "licence.text", "value": "mit", "slice": {"path": "LICENSE", "how": "text"}}
    predicate = {"configuration": [{"name": "hallmarked/checks/licences"}], "outcome": "pass", "measurements": [text]}
    licence = Statement((here,), "https://in-toto.io/attestation/test-result/v0.1", predicate)
    for role, expected in (("", "self-asserted"), ("maker", "supported")):
        stated = [*(attest(one.statement, role=role) for one in said), attest(licence, role=role)]
        assert {claim.status.value for claim in claims(stated, here).values()} == {expected}


@pytest.mark.parametrize(
    ("role", "expected"), [("maker", "self-asserted"), ("", "self-asserted"), ("auditor", "supported")]
)
def test_no_check_measures_what_evaluations_do(role: str, expected: str) -> None:
    """Whoever calls an evaluation of their own a check does not make it one that anyone can repeat."""
    predicate = {
        "configuration": [{"name": "hallmarked/checks/inventory"}],
        "outcome": "pass",
        "measurements": [{"metric": "eval.recall", "value": "0.99"}],
    }
    statement = Statement((HERE,), "https://in-toto.io/attestation/test-result/v0.1", predicate)
    assert standing(recall(attest(statement, role=role, key="somebody"))) == [expected]
