"""Templates are versioned files; a verdict names id and digest, so that it stays what it was."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.cards.document.declared import Kind, Tier
from hallmarked.cards.document.document import read_document
from hallmarked.cards.template.checklist import check, kind_and_tier
from hallmarked.cards.template.template import find_template, read_template, shipped
from hallmarked.core.errors import InputError
from hallmarked.core.evidence import Level, Outcome

OWN = """\
name = "acme"
kind = "model"
version = 3
title = { en = "Ours" }
[[section]]
id = "night"
title = { en = "Night Shifts", es = "Turnos de noche" }
names = ["nights"]
level = "error"
ask = { en = "Who answers at night?" }
[[section]]
id = "only-high"
title = { en = "Only High" }
level = { high = "warning" }
ask = { en = "x?" }
[[field]]
id = "license"
names = ["licence"]
level = "warning"
ask = { en = "Which licence?" }
[[claim]]
path = "eval"
level = "note"
ask = { en = "How good?" }
"""


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("tier", list(Tier))
def test_every_kind_and_tier_has_a_template(kind: Kind, tier: Tier) -> None:
    """What comes with the package can be read, asks in English and Spanish, and more in higher tiers."""
    template = shipped(kind, tier)
    assert template.id == f"{kind}/{tier}@1"
    assert len(template.digest) == 64
    for asked in template.asked:
        assert asked.ask.keys() == {"en", "es"}
        assert asked.ask["en"] != asked.ask["es"]
        assert asked.what != "section" or asked.title.keys() == {"en", "es"}
    assert {each.id for each in shipped(kind, Tier.MINIMAL).asked} <= {each.id for each in template.asked}
    ids = {each.id for each in shipped(kind, Tier.HIGH).of("section")}
    assert {"harms", "contact", "consent"} <= ids


def test_what_is_asked_grows_with_the_tier() -> None:
    """Nothing matters less in a higher tier, and what people must know is indispensable in the highest."""
    levels = {tier: {each.id: each.level for each in shipped(Kind.MODEL, tier).asked} for tier in Tier}
    for low, high in ((Tier.MINIMAL, Tier.LIMITED), (Tier.LIMITED, Tier.HIGH)):
        for name, level in levels[low].items():
            above = levels[high][name]
            assert level is None or (above is not None and above.rank >= level.rank), name
    needed = {name for name, level in levels[Tier.HIGH].items() if level is Level.ERROR}
    assert needed >= {"intended-use", "out-of-scope", "limitations", "harms", "evaluation", "training-data", "contact"}


def test_a_card_is_held_against_an_own_template(tmp_path: Path) -> None:
    """An organisation's file asks its own questions; what is open is told with its level, line and question."""
    file = tmp_path / "model@3.toml"
    file.write_text(OWN)
    (tmp_path / "model@2.toml").write_text(OWN.replace("version = 3", "version = 2"))
    for own in (file, tmp_path):
        template = find_template(Kind.MODEL, Tier.LIMITED, own)
        assert template.id == "acme:model/limited@3"
    empty = check(read_document(b"# X\n\n## Turnos de noche\n"), template)
    assert (empty.outcome, [item.asked.id for item in empty.open]) == (Outcome.FAIL, ["night", "license", "eval"])
    assert find_template(Kind.MODEL, Tier.LIMITED, tmp_path, 2).id == "acme:model/limited@2"
    with pytest.raises(InputError, match=r"holds no template called model@4\.toml"):
        find_template(Kind.MODEL, Tier.LIMITED, tmp_path, 4)
    with pytest.raises(InputError, match="is version 3, and version 2 is asked for"):
        find_template(Kind.MODEL, Tier.LIMITED, file, 2)
    assert find_template(Kind.MODEL, Tier.HIGH, None, 1).digest == shipped(Kind.MODEL, Tier.HIGH).digest
    (first, *_) = empty.findings("README.md")
    assert first.level is Level.ERROR
    assert first.message == "README.md, line 3: nothing is written about “Night Shifts”. Who answers at night?"
    card = b"---\nlicence: mit\nhallmarked:\n  claims:\n  - {id: r, path: eval.recall}\n---\n# Nights\nAna does.\n"
    full = check(read_document(card), template)
    assert (full.outcome, full.open) == (Outcome.PASS, ())
    assert [(item.asked.what, item.line) for item in full.items] == [("section", 7), ("field", 2), ("claim", 5)]
    assert [full.count(what) for what in ("section", "field", "claim")] == [(1, 1)] * 3


def test_a_changed_template_has_another_digest() -> None:
    """A verdict keeps the digest it was made under: every changed question, level or heading makes another one."""
    card = read_document(b"# Nights\nAna does.\n")
    verdict = check(card, read_template(OWN.encode(), "t", Tier.HIGH)).verdict()
    before = check(card, read_template(OWN.encode(), "t", Tier.HIGH))
    assert before.digest == check(card, read_template(OWN.encode(), "t", Tier.HIGH)).digest
    for old, new in (("at night?", "by night?"), ('"error"', '"note"'), ('"nights"', '"night"'), ("= 3", "= 4")):
        after = check(card, read_template(OWN.replace(old, new).encode(), "t", Tier.HIGH))
        assert after.digest != before.digest
        assert after.verdict() != verdict
    assert (verdict.outcome, verdict.context) == (Outcome.PASS, "acme:model/high@3")
    assert verdict.policy == {"sha256": before.digest}
    assert verdict.reasons == ["section only-high: x?", "field license: Which licence?", "claim eval: How good?"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("kind =", "kin =", "a key 'kin', which is not known"),
        ('"model"', '"robot"', "kind is one of model, dataset"),
        ("version = 3", "version = true", "version is a number"),
        ('"acme"', '"a b"', "name is one word"),
        ('level = "error"', 'level = "fatal"', "level of section night is one of note, warning, error, count"),
        ("high =", "highest =", "tier in section only-high is one of minimal"),
        ('id = "only-high"', 'id = "night"', "section 2 needs a name of its own"),
        ('ask = { en = "x?" }', 'ask = "x?"', "ask of section only-high is a text by language"),
        ('names = ["nights"]', 'matches = ["nowhere"]', "no model section is called that"),
        ('names = ["nights"]', "names = 3", "names of section night is a list of texts"),
        ("[[section]]", "[[section", "is not TOML"),
        ('title = { en = "Ours" }', "", "title is a text by language"),
    ],
)
def test_what_is_wrong_with_a_template(old: str, new: str, said: str) -> None:
    """A template that cannot be understood is refused in one sentence that names the file and the entry."""
    with pytest.raises(InputError, match=said):
        read_template(OWN.replace(old, new, 1).encode(), "acme.toml", Tier.HIGH)


def test_a_template_for_another_kind(tmp_path: Path) -> None:
    """A file for models is not used on a data set, and a folder without one for the kind is told of."""
    (tmp_path / "model@1.toml").write_text(OWN)
    with pytest.raises(InputError, match="is a template for a model card, and this is a dataset card"):
        find_template(Kind.DATASET, Tier.HIGH, tmp_path / "model@1.toml")
    with pytest.raises(InputError, match=r"holds no template called dataset@1\.toml for a dataset card"):
        find_template(Kind.DATASET, Tier.HIGH, tmp_path)
    with pytest.raises(InputError, match="cannot be read"):
        find_template(Kind.DATASET, Tier.HIGH, tmp_path / "nowhere.toml")


def test_kind_and_tier_of_a_card() -> None:
    """What the card says counts; without a word it is taken for what its fields say, in the lowest tier."""
    said = read_document(b"---\nhallmarked:\n  kind: system\n  tier: high\n---\n")
    assert kind_and_tier(said) == (Kind.SYSTEM, Tier.HIGH)
    assert kind_and_tier(read_document(b"---\ntask_ids: [x]\n---\n")) == (Kind.DATASET, Tier.MINIMAL)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
@settings(max_examples=100)
def test_any_file_is_a_template_or_refused(data: bytes) -> None:
    """Whatever the bytes, there is a template or one sentence."""
    with suppress(InputError):
        assert read_template(data, "x", Tier.HIGH).asked


def test_what_is_shipped_does_not_change_by_accident() -> None:
    """A question that changes belongs into a file with a new version: version 1 asks what it asked."""
    asked = [
        (each.id, each.level, each.ask["en"]) for kind in Kind for tier in Tier for each in shipped(kind, tier).asked
    ]
    assert hashlib.sha256(repr(asked).encode()).hexdigest()[:16] == "68440e9f196f1888"
