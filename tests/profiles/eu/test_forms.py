"""The two forms for general-purpose models."""

from __future__ import annotations

import json

import pytest

from hallmarked.core.evidence import Attestation, Statement
from hallmarked.policy.fact import Facts
from hallmarked.profiles.document import to_document
from hallmarked.profiles.eu.edition import EDITION, load_documentation, load_summary
from hallmarked.profiles.framework import Audience, Framework
from hallmarked.profiles.page import Shown, render_page
from hallmarked.profiles.profile import Profile, State, build_profile
from hallmarked.profiles.registry import editions, load
from tests.profiles.example import HERE, NOW, TEST_RESULT

FORMS = {"eu-gpai-documentation": load_documentation(EDITION), "eu-training-summary": load_summary(EDITION)}
each_form = pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))


def stated(check: str, *measurements: dict[str, object], role: str = "maker", kind: str = "checks") -> Attestation:
    predicate = {
        "result": "PASSED",
        "configuration": [{"name": f"hallmarked/{kind}/{check}"}],
        "outcome": "pass",
        "measurements": list(measurements),
    }
    return Attestation(Statement((HERE,), TEST_RESULT, predicate), f"sha256:{check}", NOW, role, "Example Lab", "k")


def answered(form: Framework, *held: Attestation, audience: Audience | None = None) -> Profile:
    return build_profile(form, Facts(held, HERE), NOW, audience)


def state_of(form: Framework, field: str, *held: Attestation) -> State:
    row = answered(form, *held).row(field)
    assert row is not None
    return row.state


def test_forms_are_installed_as_editions_of_frameworks() -> None:
    """Both forms are found by name, with their edition."""
    assert {"eu-gpai-documentation", "eu-training-summary"} <= editions().keys()
    assert load(f"eu-training-summary/{EDITION}").controls


@each_form
def test_every_field_speaks_both_languages_and_says_how_well_it_is_known(form: Framework) -> None:
    """No field lacks Spanish, and each one says that its wording is to be checked against the official form."""
    texts = [each.summary for each in form.controls] + [each.title for each in form.groups.values()]
    texts += [text for each in form.answers.values() for text in (each.needs, each.shows) if text] + [form.note]
    assert all(text["en"] and text["es"] and text["en"] != text["es"] for text in texts)
    for control in form.controls:
        (tag,) = control.tags
        assert "check against the official form" in form.tags[tag]["en"]
    assert "check against the official form" in form.note["en"]


@each_form
def test_without_evidence_every_field_shows_its_gap(form: Framework) -> None:
    """Nothing is blank and nothing is invented: without statements each field is open or for people to say."""
    made = answered(form)
    assert len(made.rows) == len(form.controls)
    assert {row.state for row in made.rows} == {State.OPEN, State.ORGANISATIONAL}
    assert all(row.why["en"] and row.why["es"] for row in made.rows)


def test_summary_has_the_three_parts_of_the_template() -> None:
    """General information, sources, processing; all of it public."""
    form = FORMS["eu-training-summary"]
    assert list(form.groups) == ["general", "sources", "processing"]
    assert answered(form, audience=Audience.PUBLIC).withheld == ()


def test_who_may_not_see_a_field_is_told_so_and_not_what_it_says() -> None:
    """A rendering for providers withholds what only authorities see, names it, and shows nothing of the answer."""
    form = FORMS["eu-gpai-documentation"]
    secret = stated("run", {"metric": "run.operations", "value": "31415926535"}, kind="evaluations")
    for audience, hidden in ((Audience.PROVIDER, True), (Audience.AI_OFFICE, False), (Audience.PUBLIC, True)):
        made = answered(form, secret, audience=audience)
        text = json.dumps(to_document(made, HERE, NOW)) + render_page(made, Shown(HERE, NOW, "es"))
        assert ("31415926535" not in text) is hidden
        assert (made.row("C-2") is None) is hidden
        assert ("C-2" in {each.control.id for each in made.withheld}) is hidden
        assert len(made.rows) + len(made.withheld) == len(form.controls)
    assert answered(form, audience=Audience.PUBLIC).rows == ()


def test_parameters_are_evidenced_only_when_they_were_counted() -> None:
    """What the card claims is documented; what was counted in the weights is evidence."""
    form = FORMS["eu-gpai-documentation"]
    assert (
        state_of(form, "P-5", stated("facts", {"metric": "parameters.total", "value": "7241732096"})) is State.EVIDENCED
    )
    claimed = Statement(
        (HERE,),
        "https://in-toto.io/attestation/scai/v0.3",
        {
            "attributes": [
                {"attribute": "x", "conditions": {"kind": "parameters", "value": "7B", "status": "self-asserted"}}
            ]
        },
    )
    assert state_of(form, "P-5", Attestation(claimed, "sha256:c", NOW, "maker", "Example Lab", "k")) is State.DOCUMENTED


@pytest.mark.parametrize(
    ("how", "state"), [("measured", "evidenced"), ("modelled", "documented"), ("declared", "documented"), ("", "open")]
)
@pytest.mark.parametrize(("field", "metric"), [("E-1", "energy.training"), ("E-3", "energy.inference")])
def test_energy_that_was_modelled_is_never_shown_as_measured(field: str, metric: str, how: str, state: str) -> None:
    """Only what a meter measured is evidence; models and declarations are documents, and no word on how is nothing."""
    one = {
        "metric": metric,
        "value": "12",
        "unit": "MWh",
        "interval": ["11", "13"],
        "slice": {"how": how} if how else {},
    }
    assert state_of(FORMS["eu-gpai-documentation"], field, stated("energy", one, kind="evaluations")) == state


@pytest.mark.parametrize(
    ("field", "metric", "slice_"),
    [
        ("1-3", "rows.total", {}),
        ("1-4", "text.words", {"column": "text"}),
        ("2-1", "provenance.sources", {}),
        ("2-4", "host.different", {"column": "url"}),
        ("2-6", "synthetic.share", {}),
        ("3-1", "provenance.removed", {"reason": "consent"}),
        ("3-3", "personal.rows", {}),
        ("3-5", "provenance.removed", {"reason": "consent"}),
    ],
)
def test_summary_is_filled_from_what_was_measured_of_the_data(field: str, metric: str, slice_: dict[str, str]) -> None:
    """Each measurement of a data set answers its field, and nobody's statement does not."""
    form, one = FORMS["eu-training-summary"], {"metric": metric, "value": "5", "slice": slice_}
    assert state_of(form, field, stated("tables", one)) is State.EVIDENCED
    assert state_of(form, field, stated("tables", one, role="")) is not State.EVIDENCED
