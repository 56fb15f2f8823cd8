"""What was measured, as figures with a target each."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.reads import LIVE, PLAIN, SNAPSHOT
from bench.refreshes import STATISTICS, ratio
from bench.writes import BARE, FERSK, NAIVE, ratio_to_bare

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.reads import Reading
    from bench.refreshes import RefreshCost
    from bench.writes import Cell

FEW_PENDING = 1_000
DASHBOARD = ("chapter_12_months", "coordinator_12_months", "org_12_months", "org_12_months_unfiltered")
SINGLE_ROW = ("single", "spread", "hot")


@dataclass(frozen=True)
class Target:
    """A bound that a figure is to keep: at least, or at most."""

    bound: float
    at_least: bool = False

    def is_met(self, value: float) -> bool:
        """Whether the value keeps the bound."""
        return value >= self.bound if self.at_least else value <= self.bound

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.bound:g}"


TARGETS = {
    "org_12_months_live_vs_plain_1m": Target(4, at_least=True),
    "chapters_table_live_vs_plain_1m": Target(20, at_least=True),
    "live_vs_snapshot_ratio_1m": Target(1.3),
    "chapter_12_months_ms_1m": Target(5),
    "max_12_month_query_ms_100k": Target(50),
    "insert_throughput_ratio": Target(0.7, at_least=True),
    "insert_throughput_ratio_hot": Target(0.65, at_least=True),
    "insert_max_ms": Target(150),
    "refresh_ratio_to_untuned_1m": Target(0.4),
}


@dataclass
class Measurements:
    """Everything that one run found."""

    readings: list[Reading] = field(default_factory=list)
    refreshes: list[RefreshCost] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)

    def figures(self) -> dict[str, float]:
        """Return every figure by its name; sizes stand in the names."""
        named = [*self._of_reads(), *self._of_refreshes(), *(self._of_writes() if self.cells else ())]
        return {name: round(value, 3) for name, value in named}

    def _of_reads(self) -> Iterator[tuple[str, float]]:
        for rows in sorted({r.rows for r in self.readings}):
            few = {
                r.question: r.milliseconds
                for r in self.readings
                if (r.rows, r.pending) == (rows, FEW_PENDING)
            }
            size, org, admin = label(rows), few["org_12_months_unfiltered"], few["org_12_months"]
            # The same sums with the same predicate. As the admin asks, the series function also
            # saves comparing each row with 1,400 chapters and rounding each row's hours, which flatters it.
            yield f"org_12_months_live_vs_plain_{size}", org[PLAIN] / org[LIVE]
            yield f"live_vs_snapshot_ratio_{size}", org[LIVE] / org[SNAPSHOT]
            yield f"org_12_months_as_admin_live_vs_plain_{size}", admin[PLAIN] / admin[LIVE]
            chapters = few["chapters_table"]
            yield f"chapters_table_live_vs_plain_{size}", chapters[PLAIN] / chapters[LIVE]
            yield f"chapter_12_months_ms_{size}", few["chapter_12_months"][LIVE]
            yield f"org_12_months_ms_{size}", admin[LIVE]
            # without what nobody asks: each day of each of 1,400 chapters in one answer
            asked = [r for r in self.readings if r.rows == rows and r.question in DASHBOARD]
            calm = (r.milliseconds[LIVE] for r in asked if r.pending <= FEW_PENDING)
            yield f"max_12_month_query_ms_{size}", max(calm)
            yield f"max_12_month_query_ms_{size}_with_backlog", max(r.milliseconds[LIVE] for r in asked)

    def _of_refreshes(self) -> Iterator[tuple[str, float]]:
        for rows in sorted({cost.rows for cost in self.refreshes}):
            costs = [cost for cost in self.refreshes if cost.rows == rows]
            own = [cost for cost in costs if cost.view in STATISTICS]
            yield f"refresh_ratio_to_untuned_{label(rows)}", ratio(own)
            yield f"refresh_ratio_to_untuned_with_hierarchy_{label(rows)}", ratio(costs)
            yield f"refresh_ms_{label(rows)}", sum(statistics.median(cost.tuned_ms) for cost in costs)

    def _of_writes(self) -> Iterator[tuple[str, float]]:
        yield "insert_throughput_ratio", ratio_to_bare(self.cells, "spread", FERSK)
        yield "insert_throughput_ratio_hot", ratio_to_bare(self.cells, "hot", FERSK)
        yield "insert_throughput_ratio_single", ratio_to_bare(self.cells, "single", FERSK)
        yield "insert_throughput_ratio_bulk", ratio_to_bare(self.cells, "bulk", FERSK)
        single_rows = [c for c in self.cells if c.scenario in SINGLE_ROW]
        for variant, name in ((FERSK, "insert"), (NAIVE, "naive_insert"), (BARE, "bare_insert")):
            yield f"{name}_max_ms", max(c.max_ms for c in single_rows if c.variant == variant)
            yield (
                f"{name}_p99_ms",
                statistics.median(
                    c.p99_ms for c in single_rows if (c.variant, c.scenario) == (variant, "spread")
                ),
            )
        for scenario in ("single", "spread", "hot", "bulk"):
            yield f"naive_throughput_ratio_{scenario}", ratio_to_bare(self.cells, scenario, NAIVE)


def label(rows: int) -> str:
    """Return a size as it stands in the names of figures: 100k, 1m."""
    for unit, letter in ((1_000_000, "m"), (1_000, "k")):
        if rows % unit == 0:
            return f"{rows // unit}{letter}"
    return str(rows)
