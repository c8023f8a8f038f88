"""What a system inherits from its parts, and what outsiders measured."""

from __future__ import annotations

from hallmarked.cards.known import know
from hallmarked.cards.outside import list_outside
from hallmarked.cards.summary import summarise_card, to_json
from hallmarked.cards.system import Part, inherit
from hallmarked.core.evidence import Attestation, Statement, Subject
from tests.cards.stating import NOW, attest, card, checked, record, result

MODEL = Subject("acme/heron", {"gitCommit": "ab" * 20})
SYSTEM = """---
hallmarked:
  kind: system
  components:
    - {kind: model, name: acme/heron, digest: {gitCommit: "%s"}}
    - {kind: model, name: acme/crane}
    - {kind: dataset, name: acme/letters, digest: {sha256: "%s"}}
    - {kind: prompt, name: none}
---
# Heron, deployed
""" % ("ab" * 20, "cd" * 32)  # noqa: UP031 -- braces are YAML here


def report(*findings: dict[str, str], days: float = 3, about: Subject = MODEL, **more: object) -> Attestation:
    predicate = {
        "configuration": [{"name": "hallmarked/checks/serialization"}],
        "outcome": "fail" if findings else "pass",
        "findings": list(findings),
        **more,
    }
    statement = Statement((about,), "https://in-toto.io/attestation/test-result/v0.1", predicate)
    return attest(statement, role="hub", days=days)


RUNS = {"rule": "PKL001", "level": "error", "message": "it runs code"}
ODD = {"rule": "PKL002", "level": "note", "message": "it is odd"}


def parts(*stated: Attestation) -> list[Part]:
    here, said = checked({"README.md": SYSTEM})
    return list(inherit(know([*said, *stated], here), [*said, *stated]))


def test_a_system_inherits_what_is_open_about_its_parts() -> None:
    """Findings about exactly the bytes that are named are shown with where they come from, the gravest first."""
    stated = report(ODD, RUNS)
    heron, crane, letters, prompt = parts(stated, report(ODD, about=Subject("acme/heron", {"gitCommit": "ee" * 20})))
    assert [(one.rule, one.check, one.source.id) for one in heron.findings] == [
        ("PKL001", "serialization", stated.id),
        ("PKL002", "serialization", stated.id),
    ]
    assert heron.sentence == "1 error, 1 note"
    assert crane.sentence == "the card does not say which one is meant, so that nothing is known about it"
    assert letters.sentence == "no evidence about it is at hand"
    assert prompt.sentence == "the system has no prompt"


def test_what_a_later_look_does_not_find_is_not_open() -> None:
    """A newer report of the same check about the same bytes replaces the older one; an unfinished one says so."""
    heron = parts(report(RUNS), report(days=1))[0]
    assert heron.sentence == "no finding"
    heron = parts(report(RUNS, days=3), report(days=1, outcome="unknown"))[0]
    assert heron.sentence == "no finding; serialization could not finish"


CLAIM = {"id": "recall", "path": "eval.recall", "op": ">=", "value": "0.90"}


def test_outside_results_stay_listed() -> None:
    """Neither a dispute by the owner, nor silence of the card, takes a result of somebody else off the list."""
    here, said = checked({"README.md": card(CLAIM)})
    measured = result(here, "eval.recall", "0.70")
    other = result(here, "eval.f1", "0.60", role="community")
    own = result(here, "eval.recall", "0.99", role="maker")
    contested = record(here, "dispute", about=measured.id, reason="not our test set")
    found = {one.fact.path: one.words for one in list_outside(know([*said, measured, other, own, contested], here))}
    assert found == {
        "eval.recall": ("disputed by the maker: not our test set",),
        "eval.f1": ("not in the card",),
    }


def test_a_result_that_is_removed_from_the_card_stays_listed() -> None:
    """An edit of the card is told of beside the result, which is now about older bytes."""
    before, said = checked({"README.md": card(CLAIM)})
    after, later = checked({"README.md": card()}, days=0.5)
    measured = result(before, "eval.recall", "0.70")
    (one,) = list_outside(know([*said, *later, measured], after))
    assert one.words == ("about other bytes than the ones here now", "removed from the card")
    again = result(after, "eval.recall", "0.71", days=0.1)
    assert {one.words for one in list_outside(know([*said, *later, measured, again], after)) if one.fact.current} == {
        ("removed from the card",)
    }


def test_a_summary_says_who_how_old_and_what_would_help() -> None:
    """One structure carries what pages and the command line show, also as JSON."""
    here, said = checked({"README.md": card(CLAIM | {"max_age": "30d"}, CLAIM | {"id": "worst", "slice": "worst"})})
    measured = result(here, "eval.recall", "0.93", n=400, days=10)
    summary = summarise_card(know([*said, measured], here), NOW)
    good, worst = summary.lines
    assert (good.claim.id, good.sources[0].who, good.sources[0].days, good.renew) == ("recall", "the auditor", 10, "")
    assert good.until is not None
    assert (good.until - NOW).days == 20
    assert worst.renew == "a statement about eval.recall by somebody other than its maker, on the bytes here now"
    written = to_json(summary)
    assert written["claims"][0]["sources"][0]["statement"] == measured.id
    assert written["counts"] == {"supported": 1, "self-asserted": 1}
    assert [one["value"] for one in written["outside"]] == ["0.93"]
