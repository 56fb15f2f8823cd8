"""The table that says of each figure whether its target is met."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.figures import Target


def verdicts(
    title: str, figures: Mapping[str, float], targets: Mapping[str, Target], *, unmeasured: str
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
        table.add_row(name, f"{figures[name]:,.2f}", str(target or ""), verdict)
    return table, missed
