"""Licence texts are recognised by what they say, whatever their layout."""

from __future__ import annotations

from importlib.metadata import distributions
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.checks.licence.catalogue import resolve, spdx_symbols
from hallmarked.checks.licence.texts import Recognised, recognise

ROOT = Path(__file__).resolve().parents[3]

MIT = """MIT License

Copyright (c) 2024 Heron Lab

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.
"""
BSD = """Redistribution and use are permitted:
1. Redistributions of source code must retain the above copyright notice, this list
2. Redistributions in binary form must reproduce the above copyright notice, this list
"""
RAIL = """
5. Use-based restrictions. The restrictions in Attachment A are considered Use-based restrictions.
Attachment A
You agree not to use the Model or Derivatives of the Model: (a) in any way that violates the law;
"""
CC_BODY = "By exercising the Licensed Rights (defined below), You accept and agree to be bound by the terms of this "


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (MIT, "mit"),
        ("> " + MIT.replace("\n", "\r\n> **").upper(), "mit"),
        (BSD, "bsd-2-clause"),
        (BSD + "3. may not be used to endorse or promote products derived from this software", "bsd-3-clause"),
        (f"Llama 3.1 Version\n LLAMA 3.1 COMMUNITY LICENSE AGREEMENT\n the Llama Materials{RAIL[:20]}", "llama3.1"),
        ("META LLAMA 3 COMMUNITY LICENSE AGREEMENT the Llama Materials", "llama3"),
        ("# Gemma Terms of Use\nModel Derivatives … the Gemma Prohibited Use Policy", "gemma"),
        (f"CreativeML Open RAIL-M\ndated August 22, 2022{RAIL}", "creativeml-openrail-m"),
        (f"CreativeML Open RAIL++-M License dated July 26, 2023{RAIL}", "openrail++"),
        (f"BigScience RAIL License v1.0\n{RAIL}", "bigscience-bloom-rail-1.0"),
        (f"Our own licence\n{RAIL}", "openrail"),
        (f"Attribution 4.0 International\n\n{CC_BODY}", "cc-by-4.0"),
        (f"Creative Commons Attribution-NonCommercial-ShareAlike 4.0 International\n{CC_BODY}", "cc-by-nc-sa-4.0"),
        ("Attribution-NoDerivs-NonCommercial 1.0\nBY EXERCISING ANY RIGHTS TO THE WORK", "cc-by-nc-nd-1.0"),
        ("Attribution-Non-Commercial-Share Alike 3.0 Unported\nBY EXERCISING ANY RIGHTS", "cc-by-nc-sa-3.0"),
        ("This is free and unencumbered software released into the public domain.", "unlicense"),
        ("GNU GENERAL PUBLIC LICENSE\nVersion 3, 29 June 2007\n TERMS AND CONDITIONS\n 0. Definitions.", "gpl-3.0"),
    ],
)
def test_texts(text: str, expected: str) -> None:
    """Title and key clauses tell licences and their versions apart."""
    assert recognise(text) == (Recognised(expected, "text"),)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SPDX-License-Identifier: MIT OR Apache-2.0", ["mit", "apache-2.0"]),
        ("See https://creativecommons.org/licenses/by-nc/4.0/legalcode", ["cc-by-nc-4.0"]),
        ("Creative Commons Attribution 4.0 International", ["cc-by-4.0"]),
        ('Licensed under the Apache License, Version 2.0 (the "License")', ["apache-2.0"]),
        ("Gemma is provided under and subject to the Gemma Terms of Use found at ai.google.dev", ["gemma"]),
        ("MIT\n", ["mit"]),
        ("All rights reserved.", []),
        ("", []),
    ],
)
def test_notices(text: str, expected: list[str]) -> None:
    """A short file may point to its licence instead of giving it."""
    assert recognise(text) == tuple(Recognised(name, "notice") for name in expected)


def test_a_limit_makes_it_another_licence() -> None:
    """A permissive text with a limit on use is not the permissive licence it starts as."""
    assert recognise(MIT + "\nThe Software may be used for non-commercial purposes only.") == ()
    assert recognise(MIT + '\n"Commons Clause" License Condition v1.0') == ()


def test_several_texts_in_order() -> None:
    """A file with several licences gives all of them, the first one first."""
    assert [item.id for item in recognise(BSD + "\n\n" + MIT)] == ["bsd-2-clause", "mit"]
    assert [item.id for item in recognise(MIT + "\n\n" + BSD)] == ["mit", "bsd-2-clause"]


def test_files_that_gather_licences() -> None:
    """Each of many texts is judged by itself: what another one says, or allows everybody, takes nothing away."""
    more = " and whatever else a real licence says at this place" * 10
    gathered = [
        MIT + more,
        BSD + "3. may not be used to endorse or promote products derived from this software" + more,
        BSD + "All advertising materials mentioning features must say so, and OpenSSL is one." + more,
        BSD + more,
        "This library is free for commercial and non-commercial use.",
        "PYTHON SOFTWARE FOUNDATION LICENSE VERSION 2",
    ]
    expected = ["mit", "bsd-3-clause", "bsd-2-clause", "psf-2.0"]
    assert [item.id for item in recognise("\n\n".join(gathered))] == expected
    assert recognise("\n\n".join([*gathered, "The data are for research purposes only."])) == ()


def test_our_own_licence() -> None:
    """The Apache text this project ships is recognised."""
    assert recognise((ROOT / "LICENSE").read_text("utf-8")) == (Recognised("apache-2.0", "text"),)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("GPL-2", "gpl-2.0"),
        ("GPL-3", "gpl-3.0"),
        ("LGPL-2.1", "lgpl-2.1"),
        ("LGPL-3", "lgpl-3.0"),
        ("CC0-1.0", "cc0-1.0"),
        ("MPL-2.0", "mpl-2.0"),
        ("GFDL-1.3", "gfdl-1.3"),
        ("LGPL-2", "lgpl-2.0"),
        ("BSD", "bsd-3-clause"),
    ],
)
def test_texts_of_the_distribution(name: str, expected: str) -> None:
    """The texts that Debian systems carry are recognised."""
    path = Path("/usr/share/common-licenses", name)
    if not path.is_file():
        pytest.skip("not a Debian system")
    assert recognise(path.read_text("utf-8", "replace")) == (Recognised(expected, "text"),)


def test_installed_packages() -> None:
    """For installed packages with one SPDX id and one licence file, recognition never names another licence."""
    agreed, unknown = 0, []
    for package in distributions():
        expression = package.metadata.get("License-Expression") or ""
        ids = {licence.id for licence in resolve(expression)}
        texts = [
            file for file in package.files or () if file.parts[-2:-1] == ("licenses",) and "LICEN" in file.name.upper()
        ]
        if len(spdx_symbols(expression)) != 1 or len(texts) != 1 or not ids:
            continue
        found = {item.id for item in recognise(texts[0].read_text("utf-8"))}
        if not found:
            unknown.append(package.name)
        else:
            assert found & ids, (package.name, found, ids)
            agreed += 1
    assert agreed >= 5
    assert len(unknown) <= agreed / 10, unknown


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300))
def test_any_text(text: str) -> None:
    """Any text is recognised or not, without failing."""
    assert isinstance(recognise(text), tuple)
