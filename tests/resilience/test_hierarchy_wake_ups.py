"""Transactions that commit around a drain: each is either drained or sends a wake-up of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.resilience.hierarchy_cast import YEAR
from tests.resilience.hierarchy_sessions import drain

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
    assert {cast.chapter, cast.here} <= cast.marks()


def test_a_writer_that_relies_on_anothers_wake_up_is_waited_for(cast: Cast) -> None:
    """The hole of edge-triggered wake-ups: it has looked, sends none itself, and commits after the drain."""
    cast.write(1, chapter=2)  # sends the wake-up
    cast.writer.execute("begin")
    cast.write(2)
    cast.writer.execute(
        "set constraints all immediate"
    )  # as at its commit: it looks, and relies on the first
    assert cast.reader.execute("select count(*) from stats.wake_ups").fetchone() == (1,)
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
    assert cast.reader.execute("select count(*) from stats.wake_ups").fetchone() == (0,)
    cast.writer.execute("commit")
    assert cast.reader.execute("select count(*) from stats.wake_ups").fetchone() == (1,)


def test_a_writer_with_an_old_snapshot_does_not_rely_on_a_wake_up_it_still_sees(cast: Cast) -> None:
    cast.write(1, chapter=2)
    cast.writer.execute("begin isolation level repeatable read")
    assert cast.writer.execute("select count(*) from stats.wake_ups").fetchone() == (1,)
    drain(cast.drainer)
    cast.write(2)
    cast.writer.execute("commit")
    assert cast.reader.execute("select count(*) from stats.wake_ups").fetchone() == (1,)


def test_a_drain_that_fails_leaves_the_log_to_the_next(cast: Cast) -> None:
    cast.write(1)
    cast.drainer.execute("begin")
    cast.drainer.execute("select public.take_unit_changes()")
    other = cast.reader.execute("select public.take_unit_changes()").fetchone()
    assert other is not None
    assert other[0]["units"] == 0  # the second of two drains neither waits nor takes the same
    cast.drainer.execute("rollback")
    assert cast.marks() == set()
    assert cast.is_outdated(cast.here) is True
    assert drain(cast.reader) == 1
    assert {cast.chapter, cast.here} <= cast.marks()


def test_the_sweep_asks_about_what_no_webhook_has_reached(cast: Cast) -> None:
    cast.write(1)
    with cast.reader.transaction():
        cast.reader.execute("delete from net.http_request_queue")  # as if every wake-up were lost
    row = cast.reader.execute("select stats.sweep_unit_changes()").fetchone()
    assert row == (False,)  # too early: a wake-up may still be on its way
    cast.reader.execute("update stats.activity_changes set changed_at = changed_at - interval '2 seconds'")
    assert cast.reader.execute("select stats.sweep_unit_changes()").fetchone() == (True,)
    queued = cast.reader.execute(
        "select url, convert_from(body, 'UTF8')::jsonb ->> 'type' from net.http_request_queue"
    ).fetchall()
    assert [(url.rpartition("/")[2], kind) for url, kind in queued] == [
        ("invalidate-hierarchy-cache", "sweep")
    ]
