"""The seed, on days that calendars make interesting: it ends on that day, and last year is complete."""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from local import database, migrations
from local.requirements import ROOT
from tests.resilience.own_cluster import empty_cluster

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.resilience.own_cluster import Connection, OwnCluster

SEED = (ROOT / "supabase" / "seed.sql").read_bytes()
DAYS = [
    pytest.param(dt.date.fromisoformat(day), id=day)
    for day in ("2026-01-01", "2025-12-31", "2024-02-29", "2026-11-15", "2023-03-01")  # all of them past
]
ORGANIZATIONS = {"nhf", "hlf", "blindeforbundet", "barnekreftforeningen"}


@pytest.fixture(scope="module")
def own() -> Iterator[OwnCluster]:
    with empty_cluster("seed") as own:
        database.install_platform(own.instance)
        migrations.up(own.url)
        yield own


@contextmanager
def seeded(own: OwnCluster, day: dt.date | None) -> Iterator[Connection]:
    """Give the seed of a day in a transaction that is undone; None: whatever day it is."""
    with own.connect() as connection, connection.transaction(force_rollback=True):
        run(connection, day)
        yield connection


def run(connection: Connection, day: dt.date | None) -> None:
    """Run the seed as a session of its own would."""
    connection.execute("select set_config('fersk.seed_date', %s, true)", ["" if day is None else str(day)])
    connection.execute(SEED)
    connection.execute("discard temp")


def fingerprint(connection: Connection) -> tuple[object, ...]:
    row = connection.execute("""
        select (select md5(string_agg((to_jsonb(a) - '{inserted_at,insert_number}'::text[])::text, ''
                                   order by a.id)) from public.activities a),
               (select md5(string_agg((to_jsonb(e) - 'decided_at')::text, '' order by e.id))
                from public.expense_claims e),
               (select count(*) from public.activities), (select count(*) from public.expense_claims)
    """).fetchone()
    assert row is not None
    return row


def months(connection: Connection) -> dict[str, dict[dt.date, int]]:
    """Count the activities that count, by organisation and month."""
    found: dict[str, dict[dt.date, int]] = {}
    for slug, month, count in connection.execute("""
        select o.slug, a.activity_month, count(*) from stats.countable_activities a
        join public.organizations o on o.id = a.organization_id group by 1, 2
    """):
        found.setdefault(slug, {})[month] = count
    return found


@pytest.mark.parametrize("day", DAYS)
def test_every_month_from_last_january_to_this_one_has_activities(own: OwnCluster, day: dt.date) -> None:
    with seeded(own, day) as connection:
        last_year = [dt.date(day.year - 1, month, 1) for month in range(1, 13)]
        this_year = [dt.date(day.year, month, 1) for month in range(1, day.month + 1)]
        found = months(connection)
        assert set(found) == ORGANIZATIONS
        assert {slug: sorted(counts) for slug, counts in found.items()} == dict.fromkeys(
            ORGANIZATIONS, last_year + this_year
        )


@pytest.mark.parametrize("day", DAYS)
def test_it_ends_on_its_day_for_every_peer_mentor_and_nothing_lies_after(
    own: OwnCluster, day: dt.date
) -> None:
    with seeded(own, day) as connection:
        last = connection.execute(
            "select distinct max(bucket_date) from stats.countable_activities group by peer_mentor_id"
        ).fetchall()
        assert last == [(day,)]
        midnight = dt.datetime.combine(day, dt.time(), dt.UTC)
        moments = connection.execute("""
            select greatest(max(occurred_at), max(recorded_at)),
                   (select max(decided_at) from public.expense_claims)
            from public.activities
        """).fetchone()
        assert moments is not None
        assert moments[0] == midnight
        assert moments[1] <= midnight


@pytest.mark.parametrize("day", DAYS)
def test_both_years_have_their_thresholds_and_expenses(own: OwnCluster, day: dt.date) -> None:
    with seeded(own, day) as connection:
        years = connection.execute("select distinct valid_from_year from public.bufdir_thresholds")
        assert years.fetchall() == [(day.year - 1,)]
        claims = dict(
            connection.execute(
                "select status::text, count(*) from public.expense_claims group by 1"
            ).fetchall()
        )
        assert set(claims) == {"approved", "pending", "rejected"}


def test_a_day_gives_the_same_seed_every_time_and_a_second_run_changes_nothing(own: OwnCluster) -> None:
    day = dt.date(2026, 11, 15)
    with seeded(own, day) as connection:
        first = fingerprint(connection)
        run(connection, day)
        assert fingerprint(connection) == first
    with seeded(own, day) as connection:
        assert fingerprint(connection) == first
    with seeded(own, day + dt.timedelta(days=1)) as connection:
        assert fingerprint(connection) != first


def test_the_days_before_are_the_same_all_year(own: OwnCluster) -> None:
    query = "select md5(string_agg(id::text || occurred_at, '' order by id)) from public.activities"
    before = f"{query} where occurred_at < '2025-11-15Z'"
    with seeded(own, dt.date(2025, 11, 15)) as connection:
        first = connection.execute(before).fetchone()
    with seeded(own, dt.date(2025, 12, 31)) as connection:
        assert connection.execute(before).fetchone() == first


def test_without_a_setting_it_ends_today(own: OwnCluster) -> None:
    with seeded(own, None) as connection:
        row = connection.execute(
            "select max(bucket_date) = (now() at time zone 'UTC')::date from stats.countable_activities"
        ).fetchone()
        assert row == (True,)
