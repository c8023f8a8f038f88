"""Measurements of a data set, by metric and slice, and how numbers are written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from hallmarked.checks.runner import Result
from hallmarked.core.evidence import Measurement

CHECKS = frozenset({"tables", "texts", "duplicates", "personal-data", "benchmark-leakage"})


class Found:
    """Measurements by metric."""

    def __init__(self, results: Iterable[Result]) -> None:
        self.by: defaultdict[str, list[Measurement]] = defaultdict(list)
        for result in results:
            if result.check in CHECKS:
                for measurement in result.measurements:
                    self.by[measurement.metric].append(measurement)
        self._folders = {each.slice.get("folder", "") for each in self.by["column.values"]}

    def one(self, metric: str, **part: str) -> Measurement | None:
        """Return the measurement with exactly this slice."""
        return next((each for each in self.by[metric] if dict(each.slice) == part), None)

    def named(self, place: Mapping[str, str]) -> str:
        """Write which column it is, with its folder where there are several."""
        folder = place.get("folder", "") if len(self._folders) > 1 else ""
        return place["column"] + (f" in {folder}" if folder else "")

    def value(self, metric: str, **part: str) -> str:
        """Return the value of that measurement; an empty text when there is none."""
        found = self.one(metric, **part)
        return found.value if found else ""

    def each(self, metric: str, *names: str) -> list[Measurement]:
        """Return the measurements whose slice has these members and no others."""
        return [each for each in self.by[metric] if each.slice.keys() == set(names)]

    def places(self, metric: str) -> list[dict[str, str]]:
        """Return the columns that a metric is told of, in order."""
        places: list[dict[str, str]] = []
        for each in self.by[metric]:
            place = {name: value for name, value in each.slice.items() if name in ("column", "folder")}
            if place and place not in places:
                places.append(place)
        return places

    def of(self, metric: str, place: Mapping[str, str]) -> list[Measurement]:
        """Return the measurements of a metric whose slice begins with these members."""
        return [each for each in self.by[metric] if place.items() <= each.slice.items()]

    def within(self, metric: str, place: Mapping[str, str]) -> list[Measurement]:
        """Return the measurements of a metric that are parts of one column."""
        return [
            each
            for each in self.by[metric]
            if {name: value for name, value in each.slice.items() if name in ("column", "folder")} == place
        ]


def against_chance(value: float) -> str:
    """Write an association with its sign, which none has that rounds to nothing."""
    return f"{value:+.2f}" if abs(value) >= 0.005 else "0.00"


def percent(share: float | str) -> str:
    """Write a share for people, so that what is there never reads as nothing, nor almost all as all."""
    value = float(share) * 100
    if 99.95 <= value < 100:
        return "over 99.9%"
    return f"{value:.1f}%" if value == 0 or value >= 0.1 else f"{value:.2g}%"
