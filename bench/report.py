"""Show what was measured, and keep it in bench/out/stats.json."""

from __future__ import annotations

import statistics
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table

from bench import verdicts
from bench.figures import TARGETS, label
from bench.reads import LIVE, PENDING, PLAIN
from bench.writes import VARIANTS, ratio_to_bare

if TYPE_CHECKING:
    from rich.console import Console

    from bench.figures import Measurements

OUTPUT = Path(__file__).parent / "out" / "stats.json"


def show(console: Console, measured: Measurements) -> list[str]:
    """Print the tables. Returns the names of the missed targets."""
    console.print(_reads(measured))
    console.print(_upkeep(measured))
    console.print(_endurance(measured))
    if measured.cells:
        console.print(_writes(measured))
    table, missed = _targets(measured)
    console.print(table)
    return missed


def save(measured: Measurements, path: Path = OUTPUT) -> None:
    """Write figures, targets and all single measurements as JSON."""
    verdicts.save(
        path,
        measured.figures(),
        TARGETS,
        reads=[asdict(reading) for reading in measured.readings],
        upkeep=[asdict(cost) for cost in measured.upkeep],
        endurance=[asdict(endurance) for endurance in measured.endurance],
        writes=[asdict(cell) for cell in measured.cells],
    )


def _reads(measured: Measurements) -> Table:
    table = Table(title="Reads: median ms; live with 0 / 1,000 / 50,000 changes that are not folded")
    for column in ("activities", "question", "plain view", *(f"live, {n:,}" for n in PENDING)):
        table.add_column(column, justify="left" if column == "question" else "right")
    cells = {(r.rows, r.question, r.pending): r.milliseconds for r in measured.readings}
    for rows, question in dict.fromkeys((r.rows, r.question) for r in measured.readings):
        calm = cells[rows, question, PENDING[0]]
        live = (f"{cells[rows, question, n][LIVE]:.1f}" for n in PENDING)
        table.add_row(label(rows), question, f"{calm[PLAIN]:.1f}", *live)
    return table


def _upkeep(measured: Measurements) -> Table:
    table = Table(title="Upkeep: median ms of one fold of so many changes, and of refreshing all of mv_*")
    for column in ("activities", "work", "changes", "ms"):
        table.add_column(column, justify="left" if column == "work" else "right")
    for cost in measured.upkeep:
        table.add_row(label(cost.rows), cost.work, f"{cost.changes:,}", f"{cost.median:.1f}")
    return table


def _endurance(measured: Measurements) -> Table:
    table = Table(title="Live reads after a burst, and beside an old transaction: median ms")
    for column in ("figure", "question", "at rest", "afterwards"):
        table.add_column(column, justify="left" if column in {"figure", "question"} else "right")
    for endurance in measured.endurance:
        for question, at_rest in endurance.at_rest.items():
            afterwards = endurance.afterwards[question]
            table.add_row(endurance.name, question, f"{at_rest:.1f}", f"{afterwards:.1f}")
    return table


def _writes(measured: Measurements) -> Table:
    table = Table(title="Inserts: median of the rounds (max: of all), a refresh within each run")
    for column in (
        "load",
        "variant",
        "rows/s",
        "to bare",
        "p99 ms",
        "max ms",
        "waiting for locks",
        "refresh ms",
    ):
        table.add_column(column, justify="left" if column in {"load", "variant"} else "right")
    for scenario in dict.fromkeys(cell.scenario for cell in measured.cells):
        for variant in VARIANTS:
            cells = [c for c in measured.cells if (c.scenario, c.variant) == (scenario, variant)]
            waiting = statistics.mean(sum(c.lock_wait_share.values()) for c in cells)
            refreshes = [c.refresh_ms for c in cells if c.refresh_ms is not None]
            table.add_row(
                scenario,
                variant,
                f"{statistics.median(c.rows_per_second for c in cells):,.0f}",
                f"{ratio_to_bare(measured.cells, scenario, variant):.2f}",
                f"{statistics.median(c.p99_ms for c in cells):.1f}",
                f"{max(c.max_ms for c in cells):,.0f}",
                f"{waiting:.1%}",
                f"{statistics.median(refreshes):.0f}" if refreshes else "",
            )
    return table


def _targets(measured: Measurements) -> tuple[Table, list[str]]:
    return verdicts.table("Figures", measured.figures(), TARGETS, unmeasured="not measured at these sizes")
