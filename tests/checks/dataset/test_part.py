"""However a data set is cut, the same is told of it."""

from __future__ import annotations

import random

import pytest

from hallmarked.checks.dataset.text import TextCheck
from hallmarked.checks.runner import run
from hallmarked.checks.table import TableCheck
from hallmarked.core.check import Check
from tests.checks.dataset.support import lines
from tests.support import MemoryArtifact

pytest.importorskip("pyarrow", reason="tables are read with the extra data")

DECLARED = """
[columns]
label = "label"
group = ["side"]
date = "when"
[retention]
days = 100
as_of = 2021-01-01
[terms]
women = ["she"]
[synthetic]
column = "made"
"""


def rows() -> list[dict[str, object]]:
    rng = random.Random(3)
    return [
        {
            "text": " ".join(rng.choices(["she", "one", "two", "drei", "漢字", "buy now", "\n"], k=rng.randint(0, 30))),
            "label": rng.choice(["x", "y", None]),
            "side": rng.choice(["north", "south"]),
            "when": rng.choice([f"20{rng.randint(10, 21)}-0{rng.randint(1, 9)}-01", "1500000000", None, "soon"]),
            "url": f"https://host{rng.randint(0, 5)}.example/",
            "made": rng.randint(0, 2),
            "size": rng.choice([rng.random() * 10 ** rng.randint(-9, 9), rng.randint(0, 9)]),
            "meta": {"deep": {"day": "2020-01-01"}},
        }
        for _ in range(300)
    ]


@pytest.mark.parametrize("check", [TableCheck(), TextCheck()], ids=lambda check: check.id)
def test_parts_of_any_size(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    """One part or hundreds: every finding, measurement and gap is the same."""
    files = {"a.jsonl": lines(rows()), "b/c.jsonl": lines(rows()[:50]), "dataset.toml": DECLARED}
    whole = run(check, MemoryArtifact(files))
    assert not whole.broke
    assert len(whole.measurements) > 50
    monkeypatch.setattr("hallmarked.corpus.table.line.PART_BYTES", 1_000)
    cut = run(check, MemoryArtifact(files))
    assert cut.measurements == whole.measurements
    assert cut.findings == whole.findings
    assert cut.gaps == whole.gaps
