"""Croissant descriptions, judged by the library of the standard."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given, settings

from hallmarked.core.errors import FormatError, InputError
from hallmarked.exchange.croissant import read, write
from hallmarked.exchange.sheet import FileEntry, Sheet
from tests.exchange.sheets import TRIAGE, sheets

NOTES = replace(
    TRIAGE,
    kind="dataset",
    name="notes",
    files=(FileEntry("data/train.parquet", "3" * 64, 16792),),
    sections=(("limitations", "Mostly adults."), ("source-data", "One clinic."), ("summary", "Notes.")),
)


def problems(data: bytes) -> list[str]:
    """What the standard's own library says against a description; in a process of its own, as it changes logging."""
    if importlib.util.find_spec("mlcroissant") is None:
        pytest.skip("mlcroissant is not installed")
    asked = "import json, sys; from hallmarked.exchange.format import validate; "
    asked += "json.dump(validate('croissant', sys.stdin.buffer.read()), sys.stdout)"
    done = subprocess.run([sys.executable, "-c", asked], input=data, capture_output=True, check=True)
    found = json.loads(done.stdout)
    return [found] if found else []


def test_a_data_set_is_valid_and_complete() -> None:
    """What readers of the format look for stands where they look for it."""
    data = write(NOTES)
    assert not problems(data)
    document = json.loads(data)
    document["rai:dataCollectionRawData"] = "Two clinics."
    assert read(json.dumps(document).encode()).section("source-data") == "Two clinics."
    assert document["rai:dataBiases"] == "Mostly adults."
    assert document["distribution"][0]["sha256"] == "3" * 64
    assert read(data) == NOTES


def test_a_broken_description_is_told_apart() -> None:
    """The validator is asked in a way that it can say no."""
    document = json.loads(write(NOTES))
    del document["distribution"][0]["contentUrl"]
    assert problems(json.dumps(document).encode())


@given(sheets.map(lambda sheet: replace(sheet, kind="dataset")))
@settings(max_examples=25, deadline=None)
def test_every_sheet_comes_back(sheet: Sheet) -> None:
    """Nothing is dropped."""
    assert read(write(sheet)) == sheet


def test_other_writers_are_understood() -> None:
    """The name that a widespread library writes by mistake, lists, and other spellings of the type."""
    document = {
        "@type": "https://schema.org/Dataset",
        "name": "x",
        "license": "apache-2.0",
        "rai:dataBiases": ["One.", "Two."],
        "creator": {"name": "Acme"},
    }
    sheet = read(json.dumps(document).encode())
    assert (sheet.licences, sheet.authors, sheet.section("limitations")) == (("Apache-2.0",), ("Acme",), "One.\n\nTwo.")


def test_what_is_no_data_set_is_refused() -> None:
    """In both directions, with a sentence."""
    with pytest.raises(InputError, match="describes data sets"):
        write(TRIAGE)
    with pytest.raises(FormatError, match="not a Croissant"):
        read(b'{"@type": "Person"}')
