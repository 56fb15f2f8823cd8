"""Show what was measured, and keep it in bench/out/stats.json."""

from __future__ import annotations

import statistics
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table

from bench import verdicts
from bench.figures import TARGETS, label
from bench.reads import LIVE, PENDING, PLAIN, SNAPSHOT
from bench.refreshes import ratio
from bench.writes import VARIANTS, ratio_to_bare

if TYPE_CHECKING:
    from rich.console import Console

    from bench.figures import Measurements

OUTPUT = Path(__file__).parent / "out" / "stats.json"


def show(console: Console, measured: Measurements) -> list[str]:
    """Print the tables. Returns the names of the missed targets."""
    console.print(_reads(measured))
    console.print(_refreshes(measured))
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
        refreshes=[asdict(refresh) for refresh in measured.refreshes],
        writes=[asdict(cell) for cell in measured.cells],
    )


def _reads(measured: Measurements) -> Table:
    table = Table(title="Reads: median ms; live with 0 / 1,000 / 50,000 changes that the snapshot lacks")
    for column in ("activities", "question", "plain view", "snapshot", *(f"live, {n:,}" for n in PENDING)):
        table.add_column(column, justify="left" if column == "question" else "right")
    cells = {(r.rows, r.question, r.pending): r.milliseconds for r in measured.readings}
    for rows, question in dict.fromkeys((r.rows, r.question) for r in measured.readings):
        calm = cells[rows, question, PENDING[0]]
        live = (f"{cells[rows, question, n][LIVE]:.1f}" for n in PENDING)
        table.add_row(label(rows), question, f"{calm[PLAIN]:.1f}", f"{calm[SNAPSHOT]:.1f}", *live)
    return table


def _refreshes(measured: Measurements) -> Table:
    table = Table(title="Refresh CONCURRENTLY after 1,000 changes: median ms")
    for column in ("activities", "snapshot", "as first written", "Fersk", "ratio"):
        table.add_column(column, justify="left" if column == "snapshot" else "right")
    for cost in measured.refreshes:
        untuned, tuned = statistics.median(cost.untuned_ms), statistics.median(cost.tuned_ms)
        table.add_row(label(cost.rows), cost.view, f"{untuned:.0f}", f"{tuned:.0f}", f"{ratio([cost]):.2f}")
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
