"""The clock was wrong, and is set back: what is written as being in the future counts as no time.

A test cannot set the clock, so it writes the times that a wrong one has left, wherever the upkeep keeps one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, LiteralString

import pytest

from tests.resilience.comparison import differences
from tests.resilience.faults.stage import Stage, forget_what_was_asked, value

if TYPE_CHECKING:
    from collections.abc import Iterator

SEQUENCES = ["fold_asked_at", "refresh_asked_at", "swept_at"]
QUEUED: LiteralString = """
    select coalesce(array_agg(q.slug order by q.slug), '{}')
    from (select distinct substring(url from '[^/]*$') as slug from net.http_request_queue) q
"""
IN_AN_HOUR: LiteralString = "clock_timestamp() + interval '1 hour'"


@pytest.fixture(autouse=True)
def _clock(stage: Stage) -> Iterator[None]:
    yield
    forget_what_was_asked(stage.observer)
    stage.observer.execute("select setval('stats.swept_at', 0)")
    stage.observer.execute(
        "update stats.stats_refresh_log set last_finished_at = null where last_finished_at > now()"
    )
    stage.observer.execute("delete from public.hierarchy_node_access where true")


def note(stage: Stage, when: LiteralString) -> None:
    """Everything was asked for, begun and done at that time."""
    for sequence in SEQUENCES:
        stage.observer.execute(
            f"select setval('stats.{sequence}', (extract(epoch from {when}) * 1000000)::bigint)"
        )
    stage.observer.execute(
        f"update stats.stats_refresh_log set last_requested_at = {when}, last_started_at = {when}, "
        f"last_finished_at = {when} where only_row"
    )


def test_a_commit_asks_for_a_fold_and_a_refresh(stage: Stage) -> None:
    note(stage, IN_AN_HOUR)
    stage.write(stage.one, 1)
    assert value(stage.observer, QUEUED) == ["invalidate-hierarchy-cache", "refresh-stats-views"]


def test_a_commit_asks_for_neither_when_both_have_just_been_asked_for(stage: Stage) -> None:
    """The allowed twin: these are times that count."""
    note(stage, "clock_timestamp()")
    stage.write(stage.one, 1)
    assert value(stage.observer, QUEUED) == []


@pytest.mark.parametrize(("when", "outcome"), [(IN_AN_HOUR, "refreshed"), ("clock_timestamp()", "debounced")])
def test_a_refresh_comes(stage: Stage, when: LiteralString, outcome: str) -> None:
    note(stage, when)
    stage.write(stage.one, 1)
    assert value(stage.one, "select public.refresh_stats_views() ->> 'outcome'") == outcome
    assert differences(stage.observer) == []


@pytest.mark.parametrize("when", [IN_AN_HOUR, "clock_timestamp() - interval '1 hour'"])
def test_the_sweep_asks_for_what_is_pending_since(stage: Stage, when: LiteralString) -> None:
    note(stage, when)
    stage.write(stage.one, 1)
    stage.observer.execute("select stats.fold()")
    stage.observer.execute(f"update stats.unrefreshed_changes set oldest_at = {when} where true")
    stage.observer.execute("delete from net.http_request_queue where true")
    assert value(stage.observer, "select stats.sweep()")
    assert value(stage.observer, QUEUED) == ["refresh-stats-views"]
    freshness: LiteralString = "select public.get_health() ->> 'oldest_pending_seconds'"
    assert int(value(stage.observer, freshness)) >= 0


def test_the_sweep_lets_what_has_just_changed_wait(stage: Stage) -> None:
    note(stage, "clock_timestamp() - interval '1 hour'")
    stage.write(stage.one, 1)
    stage.observer.execute("delete from net.http_request_queue where true")
    stage.observer.execute("select stats.sweep()")
    assert value(stage.observer, QUEUED) == []


@pytest.mark.parametrize(
    ("when", "said"), [(IN_AN_HOUR, "something"), ("clock_timestamp() + interval '0'", None)]
)
def test_health_tells_what_went_wrong_since(stage: Stage, when: LiteralString, said: str | None) -> None:
    stage.observer.execute("select stats.record_error('something')")
    note(stage, when)
    assert value(stage.observer, "select public.get_health() ->> 'last_error'") == said


def test_a_unit_that_was_read_in_the_future_becomes_no_favourite_for_ever(stage: Stage) -> None:
    unit = stage.scene.chapters[0]
    stage.observer.execute(
        "insert into public.hierarchy_node_access values (%s, 8, clock_timestamp() + interval '5 years')",
        [unit],
    )
    stage.observer.execute("select public.record_node_reads(jsonb_build_object(%s::text, 1))", [unit])
    assert (
        value(stage.observer, "select reads from public.hierarchy_node_access where unit_id = %s", [unit])
        == 9
    )
    # and a read of yesterday has faded by half
    stage.observer.execute(
        "update public.hierarchy_node_access set reads = 8, last_read_at = now() - interval '1 day' "
        "where unit_id = %s",
        [unit],
    )
    stage.observer.execute("select public.record_node_reads(jsonb_build_object(%s::text, 1))", [unit])
    faded = value(stage.observer, "select reads from public.hierarchy_node_access where unit_id = %s", [unit])
    assert faded == pytest.approx(5, abs=0.01)
