"""What is said of figures and their targets: the tables, the file in bench/out, and the exit status."""

from __future__ import annotations

import json
import os
import platform
from typing import TYPE_CHECKING, Any, Literal

from rich.table import Table

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from rich.console import Console

    from bench.figures import Target


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that all measurements have."""
    parser.add_argument(
        "--quick", action="store_true", help="little data, few rounds, under a minute: to see that it works"
    )
    parser.add_argument("--strict", action="store_true", help="end with status 1 if a target is missed")


def conclude(out: Console, missed: Sequence[str], *, strict: bool) -> int:
    """Say in the last line which targets were missed. Returns the exit status, which is 0 unless `strict`."""
    out.print(f"missed: {', '.join(missed)}" if missed else "no target was missed", soft_wrap=True)
    return 1 if missed and strict else 0


def table(
    title: str,
    figures: Mapping[str, float],
    targets: Mapping[str, Target],
    *,
    unmeasured: str,
    digits: int = 2,
) -> tuple[Table, list[str]]:
    """Return the figures as a table, those with a target first, and the names of the missed targets.

    unmeasured : what to say of a target without a figure.
    """
    table, missed = Table(title=title), list[str]()
    for column in ("figure", "value", "target", ""):
        justify: Literal["right", "left"] = "right" if column in {"value", "target"} else "left"
        table.add_column(column, justify=justify, overflow="fold")
    for name in dict.fromkeys([*targets, *figures]):
        target = targets.get(name)
        if name not in figures:
            table.add_row(name, "", str(target), f"[dim]{unmeasured}[/dim]")
            continue
        verdict = ""
        if target:
            is_met = target.is_met(figures[name])
            verdict = "[green]met[/green]" if is_met else "[red]missed[/red]"
            missed += [] if is_met else [name]
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
