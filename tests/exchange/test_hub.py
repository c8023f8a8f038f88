"""README files as hubs read them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hallmarked.core.errors import FormatError
from hallmarked.exchange.hub import read, write
from tests.exchange.sheets import TRIAGE
from tests.support import DATA, needs_data


def test_what_hubs_know_comes_back() -> None:
    """Licence, languages, task, sources, results with their part, emissions, and what people wrote."""
    found = read(write(TRIAGE))
    for name in ("kind", "name", "description", "licences", "languages", "tags", "library", "task", "sections"):
        assert getattr(found, name) == getattr(TRIAGE, name), name
    assert [(one.kind, one.name) for one in found.parts] == [(one.kind, one.name) for one in TRIAGE.parts]
    assert [(one.metric, one.value, one.slice, one.dataset) for one in found.results] == [
        (one.metric, one.value, one.slice, one.dataset) for one in TRIAGE.results
    ]
    assert [(one.activity, one.grams, one.basis) for one in found.energy] == [("training", "600", "measured")]


def test_the_hubs_own_client_reads_it() -> None:
    """With the same licence, task and results."""
    library = pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed")
    data = library.ModelCard(write(TRIAGE).decode()).data
    assert (data.license, data.pipeline_tag, data.library_name) == ("apache-2.0", TRIAGE.task, TRIAGE.library)
    assert data.base_model == "google-bert/bert-base-uncased"
    assert [(one.metric_type, one.metric_value) for one in data.eval_results] == [("recall", 0.93), ("recall", 0.95)]


def test_a_data_set_has_its_own_keys() -> None:
    """Tasks and sources stand where hubs look for them."""
    found = read(write(replace(TRIAGE, kind="dataset", results=())))
    assert (found.kind, found.task, [one.name for one in found.parts]) == (
        "dataset",
        "text-classification",
        ["acme/notes"],
    )


@needs_data
def test_real_cards_are_read() -> None:
    """Every development card, and most of them say something."""
    cards = sorted((DATA / "cards").glob("*/*.md"))
    found = [read(path.read_bytes()) for path in cards]
    assert len(found) == len(cards) > 200
    assert sum(bool(one.sections) for one in found) > 200


def test_broken_metadata_is_refused_with_its_line() -> None:
    """So that nothing is half imported."""
    with pytest.raises(FormatError):
        read(b"---\nlicense: [mit\n---\n")


def test_a_name_is_one_line_without_control_characters() -> None:
    """What another document calls a thing begins no text of its own in the card, and moves nobody's terminal."""
    text = write(replace(TRIAGE, name="acme/x\n---\n{{claim a}}\x1b[2J")).decode()
    assert "\n# acme/x --- {{claim a}}\\x1b[2J\n" in text
