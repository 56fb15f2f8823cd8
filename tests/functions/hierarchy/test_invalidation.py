"""From a commit to marked summaries, broadcasts and fresh ones, by real triggers and webhooks."""

from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, LiteralString
from uuid import UUID

import psycopg
import pytest

from _shared.result import ErrorCode
from local import processes, services
from tests.functions.hierarchy.scene import ANCESTORS, TREE
from tests.functions.hierarchy.support import (
    INVALIDATE,
    WARM,
    assert_refused,
    becomes_fresh,
    post,
    read_until_counted,
    summary,
)
from tests.support.people import sign_in
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from local.stack import Stack
    from tests.functions.hierarchy.scene import Forest


def test_a_change_in_a_leaf_marks_exactly_its_ancestors(
    stack: Stack, http: httpx.Client, forest: Forest
) -> None:
    admin = sign_in(stack, forest.admin).headers
    for unit_id in forest.units.values():
        assert summary(http, admin, unit_id)["stale"] is False
    before, heard = forest.marks(), len(forest.broadcasts())

    forest.add_activity("leaf", "2026-05-17 12:00Z")
    post(http, stack, INVALIDATE)
    forest.settle()

    touched = {"leaf", *ANCESTORS}
    marked = {key for key, marks in forest.marks().items() if before.get(key) != marks}
    assert marked == {(unit, 2026) for unit in touched}
    assert forest.outdated() == {unit: unit in touched for unit in TREE}
    (message,) = forest.broadcasts()[heard:]
    assert set(message) == {"unit_ids", "dates"}
    assert {UUID(unit_id) for unit_id in message["unit_ids"]} == {forest.units[unit] for unit in touched}
    assert message["dates"] == ["2026-05-17"]


def test_invalidating_again_changes_nothing(stack: Stack, http: httpx.Client, forest: Forest) -> None:
    forest.add_activity("leaf")
    post(http, stack, INVALIDATE)
    forest.settle()
    marks, heard = forest.marks(), forest.broadcasts()
    assert marks
    for _ in range(2):
        post(http, stack, INVALIDATE)
    assert (forest.marks(), forest.broadcasts()) == (marks, heard)


def test_a_year_that_did_not_change_stays_fresh(stack: Stack, http: httpx.Client, forest: Forest) -> None:
    admin, national = sign_in(stack, forest.admin).headers, forest.units["national"]
    for year in (2025, 2026):
        summary(http, admin, national, year)
    forest.add_activity("leaf", "2025-12-31 23:59:59Z")
    post(http, stack, INVALIDATE)
    forest.settle()
    assert (forest.outdated(2025)["national"], forest.outdated(2026)["national"]) == (True, False)


def test_many_invalidations_at_once_lose_nothing(stack: Stack, http: httpx.Client, forest: Forest) -> None:
    admin = sign_in(stack, forest.admin).headers
    for unit_id in forest.units.values():
        summary(http, admin, unit_id)
    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(post, http, stack, INVALIDATE) for _ in range(8)]
        for count in range(30):
            forest.add_activity(("leaf", "cousin", "other")[count % 3], f"2026-05-{1 + count % 28:02} 12:00Z")
        reports = [call.result() for call in calls]
    assert all(set(report) == {"units", "invalidated", "warmed"} for report in reports)
    post(http, stack, INVALIDATE)
    forest.settle()
    assert forest.outdated() == dict.fromkeys(TREE, True)
    for unit_id in forest.units.values():
        becomes_fresh(http, admin, unit_id)
    assert summary(http, admin, forest.units["national"])["payload"]["activity_count"] == 30


def test_the_database_wakes_the_function_by_itself(stack: Stack, http: httpx.Client, forest: Forest) -> None:
    """Trigger, signed webhook, drain, broadcast, warm-up: nobody reads, and the summary is fresh again."""
    admin, national = sign_in(stack, forest.admin).headers, forest.units["national"]
    read_until_counted(http, admin, forest, national)
    forest.set("warm_up_enabled", value=True)
    heard = len(forest.broadcasts())
    forest.add_activity("leaf")
    eventually(lambda: len(forest.broadcasts()) > heard)
    eventually(lambda: not forest.outdated()["national"])
    assert summary(http, admin, national)["payload"]["activity_count"] == 1


def test_a_server_that_dies_between_commit_and_drain_loses_nothing(
    stack: Stack, http: httpx.Client, forest: Forest
) -> None:
    admin, national = sign_in(stack, forest.admin).headers, forest.units["national"]
    summary(http, admin, national)
    before = forest.marks()
    processes.stop(stack.instance, "functions", signal.SIGKILL)
    try:
        refused = _refused_calls(stack)
        with _no_fold(stack):  # nor may the schedule's sweep be there sooner
            forest.add_activity("leaf")
            # the wake-up was sent, and nobody was there
            eventually(lambda: _waiting_calls(stack) == 0 and _refused_calls(stack) > refused)
            assert (forest.logged(), forest.marks()) == (1, before)
    finally:
        processes.start(stack.instance, services.functions(stack.instance))
    # the log told readers all the time; everybody else is told by the sweep
    assert summary(http, admin, national)["stale"] is True
    eventually(lambda: _sweep(forest) or forest.logged() == 0)
    forest.settle()
    changed = {unit for (unit, _), marks in forest.marks().items() if before.get((unit, 2026)) != marks}
    assert changed == {"leaf", *ANCESTORS}
    becomes_fresh(http, admin, national)
    assert summary(http, admin, national)["payload"]["activity_count"] == 1


@contextmanager
def _no_fold(stack: Stack) -> Iterator[None]:
    """Hold what a fold tries to get, so that it answers `already_running`."""
    with psycopg.connect(stack.db_url) as db:
        db.execute("select pg_advisory_xact_lock(hashtext('fersk'), hashtext('stats.fold'))")
        yield


def _refused_calls(stack: Stack) -> int:
    return _count(stack, "net._http_response where status_code is distinct from 200")


def _waiting_calls(stack: Stack) -> int:
    return _count(stack, "net.http_request_queue")


def _count(stack: Stack, rows: LiteralString) -> int:
    with psycopg.connect(stack.admin_db_url) as db:
        row = db.execute(f"select count(*) from {rows}").fetchone()
    assert row is not None
    return int(row[0])


def _sweep(forest: Forest) -> bool:
    row = forest.db.execute("select stats.sweep()").fetchone()
    assert row is not None
    return bool(row[0])


@pytest.mark.parametrize("slug", [INVALIDATE, WARM])
def test_only_the_database_and_schedules_may_invalidate_and_warm_up(
    stack: Stack, http: httpx.Client, slug: str
) -> None:
    assert_refused(http.post(slug), ErrorCode.UNAUTHORIZED)
    assert_refused(http.post(slug, headers={"apikey": stack.publishable_key}), ErrorCode.UNAUTHORIZED)
    assert_refused(http.post(slug, headers=sign_in(stack, "astrid@nhf.example").headers), ErrorCode.FORBIDDEN)
    post(http, stack, slug)
