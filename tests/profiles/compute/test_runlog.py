"""Operations of training from a log, and held against the architecture."""

from __future__ import annotations

from decimal import Decimal

import pytest

from hallmarked.core.errors import InputError
from hallmarked.profiles.compute.architecture import Architecture, Stack
from hallmarked.profiles.compute.formula import Kernel, Recomputation, Schedule, estimate_training
from hallmarked.profiles.compute.runlog import (
    Segment,
    accelerators,
    compare,
    estimate_from_hours,
    estimate_from_steps,
    peak_of,
)

MODEL = Architecture(32_000, decoder=Stack(32, 4096, 32, 11008, gated=True, causal=True))


def test_hours_of_hardware_make_operations() -> None:
    """A thousand accelerators at 40 % of 989e12 for a day do what multiplication says, give or take a tenth."""
    made = estimate_from_hours((Segment(1000, Decimal(24), peak_of("H100-SXM"), Decimal("0.4")),))
    exact = 1000 * 24 * 3600 * 989 * 10**12 * 4 // 10
    assert made.operations == exact
    assert made.interval == (exact * 9 // 10, exact * 11 // 10)


def test_utilisation_that_nobody_measured_widens_the_interval() -> None:
    """Not knowing the utilisation is said, and the interval spans a factor of three."""
    made = estimate_from_hours((Segment(8, Decimal(1), Decimal("1e15")),))
    assert made.interval[1] == 3 * made.interval[0]
    assert "Nobody measured" in made.assumptions[0]["en"]


def test_utilisation_never_passes_the_peak() -> None:
    """The most that a log can mean is what the hardware can do."""
    one = Segment(1, Decimal(1), Decimal("1e12"), Decimal("0.99"))
    assert estimate_from_hours((one,)).interval[1] == int(one.most)


def test_steps_are_tokens() -> None:
    """Steps times tokens of a step come to the same as that many tokens."""
    by_steps = estimate_from_steps(MODEL, 1000, 4_000_000, 2048, kernel=Kernel.FUSED, recomputation=Recomputation.NONE)
    assert by_steps == estimate_training(MODEL, Schedule(4_000_000_000, 2048, kernel=Kernel.FUSED))


def test_log_and_architecture_are_held_against_each_other() -> None:
    """Agreement, a log with too much, and one with too little are told apart."""
    planned = estimate_training(MODEL, Schedule(10**12, 2048))
    hours = Decimal(planned.operations) / 3600 / Decimal("989e12") / 512 / Decimal("0.4")
    logged = [
        compare(planned, estimate_from_hours((Segment(512, hours * factor, peak_of("h100-sxm"), Decimal("0.4")),)))
        for factor in (1, 3, Decimal("0.1"))
    ]
    assert [one.agree for one in logged] == [True, False, False]
    assert [one.ratio for one in logged] == ["1.00", "3.00", "0.10"]
    assert "more operations" in logged[1].reason["en"]
    assert "fewer operations" in logged[2].reason["en"]


@pytest.mark.parametrize("given", ["", "abacus", "-1", "0", "nan", "inf", "1e400", "1e25", "9" * 200])
def test_peaks_that_are_none_are_refused(given: str) -> None:
    """A peak is a positive number that hardware could have, or an accelerator that is known."""
    with pytest.raises(InputError):
        peak_of(given)


def test_known_accelerators_have_peaks_of_hardware() -> None:
    """The table's rates lie where such hardware lies."""
    assert all(Decimal("1e14") < one.peak < Decimal("1e16") for one in accelerators().values())


@pytest.mark.parametrize(
    "row",
    [
        (0, "1", "1e12", "0.4"),
        (1, "0", "1e12", "0.4"),
        (1, "1", "0", "0.4"),
        (1, "1", "1e12", "1.1"),
        (1, "1", "1e12", "0"),
    ],
)
def test_segments_that_make_no_sense_are_refused(row: tuple[int, str, str, str]) -> None:
    """No hardware, no hours, no peak, or more than the peak is no segment."""
    with pytest.raises(InputError):
        Segment(row[0], Decimal(row[1]), Decimal(row[2]), Decimal(row[3]))
    with pytest.raises(InputError):
        estimate_from_hours(())
