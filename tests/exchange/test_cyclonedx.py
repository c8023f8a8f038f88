"""CycloneDX documents, judged by the validator of the standard."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings

from hallmarked.checks.licence.catalogue import catalogue
from hallmarked.core.errors import FormatError
from hallmarked.exchange.cyclonedx import read, write
from hallmarked.exchange.licence import is_spdx_id
from hallmarked.exchange.sheet import Sheet
from tests.exchange.sheets import TRIAGE, sheets


@cache
def validator() -> Any:
    """The validator of the standard's own library."""
    validation = pytest.importorskip("cyclonedx.validation.json", reason="cyclonedx-python-lib is not installed")
    schema = pytest.importorskip("cyclonedx.schema")
    return validation.JsonStrictValidator(schema.SchemaVersion.V1_6)


def problems(data: bytes) -> str:
    """What the standard's own validator says against a document; empty when nothing."""
    found = validator().validate_str(data.decode())
    return "" if found is None else str(found.data)


def test_a_model_is_valid_and_complete() -> None:
    """What readers of the format look for stands where they look for it."""
    data = write(TRIAGE)
    assert not problems(data)
    document = json.loads(data)
    subject = document["metadata"]["component"]
    assert subject["type"] == "machine-learning-model"
    assert subject["licenses"] == [{"license": {"id": "Apache-2.0"}}]
    assert subject["pedigree"]["ancestors"][0]["name"] == "google-bert/bert-base-uncased"
    metric = subject["modelCard"]["quantitativeAnalysis"]["performanceMetrics"][0]
    assert metric["confidenceInterval"] == {"lowerBound": "0.91", "upperBound": "0.95"}
    assert metric["slice"] == "group=women"
    energy = subject["modelCard"]["considerations"]["environmentalConsiderations"]["energyConsumptions"][0]
    assert energy["activityEnergyCost"] == {"value": 1.5, "unit": "kWh"}
    assert document["declarations"]["claims"][0]["reasoning"] == "supported: the files are"
    assert read(data) == TRIAGE


@given(sheets)
@settings(max_examples=30, deadline=None)
def test_every_sheet_is_valid_and_comes_back(sheet: Sheet) -> None:
    """Whatever is known is written validly, and nothing is dropped."""
    data = write(sheet)
    assert not problems(data)
    assert read(data) == sheet


def test_an_edited_document_is_believed() -> None:
    """What the format itself says wins over what is carried beside it."""
    document = json.loads(write(TRIAGE))
    document["metadata"]["component"]["modelCard"]["quantitativeAnalysis"]["performanceMetrics"][0]["value"] = "0.5"
    document["metadata"]["component"]["licenses"] = [{"license": {"id": "MIT"}}]
    sheet = read(json.dumps(document).encode())
    assert sheet.results[0].value == "0.5"
    assert sheet.results[0].status == ""
    assert sheet.licences == ("MIT",)


def test_every_licence_id_is_one_of_the_standard() -> None:
    """The ids this package writes are in the standard's list."""
    ids = tuple(one.spdx for one in catalogue().values() if is_spdx_id(one.spdx))
    assert ids
    assert not problems(write(Sheet("model", "m", (), "2026-11-21T09:00:00Z", licences=ids)))


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"bomFormat": "SPDX"}', b"\xff", b"[" * 100_000])
def test_other_bytes_are_refused(data: bytes) -> None:
    """Each with a sentence, and without a crash."""
    with pytest.raises(FormatError):
        read(data)
