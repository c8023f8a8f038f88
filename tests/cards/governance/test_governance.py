"""Who answers for what, what was decided, and what was changed without a decision."""

from __future__ import annotations

import json
from datetime import timedelta

from hallmarked.cards.governance.count import Counts
from hallmarked.cards.governance.decision import Change, changes, decisions, undecided
from hallmarked.cards.governance.governance import govern, to_json, to_text
from hallmarked.core.evidence import Attestation, Statement
from hallmarked.records.decision import Decided, Decision, Matter, Option
from hallmarked.records.stage import Step
from hallmarked.records.waiver import Waiver
from tests.cards.lineage.example import stage, thing
from tests.records.example import NOW, SUBJECT, signed


def verdict(digest: str, day: int, *, role: str = "hub", harms: dict[str, str] | None = None) -> Attestation:
    """Return a decision of a gate by a policy."""
    predicate = {
        "verifier": {"id": "urn:example", "policies": [{"name": "hospital", "digest": {"sha256": digest * 32}}]},
        "harms": [{"harm": name, "digest": {"sha256": of * 32}} for name, of in (harms or {}).items()],
    }
    statement = Statement((SUBJECT,), "https://in-toto.io/attestation/svr/v0.2", predicate)
    return signed(statement, role=role, at=NOW + timedelta(days=day))


def decision(
    name: str, *, replaces: str = "", day: int = 0, role: str = "maker", about: tuple[Decided, ...] = ()
) -> Attestation:
    record = Decision(
        id=name,
        title="How sure the model must be",
        options=(Option(name="0.90"), Option(name="0.95", cost="Longer waits.")),
        chosen="0.95",
        tradeoff="Fewer misses for longer waits.",
        by="Example Hospital",
        time=NOW + timedelta(days=day),
        replaces=replaces,
        decides=about,
    )
    return signed(record, role=role, at=NOW + timedelta(days=day))


def test_a_changed_gate_needs_a_decision() -> None:
    """Each change of a gate's policy is found, and accounted for only by a decision that names what it became."""
    gates = [verdict("aa", 0), verdict("aa", 1), verdict("bb", 2), verdict("cc", 3)]
    found = changes(gates)
    assert [(one.name, one.after[:9]) for one in found] == [("hospital", "sha256:bb"), ("hospital", "sha256:cc")]
    one = decision("first", about=(Decided(kind=Matter.GATE, name="hospital", after="sha256:" + "bb" * 32),))
    other = decision("other", about=(Decided(kind=Matter.DATA, name="hospital", after="sha256:" + "cc" * 32),))
    (left,) = govern([*gates, one, other], NOW).undecided
    assert left.after.startswith("sha256:cc")
    assert "hospital was changed to sha256:cc" in left.sentence
    stranger = decision("x", role="", about=(Decided(kind=Matter.GATE, name="hospital", after="sha256:" + "cc" * 32),))
    assert len(govern([*gates, one, stranger], NOW).undecided) == 1
    whole = decision("second", about=(Decided(kind=Matter.GATE, name="hospital", after="sha256:" + "cc" * 32),))
    assert govern([*gates, one, whole], NOW).complete


def test_a_changed_threshold_needs_a_decision() -> None:
    """A definition of harm that a gate uses is a threshold; strangers' gates and broken ones change nothing."""
    gates = [verdict("aa", 0, harms={"hate": "11"}), verdict("aa", 1, harms={"hate": "22"})]
    assert [(one.kind, one.name) for one in changes(gates)] == [(Matter.THRESHOLD, "hate")]
    assert changes([verdict("aa", 0), verdict("bb", 1, role="")]) == ()
    assert changes([verdict("aa", 0), verdict("bb", 1, role="maker")]) == ()
    broken = Statement((SUBJECT,), "https://in-toto.io/attestation/svr/v0.2", {"verifier": [], "harms": {"x": 1}})
    assert changes([verdict("aa", 0), signed(broken, role="hub")]) == ()


def test_changes_that_statements_do_not_show() -> None:
    """Whoever keeps moderation rules hands their changes over, and they are held to the same."""
    change = Change(Matter.MODERATION_RULE, "spam", "", "sha256:" + "dd" * 32, NOW)
    assert govern([], NOW, changed=[change]).undecided == (change,)
    made = decision("spam", about=(Decided(kind=Matter.MODERATION_RULE, name="spam", after="sha256:" + "dd" * 32),))
    assert undecided([change], decisions([made])) == ()


def test_decisions_are_listed() -> None:
    """Latest first; a replaced decision stays, with what replaced it; a correction replaces its statement."""
    found = decisions([decision("a"), decision("b", replaces="a", day=2), decision("a", day=1)])
    assert [(one.signed.record.id, one.replaced_by) for one in found] == [("b", ""), ("a", "b")]
    assert found[1].signed.record.time == NOW + timedelta(days=1)


def test_the_whole_view() -> None:
    """Who answers for what, decisions, waivers that stand and live counts are shown; what is missing is said."""
    waiver = Waiver(context="c", requirement="r", by="Example Hospital", until=NOW, reason="A test follows.")
    attestations = [
        stage(thing("m"), Step.TRAINED),
        decision("a"),
        signed(waiver),
        stage(thing("m"), Step.DEPLOYED, role=""),
    ]
    found = govern(attestations, NOW, Counts(opt_outs=1_234))
    assert [(one.by, one.what) for one in found.answers] == [
        ("Example Hospital", ("decisions",)),
        ("who trained it", ("trained",)),
    ]
    text = to_text(found)
    for words in ("who trained it: trained", "Fewer misses for longer waits.", "waives r", "opt-outs   1,234"):
        assert words in text
    json.dumps(to_json(found))
    assert govern(attestations, NOW + timedelta(seconds=1)).waivers == ()
    empty = to_text(govern([], NOW))
    for words in ("nobody signed for anything", "no decision was signed", "nobody who keeps a registry was asked"):
        assert words in empty
