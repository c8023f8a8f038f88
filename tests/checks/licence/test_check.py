"""The licence check: one table row for each rule."""

from __future__ import annotations

import pytest

from hallmarked.checks.licence.check import LicenceCheck
from hallmarked.core.evidence import Finding, Gap, Item, Level, Measurement
from tests.checks.licence.test_texts import MIT, RAIL
from tests.support import DATA, MemoryArtifact, needs_data

LLAMA = "LLAMA 3.1 COMMUNITY LICENSE AGREEMENT\nthe Llama Materials\n"
GPL = "GNU GENERAL PUBLIC LICENSE\nVersion 3, 29 June 2007\nTERMS AND CONDITIONS\n0. Definitions.\n"


def card(*lines: str) -> str:
    return "\n".join(["---", *lines, "---", "# Heron", ""])


def run(files: dict[str, str], base: dict[str, str] | None = None) -> list[Item]:
    origin = MemoryArtifact(base, name="acme/base") if base is not None else None
    return list(LicenceCheck().run(MemoryArtifact({"weights.bin": "x", "config.json": "{}", **files}, base=origin)))


def rules(items: list[Item]) -> list[tuple[str, str]]:
    return [(item.rule, item.level.value) for item in items if isinstance(item, Finding)]


def values(items: list[Item], metric: str) -> list[str]:
    return [item.value for item in items if isinstance(item, Measurement) and item.metric == metric]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"README.md": card("license: mit"), "LICENSE": MIT}, []),
        ({"README.md": card("license: MIT"), "LICENSE": MIT}, []),
        ({"README.md": card("license: mit")}, []),
        ({"LICENSE": MIT}, []),
        ({"README.md": card("license: bsd"), "LICENSE": MIT}, [("LIC009", "note"), ("LIC004", "warning")]),
        ({}, [("LIC001", "warning")]),
        ({"README.md": "# Heron"}, [("LIC001", "warning")]),
        ({"README.md": card("license: unknown")}, [("LIC001", "warning")]),
        ({"README.md": card("license: apache-2.0"), "LICENSE": MIT}, [("LIC004", "warning")]),
        ({"README.md": card("license: apache-2.0"), "COPYING.txt": GPL}, [("LIC004", "warning")]),
        ({"README.md": card("license: cc"), "LICENSE": "Creative Commons Attribution 4.0"}, [("LIC009", "note")]),
        ({"README.md": card("license: MIT License")}, [("LIC002", "note")]),
        ({"README.md": card("license: Zlib OR MIT")}, [("LIC002", "note"), ("LIC006", "note")]),
        ({"README.md": card("license: heron-public")}, [("LIC002", "warning")]),
        ({"README.md": card("license: other")}, [("LIC003", "warning")]),
        ({"README.md": card("license: other", "license_name: heron")}, [("LIC003", "warning")]),
        ({"README.md": card("license: other", "license_name: heron"), "LICENSE": "Ours."}, [("LIC005", "note")]),
        ({"README.md": card("license: other", "license_name: h", "license_link: https://example.org")}, []),
        (
            {"README.md": card("license: other", "license_name: h", "license_link: TERMS.md")},
            [("LIC010", "warning")],
        ),
        (
            {"README.md": card("license: other", "license_name: h", "license_link: TERMS.md"), "TERMS.md": LLAMA},
            [],
        ),
        ({"README.md": card("license: mit"), "LICENSE": "Ask us."}, [("LIC005", "note")]),
        ({"README.md": card("license: mit"), "LICENSE-CODE": MIT, "LICENSE_WEIGHTS": LLAMA}, [("LIC006", "note")]),
        ({"README.md": card("license: mit"), "vendor/LICENSE": GPL, "license.py": GPL}, []),
        ({"README.md": card("license: mit"), "LICENSES/GPL-3.0.txt": GPL}, [("LIC004", "warning")]),
    ],
)
def test_rules(files: dict[str, str], expected: list[tuple[str, str]]) -> None:
    """Each way of giving a licence has its findings, and no others."""
    assert rules(run(files)) == expected


@pytest.mark.parametrize(
    ("mine", "theirs", "expected"),
    [
        ("mit", "apache-2.0", []),
        ("llama3.1", "llama3.1", []),
        ("mit", "llama3.1", ["LIC007"]),
        ("llama3.2", "llama3.1", ["LIC007"]),
        ("apache-2.0", "gemma", ["LIC007"]),
        ("mit", "creativeml-openrail-m", ["LIC007"]),
        ("openrail", "creativeml-openrail-m", []),
        ("mit", "gpl-3.0", ["LIC008"]),
        ("gpl-3.0", "gpl-3.0", []),
        ("agpl-3.0", "gpl-3.0", []),
        ("cc-by-4.0", "cc-by-nc-4.0", ["LIC008"]),
        ("cc-by-nc-4.0", "cc-by-nc-4.0", []),
        ("cc-by-nc-sa-4.0", "cc-by-nc-4.0", []),
        ("cc-by-nc-4.0", "cc-by-nc-sa-4.0", ["LIC008"]),
        ("cc-by-sa-4.0", "cc-by-sa-3.0", []),
        ("mit", "cc-by-nd-4.0", ["LIC008"]),
        ("cc-by-nd-4.0", "cc-by-nd-4.0", ["LIC008"]),
        ("mit", "intel-research", ["LIC007"]),
    ],
)
def test_what_a_derivative_must_keep(mine: str, theirs: str, expected: list[str]) -> None:
    """Use restrictions, share-alike, non-commercial and no-derivatives terms of the base must be kept."""
    items = run({"README.md": card(f"license: {mine}")}, {"README.md": card(f"license: {theirs}")})
    assert [found for found in rules(items) if found[0] in {"LIC007", "LIC008", "LIC011"}] == [
        (rule, "warning") for rule in expected
    ]
    assert values(items, "licence.base") == [theirs]


@pytest.mark.parametrize(
    ("licence", "base", "expected"),
    [
        ("mit", "meta-llama/Llama-3.1-8B-Instruct", [("LIC012", "note")]),
        ("llama3.1", "meta-llama/Llama-3.1-8B-Instruct", []),
        ("llama3.2", "meta-llama/Llama-3.1-8B", [("LIC012", "note")]),
        ("mit", "google/gemma-2-9b", [("LIC012", "note")]),
        ("mit", "acme/gemma-2-9b", []),
        ("mit", "google-bert/bert-base-uncased", []),
    ],
)
def test_a_base_that_is_only_named(licence: str, base: str, expected: list[tuple[str, str]]) -> None:
    """A name proves nothing, so that a well-known restricted base gives a note and no more."""
    files = {"README.md": card(f"license: {licence}", f"base_model: {base}")}
    assert rules(run(files)) == expected
    assert "LIC012" not in dict(rules(run(files, {"README.md": card("license: mit")})))


def test_many_licences_are_bounded() -> None:
    """A card cannot flood the evidence with licence ids."""
    items = run({"README.md": card("license: [" + "heron, " * 500 + "heron]")})
    assert len(values(items, "licence.declared")) == 100
    assert len([item for item in items if isinstance(item, Gap)]) == 1


def test_the_base_text_counts_too() -> None:
    """Restrictions of a base are found in its licence file, whatever its metadata says."""
    items = run({"README.md": card("license: mit")}, {"README.md": card("license: mit"), "LICENSE": LLAMA})
    assert [rule for rule, _ in rules(items)] == ["LIC007"]
    assert sorted(values(items, "licence.base")) == ["llama3.1", "mit"]


def test_passing_the_text_on_keeps_the_restrictions() -> None:
    """A derivative that ships the base's licence text passes its restrictions on, and the contradiction is said."""
    items = run({"README.md": card("license: mit"), "LICENSE": LLAMA}, {"LICENSE": LLAMA})
    assert [rule for rule, _ in rules(items)] == ["LIC004"]


def test_no_licence_drops_restrictions() -> None:
    """A derivative without any licence drops what its base asks for."""
    assert [rule for rule, _ in rules(run({}, {"LICENSE": LLAMA}))] == ["LIC001", "LIC007"]


def test_a_custom_licence_is_for_a_person() -> None:
    """Whether a custom licence keeps restrictions cannot be judged, and is not called a breach."""
    mine = {"README.md": card("license: other", "license_name: h"), "LICENSE": "Our own terms."}
    assert rules(run(mine, {"LICENSE": f"x{RAIL}"})) == [("LIC005", "note"), ("LIC011", "note")]


def test_a_base_without_licence_is_a_gap() -> None:
    """What the base allows is unknown, not nothing."""
    items = run({"README.md": card("license: mit")}, {"model.bin": "x"})
    (gap,) = [item for item in items if isinstance(item, Gap)]
    assert "acme/base" in gap.reason


def test_broken_cards_are_gaps() -> None:
    """A card that cannot be read leaves the licence unknown; it is not called missing."""
    items = run({"README.md": "---\nlicense: [mit\n---\n"})
    assert len([item for item in items if isinstance(item, Gap)]) == 1
    assert rules(items) == []


def test_measurements() -> None:
    """Ids, their SPDX expression, texts and restrictions are recorded with their places."""
    items = run({"README.md": card("language: en", "license: gpl-3.0"), "LICENSE": GPL, "LICENSE.weights": LLAMA})
    (declared,) = [i for i in items if isinstance(i, Measurement) and i.metric == "licence.declared"]
    assert declared.slice == {
        "path": "README.md",
        "line": "3",
        "written": "gpl-3.0",
        "spdx": "GPL-3.0-only OR GPL-3.0-or-later",
    }
    assert values(items, "licence.text") == ["gpl-3.0", "llama3.1"]
    restricted = [i for i in items if isinstance(i, Measurement) and i.metric == "licence.restricted"]
    assert [(i.slice["licence"], i.value) for i in restricted] == [("gpl-3.0", "no"), ("llama3.1", "yes")]


def test_licence_files_in_other_encodings_and_sizes() -> None:
    """Latin-1 texts are read; a file too long for a licence is a gap."""
    latin = MemoryArtifact({"LICENSE": ("© Müller\n" + MIT).encode("latin-1")})
    assert values(list(LicenceCheck().run(latin)), "licence.text") == ["mit"]
    long = list(LicenceCheck().run(MemoryArtifact({"LICENSE": "x" * (1 << 20) + MIT})))
    assert [type(item) for item in long] == [Gap]


def test_rule_ids() -> None:
    """Rules are listed once each; no finding of this check is an error."""
    ids = [rule.id for rule in LicenceCheck.rules]
    assert len(ids) == len(set(ids))
    assert all(rule.level is not Level.ERROR for rule in LicenceCheck.rules)
    assert LicenceCheck().applies(MemoryArtifact({"a": "b"}))
    assert not LicenceCheck().applies(MemoryArtifact({}))


@needs_data
def test_real_cards() -> None:
    """The licence metadata of all real cards is read without a gap or an error."""
    known = 0
    for path in sorted((DATA / "cards").glob("*/*.md")):
        items = list(LicenceCheck().run(MemoryArtifact({"README.md": path.read_bytes()})))
        assert not [item for item in items if isinstance(item, Gap)]
        assert {level for _, level in rules(items)} <= {"note", "warning"}
        known += any(value in {"mit", "cc-by-4.0", "apache-2.0"} for value in values(items, "licence.declared"))
    assert known >= 50
