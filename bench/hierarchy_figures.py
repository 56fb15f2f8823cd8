"""What the hierarchy is to keep: figures, each with its bound."""

from __future__ import annotations

import json
import math
import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING

from bench.figures import Target
from bench.verdicts import verdicts

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least this share of all values does not exceed."""
    return sorted(values)[max(0, math.ceil(len(values) * share) - 1)]


def table(figures: dict[str, float]) -> tuple[Table, int]:
    """Return the figures as a table, those with a target first, and how many targets were missed."""
    return verdicts("The hierarchy", figures, TARGETS, unmeasured="not measured at this size")


def save(figures: dict[str, float], path: Path = OUTPUT) -> None:
    """Write figures and targets as JSON."""
    content = {
        "figures": {name: round(value, 3) for name, value in figures.items()},
        "targets": {name: str(target) for name, target in TARGETS.items()},
        "machine": {"cpus": os.cpu_count(), "system": platform.platform(), "load": os.getloadavg()},
    }
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
