"""Wake-ups are bounded by seconds, a commit costs the same whatever it touched, no table grows for ever."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, LiteralString
from uuid import UUID

import psycopg
import pytest

from tests.resilience.comparison import differences
from tests.resilience.faults.stage import Stage, forget_what_was_asked, replaced, value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.resilience.own_cluster import Connection

WRITERS = 6
SECONDS = 4.0
# In which a wake-up counts as being on its way; a refresh is asked for once in a debounce of ten.
WINDOW_SECONDS = 2
QUEUED: LiteralString = "select count(*) from net.http_request_queue"
ORGANIZATIONS = 1000
SIZES: LiteralString = """
    select c.oid::regclass::text, (xpath('/row/n/text()', query_to_xml(
        format('select count(*) as n from %s', c.oid::regclass), false, true, '')))[1]::text::bigint
    from pg_class c
    where c.relkind in ('r', 'm') and c.relnamespace in ('stats'::regnamespace, 'net'::regnamespace,
                                                         'private'::regnamespace)
      and has_table_privilege(c.oid, 'select')
"""
# What all that a transaction has read of the upkeep's tables by now came to, in scans and in rows.
READ: LiteralString = """
    select sum(coalesce(seq_scan, 0) + coalesce(idx_scan, 0)),
           sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))
    from pg_stat_xact_all_tables where schemaname in ('stats', 'net')
"""


def write_for_a_while(stage: Stage, number: int, *, until: float) -> int:
    """Write one activity a transaction at REPEATABLE READ; the number of them that committed."""
    committed = 0
    with psycopg.connect(stage.cluster.url, autocommit=True) as connection:
        connection.execute("set session characteristics as transaction isolation level repeatable read")
        while time.monotonic() < until:
            # on days of its own, of which none has room for more than 1440 minutes
            day = number + WRITERS * (committed // 1000)
            stage.write(connection, number * 10_000 + committed, chapter=number, day=day, minutes=1)
            committed += 1
    return committed


def test_wake_ups_of_writers_at_repeatable_read_are_bounded_by_seconds(stage: Stage) -> None:
    until = time.monotonic() + SECONDS
    with ThreadPoolExecutor(WRITERS) as pool:
        running = [
            pool.submit(write_for_a_while, stage, number, until=until) for number in range(1, WRITERS + 1)
        ]
    committed = sum(done.result() for done in running)
    # Each window's first writer asks, and so may those who looked in the same moment.
    windows = 1 + int(SECONDS / WINDOW_SECONDS)
    queued = value(stage.observer, QUEUED)
    assert 2 <= queued <= WRITERS * (windows + 1)
    assert committed > 5 * queued
    assert differences(stage.observer) == []


def test_a_writer_that_does_not_look_at_what_was_asked_asks_every_time(stage: Stage) -> None:
    """A control: with each commit looking as if nobody had asked, every one of them queues a wake-up."""
    for number in range(1, 6):
        stage.observer.execute("select setval('stats.fold_asked_at', 0, false)")
        stage.write(stage.one, number)
    assert value(stage.observer, QUEUED) >= len(range(1, 6))


@pytest.fixture
def crowd(stage: Stage) -> Iterator[list[int]]:
    """Give the numbers of a thousand organisations more, each with a unit, a person and a type."""
    with stage.cluster.connect(admin=True) as admin, admin.transaction():
        admin.execute("set local session_replication_role = replica")  # people without accounts
        for table, columns in (
            ("organizations (id, slug, name)", "id, 'crowd-' || n, 'Crowd ' || n"),
            ("organization_settings (organization_id)", "id"),
            ("organization_units (id, organization_id, kind, name)", "id, id, 'national', 'Unit ' || n"),
            (
                "profiles (id, user_id, organization_id, role, display_name)",
                "id, id, id, 'peer_mentor', 'Person ' || n",
            ),
            ("activity_types (id, organization_id, code, label)", "id, id, 'visit', 'Visit'"),
        ):
            admin.execute(
                f"insert into public.{table} select {columns} from generate_series(1, {ORGANIZATIONS}) n, "
                "lateral (select md5('crowd' || n)::uuid as id) i on conflict do nothing".encode()
            )
    yield list(range(1, ORGANIZATIONS + 1))
    stage.observer.execute("delete from public.activities where id < %s", [UUID(int=1_000_000)])
    stage.observer.execute("select stats.refresh(p_force := true)")
    with stage.cluster.connect(admin=True) as admin, admin.transaction():
        admin.execute("set local session_replication_role = replica")
        of_the_crowd: LiteralString = (
            "organization_id in (select id from public.organizations where slug like 'crowd-%')"
        )
        for table in ("activity_types", "profiles", "organization_units", "organization_settings"):
            admin.execute(f"delete from public.{table} where {of_the_crowd}".encode())
        admin.execute("delete from public.organizations where slug like 'crowd-%'")


def insert_for(session: Connection, numbers: list[int]) -> None:
    """One statement with an activity of each of these organisations."""
    session.execute(
        """insert into public.activities (id, organization_id, unit_id, peer_mentor_id, registered_by,
                                          activity_type_id, occurred_at, duration_minutes)
           select lpad(to_hex(n), 32, '0')::uuid, i.id, i.id, i.id, i.id, i.id, '2026-05-17 12:00Z', 60
           from unnest(%s::integer[]) n, lateral (select md5('crowd' || n)::uuid as id) i""",
        [numbers],
    )


def cost_of_asking(stage: Stage, numbers: list[int]) -> tuple[tuple[int, int], int]:
    """What a commit reads for its wake-ups (scans, rows), and how many it queues."""
    stage.observer.execute("select stats.fold()")
    forget_what_was_asked(stage.observer)
    stage.one.execute("begin")
    insert_for(stage.one, numbers)
    before = stage.one.execute(READ).fetchone()
    stage.one.execute("set constraints all immediate")
    after = stage.one.execute(READ).fetchone()
    stage.one.execute("commit")
    assert before is not None
    assert after is not None
    return (after[0] - before[0], after[1] - before[1]), value(stage.observer, QUEUED)


def test_a_commit_costs_the_same_for_one_organisation_and_for_a_thousand(
    stage: Stage, crowd: list[int]
) -> None:
    one = cost_of_asking(stage, crowd[:1])
    thousand = cost_of_asking(stage, crowd[1:])
    assert one[1] == 2  # a fold, and a refresh
    assert thousand == one
    assert value(stage.observer, "select count(distinct organization_id) from stats.activity_changes") == (
        ORGANIZATIONS - 1
    )
    assert differences(stage.observer) == []
    assert value(stage.observer, "select (stats.fold() ->> 'units')::integer") == ORGANIZATIONS - 1


def test_looking_through_the_log_at_a_commit_would_cost_what_it_holds(stage: Stage, crowd: list[int]) -> None:
    """A control of the measure: a commit that reads the log reads a thousand rows."""
    reading: LiteralString = """
        create or replace function stats.named_record(p_row jsonb) returns jsonb
            language sql stable security invoker set search_path = ''
            return (select jsonb_agg(c.id) from stats.activity_changes c)"""
    with replaced(stage.observer, "stats.named_record(jsonb)", reading):
        (_, rows), _ = cost_of_asking(stage, crowd)
    assert rows >= ORGANIZATIONS


def sizes(stage: Stage) -> dict[str, int]:
    with stage.cluster.connect(admin=True) as admin:
        return dict(admin.execute(SIZES).fetchall())


@pytest.mark.parametrize("secret", [True, False], ids=["all-well", "nothing-can-be-sent"])
@pytest.mark.parametrize("mode", ["inline", "async"])
def test_writes_leave_nothing_behind(stage: Stage, mode: str, *, secret: bool) -> None:
    """The same rows are written again and again, and the sweep comes by: each table is as it was."""
    kept = value(stage.observer, "select private.secret('fersk_webhook_secret')")
    stage.observer.execute(
        "update stats.settings set refresh_mode = %s, debounce = '0' where only_row", [mode]
    )
    if not secret:
        stage.observer.execute("delete from private.secrets where name = 'fersk_webhook_secret'")
    try:
        first = sizes_after_writing(stage)
        for _ in range(3):
            last = sizes_after_writing(stage)
    finally:
        stage.observer.execute("select private.set_secret('fersk_webhook_secret', %s)", [kept])
        stage.observer.execute(
            "update stats.settings set refresh_mode = 'async', debounce = '10 seconds' where only_row"
        )
    assert first["stats.activity_changes"] == 0
    assert first["stats.daily_totals"] > 0
    assert last == first


def sizes_after_writing(stage: Stage) -> dict[str, int]:
    for number in range(1, 30):
        stage.write(stage.one, number, chapter=number % 4)
        stage.one.execute("delete from public.activities where id = %s", [UUID(int=number)])
        stage.one.execute(
            "update public.organization_units set parent_id = parent_id where parent_id is not null"
        )
    # What was queued has been sent, and the newest thousand errors are kept.
    stage.observer.execute("delete from net.http_request_queue where true")
    stage.observer.execute(
        "insert into stats.errors (message) select 'one of many' from generate_series(1, 1000)"
    )
    stage.observer.execute("select stats.sweep()")
    stage.observer.execute("delete from net.http_request_queue where true")
    stage.observer.execute("delete from stats.errors where message <> 'one of many'")
    stage.observer.execute("select stats.prune_records()")
    found = sizes(stage)
    assert found["stats.errors"] <= 1000
    assert found["private.deliveries"] <= 10_000  # supabase/tests/32_deliveries.test.sql fills it
    return {**found, "stats.errors": 0, "private.deliveries": 0}


def test_records_keep_the_newest_thousand(stage: Stage) -> None:
    chapter = stage.scene.chapters[0]
    stage.observer.execute(
        "insert into stats.errors (message) select n::text from generate_series(1, 1500) n"
    )
    stage.observer.execute(
        "insert into stats.differences (relation_name, chapter_id) "
        "select 'daily_totals', %s from generate_series(1, 1500) n",
        [chapter],
    )
    stage.observer.execute("select stats.sweep()")
    for table in ("errors", "differences"):
        assert value(stage.observer, f"select count(*) from stats.{table}") == 1000
    assert value(stage.observer, "select min(message::integer) from stats.errors") == 501
