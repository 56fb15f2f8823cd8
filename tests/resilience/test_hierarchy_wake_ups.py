"""Transactions that commit around a drain: each is either drained or sends a wake-up of its own."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, LiteralString

import pytest

from tests.resilience.hierarchy_cast import YEAR
from tests.resilience.hierarchy_sessions import drain
from tests.resilience.sessions import begin

if TYPE_CHECKING:
    from tests.resilience.hierarchy_cast import Cast


def test_a_transaction_open_across_a_drain_is_not_forgotten(cast: Cast) -> None:
    cast.writer.execute("begin")
    cast.write(1)
    assert drain(cast.drainer) == 0
    cast.reader.execute("select stats.compute_hierarchy_entry(%s, %s)", [cast.here, YEAR])
    cast.writer.execute("commit")
    assert cast.is_outdated(cast.here) is True
    assert drain(cast.drainer) == 1
    assert {cast.chapter, cast.here} <= cast.marked()


def test_a_writer_that_relies_on_anothers_wake_up_is_waited_for(cast: Cast) -> None:
    """The hole of edge-triggered wake-ups: it has looked, sends none itself, and commits after the drain."""
    cast.write(1, chapter=2)  # sends the wake-up
    cast.writer.execute("begin")
    cast.write(2)
    cast.writer.execute(
        "set constraints all immediate"
    )  # as at its commit: it looks, and relies on the first
    assert cast.wake_ups() == 1
    cast.drainer.execute("select public.acknowledge_wake_ups()")
    row = cast.drainer.execute("select public.take_unit_changes()").fetchone()
    assert row is not None
    assert row[0]["more"] is True
    cast.writer.execute("commit")
    row = cast.drainer.execute("select public.take_unit_changes()").fetchone()
    assert row is not None
    assert (row[0]["units"], row[0]["more"]) == (1, False)


def test_a_writer_that_comes_after_the_acknowledgement_sends_its_own_wake_up(cast: Cast) -> None:
    cast.write(1, chapter=2)
    cast.writer.execute("begin")
    cast.write(2)
    assert drain(cast.drainer) == 1
    assert cast.wake_ups() == 1
    cast.writer.execute("commit")
    assert cast.wake_ups() == 2


@pytest.mark.parametrize("isolation", ["repeatable read", "serializable"])
def test_a_writer_with_an_old_snapshot_knows_which_wake_ups_are_over(cast: Cast, isolation: str) -> None:
    cast.write(1, chapter=2)
    begin(cast.writer, isolation)
    assert cast.writer.execute("select count(*) from stats.activity_changes").fetchone() == (1,)
    drain(cast.drainer)
    cast.write(2)
    cast.writer.execute("commit")
    assert cast.wake_ups() == 2
    begin(cast.writer, isolation)
    cast.write(3)
    cast.writer.execute("commit")
    assert cast.wake_ups() == 2  # that one is still on its way


@pytest.mark.parametrize("isolation", ["read committed", "repeatable read", "serializable"])
def test_writers_ask_once_until_a_wake_up_is_acknowledged(cast: Cast, isolation: LiteralString) -> None:
    """However many they are: one more only when the last is two seconds old and counts as lost."""
    began = time.monotonic()
    for number in range(1, 21):
        cast.writer.execute(f"begin isolation level {isolation}")
        cast.write(number, chapter=number % 4)
        cast.writer.execute("commit")
    assert 1 <= cast.wake_ups() <= 1 + (time.monotonic() - began) // 2
    drain(cast.drainer)
    before = cast.wake_ups()
    cast.write(21)
    assert cast.wake_ups() == before + 1


def test_a_drain_that_fails_leaves_the_log_to_the_next(cast: Cast) -> None:
    cast.write(1)
    cast.drainer.execute("begin")
    cast.drainer.execute("select public.take_unit_changes()")
    other = cast.reader.execute("select public.take_unit_changes()").fetchone()
    assert other is not None
    assert (other[0]["units"], other[0]["more"]) == (
        0,
        True,
    )  # the second of two drains neither waits nor takes the same
    cast.drainer.execute("rollback")
    assert cast.marked() == set()
    assert cast.is_outdated(cast.here) is True
    assert drain(cast.reader) == 1
    assert {cast.chapter, cast.here} <= cast.marked()


def test_the_sweep_does_what_no_webhook_has_asked_for(cast: Cast) -> None:
    """It folds by itself; for the refresh it asks, when it is time."""
    cast.reader.execute("update stats.stats_refresh_log set last_requested_at = null, last_started_at = null")
    cast.reader.execute("delete from stats.unrefreshed_changes")  # what other tests have folded
    cast.write(1)
    lose_webhooks(cast)
    assert cast.reader.execute("select stats.sweep()").fetchone() == (True,)
    assert {cast.chapter, cast.here} <= cast.marked()
    assert cast.reader.execute("select count(*) from stats.unit_changes").fetchone() == (0,)
    assert lose_webhooks(cast) == []  # too early: a wake-up may still be on its way
    cast.reader.execute("update stats.unrefreshed_changes set oldest_at = oldest_at - interval '11 seconds'")
    assert cast.reader.execute("select stats.sweep()").fetchone() == (True,)
    assert lose_webhooks(cast) == [("refresh-stats-views", "sweep")]


def test_a_writer_holds_nothing_that_a_fold_or_a_sweep_waits_for(cast: Cast) -> None:
    """Not even one whose constraints are immediate, or whose wake-up fails, while it stays open."""
    cast.writer.execute("begin")
    cast.writer.execute("set constraints all immediate")
    cast.write(1)
    cast.writer.execute("set constraints all deferred")
    cast.write(2)
    cast.writer.execute("set constraints all immediate")  # as at its commit
    cast.reader.execute("set lock_timeout = '20ms'")
    for upkeep in ("sweep()", "refresh(p_force := true)", "fold()", "rebuild()"):
        cast.reader.execute(f"select stats.{upkeep}".encode())
    assert cast.reader.execute("select count(*) from stats.errors").fetchone() == (0,)
    cast.reader.execute("set lock_timeout = 0")


def test_a_wake_up_that_fails_keeps_no_other_writer_waiting(cast: Cast) -> None:
    secret: LiteralString = "select private.secret('fersk_webhook_secret')"
    row = cast.drainer.execute(secret).fetchone()
    assert row is not None
    cast.drainer.execute("delete from private.secrets where name = 'fersk_webhook_secret'")
    try:
        cast.writer.execute("begin")
        cast.write(1)
        cast.writer.execute("set constraints all immediate")  # as at its commit; and it stays open
        cast.drainer.execute("select public.acknowledge_wake_ups()")
        cast.drainer.execute("set lock_timeout = '20ms'")
        cast.drainer.execute(
            "update public.activities set duration_minutes = duration_minutes % 1440 + 1 "
            "where id = (select id from public.activities order by id desc limit 1)"
        )
        cast.drainer.execute("set lock_timeout = 0")
        cast.writer.execute("commit")
        failed = cast.reader.execute(
            "select count(*) from stats.errors where message like 'units_changed: P0002: %'"
        ).fetchone()
        assert failed == (2,)
    finally:
        cast.drainer.execute("select private.set_secret('fersk_webhook_secret', %s)", [row[0]])
        cast.drainer.execute("delete from stats.errors")


BOTH = [("invalidate-hierarchy-cache", "units_changed"), ("refresh-stats-views", "activities_changed")]
SEQUENCES = ["stats.fold_asked_at", "stats.refresh_asked_at"]


def asked_at(cast: Cast, microseconds: str) -> None:
    """Set when everything was last asked for."""
    cast.reader.execute(
        f"select setval(s, {microseconds}) from unnest(%s::regclass[]) s".encode(), [SEQUENCES]
    )
    cast.reader.execute("update stats.stats_refresh_log set last_requested_at = null, last_started_at = null")


def test_a_time_in_the_future_counts_as_none(cast: Cast) -> None:
    """As after the clock was set back by an hour."""
    cast.write(1)
    asked_at(cast, "(extract(epoch from clock_timestamp() + interval '1 hour') * 1000000)::bigint")
    lose_webhooks(cast)
    cast.write(2)
    assert lose_webhooks(cast) == BOTH
    cast.write(3)
    assert lose_webhooks(cast) == []


def test_one_statement_over_every_organisation_asks_once(cast: Cast) -> None:
    asked_at(cast, "1000000")  # in 1970
    cast.writer.execute("begin")
    cast.writer.execute(
        "update public.activities set duration_minutes = duration_minutes % 1440 + 1 where is_counted"
    )
    first = "select count(*), count(distinct organization_id), count(*) filter (where is_first) "
    row = cast.writer.execute(f"{first} from stats.activity_changes".encode()).fetchone()
    assert row is not None
    rows, organizations, asking = row
    assert rows > 100
    assert (organizations, asking) == (4, 1)
    cast.writer.execute("commit")
    assert lose_webhooks(cast) == BOTH


def test_where_there_are_no_functions_a_commit_folds_and_refreshes(cast: Cast) -> None:
    """And what comes too soon after it is left to the sweep: nothing grows."""
    asked_at(cast, "1000000")  # in 1970
    cast.reader.execute("update stats.settings set refresh_mode = 'inline'")
    try:
        cast.write(1)
        assert cast.reader.execute("select count(*) from stats.unit_changes").fetchone() == (0,)
        assert {cast.chapter, cast.here} <= cast.marked()
        cast.write(2)
        assert cast.reader.execute("select count(*) from stats.unit_changes").fetchone() == (1,)
        cast.reader.execute("select stats.sweep()")
        assert cast.reader.execute("select count(*) from stats.unit_changes").fetchone() == (0,)
        assert lose_webhooks(cast) == []
        assert cast.reader.execute("select count(*) from stats.errors").fetchone() == (0,)
    finally:
        cast.reader.execute("update stats.settings set refresh_mode = 'async'")


def lose_webhooks(cast: Cast) -> list[tuple[str, str]]:
    """Take all that are queued away, as if every one were lost; returns the functions and reasons."""
    with cast.reader.transaction():
        queued = cast.reader.execute(
            "delete from net.http_request_queue returning url, convert_from(body, 'UTF8')::jsonb ->> 'type'"
        ).fetchall()
    return [(url.rpartition("/")[2], kind) for url, kind in queued]


def test_a_sweep_folds_while_a_migration_has_the_activities_locked(cast: Cast) -> None:
    """Its audit has to read them, and is left for the next time."""
    cast.write(1)
    cast.writer.execute("begin")
    cast.writer.execute("lock table public.activities in access exclusive mode")
    cast.reader.execute("set statement_timeout = '10s'")
    assert cast.reader.execute("select stats.sweep()").fetchone() == (True,)
    cast.reader.execute("set statement_timeout = 0")
    assert cast.reader.execute("select count(*) from stats.unit_changes").fetchone() == (0,)
    assert cast.reader.execute("select count(*) from stats.errors").fetchone() == (0,)
    cast.writer.execute("rollback")
