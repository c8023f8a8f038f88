"""Licence ids: the Hub's own, common spellings, SPDX expressions."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hallmarked.checks.licence.catalogue import catalogue, resolve, spdx_symbols


def test_the_list_is_complete_and_consistent() -> None:
    """The Hub's ids are all there, traits are known words, and every id named elsewhere exists."""
    known = catalogue()
    assert sum(licence.hub for licence in known.values()) == 83
    for licence in known.values():
        assert licence.traits <= {"restricted", "noncommercial", "no-derivatives", "share-alike"}
        assert set(licence.next) <= known.keys()
        assert all(any(name.startswith(start) for name in known) for start in licence.covers)
        assert not licence.spdx or spdx_symbols(licence.spdx), licence.id


@pytest.mark.parametrize("name", ["openrail++", "llama2", "llama3.3", "llama4", "gemma", "bigcode-openrail-m"])
def test_model_licences_restrict_use(name: str) -> None:
    """The model licences that SPDX does not know carry use restrictions."""
    assert "restricted" in catalogue()[name].traits
    assert catalogue()[name].spdx == ""


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("mit", ["mit"]),
        (" MIT License ", ["mit"]),
        ("Apache License, Version 2.0", ["apache-2.0"]),
        ("apache-2-0", ["apache-2.0"]),
        ("GPLv3", ["gpl-3.0"]),
        ("GPL-2.0+", ["gpl-2.0"]),
        ("GPL-3.0-or-later", ["gpl-3.0"]),
        ("CC BY-NC-SA 4.0", ["cc-by-nc-sa-4.0"]),
        ("OpenRAIL++", ["openrail++"]),
        ("CreativeML OpenRAIL-M", ["creativeml-openrail-m"]),
        ("Llama 3.1 Community License Agreement", ["llama3.1"]),
        ("MIT OR Apache-2.0", ["mit", "apache-2.0"]),
        ("mit and free beer", []),
        ("MIT AND", []),
        ("", []),
        ("(" * 500, []),
    ],
)
def test_spellings(written: str, expected: list[str]) -> None:
    """People write ids in many ways; what is not certain stays unknown."""
    assert [licence.id for licence in resolve(written)] == expected


@example("()")
@given(st.text(max_size=40) | st.text("()MITORAND -+.20:/", max_size=60))
def test_any_text(text: str) -> None:
    """Whatever is written as a licence, looking it up does not fail."""
    assert all(licence.id in catalogue() for licence in resolve(text))
