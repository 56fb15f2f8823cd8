"""Rules, time zones and full days beside writers: nobody slips through, and nobody waits who need not."""

from __future__ import annotations

from typing import TYPE_CHECKING, LiteralString
from uuid import UUID

import psycopg
import pytest

from tests.resilience.comparison import differences
from tests.resilience.faults.stage import WAIT_FOR_NOBODY, Stage, value
from tests.resilience.waiting import blocked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.resilience.own_cluster import Connection

INSERT: LiteralString = """
    insert into public.activities (id, organization_id, unit_id, peer_mentor_id, registered_by,
                                   activity_type_id, occurred_at, duration_minutes)
    values (%s, %s, %s, %s, %s, %s, %s, %s)"""
RULE: LiteralString = """
    insert into public.counting_rules
        (organization_id, activity_type_id, valid_from, min_duration_minutes, source)
    values (%s, %s, '2026-01-01', 61, 'a test')"""
ZONE: LiteralString = "update public.organization_settings set time_zone = %s where organization_id = %s"
REASONS: LiteralString = (
    "select array_agg(coalesce(not_counted_because, 'counts') order by id) from public.activities"
    " where id < '00000000-0000-0000-0000-0000000f4240'"
)
DAYS: LiteralString = (
    "select array_agg(activity_date::text order by id) from public.activities"
    " where id < '00000000-0000-0000-0000-0000000f4240'"
)
EVENING = "2026-05-17 22:30Z"  # the next day in Oslo, the same in UTC


@pytest.fixture
def clean(stage: Stage) -> Iterator[Stage]:
    yield stage
    for session in (stage.one, stage.two):
        session.execute("rollback")
        session.execute("reset all")
    stage.observer.execute("delete from public.counting_rules where source = 'a test'")
    stage.observer.execute(ZONE, ["Europe/Oslo", stage.scene.organization])


def row(stage: Stage, number: int, minutes: int, mentor: int = 0) -> list[object]:
    scene = stage.scene
    person = scene.mentors[mentor]
    return [UUID(int=number), scene.organization, scene.chapters[0], person, person, scene.types[0], EVENING,
            minutes]  # fmt: skip


def add(stage: Stage, session: Connection, number: int, minutes: int = 60, mentor: int = 0) -> None:
    session.execute(INSERT, row(stage, number, minutes, mentor))


def written_out(session: Connection, query: LiteralString, parameters: list[object]) -> LiteralString:
    """Put the parameters into a query, which waits without them."""
    return psycopg.ClientCursor(session).mogrify(query, parameters)


def assert_exact(stage: Stage) -> None:
    assert stage.observer.execute("select * from stats.audit()").fetchall() == []
    assert differences(stage.observer) == []


def test_a_rule_reaches_the_row_of_an_open_writer(clean: Stage) -> None:
    stage = clean
    stage.one.execute("begin")
    add(stage, stage.one, 1)
    rule = written_out(stage.two, RULE, [stage.scene.organization, stage.scene.types[0]])
    with blocked(rule, session=stage.two, by=stage.one, observer=stage.observer) as applied:
        add(stage, stage.one, 2)
        stage.one.execute("commit")
    applied.result()
    assert value(stage.observer, REASONS) == ["too_short", "too_short"]
    assert_exact(stage)


def test_a_transaction_that_is_older_than_a_rule_fails_and_tries_again(clean: Stage) -> None:
    stage = clean
    stage.one.execute("begin isolation level repeatable read")
    assert value(stage.one, "select count(*) from public.counting_rules where source = 'a test'") == 0
    stage.two.execute(RULE, [stage.scene.organization, stage.scene.types[0]])
    with pytest.raises(psycopg.errors.SerializationFailure):
        add(stage, stage.one, 1)
    stage.one.execute("rollback")
    stage.one.execute("begin isolation level repeatable read")
    add(stage, stage.one, 1)
    stage.one.execute("commit")
    assert value(stage.observer, REASONS) == ["too_short"]
    assert_exact(stage)


def test_a_rule_is_changed_at_read_committed_only(clean: Stage) -> None:
    stage = clean
    stage.two.execute("begin isolation level serializable")
    with pytest.raises(psycopg.errors.ActiveSqlTransaction, match="at READ COMMITTED only"):
        stage.two.execute(RULE, [stage.scene.organization, stage.scene.types[0]])
    stage.two.execute("rollback")
    stage.two.execute(RULE, [stage.scene.organization, stage.scene.types[0]])


def test_a_time_zone_reaches_the_row_of_an_open_writer(clean: Stage) -> None:
    stage = clean
    stage.one.execute("begin")
    add(stage, stage.one, 1)
    zone = written_out(stage.two, ZONE, ["UTC", stage.scene.organization])
    with blocked(zone, session=stage.two, by=stage.one, observer=stage.observer) as applied:
        stage.one.execute("commit")
    applied.result()
    add(stage, stage.one, 2)
    assert value(stage.observer, DAYS) == ["2026-05-17", "2026-05-17"]
    stage.two.execute(ZONE, ["Europe/Oslo", stage.scene.organization])
    assert value(stage.observer, DAYS) == ["2026-05-18", "2026-05-18"]
    assert_exact(stage)


@pytest.mark.parametrize("level", ["read committed", "repeatable read", "serializable"])
def test_two_writers_together_do_not_exceed_a_day(clean: Stage, level: LiteralString) -> None:
    stage = clean
    stage.one.execute(f"begin isolation level {level}")
    stage.two.execute(f"begin isolation level {level}")
    value(stage.two, "select count(*) from public.activities")  # its database snapshot is taken
    add(stage, stage.one, 1, minutes=800)
    late = written_out(stage.two, INSERT, row(stage, 2, 700))
    with blocked(late, session=stage.two, by=stage.one, observer=stage.observer) as writing:
        stage.one.execute("commit")
    with pytest.raises((psycopg.errors.CheckViolation, psycopg.errors.SerializationFailure)):
        writing.result()
    stage.two.execute("rollback")
    add(stage, stage.two, 3, minutes=640)  # to the minute
    assert value(stage.observer, REASONS) == ["counts", "counts"]
    assert_exact(stage)


def test_writers_of_other_people_wait_for_nobody(clean: Stage) -> None:
    stage = clean
    stage.one.execute("begin")
    add(stage, stage.one, 1, minutes=1440)
    stage.two.execute(WAIT_FOR_NOBODY)
    add(stage, stage.two, 2, minutes=1440, mentor=1)
    stage.one.execute("commit")
    assert_exact(stage)
