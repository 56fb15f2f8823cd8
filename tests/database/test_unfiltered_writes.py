"""What the migrations made, as the database has it: no function, rule or schedule writes without WHERE.

The files are looked at in tests/contract/test_unfiltered_writes.py; here nothing escapes that was created by
a statement put together at run time.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.support.unfiltered_writes import in_sql

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack import Stack

# All but what belongs to Postgres and to extensions: ours, and the platform's as the stack has it.
STATEMENTS = """
    select p.oid::regprocedure::text, pg_get_functiondef(p.oid)
    from pg_proc p
    join pg_language l on l.oid = p.prolang and l.lanname in ('sql', 'plpgsql')
    where p.pronamespace::regnamespace::text not in ('pg_catalog', 'information_schema')
      and p.prokind in ('f', 'p')
      and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid
                                                and d.deptype = 'e')
    union all
    select format('rule %I on %s', r.rulename, r.ev_class::regclass), pg_get_ruledef(r.oid)
    from pg_rewrite r where r.rulename <> '_RETURN' and r.oid >= 16384
    union all
    select format('schedule %s', j.jobname), j.command from cron.job j
"""


@pytest.fixture
def connection(stack: Stack) -> Iterator[psycopg.Connection]:
    """Give a connection whose work is undone."""
    with psycopg.connect(stack.admin_db_url) as connection:
        yield connection
        connection.rollback()


# They put statements together from the list of measures: looked at as they run, below.
STATEMENT = re.compile(r"\s*(with|insert|update|delete|merge)\b", re.IGNORECASE)
PUT_TOGETHER = (
    "stats.define_change_triggers(",
    "stats.define_history(",
    "stats.fold(",
    "stats.audit(",
    "stats.rebuild(",
    "stats.attempt(",
)


def findings(connection: psycopg.Connection) -> list[str]:
    rows = connection.execute(STATEMENTS).fetchall()
    return [
        str(found)
        for place, text in rows
        for found in in_sql(text, place)
        if not (place.startswith(PUT_TOGETHER) and "cannot be read beforehand" in str(found))
    ]


def test_nothing_that_the_upkeep_runs_writes_without_where(connection: psycopg.Connection) -> None:
    connection.execute("set pg_stat_statements.track = 'all'")
    connection.execute("select extensions.pg_stat_statements_reset()")
    connection.execute(
        "update public.activities set duration_minutes = duration_minutes + 1 where is_counted"
    )
    for call in (
        "fold()",
        "audit()",
        "rebuild()",
        "heal()",
        "sweep()",
        "refresh(true)",
        "apply_counting_rules()",
    ):
        connection.execute(f"select stats.{call}".encode())
    connection.execute("delete from public.expense_claims where true")
    connection.execute("delete from public.activities where is_counted")
    connection.execute("select stats.fold()")  # removes totals that have come down to nothing
    ran = [query for (query,) in connection.execute("select query from extensions.pg_stat_statements")]
    ran = [query for query in ran if STATEMENT.match(query)]  # it lists expressions of plpgsql, too
    for expected in (
        "delete from stats.activity_changes",
        "insert into stats.daily_totals",
        "delete from stats.daily_totals",
    ):
        assert [query for query in ran if expected in query.lower()], expected
    assert [str(found) for query in ran for found in in_sql(query, query)] == []


def test_nothing_in_the_database_writes_without_where(connection: psycopg.Connection) -> None:
    assert findings(connection) == []


def test_everything_is_looked_at(connection: psycopg.Connection) -> None:
    places = " ".join(place for place, _ in connection.execute(STATEMENTS))
    for expected in ("stats.refresh(boolean)", "take_unit_changes()", "net.http_post", "fersk-sweep"):
        assert expected in places


@pytest.mark.parametrize(
    ("created", "found"),
    [
        pytest.param(
            "do $do$ begin execute 'create function stats.later() returns void language sql as '"
            " || quote_literal('delete from stats.' || 'settings'); end $do$",
            "stats.later():4: DELETE requires a WHERE clause",
            id="function-created-dynamically",
        ),
        pytest.param(
            "create function stats.later() returns void language sql begin atomic"
            " update stats.settings set debounce = '1s'; end",
            "stats.later():5: UPDATE requires a WHERE clause",
            id="begin-atomic",
        ),
        pytest.param(
            "create rule later as on insert to stats.settings do also delete from stats.stats_refresh_log",
            "rule later on stats.settings:2: DELETE requires a WHERE clause",
            id="rule",
        ),
        pytest.param(
            "select cron.schedule('later', '@yearly', 'delete from ' || 'cron.job_run_details')",
            "schedule later:1: DELETE requires a WHERE clause",
            id="schedule",
        ),
    ],
)
def test_what_is_created_at_run_time_is_found(
    connection: psycopg.Connection, created: str, found: str
) -> None:
    connection.execute(created)
    assert findings(connection) == [found]
