"""`make bufdir-alignment` on real data and on figures worked out by hand; it notices what it is for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from tests.functions.bufdir.support import YEAR, owner
from tools import alignment
from tools.alignment import check_all, show
from tools.reference import check_reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from local.stack import Stack

    Connection = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture
def connection(stack: Stack) -> Iterator[Connection]:
    with owner(stack) as db:
        yield db


@pytest.mark.parametrize("refreshed", [False, True], ids=["from-the-change-log", "from-the-snapshots"])
def test_report_and_dashboard_say_what_was_worked_out_by_hand(
    connection: Connection, *, refreshed: bool
) -> None:
    assert check_reference(connection, refreshed=refreshed) == []


def test_the_reference_leaves_nothing_behind(connection: Connection) -> None:
    check_reference(connection)
    left = connection.execute("select from public.organizations where slug = 'reference'").fetchall()
    assert left == []


OTHER_ROUNDING = """
    create or replace function stats.hours(p_minutes bigint) returns numeric language plpgsql immutable
    as $$ begin return round(p_minutes / 60.0, 1)::numeric(14, 2); end $$
"""


def test_a_rule_that_changed_is_noticed(connection: Connection) -> None:
    with connection.transaction(force_rollback=True):
        connection.execute(OTHER_ROUNDING)
        fields = {difference.field_name for difference in check_reference(connection)}
        assert {"/report/totals/total_hours", "/dashboard/hierarchy/total_hours"} <= fields
    assert check_reference(connection) == []


def test_every_organisation_and_year_is_aligned(stack: Stack, connection: Connection) -> None:
    reports = check_all(connection)
    assert {f"nhf {YEAR}", f"nhf {YEAR + 1}", f"hlf {YEAR + 1}"} <= set(reports)
    assert [name for name, report in reports.items() if report.drift] == []
    assert "social_cafe" in {kind.activity_type_code for kind in reports[f"nhf {YEAR}"].unmapped_types}
    assert alignment.main(["--db-url", stack.db_url]) == 0


def test_a_change_that_was_never_logged_is_drift_and_the_command_fails(connection: Connection) -> None:
    with connection.transaction(force_rollback=True):
        connection.execute("alter table public.activities disable trigger user")
        connection.execute(
            "delete from public.activities where id = (select a.id from public.activities a"
            f" where a.is_counted and a.occurred_at >= '{YEAR}-01-01Z'"
            " and not exists (select from public.expense_claims e where e.activity_id = a.id) limit 1)"
        )
        reports = check_all(connection)
        drift = [row for report in reports.values() for row in report.drift]
        assert "/activity_time_series/activity_count" in {row.field_name for row in drift}
        assert all(row.actual_value > row.expected_value for row in drift if "count" in row.field_name)
        console = Console(width=200, record=True, quiet=True)
        assert show(console, reports, []) is False
    assert show(Console(quiet=True), check_all(connection), []) is True
