"""The counting rule changes while writers are at work: no row keeps the old one, or it is found."""

from __future__ import annotations

from typing import TYPE_CHECKING, LiteralString
from uuid import UUID

import psycopg
import pytest

from tests.resilience.comparison import COUNTS, differences
from tests.resilience.faults.stage import Stage, replaced, value
from tests.resilience.waiting import blocked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.resilience.own_cluster import Connection

RULE: LiteralString = (
    "stats.counts_in_statistics(public.activity_status, integer, integer, boolean, integer, integer)"
)
DRAFTS_COUNT: LiteralString = """
    create or replace function stats.counts_in_statistics(
        p_status public.activity_status, p_duration_minutes integer, p_participant_count integer,
        p_counts boolean, p_min_duration_minutes integer, p_min_participants integer)
        returns text
        language plpgsql stable parallel safe security invoker set search_path = '' as $$
    begin
        return case when p_status not in ('registered', 'draft') then p_status::text
                    when not p_counts then 'type_does_not_count'
                    when p_duration_minutes < p_min_duration_minutes then 'too_short'
                    when p_participant_count < p_min_participants then 'too_few_participants' end;
    end $$"""
AS_BEFORE: LiteralString = DRAFTS_COUNT.replace("not in ('registered', 'draft')", "<> 'registered'")
# What the page tells to run, in the migration's one transaction.
APPLY: LiteralString = "select stats.apply_counting_rules()"
KEPT_THE_OLD_RULE: LiteralString = "select count(*) from stats.misjudged_activities"
COUNTED: LiteralString = "select coalesce(sum(activity_count), 0) from stats.live_chapter_stats"
TRUE: LiteralString = "select count(*) from public.activities a where " + COUNTS.replace(
    "a.status = 'registered'", "a.status = any (%s::public.activity_status[])"
)


@pytest.fixture
def rule(stage: Stage) -> Iterator[Connection]:
    """Give the session that changes the rule; two drafts are there already."""
    stage.write(stage.observer, 1, "draft")
    stage.write(stage.observer, 2, "draft")
    yield stage.two
    for session in (stage.one, stage.two):
        session.execute("rollback")
    stage.observer.execute(AS_BEFORE)
    stage.observer.execute(APPLY)


def change(stage: Stage, definition: LiteralString) -> None:
    """Change the rule while session one has a transaction open, which then writes once more and commits."""
    stage.two.execute("begin")
    stage.two.execute(definition)
    with blocked(APPLY, session=stage.two, by=stage.one, observer=stage.observer) as applying:
        stage.one.execute("update public.activities set duration_minutes = 61 where id = %s", [UUID(int=1)])
        stage.one.execute("commit")
    applying.result()
    stage.two.execute("commit")


def assert_counted(stage: Stage, *statuses: str) -> None:
    assert value(stage.observer, KEPT_THE_OLD_RULE) == 0
    assert value(stage.observer, COUNTED) == value(stage.observer, TRUE, [list(statuses)])
    assert stage.observer.execute("select * from stats.audit()").fetchall() == []


def test_no_row_of_an_open_transaction_keeps_the_old_rule(stage: Stage, rule: Connection) -> None:
    stage.one.execute("begin")
    stage.write(stage.one, 3, "draft")
    change(stage, DRAFTS_COUNT)
    assert_counted(stage, "registered", "draft")
    stage.one.execute("begin")
    stage.write(stage.one, 4, "draft")
    change(stage, AS_BEFORE)  # and back: nobody deadlocks
    assert_counted(stage, "registered")
    assert differences(rule) == []


def test_a_transaction_that_is_older_than_the_change_writes_by_the_new_rule(
    stage: Stage, rule: Connection
) -> None:
    stage.one.execute("begin isolation level repeatable read")
    assert value(stage.one, TRUE, [["draft"]]) >= 2
    with rule.transaction():
        rule.execute(DRAFTS_COUNT)
        assert value(rule, APPLY) >= 2
    stage.write(stage.one, 3, "draft")
    stage.one.execute("commit")
    assert_counted(stage, "registered", "draft")


def test_a_writer_that_waited_for_the_change_writes_by_the_new_rule(stage: Stage, rule: Connection) -> None:
    rule.execute("begin")
    rule.execute(DRAFTS_COUNT)
    rule.execute(APPLY)
    late: LiteralString = """
        insert into public.activities (id, organization_id, unit_id, peer_mentor_id, registered_by,
                                       activity_type_id, occurred_at, duration_minutes, status)
        select '00000000-0000-0000-0000-000000000005', organization_id, unit_id, peer_mentor_id,
               registered_by, activity_type_id, occurred_at, 60, 'draft'
        from public.activities where id = '00000000-0000-0000-0000-000000000001'"""
    with blocked(late, session=stage.one, by=rule, observer=stage.observer) as writing:
        rule.execute("commit")
    writing.result()
    assert_counted(stage, "registered", "draft")


def test_a_change_that_locks_no_writer_out_leaves_a_row_behind(stage: Stage, rule: Connection) -> None:
    """A control: the update alone; the audit finds the row, and the repair counts it."""
    stage.one.execute("begin")
    stage.write(stage.one, 3, "draft")
    with rule.transaction():
        rule.execute(DRAFTS_COUNT)
        rule.execute("update public.activities set status = status where true")
    stage.one.execute("commit")
    assert value(rule, KEPT_THE_OLD_RULE) == 1
    chapter = stage.scene.chapters[0]
    assert rule.execute("select relation_name, chapter_id from stats.audit()").fetchall() == [
        ("activities", chapter)
    ]
    assert value(rule, "select public.get_health() ->> 'differences'") == "1"
    assert value(rule, "select stats.heal(array[%s::uuid])", [stage.scene.chapters[1]]) == 0
    assert value(rule, "select stats.heal(array[%s::uuid])", [chapter]) == 1
    assert_counted(stage, "registered", "draft")


def test_a_rule_that_was_replaced_and_not_applied_is_found(stage: Stage, rule: Connection) -> None:
    before = value(rule, COUNTED)
    with replaced(rule, RULE, DRAFTS_COUNT):
        found = rule.execute("select relation_name, chapter_id from stats.audit()").fetchall()
        assert ("activities", stage.scene.chapters[0]) in found
        assert {name for name, _ in found} == {"activities"}
        assert value(rule, COUNTED) == before
    assert rule.execute("select * from stats.audit()").fetchall() == []


def test_who_may_not_own_the_statistics_changes_no_rule(stage: Stage, rule: Connection) -> None:
    stage.as_admin(stage.one)
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied for schema stats"):
        stage.one.execute(APPLY)
    stage.one.execute("reset role")
    assert value(rule, APPLY) == 0
