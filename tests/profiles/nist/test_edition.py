"""Both editions of NIST AI 600-1 are there whole: every action, its facts as published, a summary and an answer."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from hallmarked.cards.rules import RULES
from hallmarked.checks import registry
from hallmarked.checks.documentation.sections import template
from hallmarked.core.errors import InputError, NotFound
from hallmarked.core.evidence import Attestation
from hallmarked.policy.fact import Facts
from hallmarked.policy.requirement import Requirement
from hallmarked.profiles.framework import Framework
from hallmarked.profiles.mapping import EditionMap, Relation, unmapped
from hallmarked.profiles.nist.edition import DRAFT, FAMILY, FINAL
from hallmarked.profiles.profile import State, build_profile
from hallmarked.profiles.registry import load, namesakes_of, resolve
from hallmarked.records.kind import KINDS
from tests.profiles.example import HERE, NOW, TEST_RESULT, answered, filled, measured, statement
from tests.support import DATA, needs_data

COUNTS = {
    FINAL: {"GOVERN": 58, "MAP": 39, "MEASURE": 72, "MANAGE": 43},
    DRAFT: {"GOVERN": 122, "MAP": 79, "MEASURE": 191, "MANAGE": 74},
}
EDITIONS = list(COUNTS)
SOURCE = Path(__file__).parents[3] / "src" / "hallmarked"
PROSE = ("card.", "scope.", "record.", "claim.", "purpose.", "retention.", "context.")
"""Paths of what people say; "privacy.claimed" is one, too, and never counts alone."""


def edition(name: str) -> Framework:
    return load(f"nist-ai-600-1/{name}")


@cache
def published(name: str) -> Mapping[str, Any]:
    data = json.loads((DATA / "nist" / "nist_ai_600_1.json").read_text())
    found: Mapping[str, Any] = data["editions"][name]
    return found


def between() -> EditionMap:
    return FAMILY.maps()[0]


@pytest.mark.parametrize("name", EDITIONS)
def test_counts(name: str) -> None:
    """There are 212 and 466 actions, by function as counted in the documents, in 49 subcategories, about 12 risks."""
    framework = edition(name)
    functions = Counter(framework.groups[control.group].function for control in framework.controls)
    assert functions == COUNTS[name]
    assert len(framework.controls) == len({control.id for control in framework.controls}) == sum(COUNTS[name].values())
    assert len({control.group for control in framework.controls}) == 49
    assert len(framework.tags) == 12


@needs_data
@pytest.mark.parametrize("name", EDITIONS)
def test_facts_are_as_published(name: str) -> None:
    """Ids, their order, subcategories, risks, pages and the one misprint are those of the documents."""
    framework, source = edition(name), published(name)
    slugs = {risk["name"]: risk["id"] for risk in source["risks"]}
    assert set(framework.tags) == set(slugs.values())
    rows = [(c.id, c.group, c.page, list(c.tags), c.printed_id) for c in framework.controls]
    assert rows == [
        (
            action["id"],
            action["subcategory"],
            action["page"],
            [slugs[risk] for risk in action["risks"] if risk in slugs],
            action.get("printed_id", ""),
        )
        for action in source["actions"]
    ]


@needs_data
@pytest.mark.parametrize("name", EDITIONS)
def test_summaries_are_not_copies(name: str) -> None:
    """No summary takes over a run of words of the document that is longer than a name of something."""
    texts = {action["id"]: _words(action["text"]) for action in published(name)["actions"]}
    for control in edition(name).controls:
        original = " ".join(texts[control.id])
        words = _words(control.summary["en"])
        for start in range(len(words) - 7):
            assert " ".join(words[start : start + 8]) not in original, control.id


def _words(text: str) -> Sequence[str]:
    return re.findall(r"[a-z]+", text.lower())


@pytest.mark.parametrize("name", EDITIONS)
def test_summaries_are_complete(name: str) -> None:
    """Each action has one plain sentence in English and in Spanish."""
    for control in edition(name).controls:
        assert set(control.summary) == {"en", "es"}, control.id
        for text in control.summary.values():
            assert text[0].isupper(), control.id
            assert text.endswith("."), control.id
            assert 4 <= len(text.split()) <= 55, control.id
    english = Counter(control.summary["en"] for control in edition(name).controls)
    assert [text for text, count in english.items() if count > 1] == []


def test_words_are_not_evidence() -> None:
    """What shows an action as evidenced is measured; what people say can only document it."""
    for answer in edition(FINAL).answers.values():
        paths = [each.path for each in (*answer.evidence, *answer.any_of)]
        measured_paths = [path for path in paths if not path.startswith(PROSE)]
        assert bool(measured_paths) == bool(paths), answer.id
        assert paths or answer.documents or answer.organisational, answer.id
        assert {"en", "es"} == set(answer.needs), answer.id


def test_answers_ask_for_what_exists() -> None:
    """Checks, sections of cards, kinds of records and metrics that answers name are those that there are."""
    framework = edition(FINAL)
    asked: list[Requirement] = []
    for answer in framework.answers.values():
        asked += [*answer.evidence, *answer.any_of, *(each for group in answer.documents for each in group)]
    for condition in framework.conditions.values():
        asked += condition.when
    sections = {entry.id for kind in ("model", "dataset") for entry in template(kind).entries}
    source = "".join(file.read_text(encoding="utf-8") for file in (SOURCE / "checks").rglob("*.py"))
    for each in asked:
        kind, _, name = each.path.partition(".")
        if kind == "check":
            assert name in registry.available(), each
        elif kind == "record":
            assert name in {*KINDS, "consent", "deletion"}, each
        elif each.path == "card.section.filled":
            assert isinstance(each.slice, dict)
            assert each.slice["section"] in sections, each
        elif kind == "card":
            assert f"claim.{name}" in RULES or each.path == "card.kind", each
        elif kind not in {"eval", "safety"}:
            written = {each.path, f"{kind}.{{name}}"}  # some names are put together
            assert any(f'"{path}"' in source for path in written), each


def test_every_answer_is_used() -> None:
    """No answer lies unused, and none is missing."""
    used = {control.answer for name in EDITIONS for control in edition(name).controls}
    assert used == set(edition(FINAL).answers)


@pytest.mark.parametrize("name", EDITIONS)
def test_nothing_is_blank(name: str) -> None:
    """A new repository shows every action with a state and a reason, and nothing as evidenced or documented."""
    counts = build_profile(edition(name), Facts([], HERE), NOW).counts
    assert sum(counts.values()) == sum(COUNTS[name].values())
    assert counts[State.EVIDENCED] == counts[State.DOCUMENTED] == counts[State.NOT_APPLICABLE] == 0
    assert counts[State.OPEN] > 0


def test_a_measurement_changes_what_rests_on_it() -> None:
    """A result of an evaluation changes exactly the actions that ask for it; a card's section those it documents."""
    framework = edition(FINAL)
    before = build_profile(framework, Facts([], HERE), NOW)
    for new, state, answers in (
        (measured("eval.privacy", "0.01", n=500), State.EVIDENCED, {"eval-privacy"}),
        (filled("contact"), State.DOCUMENTED, {"channel"}),
        (measured("scope.digest", "ab", slice={"path": "scope.yaml"}), State.DOCUMENTED, {"intended-use"}),
    ):
        after = build_profile(framework, Facts([new], HERE), NOW)
        changed = {a.control.id: a for a, b in zip(after.rows, before.rows, strict=True) if a.state is not b.state}
        assert set(changed) == {control.id for control in framework.controls if control.answer in answers}
        assert changed
        assert all(row.state is state and row.rests_on == (new.id,) for row in changed.values())


@pytest.mark.parametrize(
    ("metric", "role", "slice_", "answered_"),
    [
        ("eval.recall", "maker", {}, {"MS-2.3-002": True, "GV-3.2-001": False, "MS-2.11-002": False}),
        ("eval.recall", "auditor", {"group": "women"}, {"MS-2.3-002": True, "GV-3.2-001": True, "MS-2.11-002": True}),
    ],
)
def test_who_measured_what(metric: str, role: str, slice_: dict[str, str], answered_: dict[str, bool]) -> None:
    """Any measure of performance answers that it was evaluated; independence asks for others; fairness, for groups."""
    new = statement(TEST_RESULT, {"measurements": [{"metric": metric, "value": "0.9", "slice": slice_}]}, role=role)
    profile = build_profile(edition(FINAL), Facts([new], HERE), NOW)
    for control, expected in answered_.items():
        row = profile.row(control)
        assert row is not None
        assert (row.state is State.EVIDENCED) is expected, control


def _ran(check: str, outcome: str) -> Attestation:
    """State that a check ran."""
    configuration = [{"name": f"hallmarked/checks/{check}"}]
    return statement(TEST_RESULT, {"configuration": configuration, "outcome": outcome, "findings": []})


def test_a_check_that_did_not_finish() -> None:
    """A check that could not settle everything leaves a gap and is named; it does not say otherwise."""
    names = ("serialization", "code", "secrets", "malware")
    for last, state, words in (
        ("unknown", State.OPEN, "So far not everything could be established: the check malware"),
        ("fail", State.EVIDENCED, "what files do not show, such as labour and hardware, was not looked at. Stated:"),
    ):
        stated = [_ran(name, last if name == "malware" else "pass") for name in names]
        row = build_profile(edition(FINAL), Facts(stated, HERE), NOW).row("MG-3.1-002")
        assert row is not None
        assert row.state is state
        assert words in row.why["en"]
    record = answered("MG-3.1-002", edition="nist-ai-600-1/final-2024-07")
    row = build_profile(edition(FINAL), Facts([_ran("malware", "unknown"), record], HERE), NOW).row("MG-3.1-002")
    assert row is not None
    assert row.state is State.DOCUMENTED


def test_an_organisation_answers_in_one_edition() -> None:
    """A signed record answers the action of the edition it names, and not the one of the same id in the other."""
    record = answered("GV-1.6-001", edition="nist-ai-600-1/final-2024-07")
    facts = Facts([record], HERE)
    final, draft = (build_profile(edition(name), facts, NOW).row("GV-1.6-001") for name in EDITIONS)
    assert final is not None
    assert draft is not None
    assert final.state is State.DOCUMENTED
    assert draft.state is State.ORGANISATIONAL


def test_does_not_apply() -> None:
    """What asks about output does not apply to a data set, nor to a model shown to generate nothing."""
    data = build_profile(
        edition(FINAL), Facts([measured("card.kind", "dataset", slice={"path": "README.md"})], HERE), NOW
    )
    row = data.row("MS-2.6-006")
    assert row is not None
    assert row.state is State.NOT_APPLICABLE
    assert row.why["en"].startswith("This is a data set")
    assert data.counts[State.NOT_APPLICABLE] > 20


@pytest.mark.parametrize(("status", "excluded"), [("supported", True), ("self-asserted", False)])
def test_a_model_that_generates_nothing(status: str, excluded: bool) -> None:
    """That a model only sorts counts where its configuration bears the card's word out."""
    claim = {"attribute": "", "conditions": {"kind": "pipeline_tag", "value": "text-classification", "status": status}}
    stated = statement("https://in-toto.io/attestation/scai/v0.3", {"attributes": [claim]})
    row = build_profile(edition(FINAL), Facts([stated], HERE), NOW).row("MS-2.6-006")
    assert row is not None
    assert (row.state is State.NOT_APPLICABLE) is excluded


def test_measurements_asked_for_are_explained() -> None:
    """Every measurement of an evaluation that an answer names stands in the documentation."""
    page = (Path(__file__).parents[3] / "docs" / "how-to" / "risk-profile.md").read_text(encoding="utf-8")
    asked = {each.path for answer in edition(FINAL).answers.values() for each in (*answer.evidence, *answer.any_of)}
    for path in sorted(asked):
        assert not path.startswith(("eval.", "safety.")) or f"`{path}`" in page, path


@pytest.mark.parametrize("name", EDITIONS)
def test_every_id_resolves(name: str) -> None:
    """Each id resolves in its edition, and not without one."""
    for control in edition(name).controls:
        assert str(resolve(f"nist-ai-600-1/{name}#{control.id}")).endswith(control.id)
    with pytest.raises(InputError, match=r"names no edition.*final-2024-07#GV-1.6-001 or .*ipd-2024-04#GV-1.6-001"):
        resolve("nist-ai-600-1#GV-1.6-001")
    with pytest.raises(NotFound, match=r"has no control GV-9.9-999"):
        resolve(f"nist-ai-600-1/{name}#GV-9.9-999")


def test_only_in_the_final_edition() -> None:
    """Three ids are new in the final edition; the draft has all others."""
    final, draft = ({control.id for control in edition(name).controls} for name in EDITIONS)
    assert final - draft == {"GV-1.3-007", "GV-1.4-001", "GV-1.4-002"}


def test_map_is_whole() -> None:
    """Every action of the draft has a relation, and its targets are actions of the final edition."""
    made = between()
    assert list(made.links) == [control.id for control in edition(DRAFT).controls]
    final = {control.id for control in edition(FINAL).controls}
    sources = Counter(target for link in made.links.values() for target in link.targets)
    for link in made.links.values():
        assert set(link.targets) <= final
        count = len(link.targets)
        assert (
            count == 0
            if link.relation is Relation.DROPPED
            else count > 1
            if link.relation is Relation.SPLIT
            else count == 1
        )
        if link.relation is Relation.SAME:
            assert link.targets == (link.source,)
        if link.relation is Relation.MOVED:
            assert link.targets != (link.source,)
        if link.relation is Relation.MERGED:
            assert sources[link.targets[0]] > 1
    assert len(unmapped(edition(FINAL), made)) == len(final - set(sources))


@needs_data
def test_map_agrees_with_the_texts() -> None:
    """Where a text came through nearly unchanged, the map leads to it."""
    links = between().links
    for action in published(DRAFT)["actions"]:
        nearest = action["nearest_final"]
        if nearest["cosine"] >= 0.7:
            assert nearest["id"] in links[action["id"]].targets, action["id"]


def test_the_same_id_may_mean_something_else() -> None:
    """Where two actions changed places, both editions warn and show what the id means in the other one."""
    for name, other in ((FINAL, DRAFT), (DRAFT, FINAL)):
        alike = namesakes_of(edition(name))
        for control in ("GV-1.6-001", "GV-1.6-002"):
            assert alike[control].control.summary == edition(other).control(control).summary
        assert "MS-2.12-001" not in alike
        assert len(alike) > 100
