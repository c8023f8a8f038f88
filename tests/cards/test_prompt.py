"""Outcomes of different system prompts side by side."""

from __future__ import annotations

import hashlib
import random
from datetime import timedelta

import pytest

from hallmarked.cards.prompt import Standing, Table, compare_prompts
from hallmarked.core.evidence import Attestation, Subject
from hallmarked.records.result import Measured, Result
from tests.records.example import NOW, signed


def prompt(text: str) -> Subject:
    return Subject(text, {"sha256": hashlib.sha256(text.encode()).hexdigest()})


STRICT, LOOSE, NEW = map(prompt, ("strict", "loose", "new"))


def probed(what: Subject, value: str, *interval: str, role: str = "maker", day: int = 0, **slice_: str) -> Attestation:
    measured = Measured(
        metric="eval.refusal",
        value=value,
        n=200,
        interval=interval,
        slice={"prompt": f"sha256:{what.digest['sha256']}", **slice_},
    )
    record = Result(name="probes", how="seed 7", by="Example Lab", measurements=(measured,))
    return signed(record, role=role, at=NOW + timedelta(days=day))


def test_the_table() -> None:
    """Each prompt of the system has a row with what was measured under it, and the difference is told."""
    stated = [
        probed(STRICT, "0.95", "0.92", "0.97"),
        probed(LOOSE, "0.60", "0.53", "0.67"),
        probed(LOOSE, "1", probe="x"),
    ]
    table = compare_prompts(stated, [LOOSE, STRICT])
    assert table.columns == ("eval.refusal", "eval.refusal (probe x)")
    assert [(row.name, row.standing, row.cells["eval.refusal"][0].value) for row in table.rows] == [
        ("loose", Standing.CURRENT, "0.60"),
        ("strict", Standing.CURRENT, "0.95"),
    ]
    assert "higher under strict (0.95) than under loose (0.60); their intervals" in table.difference("eval.refusal")
    assert "fewer than two" in table.difference("eval.refusal (probe x)")


def test_a_changed_prompt_makes_its_row_stale() -> None:
    """When the system names another prompt, the old row is stale and the new one is not evaluated."""
    stated = [probed(STRICT, "0.95"), probed(LOOSE, "0.6")]
    table = compare_prompts(stated, [NEW, LOOSE])
    assert {row.digest: row.standing for row in table.rows} == {
        NEW.digest["sha256"]: Standing.NOT_EVALUATED,
        LOOSE.digest["sha256"]: Standing.CURRENT,
        STRICT.digest["sha256"]: Standing.STALE,
    }


def test_the_same_runs_give_the_same_table() -> None:
    """The order of statements and a run that measured the same again change nothing that is shown."""

    def shown(table: Table) -> object:
        return [
            (row.digest, row.standing, {c: [(v.value, v.n, v.by) for v in cells] for c, cells in row.cells.items()})
            for row in table.rows
        ]

    stated = [probed(STRICT, "0.95"), probed(LOOSE, "0.6"), probed(LOOSE, "0.7", role="auditor"), probed(NEW, "0.1")]
    first = shown(compare_prompts(stated, [STRICT, LOOSE]))
    again = [*stated, *(probed(STRICT, "0.95", day=day) for day in range(3))]
    random.Random(1).shuffle(again)
    assert shown(compare_prompts(again, [STRICT, LOOSE])) == first


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        (("0.9", "0.8", "1"), ("0.7", "0.6", "0.85"), "no difference"),
        (("0.9",), ("0.7",), "it may be chance"),
        (("refuses",), ("answers",), "fewer than two"),
    ],
)
def test_what_is_no_difference(one: tuple[str, ...], other: tuple[str, ...], said: str) -> None:
    """Intervals that overlap show no difference; numbers without one may be chance; words are not compared."""
    table = compare_prompts([probed(STRICT, *one), probed(LOOSE, *other)], [STRICT, LOOSE])
    assert said in table.difference("eval.refusal")


def test_strangers_and_other_slices_do_not_count() -> None:
    """Results of signers nobody knows, and results that name no prompt by digest, are not in the table."""
    by_name = Measured(metric="eval.refusal", value="1", slice={"prompt": "strict"})
    named = signed(Result(name="probes", how="x", by="y", measurements=(by_name,)))
    table = compare_prompts([probed(STRICT, "1", role=""), named], [STRICT])
    assert [row.standing for row in table.rows] == [Standing.NOT_EVALUATED]
    assert table.columns == ()
