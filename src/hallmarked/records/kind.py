"""Every kind of record there is, by name."""

from __future__ import annotations

from collections.abc import Mapping

from hallmarked.records.control import Control
from hallmarked.records.decision import Decision
from hallmarked.records.dispute import Dispute
from hallmarked.records.package import Package
from hallmarked.records.record import Record
from hallmarked.records.result import Result
from hallmarked.records.run_deviation import RunDeviation
from hallmarked.records.run_plan import RunPlan
from hallmarked.records.run_rebuttal import RunRebuttal
from hallmarked.records.stage import Stage
from hallmarked.records.waiver import Waiver
from hallmarked.records.withdrawal import Withdrawal

KINDS: Mapping[str, type[Record]] = {
    kind.NAME: kind
    for kind in (
        Control,
        Decision,
        Dispute,
        Package,
        Result,
        RunDeviation,
        RunPlan,
        RunRebuttal,
        Stage,
        Waiver,
        Withdrawal,
    )
}
