"""What the hierarchy is to keep: figures, each with its bound."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bench import verdicts
from bench.figures import Target

if TYPE_CHECKING:
    from rich.table import Table

OUTPUT = Path(__file__).parent / "out" / "hierarchy.json"
TARGETS = {
    "stale_seen_at_commit_violations": Target(0),
    "invalidate_p99_ms_50_commits": Target(1100),
    "invalidate_p99_ms_500_rows": Target(1100),
    "lost_invalidations": Target(0),
    "writer_p99_ratio": Target(1.5),
    "national_cached_read_ms": Target(5),
    "national_recompute_ms_1m": Target(200),
    "all_nodes_seconds_1m": Target(1),
    "ancestors_ms": Target(1),
}


def table(figures: dict[str, float]) -> tuple[Table, list[str]]:
    """Return the figures as a table, those with a target first, and the names of the missed targets."""
    return verdicts.table("The hierarchy", figures, TARGETS, unmeasured="not measured at this size")


def save(figures: dict[str, float], path: Path = OUTPUT) -> None:
    """Write figures and targets as JSON."""
    verdicts.save(path, figures, TARGETS)
