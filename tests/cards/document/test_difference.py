"""What changed between two cards is told in words, and loosened claims are named as such."""

from __future__ import annotations

import pytest

from hallmarked.cards.document.difference import compare
from hallmarked.cards.document.document import read_document
from tests.cards.document.support import CARDS, cards


def claims(*rows: str) -> bytes:
    return "\n".join(["---", "hallmarked:", "  claims:", *(f"  - {{{row}}}" for row in rows), "---", ""]).encode()


def changed(old: bytes, new: bytes) -> list[tuple[str, str, str]]:
    found = compare(read_document(old).require(), read_document(new).require())
    return [(change.what, change.way.value, change.sentence) for change in found]


@pytest.mark.parametrize(
    ("old", "new", "way", "words"),
    [
        (
            "op: '>=', value: '0.90'",
            "op: '>=', value: '0.80'",
            "loosened",
            "eval.f1 >= 0.80 instead of eval.f1 >= 0.90",
        ),
        ("op: '>=', value: '0.90'", "op: '>=', value: '0.95'", "tightened", "eval.f1 >= 0.95 instead of"),
        ("op: '>=', value: '0.9'", "op: '>', value: '0.9'", "tightened", "eval.f1 > 0.9 instead of"),
        ("op: '<=', value: '5'", "op: '<=', value: '9'", "loosened", "eval.f1 <= 9 instead of"),
        ("op: '>=', value: '1'", "op: '<=', value: '1'", "changed", "eval.f1 <= 1 instead of"),
        ("op: '==', value: a", "op: in, value: [a, b]", "loosened", "eval.f1 in a, b instead of eval.f1 == a"),
        ("op: '>', value: 1", "op: present", "loosened", "eval.f1 present instead of eval.f1 > 1"),
        (
            "op: '>', value: 1, slice: worst",
            "op: '>', value: 1",
            "loosened",
            "instead of eval.f1 of the worst part > 1",
        ),
        ("op: '>', value: 1", "op: '>', value: 2, slice: worst", "tightened", "eval.f1 of the worst part > 2 instead"),
        ("op: '>', value: 1, slice: {g: a}", "op: '>', value: 1, slice: {g: b}", "changed", "eval.f1 of g b > 1"),
        ("min_n: 200", "min_n: 50", "loosened", "50 must have been looked at instead of 200"),
        ("max_age: 90d", "max_age: 30d", "tightened", "evidence may be of 30 days instead of 90 days"),
        ("max_age: 90d", "op: present", "loosened", "evidence may be of any age instead of 90 days"),
        ("by: [auditor]", "by: [third_party]", "loosened", "the word of third_party counts instead of auditor"),
        ("by: [auditor, hub]", "by: [maker, hub]", "changed", "the word of maker or hub counts"),
        ("op: present", "by: [auditor]", "tightened", "the word of auditor counts instead of anybody"),
        ("audience: [public]", "audience: [authority]", "changed", "it is written for authority instead of public"),
        ("text: {en: a}", "text: {en: b}", "changed", "its text in en is another one"),
        ("min_n: 9, max_age: 9d", "min_n: 8, max_age: 8d", "loosened", "8 days instead of 9 days (tightened)"),
        ("op: absent, check: a", "op: absent, check: b", "changed", "the check b must have looked instead of a"),
    ],
)
def test_claims(old: str, new: str, way: str, words: str) -> None:
    """A claim that lets more pass than before is loosened, one that lets less pass is tightened."""
    common = "id: x, path: eval.f1, "
    ((what, found, sentence),) = changed(claims(common + old), claims(common + new))
    assert (what, found) == ("claim", way)
    assert sentence.startswith(f"the claim x is {way}: ")
    assert words in sentence
    back = {"loosened": "tightened", "tightened": "loosened", "changed": "changed"}
    if "(" not in words:
        assert changed(claims(common + new), claims(common + old))[0][1] == back[way]


def test_claims_that_come_and_go() -> None:
    """New and removed claims are named with what they say; what is loosened or gone comes first."""
    old = claims("id: a, path: x", "id: b, path: y, op: '>', value: 2")
    new = claims("id: c, path: z, op: '==', value: '1'", "id: b, path: y, op: '>', value: 1")
    assert changed(old, new) == [
        ("claim", "loosened", "the claim b is loosened: y > 1 instead of y > 2"),
        ("claim", "removed", "the claim a (x present) is no longer made"),
        ("claim", "added", "the claim c (z == 1) is new"),
    ]


def test_metadata_components_and_sections() -> None:
    """Fields, parts of a system and sections are compared by what they say, not by how they are written."""
    old = (
        b"---\nlicense: mit\ntags: [a, b]\ngone: 1\nhallmarked:\n  kind: system\n  tier: limited\n  components:\n"
        b"  - {kind: model, name: m, digest: {sha256: aaaaaaaa}}\n  - {kind: prompt, name: p}\n---\nIntro.\n"
        b"# Uses\nRead.\n## Limits\nMany.\n## Risks\n\n## Gone\n"
    )
    new = (
        b'---\ntags: ["a", b] # same\nlicense: "gpl"\nfresh: {x: 1}\n'
        b"hallmarked:\n  kind: system\n  tier: minimal\n  components:\n"
        b"  - {kind: model, name: m, digest: {sha256: bbbbbbbb}}\n  - {kind: software, name: s}\n---\r\nIntro.\r\n"
        b"# Uses\r\nRead.   \r\n\r\n## Limits\n[More Information Needed]\n## Risks\nSome.\n## New\n"
    )
    assert [row[2] for row in changed(old, new)] == [
        "model m is another version: sha256 bbbbbbbb instead of sha256 aaaaaaaa",
        "prompt p is no longer part of it",
        "software s is a new part of it",
        "license is gpl instead of mit",
        "gone is gone; it was 1",
        "hallmarked.tier is minimal instead of limited",
        "fresh is new: {'x': 1}",
        "the section “Limits” says nothing any more",
        "the section “Risks” is filled in now",
        "the section “Gone” is gone",
        "the section “New” is new",
    ]


@CARDS
def test_a_card_and_itself() -> None:
    """No card differs from itself, and what is appended to one is told of once."""
    for path in list(cards())[::10]:
        raw = path.read_bytes()
        assert changed(raw, raw) == [], path.name
        more = raw.rstrip() + b"\n\n# A Section Nobody Has\nWords.\n"
        assert ("section", "added", "the section “A Section Nobody Has” is new") in changed(raw, more), path.name
        assert len(changed(raw, more)) == 1, path.name
