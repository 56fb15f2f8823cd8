"""`make bufdir-alignment`: whether dashboard and report agree, everywhere and on the reference dataset."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, Any

import psycopg
from rich.markup import escape
from rich.table import Table

from _shared.database.reports import AlignmentFigures
from bufdir_alignment import align
from local import command
from local.stack import Stack
from tools.reference import check_reference, read_figures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from _shared.differences import Difference
    from bufdir_alignment import AlignmentReport

    Connection = psycopg.Connection[tuple[Any, ...]]

YEARS = """
    select o.slug, o.id, y.year from public.organizations o
    join (select distinct a.organization_id, extract(year from a.bucket_date)::integer as year
          from stats.countable_activities a) y on y.organization_id = o.id
    order by o.slug, y.year
"""
STYLES = {"on_track": "green", "at_risk": "yellow", "below_threshold": "red"}


def check_all(connection: Connection) -> dict[str, AlignmentReport]:
    """Check every organisation in every year with activities; by slug and year."""
    return {
        f"{slug} {year}": align(
            year, AlignmentFigures.model_validate(read_figures(connection, organization_id, year))
        )
        for slug, organization_id, year in connection.execute(YEARS).fetchall()
    }


def show(console: Console, reports: dict[str, AlignmentReport], reference: Sequence[Difference]) -> bool:
    """Print what was found. Returns whether everything agrees."""
    summary = Table(title="Dashboard against report")
    for column in ("organisation, year", "drift", "against thresholds", "types without a category"):
        summary.add_column(column)
    for name, report in reports.items():
        unmapped = ", ".join(
            f"{kind.activity_type_code} {kind.activity_count}" for kind in report.unmapped_types
        )
        summary.add_row(name, _verdict(len(report.drift)), _status(report), unmapped)
    summary.add_row("reference dataset", _verdict(len(reference)), "", "worked out by hand")
    console.print(summary)
    rows: list[tuple[str, Difference]] = [
        (name, row) for name, report in reports.items() for row in report.drift
    ]
    rows += [("reference dataset", row) for row in reference]
    if rows:
        console.print(_details(rows))
    return not rows


def _verdict(number: int) -> str:
    return f"[red]{number}[/red]" if number else "[green]none[/green]"


def _status(report: AlignmentReport) -> str:
    if not report.shortfalls:
        return "[dim]no thresholds[/dim]"
    return "\n".join(
        f"{row.bufdir_category_code} {row.activity_count}/{row.minimum_activity_count}"
        f" [{STYLES[row.status]}]{row.status}[/]"
        for row in report.shortfalls
        if row.status  # the owner sees them all
    )


def _details(rows: Sequence[tuple[str, Difference]]) -> Table:
    table = Table(title="Drift")
    for column in ("where", "field", "expected", "actual", "what to do"):
        table.add_column(column)
    for name, row in rows:
        action = getattr(
            row, "recommended_action", "See tests/reference/WORKING.md: the code or the dataset changed."
        )
        table.add_row(
            name, row.field_name, *(escape(str(v)) for v in (row.expected_value, row.actual_value)), action
        )
    return table


def main(words: Sequence[str] | None = None) -> int:
    """Run the command. Returns the exit status: 1 where anything differs."""
    parser = argparse.ArgumentParser(prog="python -m tools.alignment", description=__doc__)
    parser.add_argument(
        "--db-url",
        default=os.environ.get("SUPABASE_DB_URL"),
        help="of role postgres (default: SUPABASE_DB_URL, else the local stack)",
    )
    url = parser.parse_args(words).db_url
    return command.run(lambda: _check(url))


def _check(url: str | None) -> int:
    with psycopg.connect(url or Stack.running().db_url) as connection:
        agrees = show(command.tables(), check_all(connection), check_reference(connection))
    return 0 if agrees else 1


if __name__ == "__main__":
    sys.exit(main())
