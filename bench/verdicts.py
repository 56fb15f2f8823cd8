"""What is said of figures and their targets: the table, and the file in bench/out."""

from __future__ import annotations

import json
import os
import platform
from typing import TYPE_CHECKING, Any

from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bench.figures import Target


def table(
    title: str,
    figures: Mapping[str, float],
    targets: Mapping[str, Target],
    *,
    unmeasured: str,
    digits: int = 2,
) -> tuple[Table, int]:
    """Return the figures as a table, those with a target first, and how many targets were missed.

    unmeasured : what to say of a target without a figure.
    """
    table, missed = Table(title=title), 0
    for column in ("figure", "value", "target", ""):
        table.add_column(column, justify="right" if column in {"value", "target"} else "left")
    for name in dict.fromkeys([*targets, *figures]):
        target = targets.get(name)
        if name not in figures:
            table.add_row(name, "", str(target), f"[dim]{unmeasured}[/dim]")
            continue
        verdict = ""
        if target:
            missed += not target.is_met(figures[name])
            verdict = "[green]met[/green]" if target.is_met(figures[name]) else "[red]missed[/red]"
        table.add_row(name, f"{figures[name]:,.{digits}f}", str(target or ""), verdict)
    return table, missed


def save(
    path: Path,
    figures: Mapping[str, float],
    targets: Mapping[str, Target],
    *,
    digits: int = 3,
    **measurements: list[dict[str, Any]],
) -> None:
    """Write figures, targets, the machine and all single measurements as JSON."""
    content = {
        "figures": {name: round(value, digits) for name, value in figures.items()},
        "targets": {name: str(target) for name, target in targets.items()},
        "machine": {"cpus": os.cpu_count(), "system": platform.platform(), "load": os.getloadavg()},
        **measurements,
    }
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
