"""SPDX documents, judged by the SPDX project's own model."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings

from hallmarked.core.errors import FormatError
from hallmarked.exchange.sheet import Sheet
from hallmarked.exchange.spdx import read, write
from tests.exchange.sheets import TRIAGE, sheets


def load(data: bytes) -> dict[str, Any]:
    """Read a document with the standard's own model, which refuses what its rules forbid; its elements by id."""
    model = pytest.importorskip("spdx_python_model", reason="spdx-python-model is not installed").v3_0_1
    found = model.SHACLObjectSet()
    model.JSONLDDeserializer().deserialize_data(json.loads(data), found)
    assert not found.link(), "elements that are named and not there"
    model.JSONLDSerializer().serialize_data(found)  # refuses elements that lack what they must have
    return {one._id: one for one in found.foreach()}


def test_a_model_is_valid_and_complete() -> None:
    """What readers of the format look for stands where they look for it."""
    data = write(TRIAGE)
    elements = load(data)
    subject = next(one for id_, one in elements.items() if str(id_).endswith(":subject"))
    assert subject.ai_limitation == "Misses rare illnesses."
    assert [(entry.key, entry.value) for entry in subject.ai_metric] == [
        ("recall (group=women)", "0.93 (0.91 to 0.95)"),
        ("recall", "0.95"),
    ]
    assert subject.ai_energyConsumption.ai_trainingEnergyConsumption[0].ai_energyQuantity == 1.5
    assert read(data) == TRIAGE


@given(sheets)
@settings(max_examples=30, deadline=None)
def test_every_sheet_is_valid_and_comes_back(sheet: Sheet) -> None:
    """Whatever is known is written validly, and nothing is dropped."""
    data = write(sheet)
    load(data)
    assert read(data) == sheet


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"@graph": [{"type": "SpdxDocument", "spdxId": "a"}]}'])
def test_other_bytes_are_refused(data: bytes) -> None:
    """Each with a sentence, and without a crash."""
    with pytest.raises(FormatError):
        read(data)
