"""Records that somebody wrote into a file."""

from __future__ import annotations

import json

import pytest

from hallmarked.core.errors import InputError
from hallmarked.records.result import Result
from hallmarked.records.waiver import Waiver
from hallmarked.records.written import read_fields, read_written

TOML = """\
context = "hospital"
requirement = "recall"
by = "Example Hospital"
until = 2026-12-31
reason = "A larger test follows."
"""


def read(data: str, name: str) -> Waiver:
    return read_written(Waiver, read_fields(data.encode(), name), name, data)


def test_three_formats() -> None:
    """The same record may be written in TOML, YAML or JSON."""
    waiver = read(TOML, "w.toml")
    assert waiver.predicate()["until"] == "2026-12-31T23:59:59Z"
    assert read(TOML.replace(" = ", ": "), "w.yaml") == waiver
    assert read(json.dumps(waiver.predicate()), "w.JSON") == waiver


def test_measurements_keep_their_digits() -> None:
    """A number in a file is kept with the digits it has there."""
    text = 'name = "x"\nhow = "y"\nby = "z"\n[[measurements]]\nmetric = "eval.recall"\nvalue = 0.90\n'
    text += "interval = [0.880, 1]\n"
    made = read_written(Result, read_fields(text.encode(), "r.toml"))
    assert (made.measurements[0].value, made.measurements[0].interval) == ("0.90", ("0.880", "1"))


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        (TOML + "comment = 1\n", "w.toml", "w.toml, line 6: .*comment is no field"),
        (TOML.replace("2026-12-31", '"later"'), "w.toml", "w.toml, line 4: .*until must be"),
        (TOML.replace(" = ", ": ").replace("recall", "a b"), "w.yaml", "w.yaml, line 2: .*requirement must"),
        (TOML.replace("by", "# by"), "w.toml", "w.toml: .*by is missing"),
        (TOML + TOML, "w.toml", "w.toml: not TOML.*line 6"),
        ("a: &a [*a, *a]", "w.yaml", "w.yaml: .*alias"),
        ("[1]", "w.json", "has no fields"),
        ("x", "w.txt", "must end in"),
        ("!!python/object/apply:os.system {}", "w.yml", "has no fields"),
    ],
)
def test_what_is_refused(text: str, name: str, said: str) -> None:
    """Mistakes and traps are told in one sentence with the file, and the line where there is one."""
    with pytest.raises(InputError, match=said):
        read(text, name)
