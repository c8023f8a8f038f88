"""What every renderer for people shows."""

from __future__ import annotations

from hallmarked.audit.report import view
from hallmarked.checks.runner import Result
from hallmarked.core.evidence import Finding, Gap, Level, Location, Measurement


def test_the_whole_stands_for_its_parts() -> None:
    """A total is shown once, not beside the files it was summed from; without a total each value is shown once."""
    measured = [
        Measurement("parameters.total", "64", slice={"path": "a.safetensors", "format": "safetensors"}),
        Measurement("parameters.total", "60", slice={"path": "b.bin", "format": "pytorch"}),
        Measurement("parameters.total", "64", n=3),
        Measurement("model.type", "bert", slice={"path": "config.json"}),
        Measurement("model.type", "bert", slice={"path": "other.gguf"}),
        Measurement("model.library", "", slice={"path": "config.json"}),
    ]
    shown = view.facts([Result("facts", "1", measurements=measured)])
    assert [(fact.label, fact.value, fact.where) for fact in shown] == [
        ("Model type", "bert", "config.json"),
        ("Parameters", "64", ""),
    ]


def test_a_gap_beside_its_warning_is_not_listed_again() -> None:
    """Of a warning and a gap in one place only the warning is listed; gaps elsewhere, or beside a note, stay."""
    here, there = Location("a.pkl", 3), Location("b.pkl", 3)
    result = Result(
        "serialization",
        "1",
        findings=[Finding("TST001", Level.WARNING, "calls f", here), Finding("TST002", Level.NOTE, "odd", there)],
        gaps=[Gap("it calls f", here), Gap("unread", there), Gap("no daemon")],
    )
    listed, told = view.unexplained([result])
    assert [gap.reason for _, gap in listed] == ["unread", "no daemon"]
    assert told == {"serialization": 1}
