"""What was measured, as figures with a target each."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.reads import LIVE, PLAIN
from bench.writes import BARE, FERSK, NAIVE, ratio_to_bare

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.endurance import Endurance
    from bench.reads import Reading
    from bench.upkeep import UpkeepCost
    from bench.writes import Cell

FEW_PENDING = FEW_CHANGES = 1_000
SMALLEST = 100_000  # what a fold costs is compared with what it costs here
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

    @classmethod
    def read(cls, text: str) -> Target:
        """Read what `str` has written."""
        sign, bound = text.split()
        return cls(float(bound), at_least=sign == "≥")


TARGETS = {
    "fold_ms_0": Target(3),
    "fold_ms_1000_1m": Target(60),
    "fold_growth_1m_to_100k": Target(1.5),
    "fold_growth_10m_to_100k": Target(1.5),
    "org_12_months_live_vs_plain_1m": Target(30, at_least=True),
    "org_12_months_ms_1m": Target(10),
    "chapters_table_live_vs_plain_1m": Target(50, at_least=True),
    "chapter_12_months_ms_1m": Target(5),
    "max_12_month_query_ms_100k": Target(50),
    "live_after_burst_ratio": Target(1.5),
    "live_with_old_reader_ratio": Target(3),
    "insert_throughput_ratio": Target(0.8, at_least=True),
    "insert_throughput_ratio_hot": Target(0.78, at_least=True),
    "insert_throughput_ratio_bulk": Target(0.85, at_least=True),
    "insert_max_ms": Target(150),
    "refresh_ms_1m": Target(1_500),
}


@dataclass
class Measurements:
    """Everything that one run found."""

    readings: list[Reading] = field(default_factory=list)
    upkeep: list[UpkeepCost] = field(default_factory=list)
    endurance: list[Endurance] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)

    def figures(self) -> dict[str, float]:
        """Return every figure by its name; sizes stand in the names."""
        named = [*self._of_reads(), *self._of_upkeep(), *(self._of_writes() if self.cells else ())]
        named += [(endurance.name, endurance.ratio) for endurance in self.endurance]
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

    def _of_upkeep(self) -> Iterator[tuple[str, float]]:
        cost = {(c.rows, c.work, c.changes): c.median for c in self.upkeep}
        yield (
            "fold_ms_0",
            max(ms for (_, work, changes), ms in cost.items() if (work, changes) == ("fold", 0)),
        )
        for (rows, work, changes), ms in cost.items():
            if work == "refresh":
                yield f"refresh_ms_{label(rows)}", ms
            elif changes:
                yield f"fold_ms_{changes}_{label(rows)}", ms
            smallest = cost.get((SMALLEST, "fold", changes))
            if (work, changes) == ("fold", FEW_CHANGES) and rows > SMALLEST and smallest:
                yield f"fold_growth_{label(rows)}_to_{label(SMALLEST)}", ms / smallest

    def _of_writes(self) -> Iterator[tuple[str, float]]:
        yield "insert_throughput_ratio", ratio_to_bare(self.cells, "spread", FERSK)
        yield "insert_throughput_ratio_hot", ratio_to_bare(self.cells, "hot", FERSK)
        yield "insert_throughput_ratio_single", ratio_to_bare(self.cells, "single", FERSK)
        yield "insert_throughput_ratio_bulk", ratio_to_bare(self.cells, "bulk", FERSK)
        for scenario in sorted({c.scenario for c in self.cells if c.scenario.endswith("_folding")}):
            yield f"insert_throughput_ratio_{scenario}", ratio_to_bare(self.cells, scenario, FERSK)
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
