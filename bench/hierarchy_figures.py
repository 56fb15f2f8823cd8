"""What the hierarchy is to keep: figures, each with its bound."""

from __future__ import annotations

import json
import math
import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table

from bench.figures import Target

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least this share of all values does not exceed."""
    return sorted(values)[max(0, math.ceil(len(values) * share) - 1)]


def table(figures: dict[str, float]) -> tuple[Table, int]:
    """Return the figures as a table, those with a target first, and how many targets were missed."""
    result, missed = Table(title="The hierarchy"), 0
    for column in ("figure", "value", "target", ""):
        result.add_column(column, justify="right" if column in {"value", "target"} else "left")
    for name in dict.fromkeys([*TARGETS, *figures]):
        target = TARGETS.get(name)
        if name not in figures:
            result.add_row(name, "", str(target), "[dim]not measured at this size[/dim]")
            continue
        verdict = ""
        if target:
            missed += not target.is_met(figures[name])
            verdict = "[green]met[/green]" if target.is_met(figures[name]) else "[red]missed[/red]"
        result.add_row(name, f"{figures[name]:,.2f}", str(target or ""), verdict)
    return result, missed


def save(figures: dict[str, float], path: Path = OUTPUT) -> None:
    """Write figures and targets as JSON."""
    content = {
        "figures": {name: round(value, 3) for name, value in figures.items()},
        "targets": {name: str(target) for name, target in TARGETS.items()},
        "machine": {"cpus": os.cpu_count(), "system": platform.platform(), "load": os.getloadavg()},
    }
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
